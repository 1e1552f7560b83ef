//! Somebody who can be reached about other objects: a person, a desk, a mailing list.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::{
    Nothing,
    access::check_email,
    check,
    edge::{self, ids, without},
};

/// A contact. What it is a contact of is said by [`super::ContactAssignment`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Contact {
    /// Its name.
    pub name: String,
    /// What it does there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// A telephone number, as people write it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// An e-mail address; empty when there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// A postal address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
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

impl Resource for Contact {
    const KIND: Kind = Kind::new("contact");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("title", FieldType::Text, |s: &Self| s.title.as_str().into()).searchable(),
        Field::new("phone", FieldType::Text, |s: &Self| s.phone.as_str().into()).searchable(),
        Field::new("email", FieldType::Text, |s: &Self| s.email.as_str().into()).searchable(),
        Field::new("address", FieldType::Text, |s| s.address.as_str().into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::length("title", &self.title, 100)?;
        check::length("phone", &self.phone, 50)?;
        check::length("address", &self.address, 200)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        if self.email.is_empty() {
            return Ok(());
        }
        check_email("email", &self.email)
            .map_err(|bad| Invalid { message: "Enter a valid email address.".into(), ..bad })
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_missing_but_not_wrong() {
        let with = |email: &str| Contact { name: "NOC".into(), email: email.into(), ..Contact::default() };
        assert_eq!(with("").check(None), Ok(()));
        assert_eq!(with("noc@example.net").check(None), Ok(()));
        for bad in ["noc", "noc@example.net\r\nBcc: all@example.net", "a@b, c@d"] {
            assert_eq!(with(bad).check(None).map_err(|e| e.field), Err("email".into()), "{bad}");
        }
    }
}
