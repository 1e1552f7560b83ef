//! The agent against a strict controller of our own and against sushy-tools.

#![expect(clippy::unwrap_used, reason = "every function of this crate is part of a test")]

mod agent;
mod mock;
mod sushy;
