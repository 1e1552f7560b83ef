//! Switching, reinstalling and giving back a machine. Each is a wish; the machine follows.

use meetme_base::Id;
use meetme_model::{Lock, Phase, Wanted, metal::Device, place::Image, routing::DirectSession};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use super::{order::check_script, port};
use crate::{Error, access, addresses, nics, volumes};

/// The code of the line that says that power is to be switched. Those of what came of it are the controller's.
const POWER_QUEUED: &str = "power.200";

/// What can be done to a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give it power.
    PowerOn,
    /// Take its power away.
    PowerOff,
    /// Start it again.
    Restart,
    /// Start it again, from a system in memory.
    Rescue,
    /// Install it anew. It keeps its name, its addresses and its keys.
    Reinstall {
        /// Another image; the one it has when absent.
        image: Option<Id<Image>>,
        /// Another script to start from.
        ipxe_url: Option<String>,
        /// Whether disks other than the system's own are left alone.
        keep_disks: bool,
    },
}

/// Does something to a machine.
///
/// # Errors
/// [`Error::Conflict`] `locked`, or `state` when the machine is not in a state for it; [`Error::Denied`] without the right to act.
pub fn act(tx: &mut Tx<'_>, id: Id<Device>, action: &Action) -> Result<Object<Device>, Error> {
    let mut device = tx.get(id)?;
    access::require(tx, Device::KIND, "act", device.tenant)?;
    unlocked(&device)?;
    let mut spec = device.spec.clone();
    let state = |text: &str| Err(Error::conflict("state", text));
    let life = &device.status.life;
    if spec.life.wanted == Wanted::Gone || matches!(life.phase, Phase::Removing | Phase::Gone) {
        return state("The device is being removed.");
    }
    // What could not be built may be tried again.
    let is_retry = life.phase == Phase::Failed && matches!(action, Action::Reinstall { .. });
    if !life.phase.is_built() && !is_retry {
        return state("The device is not ready yet.");
    }
    let is_off = spec.life.wanted == Wanted::Off;
    match action {
        Action::PowerOn if !is_off => return state("The device must be powered off."),
        Action::PowerOff | Action::Restart | Action::Rescue if is_off => {
            return state("The device must be powered on.");
        }
        Action::PowerOn => spec.life.wanted = Wanted::Up,
        Action::PowerOff => spec.life.wanted = Wanted::Off,
        Action::Restart | Action::Rescue => {
            spec.rescue = *action == Action::Rescue;
            spec.restarts += 1;
        }
        Action::Reinstall { image, ipxe_url, keep_disks } => {
            if let Some(image) = image {
                let image = tx.get(*image)?;
                if !image.spec.plans.is_empty() && !image.spec.plans.contains(&spec.plan) {
                    let text = format!("{} does not run on this plan.", image.spec.name);
                    return Err(meetme_base::Invalid::rule("image", text).into());
                }
                spec.image = image.id;
            }
            if ipxe_url.is_some() {
                spec.ipxe_url.clone_from(ipxe_url);
            }
            let image = tx.get(spec.image)?;
            check_script(&image.spec, spec.ipxe_url.as_deref(), spec.userdata.as_deref())?;
            spec.keep_disks = *keep_disks;
            spec.rescue = false;
            spec.life.wanted = Wanted::Up;
            spec.reinstalls += 1;
        }
    }
    let queued = match action {
        Action::PowerOn => Some("Switching it on"),
        Action::PowerOff => Some("Switching it off"),
        Action::Restart => Some("Starting it again"),
        Action::Rescue => Some("Starting it into the rescue system"),
        Action::Reinstall { .. } => None,
    };
    tx.as_system(|tx| {
        tx.save(&mut device, spec)?;
        let Some(what) = queued else { return Ok(device) };
        // Nothing was observed; the log has a line that says who asked for it. The row is read again now that it is held: a controller
        // may have observed something since it was read.
        let mut device = tx.get(id)?;
        let (status, title) = (device.status.clone(), device.spec.title());
        tx.observe(&mut device, status, Some(Moved::new(POWER_QUEUED, format!("{title}: {what} is asked for."))))?;
        Ok(device)
    })
}

/// Wishes a machine gone. Its server, addresses and ports are free once it is: see [`finish`].
///
/// # Errors
/// [`Error::Conflict`] `locked`; [`Error::Denied`].
pub fn remove(tx: &mut Tx<'_>, id: Id<Device>) -> Result<Object<Device>, Error> {
    let mut device = tx.get(id)?;
    access::require(tx, Device::KIND, "remove", device.tenant)?;
    unlocked(&device)?;
    let mut spec = device.spec.clone();
    spec.life.wanted = Wanted::Gone;
    tx.as_system(|tx| {
        tx.save(&mut device, spec)?;
        nics::take_all(tx, id)
    })?;
    volumes::detach_all(tx, id)?;
    Ok(device)
}

/// Frees everything a machine held: server, addresses, ports, sessions. For the controller, in the transaction in which it
/// observes the machine gone.
///
/// # Errors
/// When the store fails.
pub fn finish(tx: &mut Tx<'_>, device: &mut Object<Device>) -> Result<(), Error> {
    tx.as_system(|tx| {
        for session in tx.ids::<DirectSession>(&Filter::eq("device", device.id))? {
            tx.remove(session)?;
        }
        // One that ended on its day was wished gone by nobody.
        volumes::detach_all(tx, device.id)?;
        addresses::take_back(tx, device.id)?;
        port::take_back(tx, device.id.any())?;
        // Its own claims: the server, or the loan of a reserved one, which the reservation goes on holding.
        tx.release_all(device.id.any())?;
        if device.spec.server.is_some() {
            let spec = Device { server: None, ..device.spec.clone() };
            tx.save(device, spec)?;
        }
        Ok(())
    })
}

fn unlocked(device: &Object<Device>) -> Result<(), Error> {
    match device.spec.life.lock {
        Lock::None => Ok(()),
        Lock::Owner => Err(Error::conflict("locked", "The device is locked. Unlock it first.")),
        Lock::Operator => Err(Error::conflict("locked", "The device is locked by the operator.")),
    }
}
