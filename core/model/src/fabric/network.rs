//! A routed domain: circuits that end in one network reach each other, and nothing else.

use meetme_base::{Asn, Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    ops::Tag,
    routing::Router,
};

/// A routed domain (a VRF).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The AS number we speak with in it.
    pub asn: Asn,
    /// Its number in the fabric, 1..=16777215; allotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vni: Option<i64>,
    /// The ordered router that owns it; the network goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<Id<Router>>,
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

impl Network {
    /// A network with nothing said of it but its name and our AS number.
    pub fn new(name: impl Into<String>, asn: Asn) -> Self {
        Self {
            name: name.into(),
            description: None,
            asn,
            vni: None,
            router: None,
            life: Life::default(),
            labels: Labels::new(),
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Network {
    const KIND: Kind = Kind::new("network");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("own_name", FieldType::Text, |s: &Self| s.router.is_none().then_some(s.name.as_str()).into())
            .hidden(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("asn", FieldType::Int, |s| s.asn.into()),
        Field::new("vni", FieldType::Int, |s| s.vni.into()),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.phase.word().into()).indexed().words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("router", &[Router::KIND], |s| s.router.map(Id::any)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    // Networks of ordered routers are called as their routers are, and those may share names.
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "own_name"], &["vni"]];
    type Status = LifeStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        super::check_vni(self.vni)?;
        if before.is_some_and(|b| b.router != self.router) {
            return Err(Invalid::rule("router", "The router of a network cannot be changed."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.name.clone()
    }

    fn is_gone(&self, status: &LifeStatus) -> bool {
        status.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_the_fabric_has_24_bits() {
        let with = |vni: i64| -> Network {
            serde_json::from_value(serde_json::json!({"name": "N", "asn": 64500, "vni": vni})).unwrap()
        };
        assert_eq!(with(16_777_215).check(None), Ok(()));
        for vni in [0, 16_777_216] {
            assert_eq!(with(vni).check(None).unwrap_err().field, "vni");
        }
    }
}
