//! The Packet dialect: the API of Packet, later Equinix Metal, over the core's projects, devices, addresses and BGP sessions.
//!
//! Promise: no rule is made here. Each file in [`resource`] is one resource: how its rows look, what they are related to, and the
//! rows of the operation table that read and write it through the core's operations.

mod auth;
mod error;
mod ext;
mod input;
pub mod instance;
pub mod metadata;
mod ops;
mod page;
mod path;
mod resource;
mod show;
mod text;
mod wants;
mod work;

use http::{HeaderValue, header};
use meetme_http::{Dialect, Parts, Reply, Slash};
use serde_json::{Map, Value, json};

/// The dialect.
pub fn dialect() -> Dialect {
    Dialect {
        title: "Packet",
        version: "1.0",
        authenticate: auth::authenticate,
        wire_error: error::wire_error,
        mine: auth::mine,
        finish,
        normalise: path::normalise,
        slash: Slash::Ignore,
        components: ops::components,
        security,
        ..Dialect::new("packet", ops::ops())
    }
}

/// Clients read a body only when its type says the character set too.
fn finish(reply: &mut Reply, _: &Parts) {
    if let Some(value) = reply.headers.get_mut(header::CONTENT_TYPE)
        && value == "application/json"
    {
        *value = HeaderValue::from_static("application/json; charset=utf-8");
    }
}

fn security() -> Map<String, Value> {
    Map::from_iter([("token".to_owned(), json!({ "type": "apiKey", "in": "header", "name": "X-Auth-Token" }))])
}
