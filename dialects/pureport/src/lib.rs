//! The Pureport dialect: accounts, networks, and connections of networks to clouds, sites and ports.
//!
//! Promise: no rule lives here. What may be ordered, allotted and removed is decided by `meetme_app`; this crate reads requests into
//! the core's words and writes answers in the dialect's. An account is an organization, a location a metro, a facility a site, a
//! connection a circuit and a gateway one of its legs.

mod accounts;
mod auth;
mod body;
mod catalogue;
mod connections;
mod convert;
mod error;
mod ids;
mod keys;
mod networks;
mod ops;
mod options;
mod rights;
mod wire;

use meetme_http::{Claim, Dialect, Media, Parts, Slash, single_slashes};
use serde_json::{Map, Value, json};

/// The dialect's name.
const DIALECT: &str = "pureport";

/// The dialect, ready to be served.
pub fn dialect() -> Dialect {
    Dialect {
        title: "Pureport",
        version: "1.0.0",
        authenticate: auth::authenticate,
        wire_error: error::wire_error,
        mine,
        normalise: single_slashes,
        slash: Slash::Ignore,
        security,
        ..Dialect::new(DIALECT, ops::table())
    }
}

/// Ids in the path are the mark of this dialect; a bearer token is no other's; JSON tells its login from a form's.
fn mine(parts: &Parts) -> Claim {
    let others = ["x-auth-token", "x-call-context", "x-consumer-token"];
    let authorization = parts.header("authorization").unwrap_or_default();
    if others.iter().any(|name| parts.headers.contains_key(*name)) || authorization.starts_with("Token ") {
        return Claim::No;
    }
    let marks = [ids::ACCOUNT, ids::NETWORK, ids::CONNECTION, ids::GATEWAY, ids::PORT];
    let mut segments = parts.path().split('/');
    if segments.clone().any(|segment| marks.iter().any(|form| form.uid(segment).is_some())) {
        return Claim::Certain;
    }
    let is_login = segments.any(|segment| segment == "login");
    match parts.media() {
        Media::Form | Media::Multipart => Claim::No,
        Media::Json if is_login => Claim::Likely,
        _ if is_bearer(authorization) => Claim::Likely,
        _ => Claim::Possible,
    }
}

/// Whether this is a bearer token of the form this dialect gives out: a UUID, not a signed token.
fn is_bearer(authorization: &str) -> bool {
    let token = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.is_some_and(|(_, token)| token.trim().parse::<meetme_base::Uid>().is_ok())
}

fn security() -> Map<String, Value> {
    let bearer = json!({ "bearer": { "type": "http", "scheme": "bearer" } });
    bearer.as_object().cloned().unwrap_or_default()
}
