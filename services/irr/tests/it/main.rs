//! The whole service against the real program and a whois server of our own.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

mod asking;
mod world;
