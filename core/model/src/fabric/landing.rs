//! Where a segment ends: on a port, tagged or not, or in a routed network, perhaps as its gateway.

use meetme_base::{Id, Invalid, Kind, VlanId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Life, LifeStatus, Phase, Wanted, check,
    fabric::{Block, Network, Port, Segment},
    ops::Equipment,
};

/// The end of a segment on a port or in a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Landing {
    /// The segment.
    pub segment: Id<Segment>,
    /// The port it ends on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Id<Port>>,
    /// The network it ends in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Id<Network>>,
    /// The VLAN it is tagged with on the port; the segment's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<VlanId>,
    /// Whether untagged frames of the port belong to it.
    #[serde(default)]
    pub native: bool,
    /// Whether the network is the segment's way out: the first usable address of the block is the gateway.
    #[serde(default)]
    pub gateway: bool,
    /// The addresses of the segment, when there is a gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Id<Block>>,
    /// The length of a private block asked for with the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_len: Option<u8>,
    /// The wish about its life.
    #[serde(default)]
    pub life: Life,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What was seen of a landing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LandingStatus {
    /// What is known of its life.
    #[serde(flatten)]
    pub life: LifeStatus,
    /// The switches that carry it, or may still carry it while it is being removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Id<Equipment>>,
}

impl Landing {
    /// A landing of the segment, nowhere yet.
    pub fn new(segment: Id<Segment>) -> Self {
        Self {
            segment,
            port: None,
            network: None,
            tag: None,
            native: false,
            gateway: false,
            block: None,
            prefix_len: None,
            life: Life::default(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Landing {
    const KIND: Kind = Kind::new("landing");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("tag", FieldType::Int, |s| s.tag.into()),
        Field::new("native", FieldType::Bool, |s| s.native.into()),
        Field::new("gateway", FieldType::Bool, |s| s.gateway.into()),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("segment", &[Segment::KIND], |s| Some(s.segment.any())),
        Edge::cascade("port", &[Port::KIND], |s| s.port.map(Id::any)),
        Edge::cascade("network", &[Network::KIND], |s| s.network.map(Id::any)),
        Edge::refuse("block", &[Block::KIND], |s| s.block.map(Id::any)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["segment", "port"], &["segment", "network"]];
    type Status = LandingStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if let Some(before) = before {
            if before.segment != self.segment {
                return Err(Invalid::rule("segment", "A landing cannot be moved."));
            }
            if before.port != self.port {
                return Err(Invalid::rule("port", "A landing cannot be moved."));
            }
            if before.network != self.network {
                return Err(Invalid::rule("network", "A landing cannot be moved."));
            }
        }
        match (self.port, self.network) {
            (Some(_), Some(_)) => {
                return Err(Invalid::rule("network", "A landing is on a port or in a network, not both."));
            }
            (None, None) => return Err(Invalid::required("port")),
            (Some(_), None) if self.gateway => {
                return Err(Invalid::rule("gateway", "Only a landing in a network can be a gateway."));
            }
            (None, Some(_)) if self.native => {
                return Err(Invalid::rule("native", "Only a landing on a port can be native."));
            }
            _ => {}
        }
        if !self.gateway && self.block.is_some() {
            return Err(Invalid::rule("block", "Only a gateway has a block of addresses."));
        }
        self.prefix_len.map_or(Ok(()), |n| check::range("prefix_len", n, 8, 128))
    }

    fn title(&self) -> String {
        match (self.gateway, self.tag) {
            (true, _) => "Gateway".into(),
            (false, Some(tag)) => format!("Landing, VLAN {tag}"),
            (false, None) => "Landing".into(),
        }
    }

    fn is_gone(&self, status: &LandingStatus) -> bool {
        status.life.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(spec: serde_json::Value) -> Option<String> {
        serde_json::from_value::<Landing>(spec).unwrap().check(None).err().map(|e| e.field)
    }

    #[test]
    fn a_segment_lands_on_a_port_or_in_a_network() {
        assert_eq!(complaint(serde_json::json!({"segment": 1, "port": 2, "native": true})), None);
        assert_eq!(complaint(serde_json::json!({"segment": 1, "network": 3, "gateway": true, "block": 4})), None);
        assert_eq!(complaint(serde_json::json!({"segment": 1})).as_deref(), Some("port"));
        assert_eq!(complaint(serde_json::json!({"segment": 1, "port": 2, "network": 3})).as_deref(), Some("network"));
        assert_eq!(
            complaint(serde_json::json!({"segment": 1, "port": 2, "gateway": true})).as_deref(),
            Some("gateway")
        );
        assert_eq!(
            complaint(serde_json::json!({"segment": 1, "network": 3, "native": true})).as_deref(),
            Some("native")
        );
        assert_eq!(complaint(serde_json::json!({"segment": 1, "network": 3, "block": 4})).as_deref(), Some("block"));
    }
}
