//! A network in the public peering database.

use meetme_base::{Asn, Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loose, Mirrored, PdbOrg, Reference};
use crate::Nothing;

/// A network in the public peering database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PdbNetwork {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The organization that runs it, by the database's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// The organization that runs it, as it is kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<RawId>,
    /// Its AS number.
    pub asn: Asn,
    /// Its name.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub name: Loose<String>,
    /// Its whole name.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub name_long: Loose<String>,
    /// What else it is called.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub aka: Loose<String>,
    /// Its web site.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub website: Loose<String>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub notes: Loose<String>,
    /// Its AS-SET, perhaps several and with sources.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub irr_as_set: Loose<String>,
    /// Its looking glass.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub looking_glass: Loose<String>,
    /// Its route server.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub route_server: Loose<String>,
    /// How much traffic it has, in steps.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_traffic: Loose<String>,
    /// Whether it sends or receives more.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_ratio: Loose<String>,
    /// The part of the world it covers.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_scope: Loose<String>,
    /// What it does, in one word.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_type: Loose<String>,
    /// All that it does.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_types: Loose<Vec<String>>,
    /// How many IPv4 prefixes to accept from it at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info_prefixes4: Option<i64>,
    /// How many IPv6 prefixes to accept from it at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info_prefixes6: Option<i64>,
    /// Whether it speaks unicast.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_unicast: Loose<bool>,
    /// Whether it speaks multicast.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_multicast: Loose<bool>,
    /// Whether it speaks IPv6.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_ipv6: Loose<bool>,
    /// Whether its routes must not be taken from route servers.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub info_never_via_route_servers: Loose<bool>,
    /// Where its peering policy is written.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub policy_url: Loose<String>,
    /// How open it is to peering.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub policy_general: Loose<String>,
    /// Whether it wants to meet in several places.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub policy_locations: Loose<String>,
    /// Whether it wants the traffic to be even.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub policy_ratio: Loose<bool>,
    /// Whether it wants a contract.
    #[serde(default, skip_serializing_if = "Loose::is_default")]
    pub policy_contracts: Loose<String>,
    /// When it was last changed there.
    #[serde(rename = "updated", default, skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbNetwork {
    const KIND: Kind = Kind::new("pdb_network");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
        Field::new("asn", FieldType::Int, |s: &Self| s.asn.into()).indexed().searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("name_long", FieldType::Text, |s: &Self| s.name_long.as_str().into()),
        Field::new("aka", FieldType::Text, |s: &Self| s.aka.as_str().into()),
        Field::new("irr_as_set", FieldType::Text, |s: &Self| s.irr_as_set.as_str().into()),
        Field::new("info_type", FieldType::Text, |s: &Self| s.info_type.as_str().into()),
        Field::new("info_scope", FieldType::Text, |s: &Self| s.info_scope.as_str().into()),
        Field::new("info_traffic", FieldType::Text, |s: &Self| s.info_traffic.as_str().into()),
        Field::new("info_ratio", FieldType::Text, |s: &Self| s.info_ratio.as_str().into()),
        Field::new("policy_general", FieldType::Text, |s: &Self| s.policy_general.as_str().into()),
        Field::new("policy_locations", FieldType::Text, |s: &Self| s.policy_locations.as_str().into()),
        Field::new("policy_contracts", FieldType::Text, |s: &Self| s.policy_contracts.as_str().into()),
        Field::new("policy_ratio", FieldType::Bool, |s: &Self| s.policy_ratio.0.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("org", &[PdbOrg::KIND], |s| s.org)];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "asn"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)?;
        super::check_name(&self.name)
    }

    fn title(&self) -> String {
        format!("AS{} - {}", self.asn, self.name.0)
    }
}

impl Mirrored for PdbNetwork {
    const TYPE: &'static str = "net";

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
