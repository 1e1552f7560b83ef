//! What the copy says about what is in the books: which port a connection of ours is, which network an exchange is, and how a
//! system describes itself. For all books at once; only what changes is written, with its line in the log.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use meetme_base::{Asn, Id};
use meetme_model::{
    mirror::{Mirrored as _, PdbLan, PdbNetwork, PdbPort, is_public},
    routing::{AutonomousSystem, Exchange, ExchangeLink},
};
use meetme_store::{Filter, Object, Op, Query, Resource, Tx};

use crate::{
    Error, access,
    peering::{self, meeting},
};

/// What linking changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// How many connections point to another port now.
    pub connections: u64,
    /// How many exchanges point to another network now.
    pub exchanges: u64,
    /// How many systems took over what their networks say.
    pub systems: u64,
}

/// Links everything in every book, with every right.
///
/// # Errors
/// When the database fails.
pub fn link(tx: &mut Tx<'_>) -> Result<Linked, Error> {
    tx.as_system(|tx| {
        let mut links = living(tx, Filter::All)?;
        let connections = link_connections(tx, &mut links)?;
        let exchanges = tx.list::<Exchange>(&Query::of(Filter::All))?;
        let exchanges = link_exchanges(tx, exchanges, &links)?;
        let systems = describe(tx, Filter::All)?;
        Ok(Linked { connections, exchanges, systems })
    })
}

/// Links the connections of one exchange, and the exchange where they agree on one network; whether they do.
///
/// # Errors
/// [`Error::Denied`], or when the exchange is not there for the caller.
pub fn link_exchange(tx: &mut Tx<'_>, id: Id<Exchange>) -> Result<bool, Error> {
    let exchange = tx.get(id)?;
    access::require(tx, Exchange::KIND, "change", exchange.tenant)?;
    tx.as_system(|tx| {
        let mut links = living(tx, Filter::eq("exchange", id))?;
        link_connections(tx, &mut links)?;
        let agreed = agreed(tx, &links)?.get(&id).is_some_and(|lans| lans.len() == 1);
        link_exchanges(tx, vec![exchange.clone()], &links)?;
        Ok(agreed)
    })
}

/// Takes over what a system's network says of it, from the copy alone. `None` when there is no such network; a number for private use
/// is never looked up, and stays as it is.
///
/// # Errors
/// [`Error::Denied`], or when the system is not there for the caller.
pub fn synchronise(tx: &mut Tx<'_>, id: Id<AutonomousSystem>) -> Result<Option<()>, Error> {
    let system = tx.get(id)?;
    access::require(tx, AutonomousSystem::KIND, "change", system.tenant)?;
    if !is_public(system.spec.asn) {
        return Ok(Some(()));
    }
    let networks = tx.as_system(|tx| meeting::networks(tx, [system.spec.asn]))?;
    let Some(network) = networks.get(&system.spec.asn) else { return Ok(None) };
    let mut system = system;
    let spec = described(&system.spec, &network.spec);
    peering::save(tx, &mut system, spec)?;
    Ok(Some(()))
}

/// All rows that match, by id: there may be more than one list holds.
fn all<R: Resource>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<Object<R>>, Error> {
    let (mut out, mut after) = (Vec::new(), 0);
    loop {
        let next = filter.clone().and(Filter::is("id", Op::Gt(meetme_store::Value::Ref(after))));
        let page = tx.list::<R>(&Query::of(next))?;
        let Some(last) = page.last() else { return Ok(out) };
        after = last.id.get();
        let full = page.len() >= Query::MOST as usize;
        out.extend(page);
        if !full {
            return Ok(out);
        }
    }
}

fn living(tx: &mut Tx<'_>, filter: Filter) -> Result<Vec<Object<ExchangeLink>>, Error> {
    all::<ExchangeLink>(tx, &filter.and(meetme_model::living()))
}

/// A connection is the port that has exactly its addresses, where there is one such port.
fn link_connections(tx: &mut Tx<'_>, links: &mut [Object<ExchangeLink>]) -> Result<u64, Error> {
    let v4 = links.iter().filter_map(|link| link.spec.ip4).map(|ip| ip.ip());
    let v6 = links.iter().filter_map(|link| link.spec.ip6).map(|ip| ip.ip());
    let theirs = Filter::is_in("ip4", v4).or(Filter::is_in("ip6", v6));
    let held = links.iter().filter_map(|link| link.spec.pdb_port);
    let ports = tx.list::<PdbPort>(&Query::of(theirs))?;
    let standing: HashSet<i64> = tx.ids_by::<PdbPort>("pdb_id", &Filter::is_in("pdb_id", held))?.into_keys().collect();
    let mut by_address: HashMap<(Option<Ipv6Addr>, Option<Ipv4Addr>), Vec<i64>> = HashMap::new();
    for port in &ports {
        by_address.entry((port.spec.ipaddr6, port.spec.ipaddr4)).or_default().push(port.spec.pdb_id());
    }
    let mut changed = Vec::new();
    for link in links.iter_mut() {
        let v6 = match link.spec.ip6.map(|ip| ip.ip()) {
            Some(IpAddr::V6(ip)) => Some(ip),
            _ => None,
        };
        let v4 = match link.spec.ip4.map(|ip| ip.ip()) {
            Some(IpAddr::V4(ip)) => Some(ip),
            _ => None,
        };
        let found = by_address.get(&(v6, v4)).filter(|_| v6.is_some() || v4.is_some());
        let port = match found.map(Vec::as_slice) {
            Some([one]) => Some(*one),
            // What somebody wrote down stays, as long as there is such a port.
            _ => link.spec.pdb_port.filter(|port| standing.contains(port)),
        };
        if port != link.spec.pdb_port {
            let before = link.clone();
            link.spec.pdb_port = port;
            changed.push((before, link.spec.clone()));
        }
    }
    let many = tx.save_many(changed)?;
    Ok(many)
}

/// The networks that the connections of each exchange are in, by number.
fn agreed(tx: &mut Tx<'_>, links: &[Object<ExchangeLink>]) -> Result<HashMap<Id<Exchange>, BTreeSet<i64>>, Error> {
    let numbers = links.iter().filter_map(|link| link.spec.pdb_port);
    let ports = tx.list::<PdbPort>(&Query::of(Filter::is_in("pdb_id", numbers)))?;
    let lans: HashMap<i64, i64> =
        ports.iter().filter_map(|port| Some((port.spec.pdb_id, port.spec.ixlan_id?))).collect();
    let mut out: HashMap<Id<Exchange>, BTreeSet<i64>> = HashMap::new();
    for link in links {
        let lan = link.spec.pdb_port.and_then(|port| lans.get(&port));
        if let (Some(exchange), Some(lan)) = (link.spec.exchange, lan) {
            out.entry(exchange).or_default().insert(*lan);
        }
    }
    Ok(out)
}

/// An exchange is the network that all its linked connections are in.
fn link_exchanges(
    tx: &mut Tx<'_>,
    exchanges: Vec<Object<Exchange>>,
    links: &[Object<ExchangeLink>],
) -> Result<u64, Error> {
    let agreed = agreed(tx, links)?;
    let held = exchanges.iter().filter_map(|row| row.spec.pdb_lan);
    let standing: HashSet<i64> = tx.ids_by::<PdbLan>("pdb_id", &Filter::is_in("pdb_id", held))?.into_keys().collect();
    let mut changed = Vec::new();
    for row in exchanges {
        let one = agreed.get(&row.id).filter(|lans| lans.len() == 1).and_then(|lans| lans.first().copied());
        let lan = one.or_else(|| row.spec.pdb_lan.filter(|lan| standing.contains(lan)));
        if lan != row.spec.pdb_lan {
            let spec = Exchange { pdb_lan: lan, ..row.spec.clone() };
            changed.push((row, spec));
        }
    }
    Ok(tx.save_many(changed)?)
}

/// Systems take over what their networks say, where they are told to.
fn describe(tx: &mut Tx<'_>, filter: Filter) -> Result<u64, Error> {
    let follows = ["sync_name", "sync_as_set", "sync_max4", "sync_max6"]
        .into_iter()
        .fold(Filter::Never, |out, flag| out.or(Filter::eq(flag, true)));
    let systems = all::<AutonomousSystem>(tx, &filter.and(follows))?;
    let public: HashSet<Asn> = systems.iter().map(|row| row.spec.asn).filter(|asn| is_public(*asn)).collect();
    let networks = meeting::networks(tx, public)?;
    let mut changed = Vec::new();
    for row in systems {
        let Some(network) = networks.get(&row.spec.asn) else { continue };
        let spec = described(&row.spec, &network.spec);
        if spec != row.spec {
            changed.push((row, spec));
        }
    }
    Ok(tx.save_many(changed)?)
}

/// A system as its network describes it.
fn described(system: &AutonomousSystem, network: &PdbNetwork) -> AutonomousSystem {
    let mut out = system.clone();
    if system.sync.name && !network.name.trim().is_empty() {
        out.name.clone_from(&network.name);
    }
    if system.sync.as_set {
        let text = network.irr_as_set.trim();
        out.as_set = (!text.is_empty() && text.chars().count() <= 255).then(|| text.to_owned());
    }
    let limit =
        |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok()).filter(|n| i32::try_from(*n).is_ok()).unwrap_or(0);
    if system.sync.max4 {
        out.max4 = limit(network.info_prefixes4);
    }
    if system.sync.max6 {
        out.max6 = limit(network.info_prefixes6);
    }
    out
}

/// A new system as its network describes it.
pub(crate) fn introduced(network: &PdbNetwork) -> AutonomousSystem {
    described(&AutonomousSystem::new(network.asn, network.name.0.clone()), network)
}
