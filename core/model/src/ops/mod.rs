//! Running the place: the boxes that agents drive, work that takes a while, where texts come from, who is told, and tags.

mod data_file;
mod data_source;
mod equipment;
mod follows;
mod hook;
mod job;
mod tag;

pub use data_file::DataFile;
pub use data_source::{DataSource, DataSourceStatus, GitParameters, SourceForm, SourceState};
pub use equipment::{Equipment, EquipmentStatus, Family};
pub use follows::Follows;
pub use hook::{Hook, HookMethod, HookStatus};
pub use job::{Job, JobState, JobStatus, LogEntry, LogLevel};
pub use tag::Tag;

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Equipment>().with::<Job>().with::<Tag>().with::<DataSource>().with::<DataFile>().with::<Hook>()
}
