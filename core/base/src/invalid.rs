//! What is said about a value that cannot be accepted.

use std::fmt;

/// A value that cannot be accepted: which field, why in a fixed word, and a sentence for people.
///
/// `field` is the core's name of the field with dots for nesting (`legs.0.vlan`); dialects translate it to their own
/// spelling before they show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The core's name of the field; empty when the whole object is meant.
    pub field: String,
    /// A fixed word a dialect can match on: `required`, `range`, `format`, `unique`, `choice`, `reference`, `rule` ...
    pub code: &'static str,
    /// One sentence, without the field's name, ending in a full stop.
    pub message: String,
}

impl Invalid {
    /// A value refused for the reason in `message`.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
    /// The field is missing.
    pub fn required(field: impl Into<String>) -> Self {
        Self::new(field, "required", "This field is required.")
    }
    /// The number is outside `low..=high`.
    pub fn range(field: impl Into<String>, low: impl fmt::Display, high: impl fmt::Display) -> Self {
        Self::new(field, "range", format!("Must be between {low} and {high}."))
    }
    /// The text does not have the form that `wanted` describes.
    pub fn format(field: impl Into<String>, wanted: impl fmt::Display) -> Self {
        Self::new(field, "format", format!("Must be {wanted}."))
    }
    /// Another object already has this value.
    pub fn unique(field: impl Into<String>, what: impl fmt::Display) -> Self {
        Self::new(field, "unique", format!("{what} already exists."))
    }
    /// The value is not one of the allowed ones.
    pub fn choice(field: impl Into<String>, value: impl fmt::Display) -> Self {
        Self::new(field, "choice", format!("{value} is not a valid choice."))
    }
    /// The reference names nothing the caller can see.
    pub fn reference(field: impl Into<String>, what: impl fmt::Display) -> Self {
        Self::new(field, "reference", format!("{what} does not exist."))
    }
    /// A rule between fields, or between objects, is broken.
    pub fn rule(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(field, "rule", message)
    }
    /// Puts `prefix` and a dot before the field's name.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.field = if self.field.is_empty() { prefix.to_owned() } else { format!("{prefix}.{}", self.field) };
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.field, self.message) }
    }
}

impl std::error::Error for Invalid {}
