//! Taking over sessions that were configured by hand: neighbours that a router was seen to have, whose address lies in the networks
//! of an exchange and whose system the public peering database knows.

use std::collections::{BTreeMap, HashMap, HashSet};

use meetme_base::{Asn, Id, IpNet, RawId};
use meetme_model::{
    Peer,
    mirror::PdbPrefix,
    ops::Job,
    routing::{AutonomousSystem, Exchange, ExchangeLink, ExchangeSession, Stranger},
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};

use super::{create, meeting};
use crate::{
    Error, access,
    jobs::{self, Ask},
    mirror::introduced,
};

/// The work of taking over sessions.
pub const IMPORT: &str = "peering.internet_exchange.import_sessions";

/// What was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many sessions were made.
    pub sessions: u64,
    /// How many systems were made for them.
    pub systems: u64,
    /// What was seen and left alone, and why.
    pub passed_over: Vec<String>,
}

/// Asks for the sessions of an exchange to be taken over.
///
/// # Errors
/// [`Error::Denied`] to whoever may not make sessions there; when the exchange is not there for the caller.
pub fn ask(tx: &mut Tx<'_>, id: Id<Exchange>) -> Result<Object<Job>, Error> {
    let exchange = tx.get(id)?;
    access::require(tx, ExchangeSession::KIND, "create", exchange.tenant)?;
    let name = format!("Import the sessions at {}", exchange.spec.name);
    jobs::ask(tx, exchange.tenant, Ask { what: IMPORT, name, subject: Some(id.any()), ..Ask::default() })
}

/// The networks that the public peering database has for these peering networks, by number: IPv6 first, then by address.
///
/// # Errors
/// When the database fails.
pub fn prefixes(tx: &mut Tx<'_>, lans: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, Vec<IpNet>>, Error> {
    let lans: HashSet<i64> = lans.into_iter().collect();
    if lans.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = tx.as_system(|tx| tx.list::<PdbPrefix>(&Query::of(Filter::is_in("ixlan.pdb_id", lans))))?;
    let mut out: HashMap<i64, Vec<IpNet>> = HashMap::new();
    for row in rows {
        out.entry(row.spec.ixlan_id.unwrap_or_default()).or_default().push(row.spec.prefix);
    }
    out.values_mut().for_each(|nets| nets.sort_unstable_by_key(|net| (net.addr().is_ipv4(), *net)));
    Ok(out)
}

/// Takes over what the routers of an exchange were last seen to have, with every right: the right was proved when it was asked for.
///
/// # Errors
/// When the exchange is gone or the database fails.
pub fn import(tx: &mut Tx<'_>, id: Id<Exchange>) -> Result<Imported, Error> {
    tx.as_system(|tx| {
        let exchange = tx.get(id)?;
        let known = prefixes(tx, exchange.spec.pdb_lan)?.into_values().flatten();
        let nets: Vec<IpNet> = exchange.spec.subnets.iter().copied().chain(known).collect();
        let links = tx.list::<ExchangeLink>(&Query::of(Filter::eq("exchange", id).and(meetme_model::living())))?;
        let routers = tx.many(links.iter().filter_map(|link| link.spec.router))?;
        let known = Filter::is_in("link", links.iter().map(|link| link.id));
        let mut known: HashSet<_> = tx
            .list::<ExchangeSession>(&Query::of(known))?
            .into_iter()
            .map(|row| (row.spec.link, row.spec.ip))
            .collect();
        let mut found: BTreeMap<(i64, std::net::IpAddr), (&Object<ExchangeLink>, &Stranger)> = BTreeMap::new();
        for link in &links {
            let Some(router) = link.spec.router.and_then(|router| routers.get(&router)) else { continue };
            for stranger in &router.status.strangers {
                if !nets.iter().any(|net| net.contains(&stranger.ip)) {
                    continue;
                }
                // Of several connections of one router the one whose own network the address is in, else the first.
                let key = (router.id.get(), stranger.ip);
                let nearer = |link: &ExchangeLink| {
                    link.ip4.into_iter().chain(link.ip6).any(|own| own.network().contains(&stranger.ip))
                };
                let held = found.get(&key).map(|(held, _)| nearer(&held.spec));
                if held.is_none() || (held == Some(false) && nearer(&link.spec)) {
                    found.insert(key, (link, stranger));
                }
            }
        }
        let networks = meeting::networks(tx, found.values().map(|(_, stranger)| stranger.asn))?;
        let mut systems = systems(tx, exchange.tenant, found.values().map(|(_, stranger)| stranger.asn))?;
        let mut out = Imported::default();
        for (link, stranger) in found.into_values() {
            let Some(network) = networks.get(&stranger.asn) else {
                out.passed_over.push(format!("{}: the database does not know AS{}.", stranger.ip, stranger.asn));
                continue;
            };
            if !known.insert((link.id, stranger.ip)) {
                continue;
            }
            let remote = match systems.get(&stranger.asn) {
                Some(id) => *id,
                None => {
                    let made = create(tx, exchange.tenant, introduced(&network.spec), Default::default())?.id;
                    systems.insert(stranger.asn, made);
                    out.systems += 1;
                    made
                }
            };
            let spec = ExchangeSession {
                peer: Peer { asn: stranger.asn, ..Peer::default() },
                remote,
                link: link.id,
                ip: stranger.ip,
                route_server: exchange.spec.route_server_asn == Some(stranger.asn),
                tags: Vec::new(),
            };
            create(tx, exchange.tenant, spec, Default::default())?;
            out.sessions += 1;
        }
        Ok(out)
    })
}

fn systems(
    tx: &mut Tx<'_>,
    tenant: RawId,
    asns: impl Iterator<Item = Asn>,
) -> Result<BTreeMap<Asn, Id<AutonomousSystem>>, Error> {
    let filter = Filter::eq("tenant", tenant).and(Filter::is_in("asn", asns));
    Ok(tx.list::<AutonomousSystem>(&Query::of(filter))?.into_iter().map(|row| (row.spec.asn, row.id)).collect())
}
