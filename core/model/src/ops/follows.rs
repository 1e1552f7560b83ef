//! A block of fields: the file that a text of ours follows.

use meetme_base::{Id, Invalid, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DataSource;
use crate::check;

/// The file that a row takes its text from. The file is named by source and path, so it may go and come back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Follows {
    /// The source; nothing is followed when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Id<DataSource>>,
    /// Where the file is in the source.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Whether the text is taken anew whenever the source is synchronised.
    pub automatic: bool,
    /// When the text was last taken from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_at: Option<Time>,
}

impl Follows {
    /// Whether nothing is followed and nothing is said about it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// The file, when one is followed.
    pub fn file(&self) -> Option<(Id<DataSource>, &str)> {
        self.source.filter(|_| !self.path.is_empty()).map(|source| (source, self.path.as_str()))
    }
    /// Checks the block.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), Invalid> {
        check::length("follows.path", &self.path, 1000)?;
        if self.source.is_none() && (self.automatic || !self.path.is_empty()) {
            return Err(Invalid::rule("follows.source", "A path alone names no file: name its data source too."));
        }
        if self.source.is_some() && self.path.is_empty() {
            return Err(Invalid::required("follows.path"));
        }
        Ok(())
    }
}
