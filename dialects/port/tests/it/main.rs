//! The dialect over a real store, without a socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod catalog;
mod kit;
mod login;
