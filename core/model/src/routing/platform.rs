//! The make of a router's software: how its passwords are written and what drives it.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
};

/// A make of router software. The built-in ones belong to the operator and are everybody's to use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Platform {
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// How its configuration shows session passwords; in the clear when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_form: Option<PasswordForm>,
    /// The name of the driver that talks to it.
    pub driver: String,
    /// Arguments for the driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<serde_json::Value>,
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

/// A reversible spelling of a password in a router's configuration, under the name operators know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordForm {
    /// Arista's type 7.
    AristaType7,
    /// Cisco's type 7.
    CiscoType7,
    /// Juniper's type 9.
    JuniperType9,
}

impl PasswordForm {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["arista-type7", "cisco-type7", "juniper-type9"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Resource for Platform {
    const KIND: Kind = Kind::new("platform");
    const AREA: &'static str = "routing";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("password_form", FieldType::Text, |s: &Self| s.password_form.map(PasswordForm::word).into())
            .words(PasswordForm::WORDS),
        Field::new("driver", FieldType::Text, |s: &Self| s.driver.as_str().into()).searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        check::length("driver", &self.driver, 50)?;
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
    fn the_words_are_those_that_are_stored() {
        for form in [PasswordForm::AristaType7, PasswordForm::CiscoType7, PasswordForm::JuniperType9] {
            assert_eq!(serde_json::to_value(form).unwrap(), form.word());
        }
    }
}
