//! A synchronisation of the copy that changed something.

use std::collections::BTreeMap;

use meetme_base::{Invalid, Kind, Time};
use meetme_store::{Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Nothing;

/// A synchronisation with the public peering database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PdbSync {
    /// When it began.
    pub time: Time,
    /// How many rows came.
    pub made: u64,
    /// How many rows changed.
    pub changed: u64,
    /// How many rows went.
    pub removed: u64,
    /// Types of which rows were passed over because what they refer to was not there yet, and since when the next synchronisation asks
    /// for them once more.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub again: BTreeMap<String, Time>,
}

impl Resource for PdbSync {
    const KIND: Kind = Kind::new("pdb_sync");
    const AREA: &'static str = "mirror";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("time", FieldType::Time, |s: &Self| s.time.into()).indexed(),
        Field::new("made", FieldType::Int, |s: &Self| whole(s.made).into()),
        Field::new("changed", FieldType::Int, |s: &Self| whole(s.changed).into()),
        Field::new("removed", FieldType::Int, |s: &Self| whole(s.removed).into()),
    ];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }

    fn title(&self) -> String {
        format!("Synchronised at {}", self.time)
    }
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
