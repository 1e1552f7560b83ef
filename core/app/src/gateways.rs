//! Gateways: the way out of a segment into a routed network, with addresses of their own.
//!
//! A gateway is a landing of the segment in the project's network. Its block is either one of the project's reservations, whole, or
//! one that is asked for with it and goes with it. The first usable address is the gateway's.

use meetme_base::{Id, Invalid, IpNet, Uid};
use meetme_model::{
    Ext, LifeStatus, Phase, Wanted,
    access::Project,
    fabric::{Address, Block, BlockPurpose, BlockReach, Landing, LandingStatus, Network, Segment},
    living,
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use crate::{
    Error, access,
    addresses::{self, COUNTABLE, Within, pool_of},
    blocks::{self, NewBlock},
    networks, nics, segments,
};

/// The network of a project that its gateways lead into, made with the first of them. It goes with the project.
pub(crate) const NETWORK: &str = "Gateways";

/// Where a new gateway's addresses come from.
#[derive(Clone, Copy, Debug)]
pub enum Addresses {
    /// A block that the project has reserved.
    Reserved(Id<Block>),
    /// A private block of that length, made for it.
    Private(u8),
    /// A public block of that length, made for it; within what the project has without asking.
    Public(u8),
}

/// Gives a segment a gateway, in phase `queued`.
///
/// # Errors
/// [`Error::Conflict`] `gateway` when it has one, `in_use` when addresses of the block are; [`Error::Invalid`] for a block of another
/// project or place, or one too small; [`Error::Exhausted`], [`Error::Missing`], [`Error::Denied`].
pub fn create(
    tx: &mut Tx<'_>,
    project: Id<Project>,
    segment: Id<Segment>,
    from: Addresses,
) -> Result<Object<Landing>, Error> {
    let project = tx.get(project)?;
    access::require(tx, Landing::KIND, "create", project.id.any())?;
    let segment = tx.get(segment)?;
    if segment.tenant != project.id.any() || segment.spec.life.wanted == Wanted::Gone {
        return Err(Invalid::reference("virtual_network_id", "The virtual network").into());
    }
    if let Addresses::Reserved(block) = from {
        // Whether the caller sees it at all is asked with the caller's own rights.
        tx.get(block)?;
    }
    tx.as_system(|tx| {
        // One gateway for each segment; the pool is locked until the end, so the network is made once too.
        let pool = claims(project.id);
        tx.claim_exact(&pool, segment.id.get(), 1, segment.id.any()).map_err(|e| match e {
            meetme_store::Error::Exhausted { .. } => {
                Error::conflict("gateway", format!("{} has a gateway already.", segment.spec.title()))
            }
            other => other.into(),
        })?;
        let network = network(tx, project.id)?;
        let spec = Landing { network: Some(network), gateway: true, ..Landing::new(segment.id) };
        let status = LandingStatus {
            life: LifeStatus { since: Some(tx.now()), ..LifeStatus::default() },
            ..LandingStatus::default()
        };
        let mut landing = tx.create_as(project.id.any(), Uid::random(), spec, status)?;
        let block = match from {
            Addresses::Reserved(block) => reserved(tx, &segment, block)?,
            Addresses::Private(length) => private(tx, &segment, length)?,
            Addresses::Public(length) => public(tx, project.id, &segment, length)?,
        };
        let prefix = block.spec.prefix.ok_or_else(|| Error::conflict("asking", "This block has no addresses yet."))?;
        let room = (prefix.max_prefix_len() - prefix.prefix_len()).min(u8::try_from(COUNTABLE).unwrap_or(u8::MAX));
        tx.claim_exact(&pool_of(block.id), 0, 1 << room, landing.id.any()).map_err(|e| match e {
            meetme_store::Error::Exhausted { .. } => {
                Error::conflict("in_use", format!("Addresses of {prefix} are in use."))
            }
            other => other.into(),
        })?;
        let own = !matches!(from, Addresses::Reserved(_));
        let prefix_len = own.then(|| prefix.prefix_len());
        let spec = Landing { block: Some(block.id), prefix_len, ..landing.spec.clone() };
        tx.save(&mut landing, spec)?;
        Ok(landing)
    })
}

fn claims(project: Id<Project>) -> String {
    format!("gateways.{project}")
}

/// The network that a project's gateways lead into.
fn network(tx: &mut Tx<'_>, project: Id<Project>) -> Result<Id<Network>, Error> {
    let named = Filter::eq("tenant", project).and(Filter::eq("own_name", NETWORK)).and(segments::wanted());
    if let Some(known) = tx.one::<Network>(&named)? {
        return Ok(known.id);
    }
    let new = networks::NewNetwork { name: NETWORK.to_owned(), ..networks::NewNetwork::default() };
    Ok(networks::create(tx, project.any(), &new)?.id)
}

fn reserved(tx: &mut Tx<'_>, segment: &Object<Segment>, id: Id<Block>) -> Result<Object<Block>, Error> {
    let block = tx.get(id)?;
    let of = "ip_reservation_id";
    if block.tenant != segment.tenant || block.spec.purpose != BlockPurpose::Reserved {
        return Err(Invalid::reference(of, "The reservation").into());
    }
    let here = Within::of(tx, segment.spec.at)?;
    let at = block.spec.at.map(|at| Within::of(tx, at)).transpose()?;
    // A block of one site serves a segment of the whole metro as well.
    let is_near = at.is_some_and(|at| here.reaches(block.spec.at) || (here.site.is_none() && at.metro == here.metro));
    if !is_near || block.spec.reach == BlockReach::Global {
        return Err(Invalid::rule(of, "The reservation is for another place.").into());
    }
    let smallest = if block.spec.family == 4 { 30 } else { 126 };
    if block.spec.size > smallest {
        return Err(Invalid::rule(of, "The reservation has no room for a gateway and a device.").into());
    }
    Ok(block)
}

fn private(tx: &mut Tx<'_>, segment: &Object<Segment>, length: u8) -> Result<Object<Block>, Error> {
    if !(24..=29).contains(&length) {
        return Err(Invalid::rule("private_ipv4_subnet_size", "Must be a power of two from 8 to 256.").into());
    }
    let spec = Block { reach: BlockReach::Private, at: Some(segment.spec.at), ..Block::new(4, length) };
    let status = addresses::up(tx);
    let mut block = tx.create_as(segment.tenant, Uid::random(), spec, status)?;
    let at = Within::of(tx, segment.spec.at)?;
    let prefix = addresses::allot(tx, BlockReach::Private, Some(at), 4, length, block.id.any())?;
    let spec = Block { prefix: Some(prefix), ..block.spec.clone() };
    tx.save(&mut block, spec)?;
    Ok(block)
}

fn public(
    tx: &mut Tx<'_>,
    project: Id<Project>,
    segment: &Object<Segment>,
    length: u8,
) -> Result<Object<Block>, Error> {
    if !(28..=30).contains(&length) {
        return Err(Invalid::range("length", 28, 30).into());
    }
    let new = NewBlock {
        reach: BlockReach::Public,
        family: 4,
        count: 1 << (32 - length),
        at: Some(segment.spec.at),
        details: None,
        tags: Vec::new(),
        at_once: true,
        ext: Ext::new(),
    };
    blocks::request(tx, project, &new)
}

/// A gateway's own address: the first usable one of its block.
pub fn address(prefix: IpNet) -> IpNet {
    addresses::first_host(prefix)
}

/// Wishes a gateway gone. Its addresses are free once no switch has it.
///
/// # Errors
/// [`Error::Missing`] for what is no gateway; [`Error::Denied`].
pub fn remove(tx: &mut Tx<'_>, id: Id<Landing>) -> Result<Object<Landing>, Error> {
    let landing = tx.get(id)?;
    if !landing.spec.gateway {
        return Err(Error::missing(Landing::KIND, id));
    }
    access::require(tx, Landing::KIND, "remove", landing.tenant)?;
    if landing.spec.life.wanted == Wanted::Gone {
        return Ok(landing);
    }
    tx.as_system(|tx| {
        let on = nics::switches(tx, &landing)?;
        nics::go(tx, landing, on)?;
        Ok(tx.get(id)?)
    })
}

/// Turns a landing that no equipment has any more into a tombstone, and frees what it held. For controllers.
///
/// # Errors
/// When the store fails.
pub fn bury(tx: &mut Tx<'_>, id: Id<Landing>) -> Result<(), Error> {
    let mut landing = tx.get(id)?;
    tx.release_all(id.any())?;
    if landing.spec.gateway {
        tx.release(&claims(landing.tenant.of()), landing.spec.segment.get())?;
        let own = landing.spec.prefix_len.and(landing.spec.block);
        let spec = Landing { block: None, ..landing.spec.clone() };
        tx.save(&mut landing, spec)?;
        if let Some(block) = own
            && !tx.exists::<Address>(&Filter::eq("block", block).and(living()))?
        {
            tx.remove(block)?;
        }
    }
    let life = landing.status.life.moved(Phase::Gone, None, tx.now());
    let status = LandingStatus { life, on: Vec::new() };
    let line = Moved::new("phase.gone", format!("{} is gone.", landing.spec.title()));
    Ok(tx.observe(&mut landing, status, Some(line))?)
}
