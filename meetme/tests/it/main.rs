//! The whole binary, as its users meet it: one server with the demo world, real clients, real daemons.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod access;
mod agent;
mod doors;
mod hooks;
mod jobs;
mod kit;
mod lab;
mod lab_agent;
mod lab_exchange;
mod lab_gobgp;
mod lab_metal;
mod one_thing;
mod peering_clients;
mod seeds;
