//! What somebody noted about an object: the book in which people write what happened and why.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::{
    Nothing,
    access::User,
    check,
    edge::{self, ids, without},
};

/// An entry about an object of any kind; it goes with the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Journal {
    /// The object.
    pub on: RawId,
    /// What the object is, in the words of [`super::subject`]. Decided by the core whatever a caller says.
    #[serde(default)]
    pub sort: String,
    /// How much it matters.
    #[serde(default)]
    pub level: JournalLevel,
    /// What is noted.
    pub text: String,
    /// Who wrote it: the caller, when nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Id<User>>,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

/// How much an entry matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JournalLevel {
    /// Good to know.
    #[default]
    Info,
    /// Something went well.
    Success,
    /// Something to look at.
    Warning,
    /// Something went wrong.
    Danger,
}

impl JournalLevel {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["info", "success", "warning", "danger"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

impl Resource for Journal {
    const KIND: Kind = Kind::new("journal");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("sort", FieldType::Text, |s: &Self| s.sort.as_str().into()).indexed(),
        Field::new("level", FieldType::Text, |s: &Self| s.level.word().into()).words(JournalLevel::WORDS),
        Field::new("text", FieldType::Text, |s: &Self| s.text.as_str().into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("on", &[], |s| Some(s.on)),
        Edge::detach("by", &[User::KIND], |s| s.by.map(Id::any), |s| s.by = None),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    // The newest first, as every list of entries is shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "created"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("text", &self.text, 65_535)
    }

    fn title(&self) -> String {
        // The first line, as far as it fits into a list.
        self.text.lines().next().unwrap_or_default().chars().take(60).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_are_stored() {
        for word in JournalLevel::WORDS {
            assert_eq!(JournalLevel::parse(word).map(JournalLevel::word), Some(*word));
        }
    }

    #[test]
    fn an_entry_says_something() {
        let entry = |text: &str| Journal {
            on: RawId::new(1),
            sort: String::new(),
            level: JournalLevel::Info,
            text: text.into(),
            by: None,
            tags: Vec::new(),
        };
        assert_eq!(entry("Moved\nto rack 4").title(), "Moved");
        assert_eq!(entry(" \n").check(None).unwrap_err().field, "text");
    }
}
