//! The dialect through its front door, over a store of its own on each database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod anonymous;
mod bulk;
mod changes;
mod configuration;
mod contexts;
mod contract;
mod errors;
mod filters;
mod hooks;
mod lists;
mod messaging;
mod peeringdb;
mod people;
mod portal;
mod routers;
mod sessions;
mod texts;
mod tokens;
mod world;
