//! A layer 2 network: a VLAN that reaches over a site or a whole metro. It ends in ports and networks by landings.

use meetme_base::{Id, Invalid, Kind, RawId, VlanId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    ops::Tag,
    place::{Metro, Site},
};

/// A layer 2 network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// Its name; may be empty.
    #[serde(default)]
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it reaches: a metro or a site.
    pub at: RawId,
    /// Its number for the customer.
    pub vlan: VlanId,
    /// Its number in the fabric, 1..=16777215; allotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vni: Option<i64>,
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

impl Segment {
    /// A segment with nothing said of it but its place and its VLAN.
    pub fn new(at: RawId, vlan: VlanId) -> Self {
        Self {
            name: String::new(),
            description: None,
            at,
            vlan,
            vni: None,
            life: Life::default(),
            labels: Labels::new(),
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Segment {
    const KIND: Kind = Kind::new("segment");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("vlan", FieldType::Int, |s: &Self| s.vlan.into()).searchable(),
        Field::new("vni", FieldType::Int, |s| s.vni.into()),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.phase.word().into()).indexed().words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("at", &[Metro::KIND, Site::KIND], |s| Some(s.at)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "at", "vlan"], &["vni"]];
    type Status = LifeStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::length("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        super::check_vni(self.vni)?;
        if let Some(before) = before {
            if before.at != self.at {
                return Err(Invalid::rule("at", "A segment cannot be moved."));
            }
            if before.vlan != self.vlan {
                return Err(Invalid::rule("vlan", "The VLAN of a segment cannot be changed."));
            }
        }
        Ok(())
    }

    fn title(&self) -> String {
        if self.name.is_empty() { format!("VLAN {}", self.vlan) } else { self.name.clone() }
    }

    fn is_gone(&self, status: &LifeStatus) -> bool {
        status.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_where_it_is() {
        let one = |at: i64, vlan: u16| -> Segment {
            serde_json::from_value(serde_json::json!({"at": at, "vlan": vlan})).unwrap()
        };
        assert_eq!(one(1, 1000).title(), "VLAN 1000");
        assert_eq!(one(2, 1000).check(Some(&one(1, 1000))).unwrap_err().field, "at");
        assert_eq!(one(1, 1001).check(Some(&one(1, 1000))).unwrap_err().field, "vlan");
    }
}
