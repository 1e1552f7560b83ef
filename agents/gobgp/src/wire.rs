//! The messages of gobgpd's gRPC interface (package `apipb`, gobgpd 3), as far as this agent speaks them.
//!
//! They are declared by hand, so that nobody needs a compiler of protocol files to build this. Numbers and names are those of the
//! interface; fields that are left out are skipped when read. The same types are what a configuration is kept and shown as, so
//! everything that is no state can be written as text.

mod path;
mod peer;
mod policy;

use prost::Message;
use serde::{Deserialize, Serialize};

pub use path::*;
pub use peer::*;
pub use policy::*;

/// Nothing to say.
#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

/// The daemon as a whole.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Global {
    /// Zero in a daemon that has not been started.
    #[prost(uint32, tag = "1")]
    pub asn: u32,
    #[prost(string, tag = "2")]
    pub router_id: String,
    /// Not part of what is compared: how the process listens is its settings' business.
    #[prost(int32, tag = "3")]
    #[serde(skip)]
    pub listen_port: i32,
    #[prost(string, repeated, tag = "4")]
    #[serde(skip)]
    pub listen_addresses: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StartBgp {
    #[prost(message, optional, tag = "1")]
    pub global: Option<Global>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetBgp {
    #[prost(message, optional, tag = "1")]
    pub global: Option<Global>,
}

/// An address family: `afi` 1 is IPv4, 2 is IPv6; `safi` 1 is unicast.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Family {
    #[prost(int32, tag = "1")]
    pub afi: i32,
    #[prost(int32, tag = "2")]
    pub safi: i32,
}

impl Family {
    /// Unicast of the family that an address belongs to.
    pub fn of(is_ipv4: bool) -> Self {
        Self { afi: if is_ipv4 { 1 } else { 2 }, safi: 1 }
    }
}
