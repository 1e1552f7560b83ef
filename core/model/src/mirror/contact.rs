//! A contact of a network in the public peering database.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbNetwork, Reference};
use crate::Nothing;

/// A contact of a network in the public peering database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbContact {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The network, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_id: Option<i64>,
    /// The network, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<RawId>,
    /// What the contact is for.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub role: Loose<String>,
    /// Who may see it: `Public`, `Users` or `Private`.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub visible: Loose<String>,
    /// The name.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub name: Loose<String>,
    /// The telephone.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub phone: Loose<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub email: Loose<String>,
    /// The web page.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub url: Loose<String>,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbContact {
    const KIND: Kind = Kind::new("pdb_contact");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()),
        Field::new("role", FieldType::Text, |s: &Self| s.role.as_str().into()),
        Field::new("email", FieldType::Text, |s: &Self| s.email.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("net", &[PdbNetwork::KIND], |s| s.net)];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "pdb_id"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)
    }

    fn title(&self) -> String {
        if self.name.is_empty() { format!("Contact {}", self.pdb_id) } else { self.name.0.clone() }
    }
}

impl Mirrored for PdbContact {
    const TYPE: &'static str = "poc";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![Reference { to: PdbNetwork::TYPE, number: self.net_id, row: &mut self.net, needed: true }]
    }
}
