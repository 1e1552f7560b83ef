//! Machines: the metal that stands in racks, what people order and get put on it, and the ways to order: one by one, together, on
//! servers of one's own, at the price of the hour.

mod batch;
mod device;
mod license;
mod machine;
mod reservation;
mod server;
mod snapshot;
mod spot;
mod volume;
mod wish;

pub use batch::{Batch, BatchState, BatchStatus};
pub use device::{
    AddressWish, Device, DeviceForm, DeviceStatus, DeviceStep, RootPassword, Spot, Traffic, check_hostname,
};
pub use license::License;
pub use machine::{MachineBusy, MachineSaid, MachineTold, SaidWhat};
pub use reservation::Reservation;
pub use server::{Health, Nic, Power, Server, ServerStatus};
pub use snapshot::{Frequency, Snapshot, SnapshotPolicy, SnapshotPolicyStatus, SnapshotStatus};
pub use spot::{SpotPrice, SpotPriceStatus, SpotRequest, SpotRequestStatus};
pub use volume::{Attachment, AttachmentStatus, Origin, SIZES, Volume, VolumeStatus};
pub use wish::{DeviceWish, Keys, Place, Reserved};

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Server>()
        .with::<Reservation>()
        .with::<SpotPrice>()
        .with::<SpotRequest>()
        .with::<Device>()
        .with::<Batch>()
        .with::<License>()
        .with::<Volume>()
        .with::<Attachment>()
        .with::<SnapshotPolicy>()
        .with::<Snapshot>()
}
