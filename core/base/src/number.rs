//! Numbers of the trade, each valid by construction.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Invalid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($int:ty), $low:expr, $high:expr, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name($int);

        impl $name {
            /// The smallest value.
            pub const MIN: $name = $name($low);
            /// The largest value.
            pub const MAX: $name = $name($high);
            /// The plain number.
            pub const fn get(self) -> $int {
                self.0
            }
        }
        impl TryFrom<i64> for $name {
            type Error = Invalid;
            fn try_from(n: i64) -> Result<Self, Invalid> {
                match <$int>::try_from(n) {
                    Ok(n) if ($low..=$high).contains(&n) => Ok(Self(n)),
                    _ => Err(Invalid::range($field, $low, $high)),
                }
            }
        }
        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(s: &str) -> Result<Self, Invalid> {
                s.parse::<i64>().map_err(|_| Invalid::format($field, "a whole number")).and_then(Self::try_from)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::try_from(i64::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "integer", "minimum": $low, "maximum": $high as i64})
            }
        }
    };
}

number! {
    /// An autonomous system number, 1..=4294967295 (RFC 6793). 0 is reserved (RFC 7607) and never a value here.
    Asn(u32), 1, u32::MAX, "asn"
}
number! {
    /// An IEEE 802.1Q VLAN identifier, 1..=4094; 0 and 4095 are reserved by the standard.
    VlanId(u16), 1, 4094, "vlan"
}
number! {
    /// A rate in megabits per second, 1..=400000.
    Mbps(u32), 1, 400_000, "rate"
}

impl Asn {
    /// Whether the number is set aside for private use (RFC 6996).
    pub const fn is_private(self) -> bool {
        (self.0 >= 64512 && self.0 <= 65534) || (self.0 >= 4_200_000_000 && self.0 <= 4_294_967_294)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_cannot_be_made() {
        assert!(VlanId::try_from(0).is_err() && VlanId::try_from(4095).is_err() && VlanId::try_from(4094).is_ok());
        assert!(
            Asn::try_from(0).is_err() && Asn::try_from(4_294_967_296).is_err() && Asn::try_from(4_294_967_295).is_ok()
        );
        assert_eq!(
            serde_json::from_str::<Asn>("-1").map_err(|e| e.to_string()).unwrap_err(),
            "asn: Must be between 1 and 4294967295."
        );
    }
}
