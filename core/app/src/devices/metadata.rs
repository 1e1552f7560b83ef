//! What a machine may know of itself: everything that was ordered and settled for it, in one value. The machine asks for it at its
//! first start, and its owner may read the same; each door spells it in its own form.

use meetme_base::{Id, IpNet};
use meetme_model::{
    Phase,
    access::SshKey,
    fabric::{Address, Block, Pool, Port},
    metal::{Device, Health, Server, Volume},
    ops::{Equipment, Tag},
    place::{Image, Metro, Plan, Site},
};
use meetme_store::{Filter, Object, Tx};

use crate::{Error, addresses, volumes};

/// A machine with everything it belongs to.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The machine.
    pub device: Object<Device>,
    /// What runs on it.
    pub image: Object<Image>,
    /// Its size.
    pub plan: Object<Plan>,
    /// Where it stands.
    pub site: Object<Site>,
    /// The metro of that site.
    pub metro: Object<Metro>,
    /// The names of its tags, in their order.
    pub tags: Vec<String>,
    /// The public keys that may log in, as texts.
    pub keys: Vec<String>,
    /// Its addresses, those it was ordered with first, each with the block it is from.
    pub addresses: Vec<(Object<Address>, Object<Block>)>,
    /// Its interfaces in their order, then its bonds.
    pub ports: Vec<Object<Port>>,
    /// The networks in which private addresses of machines at its site lie.
    pub private_networks: Vec<IpNet>,
    /// The switch its first interface is patched to.
    pub switch: Option<Object<Equipment>>,
    /// The volumes it may use, those that were given to it first before the others.
    pub volumes: Vec<Object<Volume>>,
}

/// Everything a machine may know of itself. Whoever sees the machine may know it: keys of other people are on it, and how its
/// cables run is for its user to know.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the machine.
pub fn facts(tx: &mut Tx<'_>, id: Id<Device>) -> Result<Facts, Error> {
    let device = tx.get(id)?;
    tx.as_system(|tx| of(tx, device))
}

/// How the server under a machine says it feels. Servers are the operator's; how one's own feels is for its user to know.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the machine; [`Error::Conflict`] `unknown` when it has no server, or nobody has
/// asked that one yet.
pub fn health(tx: &mut Tx<'_>, id: Id<Device>) -> Result<Health, Error> {
    let server = tx.get(id)?.spec.server;
    let server = match server {
        Some(server) => tx.as_system(|tx| tx.find::<Server>(server))?,
        None => None,
    };
    let unknown = || Error::conflict("unknown", "The health of the device is not known yet.");
    server.and_then(|server| server.status.health).ok_or_else(unknown)
}

fn of(tx: &mut Tx<'_>, device: Object<Device>) -> Result<Facts, Error> {
    let spec = &device.spec;
    let site = tx.get(spec.site)?;
    let tags = tx.many::<Tag>(spec.tags.iter().copied())?;
    let keys = tx.many::<SshKey>(spec.keys.iter().copied())?;
    let mut found = tx.all::<Address>(Filter::eq("device", device.id))?;
    found.retain(|a| a.status.phase != Phase::Gone);
    found.sort_by_key(|a| (!a.spec.management, a.id));
    let blocks = tx.many(found.iter().map(|a| a.spec.block))?;
    let addresses = found.into_iter().filter_map(|a| Some((blocks.get(&a.spec.block)?.clone(), a)));
    let mut ports = tx.all::<Port>(Filter::eq("device", device.id))?;
    ports.sort_by_key(|p| (p.spec.index.map_or(u16::MAX, u16::from), p.id));
    let supply = Filter::eq("what", "addresses").and(Filter::eq("purpose", addresses::PRIVATE));
    let supply = tx.all::<Pool>(supply)?.into_iter().filter(|p| p.spec.at.is_none_or(|at| at == site.id.any()));
    let server = match spec.server {
        Some(server) => tx.find::<Server>(server)?,
        None => None,
    };
    let switch = match server.and_then(|s| s.spec.nics.iter().find_map(|nic| nic.switch)) {
        Some(switch) => tx.find(switch)?,
        None => None,
    };
    Ok(Facts {
        image: tx.get(spec.image)?,
        plan: tx.get(spec.plan)?,
        metro: tx.get(site.spec.metro)?,
        tags: spec.tags.iter().filter_map(|id| tags.get(id)).map(|t| t.spec.name.clone()).collect(),
        keys: spec.keys.iter().filter_map(|id| keys.get(id)).map(|k| k.spec.key.clone()).collect(),
        addresses: addresses.map(|(block, address)| (address, block)).collect(),
        ports,
        private_networks: supply.flat_map(|p| p.spec.networks).collect(),
        switch,
        volumes: volumes::of_device(tx, device.id)?,
        site,
        device,
    })
}
