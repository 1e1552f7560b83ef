//! The Port dialect: a software catalogue of blueprints and entities under `/v1`.
//!
//! Promise: wire forms only. What a blueprint or an entity may be is decided in `meetme_app::catalog`, where every other door
//! would find the same rules. The kinds of the core appear here as read-only blueprints `_kind`.

mod auth;
mod author;
mod blueprint_wire;
mod blueprints;
mod entities;
mod entity_wire;
mod error;
mod organization;
mod page;

use meetme_http::{Claim, Dialect, Parts, Reply, Slash};

/// The dialect.
pub fn dialect() -> Dialect {
    let ops = [auth::ops(), organization::ops(), blueprints::ops(), entities::ops()].into_iter().flatten().collect();
    Dialect {
        title: "Port",
        version: "1",
        authenticate: |cx| Box::pin(auth::authenticate(cx)),
        wire_error: error::wire_error,
        mine,
        finish,
        // The seed writes `entities/` with a slash at the end, other clients without.
        slash: Slash::Ignore,
        security: auth::security,
        ..Dialect::new("port", ops)
    }
}

fn mine(parts: &Parts) -> Claim {
    if parts.path() == "/v1" || parts.path().starts_with("/v1/") { Claim::Certain } else { Claim::No }
}

fn finish(reply: &mut Reply, parts: &Parts) {
    if let Ok(id) = parts.request_id.to_string().parse() {
        reply.headers.insert("x-trace-id", id);
    }
}
