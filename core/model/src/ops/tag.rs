//! A name, with a colour, that can be put on rows of many kinds.

use meetme_base::{Invalid, Kind};
use meetme_store::{Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Nothing, check};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// A short name for links.
    pub slug: String,
    /// Its colour: red, green and blue in six lower-case hexadecimal digits.
    #[serde(default = "grey")]
    pub colour: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

fn grey() -> String {
    "9e9e9e".into()
}

impl Tag {
    /// A grey tag.
    pub fn new(name: impl Into<String>, slug: impl Into<String>) -> Self {
        Self { name: name.into(), slug: slug.into(), colour: grey(), description: String::new() }
    }
}

impl Resource for Tag {
    const KIND: Kind = Kind::new("tag");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("colour", FieldType::Text, |s| s.colour.as_str().into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.as_str().into()).searchable(),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        check::length("description", &self.description, 200)?;
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.colour.len() == 6 && self.colour.bytes().all(digit) {
            return Ok(());
        }
        Err(Invalid::format("colour", "six lower-case hexadecimal digits"))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_six_digits() {
        let tag = |colour: &str| Tag { colour: colour.into(), ..Tag::new("Core", "core") };
        assert!(Tag::new("Core", "core").check(None).is_ok() && tag("00ff7f").check(None).is_ok());
        for bad in ["", "fff", "00FF7F", "#00ff7"] {
            assert_eq!(tag(bad).check(None).map_err(|e| e.field), Err("colour".into()), "{bad}");
        }
    }
}
