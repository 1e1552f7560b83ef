//! Addresses of machines: which block of a project they are cut from, and where that block comes from.
//!
//! The operator's supply is [`Pool`] rows of addresses with the purposes [`PUBLIC`], [`PRIVATE`] and [`GLOBAL`], for one site, one
//! metro or for all. Blocks are claims in a realm (the public table, or one metro for private addresses), addresses are claims in
//! their block: an overlap is impossible by the claim, not by a search. IPv6 blocks are counted in networks of 64 bits, so that the
//! count fits an integer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meetme_base::{Id, IfAddr, Invalid, IpNet, RawId, Uid};
use meetme_model::{
    LifeStatus, Phase,
    access::Project,
    fabric::{Address, Block, BlockPurpose, BlockReach, Pool},
    living,
    metal::{AddressWish, Device},
    place::{Metro, Site},
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::Error;

/// The purpose of pools with addresses that everybody reaches.
pub const PUBLIC: &str = "device_public";
/// The purpose of pools with addresses that only the machines of a place reach.
pub const PRIVATE: &str = "device_private";
/// The purpose of pools with addresses that everybody reaches wherever their owner announces them.
pub const GLOBAL: &str = "device_global";

/// How long the blocks are from which a project's machines at one site get their addresses. A public IPv4 block is as long as what
/// the machine was given: those addresses are too few to set aside.
const PRIVATE4_BLOCK: u8 = 25;
const PUBLIC6_BLOCK: u8 = 56;
/// How many addresses of a block can be given out; an IPv6 block has more than anybody can count.
pub(crate) const COUNTABLE: u32 = 40;

/// What a machine gets when nothing is said.
pub fn usual(public4_length: Option<u8>) -> Vec<AddressWish> {
    let wish = |family, public, length| AddressWish { family, public, length, blocks: Vec::new() };
    vec![wish(4, true, public4_length), wish(6, true, None), wish(4, false, None)]
}

/// The lengths a machine's own network may have, by family and by who reaches it; the first is the usual one.
fn lengths(wish: &AddressWish) -> std::ops::RangeInclusive<u8> {
    match (wish.family, wish.public) {
        (4, true) => 28..=31,
        (4, false) => 28..=31,
        _ => 124..=127,
    }
}

/// Whether what is wished, under the name `of`, can be had at all.
///
/// # Errors
/// Names the wish.
pub fn check(of: &str, wishes: &[AddressWish]) -> Result<(), Invalid> {
    for (i, wish) in wishes.iter().enumerate() {
        let field = |name: &str| format!("{of}.{i}.{name}");
        if !matches!(wish.family, 4 | 6) {
            return Err(Invalid::choice(field("address_family"), wish.family));
        }
        if wish.family == 6 && !wish.public {
            return Err(Invalid::rule(field("public"), "There are no private IPv6 addresses."));
        }
        let range = lengths(wish);
        if wish.blocks.is_empty() && wish.length.is_some_and(|n| !range.contains(&n)) {
            return Err(Invalid::range(field("cidr"), range.start(), range.end()));
        }
    }
    Ok(())
}

/// Gives a machine an address as wished: from a block it names, or from the project's block for its site, made when there is none
/// with room. Runs with every right; whoever may order the machine may have its addresses.
pub(crate) fn give(tx: &mut Tx<'_>, device: &Object<Device>, wish: &AddressWish) -> Result<Object<Address>, Error> {
    let length = wish.length.unwrap_or(*lengths(wish).end());
    for block in &wish.blocks {
        let block = tx.get(*block)?;
        if block.tenant != device.tenant || block.spec.family != wish.family {
            return Err(Invalid::reference("ip_addresses", "The reservation").into());
        }
        if !Within::of(tx, device.spec.site.any())?.reaches(block.spec.at) {
            return Err(Invalid::rule("ip_addresses", "The reservation is for another place.").into());
        }
        let length = wish.length.unwrap_or(if wish.family == 4 { 32 } else { 128 });
        if let Some(address) = from_block(tx, device, &block, length)? {
            return Ok(address);
        }
    }
    if !wish.blocks.is_empty() {
        return Err(Error::Exhausted { pool: "the reservations that were named".to_owned() });
    }
    let size = match (wish.family, wish.public) {
        (4, true) => length,
        (4, false) => PRIVATE4_BLOCK,
        _ => PUBLIC6_BLOCK,
    };
    if size < length {
        let reach = if wish.public { BlockReach::Public } else { BlockReach::Private };
        let ours = Filter::eq("tenant", device.tenant)
            .and(Filter::eq("at", device.spec.site))
            .and(Filter::eq("family", wish.family))
            .and(Filter::eq("reach", reach.word()))
            .and(Filter::eq("purpose", BlockPurpose::Management.word()))
            .and(living());
        for block in tx.all::<Block>(ours)? {
            if let Some(address) = from_block(tx, device, &block, length)? {
                return Ok(address);
            }
        }
    }
    let block = cut(tx, device.tenant.of(), device.spec.site, wish, size)?;
    from_block(tx, device, &block, length)?
        .ok_or_else(|| Error::Bug(format!("a fresh block {} has no room for /{length}", block.spec.title())))
}

/// Cuts a management block for a project at a site out of the operator's supply.
fn cut(
    tx: &mut Tx<'_>,
    project: Id<Project>,
    site: Id<Site>,
    wish: &AddressWish,
    size: u8,
) -> Result<Object<Block>, Error> {
    let reach = if wish.public { BlockReach::Public } else { BlockReach::Private };
    let block =
        Block { reach, purpose: BlockPurpose::Management, at: Some(site.any()), ..Block::new(wish.family, size) };
    let mut block = tx.create_as(project.any(), Uid::random(), block, up(tx))?;
    let at = Within::of(tx, site.any())?;
    let prefix = allot(tx, reach, Some(at), wish.family, size, block.id.any())?;
    let spec = Block { prefix: Some(prefix), ..block.spec.clone() };
    tx.save(&mut block, spec)?;
    Ok(block)
}

pub(crate) fn up(tx: &Tx<'_>) -> LifeStatus {
    LifeStatus::default().moved(Phase::Up, None, tx.now())
}

/// Where addresses are routed to: a site, or a whole metro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within {
    /// The site, unless all of the metro is meant.
    pub site: Option<Id<Site>>,
    /// The metro.
    pub metro: Id<Metro>,
}

impl Within {
    /// The place behind an id that is a site's or a metro's.
    pub fn of(tx: &mut Tx<'_>, at: RawId) -> Result<Self, Error> {
        if tx.kind_of(at)? == Some(Metro::KIND) {
            return Ok(Self { site: None, metro: at.of() });
        }
        Ok(Self { site: Some(at.of()), metro: tx.get::<Site>(at.of())?.spec.metro })
    }

    /// Whether something for that site, metro or (when absent) for everywhere can be had here.
    pub fn reaches(self, at: Option<RawId>) -> bool {
        at.is_none_or(|at| self.site.map(Id::any) == Some(at) || self.metro.any() == at)
    }
}

/// Takes the lowest free prefix of that length out of the operator's supply: the site's own first, then the metro's, then what is for
/// all. Global addresses have no place.
///
/// # Errors
/// [`Error::Exhausted`].
pub(crate) fn allot(
    tx: &mut Tx<'_>,
    reach: BlockReach,
    at: Option<Within>,
    family: u8,
    size: u8,
    owner: RawId,
) -> Result<IpNet, Error> {
    let (purpose, what) = match reach {
        BlockReach::Private => (PRIVATE, "private"),
        BlockReach::Global => (GLOBAL, "global"),
        BlockReach::Public | BlockReach::Vrf => (PUBLIC, "public"),
    };
    let site = at.and_then(|at| at.site).map(Id::get);
    let scopes = site.into_iter().chain(at.map(|at| at.metro.get())).chain([0]);
    let pools = tx.all::<Pool>(Filter::eq("what", "addresses").and(Filter::eq("purpose", purpose)))?;
    let realm = match (reach, at) {
        (BlockReach::Private, Some(at)) => format!("addresses.{}", at.metro),
        _ => "addresses.public".to_owned(),
    };
    for scope in scopes {
        let here = pools.iter().filter(|p| p.spec.at.map_or(0, Id::get) == scope);
        for network in here.flat_map(|p| &p.spec.networks).filter(|n| n.addr().is_ipv4() == (family == 4)) {
            if network.prefix_len() > size {
                continue;
            }
            let (first, last, step) = (item(network.network()), item(network.broadcast()), units(family, size));
            match tx.claim(&realm, first..=last, step, &[], owner) {
                Ok(at) => return IpNet::new(address_at(family, at), size).map_err(|e| Error::Bug(e.to_string())),
                Err(meetme_store::Error::Exhausted { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    Err(Error::Exhausted { pool: format!("the supply of {what} IPv{family} addresses") })
}

/// An address as a claim counts it: IPv4 by address, IPv6 by network of 64 bits. The IPv6 count begins in the middle, because
/// claims are signed.
fn item(address: IpAddr) -> i64 {
    match address {
        IpAddr::V4(a) => i64::from(u32::from(a)),
        IpAddr::V6(a) => (u64::try_from(u128::from(a) >> 64).unwrap_or(u64::MAX) ^ (1 << 63)).cast_signed(),
    }
}

fn address_at(family: u8, item: i64) -> IpAddr {
    if family == 4 {
        IpAddr::V4(Ipv4Addr::from(u32::try_from(item).unwrap_or(0)))
    } else {
        IpAddr::V6(Ipv6Addr::from(u128::from(item.cast_unsigned() ^ (1 << 63)) << 64))
    }
}

fn units(family: u8, size: u8) -> i64 {
    1 << (if family == 4 { 32 - size } else { 64 - size.min(64) })
}

/// Gives a machine a network of `length` out of a block, for as long as it is routed; `None` when the block has no room.
fn from_block(
    tx: &mut Tx<'_>,
    device: &Object<Device>,
    block: &Object<Block>,
    length: u8,
) -> Result<Option<Object<Address>>, Error> {
    let Some(prefix) = block.spec.prefix else { return Ok(None) };
    let width = if block.spec.family == 4 { 32 } else { 128 };
    let room = (width - u32::from(prefix.prefix_len())).min(COUNTABLE);
    let pool = pool_of(block.id);
    let step = 1_i64 << (width - u32::from(length)).min(COUNTABLE);
    let item = match tx.claim(&pool, 0..=(1 << room) - 1, step, &[], device.id.any()) {
        Ok(item) => item,
        Err(meetme_store::Error::Exhausted { .. }) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let network = IpNet::new(offset(prefix.network(), item), length).map_err(|e| Error::Bug(e.to_string()))?;
    let (gateway, ip) = inside(network);
    let address = Address {
        gateway,
        device: Some(device.id),
        public: block.spec.reach != BlockReach::Private,
        management: true,
        ..Address::new(IfAddr(ip), block.id)
    };
    let address = tx.create_as(device.tenant, Uid::random(), address, up(tx))?;
    // The pool's row is locked by the claim above, so nobody can step in between.
    tx.release(&pool, item)?;
    tx.claim_exact(&pool, item, step, address.id.any())?;
    Ok(Some(address))
}

/// The claims' name for what of a block is in use.
pub(crate) fn pool_of(block: Id<Block>) -> String {
    format!("block.{block}")
}

pub(crate) fn offset(base: IpAddr, by: i64) -> IpAddr {
    match base {
        IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from(u32::from(a).wrapping_add(u32::try_from(by).unwrap_or(0)))),
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from(u128::from(a).wrapping_add(u128::try_from(by).unwrap_or(0)))),
    }
}

/// The way out and the machine's own address in its network: the first two that hosts may have. A single address has no way out
/// of its own.
pub(crate) fn inside(network: IpNet) -> (Option<IpAddr>, IpNet) {
    let longest = if network.addr().is_ipv4() { 32 } else { 128 };
    if network.prefix_len() == longest {
        return (None, network);
    }
    // Networks of two addresses have no address of their own (RFC 3021, RFC 6164).
    let skip = i64::from(network.prefix_len() + 1 < longest);
    let own = offset(network.network(), skip + 1);
    (Some(offset(network.network(), skip)), IpNet::new(own, network.prefix_len()).unwrap_or(network))
}

/// The first address of a network that a host may have, with the network's length.
pub(crate) fn first_host(network: IpNet) -> IpNet {
    let (gateway, own) = inside(network);
    gateway.and_then(|first| IpNet::new(first, network.prefix_len()).ok()).unwrap_or(own)
}

/// Takes back all addresses of a machine, and the blocks that were cut for it alone.
pub(crate) fn take_back(tx: &mut Tx<'_>, device: Id<Device>) -> Result<(), Error> {
    let addresses = tx.all::<Address>(Filter::eq("device", device))?;
    for address in &addresses {
        tx.remove(address.id)?;
    }
    let blocks = tx.many(addresses.iter().map(|a| a.spec.block))?;
    for block in blocks.values().filter(|b| b.spec.purpose == BlockPurpose::Management) {
        let alone = block.spec.family == 4 && block.spec.reach == BlockReach::Public;
        if alone && !tx.exists::<Address>(&Filter::eq("block", block.id))? {
            tx.remove(block.id)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_the_first_and_the_machine_the_second() {
        for (network, gateway, own) in [
            ("192.0.2.4/31", "192.0.2.4", "192.0.2.5/31"),
            ("192.0.2.8/30", "192.0.2.9", "192.0.2.10/30"),
            ("192.0.2.8/29", "192.0.2.9", "192.0.2.10/29"),
            ("2001:db8::2/127", "2001:db8::2", "2001:db8::3/127"),
        ] {
            let (out, ip) = inside(network.parse().unwrap());
            assert_eq!((out, ip.to_string()), (gateway.parse().ok(), own.to_owned()));
        }
        assert_eq!(inside("192.0.2.4/32".parse().unwrap()).0, None);
    }

    #[test]
    fn an_address_is_counted_and_read_back_in_order() {
        let mut last = i64::MIN;
        for text in ["2001:db8::", "2001:db8:0:1::", "8000::", "fd00::"] {
            let address: IpAddr = text.parse().unwrap();
            assert!(item(address) > last);
            last = item(address);
            assert_eq!(address_at(6, last), address);
        }
        assert_eq!(address_at(4, item("192.0.2.7".parse().unwrap())), "192.0.2.7".parse::<IpAddr>().unwrap());
    }
}
