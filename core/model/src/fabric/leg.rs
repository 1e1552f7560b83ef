//! One path of a circuit: two ends, what a cloud is told about it, and how it is routed.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, Kind, VlanId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, LifeStatus, Phase, check,
    fabric::{Circuit, End, EndName, Network, Port, Segment, Target},
    metal::Device,
    place::Offer,
    routing::Router,
};

/// A path of a circuit. Whether it should be there is the circuit's wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leg {
    /// The circuit.
    pub circuit: Id<Circuit>,
    /// Which path: 1, or 2 for the second of a redundant circuit. The first runs in zone a, the second in zone b.
    pub side: u8,
    /// The customer's end.
    pub a: End,
    /// The far end.
    #[serde(default)]
    pub z: End,
    /// What the provider at the far end is told; its members depend on the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far: Option<serde_json::Value>,
    /// How traffic finds its way over it.
    #[serde(default)]
    pub routing: Routing,
    /// Whether it is switched off, while the circuit is not.
    #[serde(default)]
    pub off: bool,
    /// The router its routed end is placed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<Id<Router>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// How traffic finds its way over a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// By BGP.
    #[default]
    Bgp,
    /// By static routes.
    Static,
    /// By the selectors of a tunnel.
    Policy,
}

impl Routing {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["bgp", "static", "policy"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What was seen of a leg.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LegStatus {
    /// What is known of its life.
    #[serde(flatten)]
    pub life: LifeStatus,
    /// The VLAN the provider at the far end gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<VlanId>,
    /// What the provider at the far end calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Whether the path carries frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkState>,
    /// The state of its tunnel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelState>,
    /// Which leg answers for the shared address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vrrp: Option<Vrrp>,
    /// The version of the software it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Whether a path carries frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It does.
    Up,
    /// It does not.
    Down,
    /// It never has.
    Pending,
}

impl LinkState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["up", "down", "pending"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// The state of a tunnel's key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TunnelState {
    /// Configured.
    Created,
    /// Asking the other side.
    Connecting,
    /// Works.
    Established,
    /// Waits for the other side.
    Passive,
    /// Taking new keys.
    Rekeying,
    /// Has taken new keys.
    Rekeyed,
    /// Being taken down.
    Deleting,
    /// Being forgotten.
    Destroying,
    /// Does not work.
    Down,
}

impl TunnelState {
    /// Every word.
    pub const WORDS: &'static [&'static str] =
        &["created", "connecting", "established", "passive", "rekeying", "rekeyed", "deleting", "destroying", "down"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Which leg answers for the shared address (VRRP, RFC 9568).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vrrp {
    /// Whether this one does.
    pub state: VrrpState,
    /// Its priority.
    pub priority: u8,
    /// The next hops it watches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_hops: Vec<NextHop>,
}

/// Whether a leg answers for the shared address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VrrpState {
    /// It does.
    Master,
    /// It would if the other failed.
    Backup,
}

/// A next hop that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextHop {
    /// Its address.
    pub ip: IpAddr,
    /// Whether it answers.
    pub good: bool,
}

impl Leg {
    /// A path of the circuit between two ends.
    pub fn new(circuit: Id<Circuit>, side: u8, a: End, z: End) -> Self {
        Self { circuit, side, a, z, far: None, routing: Routing::default(), off: false, router: None, ext: Ext::new() }
    }

    /// One of its ends.
    pub const fn end(&self, name: EndName) -> &End {
        match name {
            EndName::A => &self.a,
            EndName::Z => &self.z,
        }
    }
}

impl Resource for Leg {
    const KIND: Kind = Kind::new("leg");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("side", FieldType::Int, |s| s.side.into()),
        Field::new("a_vlan", FieldType::Int, |s| s.a.vlan.into()),
        Field::new("z_vlan", FieldType::Int, |s| s.z.vlan.into()),
        Field::new("routing", FieldType::Text, |s: &Self| s.routing.word().into()).words(Routing::WORDS),
        Field::new("off", FieldType::Bool, |s| s.off.into()),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
        Field::status("vlan", FieldType::Int, |s: &Self::Status| s.vlan.into()),
        Field::status("remote_id", FieldType::Text, |s: &Self::Status| s.remote_id.clone().into())
            .indexed()
            .searchable(),
        Field::status("link", FieldType::Text, |s: &Self::Status| s.link.map(LinkState::word).into())
            .words(LinkState::WORDS),
        Field::status("tunnel", FieldType::Text, |s: &Self::Status| s.tunnel.map(TunnelState::word).into())
            .words(TunnelState::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("circuit", &[Circuit::KIND], |s| Some(s.circuit.any())),
        Edge::refuse("a_end", ENDS, |s| s.a.at.map(Target::any)),
        Edge::refuse("z_end", ENDS, |s| s.z.at.map(Target::any)),
        Edge::refuse("router", &[Router::KIND], |s| s.router.map(Id::any)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["circuit", "side"]];
    type Status = LegStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::range("side", self.side, 1, 2)?;
        if let Some(before) = before {
            if before.circuit != self.circuit {
                return Err(Invalid::rule("circuit", "A leg stays with its circuit."));
            }
            if before.side != self.side {
                return Err(Invalid::rule("side", "A leg keeps its side."));
            }
        }
        let at = self.a.at.ok_or_else(|| Invalid::required("a.at"))?;
        self.a.check("a")?;
        self.z.check("z")?;
        if self.z.at == Some(at) && !at.is_routed() && self.a.vlan.is_some() && self.a.vlan == self.z.vlan {
            return Err(Invalid::rule("z.vlan", "A leg cannot end where it began."));
        }
        if self.far.as_ref().is_some_and(|f| !f.is_object()) {
            return Err(Invalid::format("far", "a JSON object"));
        }
        let mut tunnels = self.a.faces.iter().chain(&self.z.faces).filter_map(|f| f.tunnel.as_ref()).peekable();
        if self.routing == Routing::Policy && (tunnels.peek().is_none() || tunnels.any(|t| t.selectors.is_empty())) {
            return Err(Invalid::rule("routing", "Routing by policy needs a tunnel with selectors."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("Leg {}", self.side)
    }

    fn is_gone(&self, status: &LegStatus) -> bool {
        status.life.phase == Phase::Gone
    }
}

/// What an end can be attached to.
const ENDS: &[Kind] = &[Port::KIND, Network::KIND, Router::KIND, Device::KIND, Segment::KIND, Offer::KIND];

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(a: serde_json::Value, z: serde_json::Value) -> serde_json::Value {
        serde_json::json!({"circuit": 1, "side": 1, "a": a, "z": z})
    }

    fn complaint(spec: serde_json::Value) -> Option<String> {
        serde_json::from_value::<Leg>(spec).unwrap().check(None).err().map(|e| e.field)
    }

    #[test]
    fn a_leg_begins_somewhere_and_ends_elsewhere() {
        let port = |vlan| serde_json::json!({"at": {"port": 5}, "vlan": vlan});
        let nowhere = serde_json::json!({});
        assert_eq!(complaint(leg(port(7), port(8))), None);
        assert_eq!(complaint(leg(port(7), port(7))).as_deref(), Some("z.vlan"));
        assert_eq!(complaint(leg(nowhere.clone(), port(7))).as_deref(), Some("a.at"));
        assert_eq!(complaint(leg(port(7), nowhere)), None);
    }

    #[test]
    fn a_complaint_names_its_place_in_the_leg() {
        let tunnel = serde_json::json!({"remote": "203.0.113.9", "version": 3});
        let a = serde_json::json!({"at": {"network": 2}, "faces": [{"tunnel": tunnel}]});
        assert_eq!(complaint(leg(a, serde_json::json!({}))).as_deref(), Some("a.faces.0.tunnel.version"));
    }

    #[test]
    fn routing_by_policy_needs_selectors() {
        let with = |selectors: serde_json::Value| {
            let tunnel = serde_json::json!({"remote": "203.0.113.9", "selectors": selectors});
            let a = serde_json::json!({"at": {"network": 2}, "faces": [{"tunnel": tunnel}]});
            let mut spec = leg(a, serde_json::json!({}));
            spec["routing"] = "policy".into();
            complaint(spec)
        };
        assert_eq!(with(serde_json::json!([{"theirs": "10.1.0.0/16", "ours": "10.2.0.0/16"}])), None);
        assert_eq!(with(serde_json::json!([])).as_deref(), Some("routing"));
    }

    #[test]
    fn a_status_is_one_flat_document_and_reads_back() {
        let life = LifeStatus { phase: Phase::Up, ..LifeStatus::default() };
        let status = LegStatus { life, link: Some(LinkState::Pending), ..LegStatus::default() };
        let document = serde_json::to_value(&status).unwrap();
        assert_eq!(document, serde_json::json!({"phase": "up", "link": "pending"}));
        assert_eq!(serde_json::from_value::<LegStatus>(document).unwrap(), status);
    }

    #[test]
    fn a_leg_keeps_its_side() {
        let end = serde_json::json!({"at": {"network": 2}});
        let first: Leg = serde_json::from_value(leg(end, serde_json::json!({}))).unwrap();
        let second = Leg { side: 2, ..first.clone() };
        assert_eq!(second.check(Some(&first)).unwrap_err().field, "side");
        assert_eq!(Leg { side: 3, ..first }.check(None).unwrap_err().field, "side");
    }
}
