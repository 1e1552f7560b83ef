//! Running the place: the boxes that agents drive, work that takes a while, where texts come from, whom to ask, who is told, what
//! was noted, and tags.

mod contact;
mod contact_assignment;
mod contact_role;
mod data_file;
mod data_source;
mod equipment;
mod follows;
mod hook;
mod job;
mod journal;
mod notification;
mod subject;
mod tag;

pub use contact::Contact;
pub use contact_assignment::ContactAssignment;
pub use contact_role::ContactRole;
pub use data_file::DataFile;
pub use data_source::{DataSource, DataSourceStatus, GitParameters, SourceForm, SourceState};
pub use equipment::{Equipment, EquipmentStatus, Family};
pub use follows::{Follows, Publishes};
pub use hook::{Hook, HookMethod, HookStatus};
pub use job::{Job, JobState, JobStatus, LogEntry, LogLevel};
pub use journal::{Journal, JournalLevel};
pub use notification::{Notification, NotificationForm, NotificationState, Receipt, Severity};
pub use subject::subject;
pub use tag::Tag;

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Equipment>()
        .with::<Job>()
        .with::<Tag>()
        .with::<Contact>()
        .with::<ContactRole>()
        .with::<ContactAssignment>()
        .with::<Journal>()
        .with::<DataSource>()
        .with::<DataFile>()
        .with::<Hook>()
        .with::<Notification>()
        .with::<Receipt>()
}
