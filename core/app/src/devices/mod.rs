//! Machines: ordering them, changing what they are called, switching and reinstalling them, and giving them back.
//!
//! An operation states a wish and settles everything that must not be given twice (a server, addresses, ports) in its own
//! transaction. What happens to the hardware after that is a controller's: it compares `spec` with `status` and, when a machine is
//! taken down, calls [`finish`].

mod act;
pub mod batches;
pub mod machine;
mod metadata;
mod order;
mod place;
mod port;
pub mod reservations;
pub mod spot;
mod steps;
pub mod usage;

pub use act::{Action, act, finish, remove};
pub use meetme_model::metal::{DeviceWish as NewDevice, Place, Reserved};
pub use metadata::{Facts, facts, health};
pub use order::order;
pub use place::{Level, Stock, check_stock, held, stock};
pub use steps::steps;

use meetme_base::Id;
use meetme_model::{Lock, Phase, Wanted, metal::Device};
use meetme_store::{Object, Tx};

use crate::{Error, tags};

/// Changes what may be changed of a machine by `edit`, which sees what it is now; with `tags`, its tags become these. A lock does not
/// keep anybody from renaming and tagging, nor its owner from unlocking.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`] for the operator's lock, what a device refuses by itself.
pub fn change(
    tx: &mut Tx<'_>,
    id: Id<Device>,
    tags: Option<&[String]>,
    edit: impl FnOnce(&mut Device),
) -> Result<Object<Device>, Error> {
    let mut device = tx.get(id)?;
    let mut spec = device.spec.clone();
    edit(&mut spec);
    if spec.life.lock != device.spec.life.lock && device.spec.life.lock == Lock::Operator {
        return Err(Error::Denied("Only the operator can unlock this.".to_owned()));
    }
    if let Some(names) = tags {
        tx.may_change(&device, &spec)?;
        spec.tags = tags::ensure(tx, device.tenant, names)?;
    }
    // What it refers to may be out of the caller's sight, as the server always is; what is new among it was checked above.
    tx.save(&mut device, spec)?;
    Ok(device)
}

/// A machine whose addresses and ports are about to be changed. Until the transaction ends nobody else changes them: what is allowed
/// depends on all of them together.
///
/// # Errors
/// [`Error::Conflict`] `frozen` when its owner has frozen its network, `state` when it is being removed; [`Error::Missing`].
pub fn open_network(tx: &mut Tx<'_>, id: Id<Device>) -> Result<Object<Device>, Error> {
    let pool = format!("network.{id}");
    // Taking and giving back the only item of a pool locks it: what is read after this is the last word.
    let item = tx.claim(&pool, 0..=0, 1, &[], id.any())?;
    tx.release(&pool, item)?;
    let device = tx.get(id)?;
    if device.spec.life.wanted == Wanted::Gone || matches!(device.status.life.phase, Phase::Removing | Phase::Gone) {
        return Err(Error::conflict("state", "The device is being removed."));
    }
    if device.spec.network_frozen {
        return Err(Error::conflict("frozen", "The network of the device is frozen."));
    }
    Ok(device)
}
