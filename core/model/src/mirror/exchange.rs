//! An internet exchange in the public peering database.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbOrg, Reference};
use crate::Nothing;

/// An internet exchange in the public peering database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbExchange {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The organization that runs it, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// The organization that runs it, as it is kept here.
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
    /// The city.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub city: Loose<String>,
    /// The country code of ISO 3166-1.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub country: Loose<String>,
    /// What it says of itself.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub notes: Loose<String>,
    /// The part of the world.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub region_continent: Loose<String>,
    /// What it runs on.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub media: Loose<String>,
    /// Whether it carries unicast.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub proto_unicast: Loose<bool>,
    /// Whether it carries multicast.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub proto_multicast: Loose<bool>,
    /// Whether it carries IPv6.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub proto_ipv6: Loose<bool>,
    /// Its web site.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub website: Loose<String>,
    /// Where its traffic is shown.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub url_stats: Loose<String>,
    /// Where its technicians are written to.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub tech_email: Loose<String>,
    /// Where its technicians are called.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub tech_phone: Loose<String>,
    /// Where its policy people are written to.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub policy_email: Loose<String>,
    /// Where its policy people are called.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub policy_phone: Loose<String>,
    /// Where its sales people are written to.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub sales_email: Loose<String>,
    /// Where its sales people are called.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub sales_phone: Loose<String>,
    /// How many networks its own list of members has.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub ixf_net_count: Loose<i64>,
    /// When that list was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ixf_last_import: Option<Time>,
    /// How quickly it helps.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub service_level: Loose<String>,
    /// What it costs, in words.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub terms: Loose<String>,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbExchange {
    const KIND: Kind = Kind::new("pdb_exchange");
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
        Field::new("region_continent", FieldType::Text, |s: &Self| s.region_continent.as_str().into()),
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

impl Mirrored for PdbExchange {
    const TYPE: &'static str = "ix";

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
