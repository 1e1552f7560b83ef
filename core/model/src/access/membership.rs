//! A user's place in an organization or a project. The row hangs on that node, so rights end where the tree does.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Organization, Project, Role, User};
use crate::{
    Nothing, check,
    edge::{self, ids, without},
};

/// What a user may do on one node of the tenant tree and below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// The user.
    pub user: Id<User>,
    /// The organization or project, which is also the node the row hangs on.
    pub scope: RawId,
    /// The rights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Id<Role>>,
    /// What the user is there, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Resource for Membership {
    const KIND: Kind = Kind::new("membership");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] =
        &[Field::new("title", FieldType::Text, |s: &Self| s.title.clone().into()).searchable()];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("user", &[User::KIND], |s| Some(s.user.any())),
        Edge::cascade("scope", &[Organization::KIND, Project::KIND], |s| Some(s.scope)),
        edge::roles(|s| ids(&s.roles), |s, id| without(&mut s.roles, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["user", "scope"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.user != self.user) {
            return Err(Invalid::rule("user", "A membership cannot be given to another user."));
        }
        if before.is_some_and(|b| b.scope != self.scope) {
            return Err(Invalid::rule("scope", "A membership cannot be moved."));
        }
        check::length("title", self.title.as_deref().unwrap_or_default(), 255)
    }

    fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| format!("{} in {}", self.user, self.scope))
    }
}
