//! The native API as its clients see it, on every database this machine has.

mod document;
mod idempotency;
mod identity;
mod rows;
mod watch;
mod world;
