//! What is kept of a session's history when it was looked at: each change of state, and its counts when they changed, but not more
//! often than configured. A session that never rests keeps only so many changes of an hour; its flaps are counted all the same.

use meetme_base::{RawId, Time};
use meetme_model::{
    BgpState, Kept, PeerStatus,
    routing::{SessionEvent, SessionEventKind},
};

/// The most changes of state of one session that are kept of an hour.
const MOST_CHANGES: u32 = 20;
const HOUR: i64 = 3_600_000;

/// The rows to keep, and, in `after`, that they are kept.
pub(super) fn note(
    session: RawId,
    before: &PeerStatus,
    after: &mut PeerStatus,
    now: Time,
    sample_seconds: i64,
) -> Vec<SessionEvent> {
    let mut kept = before.kept.unwrap_or_default();
    let row = |what, after: &PeerStatus| SessionEvent {
        session,
        at: now,
        what,
        state: after.state,
        before: None,
        received: after.received,
        accepted: after.accepted,
        advertised: after.advertised,
        flaps: after.flaps,
        complaint: after.last_error.clone(),
    };
    let mut out = Vec::new();
    if before.state != after.state || before.flaps != after.flaps {
        let hour = now.0.div_euclid(HOUR);
        if kept.hour != hour {
            (kept.hour, kept.changes) = (hour, 0);
        }
        if kept.changes < MOST_CHANGES {
            kept.changes += 1;
            out.push(SessionEvent { before: before.state, ..row(SessionEventKind::State, after) });
        }
    }
    let counts = |s: &PeerStatus| (s.received, s.accepted, s.advertised);
    let is_due = kept.at.is_none_or(|at| now.0 - at.0 >= sample_seconds * 1000);
    if after.state == Some(BgpState::Established)
        && is_due
        && (kept.at.is_none() || counts(after) != (kept.received, kept.accepted, kept.advertised))
    {
        let (received, accepted, advertised) = counts(after);
        kept = Kept { at: Some(now), received, accepted, advertised, ..kept };
        out.push(row(SessionEventKind::Counts, after));
    }
    if !out.is_empty() {
        after.kept = Some(kept);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(received: u32) -> PeerStatus {
        PeerStatus { state: Some(BgpState::Established), received, ..PeerStatus::default() }
    }

    fn words(rows: &[SessionEvent]) -> Vec<(&'static str, u32)> {
        rows.iter().map(|row| (row.what.word(), row.received)).collect()
    }

    #[test]
    fn a_change_of_state_is_kept_and_counts_only_every_so_often() {
        let mut first = up(5);
        let rows = note(RawId::new(1), &PeerStatus::default(), &mut first, Time(0), 60);
        assert_eq!(words(&rows), [("state", 5), ("counts", 5)]);
        let mut soon = PeerStatus { received: 9, ..first.clone() };
        assert_eq!(note(RawId::new(1), &first, &mut soon, Time(59_000), 60), []);
        let mut later = soon.clone();
        assert_eq!(words(&note(RawId::new(1), &soon, &mut later, Time(60_000), 60)), [("counts", 9)]);
        let mut quiet = later.clone();
        assert_eq!(
            note(RawId::new(1), &later, &mut quiet, Time(600_000), 60),
            [],
            "what did not change is not kept again"
        );
        let mut down = PeerStatus { state: Some(BgpState::Idle), received: 0, flaps: 1, ..quiet.clone() };
        let rows = note(RawId::new(1), &quiet, &mut down, Time(601_000), 60);
        assert_eq!((words(&rows), rows[0].before), (vec![("state", 0)], Some(BgpState::Established)));
    }

    #[test]
    fn a_session_that_never_rests_leaves_so_many_rows_an_hour() {
        let mut status = PeerStatus::default();
        let mut rows = 0;
        for n in 0..100 {
            let state = if n % 2 == 0 { BgpState::Active } else { BgpState::Connect };
            let mut after = PeerStatus { state: Some(state), ..status.clone() };
            rows += note(RawId::new(1), &status, &mut after, Time(n * 1000), 60).len();
            status = after;
        }
        assert_eq!(rows, 20);
        let mut after = PeerStatus { state: Some(BgpState::Idle), ..status.clone() };
        assert_eq!(note(RawId::new(1), &status, &mut after, Time(HOUR), 60).len(), 1);
    }
}
