//! One-way prints of passwords and tokens.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A one-way print of a password or a token. Its JSON form is that of a sealed value, `{"$sealed": "..."}`, so that the change
/// log, diffs and the native API cut it like any other secret; it is not enciphered, and nobody can turn it back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hash {
    /// The print: a PHC string for a password, hexadecimal digits for a token.
    #[serde(rename = "$sealed")]
    pub text: String,
}

impl Hash {
    /// Takes a text for a print.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
    /// The print's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hash)")
    }
}

#[cfg(test)]
mod tests {
    use meetme_base::Sealed;

    use super::*;

    #[test]
    fn a_hash_has_the_form_that_is_cut_from_logs_and_does_not_show_itself() {
        let hash = Hash::new("abc");
        assert_eq!(serde_json::to_value(&hash).unwrap(), serde_json::json!({Sealed::MARK: "abc"}));
        assert_eq!(format!("{hash:?}"), "(hash)");
    }
}
