//! Who does which jobs.

use std::sync::Arc;

use anyhow::Result;
use meetme_app::{App, hooks::Voice};
use meetme_base::Reach;
use meetme_control::{
    Agents,
    discover::DiscoverWorker,
    exports::ExportWorker,
    jobs::Worker,
    router::{RouterController, jobs::RouterWorker, poll::PollWorker},
};
use meetme_hook::HookController;
use meetme_ixapi::{Client, IxApiWorker};
use meetme_mail::{Delivery, MailWorker};
use meetme_peeringdb::PeeringDb;
use meetme_source::SourceWorker;

use crate::config::{Config, HooksConfig, SourcesConfig};

/// Every worker of this process.
///
/// # Errors
/// When the configuration of one of them makes no sense.
pub fn workers(app: &App, agents: &Agents, config: &Config) -> Result<Vec<Arc<dyn Worker>>> {
    Ok(vec![
        Arc::new(PollWorker::new(app.clone())),
        Arc::new(RouterWorker::new(RouterController::new(app.clone(), agents.clone()))),
        Arc::new(DiscoverWorker::new(app.clone(), agents.clone())),
        Arc::new(ExportWorker::new(app.clone())),
        Arc::new(IxApiWorker::new(app.clone(), Client { reach: Reach { allow: config.ixapi.allow.clone() } })),
        Arc::new(PeeringDb::new(app.clone(), &config.peeringdb)),
        Arc::new(SourceWorker::new(app.clone(), sources(config))),
        Arc::new(MailWorker::new(app.clone(), Delivery::of(&config.mail).map_err(anyhow::Error::msg)?)),
    ])
}

/// What the operator opened to data sources.
fn sources(config: &Config) -> meetme_source::Settings {
    let SourcesConfig { root, allow, certificates, ssh_key, known_hosts } = config.sources.clone();
    let reach = Reach { allow };
    let limits = meetme_source::Limits::default();
    meetme_source::Settings { root, reach, certificates, ssh_key, known_hosts, limits }
}

/// Who calls webhooks, in the words of which dialects.
pub fn hooks(app: &App, config: &Config) -> HookController {
    let HooksConfig { allow, certificates } = config.hooks.clone();
    let settings = meetme_hook::Settings { reach: Reach { allow }, certificates, ..meetme_hook::Settings::default() };
    let voices: Vec<Box<dyn Voice>> = vec![Box::new(meetme_peering::Spoken::new(app.clone()))];
    HookController::new(app.clone(), voices, settings)
}
