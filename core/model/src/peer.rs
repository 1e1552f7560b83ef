//! What every BGP session has, whether it crosses an exchange or a direct link.

use meetme_base::{Asn, Id, Invalid, Sealed, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check,
    routing::{Bfd, Community, Policy},
};

/// A person's on/off wish about routing: of sessions, routers, links, groups and exchanges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Admin {
    /// Asked for, not yet agreed.
    Requested,
    /// Being prepared.
    Provisioning,
    /// In service.
    #[default]
    Enabled,
    /// Maintenance is about to begin.
    PreMaintenance,
    /// In maintenance: up, but traffic is drained.
    Maintenance,
    /// Maintenance has ended, traffic comes back.
    PostMaintenance,
    /// Switched off.
    Disabled,
    /// Being taken out.
    Decommissioning,
    /// Taken out.
    Decommissioned,
}

impl Admin {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &[
        "requested",
        "provisioning",
        "enabled",
        "pre-maintenance",
        "maintenance",
        "post-maintenance",
        "disabled",
        "decommissioning",
        "decommissioned",
    ];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
    /// Whether a router should know of the thing at all.
    pub const fn is_configured(self) -> bool {
        !matches!(self, Self::Requested | Self::Provisioning | Self::Decommissioning | Self::Decommissioned)
    }
}

/// The state of a BGP session's finite state machine (RFC 4271 section 8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are RFC 4271's")]
pub enum BgpState {
    Idle,
    Connect,
    Active,
    OpenSent,
    OpenConfirm,
    Established,
}

impl BgpState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["idle", "connect", "active", "opensent", "openconfirm", "established"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// The state of a session of bidirectional forwarding detection (RFC 5880 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are RFC 5880's")]
pub enum BfdState {
    AdminDown,
    Down,
    Init,
    Up,
}

/// The wish about a BGP session: part of a session's spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Peer {
    /// On or off.
    pub admin: Admin,
    /// The peer's AS number.
    pub asn: Asn,
    /// The peer's, or our, own reference for the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The TCP MD5 password (RFC 2385).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// The password in the spelling of its router's platform, for configurations that show no clear one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<Sealed>,
    /// The time to live of our packets: 1 for a direct neighbour, more for multihop.
    pub ttl: u8,
    /// Whether we wait for the peer to connect.
    pub passive: bool,
    /// Policies on what we accept, most important first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub import: Vec<Id<Policy>>,
    /// Policies on what we announce, most important first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub export: Vec<Id<Policy>>,
    /// Communities for this session.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<Id<Community>>,
    /// The most IPv4 prefixes accepted; the AS's own number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max4: Option<u32>,
    /// The most IPv6 prefixes accepted; the AS's own number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max6: Option<u32>,
    /// Bidirectional forwarding detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bfd: Option<Id<Bfd>>,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Data for templates, merged over everything inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            admin: Admin::Enabled,
            asn: Asn::MAX,
            reference: None,
            password: None,
            encrypted: None,
            ttl: 1,
            passive: false,
            import: Vec::new(),
            export: Vec::new(),
            communities: Vec::new(),
            max4: None,
            max6: None,
            bfd: None,
            description: None,
            comments: String::new(),
            context: None,
        }
    }
}

impl Peer {
    /// Whether the values are good in themselves.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), Invalid> {
        check::range("peer.ttl", self.ttl, 1, 255)?;
        check::length("peer.reference", self.reference.as_deref().unwrap_or_default(), 255)?;
        check::length("peer.description", self.description.as_deref().unwrap_or_default(), 200)
    }
}

/// What was seen of a BGP session: the whole status of both kinds of session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PeerStatus {
    /// The state; absent until somebody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BgpState>,
    /// Prefixes received.
    pub received: u32,
    /// Prefixes accepted.
    pub accepted: u32,
    /// Prefixes announced.
    pub advertised: u32,
    /// When it was last seen established.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_up: Option<Time>,
    /// Since when it is in its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When somebody last looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polled_at: Option<Time>,
    /// How the path to the peer is, where it is watched by bidirectional forwarding detection; absent where it is not, or the
    /// equipment does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bfd: Option<BfdState>,
    /// The peer's or the equipment's last complaint, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// How often it went down after having been established.
    pub flaps: u32,
    /// What validated ROAs say of the prefixes that the registries name for the peer; where its policies ask for both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origins: Option<Origins>,
    /// What of its history was kept last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// How many of a peer's registered prefixes could come from a number of its own, by validated ROAs (RFC 6811).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Origins {
    /// Prefixes that one of its numbers may originate.
    pub valid: u32,
    /// Prefixes that none of its numbers may originate.
    pub invalid: u32,
    /// Prefixes of which no ROA speaks.
    pub unknown: u32,
}

/// What was kept last of a session's history: what comes next is compared with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Kept {
    /// When its counts were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Prefixes received then.
    pub received: u32,
    /// Prefixes accepted then.
    pub accepted: u32,
    /// Prefixes announced then.
    pub advertised: u32,
    /// The hour, since 1970, of its last change of state.
    pub hour: i64,
    /// How many changes of state were kept of that hour.
    pub changes: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_are_stored() {
        for word in Admin::WORDS {
            assert_eq!(Admin::parse(word).map(Admin::word), Some(*word));
        }
        for word in BgpState::WORDS {
            assert_eq!(BgpState::parse(word).map(BgpState::word), Some(*word));
        }
    }
}
