//! Volumes: ordering, growing, attaching, copying and putting back block storage, and the rules by which snapshots are taken.
//!
//! What there is at a site is the operator's pool of units with the purpose [`STORAGE`], counted in GB; what a volume takes of it is
//! claimed in the transaction that orders it, so a site is never sold twice. Everything else is a wish that a controller carries to the
//! equipment: it compares `spec` with `status` and, when a volume is taken down, calls [`bury`].

use meetme_base::{Id, Invalid, RawId, Uid};
use meetme_model::{
    Ext, Life, Lock, Phase, Term, Wanted,
    access::Project,
    fabric::{Pool, PoolOf},
    living,
    metal::{Attachment, Device, Frequency, Origin, Snapshot, SnapshotPolicy, SnapshotStatus, Volume, VolumeStatus},
    place::{Line, Plan, Site},
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};

use crate::{Error, access};

/// The purpose of pools of storage.
pub const STORAGE: &str = "storage";
/// The most snapshots of one volume.
const SNAPSHOTS: u64 = 1000;
/// The most rules of one volume.
const POLICIES: u64 = 20;

/// What is wished of a new volume.
#[derive(Clone, Debug)]
pub struct NewVolume {
    /// The project it belongs to.
    pub project: Id<Project>,
    /// Where it shall be.
    pub site: Id<Site>,
    /// How fast.
    pub plan: Id<Plan>,
    /// How large, in GB.
    pub size_gb: u32,
    /// A line for people.
    pub description: Option<String>,
    /// For how long.
    pub term: Term,
    /// Whether it is locked from the start.
    pub locked: bool,
    /// How often snapshots are taken of it, and how many are kept.
    pub policies: Vec<(Frequency, u16)>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// Orders a volume. It is empty, and there once its phase is up.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`]; [`Error::Invalid`] for a plan that is none of storage or is not sold there;
/// [`Error::Exhausted`] when the site has no room.
pub fn order(tx: &mut Tx<'_>, new: &NewVolume) -> Result<Object<Volume>, Error> {
    make(tx, new, None)
}

fn make(tx: &mut Tx<'_>, new: &NewVolume, copy_of: Option<Origin>) -> Result<Object<Volume>, Error> {
    let project = tx.get(new.project)?.id;
    access::require(tx, Volume::KIND, "create", project.any())?;
    let site = tx.get(new.site)?.id;
    check_plan(tx, new.plan, site)?;
    let uid = Uid::random();
    let lock = if new.locked { Lock::Owner } else { Lock::None };
    let spec = Volume {
        name: format!("volume-{}", uid.short()),
        description: new.description.clone(),
        size_gb: new.size_gb,
        life: Life { lock, term: Some(new.term), ..Life::default() },
        site,
        plan: new.plan,
        copy_of,
        restores: 0,
        restore_from: None,
        ext: new.ext.clone(),
    };
    let made = tx.create_as(project.any(), uid, spec, VolumeStatus::default())?;
    take(tx, site, new.size_gb, made.id.any())?;
    for (every, keep) in &new.policies {
        add_policy(tx, &made, *every, *keep)?;
    }
    Ok(made)
}

/// The name under which a site's storage is claimed, in GB.
pub fn pool(site: Id<Site>) -> String {
    format!("storage {site}")
}

/// The most pieces that one volume's room is taken in: where there is no more in larger ones, there is none.
const PIECES: usize = 1000;

/// Takes room at a site: in pieces that are powers of two, the largest first, so that what others gave back is used again however it
/// is cut.
fn take(tx: &mut Tx<'_>, site: Id<Site>, size_gb: u32, owner: RawId) -> Result<(), Error> {
    let supply = Filter::eq("what", PoolOf::Units.word())
        .and(Filter::eq("purpose", STORAGE))
        .and(Filter::eq("scope", site.get()));
    let pools = tx.as_system(|tx| tx.all::<Pool>(supply))?;
    let ranges: Vec<_> = pools.iter().flat_map(|row| &row.spec.numbers).map(|s| s.first..=s.last).collect();
    let name = pool(site);
    let full = || Error::Exhausted { pool: "the storage of this site".to_owned() };
    let mut left = i64::from(size_gb);
    let mut piece = i64::MAX;
    for _ in 0..PIECES {
        if left == 0 {
            return Ok(());
        }
        // The largest power of two that is not more than what is left, nor than what was found to fit.
        piece = piece.min(1 << left.ilog2());
        let mut is_taken = false;
        for range in &ranges {
            match tx.claim(&name, range.clone(), piece, &[], owner) {
                Ok(_) => {
                    is_taken = true;
                    break;
                }
                Err(meetme_store::Error::Exhausted { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        if is_taken {
            left -= piece;
        } else if piece > 1 {
            piece /= 2;
        } else {
            return Err(full());
        }
    }
    if left == 0 { Ok(()) } else { Err(full()) }
}

fn check_plan(tx: &mut Tx<'_>, plan: Id<Plan>, site: Id<Site>) -> Result<(), Error> {
    let plan = tx.get(plan)?.spec;
    if plan.line != Line::Volume {
        return Err(Invalid::rule("plan", format!("{} is no plan of storage.", plan.slug)).into());
    }
    if !plan.sold_at.is_empty() && !plan.sold_at.contains(&site) {
        return Err(Invalid::rule("plan", format!("{} is not sold at this site.", plan.slug)).into());
    }
    Ok(())
}

/// What may be changed of a volume.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Another line for people.
    pub description: Option<String>,
    /// A larger size, in GB.
    pub size_gb: Option<u32>,
    /// Another plan.
    pub plan: Option<Id<Plan>>,
    /// Another term.
    pub term: Option<Term>,
    /// Whether it is locked.
    pub locked: Option<bool>,
}

/// Changes a volume. A lock does not keep anybody from describing it, nor its owner from unlocking.
///
/// # Errors
/// As [`order`]; [`Error::Conflict`] `locked`; [`Error::Denied`] for the operator's lock.
pub fn change(tx: &mut Tx<'_>, id: Id<Volume>, changes: &Changes) -> Result<Object<Volume>, Error> {
    let mut row = tx.get(id)?;
    wanted(&row)?;
    let mut spec = row.spec.clone();
    if let Some(locked) = changes.locked {
        let lock = if locked { Lock::Owner } else { Lock::None };
        if spec.life.lock == Lock::Operator && lock != Lock::Operator {
            return Err(Error::Denied("Only the operator can unlock this.".to_owned()));
        }
        spec.life.lock = lock;
    }
    spec.description = changes.description.clone().or(spec.description);
    spec.life.term = changes.term.or(spec.life.term);
    let before = (spec.size_gb, spec.plan);
    spec.size_gb = changes.size_gb.unwrap_or(spec.size_gb);
    spec.plan = changes.plan.unwrap_or(spec.plan);
    // Locked as it was, unless it is unlocked by the same change.
    if before != (spec.size_gb, spec.plan) && spec.life.lock != Lock::None {
        unlocked(&row.spec.life)?;
    }
    if spec.plan != before.1 {
        check_plan(tx, spec.plan, spec.site)?;
    }
    let more = spec.size_gb.saturating_sub(before.0);
    let site = spec.site;
    tx.save(&mut row, spec)?;
    if more > 0 {
        take(tx, site, more, id.any())?;
    }
    Ok(row)
}

/// Wishes a volume gone, with its snapshots and rules.
///
/// # Errors
/// [`Error::Conflict`] `locked`, `attached` while a machine may use it, `copied` while a copy of it is being made.
pub fn remove(tx: &mut Tx<'_>, id: Id<Volume>) -> Result<Object<Volume>, Error> {
    let mut row = tx.get(id)?;
    access::require(tx, Volume::KIND, "remove", row.tenant)?;
    unlocked(&row.spec.life)?;
    not_attached(tx, &row)?;
    not_copied(tx, id)?;
    let mut spec = row.spec.clone();
    spec.life.wanted = Wanted::Gone;
    tx.as_system(|tx| tx.save(&mut row, spec))?;
    Ok(row)
}

fn unlocked(life: &Life) -> Result<(), Error> {
    match life.lock {
        Lock::None => Ok(()),
        Lock::Owner => Err(Error::conflict("locked", "The volume is locked. Unlock it first.")),
        Lock::Operator => Err(Error::conflict("locked", "The volume is locked by the operator.")),
    }
}

fn wanted(row: &Object<Volume>) -> Result<(), Error> {
    if row.spec.life.wanted == Wanted::Gone {
        return Err(Error::conflict("state", "The volume is being removed."));
    }
    Ok(())
}

fn built(row: &Object<Volume>) -> Result<(), Error> {
    wanted(row)?;
    if row.status.life.ready_at.is_none() {
        return Err(Error::conflict("state", "The volume is not there yet."));
    }
    Ok(())
}

fn not_attached(tx: &mut Tx<'_>, row: &Object<Volume>) -> Result<(), Error> {
    let held = Filter::eq("volume", row.id).and(living());
    if tx.as_system(|tx| tx.exists::<Attachment>(&held))? {
        return Err(Error::conflict("attached", "The volume is attached to a device; detach it first."));
    }
    Ok(())
}

/// Nothing is being copied from it: what is copied has to stay until then.
fn not_copied(tx: &mut Tx<'_>, id: Id<Volume>) -> Result<(), Error> {
    let being_made = [Phase::Queued, Phase::Building, Phase::Failed].map(Phase::word);
    let copies = Filter::eq("copied_from", id.get()).and(Filter::is_in("phase", being_made));
    if tx.as_system(|tx| tx.exists::<Volume>(&copies))? {
        return Err(Error::conflict("copied", "A copy of it is being made; wait until it is there."));
    }
    Ok(())
}

/// The name by which storage knows a machine (RFC 3720, section 3.2.6.3.1): made of the month in which the machine was ordered and
/// the beginning of its UUID, so that it is the same for its whole life.
pub fn initiator(device: &Object<Device>) -> String {
    let month: String = device.created.rfc3339_seconds().chars().take(7).collect();
    format!("iqn.{month}.net.meetme:device.{}", device.uid.short())
}

/// Lets a machine use a volume. Only one at a time: a file system that two machines write to without knowing of each other is lost.
/// `name` is what the machine was told to call itself; [`initiator`] when absent.
///
/// # Errors
/// [`Error::Conflict`] `attached`, `locked`, `state`; [`Error::Invalid`] for a machine of another project or site.
pub fn attach(
    tx: &mut Tx<'_>,
    id: Id<Volume>,
    device: Id<Device>,
    name: Option<String>,
) -> Result<Object<Attachment>, Error> {
    let row = tx.get(id)?;
    access::require(tx, Attachment::KIND, "create", row.tenant)?;
    built(&row)?;
    unlocked(&row.spec.life)?;
    let device = tx.get(device)?;
    if device.tenant != row.tenant {
        return Err(Invalid::rule("device", "The device is in another project.").into());
    }
    if device.spec.site != row.spec.site {
        return Err(Invalid::rule("device", "The device is at another site.").into());
    }
    if device.spec.life.wanted == Wanted::Gone || device.status.life.phase == Phase::Gone {
        return Err(Error::conflict("state", "The device is being removed."));
    }
    not_attached(tx, &row)?;
    let initiator = name.unwrap_or_else(|| initiator(&device));
    let spec = Attachment { volume: id, device: device.id, initiator, life: Life::default() };
    Ok(tx.create(row.tenant, spec)?)
}

/// Ends the use of a volume by a machine.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn detach(tx: &mut Tx<'_>, id: Id<Attachment>) -> Result<(), Error> {
    let row = tx.get(id)?;
    access::require(tx, Attachment::KIND, "remove", row.tenant)?;
    tx.as_system(|tx| let_go(tx, row))
}

fn let_go(tx: &mut Tx<'_>, mut row: Object<Attachment>) -> Result<(), Error> {
    let spec = Attachment { life: Life { wanted: Wanted::Gone, ..row.spec.life.clone() }, ..row.spec.clone() };
    Ok(tx.save(&mut row, spec)?)
}

/// Ends the use of all volumes by a machine that goes.
///
/// # Errors
/// When the store fails.
pub(crate) fn detach_all(tx: &mut Tx<'_>, device: Id<Device>) -> Result<(), Error> {
    tx.as_system(|tx| {
        for row in tx.all::<Attachment>(Filter::eq("device", device).and(living()))? {
            let_go(tx, row)?;
        }
        Ok(())
    })
}

/// The volumes that a machine may use, as far as they are there.
///
/// # Errors
/// When the store fails.
pub fn of_device(tx: &mut Tx<'_>, device: Id<Device>) -> Result<Vec<Object<Volume>>, Error> {
    tx.as_system(|tx| {
        let mut held = tx.all::<Attachment>(Filter::eq("device", device).and(Filter::eq("phase", Phase::Up.word())))?;
        held.sort_by_key(|row| row.id);
        let volumes = tx.many(held.iter().map(|row| row.spec.volume))?;
        Ok(held.into_iter().filter_map(|row| volumes.get(&row.spec.volume).cloned()).collect())
    })
}

/// Asks for a snapshot of what a volume holds now.
///
/// # Errors
/// [`Error::Conflict`] `state`, `too_many`; [`Error::Denied`].
pub fn take_snapshot(
    tx: &mut Tx<'_>,
    id: Id<Volume>,
    policy: Option<Id<SnapshotPolicy>>,
) -> Result<Object<Snapshot>, Error> {
    let row = tx.get(id)?;
    access::require(tx, Snapshot::KIND, "create", row.tenant)?;
    built(&row)?;
    let here = Filter::eq("volume", id).and(living());
    if tx.as_system(|tx| tx.count::<Snapshot>(&here))? >= SNAPSHOTS {
        return Err(Error::conflict("too_many", format!("A volume has at most {SNAPSHOTS} snapshots.")));
    }
    let mut taken_at = tx.now();
    // Two in one millisecond are two.
    while tx.as_system(|tx| tx.exists::<Snapshot>(&here.clone().and(Filter::eq("taken_at", taken_at))))? {
        taken_at = taken_at.plus_millis(1);
    }
    Ok(tx.create(row.tenant, Snapshot { volume: id, taken_at, policy, life: Life::default() })?)
}

/// Throws a snapshot away.
///
/// # Errors
/// [`Error::Conflict`] `state` while it is being put back, `copied` while a copy of it is being made.
pub fn drop_snapshot(tx: &mut Tx<'_>, id: Id<Snapshot>) -> Result<(), Error> {
    let row = tx.get(id)?;
    access::require(tx, Snapshot::KIND, "remove", row.tenant)?;
    let volume = tx.as_system(|tx| tx.get(row.spec.volume))?;
    if volume.spec.restores > volume.status.restores && volume.spec.restore_from == Some(id) {
        return Err(Error::conflict("state", "The snapshot is being put back."));
    }
    not_copied(tx, volume.id)?;
    tx.as_system(|tx| discard(tx, row))
}

fn discard(tx: &mut Tx<'_>, mut row: Object<Snapshot>) -> Result<(), Error> {
    let spec = Snapshot { life: Life { wanted: Wanted::Gone, ..row.spec.life.clone() }, ..row.spec.clone() };
    Ok(tx.save(&mut row, spec)?)
}

/// Puts back what a volume held when a snapshot was taken. What it holds now is lost, so nobody may be using it.
///
/// # Errors
/// [`Error::Conflict`] `attached`, `locked`, `state`.
pub fn restore(tx: &mut Tx<'_>, id: Id<Volume>, snapshot: Id<Snapshot>) -> Result<Object<Volume>, Error> {
    let mut row = tx.get(id)?;
    access::require(tx, Volume::KIND, "act", row.tenant)?;
    built(&row)?;
    unlocked(&row.spec.life)?;
    not_attached(tx, &row)?;
    usable(tx, &row, snapshot)?;
    if row.spec.restores > row.status.restores {
        return Err(Error::conflict("state", "Its content is being put back already."));
    }
    let spec = Volume { restores: row.spec.restores + 1, restore_from: Some(snapshot), ..row.spec.clone() };
    tx.as_system(|tx| tx.save(&mut row, spec))?;
    Ok(row)
}

/// The snapshot is one of the volume's that is there.
fn usable(tx: &mut Tx<'_>, volume: &Object<Volume>, snapshot: Id<Snapshot>) -> Result<(), Error> {
    let row = tx.get(snapshot)?;
    if row.spec.volume != volume.id || row.spec.life.wanted == Wanted::Gone {
        return Err(Invalid::reference("snapshot", format!("The object {snapshot}")).into());
    }
    if row.status.life.phase != Phase::Up {
        return Err(Error::conflict("state", "The snapshot is not there yet."));
    }
    Ok(())
}

/// Orders a copy of a volume, of what it holds now or of a snapshot: as large, as fast and at the same site.
///
/// # Errors
/// As [`order`]; [`Error::Conflict`] `state`.
pub fn copy(tx: &mut Tx<'_>, id: Id<Volume>, snapshot: Option<Id<Snapshot>>) -> Result<Object<Volume>, Error> {
    let row = tx.get(id)?;
    built(&row)?;
    if let Some(snapshot) = snapshot {
        usable(tx, &row, snapshot)?;
    }
    let new = NewVolume {
        project: row.tenant.of(),
        site: row.spec.site,
        plan: row.spec.plan,
        size_gb: row.spec.size_gb,
        description: row.spec.description.clone(),
        term: row.spec.life.term.unwrap_or(Term::Hour),
        locked: false,
        policies: Vec::new(),
        ext: row.spec.ext.clone(),
    };
    let origin = Origin { volume: row.uid, number: id.get(), snapshot: snapshot.map(Id::get) };
    make(tx, &new, Some(origin))
}

/// Adds a rule by which snapshots are taken.
///
/// # Errors
/// [`Error::Denied`], [`Error::Invalid`].
pub fn add_policy(
    tx: &mut Tx<'_>,
    volume: &Object<Volume>,
    every: Frequency,
    keep: u16,
) -> Result<Object<SnapshotPolicy>, Error> {
    wanted(volume)?;
    if tx.count::<SnapshotPolicy>(&Filter::eq("volume", volume.id))? >= POLICIES {
        return Err(Error::conflict("too_many", format!("A volume has at most {POLICIES} rules.")));
    }
    Ok(tx.create(volume.tenant, SnapshotPolicy { volume: volume.id, every, keep })?)
}

/// Changes a rule.
///
/// # Errors
/// As [`add_policy`].
pub fn change_policy(
    tx: &mut Tx<'_>,
    id: Id<SnapshotPolicy>,
    every: Option<Frequency>,
    keep: Option<u16>,
) -> Result<Object<SnapshotPolicy>, Error> {
    let mut row = tx.get(id)?;
    let spec = SnapshotPolicy {
        every: every.unwrap_or(row.spec.every),
        keep: keep.unwrap_or(row.spec.keep),
        ..row.spec.clone()
    };
    tx.save(&mut row, spec)?;
    Ok(row)
}

/// When a rule next asks for a snapshot.
pub fn due(policy: &Object<SnapshotPolicy>) -> meetme_base::Time {
    policy.status.last.unwrap_or(policy.created).plus_seconds(policy.spec.every.seconds())
}

/// Does what a rule says, if it is time: asks for a snapshot, and wishes gone those of the rule that are too many. For the controller.
///
/// # Errors
/// As [`take_snapshot`].
pub fn keep_policy(tx: &mut Tx<'_>, mut policy: Object<SnapshotPolicy>) -> Result<(), Error> {
    let (now, due) = (tx.now(), due(&policy));
    if now < due {
        return Ok(());
    }
    take_snapshot(tx, policy.spec.volume, Some(policy.id))?;
    // The next one is counted from when this one was due; after a long pause, from now.
    let missed = now.0 - due.0 >= policy.spec.every.seconds() * 1000;
    let status = meetme_model::metal::SnapshotPolicyStatus { last: Some(if missed { now } else { due }) };
    tx.observe(&mut policy, status, None)?;
    let mine = Filter::eq("policy", policy.id).and(Filter::eq("wanted", Wanted::Up.word()));
    let mut kept = tx.list::<Snapshot>(&Query::of(mine))?;
    kept.sort_by_key(|row| std::cmp::Reverse(row.spec.taken_at));
    for row in kept.into_iter().skip(usize::from(policy.spec.keep)) {
        match drop_snapshot(tx, row.id) {
            // One that is being copied or put back goes the next time.
            Ok(()) | Err(Error::Conflict { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Frees what a volume held, and ends what hung on it. For the controller, in the transaction in which it observes the volume gone.
///
/// # Errors
/// When the store fails.
pub fn bury(tx: &mut Tx<'_>, id: RawId) -> Result<(), Error> {
    tx.as_system(|tx| {
        let here = Filter::eq("volume", id);
        for policy in tx.ids::<SnapshotPolicy>(&here)? {
            tx.remove(policy)?;
        }
        let now = tx.now();
        for mut row in tx.all::<Snapshot>(here.and(living()))? {
            let status = SnapshotStatus { life: row.status.life.moved(Phase::Gone, None, now) };
            tx.observe(&mut row, status, None)?;
        }
        Ok(tx.release_all(id)?)
    })
}
