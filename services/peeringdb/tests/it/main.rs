//! The synchronisation against a made-up database, on both stores.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect stops there")]

mod books;
mod sync;
mod world;
