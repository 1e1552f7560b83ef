//! An open invitation into an organization or into projects of it. The row hangs on the node into which it invites, or on the
//! organization where it invites into several. Once it is accepted, declined or withdrawn it goes; the change log remembers.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource, fold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hash, Organization, Project, Role, User, email_address::check_email};
use crate::{
    Ext, check,
    edge::{self, ids, without},
};

/// An invitation that waits for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// The address of whom is invited.
    pub email: String,
    /// Some words for the invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The keyed SHA-256 of the text that only the mail holds.
    pub nonce: Hash,
    /// When it can no longer be accepted.
    pub expires_at: Time,
    /// The organization.
    pub scope: Id<Organization>,
    /// The only projects meant; the whole organization when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<Id<Project>>,
    /// The roles the invited will have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Id<Role>>,
    /// Who invites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Id<User>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What was seen of an invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InvitationStatus {
    /// When the mail was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Time>,
}

impl Resource for Invitation {
    const KIND: Kind = Kind::new("invitation");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("email", FieldType::Text, |s: &Self| s.email.as_str().into()).indexed().searchable(),
        // The form in which two addresses are the same address.
        Field::new("email_key", FieldType::Text, |s| fold(&s.email).into()),
        Field::new("nonce", FieldType::Text, |s: &Self| s.nonce.as_str().into()).hidden(),
        Field::new("expires_at", FieldType::Time, |s: &Self| s.expires_at.into()).indexed(),
        Field::status("sent_at", FieldType::Time, |s: &Self::Status| s.sent_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("scope", &[Organization::KIND], |s| Some(s.scope.any())),
        // It goes with any of its projects: without the last one it would reach the whole organization.
        Edge::many(
            "projects",
            &[Project::KIND],
            OnDelete::Cascade,
            |s| ids(&s.projects),
            |s, id| without(&mut s.projects, id),
        ),
        edge::roles(|s| ids(&s.roles), |s, id| without(&mut s.roles, id)),
        Edge::detach("by", &[User::KIND], |s| s.by.map(Id::any), |s| s.by = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "email_key"], &["nonce"]];
    type Status = InvitationStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.scope != self.scope) {
            return Err(Invalid::rule("scope", "An invitation cannot be moved."));
        }
        check_email("email", &self.email)?;
        check::name("nonce", self.nonce.as_str(), 255)?;
        check::length("message", self.message.as_deref().unwrap_or_default(), 4000)
    }

    fn title(&self) -> String {
        self.email.clone()
    }
}
