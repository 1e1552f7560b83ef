//! Blocks of fields: the file that a text of ours follows, and the file that one is written to.

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

/// The file of a data source that a text of ours is written to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Publishes {
    /// The source; nothing is written when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Id<DataSource>>,
    /// Where the file is in the source.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

impl Publishes {
    /// Whether nothing is written and nothing is said about it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// Checks the block.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), Invalid> {
        check::length("publishes.path", &self.path, 1000)?;
        match self.source {
            None if self.path.is_empty() => Ok(()),
            None => Err(Invalid::rule("publishes.source", "A path alone names no file: name its data source too.")),
            Some(_) if self.path.is_empty() => Err(Invalid::required("publishes.path")),
            // A part that begins with a dot could be the repository's own, and is never read back.
            Some(_) if self.path.split('/').any(|part| part.is_empty() || part.starts_with('.')) => {
                Err(Invalid::format("publishes.path", "names joined by `/`, none of them beginning with a dot"))
            }
            Some(_) if self.path.chars().any(char::is_control) => {
                Err(Invalid::format("publishes.path", "a path without control characters"))
            }
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_inside_its_source() {
        let at = |path: &str| Publishes { source: Some(Id::new(1)), path: path.into() }.check();
        assert!(at("routers/edge1.conf").is_ok());
        for bad in ["", "/etc/passwd", "../x", "a/../b", ".git/hooks/post-receive", "a//b", "a\nb"] {
            assert_eq!(at(bad).unwrap_err().field, "publishes.path", "{bad}");
        }
        let alone = Publishes { source: None, path: "x".into() };
        assert_eq!(alone.check().unwrap_err().field, "publishes.source");
    }
}
