//! What somebody is asked about: operations, policy, billing.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::{
    Nothing, check,
    edge::{self, ids, without},
};

/// A role that contacts have towards objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContactRole {
    /// Its name.
    pub name: String,
    /// Its name in addresses and templates.
    pub slug: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

impl Resource for ContactRole {
    const KIND: Kind = Kind::new("contact_role");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
