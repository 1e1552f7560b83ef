//! The dialect through its public door, over a small world of its own, on every database there is.

#![expect(clippy::unwrap_used, reason = "helpers outside of test functions are tests as well")]

mod access;
mod accounts;
mod addresses;
mod batches;
mod bgp;
mod contract;
mod devices;
mod gateways;
mod include;
mod instance;
mod orders;
mod people;
mod ports;
mod reservations;
mod services;
mod spelling;
mod spot;
mod transfers;
mod usage;
mod volumes;
mod world;
