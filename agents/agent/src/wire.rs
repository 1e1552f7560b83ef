//! Secrets on their way between a controller and an agent.

use std::fmt;

use meetme_base::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

/// A secret in the clear inside a message of the agent link, and nowhere else.
///
/// [`Secret`] cannot be serialised at all, and a document of the store holds only sealed values. An agent must have the
/// clear text, so this type can be written, in a form of its own: `{"$clear": "..."}`. Whoever writes, logs or stores JSON
/// looks for [`WireSecret::MARK`] and refuses it: a message of the agent link went astray. `Debug` shows nothing.
#[derive(Clone, PartialEq)]
pub struct WireSecret(Secret<String>);

impl WireSecret {
    /// The member name that marks a secret in the clear in a JSON text.
    pub const MARK: &'static str = "$clear";

    /// Wraps the clear text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text.into()))
    }
    /// The clear text. Every call of this is a place to look at in a review.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<Secret<String>> for WireSecret {
    fn from(secret: Secret<String>) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = serializer.serialize_struct("WireSecret", 1)?;
        wire.serialize_field(Self::MARK, self.expose())?;
        wire.end()
    }
}

/// The form on the wire; it lives only while a message is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clear {
    #[serde(rename = "$clear")]
    text: Secret<String>,
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Clear::deserialize(deserializer).map(|clear| Self(clear.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_on_the_wire_only_and_under_its_mark() {
        let secret = WireSecret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "(secret) Some((secret))");
        let text = serde_json::to_string(&secret).unwrap();
        assert_eq!(text, r#"{"$clear":"hunter2"}"#);
        assert_eq!(serde_json::from_str::<WireSecret>(&text).unwrap(), secret);
        assert!(serde_json::from_str::<WireSecret>(r#""hunter2""#).is_err());
    }
}
