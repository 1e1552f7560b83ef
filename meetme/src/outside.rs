//! What is asked of the world outside: the services, each with its part of the configuration and a runner of its own, so that what
//! is slow there keeps no box waiting.

use anyhow::{Context as _, Result, bail};
use meetme_app::App;
use meetme_control::Runner;
use meetme_store::Registry;

use crate::config::Config;

/// Whether the services' parts of the configuration can be used.
///
/// # Errors
/// Names the key that cannot.
pub fn check(config: &Config) -> Result<()> {
    if let Err(why) = config.irr.check().and_then(|()| config.rpki.check()).and_then(|()| config.metal.check()) {
        bail!("{why}");
    }
    Ok(())
}

/// All kinds, and what wakes which controller, those of the services included.
pub fn registry(config: &Config) -> Registry {
    let mut registry = meetme_control::registry();
    if config.irr.is_on() {
        registry = meetme_irr::triggers(registry);
    }
    if config.rpki.is_on() {
        registry = meetme_rpki::triggers(registry);
    }
    registry
}

/// The services' runners, which begin when they are run.
///
/// # Errors
/// When the database fails.
pub async fn runners(app: &App, config: &Config) -> Result<Vec<Runner>> {
    let mut out = Vec::new();
    if config.irr.is_on() {
        meetme_irr::begin(app).await.context("the routing registries")?;
        let controllers = meetme_irr::controllers(app, &config.irr);
        out.push(Runner::new(app.store().clone(), controllers, meetme_irr::settings(&config.irr)));
    }
    if config.rpki.is_on() {
        meetme_rpki::begin(app).await.context("the validated ROAs")?;
        let controllers = meetme_rpki::controllers(app, &config.rpki);
        out.push(Runner::new(app.store().clone(), controllers, meetme_rpki::settings()));
    }
    Ok(out)
}
