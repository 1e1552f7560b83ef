//! The Megaport dialect: products (ports, routers, virtual cross connects) of companies, in three generations on one address: bare
//!
//! Promise: wire forms only. What may be ordered, changed and cancelled is decided in `meetme_app`. A virtual cross connect is a leg
//! of a circuit shown with its circuit's commercial fields; an MCR2 is an ordered router, or a network that no router owns.

mod auth;
mod company;
mod design;
mod end;
mod envelope;
mod error;
mod life;
mod location;
mod order;
mod partner;
mod permission;
mod product;
mod scene;
mod session;
mod show;
mod tag;
mod update;
mod words;

use meetme_http::{Claim, Dialect, Media, Op, Parts, Reply, Slash, single_slashes};

/// The dialect.
pub fn dialect() -> Dialect {
    Dialect {
        title: "Megaport",
        version: "3",
        authenticate: |cx| Box::pin(auth::authenticate(cx)),
        wire_error: error::wire_error,
        mine,
        finish,
        normalise: single_slashes,
        slash: Slash::Ignore,
        security: auth::security,
        ..Dialect::new("megaport", ops())
    }
}

fn ops() -> Vec<Op> {
    [
        session::ops(),
        company::ops(),
        location::ops(),
        partner::ops(),
        product::ops(),
        order::ops(),
        update::ops(),
        life::ops(),
        tag::ops(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The prefixes that no other dialect has.
const PREFIXES: &[&str] = &["v2", "v3", "v4", "oauth2", "logout", "secure"];

fn mine(parts: &Parts) -> Claim {
    let first = parts.path().split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    match first {
        // The same path with a JSON body is another dialect's.
        "login" if parts.media() == Media::Form => Claim::Certain,
        _ if PREFIXES.contains(&first) => Claim::Certain,
        _ => Claim::No,
    }
}

/// Clients print this id with every error.
fn finish(reply: &mut Reply, parts: &Parts) {
    if let Ok(id) = parts.request_id.to_string().parse() {
        reply.headers.insert("trace-id", id);
    }
}
