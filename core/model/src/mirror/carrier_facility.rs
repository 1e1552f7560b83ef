//! The presence of a carrier in a facility, in the public peering database.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mirrored, PdbCarrier, PdbFacility, Reference};
use crate::Nothing;

/// The presence of a carrier in a facility, in the public peering database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbCarrierFacility {
    /// The database's own number for it.
    #[serde(rename = "id")]
    pub pdb_id: i64,
    /// The carrier, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_id: Option<i64>,
    /// The carrier, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<RawId>,
    /// The facility, by the database's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fac_id: Option<i64>,
    /// The facility, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fac: Option<RawId>,
    /// When it was last changed there.
    #[serde(rename = "updated", skip_serializing_if = "Option::is_none")]
    pub pdb_updated: Option<Time>,
}

impl Resource for PdbCarrierFacility {
    const KIND: Kind = Kind::new("pdb_carrier_facility");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("pdb_id", FieldType::Int, |s: &Self| s.pdb_id.into()),
        Field::new("pdb_updated", FieldType::Time, |s: &Self| s.pdb_updated.into()).indexed(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("carrier", &[PdbCarrier::KIND], |s| s.carrier),
        Edge::cascade("fac", &[PdbFacility::KIND], |s| s.fac),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["pdb_id"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "pdb_id"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        super::check_id(self.pdb_id)
    }

    fn title(&self) -> String {
        format!("Presence {}", self.pdb_id)
    }
}

impl Mirrored for PdbCarrierFacility {
    const TYPE: &'static str = "carrierfac";

    fn pdb_id(&self) -> i64 {
        self.pdb_id
    }

    fn pdb_updated(&self) -> Option<Time> {
        self.pdb_updated
    }

    fn references(&mut self) -> Vec<Reference<'_>> {
        vec![
            Reference { to: PdbCarrier::TYPE, number: self.carrier_id, row: &mut self.carrier, needed: true },
            Reference { to: PdbFacility::TYPE, number: self.fac_id, row: &mut self.fac, needed: true },
        ]
    }
}
