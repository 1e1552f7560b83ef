//! Where networks can meet: who is at our exchanges and could be peered with, which sessions are missing, and which exchanges and
//! facilities two systems share.
//!
//! One pass answers for any number of exchanges: it asks for all connections, sessions, ports and hidden peers at once and puts
//! them together here.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use meetme_base::{Asn, Id, Kind, RawId};
use meetme_model::{
    mirror::{HiddenPeer, PdbFacility, PdbNetwork, PdbNetworkFacility, PdbPort},
    routing::{AutonomousSystem, Exchange, ExchangeLink, ExchangeSession},
};
use meetme_store::{Filter, Object, Op, Order, Query, Resource as _, Tx};

use crate::{App, Error};

/// A port of another network at an exchange of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Meeting {
    /// The exchange.
    pub exchange: Id<Exchange>,
    /// The port.
    pub port: Object<PdbPort>,
    /// The sessions that our connections there could have with it: a connection reaches an address of a family it has an address
    /// of, or any when nothing is said of its own.
    pub possible: Vec<Session>,
    /// Those of them that there are not.
    pub missing: Vec<Session>,
    /// Whether its network is hidden there now.
    pub hidden: bool,
}

/// A session that could be: a connection of ours and an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Session {
    /// The connection.
    pub link: Id<ExchangeLink>,
    /// The peer's address.
    pub ip: IpAddr,
}

impl Meeting {
    /// Whether a session is still to be had: not hidden, and not every address has a session on every connection.
    pub fn is_open(&self) -> bool {
        !self.hidden && (self.possible.is_empty() || !self.missing.is_empty())
    }
}

/// The addresses of a port, IPv6 first.
pub fn addresses(port: &PdbPort) -> impl Iterator<Item = IpAddr> {
    port.ipaddr6.map(IpAddr::from).into_iter().chain(port.ipaddr4.map(IpAddr::from))
}

/// Every port of others at these exchanges, sorted by AS number, then by the database's number; with `asn` only those of one network.
/// Exchanges that are not linked to the database have none.
///
/// # Errors
/// When the database fails.
pub fn meetings(tx: &mut Tx<'_>, exchanges: &[Object<Exchange>], asn: Option<Asn>) -> Result<Vec<Meeting>, Error> {
    let linked: Vec<&Object<Exchange>> = exchanges.iter().filter(|row| row.spec.pdb_lan.is_some()).collect();
    if linked.is_empty() {
        return Ok(Vec::new());
    }
    // Who may see an exchange may know who is there; what of it is shown is up to the door.
    tx.as_system(|tx| {
        let ids = || linked.iter().map(|row| row.id);
        let links =
            tx.list::<ExchangeLink>(&Query::of(Filter::is_in("exchange", ids()).and(meetme_model::living())))?;
        let sessions = Filter::is_in("link", links.iter().map(|link| link.id));
        let sessions: HashSet<Session> = tx
            .list::<ExchangeSession>(&Query::of(sessions))?
            .into_iter()
            .map(|row| Session { link: row.spec.link, ip: row.spec.ip })
            .collect();
        let own = tx.many(linked.iter().map(|row| row.spec.local))?;
        let lans = || linked.iter().filter_map(|row| row.spec.pdb_lan);
        let mut there = Filter::is_in("ixlan.pdb_id", lans());
        if let Some(asn) = asn {
            there = there.and(Filter::eq("asn", asn));
        }
        let ports = tx.list::<PdbPort>(&Query::of(there).order([Order::up("asn"), Order::up("pdb_id")]))?;
        let now = tx.now();
        let hidden = Filter::is_in("lan", lans()).and(Filter::is_in("tenant", linked.iter().map(|row| row.tenant)));
        let hidden: HashSet<(RawId, Option<i64>, Option<i64>)> = tx
            .list::<HiddenPeer>(&Query::of(hidden))?
            .into_iter()
            .filter(|row| !row.spec.is_expired(now))
            .map(|row| (row.tenant, row.spec.lan, row.spec.network))
            .collect();
        let mut links_of: HashMap<Id<Exchange>, Vec<&Object<ExchangeLink>>> = HashMap::new();
        for link in &links {
            links_of.entry(link.spec.exchange.unwrap_or(Id::new(0))).or_default().push(link);
        }
        let mut at: HashMap<Option<i64>, Vec<&Object<Exchange>>> = HashMap::new();
        for row in &linked {
            at.entry(row.spec.pdb_lan).or_default().push(row);
        }
        let mut out = Vec::with_capacity(ports.len());
        for port in ports {
            for exchange in at.get(&port.spec.ixlan_id).into_iter().flatten() {
                if own.get(&exchange.spec.local).is_some_and(|local| local.spec.asn == port.spec.asn) {
                    continue;
                }
                let ours = links_of.get(&exchange.id).into_iter().flatten();
                let ours = ours.filter(|link| link.tenant == exchange.tenant);
                let possible: Vec<Session> = ours
                    .flat_map(|link| {
                        let reached = addresses(&port.spec).filter(|ip| reaches(&link.spec, *ip));
                        reached.map(|ip| Session { link: link.id, ip })
                    })
                    .collect();
                let missing = possible.iter().filter(|session| !sessions.contains(session)).copied().collect();
                let hidden = hidden.contains(&(exchange.tenant, exchange.spec.pdb_lan, port.spec.net_id));
                out.push(Meeting { exchange: exchange.id, port: port.clone(), possible, missing, hidden });
            }
        }
        Ok(out)
    })
}

/// Whether a connection can speak to an address: it has one of that family, or nothing is said of its own.
fn reaches(link: &ExchangeLink, ip: IpAddr) -> bool {
    (link.ip4.is_none() && link.ip6.is_none()) || if ip.is_ipv4() { link.ip4.is_some() } else { link.ip6.is_some() }
}

/// The ports at these exchanges with which a session is still to be had, in the order of [`meetings`].
///
/// # Errors
/// When the database fails.
pub fn available(tx: &mut Tx<'_>, exchanges: &[Object<Exchange>]) -> Result<Vec<Meeting>, Error> {
    Ok(meetings(tx, exchanges, None)?.into_iter().filter(Meeting::is_open).collect())
}

/// The sessions with a network that we could have and have not, at all exchanges of one of our systems that the caller sees.
///
/// # Errors
/// When the database fails.
pub fn missing(tx: &mut Tx<'_>, ours: Id<AutonomousSystem>, theirs: Asn) -> Result<Vec<Meeting>, Error> {
    let exchanges = tx.list::<Exchange>(&Query::of(Filter::eq("local", ours)))?;
    let all = meetings(tx, &exchanges, Some(theirs))?;
    Ok(all.into_iter().filter(|meeting| !meeting.missing.is_empty()).collect())
}

/// The exchanges of one of our systems where another network is too: it has a port there, or a session with us.
///
/// # Errors
/// When the database fails.
pub fn shared_exchanges(
    tx: &mut Tx<'_>,
    ours: Id<AutonomousSystem>,
    theirs: Asn,
) -> Result<Vec<Object<Exchange>>, Error> {
    let exchanges = tx.list::<Exchange>(&Query::of(Filter::eq("local", ours)).order([Order::up("name")]))?;
    tx.as_system(|tx| {
        let lans = Filter::is_in("ixlan.pdb_id", exchanges.iter().filter_map(|row| row.spec.pdb_lan));
        let ports = tx.list::<PdbPort>(&Query::of(Filter::eq("asn", theirs).and(lans)))?;
        let there: HashSet<i64> = ports.iter().filter_map(|port| port.spec.ixlan_id).collect();
        let ids = exchanges.iter().map(|row| row.id);
        let sessions = Filter::eq("asn", theirs).and(Filter::is_in("link.exchange", ids));
        let sessions = tx.list::<ExchangeSession>(&Query::of(sessions))?;
        let links = tx.many(sessions.iter().map(|row| row.spec.link))?;
        let met: HashSet<Id<Exchange>> = links.values().filter_map(|link| link.spec.exchange).collect();
        let shared =
            |row: &Object<Exchange>| met.contains(&row.id) || row.spec.pdb_lan.is_some_and(|lan| there.contains(&lan));
        Ok(exchanges.into_iter().filter(shared).collect())
    })
}

/// The facilities where both networks are, by name.
///
/// # Errors
/// When the database fails.
pub fn shared_facilities(tx: &mut Tx<'_>, ours: Asn, theirs: Asn) -> Result<Vec<Object<PdbFacility>>, Error> {
    tx.as_system(|tx| {
        let presences = |tx: &mut Tx<'_>, asn: Asn| -> Result<HashSet<RawId>, Error> {
            let rows = tx.list::<PdbNetworkFacility>(&Query::of(Filter::eq("net.asn", asn)))?;
            Ok(rows.into_iter().filter_map(|row| row.spec.fac).collect())
        };
        let (ours, theirs) = (presences(tx, ours)?, presences(tx, theirs)?);
        let both = ours.intersection(&theirs).map(|id| id.of::<PdbFacility>());
        Ok(tx.list::<PdbFacility>(&Query::of(Filter::is_in("id", both)).order([Order::up("name")]))?)
    })
}

/// The networks of these numbers in the public peering database.
///
/// # Errors
/// When the database fails.
pub fn networks(
    tx: &mut Tx<'_>,
    asns: impl IntoIterator<Item = Asn>,
) -> Result<HashMap<Asn, Object<PdbNetwork>>, Error> {
    let asns: HashSet<Asn> = asns.into_iter().collect();
    if asns.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = tx.as_system(|tx| tx.list::<PdbNetwork>(&Query::of(Filter::is_in("asn", asns))))?;
    Ok(rows.into_iter().map(|row| (row.spec.asn, row)).collect())
}

/// How a session stands towards the public peering database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// A port of its network has its address.
    pub exists: bool,
    /// Its exchange is linked, its router is polled, its network is known, and yet its address is gone and it is down.
    pub abandoned: bool,
}

/// What [`has_copy`] follows from.
pub(crate) const COPIED: &[Kind] = &[PdbPort::KIND];

/// Whether there is a copy of the public peering database at all. Without one no session stands anywhere, and nobody need ask how.
///
/// # Errors
/// When the database fails.
pub fn has_copy(app: &App, tx: &mut Tx<'_>) -> Result<bool, Error> {
    let any = |tx: &mut Tx<'_>| Ok(tx.as_system(|tx| tx.exists::<PdbPort>(&Filter::All))?);
    app.mirrored().get(app, tx, any).map(|any| *any)
}

/// How these sessions stand, in their order: a handful of questions for all of them.
///
/// # Errors
/// When the database fails.
pub fn standing(tx: &mut Tx<'_>, sessions: &[&Object<ExchangeSession>]) -> Result<Vec<Standing>, Error> {
    let mut out = vec![Standing::default(); sessions.len()];
    if sessions.is_empty() {
        return Ok(out);
    }
    tx.as_system(|tx| {
        let ips = || sessions.iter().map(|row| row.spec.ip);
        let v4 = Filter::is_in("ip4", ips().filter(IpAddr::is_ipv4));
        let v6 = Filter::is_in("ip6", ips().filter(IpAddr::is_ipv6));
        let ports = tx.list::<PdbPort>(&Query::of(v4.or(v6)))?;
        let known: HashSet<(Asn, IpAddr)> =
            ports.iter().flat_map(|port| addresses(&port.spec).map(|ip| (port.spec.asn, ip))).collect();
        let mut lost = Vec::new();
        for (n, row) in sessions.iter().enumerate() {
            out[n].exists = known.contains(&(row.spec.peer.asn, row.spec.ip));
            if !out[n].exists && is_down(row) {
                lost.push(n);
            }
        }
        if lost.is_empty() {
            return Ok(out);
        }
        let links = tx.many(lost.iter().map(|n| sessions[*n].spec.link))?;
        let exchanges = tx.many(links.values().filter_map(|link| link.spec.exchange))?;
        let routers = tx.many(links.values().filter_map(|link| link.spec.router))?;
        let networks = networks(tx, lost.iter().map(|n| sessions[*n].spec.peer.asn))?;
        for n in lost {
            let session = sessions[n];
            let Some(link) = links.get(&session.spec.link) else { continue };
            let exchange = link.spec.exchange.and_then(|id| exchanges.get(&id));
            let is_linked = exchange.is_some_and(|row| row.spec.pdb_lan.is_some());
            let is_polled = link.spec.router.and_then(|id| routers.get(&id)).is_none_or(|router| router.spec.poll);
            out[n].abandoned = is_linked && is_polled && networks.contains_key(&session.spec.peer.asn);
        }
        Ok(out)
    })
}

fn is_down(session: &Object<ExchangeSession>) -> bool {
    use meetme_model::BgpState::{Active, Idle};
    matches!(session.status.state, Some(Idle | Active))
}

/// The sessions the caller sees that stand so: for filters of lists.
///
/// # Errors
/// When the database fails.
pub fn standing_so(tx: &mut Tx<'_>, so: fn(Standing) -> bool) -> Result<Vec<Id<ExchangeSession>>, Error> {
    let (mut out, mut after) = (Vec::new(), 0);
    if !tx.as_system(|tx| tx.exists::<PdbPort>(&Filter::All))? {
        return Ok(out);
    }
    loop {
        let next = Filter::is("id", Op::Gt(meetme_store::Value::Ref(after)));
        let page = tx.list::<ExchangeSession>(&Query::of(next).page(PAGE, 0))?;
        let Some(last) = page.last() else { return Ok(out) };
        after = last.id.get();
        let rows: Vec<&Object<ExchangeSession>> = page.iter().collect();
        let standing = standing(tx, &rows)?;
        out.extend(rows.iter().zip(standing).filter(|(_, standing)| so(*standing)).map(|(row, _)| row.id));
    }
}

/// How many sessions are looked at together.
const PAGE: u32 = 10_000;
