//! Who does which jobs.

use std::sync::Arc;

use anyhow::Result;
use meetme_app::App;
use meetme_control::{
    Agents,
    jobs::Worker,
    router::{RouterController, jobs::RouterWorker},
};
use meetme_mail::{Delivery, MailWorker};
use meetme_peeringdb::PeeringDb;

use crate::config::Config;

/// Every worker of this process.
///
/// # Errors
/// When the configuration of one of them makes no sense.
pub fn workers(app: &App, agents: &Agents, config: &Config) -> Result<Vec<Arc<dyn Worker>>> {
    Ok(vec![
        Arc::new(RouterWorker::new(RouterController::new(app.clone(), agents.clone()))),
        Arc::new(PeeringDb::new(app.clone(), &config.peeringdb)),
        Arc::new(MailWorker::new(Delivery::of(&config.mail).map_err(anyhow::Error::msg)?)),
    ])
}
