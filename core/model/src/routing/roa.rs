//! The validated ROA payloads that origins of routes are judged by: where they come from and how they stand, and the parts that
//! the table itself is stored in.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Nothing, check};

/// The table of validated ROA payloads. There is one, the operator's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RoaTable {
    /// Where it is read from: the path of a file or a URL.
    pub source: String,
}

/// How the table stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RoaTableStatus {
    /// Counts the tables that differed from the one before, from 1; 0 while there is none.
    pub version: u32,
    /// How many payloads are for IPv4.
    pub count4: u32,
    /// How many payloads are for IPv6.
    pub count6: u32,
    /// How many payloads of the source were left out because they contradict themselves.
    pub left_out: u32,
    /// When the source was last found to hold this table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Time>,
    /// When the source was last asked, answered or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Time>,
    /// Why the last attempt brought no table, in words; the table before stays in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// By what the source tells whether it has changed since.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// When the source says it last changed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub modified: String,
}

impl Resource for RoaTable {
    const KIND: Kind = Kind::new("roa_table");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("source", FieldType::Text, |s: &Self| s.source.as_str().into()),
        Field::status("answer", FieldType::Int, |s: &Self::Status| s.version.into()),
        Field::status("fetched_at", FieldType::Time, |s: &Self::Status| s.fetched_at.into()),
        Field::status("failing", FieldType::Bool, |s: &Self::Status| s.failure.is_some().into()),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant"]];
    // It mirrors what others publish.
    const LOGGED: bool = false;
    type Status = RoaTableStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("source", &self.source, 1000)
    }

    fn title(&self) -> String {
        "validated ROA payloads".to_owned()
    }
}

/// A part of the stored table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoaChunk {
    /// The table.
    pub table: RawId,
    /// The version of the table.
    pub edition: u32,
    /// Its place among the parts, from 0.
    pub part: u32,
    /// The payloads, packed, in Base64.
    pub data: String,
}

impl Resource for RoaChunk {
    const KIND: Kind = Kind::new("roa_chunk");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("table", FieldType::Int, |s: &Self| s.table.get().into()).indexed(),
        Field::new("edition", FieldType::Int, |s| s.edition.into()),
        Field::new("part", FieldType::Int, |s| s.part.into()),
    ];
    const LOGGED: bool = false;
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }

    fn title(&self) -> String {
        format!("part {} of a table of ROAs", self.part)
    }
}
