//! The dialect over a fresh store of each make.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod accounts;
mod catalogue;
mod connections;
mod keys;
mod networks;
mod seed;
mod world;
