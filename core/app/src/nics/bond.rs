//! Taking interfaces out of a bond and back, and making a bond routed or not.

use meetme_base::{Id, Invalid};
use meetme_model::{
    fabric::{Address, Port, Segment, Shape},
    living,
    metal::AddressWish,
    routing::DirectSession,
};
use meetme_store::{Filter, Object, Tx};

use super::{Network, landing, settle};
use crate::{Error, addresses};

/// Takes an interface out of its bond, so that it can carry segments by itself; of a bond, takes all of them out, which also takes
/// the management addresses away. What is out already stays out.
///
/// # Errors
/// [`Error::Conflict`] `has_segments` while the bond carries segments, `last` for the last interface of the bond that is routed,
/// `layer2` for one interface of a bond that is not routed, `routed` for another bond than the first while that is routed; as
/// [`route`].
pub fn unbond(tx: &mut Tx<'_>, id: Id<Port>) -> Result<Object<Port>, Error> {
    let network = Network::open(tx, id)?;
    let port = network.port(id)?.clone();
    if !port.spec.bonded {
        return Ok(port);
    }
    network.convertible(tx)?;
    if port.spec.shape == Shape::Bond {
        network.empty(&port)?;
        let is_first = network.is_first(id);
        if network.routed && !is_first {
            let text = format!("Take the interfaces of {} out one by one, or convert to layer 2.", port.spec.name);
            return Err(Error::conflict("routed", text));
        }
        tx.as_system(|tx| {
            if is_first {
                drop_addresses(tx, &network)?;
            }
            for nic in network.members(id) {
                Network::set_bonded(tx, nic, false)?;
            }
            Network::set_bonded(tx, &port, false)
        })?;
    } else {
        let bond = bond_of(&network, &port)?;
        network.empty(bond)?;
        if !network.routed {
            let text = format!("{} is not routed; disbond {} as a whole.", bond.spec.name, bond.spec.name);
            return Err(Error::conflict("layer2", text));
        }
        let left = network.members(bond.id).filter(|nic| nic.spec.bonded && nic.id != id).count();
        if left == 0 && network.is_first(bond.id) {
            let text = format!("{} is the last interface of {}.", port.spec.name, bond.spec.name);
            return Err(Error::conflict("last", text));
        }
        tx.as_system(|tx| Network::set_bonded(tx, &port, false))?;
    }
    settled(tx, &network, id)
}

/// Puts an interface back into its bond; of a bond that is not in force, or with `all`, puts all of them back. What is in it stays.
///
/// # Errors
/// [`Error::Conflict`] `has_segments` while an interface that comes back carries segments by itself; as [`route`].
pub fn bond(tx: &mut Tx<'_>, id: Id<Port>, all: bool) -> Result<Object<Port>, Error> {
    let network = Network::open(tx, id)?;
    let port = network.port(id)?.clone();
    let is_bond = port.spec.shape == Shape::Bond;
    let bond = if is_bond { &port } else { bond_of(&network, &port)? };
    if port.spec.bonded && !(is_bond && all) {
        return Ok(port);
    }
    let whole = is_bond || !bond.spec.bonded;
    let coming: Vec<_> =
        network.members(bond.id).filter(|nic| !nic.spec.bonded && (whole || nic.id == id)).cloned().collect();
    if coming.is_empty() && bond.spec.bonded {
        return Ok(port);
    }
    network.convertible(tx)?;
    for nic in &coming {
        network.empty(nic)?;
    }
    let bond = bond.clone();
    tx.as_system(|tx| put_back(tx, &bond, &coming))?;
    settled(tx, &network, id)
}

/// Makes a bond carry segments only: all its interfaces come back to it, and the management addresses go. With a segment, that is put
/// on it in the same step. A bond that carries no addresses stays as it is.
///
/// # Errors
/// [`Error::Conflict`] `has_addresses` while addresses or BGP sessions of the owner's need layer 3, `has_segments` while an interface
/// that comes back carries segments by itself; [`Error::Invalid`] for a port that is no bond; as [`super::assign`] for the segment.
pub fn bridge(tx: &mut Tx<'_>, id: Id<Port>, segment: Option<Id<Segment>>) -> Result<Object<Port>, Error> {
    let network = Network::open(tx, id)?;
    let bond = whole_bond(&network, id)?.clone();
    if network.routed && network.is_first(id) {
        network.convertible(tx)?;
        let coming: Vec<_> = network.members(id).filter(|nic| !nic.spec.bonded).cloned().collect();
        for nic in &coming {
            network.empty(nic)?;
        }
        tx.as_system(|tx| {
            drop_addresses(tx, &network)?;
            put_back(tx, &bond, &coming)?;
            settle(tx, &network.device).map(drop)
        })?;
    }
    match segment {
        Some(segment) => landing::assign(tx, id, segment),
        None => settled(tx, &network, id),
    }
}

/// Makes the first bond routed only: all its interfaces come back to it, and the machine is given those of the wished management
/// addresses that it lacks; the usual ones when none are wished.
///
/// # Errors
/// [`Error::Conflict`] `has_segments` while the bond or one of its interfaces carries segments; `layer3_only` and `hybrid_only` where
/// the plan allows no such change; `frozen` and `state` as [`crate::devices::open_network`]; [`Error::Invalid`] for a port that is no
/// bond or not the first; [`Error::Exhausted`].
pub fn route(tx: &mut Tx<'_>, id: Id<Port>, wishes: Option<&[AddressWish]>) -> Result<Object<Port>, Error> {
    let network = Network::open(tx, id)?;
    let bond = whole_bond(&network, id)?.clone();
    if !network.is_first(id) {
        return Err(Invalid::rule("id", "Only the first bond is routed.").into());
    }
    network.convertible(tx)?;
    network.empty(&bond)?;
    for nic in network.members(id) {
        network.empty(nic)?;
    }
    let wishes = wishes.filter(|list| !list.is_empty()).map_or_else(|| addresses::usual(None), <[AddressWish]>::to_vec);
    addresses::check("request_ips", &wishes)?;
    let coming: Vec<_> = network.members(id).filter(|nic| !nic.spec.bonded).cloned().collect();
    tx.as_system(|tx| {
        put_back(tx, &bond, &coming)?;
        for wish in &wishes {
            let same = Filter::eq("device", network.device.id)
                .and(Filter::eq("management", true))
                .and(Filter::eq("family", wish.family))
                .and(Filter::eq("public", wish.public))
                .and(living());
            if !tx.exists::<Address>(&same)? {
                addresses::give(tx, &network.device, wish)?;
            }
        }
        Ok::<_, Error>(())
    })?;
    settled(tx, &network, id)
}

fn settled(tx: &mut Tx<'_>, network: &Network, id: Id<Port>) -> Result<Object<Port>, Error> {
    tx.as_system(|tx| settle(tx, &network.device))?;
    Ok(tx.get(id)?)
}

fn put_back(tx: &mut Tx<'_>, bond: &Object<Port>, coming: &[Object<Port>]) -> Result<(), Error> {
    for nic in coming {
        Network::set_bonded(tx, nic, true)?;
    }
    Network::set_bonded(tx, bond, true)
}

/// Takes the management addresses of a machine away, unless something of its owner's depends on them.
fn drop_addresses(tx: &mut Tx<'_>, network: &Network) -> Result<(), Error> {
    if !network.routed {
        return Ok(());
    }
    let on = Filter::eq("device", network.device.id);
    if tx.exists::<DirectSession>(&on)? {
        let text = "BGP sessions of the device need layer 3. Remove them first.";
        return Err(Error::conflict("has_addresses", text));
    }
    if tx.exists::<Address>(&on.and(Filter::eq("management", false)).and(living()))? {
        let text = "Addresses of reservations are assigned to the device and need layer 3. Take them off first.";
        return Err(Error::conflict("has_addresses", text));
    }
    addresses::take_back(tx, network.device.id)
}

fn bond_of<'n>(network: &'n Network, nic: &Object<Port>) -> Result<&'n Object<Port>, Error> {
    let bond = nic.spec.leader.and_then(|leader| network.port(leader).ok());
    bond.ok_or_else(|| Invalid::rule("id", format!("{} belongs to no bond.", nic.spec.name)).into())
}

fn whole_bond(network: &Network, id: Id<Port>) -> Result<&Object<Port>, Error> {
    let port = network.port(id)?;
    if port.spec.shape == Shape::Bond {
        return Ok(port);
    }
    Err(Invalid::rule("id", format!("{} is no bond.", port.spec.name)).into())
}
