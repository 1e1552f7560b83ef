//! The permission of a project to speak BGP from its devices, and the values all its sessions share.

use meetme_base::{Asn, Id, Invalid, Kind, Sealed};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ext, Nothing, access::Project, check};

/// A project's wish to speak BGP, and the operator's answer to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BgpConfig {
    /// The project.
    pub project: Id<Project>,
    /// How far its announcements go.
    #[serde(default)]
    pub reach: BgpReach,
    /// The project's AS number.
    pub asn: Asn,
    /// The TCP MD5 password (RFC 2385) of all its sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// The most prefixes accepted on one session.
    #[serde(default = "ten")]
    pub max_prefix: u32,
    /// The AS-SET or route object that documents what it may announce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_object: Option<String>,
    /// What it wants BGP for, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_case: Option<String>,
    /// The operator's answer.
    #[serde(default)]
    pub answer: Answer,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

const fn ten() -> u32 {
    10
}

/// How far a project's announcements go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BgpReach {
    /// Its own place only, from a private AS number.
    #[default]
    Local,
    /// The Internet, from an AS number of its own.
    Global,
}

impl BgpReach {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["local", "global"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// An answer to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nobody has answered yet.
    #[default]
    Open,
    /// Granted.
    Yes,
    /// Declined, or withdrawn again.
    No,
}

impl Answer {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["open", "yes", "no"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl BgpConfig {
    /// The wish of a project to speak BGP, not yet answered.
    pub fn new(project: Id<Project>, asn: Asn) -> Self {
        Self {
            project,
            asn,
            reach: BgpReach::default(),
            password: None,
            max_prefix: ten(),
            route_object: None,
            use_case: None,
            answer: Answer::default(),
            ext: Ext::new(),
        }
    }
}

impl Resource for BgpConfig {
    const KIND: Kind = Kind::new("bgp_config");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("reach", FieldType::Text, |s: &Self| s.reach.word().into()).words(BgpReach::WORDS),
        Field::new("asn", FieldType::Int, |s: &Self| s.asn.into()).indexed().searchable(),
        Field::new("max_prefix", FieldType::Int, |s| s.max_prefix.into()),
        Field::new("has_password", FieldType::Bool, |s| s.password.is_some().into()),
        Field::new("route_object", FieldType::Text, |s: &Self| s.route_object.clone().into()).searchable(),
        Field::new("answer", FieldType::Text, |s: &Self| s.answer.word().into()).indexed().words(Answer::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("project", &[Project::KIND], |s| Some(s.project.any()))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["project"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.project != self.project) {
            return Err(Invalid::rule("project", "The project cannot be changed."));
        }
        check::range("max_prefix", self.max_prefix, 1, i32::MAX.unsigned_abs())?;
        check::length("route_object", self.route_object.as_deref().unwrap_or_default(), 255)?;
        check::length("use_case", self.use_case.as_deref().unwrap_or_default(), 1024)
    }

    fn title(&self) -> String {
        format!("AS{}, {}", self.asn, self.reach.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_with_its_project() {
        let one: BgpConfig = serde_json::from_value(serde_json::json!({"project": 1, "asn": 65000})).unwrap();
        assert_eq!((one.max_prefix, one.answer, one.check(None)), (10, Answer::Open, Ok(())));
        let other = BgpConfig { project: Id::new(2), ..one.clone() };
        assert_eq!(other.check(Some(&one)).unwrap_err().field, "project");
    }
}
