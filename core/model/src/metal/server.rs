//! A machine as it stands in a rack: the operator's inventory. A device takes one as a claim; customers see the device.

use meetme_base::{Id, Invalid, Kind, MacAddr, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, check,
    ops::Equipment,
    place::{Plan, Site, Zone},
};

/// A machine. Its management controller is a piece of equipment: address and credential stand there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// The maker's serial number.
    pub serial: String,
    /// What it has besides its plan, in single words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Its network interfaces, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<Nic>,
    /// Whether it may be given to anybody.
    #[serde(default = "yes")]
    pub in_service: bool,
    /// Whether it is kept back to replace another.
    #[serde(default)]
    pub spare: bool,
    /// The rack it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// The lowest height unit it takes in its rack, from 1 at the floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<u8>,
    /// The zone it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The site it stands at.
    pub site: Id<Site>,
    /// The plan it can be sold as.
    pub plan: Id<Plan>,
    /// Its management controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Id<Equipment>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// A network interface of a machine, and where its cable ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nic {
    /// Its name on the machine, such as `eth0`.
    pub name: String,
    /// Its hardware address.
    pub mac: MacAddr,
    /// The switch it is patched to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Id<Equipment>>,
    /// The interface of that switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// Whether a machine has power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// It has.
    On,
    /// It has none.
    Off,
}

impl Power {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["on", "off"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// How a machine says it feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing is wrong.
    Ok,
    /// Something will go wrong.
    Warning,
    /// Something is wrong.
    Critical,
}

impl Health {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["ok", "warning", "critical"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What was seen of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServerStatus {
    /// Whether it has power; absent until somebody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// How it says it feels; absent until somebody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// When its disks were last wiped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wiped_at: Option<Time>,
    /// What is wrong with it, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

const fn yes() -> bool {
    true
}

impl Server {
    /// A machine of that plan at a site, in service, not patched to anything.
    pub fn new(serial: impl Into<String>, plan: Id<Plan>, site: Id<Site>) -> Self {
        Self {
            serial: serial.into(),
            features: Vec::new(),
            nics: Vec::new(),
            in_service: true,
            spare: false,
            rack: None,
            unit: None,
            zone: None,
            site,
            plan,
            equipment: None,
            ext: Ext::new(),
        }
    }
}

impl Resource for Server {
    const KIND: Kind = Kind::new("server");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("serial", FieldType::Text, |s: &Self| s.serial.as_str().into()).searchable(),
        Field::new("features", FieldType::Texts, |s| s.features.clone().into()),
        // How much it has besides: plain machines are given away first.
        Field::new("extras", FieldType::Int, |s: &Self| i64::try_from(s.features.len()).unwrap_or(i64::MAX).into()),
        Field::new("macs", FieldType::Texts, |s: &Self| {
            s.nics.iter().map(|n| n.mac.to_string()).collect::<Vec<_>>().into()
        })
        .searchable(),
        Field::new("in_service", FieldType::Bool, |s| s.in_service.into()),
        Field::new("spare", FieldType::Bool, |s| s.spare.into()),
        Field::new("rack", FieldType::Text, |s: &Self| s.rack.clone().into()).indexed(),
        Field::new("unit", FieldType::Int, |s| s.unit.into()),
        Field::new("zone", FieldType::Text, |s: &Self| s.zone.map(Zone::word).into()).words(Zone::WORDS),
        Field::status("power", FieldType::Text, |s: &Self::Status| s.power.map(Power::word).into()).words(Power::WORDS),
        Field::status("health", FieldType::Text, |s: &Self::Status| s.health.map(Health::word).into())
            .words(Health::WORDS),
        Field::status("wiped_at", FieldType::Time, |s: &Self::Status| s.wiped_at.into()),
        Field::status("faults", FieldType::Texts, |s: &Self::Status| s.faults.clone().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("site", &[Site::KIND], |s| Some(s.site.any())),
        Edge::refuse("plan", &[Plan::KIND], |s| Some(s.plan.any())),
        Edge::refuse("equipment", &[Equipment::KIND], |s| s.equipment.map(Id::any)),
        Edge::many(
            "switches",
            &[Equipment::KIND],
            OnDelete::Refuse,
            |s| s.nics.iter().filter_map(|n| n.switch.map(Id::any)).collect(),
            |s, id| {
                let unpatch = |n: &mut Nic| n.switch = n.switch.filter(|i| i.any() != id);
                s.nics.iter_mut().for_each(unpatch);
            },
        ),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["serial"]];
    // The free machines of a place are looked for by the first, and all are counted by the second.
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["site", "plan", "extras"], &["in_service", "spare", "site", "plan"]];
    type Status = ServerStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("serial", &self.serial, 255)?;
        check::length("rack", self.rack.as_deref().unwrap_or_default(), 255)?;
        for (i, nic) in self.nics.iter().enumerate() {
            check::name(&format!("nics.{i}.name"), &nic.name, 64)?;
            check::length(&format!("nics.{i}.interface"), nic.interface.as_deref().unwrap_or_default(), 255)?;
            let earlier = &self.nics[..i];
            if earlier.iter().any(|other| other.name == nic.name) {
                return Err(Invalid::rule(format!("nics.{i}.name"), "Another interface has this name."));
            }
            if earlier.iter().any(|other| other.mac == nic.mac) {
                return Err(Invalid::rule(format!("nics.{i}.mac"), "Another interface has this address."));
            }
        }
        self.unit.map_or(Ok(()), |unit| check::range("unit", unit, 1, 100))
    }

    fn title(&self) -> String {
        self.serial.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_of_a_machine_differ_in_name_and_address() {
        let nic = |name: &str, last| Nic {
            name: name.into(),
            mac: MacAddr([2, 0, 0x5e, 0x10, 0, last]),
            switch: None,
            interface: None,
        };
        let server = |nics| Server { nics, ..Server::new("S1", Id::new(1), Id::new(2)) };
        let field = |nics| server(nics).check(None).err().map(|e| e.field).unwrap_or_default();
        assert_eq!(field(vec![nic("eth0", 1), nic("eth1", 2)]), "");
        assert_eq!(field(vec![nic("eth0", 1), nic("eth0", 2)]), "nics.1.name");
        assert_eq!(field(vec![nic("eth0", 1), nic("eth1", 1)]), "nics.1.mac");
    }
}
