//! Letters from the queue to a mail server on this machine that says what it is told to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod letters;
mod sink;
mod world;
