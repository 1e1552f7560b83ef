//! A group of direct sessions that share policies, communities and maintenance.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Admin, Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
    routing::{Community, Policy, SERVICE_WORDS},
};

/// A group of direct sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PeerGroup {
    /// Its name.
    pub name: String,
    /// Its name in addresses and in rendered configurations.
    pub slug: String,
    /// On, off or in maintenance; its sessions follow.
    pub admin: Admin,
    /// Policies on what we accept, after those of the session and of the AS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub import: Vec<Id<Policy>>,
    /// Policies on what we announce, after those of the session and of the AS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub export: Vec<Id<Policy>>,
    /// Communities for its sessions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<Id<Community>>,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Data for templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

impl Resource for PeerGroup {
    const KIND: Kind = Kind::new("peer_group");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("admin", FieldType::Text, |s: &Self| s.admin.word().into()).words(SERVICE_WORDS),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        edge::import(|s| ids(&s.import), |s, id| without(&mut s.import, id)),
        edge::export(|s| ids(&s.export), |s, id| without(&mut s.export, id)),
        edge::communities(|s| ids(&s.communities), |s, id| without(&mut s.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        super::service(self.admin)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
