//! A text with holes: a router's configuration, a mail, an export of a list.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::{DataSource, Follows, Tag},
};

/// A Jinja template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// What it makes.
    pub purpose: TemplatePurpose,
    /// The subject of the mail, a template too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What an export lists the rows of, in the words of [`crate::ops::subject`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The text.
    pub text: String,
    /// Whether the first line break after a block is left out.
    pub trim: bool,
    /// Whether blanks before a block are left out.
    pub lstrip: bool,
    /// The file that the text is taken from.
    #[serde(skip_serializing_if = "Follows::is_default")]
    pub follows: Follows,
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

/// What a template makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplatePurpose {
    /// The configuration of a router.
    #[default]
    Router,
    /// A mail to the people of an AS.
    Mail,
    /// A text made of the rows of a list.
    Export,
}

impl TemplatePurpose {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["router", "mail", "export"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Resource for Template {
    const KIND: Kind = Kind::new("template");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("purpose", FieldType::Text, |s: &Self| s.purpose.word().into()).words(TemplatePurpose::WORDS),
        Field::new("subject", FieldType::Text, |s: &Self| s.subject.clone().into()).searchable(),
        Field::new("kind", FieldType::Text, |s| s.kind.clone().into()),
        Field::new("trim", FieldType::Bool, |s| s.trim.into()),
        Field::new("lstrip", FieldType::Bool, |s| s.lstrip.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
        Field::new("data_path", FieldType::Text, |s| s.follows.path.as_str().into()),
        Field::new("automatic", FieldType::Bool, |s| s.follows.automatic.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
        Edge::detach(
            "source",
            &[DataSource::KIND],
            |s| s.follows.source.map(Id::any),
            |s| s.follows = Follows::default(),
        ),
    ];
    // Lists show one purpose at a time.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "purpose", "name"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        if before.is_some_and(|b| b.purpose != self.purpose) {
            return Err(Invalid::rule("purpose", "The purpose of a template cannot be changed."));
        }
        match (self.purpose, &self.subject) {
            (TemplatePurpose::Mail, Some(subject)) => check::name("subject", subject, 512)?,
            (TemplatePurpose::Mail, None) => return Err(Invalid::required("subject")),
            (_, Some(_)) => return Err(Invalid::rule("subject", "Only a mail has a subject.")),
            (_, None) => {}
        }
        match (self.purpose, &self.kind) {
            (TemplatePurpose::Export, Some(kind)) => {
                kind.split('.').try_for_each(|word| check::slug("kind", word, 50))?
            }
            (TemplatePurpose::Export, None) => return Err(Invalid::required("kind")),
            (_, Some(_)) => return Err(Invalid::rule("kind", "Only an export lists rows of a kind.")),
            (_, None) => {}
        }
        self.follows.check()?;
        if self.text.is_empty() {
            return Err(Invalid::new("text", "blank", "This field may not be blank."));
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
    fn a_mail_has_a_subject_and_nothing_else_has() {
        let text = |purpose| Template { name: "T".into(), purpose, text: "x".into(), ..Template::default() };
        let subject = Some("Hello".to_owned());
        assert_eq!(text(TemplatePurpose::Mail).check(None).unwrap_err(), Invalid::required("subject"));
        assert_eq!(Template { subject: subject.clone(), ..text(TemplatePurpose::Mail) }.check(None), Ok(()));
        assert_eq!(
            Template { subject, ..text(TemplatePurpose::Router) }.check(None).unwrap_err().field,
            "subject".to_owned()
        );
    }
}
