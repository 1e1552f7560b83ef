//! Stands where `meetme_app::{App, Caller}` will: the rest of the crate imports both from the crate's root, so one line in
//! `lib.rs` changes to `pub use meetme_app::{App, Caller};` and this file goes.

/// The door to the core's operations.
#[derive(Clone, Debug, Default)]
pub struct App;

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Caller;
