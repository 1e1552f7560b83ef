//! A port of a network at an exchange, with its addresses there, in the public peering database.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meetme_base::{Asn, Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbFacility, PdbLan, PdbNetwork, Reference};
use crate::Nothing;

/// A port of a network at an exchange, with its addresses there, in the public peering database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PdbPort {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The network, by the database's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_id: Option<i64>,
    /// The network, as it is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<RawId>,
    /// The peering network, by the database's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ixlan_id: Option<i64>,
    /// The peering network, as it is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ixlan: Option<RawId>,
    /// The facility where the network ends it, by the database's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_side_id: Option<i64>,
    /// The facility where the network ends it, as it is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_side: Option<RawId>,
    /// The facility where the exchange ends it, by the database's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ix_side_id: Option<i64>,
    /// The facility where the exchange ends it, as it is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ix_side: Option<RawId>,
    /// The AS number of the network.
    pub asn: Asn,
    /// Its IPv4 address there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipaddr4: Option<Ipv4Addr>,
    /// Its IPv6 address there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipaddr6: Option<Ipv6Addr>,
    /// Whether it peers with the route servers.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub is_rs_peer: Loose<bool>,
    /// Whether it speaks BFD.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub bfd_support: Loose<bool>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub notes: Loose<String>,
    /// Its rate in megabits per second.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub speed: Loose<i64>,
    /// Whether it is in use; it is unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operational: Option<bool>,
    /// When it was last changed there.
    #[serde(rename = "updated", default, skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbPort {
    const KIND: Kind = Kind::new("pdb_port");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("asn", FieldType::Int, |s: &Self| s.asn.into()).indexed(),
        Field::new("ip4", FieldType::Ip, |s: &Self| s.ipaddr4.map(IpAddr::from).into()).indexed(),
        Field::new("ip6", FieldType::Ip, |s: &Self| s.ipaddr6.map(IpAddr::from).into()).indexed(),
        Field::new("is_rs_peer", FieldType::Bool, |s: &Self| s.is_rs_peer.0.into()),
        Field::new("bfd_support", FieldType::Bool, |s: &Self| s.bfd_support.0.into()),
        Field::new("speed", FieldType::Int, |s: &Self| s.speed.0.into()),
        Field::new("operational", FieldType::Bool, |s: &Self| s.operational.unwrap_or(true).into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("net", &[PdbNetwork::KIND], |s| s.net),
        Edge::cascade("ixlan", &[PdbLan::KIND], |s| s.ixlan),
        Edge::detach("net_side", &[PdbFacility::KIND], |s| s.net_side, |s| s.net_side = None),
        Edge::detach("ix_side", &[PdbFacility::KIND], |s| s.ix_side, |s| s.ix_side = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "asn", "pdb_id"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)
    }

    fn title(&self) -> String {
        format!("AS{} - port {}", self.asn, self.pdb_id)
    }
}

impl Mirrored for PdbPort {
    const TYPE: &'static str = "netixlan";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![
            Reference { to: PdbNetwork::TYPE, number: self.net_id, row: &mut self.net, needed: true },
            Reference { to: PdbLan::TYPE, number: self.ixlan_id, row: &mut self.ixlan, needed: true },
            Reference { to: PdbFacility::TYPE, number: self.net_side_id, row: &mut self.net_side, needed: false },
            Reference { to: PdbFacility::TYPE, number: self.ix_side_id, row: &mut self.ix_side, needed: false },
        ]
    }
}
