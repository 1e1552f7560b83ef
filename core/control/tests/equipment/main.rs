//! The controllers against simulated equipment that is slow, refuses, does not answer, does half, and forgets.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

mod circuits;
mod devices;
mod hub;
mod jobs;
mod market;
mod metal;
mod portal;
mod routers;
mod switches;
mod templates;
mod volumes;
mod world;
