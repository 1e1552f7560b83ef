//! Blocks of addresses that a project reserves, and the parts of them that its machines have.
//!
//! A small block within the project's quota is had for the asking; any other waits, without addresses, for the operator's answer
//! ([`answer`]). Who has what is a claim, so no two blocks and no two parts of one overlap. Nothing is configured inside a machine:
//! what is assigned is routed to it.

use meetme_base::{Id, IfAddr, Invalid, IpNet, RawId, Uid};
use meetme_model::{
    Ext, LifeStatus, Phase, Reason,
    access::{Project, Quota},
    fabric::{Address, Block, BlockPurpose, BlockReach, Landing, Port, PortMode},
    living,
    metal::Device,
    routing::Answer,
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use crate::{
    Error, access,
    addresses::{self, COUNTABLE, Within, offset, pool_of},
    devices, tags,
};

/// The most addresses (networks of 64 bits in IPv6) that one block has; more is the operator's to route by hand.
const LARGEST: u32 = 256;
/// The most that are had without an answer, whatever the quota.
const FOR_THE_ASKING: u32 = 16;
/// The most free networks that are told at once.
const MOST_TOLD: usize = 1000;

/// What is wished of a new block.
#[derive(Clone, Debug)]
pub struct NewBlock {
    /// Who is to reach its addresses. Blocks of routed domains are not handed out here.
    pub reach: BlockReach,
    /// 4 or 6.
    pub family: u8,
    /// How many addresses, or networks of 64 bits in IPv6; a power of two.
    pub count: u32,
    /// The site or metro it is routed to; absent for global ones alone.
    pub at: Option<RawId>,
    /// What its owner says about it.
    pub details: Option<String>,
    /// Its tags, by name.
    pub tags: Vec<String>,
    /// Whether to refuse, rather than to wait, when it needs the operator's answer.
    pub at_once: bool,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// The word of a quota for such blocks.
const fn quota_word(reach: BlockReach, family: u8) -> &'static str {
    match (reach, family) {
        (BlockReach::Private, _) => "reserved_private4",
        (BlockReach::Global, _) => "reserved_global4",
        (_, 6) => "reserved_public6",
        _ => "reserved_public4",
    }
}

/// What a project has of such addresses where no quota says otherwise.
const fn usual_quota(reach: BlockReach) -> u32 {
    match reach {
        BlockReach::Private => 1024,
        BlockReach::Global => 16,
        BlockReach::Public | BlockReach::Vrf => 64,
    }
}

/// Reserves a block for a project.
///
/// # Errors
/// [`Error::Invalid`] for what there is not; [`Error::Conflict`] `approval` when it needs an answer and was to be had at once;
/// [`Error::Exhausted`], [`Error::Missing`], [`Error::Denied`].
pub fn request(tx: &mut Tx<'_>, project: Id<Project>, new: &NewBlock) -> Result<Object<Block>, Error> {
    let project = tx.get(project)?;
    check(new)?;
    access::require(tx, Block::KIND, "create", project.id.any())?;
    let width = if new.family == 4 { 32 } else { 64 };
    let size = width - u8::try_from(new.count.trailing_zeros()).unwrap_or(0);
    let spec = Block {
        reach: new.reach,
        at: new.at.filter(|_| new.reach != BlockReach::Global),
        manageable: true,
        addon: true,
        bill: true,
        details: new.details.clone(),
        tags: tags::ensure(tx, project.id.any(), &new.tags)?,
        ext: new.ext.clone(),
        ..Block::new(new.family, size)
    };
    let status = LifeStatus { since: Some(tx.now()), phase: Phase::Asking, ..LifeStatus::default() };
    let mut block = tx.create_as(project.id.any(), Uid::random(), spec, status)?;
    tx.as_system(|tx| {
        if must_ask(tx, &block, new.count)? {
            if new.at_once {
                let text = "This is more than can be had without the operator's approval.";
                return Err(Error::conflict("approval", text));
            }
            let spec = Block { answer: Some(Answer::Open), ..block.spec.clone() };
            tx.save(&mut block, spec)?;
        } else {
            grant(tx, &mut block)?;
        }
        Ok(block)
    })
}

fn check(new: &NewBlock) -> Result<(), Invalid> {
    if !new.count.is_power_of_two() || new.count > LARGEST {
        return Err(Invalid::rule("quantity", format!("Must be a power of two up to {LARGEST}.")));
    }
    if new.family == 6 && new.reach != BlockReach::Public {
        return Err(Invalid::rule("type", "IPv6 blocks are public."));
    }
    if new.reach == BlockReach::Vrf {
        return Err(Invalid::rule("type", "Blocks of routed domains are not handed out here."));
    }
    if new.at.is_none() && new.reach != BlockReach::Global {
        return Err(Invalid::required("site"));
    }
    Ok(())
}

/// Whether a new block is beyond what its project has for the asking. Two requests at once are counted one after the other.
fn must_ask(tx: &mut Tx<'_>, block: &Object<Block>, count: u32) -> Result<bool, Error> {
    let spec = &block.spec;
    let word = quota_word(spec.reach, spec.family);
    // The block's own place in this pool; taking it locks the pool until the end of the transaction.
    tx.claim(&format!("quota.{}.{word}", block.tenant), 0..=i64::MAX - 1, 1, &[], block.id.any())?;
    if count > FOR_THE_ASKING {
        return Ok(true);
    }
    let same = Filter::eq("tenant", block.tenant)
        .and(Filter::eq("reach", spec.reach.word()))
        .and(Filter::eq("family", spec.family))
        .and(Filter::eq("purpose", BlockPurpose::Reserved.word()))
        .and(living());
    let width = if spec.family == 4 { 32 } else { 64 };
    let held = tx.all::<Block>(same)?.into_iter().filter(|b| b.spec.prefix.is_some());
    let held: u64 = held.map(|b| 1_u64 << u8::saturating_sub(width, b.spec.size)).sum();
    Ok(held + u64::from(count) > u64::from(limit(tx, block.tenant, word, usual_quota(spec.reach))?))
}

/// The nearest quota at or above a node.
fn limit(tx: &mut Tx<'_>, node: RawId, word: &str, usual: u32) -> Result<u32, Error> {
    let scopes = tx.above(node)?;
    let quotas = tx.all::<Quota>(Filter::eq("what", word).and(Filter::is_in("scope", scopes)))?;
    // The node's own goes first. An organization is made after those above it, and ids only rise.
    let nearest = quotas.into_iter().max_by_key(|q| (q.spec.scope == node, q.spec.scope.get()));
    Ok(nearest.map_or(usual, |q| q.spec.limit))
}

/// Gives a block its addresses.
fn grant(tx: &mut Tx<'_>, block: &mut Object<Block>) -> Result<(), Error> {
    let at = block.spec.at.map(|at| Within::of(tx, at)).transpose()?;
    let prefix = addresses::allot(tx, block.spec.reach, at, block.spec.family, block.spec.size, block.id.any())?;
    let answer = block.spec.answer.map(|_| Answer::Yes);
    let spec = Block { prefix: Some(prefix), answer, ..block.spec.clone() };
    tx.save(block, spec)?;
    let status = block.status.moved(Phase::Up, None, tx.now());
    Ok(tx.observe(block, status, Some(Moved::new("phase.up", format!("The block {prefix} is reserved."))))?)
}

/// The operator's answer to a block that waits for one, or was declined before.
///
/// # Errors
/// [`Error::Denied`] to whoever has no right to answer on the operator's own node; [`Error::Conflict`] `answered`;
/// [`Error::Exhausted`] when there are no such addresses.
pub fn answer(tx: &mut Tx<'_>, id: Id<Block>, is_yes: bool) -> Result<Object<Block>, Error> {
    let mut block = tx.get(id)?;
    access::require_operator(tx, Block::KIND, "answer")?;
    if block.spec.answer.is_none() || block.spec.prefix.is_some() {
        return Err(Error::conflict("answered", "This block does not wait for an answer."));
    }
    tx.as_system(|tx| {
        if is_yes {
            grant(tx, &mut block)?;
            return Ok(block);
        }
        let spec = Block { answer: Some(Answer::No), ..block.spec.clone() };
        tx.save(&mut block, spec)?;
        let text = "The operator declined this block.".to_owned();
        let status = LifeStatus {
            reason: Some(Reason { code: "declined".to_owned(), text: text.clone() }),
            ..block.status.moved(Phase::Failed, Some("build"), tx.now())
        };
        tx.observe(&mut block, status, Some(Moved::new("phase.failed", text)))?;
        Ok(block)
    })
}

/// Changes what its owner says about a block by `edit`; with `tags`, its tags become these.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn change(
    tx: &mut Tx<'_>,
    id: Id<Block>,
    tags: Option<&[String]>,
    edit: impl FnOnce(&mut Block),
) -> Result<Object<Block>, Error> {
    let mut block = tx.get(id)?;
    let mut spec = block.spec.clone();
    edit(&mut spec);
    if let Some(names) = tags {
        tx.may_change(&block, &spec)?;
        spec.tags = tags::ensure(tx, block.tenant, names)?;
    }
    tx.save(&mut block, spec)?;
    Ok(block)
}

/// As [`change`], for an address.
///
/// # Errors
/// As [`change`].
pub fn change_address(
    tx: &mut Tx<'_>,
    id: Id<Address>,
    tags: Option<&[String]>,
    edit: impl FnOnce(&mut Ext),
) -> Result<Object<Address>, Error> {
    let mut address = tx.get(id)?;
    let mut spec = address.spec.clone();
    edit(&mut spec.ext);
    if let Some(names) = tags {
        tx.may_change(&address, &spec)?;
        spec.tags = tags::ensure(tx, address.tenant, names)?;
    }
    tx.save(&mut address, spec)?;
    Ok(address)
}

/// Gives a block back, whether it has its addresses yet or not.
///
/// # Errors
/// [`Error::Conflict`] `management` for one that machines are given their first addresses from, `in_use` while any of it is assigned
/// or a gateway has it; [`Error::Denied`].
pub fn release(tx: &mut Tx<'_>, id: Id<Block>) -> Result<(), Error> {
    let block = tx.get(id)?;
    access::require(tx, Block::KIND, "remove", block.tenant)?;
    let title = block.spec.title();
    if block.spec.purpose != BlockPurpose::Reserved {
        return Err(Error::conflict("management", format!("{title} belongs to the devices and goes with them.")));
    }
    tx.as_system(|tx| {
        if tx.exists::<Address>(&Filter::eq("block", id).and(living()))? {
            let text = format!("Addresses of {title} are still assigned. Take them off first.");
            return Err(Error::conflict("in_use", text));
        }
        if tx.exists::<Landing>(&Filter::eq("block", id).and(living()))? {
            return Err(Error::conflict("in_use", format!("A gateway still has {title}. Remove it first.")));
        }
        Ok(tx.remove(id)?)
    })
}

/// The networks of `length` that are free in a block, from the lowest on; at most 1000.
///
/// # Errors
/// [`Error::Invalid`] on `cidr` for a length that no part of the block has.
pub fn available(tx: &mut Tx<'_>, block: &Object<Block>, length: u8) -> Result<Vec<IpNet>, Error> {
    let Some(prefix) = block.spec.prefix else { return Ok(Vec::new()) };
    let (longest, room) = room(prefix);
    let shortest = (longest - room).max(prefix.prefix_len());
    if !(shortest..=longest).contains(&length) {
        return Err(Invalid::range("cidr", shortest, longest).into());
    }
    let (end, step) = (1_i64 << room, 1_i64 << (longest - length));
    let mut held = tx.claims(&pool_of(block.id), 0)?.into_iter().peekable();
    let (mut out, mut at) = (Vec::new(), 0);
    while at + step <= end && out.len() < MOST_TOLD {
        while held.next_if(|c| c.item + c.size <= at).is_some() {}
        if let Some(claim) = held.peek().filter(|c| c.item < at + step) {
            at = (claim.item + claim.size + step - 1) / step * step;
            continue;
        }
        out.push(net(offset(prefix.network(), at), length)?);
        at += step;
    }
    Ok(out)
}

/// The longest prefix of the family, and how many bits of a block are counted.
fn room(prefix: IpNet) -> (u8, u8) {
    let longest = prefix.max_prefix_len();
    (longest, (longest - prefix.prefix_len()).min(u8::try_from(COUNTABLE).unwrap_or(u8::MAX)))
}

fn net(address: std::net::IpAddr, length: u8) -> Result<IpNet, Error> {
    IpNet::new(address, length).map_err(|e| Error::Bug(e.to_string()))
}

/// Assigns a part of one of its project's blocks to a machine, chosen by whoever asks.
///
/// # Errors
/// [`Error::Invalid`] on `address` for what is no network, or lies in no block of the project or in one for another place;
/// [`Error::Conflict`] `address_taken`, `no_layer3` when the machine has no routed interface, or as [`devices::open_network`].
pub fn assign(
    tx: &mut Tx<'_>,
    device: Id<Device>,
    network: IpNet,
    manageable: bool,
    ext: &Ext,
) -> Result<Object<Address>, Error> {
    let device = tx.get(device)?;
    access::require(tx, Address::KIND, "create", device.tenant)?;
    let device = devices::open_network(tx, device.id)?;
    if network != network.trunc() {
        return Err(Invalid::format("address", format!("a network; did you mean {}?", network.trunc())).into());
    }
    tx.as_system(|tx| {
        let bond = Filter::eq("device", device.id).and(Filter::is("mode", meetme_store::Op::Empty(false)));
        let bridged =
            |p: &Object<Port>| matches!(p.spec.mode, Some(PortMode::Layer2Bonded | PortMode::Layer2Individual));
        if tx.all::<Port>(bond)?.iter().any(bridged) {
            let text = "The device has no routed interface. Convert its bond to layer 3 first.";
            return Err(Error::conflict("no_layer3", text));
        }
        let block = holding(tx, &device, network)?;
        let prefix = block.spec.prefix.unwrap_or(network);
        let (longest, bits) = room(prefix);
        let (item, step) = (distance(prefix, network), i32::from(longest - network.prefix_len()));
        let Some(item) = item.filter(|item| *item < 1 << bits && step <= i32::from(bits)) else {
            let text = format!("Only the first 2^{bits} addresses of {prefix} can be assigned, in parts no larger.");
            return Err(Invalid::rule("address", text).into());
        };
        let address = Address {
            device: Some(device.id),
            public: block.spec.reach != BlockReach::Private,
            manageable,
            ext: ext.clone(),
            ..Address::new(IfAddr(network), block.id)
        };
        let status = addresses::up(tx);
        let address = tx.create_as(device.tenant, Uid::random(), address, status)?;
        tx.claim_exact(&pool_of(block.id), item, 1 << step, address.id.any()).map_err(|e| match e {
            meetme_store::Error::Exhausted { .. } => {
                Error::conflict("address_taken", format!("{network} is assigned already."))
            }
            other => other.into(),
        })?;
        Ok(address)
    })
}

/// The project's block around a network.
fn holding(tx: &mut Tx<'_>, device: &Object<Device>, network: IpNet) -> Result<Object<Block>, Error> {
    let reserved = Filter::eq("tenant", device.tenant)
        .and(Filter::eq("purpose", BlockPurpose::Reserved.word()))
        .and(Filter::eq("family", if network.addr().is_ipv4() { 4 } else { 6 }))
        .and(living());
    let blocks = tx.all::<Block>(reserved)?;
    let block = blocks.into_iter().find(|b| b.spec.prefix.is_some_and(|p| p.contains(&network))).ok_or_else(|| {
        Error::from(Invalid::rule("address", format!("{network} is in no reservation of this project.")))
    })?;
    if !Within::of(tx, device.spec.site.any())?.reaches(block.spec.at) {
        return Err(Invalid::rule("address", format!("{network} is reserved for another place.")).into());
    }
    Ok(block)
}

/// How many addresses a network is from the start of a block; `None` when that is beyond counting.
fn distance(block: IpNet, network: IpNet) -> Option<i64> {
    match (block.network(), network.network()) {
        (std::net::IpAddr::V4(a), std::net::IpAddr::V4(b)) => Some(i64::from(u32::from(b).checked_sub(u32::from(a))?)),
        (std::net::IpAddr::V6(a), std::net::IpAddr::V6(b)) => {
            i64::try_from(u128::from(b).checked_sub(u128::from(a))?).ok()
        }
        _ => None,
    }
}

/// Takes an assigned address off its machine; its part of the block is free again at once.
///
/// # Errors
/// [`Error::Conflict`] `management` for one the machine was made with, or as [`devices::open_network`]; [`Error::Denied`].
pub fn unassign(tx: &mut Tx<'_>, id: Id<Address>) -> Result<(), Error> {
    let address = tx.get(id)?;
    access::require(tx, Address::KIND, "remove", address.tenant)?;
    if address.spec.management {
        let text = format!("{} is a management address and goes with the device.", address.spec.ip);
        return Err(Error::conflict("management", text));
    }
    if let Some(device) = address.spec.device {
        devices::open_network(tx, device)?;
    }
    tx.as_system(|tx| Ok(tx.remove(id)?))
}

/// The networks a project may announce to the Internet: its public and global blocks, once the operator lets it.
///
/// # Errors
/// [`Error::Missing`].
pub fn announced(tx: &mut Tx<'_>, project: Id<Project>) -> Result<Vec<Object<Block>>, Error> {
    let allowed = crate::bgp::config(tx, project)?.is_some_and(|config| {
        config.spec.answer == Answer::Yes && config.spec.reach == meetme_model::routing::BgpReach::Global
    });
    if !allowed {
        return Ok(Vec::new());
    }
    let reserved = Filter::eq("tenant", project)
        .and(Filter::eq("purpose", BlockPurpose::Reserved.word()))
        .and(Filter::is_in("reach", [BlockReach::Public.word(), BlockReach::Global.word()]))
        .and(living());
    Ok(tx.all::<Block>(reserved)?.into_iter().filter(|b| b.spec.prefix.is_some()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_part_is_from_its_blocks_start() {
        let far = |block: &str, part: &str| distance(block.parse().unwrap(), part.parse().unwrap());
        assert_eq!(far("192.0.2.16/28", "192.0.2.20/30"), Some(4));
        assert_eq!(far("2001:db8::/64", "2001:db8::10/124"), Some(16));
        assert_eq!(far("2001:db8::/56", "2001:db8:0:ff:ffff::/128"), None);
        assert_eq!(far("192.0.2.16/28", "2001:db8::/64"), None);
    }

    #[test]
    fn a_block_is_counted_in_forty_bits_at_most() {
        assert_eq!(room("192.0.2.16/28".parse().unwrap()), (32, 4));
        assert_eq!(room("2001:db8::/64".parse().unwrap()), (128, 40));
    }

    #[test]
    fn odd_wishes_are_told_by_their_field() {
        let new = NewBlock {
            reach: BlockReach::Public,
            family: 4,
            count: 4,
            at: Some(RawId::new(1)),
            details: None,
            tags: Vec::new(),
            at_once: false,
            ext: Ext::new(),
        };
        let field = |new: NewBlock| check(&new).err().map(|e| e.field).unwrap_or_default();
        assert_eq!(field(new.clone()), "");
        assert_eq!(field(NewBlock { count: 3, ..new.clone() }), "quantity");
        assert_eq!(field(NewBlock { count: 0, ..new.clone() }), "quantity");
        assert_eq!(field(NewBlock { count: 512, ..new.clone() }), "quantity");
        assert_eq!(field(NewBlock { at: None, ..new.clone() }), "site");
        assert_eq!(field(NewBlock { at: None, reach: BlockReach::Global, ..new.clone() }), "");
        assert_eq!(field(NewBlock { family: 6, reach: BlockReach::Private, ..new }), "type");
    }
}
