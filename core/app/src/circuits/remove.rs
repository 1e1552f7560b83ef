//! Giving up a circuit: now, at a later date, or along with its network.

use meetme_base::{Id, RawId, Time};
use meetme_model::{
    Lock, Phase, Wanted,
    access::{Form, Organization},
    fabric::{Circuit, LegStatus},
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use super::{Whole, fold, order::move_to, whole};
use crate::{Error, access};

/// Gives up a circuit: at once, or on the day `at`. It turns `removing` (then a controller takes it down and [`bury`]s it), or `ending`
/// until the day comes; a design is gone at once.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Conflict`]: `locked`, `changing`, or `removing` when that was wished before.
pub fn cancel(tx: &mut Tx<'_>, id: Id<Circuit>, at: Option<Time>) -> Result<Whole, Error> {
    let mut whole = whole::get(tx, id)?;
    access::require(tx, Circuit::KIND, "remove", whole.circuit.tenant)?;
    refuse_locked(&whole.circuit)?;
    refuse_busy(&whole.circuit)?;
    let later = at.filter(|day| *day > tx.now() && whole.circuit.status.phase.is_built());
    tx.as_system(|tx| {
        let Some(day) = later else { return go(tx, whole) };
        let mut spec = whole.circuit.spec.clone();
        spec.life.gone_at = Some(day);
        tx.save(&mut whole.circuit, spec)?;
        let status = whole.circuit.status.moved(Phase::Ending, None, tx.now());
        let text = format!("{} ends on {}.", whole.circuit.spec.name, day.rfc3339_seconds());
        tx.observe(&mut whole.circuit, status, Some(Moved::new("phase.ending", text)))?;
        Ok(whole)
    })
}

/// Takes back a cancellation for a later date.
///
/// # Errors
/// [`Error::Conflict`] `not_ending` when there is none, or its day has come.
pub fn restore(tx: &mut Tx<'_>, id: Id<Circuit>) -> Result<Whole, Error> {
    let mut whole = whole::get(tx, id)?;
    access::require(tx, Circuit::KIND, "change", whole.circuit.tenant)?;
    if whole.circuit.status.phase != Phase::Ending {
        return Err(Error::conflict("not_ending", format!("{} is not cancelled.", whole.circuit.spec.name)));
    }
    tx.as_system(|tx| {
        let mut spec = whole.circuit.spec.clone();
        spec.life.gone_at = None;
        tx.save(&mut whole.circuit, spec)?;
        // The legs never left the phase they were in.
        let phase = fold(whole.legs.iter().map(|leg| leg.status.life.phase));
        let status = whole.circuit.status.moved(phase, None, tx.now());
        let text = format!("{} stays.", whole.circuit.spec.name);
        tx.observe(&mut whole.circuit, status, Some(Moved::new(format!("phase.{}", phase.word()), text)))?;
        Ok(whole)
    })
}

/// Locks a circuit against removal and disruptive change, or unlocks it. Only the operator touches the operator's lock.
///
/// # Errors
/// [`Error::Denied`] for a lock that is not the caller's to set or take away.
pub fn lock(tx: &mut Tx<'_>, id: Id<Circuit>, lock: Lock) -> Result<Whole, Error> {
    let mut whole = whole::get(tx, id)?;
    let held = whole.circuit.spec.life.lock;
    if held == Lock::Operator || lock == Lock::Operator {
        let operator = operator_above(tx, whole.circuit.tenant)?;
        access::require(tx, Circuit::KIND, "change", operator)?;
    }
    let mut spec = whole.circuit.spec.clone();
    spec.life.lock = lock;
    tx.save(&mut whole.circuit, spec)?;
    Ok(whole)
}

/// The operator's own node above a node.
fn operator_above(tx: &mut Tx<'_>, node: RawId) -> Result<RawId, Error> {
    let above = tx.above(node)?;
    let filter = Filter::is_in("id", above).and(Filter::eq("form", Form::Operator.word()));
    let found = tx.as_system(|tx| tx.one::<Organization>(&filter))?;
    found.map(|o| o.id.any()).ok_or_else(|| Error::Bug("a node without an operator above it".to_owned()))
}

/// Wishes a circuit gone because its network goes, still building or not. The caller has asked for the right to do so.
///
/// # Errors
/// [`Error::Conflict`]: `changing`, `locked`.
pub fn take_along(tx: &mut Tx<'_>, circuit: Object<Circuit>) -> Result<(), Error> {
    refuse_locked(&circuit)?;
    if circuit.status.phase == Phase::Removing {
        return Ok(());
    }
    refuse_busy(&circuit)?;
    let whole = whole::of(tx, circuit)?;
    go(tx, whole).map(drop)
}

fn go(tx: &mut Tx<'_>, mut whole: Whole) -> Result<Whole, Error> {
    let is_design = whole.circuit.status.phase == Phase::Draft;
    let mut spec = whole.circuit.spec.clone();
    spec.life.wanted = Wanted::Gone;
    spec.life.gone_at = None;
    tx.save(&mut whole.circuit, spec)?;
    if is_design {
        bury(tx, whole.circuit.id)?;
        let buried = tx.get(whole.circuit.id)?;
        return whole::of(tx, buried);
    }
    move_to(tx, &mut whole, Phase::Removing)?;
    Ok(whole)
}

fn refuse_locked(circuit: &Object<Circuit>) -> Result<(), Error> {
    if circuit.spec.life.lock == Lock::None {
        return Ok(());
    }
    Err(Error::conflict("locked", format!("{} is locked.", circuit.spec.name)))
}

fn refuse_busy(circuit: &Object<Circuit>) -> Result<(), Error> {
    let (code, what) = match circuit.status.phase {
        Phase::Changing => ("changing", "changed"),
        Phase::Removing => ("removing", "removed"),
        _ => return Ok(()),
    };
    Err(Error::conflict(code, format!("{} is being {what}.", circuit.spec.name)))
}

/// Turns a circuit into a tombstone once nothing of it is left in equipment: its sessions go, everything it claimed is free again. For
/// controllers, with the system's rights.
///
/// # Errors
/// When the database fails.
pub fn bury(tx: &mut Tx<'_>, id: Id<Circuit>) -> Result<(), Error> {
    let circuit = tx.get(id)?;
    let mut whole = whole::of(tx, circuit)?;
    for session in std::mem::take(&mut whole.sessions) {
        tx.remove(session.id)?;
    }
    let now = tx.now();
    for leg in &mut whole.legs {
        tx.release_all(leg.id.any())?;
        let status = LegStatus { life: leg.status.life.moved(Phase::Gone, None, now), ..leg.status.clone() };
        tx.observe(leg, status, None)?;
    }
    tx.release_all(id.any())?;
    let mut spec = whole.circuit.spec.clone();
    spec.life.wanted = Wanted::Gone;
    tx.save(&mut whole.circuit, spec)?;
    let status = whole.circuit.status.moved(Phase::Gone, None, now);
    let text = format!("{} is gone.", whole.circuit.spec.name);
    Ok(tx.observe(&mut whole.circuit, status, Some(Moved::new("phase.gone", text)))?)
}
