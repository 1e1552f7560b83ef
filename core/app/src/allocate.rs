//! Allocation: the next VLAN, link subnet or number that is free, claimed in the caller's transaction. The supply is what the
//! operator's pools say, or a default where they say nothing; who has what is a claim, held by the row that uses it.

use std::{net::Ipv4Addr, ops::RangeInclusive};

use ipnet::Ipv4Net;
use meetme_base::{Asn, Invalid, RawId, VlanId};
use meetme_model::{
    access::Project,
    fabric::{Pool, PoolOf, VlanTag},
    routing::AutonomousSystem,
};
use meetme_store::{Filter, Tx};

use crate::Error;

/// VLANs a customer's circuit may have.
pub const CUSTOMER_VLANS: RangeInclusive<u16> = 2..=4093;
/// Link subnets: link-local addresses without the first and the last 256, which RFC 3927 section 2.1 sets aside.
const LINKS: RangeInclusive<i64> = 0xa9fe_0100..=0xa9fe_feff;
/// Addresses in a link subnet.
const LINK_SIZE: i64 = 4;
/// Networks that customers' own are translated to: shared address space (RFC 6598), which no customer has.
const SHARED: RangeInclusive<i64> = 0x6440_0000..=0x647f_ffff;
/// Numbers of virtual networks, above those that could be taken for VLANs.
const VNIS: RangeInclusive<i64> = 4097..=0xff_ffff;
/// The AS number networks have where the operator has none of its own: one of those for private use (RFC 6996).
const NO_ASN: i64 = 65_500;
/// The inner tags below one outer tag, and the outer tags on a port.
const TAGS: i64 = 4096;

/// What the operator's pools for a purpose hold at a place, or everywhere; `default` where there is no pool.
fn supply(
    tx: &mut Tx<'_>,
    what: PoolOf,
    purpose: &str,
    at: Option<RawId>,
    default: Option<RangeInclusive<i64>>,
) -> Result<Vec<RangeInclusive<i64>>, Error> {
    let scopes = [at.map_or(0, |id| id.get()), 0];
    let filter =
        Filter::eq("what", what.word()).and(Filter::eq("purpose", purpose)).and(Filter::is_in("scope", scopes));
    let mut pools = tx.as_system(|tx| tx.all::<Pool>(filter))?;
    // The nearer pool is asked first.
    pools.sort_by_key(|pool| pool.spec.at.is_none());
    if pools.is_empty() {
        return Ok(default.into_iter().collect());
    }
    let numbers = pools.iter().flat_map(|pool| pool.spec.numbers.iter().map(|s| s.first..=s.last));
    let networks = pools.iter().flat_map(|pool| pool.spec.networks.iter()).filter_map(|net| match net {
        ipnet::IpNet::V4(net) => Some(i64::from(u32::from(net.network()))..=i64::from(u32::from(net.broadcast()))),
        ipnet::IpNet::V6(_) => None,
    });
    Ok(numbers.chain(networks).collect())
}

/// Takes the lowest free stretch from the first range that has one.
fn take(
    tx: &mut Tx<'_>,
    pool: &str,
    ranges: Vec<RangeInclusive<i64>>,
    size: i64,
    owner: RawId,
    what: &str,
) -> Result<i64, Error> {
    for range in ranges {
        match tx.claim(pool, range, size, &[], owner) {
            Ok(item) => return Ok(item),
            Err(meetme_store::Error::Exhausted { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(Error::Exhausted { pool: what.to_owned() })
}

/// The number of a new virtual network, held by `owner`.
///
/// # Errors
/// [`Error::Exhausted`].
pub fn vni(tx: &mut Tx<'_>, owner: RawId) -> Result<i64, Error> {
    let ranges = supply(tx, PoolOf::Vnis, "networks", None, Some(VNIS))?;
    take(tx, "vni", ranges, 1, owner, "the numbers of virtual networks")
}

/// A /30 of link-local addresses on a router, held by `owner`: the router has the first host address, the far side the second.
///
/// # Errors
/// [`Error::Exhausted`].
pub fn link(tx: &mut Tx<'_>, router: RawId, owner: RawId) -> Result<Ipv4Net, Error> {
    let ranges = supply(tx, PoolOf::Addresses, "links", None, Some(LINKS))?;
    let item = take(tx, &format!("links.{router}"), ranges, LINK_SIZE, owner, "the link subnets of this router")?;
    network(item, 30)
}

/// A /30 of public addresses for a session with a provider's public services, held by `owner`. Only from the operator's pools.
///
/// # Errors
/// [`Error::Exhausted`].
pub fn public_link(tx: &mut Tx<'_>, owner: RawId) -> Result<Ipv4Net, Error> {
    let ranges = supply(tx, PoolOf::Addresses, "peering", None, None)?;
    let item = take(tx, "links.public", ranges, LINK_SIZE, owner, "the public link subnets")?;
    network(item, 30)
}

/// A network of this length to translate a customer's addresses to, unique within `network` and held by `owner`.
///
/// # Errors
/// [`Error::Exhausted`].
pub fn translated(tx: &mut Tx<'_>, network_of: RawId, length: u8, owner: RawId) -> Result<Ipv4Net, Error> {
    let ranges = supply(tx, PoolOf::Addresses, "nat", None, Some(SHARED))?;
    let size = 1_i64 << (32 - u32::from(length.min(32)));
    let item = take(tx, &format!("nat.{network_of}"), ranges, size, owner, "the blocks for address translation")?;
    network(item, length)
}

/// Holds a network that a customer chose to translate to.
///
/// # Errors
/// [`Error::Conflict`] `nat_taken` when it overlaps another of the same network.
pub fn translated_exactly(tx: &mut Tx<'_>, network_of: RawId, net: Ipv4Net, owner: RawId) -> Result<(), Error> {
    let size = 1_i64 << (32 - u32::from(net.prefix_len()));
    let pool = format!("nat.{network_of}");
    exact(tx, &pool, i64::from(u32::from(net.network())), size, owner, "nat_taken", &format!("{net} is in use."))
}

fn network(item: i64, length: u8) -> Result<Ipv4Net, Error> {
    let address = u32::try_from(item).map_err(|_| Error::Bug(format!("{item} is no IPv4 address")))?;
    Ipv4Net::new(Ipv4Addr::from(address), length).map_err(|e| Error::Bug(e.to_string()))
}

/// A tag on a port or a router's side of a handover, held by `owner`: the wished one, or the lowest that is free.
///
/// Claims are numbered so that overlap is conflict: outer tag `v` with inner tag `w` is one item, `v` alone is all items of `v`, and
/// untagged is everything there is.
///
/// # Errors
/// [`Error::Conflict`] `vlan_taken` naming the VLAN, [`Error::Exhausted`], or an [`Invalid`] tag outside 2..=4093.
pub fn tag(
    tx: &mut Tx<'_>,
    on: RawId,
    wish: VlanTag,
    inner: Option<VlanId>,
    owner: RawId,
) -> Result<(VlanTag, Option<VlanId>), Error> {
    let pool = format!("vlans.{on}");
    match (wish, inner) {
        (VlanTag::Untagged, _) => {
            exact(tx, &pool, 0, TAGS * TAGS, owner, "vlan_taken", "Untagged traffic is not free on this port.")?;
            Ok((wish, None))
        }
        (VlanTag::Vlan(outer), None) => {
            let v = customer("tag", outer)?;
            exact(tx, &pool, v * TAGS, TAGS, owner, "vlan_taken", &format!("VLAN {v} is in use on this port."))?;
            Ok((wish, None))
        }
        (VlanTag::Vlan(outer), Some(inner)) => {
            let (v, w) = (customer("tag", outer)?, customer("inner", inner)?);
            exact(tx, &pool, v * TAGS + w, 1, owner, "vlan_taken", &format!("VLAN {v}.{w} is in use on this port."))?;
            Ok((wish, Some(inner)))
        }
        (VlanTag::Choose, inner) => {
            let default = i64::from(*CUSTOMER_VLANS.start())..=i64::from(*CUSTOMER_VLANS.end());
            let ranges = supply(tx, PoolOf::Vlans, "circuits", Some(on), Some(default))?
                .into_iter()
                .map(|r| r.start() * TAGS..=r.end() * TAGS + TAGS - 1)
                .collect();
            let item = take(tx, &pool, ranges, TAGS, owner, "the VLANs of this port")?;
            let vlan = VlanId::try_from(item / TAGS)?;
            Ok((VlanTag::Vlan(vlan), inner))
        }
    }
}

/// Gives a tag back.
///
/// # Errors
/// When the database fails.
pub fn release_tag(tx: &mut Tx<'_>, on: RawId, tag: VlanTag, inner: Option<VlanId>) -> Result<(), Error> {
    let item = match (tag, inner) {
        (VlanTag::Choose, _) => return Ok(()),
        (VlanTag::Untagged, _) => 0,
        (VlanTag::Vlan(v), None) => i64::from(v.get()) * TAGS,
        (VlanTag::Vlan(v), Some(w)) => i64::from(v.get()) * TAGS + i64::from(w.get()),
    };
    Ok(tx.release(&format!("vlans.{on}"), item)?)
}

fn customer(field: &str, vlan: VlanId) -> Result<i64, Error> {
    if CUSTOMER_VLANS.contains(&vlan.get()) {
        return Ok(i64::from(vlan.get()));
    }
    Err(Invalid::range(field, CUSTOMER_VLANS.start(), CUSTOMER_VLANS.end()).into())
}

fn exact(
    tx: &mut Tx<'_>,
    pool: &str,
    item: i64,
    size: i64,
    owner: RawId,
    code: &'static str,
    taken: &str,
) -> Result<(), Error> {
    tx.claim_exact(pool, item, size, owner).map_err(|e| match e {
        meetme_store::Error::Exhausted { .. } => Error::conflict(code, taken),
        other => other.into(),
    })
}

/// The AS number that the operator above a node speaks with.
///
/// # Errors
/// When the database fails.
pub fn our_asn(tx: &mut Tx<'_>, node: RawId) -> Result<Asn, Error> {
    let found = tx.as_system(|tx| {
        let above = tx.above(node)?;
        tx.one::<AutonomousSystem>(&Filter::eq("ours", true).and(Filter::is_in("tenant", above)))
    })?;
    match found {
        Some(system) => Ok(system.spec.asn),
        None => Ok(Asn::try_from(NO_ASN)?),
    }
}

/// An organization's own node and those of its projects: the places its rows hang on.
///
/// # Errors
/// When the database fails.
pub fn nodes_of(tx: &mut Tx<'_>, organization: RawId) -> Result<Vec<RawId>, Error> {
    let projects = tx.ids::<Project>(&Filter::eq("organization", organization))?;
    Ok(std::iter::once(organization).chain(projects.into_iter().map(|id| id.any())).collect())
}
