//! What is asked of an IX-API, seen from the other side: a small one on this machine that notes what it was sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asked;
mod fake;
mod jobs;
