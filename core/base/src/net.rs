//! Addresses as people write them.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// An address of an interface with the length of its network, such as `192.0.2.11/24`. The host bits are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IfAddr(pub IpNet);

impl IfAddr {
    /// The host's address.
    pub fn ip(self) -> IpAddr {
        self.0.addr()
    }
    /// The network the host is in.
    pub fn network(self) -> IpNet {
        self.0.trunc()
    }
    /// Whether the address is one a host may have: neither the network's own nor its broadcast address. IPv4 networks of
    /// length 31 and 32 (RFC 3021) and all IPv6 networks have no such reserved addresses.
    pub fn is_host(self) -> bool {
        match self.0 {
            IpNet::V4(n) if n.prefix_len() < 31 => n.addr() != n.network() && n.addr() != n.broadcast(),
            _ => true,
        }
    }
}

impl FromStr for IfAddr {
    type Err = Invalid;
    /// A bare address is taken with its full length.
    fn from_str(s: &str) -> Result<Self, Invalid> {
        if let Ok(ip) = s.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(ip)));
        }
        s.parse().map(Self).map_err(|_| Invalid::format("", "an IPv4 or IPv6 interface"))
    }
}

impl fmt::Display for IfAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for IfAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl JsonSchema for IfAddr {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IfAddr".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "An address with its network's length, such as 192.0.2.11/24."})
    }
}

/// An IEEE 802 48-bit address, shown as `02:00:5e:10:00:00`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

impl FromStr for MacAddr {
    type Err = Invalid;
    /// Reads `aa:bb:cc:dd:ee:ff`, `aa-bb-..`, `aabb.ccdd.eeff` and `aabbccddeeff`, in either case.
    fn from_str(s: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::format("", "a MAC address");
        let digits: String = s.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
        if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let n = u64::from_str_radix(&digits, 16).map_err(|_| bad())?;
        let b = n.to_be_bytes();
        Ok(Self([b[2], b[3], b[4], b[5], b[6], b[7]]))
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.0;
        write!(f, "{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4], b[5])
    }
}
impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for MacAddr {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
impl JsonSchema for MacAddr {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MacAddr".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_address_keeps_its_host_bits() {
        let a: IfAddr = "192.0.2.11/24".parse().unwrap();
        assert_eq!((a.to_string().as_str(), a.network().to_string().as_str()), ("192.0.2.11/24", "192.0.2.0/24"));
        assert!(!"192.0.2.0/24".parse::<IfAddr>().unwrap().is_host());
        assert!("192.0.2.0/31".parse::<IfAddr>().unwrap().is_host());
    }

    #[test]
    fn a_mac_address_is_read_in_every_usual_spelling() {
        let want = "02:00:5e:10:00:0a".parse::<MacAddr>().unwrap();
        for s in ["02-00-5E-10-00-0A", "0200.5e10.000a", "02005e10000a"] {
            assert_eq!(s.parse(), Ok(want), "{s}");
        }
        assert!("02:00:5e:10:00".parse::<MacAddr>().is_err());
    }
}
