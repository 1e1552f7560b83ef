//! An address, or a small network, in use: by a device, a port or a link to an exchange.

use std::net::IpAddr;

use meetme_base::{Id, IfAddr, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    fabric::{Block, Port},
    metal::Device,
    ops::Tag,
    routing::ExchangeLink,
};

/// An address in use. That nobody else has it is the claim's doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The address, with its length.
    pub ip: IfAddr,
    /// The way out for whoever has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The block it is from.
    pub block: Id<Block>,
    /// The device that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Id<Device>>,
    /// The port that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Id<Port>>,
    /// The link to an exchange that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Id<ExchangeLink>>,
    /// Whether everybody can reach it.
    #[serde(default)]
    pub public: bool,
    /// Whether the device was given it when it was made.
    #[serde(default)]
    pub management: bool,
    /// Whether its owner may take it off.
    #[serde(default)]
    pub manageable: bool,
    /// The name that reverse lookups answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse_name: Option<String>,
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

impl Address {
    /// An address of the block that nobody uses yet.
    pub fn new(ip: IfAddr, block: Id<Block>) -> Self {
        Self {
            ip,
            gateway: None,
            block,
            device: None,
            port: None,
            link: None,
            public: false,
            management: false,
            manageable: false,
            reverse_name: None,
            life: Life::default(),
            labels: Labels::new(),
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Address {
    const KIND: Kind = Kind::new("address");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("ip", FieldType::Net, |s: &Self| s.ip.into()).searchable(),
        Field::new("host", FieldType::Ip, |s: &Self| s.ip.ip().into()).indexed(),
        Field::new("family", FieldType::Int, |s| if s.ip.ip().is_ipv4() { 4.into() } else { 6.into() }),
        Field::new("public", FieldType::Bool, |s| s.public.into()),
        Field::new("management", FieldType::Bool, |s| s.management.into()),
        Field::new("manageable", FieldType::Bool, |s| s.manageable.into()),
        Field::new("reverse_name", FieldType::Text, |s: &Self| s.reverse_name.clone().into()).searchable(),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.phase.word().into()).indexed().words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("block", &[Block::KIND], |s| Some(s.block.any())),
        Edge::cascade("device", &[Device::KIND], |s| s.device.map(Id::any)),
        Edge::cascade("port", &[Port::KIND], |s| s.port.map(Id::any)),
        Edge::cascade("link", &[ExchangeLink::KIND], |s| s.link.map(Id::any)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    type Status = LifeStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.ip != self.ip) {
            return Err(Invalid::rule("ip", "An address cannot become another."));
        }
        if before.is_some_and(|b| b.block != self.block) {
            return Err(Invalid::rule("block", "The block of an address cannot be changed."));
        }
        if self.gateway.is_some_and(|g| g.is_ipv4() != self.ip.ip().is_ipv4()) {
            return Err(Invalid::rule("gateway", "The gateway must be of the address's family."));
        }
        // A device and its port may both be named; a link to an exchange stands alone.
        if self.link.is_some() && (self.device.is_some() || self.port.is_some()) {
            return Err(Invalid::rule("link", "An address is in use on a device or on a link, not on both."));
        }
        check::length("reverse_name", self.reverse_name.as_deref().unwrap_or_default(), 253)
    }

    fn title(&self) -> String {
        self.ip.to_string()
    }

    fn is_gone(&self, status: &LifeStatus) -> bool {
        status.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_value_and_its_family() {
        let one: Address = serde_json::from_value(serde_json::json!({"ip": "192.0.2.5/31", "block": 1})).unwrap();
        assert_eq!(one.check(None), Ok(()));
        let other = Address { ip: "192.0.2.7/31".parse().unwrap(), ..one.clone() };
        assert_eq!(other.check(Some(&one)).unwrap_err().field, "ip");
        let mixed = Address { gateway: Some("2001:db8::1".parse().unwrap()), ..one };
        assert_eq!(mixed.check(None).unwrap_err().field, "gateway");
    }
}
