//! A routing policy by name. What it does is written in the equipment or in a template; here is where it applies, and in which
//! order.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
    routing::Community,
};

/// A routing policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its name in addresses and in rendered configurations.
    pub slug: String,
    /// Whether it is about what we accept or what we announce.
    pub direction: PolicyDirection,
    /// Its place among others: the higher comes first.
    pub weight: u16,
    /// The address family it is for: 4, 6, or 0 for both.
    pub family: u8,
    /// Communities it sets.
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

/// Whether a policy is about what we accept or what we announce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyDirection {
    /// What we accept.
    #[default]
    Import,
    /// What we announce.
    Export,
    /// Either.
    Both,
}

impl PolicyDirection {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["import", "export", "both"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Whether it may be used on what we accept.
    pub const fn imports(self) -> bool {
        matches!(self, Self::Import | Self::Both)
    }
    /// Whether it may be used on what we announce.
    pub const fn exports(self) -> bool {
        matches!(self, Self::Export | Self::Both)
    }
}

impl Policy {
    /// Whether it is for sessions between addresses of this family.
    pub const fn fits(&self, ip: IpAddr) -> bool {
        match self.family {
            4 => ip.is_ipv4(),
            6 => ip.is_ipv6(),
            _ => true,
        }
    }
}

impl Resource for Policy {
    const KIND: Kind = Kind::new("policy");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("direction", FieldType::Text, |s: &Self| s.direction.word().into()).words(PolicyDirection::WORDS),
        Field::new("weight", FieldType::Int, |s| s.weight.into()),
        Field::new("family", FieldType::Int, |s| s.family.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        edge::communities(|s| ids(&s.communities), |s, id| without(&mut s.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    // Most important first, then by name.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "weight", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        check::range("weight", self.weight, 0, i16::MAX.unsigned_abs())?;
        if !matches!(self.family, 0 | 4 | 6) {
            return Err(Invalid::choice("family", self.family));
        }
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_4_or_6_or_both() {
        let policy = |family| Policy { name: "P".into(), slug: "p".into(), family, ..Policy::default() };
        for family in [0, 4, 6] {
            assert_eq!(policy(family).check(None), Ok(()));
        }
        assert_eq!(policy(5).check(None).unwrap_err(), Invalid::choice("family", 5));
    }

    #[test]
    fn a_policy_fits_the_sessions_of_its_family() {
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        let fits = |family| Policy { family, ..Policy::default() }.fits(v6);
        assert_eq!([fits(0), fits(4), fits(6)], [true, false, true]);
    }
}
