//! A block of addresses: asked for by a customer, set aside for management, or the operator's own supply.

use meetme_base::{Id, Invalid, IpNet, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    fabric::{Network, check_network},
    ops::Tag,
    place::{Metro, Site},
    routing::Answer,
};

/// A block of addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// The address family: 4 or 6.
    pub family: u8,
    /// Who can reach its addresses.
    #[serde(default)]
    pub reach: BlockReach,
    /// The length of its prefix in bits, as it was asked for.
    pub size: u8,
    /// Its prefix; allotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub prefix: Option<IpNet>,
    /// What it is for.
    #[serde(default)]
    pub purpose: BlockPurpose,
    /// Where it is routed to: a metro or a site; anywhere when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<RawId>,
    /// The block it was cut out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id<Block>>,
    /// The routed domain its addresses belong to; the public table, or the place's own, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Id<Network>>,
    /// Whether its owner may give it back.
    #[serde(default)]
    pub manageable: bool,
    /// Whether it was bought besides what comes with a device.
    #[serde(default)]
    pub addon: bool,
    /// Whether it is charged for.
    #[serde(default)]
    pub bill: bool,
    /// The operator's answer, where the block needs one; absent where it was had for the asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What its owner said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The wish about its life.
    #[serde(default)]
    pub life: Life,
    /// Labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// Who can reach the addresses of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockReach {
    /// Everybody.
    #[default]
    Public,
    /// The tenant's own devices at the place.
    Private,
    /// Everybody, wherever the tenant announces it from.
    Global,
    /// A routed domain.
    Vrf,
}

impl BlockReach {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["public", "private", "global", "vrf"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What a block is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockPurpose {
    /// Whatever its owner likes.
    #[default]
    Reserved,
    /// The addresses devices are given when they are made.
    Management,
    /// The links of public peerings.
    Peering,
    /// Translated addresses.
    Nat,
    /// The members of an exchange.
    Exchange,
}

impl BlockPurpose {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["reserved", "management", "peering", "nat", "exchange"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Block {
    /// A public block with nothing said of it but its family and its size.
    pub fn new(family: u8, size: u8) -> Self {
        Self {
            family,
            reach: BlockReach::default(),
            size,
            prefix: None,
            purpose: BlockPurpose::default(),
            at: None,
            parent: None,
            network: None,
            manageable: false,
            addon: false,
            bill: false,
            answer: None,
            details: None,
            life: Life::default(),
            labels: Labels::new(),
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Block {
    const KIND: Kind = Kind::new("block");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("family", FieldType::Int, |s| s.family.into()),
        Field::new("reach", FieldType::Text, |s: &Self| s.reach.word().into()).words(BlockReach::WORDS),
        Field::new("size", FieldType::Int, |s| s.size.into()),
        Field::new("prefix", FieldType::Net, |s: &Self| s.prefix.into()).indexed().searchable(),
        Field::new("purpose", FieldType::Text, |s: &Self| s.purpose.word().into()).words(BlockPurpose::WORDS),
        Field::new("manageable", FieldType::Bool, |s| s.manageable.into()),
        Field::new("addon", FieldType::Bool, |s| s.addon.into()),
        Field::new("bill", FieldType::Bool, |s| s.bill.into()),
        Field::new("answer", FieldType::Text, |s: &Self| s.answer.map(Answer::word).into()).words(Answer::WORDS),
        Field::new("details", FieldType::Text, |s: &Self| s.details.clone().into()).searchable(),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.phase.word().into()).indexed().words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("at", &[Metro::KIND, Site::KIND], |s| s.at),
        Edge::refuse("parent", &[Block::KIND], |s| s.parent.map(Id::any)),
        Edge::refuse("network", &[Network::KIND], |s| s.network.map(Id::any)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    type Status = LifeStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        super::check_family("family", self.family)?;
        check::range("size", self.size, 1, if self.family == 4 { 32 } else { 128 })?;
        if let Some(before) = before {
            if (before.family, before.size) != (self.family, self.size) {
                return Err(Invalid::rule("size", "A block cannot grow or shrink."));
            }
            if before.prefix.is_some() && before.prefix != self.prefix {
                return Err(Invalid::rule("prefix", "The prefix of a block cannot be changed."));
            }
        }
        if let Some(prefix) = self.prefix {
            check_network("prefix", prefix)?;
            if prefix.addr().is_ipv4() != (self.family == 4) || prefix.prefix_len() != self.size {
                return Err(Invalid::rule("prefix", "The prefix must have the family and the size of the block."));
            }
        }
        if self.reach == BlockReach::Global && self.at.is_some() {
            return Err(Invalid::rule("at", "A global block has no place."));
        }
        if self.reach == BlockReach::Vrf && self.network.is_none() {
            return Err(Invalid::required("network"));
        }
        if self.reach != BlockReach::Vrf && self.network.is_some() {
            return Err(Invalid::rule("network", "Only a block of a routed domain names one."));
        }
        check::length("details", self.details.as_deref().unwrap_or_default(), 1024)
    }

    fn title(&self) -> String {
        self.prefix.map_or_else(|| format!("IPv{} /{}", self.family, self.size), |p| p.to_string())
    }

    fn is_gone(&self, status: &LifeStatus) -> bool {
        status.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(spec: serde_json::Value) -> Block {
        serde_json::from_value(spec).unwrap()
    }

    fn complaint(spec: serde_json::Value) -> Option<String> {
        block(spec).check(None).err().map(|e| e.field)
    }

    #[test]
    fn a_prefix_has_the_family_and_the_size_that_were_asked_for() {
        let with = |prefix: &str| complaint(serde_json::json!({"family": 4, "size": 28, "prefix": prefix}));
        assert_eq!(with("192.0.2.16/28"), None);
        for bad in ["192.0.2.17/28", "192.0.2.0/27", "2001:db8::/28"] {
            assert_eq!(with(bad).as_deref(), Some("prefix"), "{bad}");
        }
        assert_eq!(complaint(serde_json::json!({"family": 4, "size": 33})).as_deref(), Some("size"));
        assert_eq!(complaint(serde_json::json!({"family": 5, "size": 24})).as_deref(), Some("family"));
    }

    #[test]
    fn the_reach_says_whether_there_is_a_place_and_a_network() {
        let with = |reach: &str, at, network| {
            complaint(serde_json::json!({"family": 4, "size": 28, "reach": reach, "at": at, "network": network}))
        };
        let (some, none) = (Some(1), None::<i64>);
        assert_eq!(with("global", some, none).as_deref(), Some("at"));
        assert_eq!(with("vrf", some, none).as_deref(), Some("network"));
        assert_eq!(with("private", some, some).as_deref(), Some("network"));
        assert_eq!(with("vrf", some, some), None);
    }

    #[test]
    fn an_allotted_prefix_stays() {
        let asked = block(serde_json::json!({"family": 4, "size": 28}));
        let given = Block { prefix: Some("192.0.2.16/28".parse().unwrap()), ..asked.clone() };
        let other = Block { prefix: Some("192.0.2.32/28".parse().unwrap()), ..asked.clone() };
        assert_eq!(given.check(Some(&asked)), Ok(()));
        assert_eq!(other.check(Some(&given)).unwrap_err().field, "prefix");
    }
}
