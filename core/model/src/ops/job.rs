//! Work that takes longer than a request, with what it said and how it ended.

use meetme_base::{Id, Invalid, Kind, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext,
    access::{Key, User},
    check,
};

/// A piece of work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Job {
    /// What is done, in one lower-case word or several joined by dots.
    pub what: String,
    /// Its name for people.
    pub name: String,
    /// What it works on, besides the subject.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub inputs: serde_json::Value,
    /// When it shall begin; at once when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// The object it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<RawId>,
    /// The kind of that object, which outlives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The job it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id<Job>>,
    /// Who asked for it: a user or a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<RawId>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its turn.
    #[default]
    Queued,
    /// At work.
    Running,
    /// Done.
    Ok,
    /// Found that it cannot be done.
    Failed,
    /// Was stopped, or broke.
    Aborted,
}

impl JobState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["queued", "running", "ok", "failed", "aborted"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ok | Self::Failed | Self::Aborted)
    }
}

/// How much a line of a log matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Good to know.
    #[default]
    Info,
    /// Something went well.
    Success,
    /// Something to look at.
    Warning,
    /// Something went wrong.
    Failure,
}

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// When it was said.
    pub at: Time,
    /// How much it matters.
    #[serde(default)]
    pub level: LogLevel,
    /// What was said.
    pub text: String,
}

/// What was seen of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JobStatus {
    /// Where it stands.
    pub state: JobState,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// What it said on its way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogEntry>,
    /// What it answers, as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// What it answers, as data.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub answer: serde_json::Value,
}

impl Resource for Job {
    const KIND: Kind = Kind::new("job");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("what", FieldType::Text, |s: &Self| s.what.as_str().into()).indexed().searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("about", FieldType::Text, |s: &Self| s.about.clone().into()),
        Field::new("due", FieldType::Time, |s| s.due.into()),
        Field::status("state", FieldType::Text, |s: &Self::Status| s.state.word().into())
            .indexed()
            .words(JobState::WORDS),
        Field::status("started", FieldType::Time, |s: &Self::Status| s.started.into()),
        Field::status("ended", FieldType::Time, |s: &Self::Status| s.ended.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::detach("subject", &[], |s| s.subject, |s| s.subject = None),
        Edge::cascade("parent", &[Job::KIND], |s| s.parent.map(Id::any)),
        Edge::detach("by", &[User::KIND, Key::KIND], |s| s.by, |s| s.by = None),
    ];
    // The newest first, as every list of jobs is shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "created"]];
    type Status = JobStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("what", &self.what, 100)?;
        check::name("name", &self.name, 255)?;
        if before.is_some_and(|b| b.what != self.what || b.inputs != self.inputs) {
            return Err(Invalid::rule("what", "What a job does is settled when it is made."));
        }
        Ok(())
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
        for word in JobState::WORDS {
            assert_eq!(JobState::parse(word).map(JobState::word), Some(*word));
        }
    }

    #[test]
    fn a_job_does_what_it_was_made_for() {
        let before = Job { what: "router.deploy".into(), name: "Deploy".into(), ..Job::default() };
        let later = Job { due: Some(Time(1)), ..before.clone() };
        assert!(later.check(Some(&before)).is_ok());
        let other = Job { what: "router.poll".into(), ..before.clone() };
        assert_eq!(other.check(Some(&before)).unwrap_err().field, "what");
    }
}
