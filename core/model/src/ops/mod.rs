//! Running the place: the boxes that agents drive, work that takes a while, and tags.

mod equipment;
mod job;
mod tag;

pub use equipment::{Equipment, EquipmentStatus, Family};
pub use job::{Job, JobState, JobStatus, LogEntry, LogLevel};
pub use tag::Tag;

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Equipment>().with::<Job>().with::<Tag>()
}
