//! The kinds: what a place where networks meet consists of, in the trade's words. One file per kind: struct, declaration, check.
//!
//! Promise: `model` knows no dialect and no database; a check here is pure, it sees one object and its former self.
//!
//! **spec** is what somebody wished plus what an operation decided for it; **status** is what controllers saw. What only one
//! dialect can mean sits in `ext` under that dialect's name, opaque to everyone else.

pub mod access;
pub mod catalog;
pub mod check;
mod edge;
pub mod fabric;
mod life;
pub mod metal;
pub mod mirror;
pub mod ops;
mod peer;
pub mod place;
pub mod routing;

pub use life::{Life, LifeStatus, Lock, Phase, Reason, Term, Wanted, living};
pub use peer::{Admin, BfdState, BgpState, Kept, Origins, Peer, PeerStatus};

use meetme_store::Registry;

/// What only one dialect can mean, under that dialect's name.
pub type Ext = std::collections::BTreeMap<String, serde_json::Value>;

/// Labels: key and value, in the order they were given.
pub type Labels = serde_json::Map<String, serde_json::Value>;

/// The status of kinds of which nothing is observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Nothing {}

/// All kinds, in an order in which references mostly point backwards.
pub fn registry() -> Registry {
    let r = Registry::new();
    let r = access::register(r);
    let r = ops::register(r);
    let r = place::register(r);
    let r = fabric::register(r);
    let r = routing::register(r);
    let r = mirror::register(r);
    let r = metal::register(r);
    catalog::register(r)
}
