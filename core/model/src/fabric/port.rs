//! A place to plug in: a physical port at a site, an interface of a device, a bond, a link to a provider.

use meetme_base::{Id, Invalid, Kind, MacAddr, Mbps, VlanId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    fabric::Segment,
    metal::Device,
    ops::{Equipment, Tag},
    place::{Site, Zone},
};

/// A port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is.
    #[serde(default)]
    pub shape: Shape,
    /// Its rate.
    pub rate: Mbps,
    /// Its optics, such as `10GBASE-LR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// The site it is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id<Site>>,
    /// The zone of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The device it is part of; the port goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Id<Device>>,
    /// Its number on the device, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u8>,
    /// Its MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// The bond it is in, or comes back to; or the first port of its aggregation group. Circuits end on leaders only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<Id<Port>>,
    /// Whether its bond, or its leader's, is in force.
    #[serde(default)]
    pub bonded: bool,
    /// What a bond of a device is used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PortMode>,
    /// The segment that untagged frames belong to, among several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<Id<Segment>>,
    /// Whether everybody may see it and ask for circuits to it.
    #[serde(default)]
    pub visible: bool,
    /// Whether organizations below its owner may use it.
    #[serde(default)]
    pub shared_down: bool,
    /// Whether circuits asked for by others need no approval.
    #[serde(default)]
    pub auto_approve: bool,
    /// The name of whoever may be patched to it, for the letter of authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loa_name: Option<String>,
    /// Whether a cross connect was ordered with it.
    #[serde(default)]
    pub cross_connect: bool,
    /// The only VLANs that may be used on it; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vlans_allowed: Vec<VlanRange>,
    /// The equipment it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Id<Equipment>>,
    /// The name of the interface on the equipment; allotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Where its cable is patched; allotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
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

/// What a port is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A port of ours that a customer plugs into.
    #[default]
    Physical,
    /// Several interfaces of a device taken together.
    Bond,
    /// An interface of a device.
    Nic,
    /// A link of ours to a provider, shared by many circuits.
    Nni,
}

impl Shape {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["physical", "bond", "nic", "nni"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Whether it is part of a device, rather than at a site.
    pub const fn is_of_device(self) -> bool {
        matches!(self, Self::Bond | Self::Nic)
    }
}

/// What a bond of a device is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PortMode {
    /// Routed only.
    Layer3,
    /// One interface routed, the other, out of the bond, for segments.
    Hybrid,
    /// Routed, and segments besides, all on the bond.
    HybridBonded,
    /// Segments only, on the bond.
    Layer2Bonded,
    /// Segments only, on each interface by itself.
    Layer2Individual,
}

impl PortMode {
    /// Every word.
    pub const WORDS: &'static [&'static str] =
        &["layer3", "hybrid", "hybrid-bonded", "layer2-bonded", "layer2-individual"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// VLANs from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VlanRange {
    /// The first.
    pub first: VlanId,
    /// The last.
    pub last: VlanId,
}

impl VlanRange {
    /// Whether the VLAN is in it.
    pub fn contains(self, vlan: VlanId) -> bool {
        (self.first..=self.last).contains(&vlan)
    }
}

/// Where a cable is patched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patch {
    /// The panel.
    pub panel: String,
    /// The positions on it.
    pub positions: Vec<u32>,
}

/// What was seen of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PortStatus {
    /// What is known of its life.
    #[serde(flatten)]
    pub life: LifeStatus,
    /// Whether it carries frames.
    pub up: bool,
    /// Whether light arrives; absent where there is none to see, or nobody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub light: Option<bool>,
}

impl Port {
    /// A port with nothing said of it but its name, its shape and its rate.
    pub fn new(name: impl Into<String>, shape: Shape, rate: Mbps) -> Self {
        Self {
            name: name.into(),
            description: None,
            shape,
            rate,
            media: None,
            site: None,
            zone: None,
            device: None,
            index: None,
            mac: None,
            leader: None,
            bonded: false,
            mode: None,
            native: None,
            visible: false,
            shared_down: false,
            auto_approve: false,
            loa_name: None,
            cross_connect: false,
            vlans_allowed: Vec::new(),
            equipment: None,
            interface: None,
            patch: None,
            life: Life::default(),
            labels: Labels::new(),
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Port {
    const KIND: Kind = Kind::new("port");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("shape", FieldType::Text, |s: &Self| s.shape.word().into()).words(Shape::WORDS),
        Field::new("rate", FieldType::Int, |s| s.rate.into()),
        Field::new("media", FieldType::Text, |s| s.media.clone().into()),
        Field::new("zone", FieldType::Text, |s: &Self| s.zone.map(Zone::word).into()).words(Zone::WORDS),
        Field::new("index", FieldType::Int, |s| s.index.into()),
        Field::new("mac", FieldType::Text, |s: &Self| s.mac.into()).searchable(),
        Field::new("bonded", FieldType::Bool, |s| s.bonded.into()),
        Field::new("mode", FieldType::Text, |s: &Self| s.mode.map(PortMode::word).into()).words(PortMode::WORDS),
        Field::new("visible", FieldType::Bool, |s: &Self| s.visible.into()).indexed(),
        Field::new("shared_down", FieldType::Bool, |s| s.shared_down.into()),
        Field::new("auto_approve", FieldType::Bool, |s| s.auto_approve.into()),
        Field::new("interface", FieldType::Text, |s: &Self| s.interface.clone().into()).searchable(),
        Field::new("cost_centre", FieldType::Text, |s: &Self| s.life.cost_centre.clone().into()).searchable(),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
        Field::status("up", FieldType::Bool, |s: &Self::Status| s.up.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("site", &[Site::KIND], |s| s.site.map(Id::any)),
        Edge::cascade("device", &[Device::KIND], |s| s.device.map(Id::any)),
        Edge::refuse("leader", &[Port::KIND], |s| s.leader.map(Id::any)),
        Edge::detach("native", &[Segment::KIND], |s| s.native.map(Id::any), |s| s.native = None),
        Edge::detach("equipment", &[Equipment::KIND], |s| s.equipment.map(Id::any), |s| s.equipment = None),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["equipment", "interface"], &["mac"]];
    type Status = PortStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        if let Some(before) = before {
            if before.shape != self.shape {
                return Err(Invalid::rule("shape", "A port keeps its shape."));
            }
            if before.site != self.site {
                return Err(Invalid::rule("site", "A port cannot be moved."));
            }
            if before.device != self.device {
                return Err(Invalid::rule("device", "A port cannot be moved."));
            }
        }
        match (self.shape.is_of_device(), self.site.is_some(), self.device.is_some()) {
            (true, _, false) => return Err(Invalid::required("device")),
            (true, true, _) => return Err(Invalid::rule("site", "A port of a device is where the device is.")),
            (false, false, _) => return Err(Invalid::required("site")),
            (false, _, true) => return Err(Invalid::rule("device", "A port at a site is not part of a device.")),
            _ => {}
        }
        if self.mode.is_some() && !self.shape.is_of_device() {
            return Err(Invalid::rule("mode", "Only a port of a device has a mode."));
        }
        if self.bonded && self.leader.is_none() && self.shape == Shape::Nic {
            return Err(Invalid::rule("bonded", "An interface outside a bond cannot be bonded."));
        }
        check::length("media", self.media.as_deref().unwrap_or_default(), 128)?;
        check::length("loa_name", self.loa_name.as_deref().unwrap_or_default(), 128)?;
        check::length("interface", self.interface.as_deref().unwrap_or_default(), 200)?;
        for (i, range) in self.vlans_allowed.iter().enumerate() {
            check::range(&format!("vlans_allowed.{i}.last"), range.last.get(), range.first.get(), VlanId::MAX.get())?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.name.clone()
    }

    fn is_gone(&self, status: &PortStatus) -> bool {
        status.life.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(extra: serde_json::Value) -> Option<String> {
        let mut spec = serde_json::json!({"name": "P", "rate": 10_000});
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value::<Port>(spec).unwrap().check(None).err().map(|e| e.field)
    }

    #[test]
    fn a_port_is_at_a_site_or_of_a_device() {
        assert_eq!(complaint(serde_json::json!({"site": 1})), None);
        assert_eq!(complaint(serde_json::json!({})).as_deref(), Some("site"));
        assert_eq!(complaint(serde_json::json!({"site": 1, "device": 2})).as_deref(), Some("device"));
        assert_eq!(complaint(serde_json::json!({"shape": "nic", "device": 2})), None);
        assert_eq!(complaint(serde_json::json!({"shape": "bond", "site": 1})).as_deref(), Some("device"));
        assert_eq!(complaint(serde_json::json!({"shape": "nic", "site": 1, "device": 2})).as_deref(), Some("site"));
    }

    #[test]
    fn modes_and_bonds_are_for_devices() {
        assert_eq!(complaint(serde_json::json!({"site": 1, "mode": "layer3"})).as_deref(), Some("mode"));
        assert_eq!(
            complaint(serde_json::json!({"shape": "nic", "device": 2, "bonded": true})).as_deref(),
            Some("bonded")
        );
    }

    #[test]
    fn the_words_are_those_that_are_stored() {
        for word in PortMode::WORDS {
            assert_eq!(PortMode::parse(word).map(PortMode::word), Some(*word));
        }
    }

    #[test]
    fn a_range_of_vlans_runs_upwards() {
        let with =
            |first, last| complaint(serde_json::json!({"site": 1, "vlans_allowed": [{"first": first, "last": last}]}));
        assert_eq!(with(100, 199), None);
        assert_eq!(with(199, 100).as_deref(), Some("vlans_allowed.0.last"));
    }
}
