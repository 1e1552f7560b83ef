//! What the operator of a place, or whoever runs a part of it, tells the people it concerns; and who has read it.

use meetme_base::{Id, Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing,
    access::{Organization, Project, User},
    check,
    place::{Metro, Site},
};

/// A message to everybody at and below the node it hangs on, or to those of them whose things it touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// What it tells of.
    pub form: NotificationForm,
    /// Whether it can be read.
    #[serde(default)]
    pub state: NotificationState,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
    /// The text.
    pub text: String,
    /// When what it tells of begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// When it ends; not yet known when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The services it is about, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// The places it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<RawId>,
    /// The objects it touches, of any kind: only those who have them are told. Everybody when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<RawId>,
    /// Whether everybody is told. Decided by the core whatever a caller says: nothing is touched in particular.
    #[serde(default)]
    pub everybody: bool,
    /// Who has what it touches. Decided by the core whatever a caller says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<RawId>,
}

/// What a notification tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationForm {
    /// Something is not as it should be.
    Incident,
    /// Something will be worked on.
    Maintenance,
    /// Something does not work.
    Outage,
    /// Anything else.
    Message,
}

impl NotificationForm {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["incident", "maintenance", "outage", "message"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Whether a notification can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// Only by who writes it.
    #[default]
    Draft,
    /// By those it concerns.
    Published,
    /// No longer.
    Cancelled,
}

impl NotificationState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["draft", "published", "cancelled"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// How much a notification matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Something may be felt.
    Warning,
    /// Something is felt.
    Critical,
}

impl Severity {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["info", "warning", "critical"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Resource for Notification {
    const KIND: Kind = Kind::new("notification");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("form", FieldType::Text, |s: &Self| s.form.word().into()).words(NotificationForm::WORDS),
        Field::new("state", FieldType::Text, |s: &Self| s.state.word().into())
            .indexed()
            .words(NotificationState::WORDS),
        Field::new("severity", FieldType::Text, |s: &Self| s.severity.word().into()).words(Severity::WORDS),
        Field::new("text", FieldType::Text, |s: &Self| s.text.as_str().into()).searchable(),
        Field::new("from", FieldType::Time, |s: &Self| s.from.into()),
        Field::new("until", FieldType::Time, |s: &Self| s.until.into()),
        Field::new("services", FieldType::Texts, |s: &Self| s.services.clone().into()),
        Field::new("everybody", FieldType::Bool, |s| s.everybody.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::many(
            "sites",
            &[Metro::KIND, Site::KIND],
            OnDelete::Detach,
            |s| s.sites.clone(),
            |s, id| s.sites.retain(|site| *site != id),
        ),
        Edge::many(
            "touches",
            &[],
            OnDelete::Detach,
            |s| s.touches.clone(),
            |s, id| s.touches.retain(|object| *object != id),
        ),
        Edge::many(
            "parties",
            &[Organization::KIND, Project::KIND],
            OnDelete::Detach,
            |s| s.parties.clone(),
            |s, id| s.parties.retain(|node| *node != id),
        ),
    ];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("text", &self.text, 10_000)?;
        for service in &self.services {
            check::name("services", service, 255)?;
        }
        match (self.from, self.until) {
            (Some(from), Some(until)) if until < from => Err(Invalid::rule("until", "It ends after it begins.")),
            _ => Ok(()),
        }
    }

    fn title(&self) -> String {
        self.text.lines().next().unwrap_or_default().chars().take(60).collect()
    }
}

/// That somebody read a notification. The row hangs on the home of the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// What was read.
    pub notification: Id<Notification>,
    /// By whom: a person, or somebody for an organization.
    pub to: RawId,
    /// When.
    pub read_at: Time,
}

impl Resource for Receipt {
    const KIND: Kind = Kind::new("receipt");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[Field::new("read_at", FieldType::Time, |s: &Self| s.read_at.into())];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("notification", &[Notification::KIND], |s| Some(s.notification.any())),
        Edge::cascade("to", &[User::KIND, Organization::KIND], |s| Some(s.to)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["notification", "to"]];
    const LOGGED: bool = false;
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} read by {}", self.notification, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_are_stored() {
        for (value, word) in [
            (serde_json::to_value(NotificationForm::Outage).unwrap(), NotificationForm::Outage.word()),
            (serde_json::to_value(NotificationState::Cancelled).unwrap(), NotificationState::Cancelled.word()),
            (serde_json::to_value(Severity::Critical).unwrap(), Severity::Critical.word()),
        ] {
            assert_eq!(value, word);
        }
    }

    #[test]
    fn what_a_notification_tells_of_ends_after_it_begins() {
        let spec = serde_json::json!({"form": "maintenance", "text": "x", "from": Time(2), "until": Time(1)});
        let spec: Notification = serde_json::from_value(spec).unwrap();
        assert_eq!(spec.check(None).unwrap_err().field, "until");
    }
}
