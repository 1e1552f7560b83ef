//! The native API, `/meetme/v1/<kind>`: every kind of the core under its own name, with its own fields. The console and the command
//! line are built on it.
//!
//! Promise: nothing here is written for one kind. Paths, schemas, filters and descriptions are derived from the registry of kinds
//! when the server starts, so a new kind is served by being registered. What a kind does with a wish is decided in
//! `meetme_app::resources`.
//!
//! A row is answered as `{kind, id, uid, tenant, version, seen, created, updated, title, spec, status}`; what is sent is the spec
//! alone. The API is our own and strict: an unknown query parameter or field is an error.

mod auth;
mod configuration;
mod convert;
mod discovery;
mod document;
mod error;
mod idempotency;
mod login;
mod ops;
mod query;
mod rows;
mod tag;
mod watch;
mod wire;

use meetme_http::{Claim, Dialect, Slash};

/// The path that everything here begins with.
pub const ROOT: &str = "/meetme/v1";

/// The native dialect.
pub fn dialect() -> Dialect {
    Dialect {
        title: "Meetme",
        version: "1",
        authenticate: auth::authenticate,
        wire_error: error::wire_error,
        mine: |parts| if parts.path().starts_with(ROOT) { Claim::Certain } else { Claim::No },
        slash: Slash::Ignore,
        components: document::components,
        security: auth::security,
        ..Dialect::new("native", ops::table())
    }
}
