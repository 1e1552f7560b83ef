//! The dialect through its front door, over a store of its own on each database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod actions;
mod anonymous;
mod browse;
mod bulk;
mod changes;
mod configuration;
mod contexts;
mod contract;
mod doors;
mod errors;
mod filters;
mod grammar;
mod hooks;
mod lists;
mod messaging;
mod netbox;
mod peeringdb;
mod people;
mod polling;
mod portal;
mod registries;
mod routers;
mod schema;
mod sessions;
mod texts;
mod tokens;
mod world;
