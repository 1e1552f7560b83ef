//! The life of things that are ordered, built, changed and taken down: one state machine for circuits, ports, networks, devices,
//! blocks and whatever else equipment has to do something for. Dialects spell its phases in their own words.

use meetme_base::Time;
use meetme_store::Filter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The wish about a life: part of the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Life {
    /// What the owner wants of it.
    pub wanted: Wanted,
    /// A date on which it shall end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Time>,
    /// Who has locked it against removal and disruptive change.
    pub lock: Lock,
    /// For how long it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
    /// The customer's own reference for invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<String>,
}

/// What the owner wants of a thing with a life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Designed only; nothing is claimed or built.
    Draft,
    /// Built and working.
    #[default]
    Up,
    /// Built but switched off.
    Off,
    /// Taken down.
    Gone,
}

impl Wanted {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["draft", "up", "off", "gone"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Who has locked a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// Nobody.
    #[default]
    None,
    /// Its owner.
    Owner,
    /// The operator; only the operator can unlock it.
    Operator,
}

/// For how long a thing is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Paid by the hour.
    Hour,
    /// Paid by the day.
    Day,
    /// Paid by the month and bound for this many months.
    Months(u16),
}

impl Term {
    /// For about how many days it binds: enough to tell which of two terms is the shorter.
    pub const fn days(self) -> u32 {
        match self {
            Self::Hour => 0,
            Self::Day => 1,
            Self::Months(n) => n as u32 * 28,
        }
    }
}

/// Where provisioning stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Designed, nothing claimed.
    Draft,
    /// Waits for somebody's yes.
    Asking,
    /// Accepted, waits for work or room.
    #[default]
    Queued,
    /// Equipment is being set.
    Building,
    /// Our side is done, the far side not yet.
    Ready,
    /// Works.
    Up,
    /// Built, service lost.
    Down,
    /// Switched off by wish.
    Off,
    /// Being changed; the step says how.
    Changing,
    /// Gave up; the step says at what: `build`, `change` or `removal`.
    Failed,
    /// Cancelled for a later date.
    Ending,
    /// Being taken down.
    Removing,
    /// A tombstone.
    Gone,
}

impl Phase {
    /// Every phase with its stored word.
    pub const WORDS: &'static [&'static str] = &[
        "draft", "asking", "queued", "building", "ready", "up", "down", "off", "changing", "failed", "ending",
        "removing", "gone",
    ];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Whether the thing works or could work: our side of it is built.
    pub const fn is_built(self) -> bool {
        matches!(self, Self::Ready | Self::Up | Self::Down | Self::Off | Self::Changing | Self::Ending)
    }
}

/// The rows of a kind with a life that are no tombstones.
pub fn living() -> Filter {
    Filter::eq("phase", Phase::Gone.word()).not()
}

/// Why a thing is in its phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// A fixed word.
    pub code: String,
    /// One sentence a customer can read.
    pub text: String,
}

/// What controllers know of a life: part of the status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LifeStatus {
    /// Where it stands.
    pub phase: Phase,
    /// Why it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The step within the phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Since when it is in this phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When it was first ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Time>,
    /// When it was gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

impl LifeStatus {
    /// The same life in another phase, at `now`.
    #[must_use]
    pub fn moved(&self, phase: Phase, step: Option<&str>, now: Time) -> Self {
        let mut next = self.clone();
        if phase != self.phase {
            next.since = Some(now);
            next.reason = None;
        }
        next.phase = phase;
        next.step = step.map(str::to_owned);
        if matches!(phase, Phase::Ready | Phase::Up) && next.ready_at.is_none() {
            next.ready_at = Some(now);
        }
        if phase == Phase::Gone && next.ended_at.is_none() {
            next.ended_at = Some(now);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_are_stored() {
        for (phase, word) in [(Phase::Draft, "draft"), (Phase::Changing, "changing"), (Phase::Gone, "gone")] {
            assert_eq!((phase.word(), serde_json::to_value(phase).unwrap()), (word, word.into()));
        }
    }
}
