//! The models, one file each, and what several of them share. A new model is a new file and its line in [`ALL`].

pub mod autonomous_system;
pub mod bfd;
pub mod bgp_group;
pub mod community;
pub mod config_context;
pub mod config_context_assignment;
pub mod configuration;
pub mod connection;
pub mod contact;
pub mod contact_assignment;
pub mod contact_role;
pub mod content_type;
pub mod data_file;
pub mod data_source;
pub mod direct_session;
pub mod email;
pub mod exchange;
pub mod exchange_session;
pub mod export_template;
mod fields;
pub mod group;
pub mod ix_api;
pub mod job;
pub mod journal;
pub mod peering_request;
pub mod peeringdb;
pub mod platform;
pub mod relationship;
pub mod requested_session;
pub mod router;
pub mod routing_policy;
pub mod session;
pub mod tag;
pub mod token;
pub mod user;
pub mod webhook;

use meetme_app::contexts;
use meetme_base::{Id, IfAddr, RawId};
use meetme_model::Admin;
use serde_json::Value as Json;

use crate::{engine::AnyModel, json, model::Words, scene::Loaded};

/// Every model.
pub static ALL: &[&dyn AnyModel] = &[
    &community::MODEL,
    &relationship::MODEL,
    &configuration::MODEL,
    &platform::MODEL,
    &router::MODEL,
    &tag::MODEL,
    &bfd::MODEL,
    &connection::MODEL,
    &autonomous_system::MODEL,
    &bgp_group::MODEL,
    &direct_session::MODEL,
    &exchange::MODEL,
    &exchange_session::MODEL,
    &routing_policy::MODEL,
    &user::MODEL,
    &data_source::MODEL,
    &data_file::MODEL,
    &webhook::MODEL,
    &group::MODEL,
    &token::MODEL,
    &job::MODEL,
    &peering_request::MODEL,
    &requested_session::MODEL,
    &contact::MODEL,
    &contact_role::MODEL,
    &contact_assignment::MODEL,
    &email::MODEL,
    &config_context::MODEL,
    &config_context_assignment::MODEL,
    &export_template::MODEL,
    &ix_api::MODEL,
    &journal::MODEL,
    &peeringdb::organization::MODEL,
    &peeringdb::campus::MODEL,
    &peeringdb::facility::MODEL,
    &peeringdb::network::MODEL,
    &peeringdb::network_contact::MODEL,
    &peeringdb::exchange::MODEL,
    &peeringdb::exchange_facility::MODEL,
    &peeringdb::ixlan::MODEL,
    &peeringdb::ixlan_prefix::MODEL,
    &peeringdb::network_facility::MODEL,
    &peeringdb::network_ixlan::MODEL,
    &peeringdb::synchronisation::MODEL,
    &peeringdb::hidden_peer::MODEL,
];

/// How something that was asked for was answered, in this dialect's words.
pub const fn named_state(state: meetme_model::routing::RequestState) -> Option<&'static str> {
    Some(state.word())
}

/// The model of that name.
pub fn named(name: &str) -> Option<&'static dyn AnyModel> {
    ALL.iter().copied().find(|model| model.about().name == name)
}

/// The states of what is in service or in maintenance.
pub const SERVICE: Words = &[
    ("enabled", "Enabled"),
    ("pre-maintenance", "Pre-maintenance"),
    ("maintenance", "Maintenance"),
    ("post-maintenance", "Post-maintenance"),
    ("disabled", "Disabled"),
];

/// The same for filters, where the core's words are the wire's.
pub const SERVICE_FILTER: Words = &[
    ("enabled", "enabled"),
    ("pre-maintenance", "pre-maintenance"),
    ("maintenance", "maintenance"),
    ("post-maintenance", "post-maintenance"),
    ("disabled", "disabled"),
];

/// A wish from a word that was checked to be one.
fn admin(word: Option<&str>) -> Admin {
    word.and_then(Admin::parse).unwrap_or_default()
}

/// A text that is not empty.
fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn raw<T>(ids: &[Id<T>]) -> Vec<RawId> {
    ids.iter().map(|id| id.any()).collect()
}

fn typed<T>(ids: Vec<RawId>) -> Vec<Id<T>> {
    ids.into_iter().map(RawId::of).collect()
}

/// A number that was checked to be in its range.
fn number<N: TryFrom<i64> + Default>(value: Option<i64>) -> N {
    value.and_then(|n| N::try_from(n).ok()).unwrap_or_default()
}

/// An address of an interface.
fn interface(text: &str) -> Result<IfAddr, String> {
    text.trim().parse().map_err(|_| format!("'{text}' does not appear to be an IPv4 or IPv6 interface"))
}

/// What a row's data for templates comes to with everything that is assigned to it: null when there is none.
fn context(id: RawId, own: Option<&Json>, loaded: &Loaded, out: &mut Vec<u8>) {
    let Some(assigned) = loaded.contexts.get(&id) else {
        return match own.filter(|value| value.as_object().is_some_and(|map| !map.is_empty())) {
            Some(value) => json::value(out, value),
            None => json::null(out),
        };
    };
    match contexts::whole(Some(assigned), own) {
        Some(value) => json::value(out, &value),
        None => json::null(out),
    }
}
