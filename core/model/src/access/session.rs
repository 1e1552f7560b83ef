//! A login: a token that stands for a user, or for a key that was exchanged for it, until it ends.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hash, Key, Organization, User};
use crate::check;

/// A login. Its writes are not logged: the row says who it is itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The keyed SHA-256 of the token.
    pub hash: Hash,
    /// The keyed SHA-256 of the token that renews it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Hash>,
    /// The dialect it was opened in.
    pub dialect: String,
    /// The address it was opened from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The program it was opened with, as that program calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When it ends.
    pub expires_at: Time,
    /// Whom it stands for: a user or a key.
    pub of: RawId,
    /// The organization it acts for; the home organization when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<Id<Organization>>,
}

/// What was seen of a login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SessionStatus {
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
}

impl Resource for Session {
    const KIND: Kind = Kind::new("session");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("hash", FieldType::Text, |s: &Self| s.hash.as_str().into()).indexed().hidden(),
        Field::new("refresh", FieldType::Text, |s: &Self| s.refresh.as_ref().map(Hash::as_str).into())
            .indexed()
            .hidden(),
        Field::new("dialect", FieldType::Text, |s| s.dialect.as_str().into()),
        Field::new("expires_at", FieldType::Time, |s: &Self| s.expires_at.into()).indexed(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("of", &[User::KIND, Key::KIND], |s| Some(s.of)),
        Edge::cascade("acts_for", &[Organization::KIND], |s| s.acts_for.map(Id::any)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["hash"], &["refresh"]];
    const LOGGED: bool = false;
    type Status = SessionStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("hash", self.hash.as_str(), 255)?;
        check::name("dialect", &self.dialect, 32)?;
        check::length("agent", self.agent.as_deref().unwrap_or_default(), 1024)
    }

    fn title(&self) -> String {
        format!("{} login of {}", self.dialect, self.of)
    }
}
