//! The dialect through its front door, over a store of its own on each database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod anonymous;
mod bulk;
mod changes;
mod contract;
mod errors;
mod filters;
mod lists;
mod portal;
mod routers;
mod sessions;
mod tokens;
mod world;
