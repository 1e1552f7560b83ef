//! Area `fabric`: what carries traffic. Circuits and their legs, ports, routed networks, segments, and the numbers they use.
//!
//! A circuit is what is ordered and paid; a leg is one path of it, with two ends, their VLANs, addresses and protocols. A slice
//! used up inside another row (a VLAN on a port, a /30 on a link) is a claim in the store, and its value stands here.

mod address;
mod block;
mod circuit;
mod end;
mod ipsec;
mod landing;
mod leg;
mod network;
mod pool;
mod port;
mod segment;

pub use address::Address;
pub use block::{Block, BlockPurpose, BlockReach};
pub use circuit::{BgpRules, Circuit, Nat, NatMap, Nearby, Timers};
pub use end::{End, EndName, Face, Link, StaticRoute, Target, VlanTag};
pub use ipsec::{DhGroup, Encryption, Esp, Ike, Integrity, Ipsec, Prf, Selector};
pub use landing::{Landing, LandingStatus};
pub use leg::{Leg, LegStatus, LinkState, NextHop, Routing, TunnelState, Vrrp, VrrpState};
pub use network::Network;
pub use pool::{Pool, PoolOf, Stretch};
pub use port::{Patch, Port, PortMode, PortStatus, Shape, VlanRange};
pub use segment::Segment;

use meetme_base::{Invalid, IpNet};
use meetme_store::Registry;

use crate::check;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Network>()
        .with::<Port>()
        .with::<Segment>()
        .with::<Circuit>()
        .with::<Leg>()
        .with::<Block>()
        .with::<Landing>()
        .with::<Address>()
        .with::<Pool>()
}

/// The largest number of a virtual network (RFC 7348: 24 bits).
const LARGEST_VNI: i64 = 0xff_ffff;

/// The address is that of a network: no bit of a host is set.
///
/// # Errors
/// Names the field.
pub(crate) fn check_network(field: &str, net: IpNet) -> Result<(), Invalid> {
    if net == net.trunc() {
        return Ok(());
    }
    Err(Invalid::format(field, format!("a network; did you mean {}?", net.trunc())))
}

fn check_vni(vni: Option<i64>) -> Result<(), Invalid> {
    vni.map_or(Ok(()), |n| check::range("vni", n, 1, LARGEST_VNI))
}

fn check_family(field: &str, family: u8) -> Result<(), Invalid> {
    if matches!(family, 4 | 6) { Ok(()) } else { Err(Invalid::choice(field, family)) }
}

/// Whether two networks are of one family.
fn same_family(a: IpNet, b: IpNet) -> bool {
    a.addr().is_ipv4() == b.addr().is_ipv4()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_no_bits_of_a_host() {
        assert_eq!(check_network("x", "10.0.0.0/8".parse().unwrap()), Ok(()));
        let complaint = check_network("x", "10.0.0.1/8".parse().unwrap()).unwrap_err();
        assert!(complaint.message.contains("10.0.0.0/8"), "{complaint}");
    }
}
