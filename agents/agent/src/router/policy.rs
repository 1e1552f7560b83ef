//! Routing policies in a form that every daemon's language can say.

use meetme_base::{Asn, Invalid, IpNet};
use serde::{Deserialize, Deserializer, Serialize};

use super::{AsnRange, Community};

/// What happens to a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It passes.
    Accept,
    /// It does not pass.
    #[default]
    Reject,
}

/// Ordered terms: the first that matches a route decides about it. The default policy rejects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The terms, first to last.
    pub terms: Vec<Term>,
    /// What happens to a route that no term matches.
    pub otherwise: Verdict,
    /// What is changed on every route that passes, after the changes of its term.
    pub changes: Changes,
}

impl Policy {
    /// Lets every route pass unchanged.
    pub fn accept_all() -> Self {
        Self { otherwise: Verdict::Accept, ..Self::default() }
    }
    /// Lets no route pass.
    pub fn reject_all() -> Self {
        Self::default()
    }
}

/// One term of a policy. It matches a route that meets all its conditions; an empty condition is met by every route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Term {
    /// The route's prefix lies in one of these. Those of the other address family match nothing; a list of only such
    /// makes the whole term match nothing.
    pub prefixes: Vec<PrefixRange>,
    /// The route's AS path meets all of these.
    pub as_path: Vec<AsPath>,
    /// The route carries at least one of these.
    pub communities: Vec<Community>,
    /// Where the router has the route from.
    pub source: Option<RouteSource>,
    /// What happens to a matching route.
    pub then: Verdict,
    /// What is changed on a matching route that passes.
    pub changes: Changes,
}

/// Where a router has a route from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteSource {
    /// The router announces it itself.
    Originated,
    /// A BGP peer told it.
    Learned,
}

/// A condition on an AS path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsPath {
    /// The neighbouring AS, leftmost in the path, is one of these.
    First(Vec<Asn>),
    /// The originating AS, rightmost in the path, is one of these.
    Origin(Vec<Asn>),
    /// One of these is anywhere in the path.
    Contains(Vec<Asn>),
    /// A number in one of these ranges is anywhere in the path.
    Within(Vec<AsnRange>),
    /// The path has more hops than this.
    LongerThan(u16),
}

/// A network and the lengths its parts may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PrefixRange {
    /// The network that covers the route.
    network: IpNet,
    shortest: u8,
    longest: u8,
}

impl PrefixRange {
    /// The network itself and no part of it.
    pub fn exact(network: IpNet) -> Self {
        Self { network: network.trunc(), shortest: network.prefix_len(), longest: network.prefix_len() }
    }
    /// Parts of the network whose length lies in `shortest..=longest`.
    pub fn new(network: IpNet, shortest: u8, longest: u8) -> Result<Self, Invalid> {
        if network.prefix_len() <= shortest && shortest <= longest && longest <= network.max_prefix_len() {
            Ok(Self { network: network.trunc(), shortest, longest })
        } else {
            Err(Invalid::format(
                "prefixes",
                format!("lengths between /{} and /{}, lower first", network.prefix_len(), network.max_prefix_len()),
            ))
        }
    }
    /// The network that covers the route.
    pub const fn network(&self) -> IpNet {
        self.network
    }
    /// The shortest length a route may have.
    pub const fn shortest(&self) -> u8 {
        self.shortest
    }
    /// The longest length a route may have.
    pub const fn longest(&self) -> u8 {
        self.longest
    }
}

impl<'de> Deserialize<'de> for PrefixRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            network: IpNet,
            shortest: u8,
            longest: u8,
        }
        let raw = Raw::deserialize(deserializer)?;
        Self::new(raw.network, raw.shortest, raw.longest).map_err(serde::de::Error::custom)
    }
}

/// What is changed on a route that passes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// Communities it gains.
    pub communities: Vec<Community>,
    /// The preference among routes inside our AS.
    pub local_preference: Option<u32>,
    /// The multi-exit discriminator.
    pub med: Option<u32>,
    /// How many times our AS is put before the path; of use in an export policy only.
    pub prepend: u8,
}
