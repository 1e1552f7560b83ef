//! A box, or somebody's service, that an agent drives. Whatever is ordered ends up as the desired state of some of these.

use meetme_base::{Id, Invalid, Kind, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Reason, check,
    place::{Region, Site, Zone},
};

/// A piece of equipment, and how its agent gets at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Equipment {
    /// Its name, one of its kind in the installation.
    pub name: String,
    /// What it is told.
    pub family: Family,
    /// The agent that drives it, in one lower-case word.
    pub make: String,
    /// Where it is reached, in the form its agent wants: a host name, a URL, or nothing for the machine the agent is on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The credential that opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Sealed>,
    /// What else its agent needs to know; each agent checks its own form.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub settings: serde_json::Value,
    /// Whether changes made by hand are undone; they are only shown otherwise.
    #[serde(default)]
    pub repair: bool,
    /// The zone it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The site it stands at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id<Site>>,
    /// The cloud region it is the door of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Id<Region>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// A family of equipment that is told the same things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Speaks BGP.
    Router,
    /// Carries segments and ports.
    Switch,
    /// Is somebody's machine: power, boot and disks.
    Server,
    /// Is the interface of a cloud's provider.
    Cloud,
    /// Runs virtual appliances.
    Host,
    /// Holds volumes.
    Storage,
}

impl Family {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["router", "switch", "server", "cloud", "host", "storage"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// What was seen of a piece of equipment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EquipmentStatus {
    /// When its agent last saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Time>,
    /// The version it runs, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How it differs from what is wanted, as a diff with secrets masked; absent when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// Since when it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_since: Option<Time>,
    /// Whether it answered when last asked; absent until somebody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reachable: Option<bool>,
    /// Why it is not as wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The fence of the last change that was made; older ones are refused.
    pub fence: u64,
    /// When the last change was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Time>,
    /// The SHA-256 of the configuration it was last given, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_sha256: Option<String>,
    /// How often its configuration was written anew.
    pub renders: u64,
    /// How often it took a new configuration.
    pub reloads: u64,
}

impl Equipment {
    /// Equipment of that family and make, with nothing said about where it stands and how it is opened.
    pub fn new(name: impl Into<String>, family: Family, make: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            family,
            make: make.into(),
            address: address.into(),
            access: None,
            settings: serde_json::Value::Null,
            repair: false,
            zone: None,
            site: None,
            region: None,
            ext: Ext::new(),
        }
    }
}

impl Resource for Equipment {
    const KIND: Kind = Kind::new("equipment");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("family", FieldType::Text, |s: &Self| s.family.word().into()).indexed().words(Family::WORDS),
        Field::new("make", FieldType::Text, |s: &Self| s.make.as_str().into()).searchable(),
        Field::new("address", FieldType::Text, |s: &Self| s.address.as_str().into()).searchable(),
        Field::new("repair", FieldType::Bool, |s| s.repair.into()),
        Field::new("zone", FieldType::Text, |s: &Self| s.zone.map(Zone::word).into()).words(Zone::WORDS),
        Field::status("seen_at", FieldType::Time, |s: &Self::Status| s.seen_at.into()),
        Field::status("software_version", FieldType::Text, |s: &Self::Status| s.version.clone().into()),
        Field::status("drifted", FieldType::Bool, |s: &Self::Status| s.drift.is_some().into()),
        Field::status("drift_since", FieldType::Time, |s: &Self::Status| s.drift_since.into()),
        Field::status("reachable", FieldType::Bool, |s: &Self::Status| s.reachable.into()),
        Field::status("applied_at", FieldType::Time, |s: &Self::Status| s.applied_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("site", &[Site::KIND], |s| s.site.map(Id::any)),
        Edge::detach("region", &[Region::KIND], |s| s.region.map(Id::any), |s| s.region = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];
    type Status = EquipmentStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::slug("make", &self.make, 50)?;
        check::length("address", &self.address, 1024)?;
        if before.is_some_and(|b| b.family != self.family) {
            return Err(Invalid::rule("family", "Equipment stays in its family."));
        }
        match self.settings {
            serde_json::Value::Null | serde_json::Value::Object(_) => Ok(()),
            _ => Err(Invalid::format("settings", "an object")),
        }
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equipment_keeps_its_family_and_may_change_its_make() {
        let before = Equipment::new("edge1", Family::Router, "bird", "");
        assert!(Equipment { make: "frr".into(), ..before.clone() }.check(Some(&before)).is_ok());
        let other = Equipment { family: Family::Switch, ..before.clone() };
        assert_eq!(other.check(Some(&before)).unwrap_err().field, "family");
    }

    #[test]
    fn the_words_are_those_that_are_stored() {
        for word in Family::WORDS {
            assert_eq!(Family::parse(word).map(Family::word), Some(*word));
        }
    }
}
