//! Machines: the metal that stands in racks, and the devices that people order and get put on it.

mod device;
mod license;
mod machine;
mod server;

pub use device::{AddressWish, Device, DeviceForm, DeviceStatus, DeviceStep, RootPassword};
pub use license::License;
pub use machine::{MachineBusy, MachineSaid, MachineTold, SaidWhat};
pub use server::{Health, Nic, Power, Server, ServerStatus};

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Server>().with::<Device>().with::<License>()
}
