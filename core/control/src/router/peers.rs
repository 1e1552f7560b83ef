//! Keeping what was seen of sessions. Only rows that changed are written: a poll that sees a thousand quiet sessions writes none.

use std::{collections::HashMap, net::IpAddr};

use meetme_agent::router::{BfdState as Watched, BgpState as Seen, Observed, SessionState};
use meetme_app::{
    Error,
    peering::Ruled,
    routers::{self, SessionId},
};
use meetme_base::Time;
use meetme_model::{
    BfdState, BgpState, Origins, PeerStatus,
    routing::{DirectSession, ExchangeSession, Router, RouterStatus, Stranger},
};
use meetme_store::{Object, Tx};

use super::Place;

use super::history;

/// Two looks at a session that has stayed up tell its beginning apart by less than this, in milliseconds.
const SAME: i64 = 2_000;

/// Keeps the state of every session of the router; true when all that are to be up are.
pub(super) fn record(
    tx: &mut Tx<'_>,
    router: &Object<Router>,
    places: &[Place],
    origins: &HashMap<SessionId, Origins>,
    seen: &Observed,
    sample_seconds: i64,
) -> Result<bool, Error> {
    let mut best: HashMap<SessionId, Option<&SessionState>> = places.iter().map(|place| (place.of, None)).collect();
    let by_key: HashMap<&str, &SessionState> =
        seen.sessions.iter().filter_map(|s| Some((s.key.as_ref()?.as_str(), s))).collect();
    // A configuration by an operator's template has names of its own; the peer's address tells which session one is.
    let strangers = seen.sessions.iter().filter(|s| s.key.is_none());
    let by_address: HashMap<IpAddr, &SessionState> = strangers.filter_map(|s| Some((s.peer_address?, s))).collect();
    let mut all_up = true;
    for Place { key, of: id, peer } in places {
        let state = by_key.get(key.as_str()).or_else(|| by_address.get(peer)).copied();
        all_up &= state.is_some_and(|s| !s.enabled || s.state == Seen::Established);
        // A session with several addresses of ours is as well as the best of them.
        let held = best.entry(*id).or_default();
        if state.map(|s| s.state as u8) > held.map(|s| s.state as u8) || held.is_none() {
            *held = state;
        }
    }
    let now = tx.now();
    let (direct, across) = routers::sessions(tx, router)?;
    for row in direct {
        let state = best.get(&SessionId::Direct(row.id)).copied();
        let origins = origins.get(&SessionId::Direct(row.id)).copied();
        keep::<DirectSession>(tx, row, state, origins, now, sample_seconds)?;
    }
    for row in across {
        let state = best.get(&SessionId::Exchange(row.id)).copied();
        let origins = origins.get(&SessionId::Exchange(row.id)).copied();
        keep::<ExchangeSession>(tx, row, state, origins, now, sample_seconds)?;
    }
    Ok(all_up)
}

/// The neighbours that are not ours, by address. A box that has very many of them does not tell all.
pub(super) fn strangers(seen: &Observed) -> Vec<Stranger> {
    let strange = seen.sessions.iter().filter(|s| s.key.is_none());
    let mut out: Vec<Stranger> =
        strange.filter_map(|s| Some(Stranger { ip: s.peer_address?, asn: s.peer_asn? })).collect();
    out.sort_unstable();
    out.dedup();
    out.truncate(RouterStatus::STRANGERS);
    out
}

/// `state` is absent for a session that is not in the configuration, and empty for one that is and was not found on the box.
fn keep<R: Ruled<Status = PeerStatus>>(
    tx: &mut Tx<'_>,
    mut row: Object<R>,
    state: Option<Option<&SessionState>>,
    origins: Option<Origins>,
    now: Time,
    sample_seconds: i64,
) -> Result<(), Error> {
    let mut after = match state {
        None if row.status.state.is_none() => return Ok(()),
        None | Some(None) => down(&row.status, now),
        Some(Some(state)) => next(&row.status, state, now),
    };
    after.origins = origins;
    let history = history::note(row.id.any(), &row.status, &mut after, now, sample_seconds);
    if after != row.status {
        let after = PeerStatus { polled_at: Some(now), ..after };
        let step = R::step(&row, &after);
        tx.observe(&mut row, after, step)?;
    }
    for event in history {
        tx.create(row.tenant, event)?;
    }
    Ok(())
}

/// What is left of a session that no box has.
fn down(before: &PeerStatus, now: Time) -> PeerStatus {
    if before.state == Some(BgpState::Idle) {
        return PeerStatus { bfd: None, ..before.clone() };
    }
    let was_up = before.state == Some(BgpState::Established);
    PeerStatus {
        state: Some(BgpState::Idle),
        received: 0,
        accepted: 0,
        advertised: 0,
        since: Some(now),
        last_up: if was_up { Some(now) } else { before.last_up },
        bfd: None,
        flaps: before.flaps + u32::from(was_up),
        ..before.clone()
    }
}

/// What a session is after a look at it.
pub(crate) fn next(before: &PeerStatus, seen: &SessionState, now: Time) -> PeerStatus {
    let state = word(seen.state);
    let (was_up, is_up) = (before.state == Some(BgpState::Established), state == BgpState::Established);
    let began_anew = match (before.since, seen.since) {
        (Some(then), Some(since)) => since.0 > then.0 + SAME,
        _ => false,
    };
    let mut after = before.clone();
    after.state = Some(state);
    if before.state != after.state || before.since.is_none() || (is_up && began_anew) {
        after.since = seen.since.or(Some(now));
    }
    // It may have gone down and come up again between two looks.
    let went_down = was_up && (!is_up || began_anew);
    after.flaps += u32::from(went_down);
    if (is_up && !was_up) || went_down {
        after.last_up = if is_up { after.since } else { Some(now) };
    }
    if is_up {
        after.received = seen.received.unwrap_or(before.received);
        after.accepted = seen.accepted.unwrap_or(before.accepted);
        after.advertised = seen.advertised.unwrap_or(before.advertised);
    } else {
        (after.received, after.accepted, after.advertised) = (0, 0, 0);
    }
    after.bfd = seen.bfd.map(bfd);
    after.last_error.clone_from(&seen.last_error);
    after
}

const fn bfd(state: Watched) -> BfdState {
    match state {
        Watched::AdminDown => BfdState::AdminDown,
        Watched::Down => BfdState::Down,
        Watched::Init => BfdState::Init,
        Watched::Up => BfdState::Up,
    }
}

const fn word(state: Seen) -> BgpState {
    match state {
        Seen::Idle => BgpState::Idle,
        Seen::Connect => BgpState::Connect,
        Seen::Active => BgpState::Active,
        Seen::OpenSent => BgpState::OpenSent,
        Seen::OpenConfirm => BgpState::OpenConfirm,
        Seen::Established => BgpState::Established,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(state: Seen, since: i64) -> SessionState {
        SessionState {
            key: None,
            peer_address: None,
            peer_asn: None,
            enabled: true,
            state,
            received: Some(9),
            accepted: Some(8),
            advertised: None,
            since: Some(Time(since)),
            bfd: None,
            last_error: None,
        }
    }

    #[test]
    fn a_session_that_stays_up_is_not_written_again() {
        let up = next(&PeerStatus::default(), &seen(Seen::Established, 5_000), Time(10_000));
        assert_eq!(
            (up.state, up.since, up.last_up),
            (Some(BgpState::Established), Some(Time(5_000)), Some(Time(5_000)))
        );
        assert_eq!((up.received, up.accepted, up.flaps), (9, 8, 0));
        assert_eq!(next(&up, &seen(Seen::Established, 6_000), Time(70_000)), up);
    }

    #[test]
    fn a_session_that_went_down_has_flapped_even_if_nobody_saw_it_down() {
        let up = next(&PeerStatus::default(), &seen(Seen::Established, 5_000), Time(10_000));
        let down = next(&up, &seen(Seen::Active, 20_000), Time(21_000));
        assert_eq!((down.flaps, down.last_up, down.received), (1, Some(Time(21_000)), 0));
        let again = next(&up, &seen(Seen::Established, 30_000), Time(40_000));
        assert_eq!((again.flaps, again.since), (1, Some(Time(30_000))));
    }

    #[test]
    fn a_path_is_as_it_was_seen_last_and_forgotten_with_its_watch() {
        let watched = |bfd| SessionState { bfd, ..seen(Seen::Established, 5_000) };
        let up = next(&PeerStatus::default(), &watched(Some(Watched::Up)), Time(10_000));
        assert_eq!(up.bfd, Some(BfdState::Up));
        let lost = next(&up, &SessionState { bfd: Some(Watched::Down), ..seen(Seen::Idle, 20_000) }, Time(21_000));
        assert_eq!((lost.state, lost.bfd), (Some(BgpState::Idle), Some(BfdState::Down)));
        assert_eq!((next(&up, &watched(None), Time(22_000)).bfd, down(&lost, Time(23_000)).bfd), (None, None));
    }

    #[test]
    fn a_session_that_no_box_has_is_idle() {
        let up = next(&PeerStatus::default(), &seen(Seen::Established, 5_000), Time(10_000));
        let gone = down(&up, Time(20_000));
        assert_eq!((gone.state, gone.flaps, gone.received), (Some(BgpState::Idle), 1, 0));
        assert_eq!(down(&gone, Time(30_000)), gone);
    }
}
