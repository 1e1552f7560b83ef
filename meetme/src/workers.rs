//! Who does which jobs.

use std::sync::Arc;

use meetme_app::App;
use meetme_control::{
    Agents,
    jobs::Worker,
    router::{RouterController, jobs::RouterWorker},
};

/// Every worker of this process.
pub fn workers(app: &App, agents: &Agents) -> Vec<Arc<dyn Worker>> {
    vec![Arc::new(RouterWorker::new(RouterController::new(app.clone(), agents.clone())))]
}
