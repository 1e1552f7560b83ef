//! Keeping what was seen of a circuit.

use std::time::Duration;

use meetme_agent::{
    AgentError,
    fabric::{LegPhase, LegState, SessionState},
    router,
};
use meetme_app::{Error, circuits};
use meetme_base::{RawId, Time};
use meetme_model::{
    Admin, BgpState, LifeStatus, Phase, Wanted,
    fabric::{Circuit, Leg, LegStatus, LinkState},
    routing::DirectSession,
};
use meetme_store::{Filter, Object, Tx};

use super::{Seen, legs_of};
use crate::{controller::Next, life, pace::Pace, router::peers};

/// The equipment answered.
pub(super) fn seen(tx: &mut Tx<'_>, mut circuit: Object<Circuit>, seen: &Seen, pace: &Pace) -> Result<Next<()>, Error> {
    let now = tx.now();
    let is_wanted = circuit.spec.life.wanted != Wanted::Gone;
    if !is_wanted && seen.observed.legs.is_empty() {
        circuits::bury(tx, circuit.id)?;
        return Ok(Next::Gone);
    }
    let mut phases = Vec::new();
    for mut leg in legs_of(tx, circuit.id)? {
        let key = format!("l{}", leg.id);
        let found = seen.observed.legs.iter().find(|l| l.built.key == key);
        let told = found.map(|l| l.sessions.as_slice()).unwrap_or_default();
        let bgp = sessions(tx, leg.id.any(), told, now)?;
        let status = leg_status(&leg.status, found, bgp, is_wanted, &seen.observed.version, now);
        let title = format!("Leg {} of {}", leg.spec.side, circuit.spec.name);
        let line = life::line(&title, &leg.status.life, &status.life);
        phases.push(status.life.phase);
        tx.observe::<Leg>(&mut leg, status, line)?;
    }
    let folded = circuits::fold(phases.iter().copied());
    let phase = if !is_wanted {
        Phase::Removing
    } else if circuit.spec.life.gone_at.is_some() && folded.is_built() {
        Phase::Ending
    } else {
        folded
    };
    let step = (phase == Phase::Changing).then(|| circuit.status.step.clone().unwrap_or_else(|| "update".to_owned()));
    let status = life::moved(&circuit.status, phase, step.as_deref(), None, now);
    let line = life::line(&circuit.spec.name, &circuit.status, &status);
    tx.observe(&mut circuit, status, line)?;
    Ok(next(&circuit, folded, seen.is_changed, pace, now))
}

fn next(circuit: &Object<Circuit>, folded: Phase, is_changed: bool, pace: &Pace, now: Time) -> Next<()> {
    let patience = || if is_changed { pace.build } else { pace.patience(circuit.status.since, now) };
    match folded {
        Phase::Building | Phase::Changing | Phase::Queued => {
            Next::Wait { why: "The equipment is building it.".to_owned(), at_most: patience() }
        }
        Phase::Removing | Phase::Gone => {
            Next::Wait { why: "The equipment is taking it down.".to_owned(), at_most: patience() }
        }
        Phase::Ready => {
            let why = "Our side is ready; the far side has not answered yet.".to_owned();
            Next::Wait { why, at_most: pace.patience(circuit.status.since, now) }
        }
        _ => {
            let ends =
                circuit.spec.life.gone_at.map(|day| Duration::from_millis(u64::try_from(day.0 - now.0).unwrap_or(0)));
            Next::Settled { look_again: Some(ends.map_or(pace.watch, |left| left.min(pace.watch))) }
        }
    }
}

/// Whether the sessions of a leg are up: absent when it has none that should be, else whether one is and whether one ever was.
struct Bgp {
    is_up: bool,
    was_up: bool,
}

/// Reads the sessions of a leg, keeping first what its far side said of them.
fn sessions(tx: &mut Tx<'_>, leg: RawId, told: &[SessionState], now: Time) -> Result<Option<Bgp>, Error> {
    let mut bgp: Option<Bgp> = None;
    for mut session in tx.all::<DirectSession>(Filter::eq("leg", leg))? {
        let key = format!("s{}", session.id);
        if let Some(said) = told.iter().find(|s| s.key == key) {
            let seen = router::SessionState {
                key: None,
                peer_address: None,
                peer_asn: None,
                enabled: true,
                state: said.state,
                received: Some(said.received),
                accepted: Some(said.accepted),
                advertised: Some(said.advertised),
                since: None,
                bfd: None,
                last_error: None,
            };
            let status = peers::next(&session.status, &seen, now);
            tx.observe(&mut session, status, None)?;
        }
        let admin = session.spec.peer.admin;
        if admin.is_configured() && admin != Admin::Disabled {
            let bgp = bgp.get_or_insert(Bgp { is_up: false, was_up: false });
            bgp.is_up |= session.status.state == Some(BgpState::Established);
            bgp.was_up |= session.status.last_up.is_some();
        }
    }
    Ok(bgp)
}

fn leg_status(
    before: &LegStatus,
    seen: Option<&LegState>,
    bgp: Option<Bgp>,
    is_wanted: bool,
    version: &str,
    now: Time,
) -> LegStatus {
    let Some(seen) = seen else {
        let phase = if is_wanted { Phase::Building } else { Phase::Removing };
        return LegStatus { life: life::moved(&before.life, phase, None, None, now), link: None, ..before.clone() };
    };
    let phase = match seen.state {
        LegPhase::Building if before.life.ready_at.is_some() => Phase::Changing,
        LegPhase::Building => Phase::Building,
        LegPhase::Ready => Phase::Ready,
        LegPhase::Up => match bgp {
            Some(Bgp { is_up: false, was_up: true }) => Phase::Down,
            Some(Bgp { is_up: false, was_up: false }) => Phase::Ready,
            None | Some(Bgp { is_up: true, .. }) => Phase::Up,
        },
        LegPhase::Down => Phase::Down,
        LegPhase::Off => Phase::Off,
        LegPhase::Removing => Phase::Removing,
    };
    let link = match seen.state {
        LegPhase::Up => LinkState::Up,
        LegPhase::Building | LegPhase::Ready => LinkState::Pending,
        LegPhase::Down | LegPhase::Off | LegPhase::Removing => LinkState::Down,
    };
    LegStatus {
        life: life::moved(&before.life, phase, None, None, now),
        link: Some(link),
        remote_id: seen.remote_id.clone().or_else(|| before.remote_id.clone()),
        version: Some(version.to_owned()),
        ..before.clone()
    }
}

/// The equipment did not do it. What does not answer is asked again; what refuses has failed, at the step it was at.
pub(super) fn failed(
    tx: &mut Tx<'_>,
    mut circuit: Object<Circuit>,
    error: &AgentError,
    pace: &Pace,
) -> Result<Next<()>, Error> {
    let why = life::sentence(error);
    let now = tx.now();
    let reason = Some(life::reason(error));
    if error.is_passing() || matches!(error, AgentError::Fenced { .. }) {
        let status = LifeStatus { reason, ..circuit.status.clone() };
        tx.observe(&mut circuit, status, None)?;
        return Ok(Next::Wait { why, at_most: pace.retry });
    }
    let step = match circuit.spec.life.wanted {
        Wanted::Gone => "removal",
        _ if circuit.status.ready_at.is_some() => "change",
        _ => "build",
    };
    for mut leg in legs_of(tx, circuit.id)? {
        let life = life::moved(&leg.status.life, Phase::Failed, Some(step), reason.clone(), now);
        let status = LegStatus { life, ..leg.status.clone() };
        tx.observe(&mut leg, status, None)?;
    }
    let status = life::moved(&circuit.status, Phase::Failed, Some(step), reason, now);
    let line = life::line(&circuit.spec.name, &circuit.status, &status);
    tx.observe(&mut circuit, status, line)?;
    Ok(Next::Stuck { why, look_again: Some(pace.retry) })
}
