//! The routing registries: what stands behind an as-set, asked of a whois server through `bgpq4` and kept.
//!
//! Promise: this crate decides nothing about routes. It keeps the answers to questions fresh ([`meetme_app::irr`] says which, and what
//! they come to). The program it runs is fenced: its arguments are checked by their grammar and passed without a shell, its time
//! and its output are limited, and it is killed when either runs out. One answer that cannot be had costs no other.

mod bgpq4;
mod config;
mod set;
mod system;

use meetme_app::{App, Error};
use meetme_base::Id;
use meetme_control::{ErasedController, Settings};
use meetme_model::routing::{AutonomousSystem, IrrSet};
use meetme_store::{Context, Filter, Registry, TriggerOn};

pub use config::Config;
pub use set::SetController;
pub use system::SystemController;

/// Adds to the registry of kinds what wakes the controllers here. Only where registries are asked: elsewhere nobody would ever do
/// the work that is queued.
#[must_use]
pub fn triggers(registry: Registry) -> Registry {
    registry
        .trigger::<AutonomousSystem>(TriggerOn::Spec, system::NAME, |_, t| {
            Ok(t.after.map(|_| t.id).into_iter().collect())
        })
        .trigger::<IrrSet>(TriggerOn::Spec, set::NAME, |_, t| Ok(t.after.map(|_| t.id).into_iter().collect()))
}

/// The controllers, for a runner of their own ([`settings`]): asking takes long, and must not keep boxes waiting.
pub fn controllers(app: &App, config: &Config) -> Vec<Box<dyn ErasedController>> {
    vec![Box::new(SystemController::new()), Box::new(SetController::new(app.clone(), config.clone()))]
}

/// How a runner of these controllers works: no more questions at once than configured.
pub fn settings(config: &Config) -> Settings {
    Settings {
        concurrency: config.concurrency.max(1),
        first_pause: std::time::Duration::from_secs(5),
        longest_pause: std::time::Duration::from_secs(900),
        ..Settings::default()
    }
}

/// Has every AS looked at: some may be older than the wish to ask registries.
///
/// # Errors
/// When the database fails.
pub async fn begin(app: &App) -> Result<(), Error> {
    let mut after = Id::<AutonomousSystem>::new(0);
    loop {
        let page = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let query = meetme_store::Query {
                limit: 1000,
                ..meetme_store::Query::of(Filter::is("id", meetme_store::Op::Gt(after.into())))
            };
            let rows = tx.list::<AutonomousSystem>(&query)?;
            let now = tx.now();
            for row in &rows {
                tx.enqueue(system::NAME, row.id.any(), now)?;
            }
            Ok(rows.last().map(|row| row.id))
        });
        match page.await? {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}
