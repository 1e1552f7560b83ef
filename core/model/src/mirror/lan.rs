//! A peering network of an exchange, in the public peering database.

use meetme_base::{Invalid, Kind, MacAddr, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbExchange, Reference};
use crate::Nothing;

/// A peering network of an exchange, in the public peering database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbLan {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The exchange, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ix_id: Option<i64>,
    /// The exchange, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ix: Option<RawId>,
    /// Its name.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub name: Loose<String>,
    /// A line for people.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub descr: Loose<String>,
    /// The largest packet, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<i64>,
    /// Its VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<i64>,
    /// Whether it takes tagged frames.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub dot1q_support: Loose<bool>,
    /// The AS number of its route servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rs_asn: Option<i64>,
    /// The MAC address that answers for addresses nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arp_sponge: Option<MacAddr>,
    /// Where the exchange lists its members.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub ixf_ixp_member_list_url: Loose<String>,
    /// Who may see that address: `Public`, `Users` or `Private`.
    #[serde(skip_serializing_if = "Loose::is_default")]
    pub ixf_ixp_member_list_url_visible: Loose<String>,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbLan {
    const KIND: Kind = Kind::new("pdb_lan");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()),
        Field::new("rs_asn", FieldType::Int, |s: &Self| s.rs_asn.into()),
        Field::new("vlan", FieldType::Int, |s: &Self| s.vlan.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("ix", &[PdbExchange::KIND], |s| s.ix)];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "pdb_id"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)
    }

    fn title(&self) -> String {
        if self.name.is_empty() { format!("Peering network {}", self.pdb_id) } else { self.name.0.clone() }
    }
}

impl Mirrored for PdbLan {
    const TYPE: &'static str = "ixlan";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![Reference { to: PdbExchange::TYPE, number: self.ix_id, row: &mut self.ix, needed: true }]
    }
}
