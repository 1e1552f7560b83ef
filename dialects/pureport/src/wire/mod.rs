//! The shapes of requests and answers. Every member is optional when it is read, for clients send explicit nulls and leave out what
//! they do not know; what has no value is left out when it is written.

mod account;
mod catalogue;
mod connection;
mod gateway;
mod network;

pub use account::{Account, ApiKey, Member, Role};
pub use catalogue::{BillingPlan, CloudRegion, Facility, Geo, Location, LocationLink, PhysicalAddress, Supported};
pub use connection::{Bfd, BgpPasswords, Connection, CustomerNetwork, Nat, NatMapping, Peering, Speed};
pub use gateway::{BgpConfig, Gateway};
pub use network::Network;

use std::collections::BTreeMap;

use meetme_model::Labels;
use serde::{Deserialize, Serialize};

/// A link to another object. In requests only the path may be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// The path.
    pub href: String,
    /// The id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Link {
    /// The id that is meant: the last segment of the path, else the id.
    pub fn target(&self) -> &str {
        let last = self.href.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if last.is_empty() { self.id.as_deref().unwrap_or_default() } else { last }
    }
}

/// Tags: names and values.
pub type Tags = BTreeMap<String, Option<String>>;

/// Tags as the core keeps them.
pub fn labels(tags: Tags) -> Labels {
    tags.into_iter().map(|(name, value)| (name, value.unwrap_or_default().into())).collect()
}

/// Tags as they are written.
pub fn tags(labels: &Labels) -> Tags {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    labels.iter().map(|(name, value)| (name.clone(), Some(text(value)))).collect()
}
