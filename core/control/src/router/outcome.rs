//! Keeping what was seen of a box: on its equipment, its router and its sessions.

use std::time::Duration;

use meetme_agent::AgentError;
use meetme_app::Error;
use meetme_model::{
    ops::{Equipment, EquipmentStatus},
    routing::Router,
};
use meetme_store::{Moved, Object, Tx};

use super::{Outcome, peers, period};
use crate::{controller::Next, life};

/// How long after a change a box is looked at often, because its sessions are coming up.
const COMING_UP_SECONDS: i64 = 30;

/// Keeps the outcome of a pass.
pub(super) fn record(
    tx: &mut Tx<'_>,
    mut router: Object<Router>,
    out: &Outcome,
    sample_seconds: i64,
) -> Result<Next<()>, Error> {
    let Some(equipment) = router.spec.equipment else { return Ok(Next::Settled { look_again: None }) };
    let Some(mut equipment) = tx.find(equipment)? else { return Ok(Next::Settled { look_again: None }) };
    let now = tx.now();
    let period = period(&router.spec, &equipment.spec);
    let status = status(&equipment, out, now);
    let line = line(&equipment, &status);
    let coming_up_until = status.applied_at.map(|at| at.plus_seconds(COMING_UP_SECONDS));
    tx.observe(&mut equipment, status, line)?;
    let mut all_up = true;
    if let Some(seen) = &out.seen {
        all_up = peers::record(tx, &router, &out.sessions, &out.origins, seen, sample_seconds)?;
        let mut status = router.status.clone();
        status.polled_at = Some(now);
        status.strangers = peers::strangers(seen);
        status.drift.clone_from(&equipment.status.drift);
        tx.observe(&mut router, status, None)?;
    }
    Ok(match &out.error {
        None if !all_up && coming_up_until.is_some_and(|until| now < until) => {
            Next::Settled { look_again: Some(period.min(Duration::from_millis(500))) }
        }
        None => Next::Settled { look_again: Some(period) },
        // The lease stands, so no newer pass of ours is on its way: the next one says a higher number.
        Some(AgentError::Fenced { .. }) => Next::Drive(()),
        Some(error) if error.is_passing() => Next::Wait { why: life::sentence(error), at_most: period },
        Some(error) => Next::Stuck { why: life::sentence(error), look_again: Some(period) },
    })
}

fn status(equipment: &Object<Equipment>, out: &Outcome, now: meetme_base::Time) -> EquipmentStatus {
    let mut status = equipment.status.clone();
    status.reason = out.error.as_ref().map(life::reason);
    match (&out.seen, &out.error) {
        (Some(seen), _) => {
            status.reachable = Some(true);
            status.seen_at = Some(now);
            status.version = Some(seen.version.clone());
        }
        (None, Some(AgentError::Unreachable { .. })) => status.reachable = Some(false),
        (None, _) => {}
    }
    let Some(rendered) = &out.rendered else { return status };
    status.drift_since = out.drift.as_ref().and(status.drift_since.or(Some(now)));
    status.drift.clone_from(&out.drift);
    if let Some(fence) = out.applied {
        status.fence = fence.0;
        status.applied_at = Some(now);
        status.reloads += 1;
    }
    let is_in_force = out.applied.is_some() || out.drift.is_none();
    if is_in_force && status.applied_sha256.as_ref() != Some(rendered) {
        status.applied_sha256 = Some(rendered.clone());
        status.renders += 1;
    }
    status
}

/// A line in the log where people would ask since when: the box was lost or found, differs or no longer does, refuses.
fn line(equipment: &Object<Equipment>, after: &EquipmentStatus) -> Option<Moved> {
    let (before, name) = (&equipment.status, &equipment.spec.name);
    let code = |status: &EquipmentStatus| status.reason.as_ref().map(|r| r.code.clone());
    if code(before) != code(after) {
        return Some(match &after.reason {
            Some(reason) => Moved::new(format!("equipment.{}", reason.code), format!("{name}: {}", reason.text)),
            None => Moved::new("equipment.well", format!("{name} does what it is told again.")),
        });
    }
    match (&before.drift, &after.drift) {
        (None, Some(_)) => Some(Moved::new("equipment.drift", format!("{name} differs from what is wanted."))),
        (Some(_), None) => Some(Moved::new("equipment.agrees", format!("{name} is as wanted again."))),
        _ => None,
    }
}
