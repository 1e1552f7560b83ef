//! Machines: the metal that stands in racks, and the devices that people order and get put on it.

mod device;
mod license;
mod machine;
mod server;
mod snapshot;
mod volume;

pub use device::{AddressWish, Device, DeviceForm, DeviceStatus, DeviceStep, RootPassword};
pub use license::License;
pub use machine::{MachineBusy, MachineSaid, MachineTold, SaidWhat};
pub use server::{Health, Nic, Power, Server, ServerStatus};
pub use snapshot::{Frequency, Snapshot, SnapshotPolicy, SnapshotPolicyStatus, SnapshotStatus};
pub use volume::{Attachment, AttachmentStatus, Origin, SIZES, Volume, VolumeStatus};

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Server>()
        .with::<Device>()
        .with::<License>()
        .with::<Volume>()
        .with::<Attachment>()
        .with::<SnapshotPolicy>()
        .with::<Snapshot>()
}
