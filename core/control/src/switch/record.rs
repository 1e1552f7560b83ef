//! Keeping what was seen of a switch.

use meetme_agent::{
    AgentError, Fence,
    switch::{Desired, Observed, State},
};
use meetme_app::{Error, gateways, nics};
use meetme_base::Id;
use meetme_model::{
    Phase, Reason, Wanted,
    fabric::{Landing, LandingStatus, Port, Segment},
    ops::{Equipment, EquipmentStatus},
};
use meetme_store::{Object, Resource as _, Tx};

use super::{Part, vni};
use crate::{controller::Next, life, pace::Pace};

/// The switch answered.
pub(super) fn seen(
    tx: &mut Tx<'_>,
    mut equipment: Object<Equipment>,
    want: &Desired,
    seen: &Observed,
    applied: Option<Fence>,
    pace: &Pace,
) -> Result<Next<()>, Error> {
    let now = tx.now();
    let part = Part::read(tx, equipment.id)?;
    let mut is_waiting = seen.interfaces.iter().any(|i| i.state != State::Ready)
        || seen.gateways.iter().any(|g| g.state != State::Ready);
    // Gateways first: a segment leaves the switch with its last port, and its gateway must have been seen to go.
    for (landing, segment) in &part.gateways {
        let state = seen.gateway(vni(segment)?);
        is_waiting |= keep(tx, equipment.id, landing, state)?;
    }
    for (landing, segment) in &part.landings {
        let number = vni(segment)?;
        let states: Vec<_> = part.interfaces(&landing.spec).map(|name| seen.carries(name, number)).collect();
        let state = match landing.spec.life.wanted {
            // It is off the switch when no interface of the port has it, and when the way out is gone that nobody else needs.
            Wanted::Gone => is_left(&part, segment, seen, landing).then_some(State::Removing),
            _ if states.iter().all(|s| *s == Some(State::Ready)) && !states.is_empty() => Some(State::Ready),
            _ if states.iter().any(Option::is_some) => Some(State::Building),
            _ => None,
        };
        is_waiting |= keep(tx, equipment.id, landing, state)?;
    }
    let mut status = EquipmentStatus {
        seen_at: Some(now),
        version: Some(seen.version.clone()),
        reachable: Some(true),
        reason: None,
        ..equipment.status.clone()
    };
    if let Some(fence) = applied {
        status.fence = fence.0;
        status.applied_at = Some(now);
        status.reloads += 1;
    }
    tx.observe(&mut equipment, status, None)?;
    if want.interfaces.is_empty() && seen.interfaces.is_empty() && part.nics.is_empty() {
        return Ok(Next::Settled { look_again: None });
    }
    Ok(if is_waiting {
        Next::Wait { why: "The switch is at work.".to_owned(), at_most: pace.build }
    } else {
        Next::Settled { look_again: Some(pace.watch) }
    })
}

/// Whether a segment that is to leave a port is still on the switch because of it: an interface has it for which nobody else wants it
/// there, or its way out is there and nobody else on the switch has it.
fn is_left(part: &Part, segment: &Object<Segment>, seen: &Observed, landing: &Object<Landing>) -> bool {
    let Some(number) = segment.spec.vni else { return false };
    let others: Vec<&Landing> = part
        .landings
        .iter()
        .filter(|(other, of)| of.id == segment.id && other.spec.life.wanted != Wanted::Gone)
        .map(|(other, _)| &other.spec)
        .collect();
    let mine = |nic: &&Object<Port>| Some(nic.id) == landing.spec.port || nic.spec.leader == landing.spec.port;
    let is_on_port = part.nics.iter().filter(mine).any(|nic| {
        let covers = |other: &Landing| other.port == Some(nic.id) || (nic.spec.bonded && other.port == nic.spec.leader);
        let carried = nic.spec.interface.as_deref().and_then(|name| seen.carries(name, number));
        carried.is_some() && !others.iter().any(|other| covers(other))
    });
    is_on_port || (others.is_empty() && seen.gateway(number).is_some())
}

/// Keeps where a landing stands on this switch; says whether it is still on its way.
fn keep(
    tx: &mut Tx<'_>,
    switch: Id<Equipment>,
    landing: &Object<Landing>,
    state: Option<State>,
) -> Result<bool, Error> {
    let mut landing = landing.clone();
    let mut on = landing.status.on.clone();
    on.retain(|id| *id != switch);
    if landing.spec.life.wanted == Wanted::Gone {
        if state.is_some() {
            on.push(switch);
        }
        if on.is_empty() {
            gateways::bury(tx, landing.id)?;
            return Ok(false);
        }
        on.sort_unstable();
        let status = LandingStatus { on, ..landing.status.clone() };
        tx.observe(&mut landing, status, None)?;
        return Ok(state.is_some());
    }
    let known = &landing.status.life;
    if state == Some(State::Ready) || (state == Some(State::Building) && landing.status.on.contains(&switch)) {
        on.push(switch);
    }
    on.sort_unstable();
    let needed = nics::switches(tx, &landing)?;
    let phase = if needed.iter().all(|id| on.contains(id)) {
        Phase::Up
    } else if known.ready_at.is_some() && state.is_none() && !landing.spec.gateway {
        Phase::Down
    } else if known.phase == Phase::Up {
        Phase::Up
    } else {
        Phase::Building
    };
    let life = life::moved(known, phase, None, None, tx.now());
    let line = life::line(&landing.spec.title(), known, &life);
    let status = LandingStatus { life, on };
    tx.observe(&mut landing, status, line)?;
    Ok(phase != Phase::Up || state == Some(State::Building))
}

/// The switch did not do it. What does not answer is asked again; what refuses has failed, and so has everything that waits for it.
pub(super) fn failed(
    tx: &mut Tx<'_>,
    mut equipment: Object<Equipment>,
    error: &AgentError,
    pace: &Pace,
) -> Result<Next<()>, Error> {
    let why = life::sentence(error);
    let is_passing = error.is_passing() || matches!(error, AgentError::Fenced { .. });
    let part = Part::read(tx, equipment.id)?;
    for (landing, _) in part.landings.iter().chain(&part.gateways) {
        wait(tx, landing, &life::reason(error), is_passing)?;
    }
    let unreachable = matches!(error, AgentError::Unreachable { .. });
    let status = EquipmentStatus {
        reachable: if unreachable { Some(false) } else { equipment.status.reachable },
        reason: Some(life::reason(error)),
        ..equipment.status.clone()
    };
    tx.observe(&mut equipment, status, None)?;
    Ok(if is_passing {
        Next::Wait { why, at_most: pace.retry }
    } else {
        Next::Stuck { why, look_again: Some(pace.retry) }
    })
}

/// Says of a landing that is not as wished why it is not.
fn wait(tx: &mut Tx<'_>, landing: &Object<Landing>, reason: &Reason, is_passing: bool) -> Result<(), Error> {
    let known = &landing.status.life;
    let is_gone = landing.spec.life.wanted == Wanted::Gone;
    if known.phase == Phase::Up && !is_gone {
        return Ok(());
    }
    let mut landing = landing.clone();
    let step = if is_gone { "removal" } else { "build" };
    let life = match (is_passing, is_gone) {
        (true, _) => {
            let mut same = known.clone();
            same.reason = Some(reason.clone());
            same
        }
        (false, _) => life::moved(known, Phase::Failed, Some(step), Some(reason.clone()), tx.now()),
    };
    let line = life::line(&landing.spec.title(), known, &life);
    let status = LandingStatus { life, ..landing.status.clone() };
    Ok(tx.observe(&mut landing, status, line)?)
}
