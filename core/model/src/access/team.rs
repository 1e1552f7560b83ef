//! People who look after things together: a name for a set of users, and what its members may do.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Role, User};
use crate::{
    Ext, Labels, Nothing, check,
    edge::{self, ids, without},
};

/// A set of users of an organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// A short name for links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its members, in the order they joined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Id<User>>,
    /// What its members may do on its node and below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Id<Role>>,
    /// Labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Resource for Team {
    const KIND: Kind = Kind::new("team");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s| s.slug.clone().into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::many(
            "members",
            &[User::KIND],
            OnDelete::Detach,
            |s| ids(&s.members),
            |s, id| without(&mut s.members, id),
        ),
        edge::roles(|s| ids(&s.roles), |s, id| without(&mut s.roles, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        self.slug.as_ref().map_or(Ok(()), |slug| check::slug("slug", slug, 100))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
