//! A network that somebody does not want to be offered as a peer.

use meetme_base::{Invalid, Kind, Time};
use meetme_store::{Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Nothing, check};

/// A network, at an exchange, that is not offered as a peer: for good or for a while. It hangs in the book of whoever does not want
/// it, and names both by the public peering database's own numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HiddenPeer {
    /// The network's number in the public peering database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<i64>,
    /// The number of the exchange's peering network there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lan: Option<i64>,
    /// Until when it is hidden; for good when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
}

impl HiddenPeer {
    /// Whether it hides nothing any more.
    pub fn is_expired(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Resource for HiddenPeer {
    const KIND: Kind = Kind::new("hidden_peer");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("network", FieldType::Int, |s: &Self| s.network.into()).indexed(),
        Field::new("lan", FieldType::Int, |s: &Self| s.lan.into()).indexed(),
        Field::new("until", FieldType::Time, |s: &Self| s.until.into()),
        Field::new("comments", FieldType::Text, |s: &Self| s.comments.as_str().into()).searchable(),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "network", "lan"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        for (field, number) in [("network", self.network), ("lan", self.lan)] {
            number.map_or(Ok(()), |n| check::range(field, n, 1, i64::from(i32::MAX)))?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        let number = |n: Option<i64>| n.map_or("?".to_owned(), |n| n.to_string());
        format!("Network {} at {}", number(self.network), number(self.lan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_hidden_up_to_its_moment() {
        let hidden = HiddenPeer { until: Some(Time(10)), ..HiddenPeer::default() };
        assert!(!hidden.is_expired(Time(9)) && hidden.is_expired(Time(10)));
        assert!(!HiddenPeer::default().is_expired(Time(i64::MAX)));
    }
}
