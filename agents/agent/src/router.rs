//! The family of routers and route servers that speak BGP: what is wanted of one, what is seen of it, and the change.
//!
//! Rule: a session exchanges nothing that its policies do not accept (RFC 8212). The default of a policy is to reject.

mod community;
mod numbers;
mod policy;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use meetme_base::{Asn, Invalid, IpNet, Time};
use serde::{Deserialize, Deserializer, Serialize};

pub use community::{Community, Extended, Validation};
pub use numbers::AsnRange;
pub use policy::{AsPath, Changes, Policy, PrefixRange, RouteSource, Term, Verdict};

use crate::{Family, WireSecret};

/// Routers and route servers that speak BGP.
#[derive(Clone, Copy, Debug)]
pub enum Router {}

impl Family for Router {
    type Desired = Desired;
    type Observed = Observed;
    type Plan = Plan;
    const NAME: &'static str = "router";
}

/// Everything one router should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// The name people call the router by; it appears in the configuration.
    pub name: String,
    /// The BGP identifier.
    pub router_id: Ipv4Addr,
    /// The router's own autonomous system.
    pub asn: Asn,
    /// Networks the router itself announces where an export policy lets them pass. Host bits are ignored.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Whether learned routes are given to the machine's own forwarding table. A route server does not.
    #[serde(default)]
    pub forwards: bool,
    /// The sessions, in the order in which they are to appear.
    #[serde(default)]
    pub sessions: Vec<BgpSession>,
    /// How fast sessions come up and go down; absent values are the daemon's own.
    #[serde(default)]
    pub timers: Timers,
    /// The file on the box that the daemon writes its log to; the system's log when absent.
    #[serde(default)]
    pub log_file: Option<String>,
    /// A whole configuration in the daemon's own language, which replaces everything that would be generated.
    #[serde(default)]
    pub custom_text: Option<WireSecret>,
}

impl Desired {
    /// A router that announces nothing and has no session.
    pub fn new(name: impl Into<String>, router_id: Ipv4Addr, asn: Asn) -> Self {
        Self {
            name: name.into(),
            router_id,
            asn,
            networks: Vec::new(),
            forwards: false,
            sessions: Vec::new(),
            timers: Timers::default(),
            log_file: None,
            custom_text: None,
        }
    }
}

/// How fast sessions come up and go down, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// How long silence lasts before the peer is taken for dead.
    pub hold: Option<u16>,
    /// How long a new session waits before its first attempt.
    pub connect_delay: Option<u16>,
    /// How long after a failed attempt the next is made.
    pub connect_retry: Option<u16>,
    /// The shortest and the longest pause after an error.
    pub error_wait: Option<(u16, u16)>,
}

/// The name of a session that stays the same for its whole life, such as `s123`: 1 to 40 of `a-z`, `0-9` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionKey(String);

impl SessionKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionKey {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if is_plain && (1..=40).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::format("key", "1 to 40 of a-z, 0-9 and _"))
        }
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SessionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One BGP session as it should be. Its family is that of the peer's address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BgpSession {
    /// The session's name on the box and in observations.
    pub key: SessionKey,
    /// Words for people who read the configuration.
    #[serde(default)]
    pub description: String,
    /// Whether the session is to be up; a disabled one stays configured.
    pub enabled: bool,
    /// The address the session leaves from; the daemon's choice when absent.
    #[serde(default)]
    pub local_address: Option<IpAddr>,
    /// Our autonomous system towards this peer.
    pub local_asn: Asn,
    /// The peer's address.
    pub peer_address: IpAddr,
    /// The peer's autonomous system.
    pub peer_asn: Asn,
    /// The TCP MD5 password.
    #[serde(default)]
    pub password: Option<WireSecret>,
    /// How many hops away the peer may be; 1 is a directly connected one.
    pub ttl: u8,
    /// Whether packets that came from farther away than `ttl` hops are thrown away (RFC 5082). The peer must do the same: it is
    /// held to packets that leave with the highest number of hops.
    #[serde(default, skip_serializing_if = "is_false")]
    pub gtsm: bool,
    /// What we are to the peer (RFC 9234); none where the peers do not tell each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether a peer that says no role is refused (RFC 9234, section 4.2). Means nothing without a role of ours.
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict_role: bool,
    /// How the path to the peer is watched (RFC 5880); none where only silence tells that it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd: Option<Bfd>,
    /// Whether only the peer opens the connection.
    #[serde(default)]
    pub passive: bool,
    /// How many prefixes the peer may send, counted before the import policy; the session is restarted beyond it.
    #[serde(default)]
    pub max_prefixes: Option<u32>,
    /// What is taken from the peer.
    #[serde(default)]
    pub import: Policy,
    /// What is told to the peer.
    #[serde(default)]
    pub export: Policy,
    /// Added to every route of the session, in both directions.
    #[serde(default)]
    pub communities: Vec<Community>,
    /// Whether the peer is a client of this route server (RFC 7947): our AS and next hop stay out of what it is told.
    #[serde(default)]
    pub route_server_client: bool,
    /// Whether traffic is to leave the session before it is shut (RFC 8326).
    #[serde(default)]
    pub graceful_shutdown: bool,
}

impl BgpSession {
    /// An enabled session to a directly connected peer that exchanges nothing yet.
    pub fn new(key: SessionKey, local_asn: Asn, peer_address: IpAddr, peer_asn: Asn) -> Self {
        Self {
            key,
            description: String::new(),
            enabled: true,
            local_address: None,
            local_asn,
            peer_address,
            peer_asn,
            password: None,
            ttl: 1,
            gtsm: false,
            role: None,
            strict_role: false,
            bfd: None,
            passive: false,
            max_prefixes: None,
            import: Policy::default(),
            export: Policy::default(),
            communities: Vec::new(),
            route_server_client: false,
            graceful_shutdown: false,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What we are to a peer in another AS (RFC 9234, section 3.1). Peers whose roles do not fit refuse the session, and routes carry
/// the mark by which a leak is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The peer buys transit of us.
    Provider,
    /// We are the route server of an exchange, the peer is one of its members.
    RouteServer,
    /// The peer is the route server of an exchange.
    RouteServerClient,
    /// We buy transit of the peer.
    Customer,
    /// Neither of us pays the other.
    Peer,
}

/// How a path is watched by bidirectional forwarding detection (RFC 5880).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bfd {
    /// The least interval between packets we send, in milliseconds.
    pub tx_ms: u32,
    /// The least interval between packets we are ready to take, in milliseconds.
    pub rx_ms: u32,
    /// After how many lost packets the path counts as down.
    pub multiplier: u8,
}

impl BgpSession {
    /// Whether both ends are in one AS.
    pub fn is_internal(&self) -> bool {
        self.local_asn == self.peer_asn
    }
}

/// Everything one router was seen to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The daemon's name and version in its own words, such as `BIRD 2.0.12`.
    pub version: String,
    /// The configuration as the box keeps it. It holds passwords, hence the wrapping.
    pub config: WireSecret,
    /// SHA-256 of `config`, in lower-case hexadecimal.
    pub config_sha256: String,
    /// The mark of the generated text that the daemon says it runs; none when it runs something else than what the box
    /// keeps, or a text that never had a mark.
    pub running: Option<String>,
    /// The BGP sessions, ours and any other.
    pub sessions: Vec<SessionState>,
}

/// One BGP session as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionState {
    /// The key of the wanted session it is; none for one that was configured by somebody else.
    pub key: Option<SessionKey>,
    /// The peer's address; none when a box with very many sessions left it out of one it does not have from us.
    pub peer_address: Option<IpAddr>,
    /// The peer's autonomous system; none for the same reason.
    pub peer_asn: Option<Asn>,
    /// Whether the box means the session to be up. False for a session that was disabled, by us or by hand.
    pub enabled: bool,
    /// Where the session stands.
    pub state: BgpState,
    /// Prefixes the peer sends, including those the import policy rejects. None when not counted in this pass.
    pub received: Option<u32>,
    /// Prefixes that passed the import policy.
    pub accepted: Option<u32>,
    /// Prefixes told to the peer.
    pub advertised: Option<u32>,
    /// When the session entered its present state.
    pub since: Option<Time>,
    /// How the path to the peer is, where it is watched (RFC 5880); none where it is not, or the box does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd: Option<BfdState>,
    /// What went wrong last, in the daemon's words.
    pub last_error: Option<String>,
}

/// Where a session of bidirectional forwarding detection stands (RFC 5880, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BfdState {
    /// Held down by one of the ends: it says nothing of the path.
    AdminDown,
    /// Nothing is heard of the peer, or it hears nothing of us.
    Down,
    /// The peer is heard and does not say yet that it hears us.
    Init,
    /// Each end hears the other.
    Up,
}

/// The states of RFC 4271, section 8.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BgpState {
    /// Nothing is attempted.
    Idle,
    /// A connection is being opened.
    Connect,
    /// Waiting for the peer, or for the next attempt.
    Active,
    /// The first message is sent.
    OpenSent,
    /// The peer's first message is accepted.
    OpenConfirm,
    /// Routes are exchanged.
    Established,
}

/// The exact change to one router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The configuration as the box keeps it.
    pub before: WireSecret,
    /// The configuration as it will be.
    pub after: WireSecret,
    /// The unified difference, with secrets masked: this is what users are shown.
    pub diff: String,
    /// What is to change beside the text, one sentence each: the running state was altered by hand.
    pub notes: Vec<String>,
    /// Whether anything is to change.
    pub is_change: bool,
}
