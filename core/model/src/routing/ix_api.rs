//! An exchange's interface for its members: where it is, and how we show who we are there.

use meetme_base::{Invalid, Kind, Sealed};
use meetme_store::{Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Nothing, check};

/// An account at an IX-API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IxApi {
    /// Its name.
    pub name: String,
    /// Where it is: the address that paths are put behind, such as `https://ixapi.example.net/v2/`.
    pub url: String,
    /// The key, which says who we are.
    pub key: Sealed,
    /// The secret, which proves it.
    pub secret: Sealed,
    /// The id of our account there.
    pub identity: String,
}

/// The longest address, key or secret, in characters.
pub const LONGEST: usize = 2000;

impl Resource for IxApi {
    const KIND: Kind = Kind::new("ix_api");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("url", FieldType::Text, |s: &Self| s.url.as_str().into()).searchable(),
        Field::new("identity", FieldType::Text, |s| s.identity.as_str().into()),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::length("url", &self.url, LONGEST)?;
        if !["https://", "http://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(Invalid::new("url", "format", "Enter a valid URL."));
        }
        check::name("identity", &self.identity, 256)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web() {
        let at = |url: &str| IxApi {
            name: "IX".into(),
            url: url.into(),
            key: Sealed { text: "1a".into() },
            secret: Sealed { text: "1b".into() },
            identity: "1".into(),
        };
        assert_eq!(at("https://ixapi.example.net/v2").check(None), Ok(()));
        for bad in ["", "ixapi.example.net", "file:///etc/passwd", "gopher://x"] {
            assert_eq!(at(bad).check(None).unwrap_err().field, "url", "{bad}");
        }
    }
}
