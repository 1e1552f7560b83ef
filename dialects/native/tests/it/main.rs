//! The native API as its clients see it, on every database this machine has.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod configuration;
mod discovery;
mod document;
mod fields;
mod idempotency;
mod identity;
mod orders;
mod rows;
mod watch;
mod world;
