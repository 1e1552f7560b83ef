//! The whole service against the real program and a whois server of our own.

mod asking;
mod world;
