//! Validated ROAs: the export of a validator (rpki-client's or Routinator's JSON, from a file or over HTTP), read every so often and
//! kept as one table that origins of routes are judged by.
//!
//! Promise: this crate validates no certificates, which is a validator's work, and judges no route, which is [`meetme_app::rpki`]'s.
//! An export is read as a stream into the packed table, never as a whole; it is limited in size and time; one that cannot be had or
//! understood leaves the table before it in use.

mod config;
mod controller;
mod export;
mod fetch;

use meetme_app::{App, Error};
use meetme_control::{ErasedController, Settings};
use meetme_model::access::{Form, Organization};
use meetme_store::{Context, Filter, Registry, TriggerOn};

pub use config::Config;
pub use controller::RpkiController;
pub use export::{Export, read};

/// Adds to the registry of kinds what wakes the controller: an operator that comes into being. Only where ROAs are read.
#[must_use]
pub fn triggers(registry: Registry) -> Registry {
    registry.trigger::<Organization>(TriggerOn::Spec, controller::NAME, |_, t| {
        Ok(t.after.filter(|o| o.form == Form::Operator).map(|_| t.id).into_iter().collect())
    })
}

/// The controller, for a runner of its own.
pub fn controllers(app: &App, config: &Config) -> Vec<Box<dyn ErasedController>> {
    vec![Box::new(RpkiController::new(app.clone(), config.clone()))]
}

/// How a runner of the controller works.
pub fn settings() -> Settings {
    Settings {
        concurrency: 1,
        first_pause: std::time::Duration::from_secs(5),
        longest_pause: std::time::Duration::from_secs(300),
        ..Settings::default()
    }
}

/// Has the export looked at.
///
/// # Errors
/// When the database fails.
pub async fn begin(app: &App) -> Result<(), Error> {
    let woken = app.store().write::<_, Error, _>(Context::system(), |tx| {
        let now = tx.now();
        for operator in tx.ids::<Organization>(&Filter::eq("form", Form::Operator.word()))? {
            tx.enqueue(controller::NAME, operator.any(), now)?;
        }
        Ok(())
    });
    woken.await
}
