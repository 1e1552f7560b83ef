//! The words every other crate shares: ids, numbers of the trade, time, secrets, and what is said about bad input.
//!
//! Promise: `base` knows nothing of ours. It has no store, no network, no thread and no vendor's word in it.
//! A value of one of these types is valid by construction (parse, do not validate).

mod id;
mod invalid;
mod net;
mod number;
mod range;
mod reach;
mod secret;
mod time;

pub use id::{Any, Id, Kind, RawId, Uid};
pub use invalid::Invalid;
pub use ipnet::{IpNet, Ipv4Net, Ipv6Net};
pub use net::{IfAddr, MacAddr};
pub use number::{Asn, Mbps, VlanId};
pub use range::NetRange;
pub use reach::Reach;
pub use secret::{Sealed, Secret};
pub use time::{Clock, ManualClock, SystemClock, Time};
