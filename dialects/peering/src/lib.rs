//! The Peering Manager dialect: autonomous systems, exchanges, sessions and routers, as tools for that application see them.
//!
//! Promise: this crate decides nothing. It turns paths, queries and JSON into calls of the core and back. Every model is a table
//! ([`model::Model`]); one engine reads, writes, filters, describes and dumps all of them. Road not taken: wire structs and
//! handlers by hand for each of some forty models, which would spell the same rules forty times.

mod actions;
mod auth;
mod browse;
mod changes;
mod decode;
mod describe;
mod dump;
mod encode;
mod engine;
mod error;
mod json;
mod line_query;
mod lookup;
mod mirror;
mod model;
mod models;
mod negotiate;
mod ops;
mod page;
mod passwords;
mod permissions;
mod portal;
mod preferences;
mod query;
mod read;
mod roots;
mod scene;
mod schema;
mod serve;
mod voice;
mod wait;
mod write;

use std::borrow::Cow;

use meetme_http::{Claim, Dialect, Parts, Slash};

pub use voice::Spoken;

/// The version of the API that is spoken, as the header and the documents say it.
pub const API_VERSION: &str = "1.10";

/// The dialect's name.
pub const NAME: &str = "peering-manager";

/// The dialect.
pub fn dialect() -> Dialect {
    Dialect {
        title: "Peering Manager",
        version: API_VERSION,
        authenticate: auth::authenticate,
        wire_error: error::wire_error,
        mine,
        allow: true,
        finish: negotiate::finish,
        slash: Slash::Redirect,
        normalise,
        components: schema::components,
        security: auth::security,
        ..Dialect::new(NAME, ops::all())
    }
}

/// The documentation writes some of its examples without `/api`.
fn normalise(path: &str) -> Cow<'_, str> {
    if path.starts_with("/peering/") { format!("/api{path}").into() } else { path.into() }
}

/// Its clients send a token under a word that no other dialect's do, to paths that no other dialect has.
fn mine(parts: &Parts) -> Claim {
    let token = parts.header("authorization").is_some_and(|value| value.starts_with("Token "));
    let here = parts.path().starts_with("/api/") || parts.path().starts_with("/peering/");
    match (here, token) {
        (true, true) => Claim::Certain,
        (true, false) => Claim::Likely,
        (false, _) => Claim::Possible,
    }
}
