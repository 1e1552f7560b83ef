//! The crate through its public door: three small dialects that share one address.

#![expect(clippy::unwrap_used, reason = "helpers outside of test functions are tests as well")]

mod document;
mod fake;
mod limits;
mod routing;
mod sockets;
