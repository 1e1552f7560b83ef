//! What a volume held at a moment, and the rules by which such moments are kept.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Volume;
use crate::{Life, LifeStatus, Phase, Wanted, check};

/// A snapshot of a volume. The row hangs on the volume's project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The volume.
    pub volume: Id<Volume>,
    /// The moment that was asked for.
    pub taken_at: Time,
    /// The rule that asked for it; a person when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Id<SnapshotPolicy>>,
    /// The wish about its life.
    #[serde(default)]
    pub life: Life,
}

/// What was seen of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SnapshotStatus {
    /// Its life.
    pub life: LifeStatus,
}

impl Resource for Snapshot {
    const KIND: Kind = Kind::new("snapshot");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("taken_at", FieldType::Time, |s: &Self| s.taken_at.into()),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("volume", &[Volume::KIND], |s| Some(s.volume.any())),
        Edge::detach("policy", &[SnapshotPolicy::KIND], |s| s.policy.map(Id::any), |s| s.policy = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["volume", "taken_at"]];
    type Status = SnapshotStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| (b.volume, b.taken_at) != (self.volume, self.taken_at)) {
            return Err(Invalid::rule("taken_at", "A snapshot is of one volume and one moment."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} at {}", self.volume, self.taken_at.rfc3339_seconds())
    }

    fn is_gone(&self, status: &Self::Status) -> bool {
        status.life.phase == Phase::Gone
    }
}

/// How often a snapshot is taken, and how many are kept. The row hangs on the volume's project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotPolicy {
    /// The volume.
    pub volume: Id<Volume>,
    /// How often.
    pub every: Frequency,
    /// How many are kept, the youngest ones.
    pub keep: u16,
}

/// How often something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Every 15 minutes.
    Quarter,
    /// Every hour.
    Hour,
    /// Every 24 hours.
    Day,
    /// Every 7 days.
    Week,
    /// Every 30 days.
    Month,
    /// Every 365 days.
    Year,
}

impl Frequency {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["quarter", "hour", "day", "week", "month", "year"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// The time between two, in seconds.
    pub const fn seconds(self) -> i64 {
        const DAY: i64 = 24 * 3600;
        match self {
            Self::Quarter => 15 * 60,
            Self::Hour => 3600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Year => 365 * DAY,
        }
    }
}

/// What a rule has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SnapshotPolicyStatus {
    /// When it last asked for a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
}

impl Resource for SnapshotPolicy {
    const KIND: Kind = Kind::new("snapshot_policy");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("every", FieldType::Text, |s: &Self| s.every.word().into()).words(Frequency::WORDS),
        Field::new("keep", FieldType::Int, |s| i64::from(s.keep).into()),
        Field::status("last", FieldType::Time, |s: &Self::Status| s.last.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("volume", &[Volume::KIND], |s| Some(s.volume.any()))];
    type Status = SnapshotPolicyStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.volume != self.volume) {
            return Err(Invalid::rule("volume", "A rule is for one volume."));
        }
        check::range("keep", self.keep, 1, 1000)
    }

    fn title(&self) -> String {
        format!("{} of volume {}, {} kept", self.every.word(), self.volume, self.keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_are_stored() {
        for (every, word) in [(Frequency::Quarter, "quarter"), (Frequency::Year, "year")] {
            assert_eq!((every.word(), serde_json::to_value(every).unwrap()), (word, word.into()));
        }
    }

    #[test]
    fn at_least_one_snapshot_is_kept() {
        let policy = |keep| SnapshotPolicy { volume: Id::new(1), every: Frequency::Day, keep };
        assert_eq!(policy(1).check(None), Ok(()));
        assert_eq!(policy(0).check(None).unwrap_err().field, "keep");
    }
}
