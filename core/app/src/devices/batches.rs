//! Several machines ordered together. The order is looked at when it is made and carried out a moment later, all of it in one
//! transaction: either every machine is there or none, and then the batch says why.

use meetme_base::{Id, Invalid};
use meetme_model::{
    Phase, Wanted,
    access::Project,
    metal::{Batch, BatchState, BatchStatus, Device, Keys, check_hostname},
    place::Site,
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use super::{act, order::Order, place, reservations};
use crate::{Error, access, ssh_keys};

/// The most batches of one project that wait for their turn.
const WAITING: u64 = 100;

/// Puts an order of several machines into the queue of a project.
///
/// # Errors
/// What can be said of it before any server is looked for: [`Error::Invalid`], [`Error::Missing`], [`Error::Denied`];
/// [`Error::Conflict`] `waiting` when too many are in the queue.
pub fn ask(tx: &mut Tx<'_>, project: Id<Project>, mut batch: Batch) -> Result<Object<Batch>, Error> {
    if batch.wish.reserved.is_some() && batch.quantity > 1 {
        let text = "Servers of one's own are ordered one by one.";
        return Err(Invalid::rule("hardware_reservation_id", text).into());
    }
    {
        let order = Order::new(tx, project, &batch.wish)?;
        order.sites(tx)?;
    }
    for number in 0..usize::from(batch.quantity).min(batch.names.len().max(1)) {
        // A name that is none is found out now and not when nobody waits for the answer any more.
        if let Some(name) = batch.name(number) {
            check_hostname("hostname", &name)?;
        }
    }
    let open = Filter::is_in("state", [BatchState::Queued.word(), BatchState::InProgress.word()]);
    if tx.count::<Batch>(&Filter::eq("tenant", project).and(open))? >= WAITING {
        return Err(Error::conflict("waiting", format!("{WAITING} batches of this project wait already.")));
    }
    // Whose keys are meant is settled for who asks, not for whom the work is done by.
    let keys = ssh_keys::resolve(tx, &batch.wish.keys, project)?;
    batch.wish.keys = Keys::These { keys, users: Vec::new() };
    Ok(tx.as_system(|tx| tx.create(project.any(), batch))?)
}

/// Says that a batch is being worked at. For its controller.
///
/// # Errors
/// When the store fails.
pub fn begin(tx: &mut Tx<'_>, batch: &mut Object<Batch>) -> Result<(), Error> {
    let status = BatchStatus { state: BatchState::InProgress, ..batch.status.clone() };
    Ok(tx.observe(batch, status, Some(Moved::new("batch.in_progress", "The devices are being ordered.")))?)
}

/// Carries a batch out, or finds out why it cannot be. For its controller. A batch that is over stays as it is.
///
/// # Errors
/// When the store fails; what keeps the machines from being ordered is kept with the batch.
pub fn carry_out(tx: &mut Tx<'_>, batch: &mut Object<Batch>) -> Result<(), Error> {
    if matches!(batch.status.state, BatchState::Completed | BatchState::Failed) {
        return Ok(());
    }
    let made = tx.attempt(|tx| make(tx, batch));
    let now = tx.now();
    let (status, line) = match made {
        Ok(devices) => {
            let spec = Batch { devices, ..batch.spec.clone() };
            tx.save(batch, spec)?;
            let status = BatchStatus { state: BatchState::Completed, errors: Vec::new(), ended: Some(now) };
            (status, Moved::new("batch.completed", format!("{} devices are ordered.", batch.spec.quantity)))
        }
        // What the database could not do it may be able to do later.
        Err(error @ (Error::Unavailable(_) | Error::Bug(_) | Error::Stale { .. } | Error::Limited { .. })) => {
            return Err(error);
        }
        Err(error) => {
            let text = error.to_string();
            let errors = vec![text.clone()];
            let status = BatchStatus { state: BatchState::Failed, errors, ended: Some(now) };
            (status, Moved::new("batch.failed", text))
        }
    };
    Ok(tx.observe(batch, status, Some(line))?)
}

fn make(tx: &mut Tx<'_>, batch: &Object<Batch>) -> Result<Vec<Id<Device>>, Error> {
    let spec = &batch.spec;
    let order = Order::new(tx, batch.tenant.of(), &spec.wish)?;
    if spec.wish.reserved.is_some() {
        let reservation = reservations::pick(tx, &order)?;
        return Ok(vec![order.make_on(tx, spec.name(0), &reservation)?.id]);
    }
    let sites = order.sites(tx)?;
    let mut rooms: Vec<(Id<Site>, usize)> = Vec::with_capacity(sites.len());
    for site in &sites {
        rooms.push((*site, order.hardware().free(tx, *site)?));
    }
    let most = spec.spread.map_or(rooms.len(), usize::from);
    let count = usize::from(spec.quantity);
    let Some(plan) = place::spread(&rooms, count, most) else {
        return Err(order.hardware().exhausted(tx, &sites));
    };
    let mut out = Vec::with_capacity(count);
    for (site, here) in plan {
        for _ in 0..here {
            out.push(order.make(tx, spec.name(out.len()), &[site], None)?.id);
        }
    }
    Ok(out)
}

/// Takes a batch away; with `devices`, its machines are wished gone too. One that is locked keeps all of it.
///
/// # Errors
/// [`Error::Conflict`] `locked`; [`Error::Missing`], [`Error::Denied`].
pub fn remove(tx: &mut Tx<'_>, id: Id<Batch>, devices: bool) -> Result<(), Error> {
    let batch = tx.get(id)?;
    access::require(tx, Device::KIND, "remove", batch.tenant)?;
    if devices {
        let known = tx.many(batch.spec.devices.iter().copied())?;
        let living = |d: &&Object<Device>| d.spec.life.wanted != Wanted::Gone && d.status.life.phase != Phase::Gone;
        let mut ids: Vec<_> = known.values().filter(living).map(|d| d.id).collect();
        ids.sort_unstable();
        for id in ids {
            act::remove(tx, id)?;
        }
    }
    Ok(tx.as_system(|tx| tx.remove(id))?)
}
