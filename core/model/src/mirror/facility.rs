//! A facility in the public peering database: a building where networks meet.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbCampus, PdbOrg, Reference};
use crate::Nothing;

/// A facility in the public peering database: a building where networks meet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbFacility {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The organization that runs it, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// The organization that runs it, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<RawId>,
    /// The campus it is a part of, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campus_id: Option<i64>,
    /// The campus it is a part of, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campus: Option<RawId>,
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
    /// Its Common Language Location Identifier.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub clli: Loose<String>,
    /// Its Renesys code.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub rencode: Loose<String>,
    /// Its area code and exchange.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub npanxx: Loose<String>,
    /// Where its technicians are written to.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub tech_email: Loose<String>,
    /// Where its technicians are called.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub tech_phone: Loose<String>,
    /// Where its sales people are written to.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub sales_email: Loose<String>,
    /// Where its sales people are called.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub sales_phone: Loose<String>,
    /// `Owner` or `Lessee`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// Whether more than one substation serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverse_serving_substations: Option<bool>,
    /// The voltages there are.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub available_voltage_services: Loose<Vec<String>>,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbFacility {
    const KIND: Kind = Kind::new("pdb_facility");
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
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("org", &[PdbOrg::KIND], |s| s.org),
        Edge::detach("campus", &[PdbCampus::KIND], |s| s.campus, |s| s.campus = None),
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

impl Mirrored for PdbFacility {
    const TYPE: &'static str = "fac";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![
            Reference { to: PdbOrg::TYPE, number: self.org_id, row: &mut self.org, needed: true },
            Reference { to: PdbCampus::TYPE, number: self.campus_id, row: &mut self.campus, needed: false },
        ]
    }
}
