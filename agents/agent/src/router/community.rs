//! Marks on routes.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use meetme_base::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A BGP community: standard `a:b` (RFC 1997), large `a:b:c` (RFC 8092), or one of the extended ones that have a meaning on
/// sessions that carry routes of the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Community {
    /// Two numbers of 16 bits.
    Standard(u16, u16),
    /// Three numbers of 32 bits.
    Large(u32, u32, u32),
    /// Eight octets, of which the first two say what it is about (RFC 4360).
    Extended(Extended),
}

/// An extended community, in the order of its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extended {
    /// A route target, or a route origin (`true`), of an AS with a number of 16 bits (RFC 4360, section 3.1).
    Narrow(bool, u16, u32),
    /// The same, of an address (RFC 4360, section 3.2).
    Address(bool, Ipv4Addr, u16),
    /// The same, of an AS with a number of 32 bits (RFC 5668).
    Wide(bool, u32, u16),
    /// What validated ROAs said of the route's origin, told inside one AS only (RFC 8097).
    Validation(Validation),
}

/// What validated ROAs say of an origin (RFC 6811).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Validation {
    /// One of them allows it.
    Valid,
    /// None speaks of the prefix.
    NotFound,
    /// Some speak of the prefix, and none allows it.
    Invalid,
}

impl Validation {
    /// The word: `valid`, `not-found` or `invalid`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotFound => "not-found",
            Self::Invalid => "invalid",
        }
    }
}

impl Extended {
    /// The short name that routers have for its kind: `rt` or `ro`; none for a state of validation.
    pub const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Narrow(is_origin, ..) | Self::Address(is_origin, ..) | Self::Wide(is_origin, ..) => {
                Some(if is_origin { "ro" } else { "rt" })
            }
            Self::Validation(_) => None,
        }
    }

    /// What follows the kind: the administrator and its number, such as `64500:1`.
    pub fn value(self) -> String {
        match self {
            Self::Narrow(_, administrator, number) => format!("{administrator}:{number}"),
            Self::Address(_, administrator, number) => format!("{administrator}:{number}"),
            Self::Wide(_, administrator, number) => format!("{administrator}:{number}"),
            Self::Validation(state) => state.word().to_owned(),
        }
    }

    /// The eight octets, the first four and the last four.
    pub fn octets(self) -> (u32, u32) {
        let sub = |is_origin: bool| if is_origin { 0x03_u32 } else { 0x02 };
        match self {
            Self::Narrow(o, administrator, number) => (sub(o) << 16 | u32::from(administrator), number),
            Self::Address(o, administrator, number) => {
                let address = u32::from(administrator);
                (0x0100_0000 | sub(o) << 16 | address >> 16, address << 16 | u32::from(number))
            }
            Self::Wide(o, administrator, number) => {
                (0x0200_0000 | sub(o) << 16 | administrator >> 16, administrator << 16 | u32::from(number))
            }
            Self::Validation(state) => (0x4300_0000, state as u32),
        }
    }
}

impl Community {
    /// Asks neighbours to move traffic elsewhere (RFC 8326).
    pub const GRACEFUL_SHUTDOWN: Self = Self::Standard(65535, 0);
}

impl FromStr for Community {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || {
            Invalid::format(
                "communities",
                "a community such as 64500:1, 64500:1:2, target:64500:1, origin:192.0.2.1:1 or validation:valid",
            )
        };
        let parts: Vec<&str> = text.split(':').collect();
        let found = match parts[..] {
            [kind @ ("target" | "origin"), administrator, local] => extended(kind == "origin", administrator, local),
            ["validation", state] => [Validation::Valid, Validation::NotFound, Validation::Invalid]
                .into_iter()
                .find(|known| known.word() == state)
                .map(Extended::Validation),
            _ => None,
        };
        if let Some(found) = found {
            return Ok(Self::Extended(found));
        }
        let numbers = parts.iter().map(|part| number(part)).collect::<Option<Vec<u32>>>().ok_or_else(bad)?;
        match numbers[..] {
            [a, b] => match (u16::try_from(a), u16::try_from(b)) {
                (Ok(a), Ok(b)) => Ok(Self::Standard(a, b)),
                _ => Err(bad()),
            },
            [a, b, c] => Ok(Self::Large(a, b, c)),
            _ => Err(bad()),
        }
    }
}

fn extended(is_origin: bool, administrator: &str, local: &str) -> Option<Extended> {
    let local = number(local)?;
    if let Ok(address) = administrator.parse::<Ipv4Addr>() {
        return Some(Extended::Address(is_origin, address, u16::try_from(local).ok()?));
    }
    let administrator = number(administrator)?;
    match u16::try_from(administrator) {
        Ok(administrator) => Some(Extended::Narrow(is_origin, administrator, local)),
        Err(_) => Some(Extended::Wide(is_origin, administrator, u16::try_from(local).ok()?)),
    }
}

/// A number of 32 bits. `u32::from_str` takes a leading plus sign, the notation does not.
fn number(part: &str) -> Option<u32> {
    part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(a, b) => write!(f, "{a}:{b}"),
            Self::Large(a, b, c) => write!(f, "{a}:{b}:{c}"),
            Self::Extended(extended) => {
                let kind = match extended.kind() {
                    None => "validation",
                    Some("ro") => "origin",
                    Some(_) => "target",
                };
                write!(f, "{kind}:{}", extended.value())
            }
        }
    }
}

impl Serialize for Community {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Community {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn communities_read_back_what_they_write_and_nothing_else() {
        for good in [
            "0:0",
            "65535:65535",
            "4294967295:0:1",
            "target:64500:4294967295",
            "origin:4200000000:65535",
            "target:192.0.2.1:10",
            "validation:not-found",
        ] {
            assert_eq!(good.parse::<Community>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "1",
            "65536:1",
            "1:2:4294967296",
            "1:2:3:4",
            "+1:2",
            "1: 2",
            "a:b",
            "1:",
            "target:65536:65536",
            "origin:192.0.2.1:65536",
            "target:192.0.2:1",
            "validation:maybe",
            "colour:1:2",
        ] {
            assert!(bad.parse::<Community>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn extended_communities_sort_as_their_octets_do() {
        let of = |text: &str| match text.parse().unwrap() {
            Community::Extended(extended) => extended,
            other => panic!("{other}"),
        };
        let sorted = [
            ("target:64500:7", 0x0002_fbf4, 7),
            ("origin:1:2", 0x0003_0001, 2),
            ("target:192.0.2.1:5", 0x0102_c000, 0x0201_0005),
            ("target:4200000000:1", 0x0202_fa56, 0xea00_0001),
            ("validation:invalid", 0x4300_0000, 2),
        ];
        for (text, first, last) in sorted {
            assert_eq!(of(text).octets(), (first, last), "{text}");
        }
        assert!(
            sorted
                .windows(2)
                .all(|pair| of(pair[0].0) < of(pair[1].0) && of(pair[0].0).octets() < of(pair[1].0).octets())
        );
    }
}
