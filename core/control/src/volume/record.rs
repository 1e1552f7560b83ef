//! Keeping what was seen of a volume, of its snapshots and of who may use it.

use meetme_agent::AgentError;
use meetme_app::{Error, volumes};
use meetme_base::Time;
use meetme_model::{
    LifeStatus, Phase, Wanted, living,
    metal::{Attachment, AttachmentStatus, Snapshot, SnapshotStatus, Volume, VolumeStatus},
};
use meetme_store::{Filter, Object, Tx};

use super::Seen;
use crate::{controller::Next, life, pace::Pace};

/// It is being made, or taken down.
pub(super) fn moved(tx: &mut Tx<'_>, mut volume: Object<Volume>, phase: Phase) -> Result<Next<()>, Error> {
    let life = life::moved(&volume.status.life, phase, None, None, tx.now());
    let line = life::line(&volume.spec.name, &volume.status.life, &life);
    let status = VolumeStatus { life, ..volume.status.clone() };
    tx.observe(&mut volume, status, line)?;
    Ok(Next::Drive(()))
}

/// The equipment answered.
pub(super) fn seen(tx: &mut Tx<'_>, mut volume: Object<Volume>, seen: &Seen, pace: &Pace) -> Result<Next<()>, Error> {
    let now = tx.now();
    let is_wanted = volume.spec.life.wanted != Wanted::Gone;
    let found = seen.observed.volume.as_ref();
    let mut phase = match (is_wanted, found) {
        (false, None) => Phase::Gone,
        (false, Some(_)) => Phase::Removing,
        (true, Some(found)) if !found.busy => Phase::Up,
        (true, _) if volume.status.life.ready_at.is_some() => Phase::Changing,
        (true, _) => Phase::Building,
    };
    let is_there = phase == Phase::Up;
    let initiators = found.map(|f| f.initiators.as_slice()).unwrap_or_default();
    let settled = held(tx, &volume, initiators, is_there, now)?;
    let names: Vec<&str> = found.iter().flat_map(|f| &f.snapshots).map(|(name, _)| name.as_str()).collect();
    let settled = snapshots(tx, &volume, &names, now)? && settled;
    let restored = found.map_or(volume.status.restores, |f| f.restored);
    let grown = found.is_none_or(|f| f.size_gb >= volume.spec.size_gb);
    if is_there && (restored < volume.spec.restores || !grown) {
        phase = Phase::Changing;
    }
    if phase == Phase::Gone {
        volumes::bury(tx, volume.id.any())?;
    }
    let life = life::moved(&volume.status.life, phase, None, None, now);
    let line = life::line(&volume.spec.name, &volume.status.life, &life);
    let status = match found {
        Some(found) => VolumeStatus {
            life,
            iqn: Some(found.iqn.clone()),
            portals: found.portals.clone(),
            size_gb: Some(found.size_gb),
            restores: restored,
        },
        None => VolumeStatus { life, ..volume.status.clone() },
    };
    tx.observe(&mut volume, status, line)?;
    let patience = || if seen.is_changed { pace.build } else { pace.patience(volume.status.life.since, now) };
    Ok(match phase {
        Phase::Gone => Next::Gone,
        Phase::Up if settled => Next::Settled { look_again: Some(pace.watch) },
        Phase::Removing => Next::Wait { why: "The storage is taking it down.".to_owned(), at_most: patience() },
        _ => Next::Wait { why: "The storage is working on it.".to_owned(), at_most: patience() },
    })
}

/// The phases of the machines' use of it. True when all of them are as wished.
fn held(
    tx: &mut Tx<'_>,
    volume: &Object<Volume>,
    initiators: &[String],
    is_there: bool,
    now: Time,
) -> Result<bool, Error> {
    let mut settled = true;
    for mut row in tx.all::<Attachment>(Filter::eq("volume", volume.id).and(living()))? {
        let is_in = initiators.contains(&row.spec.initiator);
        let phase = phase_of(row.spec.life.wanted, is_in, is_there);
        settled &= matches!(phase, Phase::Up | Phase::Gone);
        let life = life::moved(&row.status.life, phase, None, None, now);
        let title = format!("The attachment of {}", volume.spec.name);
        let line = life::line(&title, &row.status.life, &life);
        tx.observe(&mut row, AttachmentStatus { life }, line)?;
    }
    Ok(settled)
}

/// The phases of its snapshots. True when all of them are as wished.
fn snapshots(tx: &mut Tx<'_>, volume: &Object<Volume>, names: &[&str], now: Time) -> Result<bool, Error> {
    let mut settled = true;
    for mut row in tx.all::<Snapshot>(Filter::eq("volume", volume.id).and(living()))? {
        let is_in = names.contains(&format!("s{}", row.id).as_str());
        let phase = phase_of(row.spec.life.wanted, is_in, true);
        settled &= matches!(phase, Phase::Up | Phase::Gone);
        let life: LifeStatus = life::moved(&row.status.life, phase, None, None, now);
        let title = format!("The snapshot of {}", volume.spec.name);
        let line = life::line(&title, &row.status.life, &life);
        tx.observe(&mut row, SnapshotStatus { life }, line)?;
    }
    Ok(settled)
}

fn phase_of(wanted: Wanted, is_in: bool, is_there: bool) -> Phase {
    match (wanted == Wanted::Gone, is_in) {
        (true, true) => Phase::Removing,
        (true, false) => Phase::Gone,
        (false, true) if is_there => Phase::Up,
        (false, _) => Phase::Building,
    }
}

/// The equipment did not do it. What does not answer is asked again; what refuses has failed, at the step it was at.
pub(super) fn failed(
    tx: &mut Tx<'_>,
    mut volume: Object<Volume>,
    error: &AgentError,
    pace: &Pace,
) -> Result<Next<()>, Error> {
    let (why, reason) = (life::sentence(error), Some(life::reason(error)));
    if error.is_passing() || matches!(error, AgentError::Fenced { .. }) {
        let life = LifeStatus { reason, ..volume.status.life.clone() };
        let status = VolumeStatus { life, ..volume.status.clone() };
        tx.observe(&mut volume, status, None)?;
        return Ok(Next::Wait { why, at_most: pace.retry });
    }
    let step = match volume.spec.life.wanted {
        Wanted::Gone => "removal",
        _ if volume.status.life.ready_at.is_some() => "change",
        _ => "build",
    };
    let life = life::moved(&volume.status.life, Phase::Failed, Some(step), reason, tx.now());
    let line = life::line(&volume.spec.name, &volume.status.life, &life);
    let status = VolumeStatus { life, ..volume.status.clone() };
    tx.observe(&mut volume, status, line)?;
    Ok(Next::Stuck { why, look_again: Some(pace.retry) })
}
