//! A BGP community: a mark on routes that policies set and read.

use std::net::Ipv4Addr;

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
};

/// A named BGP community.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Community {
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its value: `64500:1`, `target:64500:1`, `origin:192.0.2.1:1` or `64500:1:2`.
    pub value: String,
    /// Whether it is put on what comes in or on what goes out; both when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<CommunityDirection>,
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

/// Where a community is put on routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommunityDirection {
    /// On routes that come in.
    Ingress,
    /// On routes that go out.
    Egress,
}

impl CommunityDirection {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["ingress", "egress"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// The form of a community's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommunityKind {
    /// Two 16-bit numbers (RFC 1997).
    Standard,
    /// A route target or a route origin (RFC 4360, RFC 5668).
    Extended,
    /// Three 32-bit numbers (RFC 8092).
    Large,
}

impl CommunityKind {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["standard", "extended", "large"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The form a value has, if it has one.
    pub fn of(value: &str) -> Option<Self> {
        let parts: Vec<&str> = value.split(':').collect();
        match parts[..] {
            [a, b] if number(a)? <= 0xffff && number(b)? <= 0xffff => Some(Self::Standard),
            ["origin" | "target", administrator, local] => {
                // Six octets in all: what the administrator leaves is the local part.
                let wide = administrator.parse::<Ipv4Addr>().is_ok() || number(administrator)? > 0xffff;
                (!wide || number(local)? <= 0xffff).then_some(number(local)).flatten().map(|_| Self::Extended)
            }
            [a, b, c] => number(a).and(number(b)).and(number(c)).map(|_| Self::Large),
            _ => None,
        }
    }
}

/// A decimal number of 32 bits, without sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Community {
    /// The form of its value.
    pub fn kind(&self) -> Option<CommunityKind> {
        CommunityKind::of(&self.value)
    }
}

impl Resource for Community {
    const KIND: Kind = Kind::new("community");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("value", FieldType::Text, |s: &Self| s.value.as_str().into()).searchable(),
        Field::new("direction", FieldType::Text, |s: &Self| s.direction.map(CommunityDirection::word).into())
            .words(CommunityDirection::WORDS),
        Field::new("kind", FieldType::Text, |s: &Self| s.kind().map(CommunityKind::word).into())
            .words(CommunityKind::WORDS),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        check::name("value", &self.value, 50)?;
        if self.kind().is_none() {
            return Err(Invalid::format("value", "a standard, extended or large BGP community"));
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
    fn the_form_of_a_value_is_read_from_it() {
        for (value, kind) in [
            ("64500:1", Some(CommunityKind::Standard)),
            ("0:65535", Some(CommunityKind::Standard)),
            ("65536:1", None),
            ("64500:65536", None),
            ("target:64500:4294967295", Some(CommunityKind::Extended)),
            ("origin:4200000000:65535", Some(CommunityKind::Extended)),
            ("origin:4200000000:65536", None),
            ("target:192.0.2.1:10", Some(CommunityKind::Extended)),
            ("target:192.0.2.1:65536", None),
            ("target:192.0.2:1", None),
            ("color:64500:1", None),
            ("4200000000:1:4294967295", Some(CommunityKind::Large)),
            ("4294967296:1:1", None),
            ("+1:1", None),
            (":1", None),
            ("64500", None),
            ("1:2:3:4", None),
        ] {
            assert_eq!(CommunityKind::of(value), kind, "{value}");
        }
    }

    #[test]
    fn a_value_without_a_form_is_refused() {
        let good = Community { name: "A".into(), slug: "a".into(), value: "64500:1".into(), ..Community::default() };
        assert_eq!(good.check(None), Ok(()));
        assert_eq!(Community { value: "blackhole".into(), ..good }.check(None).unwrap_err().field, "value");
    }
}
