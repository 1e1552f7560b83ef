//! What machines are answered, on every database this machine has.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod answers;
mod world;
