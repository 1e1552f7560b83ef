//! Timers of bidirectional forwarding detection. Peering books name them; those that come with a circuit have no name and are
//! found again by their values.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
};

/// A set of timers of bidirectional forwarding detection (RFC 5880).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bfd {
    /// Its name; absent when it was made for a circuit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The least interval between packets we send, in milliseconds.
    pub tx_ms: u32,
    /// The least interval between packets we accept, in milliseconds.
    pub rx_ms: u32,
    /// How many packets may be lost before the path counts as down.
    pub multiplier: u8,
    /// How long a path must be up before sessions are told, in milliseconds.
    pub hold_ms: u32,
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

impl Default for Bfd {
    fn default() -> Self {
        Self {
            name: None,
            slug: None,
            tx_ms: 300,
            rx_ms: 300,
            multiplier: 3,
            hold_ms: 0,
            description: None,
            comments: String::new(),
            context: None,
            tags: Vec::new(),
        }
    }
}

impl Bfd {
    /// The longest interval, in milliseconds.
    pub const LONGEST_MS: u32 = 255_000;
}

impl Resource for Bfd {
    const KIND: Kind = Kind::new("bfd");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.clone().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.clone().into()).searchable(),
        Field::new("tx_ms", FieldType::Int, |s| s.tx_ms.into()),
        Field::new("rx_ms", FieldType::Int, |s| s.rx_ms.into()),
        Field::new("multiplier", FieldType::Int, |s| s.multiplier.into()),
        Field::new("hold_ms", FieldType::Int, |s| s.hold_ms.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        if let Some(name) = &self.name {
            check::name("name", name, 100)?;
        }
        if let Some(slug) = &self.slug {
            check::slug("slug", slug, 100)?;
        }
        check::range("tx_ms", self.tx_ms, 1, Self::LONGEST_MS)?;
        check::range("rx_ms", self.rx_ms, 1, Self::LONGEST_MS)?;
        check::range("multiplier", self.multiplier, 1, 255)?;
        check::range("hold_ms", self.hold_ms, 0, Self::LONGEST_MS)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}/{} ms x {}", self.tx_ms, self.rx_ms, self.multiplier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_nothing_is_refused() {
        assert_eq!(Bfd::default().check(None), Ok(()));
        assert_eq!(Bfd { tx_ms: 0, ..Bfd::default() }.check(None).unwrap_err().field, "tx_ms");
        assert_eq!(Bfd { rx_ms: 255_001, ..Bfd::default() }.check(None).unwrap_err().field, "rx_ms");
    }
}
