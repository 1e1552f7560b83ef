//! What a peer is to us on a direct session: customer, transit, private peering.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
};

/// A kind of business between two autonomous systems. Those in the operator's book are everybody's to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Relationship {
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its colour on screens: six hexadecimal digits.
    pub colour: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

impl Default for Relationship {
    fn default() -> Self {
        Self {
            name: String::new(),
            slug: String::new(),
            colour: "9e9e9e".into(),
            description: None,
            comments: String::new(),
            tags: Vec::new(),
        }
    }
}

impl Resource for Relationship {
    const KIND: Kind = Kind::new("relationship");
    const AREA: &'static str = "routing";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("colour", FieldType::Text, |s| s.colour.as_str().into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        if self.colour.len() != 6 || !self.colour.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid::format("colour", "six hexadecimal digits"));
        }
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_hexadecimal_digits() {
        let with = |colour: &str| Relationship {
            name: "Transit".into(),
            slug: "transit".into(),
            colour: colour.into(),
            ..Relationship::default()
        };
        assert_eq!(with("9E9e00").check(None), Ok(()));
        for bad in ["", "#9e9e9", "9e9e9", "red000"] {
            assert_eq!(with(bad).check(None).unwrap_err().field, "colour", "{bad}");
        }
    }
}
