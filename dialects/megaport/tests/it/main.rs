//! The dialect over a real store of each make, without a socket.

#![expect(clippy::unwrap_used, reason = "what is missing in a test's world fails the test")]

mod circuits;
mod orders;
mod places;
mod seed;
mod world;
