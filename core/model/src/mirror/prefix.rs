//! A network that the members of an exchange have addresses in, in the public peering database.

use meetme_base::{Invalid, IpNet, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbLan, Reference};
use crate::Nothing;

/// A network that the members of an exchange have addresses in, in the public peering database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PdbPrefix {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The peering network, by the database's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ixlan_id: Option<i64>,
    /// The peering network, as it is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ixlan: Option<RawId>,
    /// `IPv4` or `IPv6`.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub protocol: Loose<String>,
    /// The network.
    #[schemars(with = "String")]
    pub prefix: IpNet,
    /// Whether it is announced to the world.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub in_dfz: Loose<bool>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub notes: Loose<String>,
    /// When it was last changed there.
    #[serde(rename = "updated", default, skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbPrefix {
    const KIND: Kind = Kind::new("pdb_prefix");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("protocol", FieldType::Text, |s: &Self| s.protocol.as_str().into()),
        Field::new("prefix", FieldType::Net, |s: &Self| s.prefix.into()),
        Field::new("in_dfz", FieldType::Bool, |s: &Self| s.in_dfz.0.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("ixlan", &[PdbLan::KIND], |s| s.ixlan)];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "prefix"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)
    }

    fn title(&self) -> String {
        self.prefix.to_string()
    }
}

impl Mirrored for PdbPrefix {
    const TYPE: &'static str = "ixpfx";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![Reference { to: PdbLan::TYPE, number: self.ixlan_id, row: &mut self.ixlan, needed: true }]
    }
}
