//! A network together with the lengths that routes inside it may have: what registries and filters speak of.

use std::{fmt, str::FromStr};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Invalid;

/// Parts of a network whose length lies in `shortest..=longest`. Written as RFC 2622 section 2 does: `192.0.2.0/24` is the
/// network alone, `192.0.2.0/24^25-26` its parts of these lengths. Host bits are dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetRange {
    network: IpNet,
    shortest: u8,
    longest: u8,
}

impl NetRange {
    /// The network itself and no part of it.
    pub fn exact(network: IpNet) -> Self {
        Self { network: network.trunc(), shortest: network.prefix_len(), longest: network.prefix_len() }
    }
    /// Parts of the network whose length lies in `shortest..=longest`.
    ///
    /// # Errors
    /// When the lengths are not between the network's own and the family's longest, the lower one first.
    pub fn new(network: IpNet, shortest: u8, longest: u8) -> Result<Self, Invalid> {
        if network.prefix_len() <= shortest && shortest <= longest && longest <= network.max_prefix_len() {
            return Ok(Self { network: network.trunc(), shortest, longest });
        }
        let (low, high) = (network.prefix_len(), network.max_prefix_len());
        Err(Invalid::format("", format!("lengths between /{low} and /{high}, lower first")))
    }
    /// The network that covers the routes.
    pub const fn network(self) -> IpNet {
        self.network
    }
    /// The shortest length a route may have.
    pub const fn shortest(self) -> u8 {
        self.shortest
    }
    /// The longest length a route may have.
    pub const fn longest(self) -> u8 {
        self.longest
    }
    /// Whether it holds the network alone.
    pub fn is_exact(self) -> bool {
        self.shortest == self.network.prefix_len() && self.longest == self.shortest
    }
    /// Whether a route lies in it.
    pub fn holds(self, route: IpNet) -> bool {
        (self.shortest..=self.longest).contains(&route.prefix_len()) && self.network.contains(&route)
    }
    /// What lies in both; none when nothing does.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let network = if self.network.contains(&other.network) {
            other.network
        } else if other.network.contains(&self.network) {
            self.network
        } else {
            return None;
        };
        let shortest = self.shortest.max(other.shortest).max(network.prefix_len());
        Self::new(network, shortest, self.longest.min(other.longest)).ok()
    }
}

impl FromStr for NetRange {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::format("", "a network such as 192.0.2.0/24 or 192.0.2.0/24^25-26");
        let (network, lengths) = text.split_once('^').map_or((text, None), |(network, rest)| (network, Some(rest)));
        let network: IpNet = network.parse().map_err(|_| bad())?;
        let Some(lengths) = lengths else { return Ok(Self::exact(network)) };
        let (low, high) = lengths.split_once('-').unwrap_or((lengths, lengths));
        Self::new(network, low.parse().map_err(|_| bad())?, high.parse().map_err(|_| bad())?)
    }
}

impl fmt::Display for NetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.network, f)?;
        if self.is_exact() { Ok(()) } else { write!(f, "^{}-{}", self.shortest, self.longest) }
    }
}
impl fmt::Debug for NetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for NetRange {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for NetRange {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
impl JsonSchema for NetRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NetRange".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "A network with the lengths its parts may have, such as 192.0.2.0/24^25-26."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> NetRange {
        text.parse().unwrap()
    }

    #[test]
    fn the_text_form_is_read_back() {
        for text in ["192.0.2.0/24", "192.0.2.0/24^25-26", "2001:db8::/32^48-48", "10.0.0.0/8^8-24"] {
            assert_eq!(of(text).to_string(), text);
        }
        assert_eq!(of("192.0.2.7/24"), of("192.0.2.0/24"));
        for text in
            ["192.0.2.0", "192.0.2.0/24^23-24", "192.0.2.0/24^26-25", "192.0.2.0/24^24-33", "x/24", "192.0.2.0/24^"]
        {
            assert!(text.parse::<NetRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_holds_the_routes_of_its_lengths() {
        let range = of("10.0.0.0/8^16-24");
        for (route, holds) in
            [("10.1.0.0/16", true), ("10.0.0.0/8", false), ("10.1.2.0/25", false), ("11.0.0.0/16", false)]
        {
            assert_eq!(range.holds(route.parse().unwrap()), holds, "{route}");
        }
    }

    #[test]
    fn what_two_ranges_share_lies_in_the_smaller_network() {
        assert_eq!(of("10.0.0.0/8^8-24").and(of("10.1.0.0/16^16-32")), Some(of("10.1.0.0/16^16-24")));
        assert_eq!(of("10.1.0.0/16").and(of("10.0.0.0/8^8-24")), Some(of("10.1.0.0/16")));
        assert_eq!(of("10.0.0.0/8^8-12").and(of("10.1.0.0/16^16-24")), None);
        assert_eq!(of("10.0.0.0/16").and(of("10.1.0.0/16")), None);
    }
}
