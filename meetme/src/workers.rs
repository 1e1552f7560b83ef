//! Who does which jobs.

use std::sync::Arc;

use meetme_app::App;
use meetme_control::{
    Agents,
    jobs::Worker,
    router::{RouterController, jobs::RouterWorker},
};
use meetme_peeringdb::PeeringDb;

use crate::config::Config;

/// Every worker of this process.
pub fn workers(app: &App, agents: &Agents, config: &Config) -> Vec<Arc<dyn Worker>> {
    vec![
        Arc::new(RouterWorker::new(RouterController::new(app.clone(), agents.clone()))),
        Arc::new(PeeringDb::new(app.clone(), &config.peeringdb)),
    ]
}
