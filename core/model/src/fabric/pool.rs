//! What the operator hands out: stretches of numbers, or networks of addresses, for a purpose and perhaps a place. Who has
//! what is a claim; this is only the supply.

use meetme_base::{Asn, Id, Invalid, IpNet, Kind, RawId, VlanId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    fabric::{Block, LARGEST_VNI, Port, check_network},
    place::{Metro, Site},
};

/// A supply of numbers or addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pool {
    /// What is in it.
    pub what: PoolOf,
    /// What it is handed out for: a fixed word of the operation that takes from it.
    #[serde(default)]
    pub purpose: String,
    /// Where it is for: a metro, a site or a port; everywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<RawId>,
    /// The block its networks are part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Id<Block>>,
    /// The numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Stretch>,
    /// The networks, when there are addresses in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub networks: Vec<IpNet>,
    /// For how many seconds what was given back is not handed out again.
    #[serde(default)]
    pub rest_seconds: u32,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Numbers from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

/// What a pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolOf {
    /// Addresses and networks.
    Addresses,
    /// VLANs.
    Vlans,
    /// AS numbers.
    Asns,
    /// Numbers of virtual networks.
    Vnis,
    /// Units of capacity, such as a port's speed in steps.
    Units,
}

impl PoolOf {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["addresses", "vlans", "asns", "vnis", "units"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// The smallest and the largest number there can be.
    const fn bounds(self) -> (i64, i64) {
        match self {
            Self::Vlans => (VlanId::MIN.get() as i64, VlanId::MAX.get() as i64),
            Self::Asns => (Asn::MIN.get() as i64, Asn::MAX.get() as i64),
            Self::Vnis => (1, LARGEST_VNI),
            // Ids and counts stay below 2^53, so that every JSON client can hold them.
            Self::Addresses | Self::Units => (0, 1 << 53),
        }
    }
}

impl Pool {
    /// An empty pool for everywhere.
    pub fn new(what: PoolOf, purpose: impl Into<String>) -> Self {
        Self {
            what,
            purpose: purpose.into(),
            at: None,
            from: None,
            numbers: Vec::new(),
            networks: Vec::new(),
            rest_seconds: 0,
            description: None,
        }
    }
}

impl Resource for Pool {
    const KIND: Kind = Kind::new("pool");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("what", FieldType::Text, |s: &Self| s.what.word().into()).words(PoolOf::WORDS),
        Field::new("purpose", FieldType::Text, |s: &Self| s.purpose.as_str().into()).searchable(),
        // 0 stands for everywhere: an absent reference would be outside the unique set.
        Field::new("scope", FieldType::Int, |s| s.at.map_or(0, Id::get).into()),
        Field::new("rest_seconds", FieldType::Int, |s| s.rest_seconds.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("at", &[Metro::KIND, Site::KIND, Port::KIND], |s| s.at),
        Edge::refuse("from", &[Block::KIND], |s| s.from.map(Id::any)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["what", "scope", "purpose"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.what != self.what) {
            return Err(Invalid::rule("what", "A pool cannot come to hold something else."));
        }
        check::slug("purpose", &self.purpose, 50)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        if self.what == PoolOf::Addresses {
            if !self.numbers.is_empty() {
                return Err(Invalid::rule("numbers", "A pool of addresses holds networks."));
            }
            return check_networks(&self.networks);
        }
        if !self.networks.is_empty() {
            return Err(Invalid::rule("networks", "Only a pool of addresses holds networks."));
        }
        if self.from.is_some() {
            return Err(Invalid::rule("from", "Only a pool of addresses is from a block."));
        }
        check_numbers(&self.numbers, self.what.bounds())
    }

    fn title(&self) -> String {
        format!("{} for {}", self.what.word(), self.purpose)
    }
}

fn check_networks(networks: &[IpNet]) -> Result<(), Invalid> {
    for (i, net) in networks.iter().enumerate() {
        let field = format!("networks.{i}");
        check_network(&field, *net)?;
        if networks[..i].iter().any(|n| n.contains(net) || net.contains(n)) {
            return Err(Invalid::rule(field, "Two networks overlap."));
        }
    }
    Ok(())
}

fn check_numbers(numbers: &[Stretch], (low, high): (i64, i64)) -> Result<(), Invalid> {
    for (i, n) in numbers.iter().enumerate() {
        check::range(&format!("numbers.{i}.first"), n.first, low, high)?;
        check::range(&format!("numbers.{i}.last"), n.last, n.first, high)?;
        if numbers[..i].iter().any(|m| m.first <= n.last && n.first <= m.last) {
            return Err(Invalid::rule(format!("numbers.{i}"), "Two stretches overlap."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(spec: serde_json::Value) -> Option<String> {
        serde_json::from_value::<Pool>(spec).unwrap().check(None).err().map(|e| e.field)
    }

    #[test]
    fn numbers_are_in_order_within_bounds_and_apart() {
        let vlans = |numbers: serde_json::Value| {
            complaint(serde_json::json!({"what": "vlans", "purpose": "p", "numbers": numbers}))
        };
        assert_eq!(vlans(serde_json::json!([{"first": 2, "last": 99}, {"first": 100, "last": 4093}])), None);
        assert_eq!(vlans(serde_json::json!([{"first": 0, "last": 9}])).as_deref(), Some("numbers.0.first"));
        assert_eq!(vlans(serde_json::json!([{"first": 9, "last": 8}])).as_deref(), Some("numbers.0.last"));
        assert_eq!(
            vlans(serde_json::json!([{"first": 2, "last": 9}, {"first": 9, "last": 12}])).as_deref(),
            Some("numbers.1")
        );
    }

    #[test]
    fn addresses_come_in_networks_that_do_not_overlap() {
        let addresses = |networks: serde_json::Value| {
            complaint(serde_json::json!({"what": "addresses", "purpose": "links", "networks": networks}))
        };
        assert_eq!(addresses(serde_json::json!(["169.254.0.0/16", "10.0.0.0/8"])), None);
        assert_eq!(addresses(serde_json::json!(["10.0.0.0/8", "10.1.0.0/16"])).as_deref(), Some("networks.1"));
    }
}
