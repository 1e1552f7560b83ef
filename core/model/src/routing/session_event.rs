//! The history of sessions: a row for each change of state, and one for their counts at most every so often. Rows go with age.
//!
//! A row names its session by id and does not refer to it: a session may leave more rows behind than a removal takes along, and its
//! history may be wanted when it is gone.

use meetme_base::{Invalid, Kind, RawId, Time};
use meetme_store::{Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BgpState, Nothing};

/// Something that was seen of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEvent {
    /// The session, direct or across an exchange.
    pub session: RawId,
    /// When it was seen.
    pub at: Time,
    /// What it is about.
    pub what: SessionEventKind,
    /// The state it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<BgpState>,
    /// The state before, where it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BgpState>,
    /// Prefixes received.
    #[serde(default)]
    pub received: u32,
    /// Prefixes accepted.
    #[serde(default)]
    pub accepted: u32,
    /// Prefixes announced.
    #[serde(default)]
    pub advertised: u32,
    /// How often it had gone down by then.
    #[serde(default)]
    pub flaps: u32,
    /// The peer's or the equipment's last complaint, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint: Option<String>,
}

/// What a row of a session's history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionEventKind {
    /// Its state changed, or it went down and came up again between two looks.
    State,
    /// Its counts changed.
    Counts,
}

impl SessionEventKind {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["state", "counts"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Resource for SessionEvent {
    const KIND: Kind = Kind::new("session_event");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("session", FieldType::Int, |s: &Self| s.session.get().into()),
        Field::new("at", FieldType::Time, |s: &Self| s.at.into()).indexed(),
        Field::new("what", FieldType::Text, |s: &Self| s.what.word().into()).words(SessionEventKind::WORDS),
        Field::new("state", FieldType::Text, |s: &Self| s.state.map(BgpState::word).into()).words(BgpState::WORDS),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[&["session", "at"]];
    const LOGGED: bool = false;
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }

    fn title(&self) -> String {
        format!("session {} {}", self.session, self.what.word())
    }
}
