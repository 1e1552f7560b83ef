//! An organization in the public peering database: whoever runs networks, exchanges and facilities.

use meetme_base::{Invalid, Kind, Time};
use meetme_store::{Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, Reference};
use crate::Nothing;

/// An organization in the public peering database: whoever runs networks, exchanges and facilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbOrg {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
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
    /// The street.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub address1: Loose<String>,
    /// More of the street.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub address2: Loose<String>,
    /// The city.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub city: Loose<String>,
    /// The state or province.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub state: Loose<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub zipcode: Loose<String>,
    /// The country code of ISO 3166-1.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub country: Loose<String>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// The suite.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub suite: Loose<String>,
    /// The floor.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub floor: Loose<String>,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbOrg {
    const KIND: Kind = Kind::new("pdb_org");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("name_long", FieldType::Text, |s: &Self| s.name_long.as_str().into()),
        Field::new("aka", FieldType::Text, |s: &Self| s.aka.as_str().into()),
        Field::new("city", FieldType::Text, |s: &Self| s.city.as_str().into()),
        Field::new("country", FieldType::Text, |s: &Self| s.country.as_str().into()),
    ];
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

impl Mirrored for PdbOrg {
    const TYPE: &'static str = "org";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        Vec::new()
    }
}
