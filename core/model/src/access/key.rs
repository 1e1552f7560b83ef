//! A credential for programs: a public part and a secret. Every dialect spells the same two texts in its own way.

use meetme_base::{Id, Invalid, IpNet, Kind, RawId, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hash, Organization, Project, Role, User, yes};
use crate::{
    Ext, check,
    edge::{self, ids, without},
};

/// A key of a program. It can only narrow what its owner may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// The part that may be shown: 22 letters, digits, `-` or `_`.
    pub public: String,
    /// The keyed SHA-256 of the secret part, in 64 hexadecimal digits.
    pub hash: Hash,
    /// A copy of the secret for the one dialect that shows it to its owner again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// Whether it may only look.
    #[serde(default)]
    pub read_only: bool,
    /// Whether it works at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The networks it may be used from; empty is everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub allowed_ips: Vec<IpNet>,
    /// The only objects it reaches, with what belongs to them; empty is no such limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<RawId>,
    /// Whose key it is: a user, an organization or a project.
    pub owner: RawId,
    /// The roles it is cut to; for a key of an organization or a project, the roles it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Id<Role>>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What was seen of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KeyStatus {
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Time>,
}

impl Key {
    /// An enabled key of `owner` without any limit.
    pub fn new(name: impl Into<String>, public: impl Into<String>, hash: Hash, owner: RawId) -> Self {
        Self {
            name: name.into(),
            public: public.into(),
            hash,
            sealed: None,
            read_only: false,
            enabled: true,
            expires_at: None,
            allowed_ips: Vec::new(),
            objects: Vec::new(),
            owner,
            roles: Vec::new(),
            description: None,
            ext: Ext::new(),
        }
    }
}

impl Resource for Key {
    const KIND: Kind = Kind::new("key");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("public", FieldType::Text, |s: &Self| s.public.as_str().into()).indexed(),
        Field::new("hash", FieldType::Text, |s: &Self| s.hash.as_str().into()).indexed().hidden(),
        Field::new("read_only", FieldType::Bool, |s| s.read_only.into()),
        Field::new("enabled", FieldType::Bool, |s| s.enabled.into()),
        Field::new("expires_at", FieldType::Time, |s| s.expires_at.into()),
        Field::new("description", FieldType::Text, |s| s.description.clone().into()),
        Field::status("last_used", FieldType::Time, |s: &Self::Status| s.last_used.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("owner", &[User::KIND, Organization::KIND, Project::KIND], |s| Some(s.owner)),
        edge::roles(|s| ids(&s.roles), |s, id| without(&mut s.roles, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["public"], &["hash"]];
    type Status = KeyStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if self.public.len() != 22 || !self.public.bytes().all(letter) {
            return Err(Invalid::format("public", "22 letters, digits, hyphens or underscores"));
        }
        if self.hash.as_str().len() != 64 || !self.hash.as_str().bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid::format("hash", "64 hexadecimal digits"));
        }
        if before.is_some_and(|b| b.owner != self.owner) {
            return Err(Invalid::rule("owner", "A key cannot be given to somebody else."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(public: &str) -> Key {
        Key::new("ci", public, Hash::new("0f".repeat(32)), RawId::new(1))
    }

    #[test]
    fn a_public_part_has_22_letters() {
        assert!(key("AbCdEfGhIjKlMnOpQr-_12").check(None).is_ok());
        assert_eq!(key("AbCdEfGhIjKlMnOpQr-_1").check(None).unwrap_err().field, "public");
        assert_eq!(key("AbCdEfGhIjKlMnOpQr+/12").check(None).unwrap_err().field, "public");
    }

    #[test]
    fn a_key_stays_with_its_owner() {
        let before = key("AbCdEfGhIjKlMnOpQr-_12");
        let after = Key { owner: RawId::new(2), ..before.clone() };
        assert_eq!(after.check(Some(&before)).unwrap_err().field, "owner");
    }
}
