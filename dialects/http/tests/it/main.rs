//! The crate through its public door: three small dialects that share one address.

mod document;
mod fake;
mod limits;
mod routing;
mod sockets;
