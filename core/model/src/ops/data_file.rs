//! A file of a data source, as it was when the source was last read.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DataSource;
use crate::{Nothing, check};

/// A file. Only a synchronisation makes, changes and removes these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataFile {
    /// The source it is in.
    pub source: Id<DataSource>,
    /// Where it is in the source, parts joined by `/`.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of its bytes, in 64 hexadecimal digits.
    pub hash: String,
    /// Its bytes when they are a text; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its bytes in base64 when they are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl DataFile {
    /// The most bytes a file may have to be kept.
    pub const MOST: u64 = 256 * 1024;
}

impl Resource for DataFile {
    const KIND: Kind = Kind::new("data_file");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("path", FieldType::Text, |s: &Self| s.path.as_str().into()).indexed().searchable(),
        Field::new("size", FieldType::Int, |s| i64::try_from(s.size).unwrap_or(i64::MAX).into()),
        Field::new("hash", FieldType::Text, |s: &Self| s.hash.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("source", &[DataSource::KIND], |s| Some(s.source.any()))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["source", "path"]];
    // A mirror: what happened to it is told by the repository.
    const LOGGED: bool = false;
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("path", &self.path, 1000)?;
        if self.path.starts_with('/') || self.path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Invalid::format("path", "parts joined by `/`, none of them `.` or `..`"));
        }
        if before.is_some_and(|b| b.source != self.source || b.path != self.path) {
            return Err(Invalid::rule("path", "A file stays where it is."));
        }
        check::range("size", self.size, 0, Self::MOST)?;
        if self.hash.len() != 64 || !self.hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid::format("hash", "64 hexadecimal digits"));
        }
        if self.text.is_some() == self.base64.is_some() {
            return Err(Invalid::rule("text", "The bytes are kept once: as a text or in base64."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_its_source() {
        let at = |path: &str| {
            let hash = "0f".repeat(32);
            DataFile { source: Id::new(1), path: path.into(), size: 0, hash, text: Some(String::new()), base64: None }
                .check(None)
        };
        assert!(at("templates/base.j2").is_ok());
        for bad in ["/etc/passwd", "../x", "a/../b", "a//b", "./a"] {
            assert_eq!(at(bad).unwrap_err().field, "path", "{bad}");
        }
    }
}
