//! A campus in the public peering database: facilities close to each other.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbOrg, Reference};
use crate::Nothing;

/// A campus in the public peering database: facilities close to each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbCampus {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The organization, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// The organization, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<RawId>,
    /// Its name.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub name: Loose<String>,
    /// Its whole name.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub name_long: Loose<String>,
    /// What else it is called.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub aka: Loose<String>,
    /// Its web site.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub website: Loose<String>,
    /// What it says of itself.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub notes: Loose<String>,
    /// Where else it is found: service and identifier.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub social_media: serde_json::Value,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbCampus {
    const KIND: Kind = Kind::new("pdb_campus");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("org", &[PdbOrg::KIND], |s| s.org)];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)?;
        super::check_name(&self.name)
    }

    fn title(&self) -> String {
        self.name.0.clone()
    }
}

impl Mirrored for PdbCampus {
    const TYPE: &'static str = "campus";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![Reference { to: PdbOrg::TYPE, number: self.org_id, row: &mut self.org, needed: true }]
    }
}
