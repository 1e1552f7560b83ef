//! The whole state of a router: everything that makes up its configuration, read in one transaction and merged by the rules
//! of peering. Polling, rendering and dry runs all begin here.
//!
//! Rule: what a session inherits (policies, communities, limits, maintenance) is worked out here and nowhere else, so that a
//! template, an agent and a page that explains a session cannot disagree.
//!
//! Passwords are opened here, and only here, into values that cannot be shown.

mod asks;
pub mod jobs;
mod near;
pub mod poll;
mod words;

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use meetme_base::{Asn, Id, IfAddr, IpNet, RawId, Secret};
use meetme_model::{
    Admin,
    fabric::Leg,
    ops::Equipment,
    routing::{
        AutonomousSystem, Bfd, Community, DirectSession, ExchangeLink, ExchangeSession, IrrQuestion, Policy, Router,
    },
};
use meetme_store::{Filter, Object, Query, Resource, Tx};

use crate::{
    App, Error,
    irr::{self, Registered},
    rpki,
    templates::{self, Passwords, Prepared},
};
pub use asks::Asks;
use near::Near;
pub use words::{Role, Words};

/// Everything that makes up the configuration of one router.
#[derive(Debug)]
pub struct RouterState {
    /// The router.
    pub router: Object<Router>,
    /// The equipment behind it.
    pub equipment: Option<Object<Equipment>>,
    /// The credential that opens the equipment.
    pub access: Option<Secret<String>>,
    /// The AS number it speaks with: its own, its AS's, or that of the first exchange it is linked to.
    pub asn: Option<Asn>,
    /// Its BGP identifier.
    pub router_id: Ipv4Addr,
    /// The template of its configuration, with all it may see; none where its agent makes the whole by itself.
    pub template: Option<Prepared>,
    /// Its links to exchanges.
    pub links: Vec<Object<ExchangeLink>>,
    /// The legs placed on it.
    pub legs: Vec<Object<Leg>>,
    /// The sessions that belong into its configuration, by id.
    pub sessions: Vec<SessionState>,
    /// The validated ROA payloads, if a session's policies ask for them.
    pub roas: Option<Arc<rpki::Table>>,
}

/// One session as the router is to have it.
#[derive(Debug)]
pub struct SessionState {
    /// The session.
    pub of: SessionId,
    /// Its name on the router: `s` and its id; with the number of the address behind it from the second of several.
    pub key: String,
    /// Words for people who read the configuration.
    pub description: String,
    /// On, off or in maintenance, everything inherited counted in.
    pub admin: Admin,
    /// Our AS number.
    pub local_asn: Asn,
    /// Our address.
    pub local_ip: Option<IpAddr>,
    /// The peer's AS number.
    pub peer_asn: Asn,
    /// The peer's address.
    pub peer_ip: IpAddr,
    /// The password.
    pub password: Option<Secret<String>>,
    /// The time to live of our packets.
    pub ttl: u8,
    /// Whether we wait for the peer to connect.
    pub passive: bool,
    /// Whether the peer is a route server.
    pub route_server: bool,
    /// The most prefixes accepted; no limit when absent.
    pub max_prefixes: Option<u32>,
    /// Policies on what we accept, most important first.
    pub import: Vec<Object<Policy>>,
    /// Policies on what we announce, most important first.
    pub export: Vec<Object<Policy>>,
    /// Communities put on its routes.
    pub communities: Vec<Object<Community>>,
    /// Timers of bidirectional forwarding detection.
    pub bfd: Option<Object<Bfd>>,
    /// What its data say of it for machines; why they cannot be understood, in words, where they cannot.
    pub words: Result<Words, String>,
    /// The peer's AS, if it is known.
    pub system: Option<Id<AutonomousSystem>>,
    /// What the policies on what we accept ask for besides their terms.
    pub asks: Asks,
    /// What the registries say of the peer's AS, if it is asked for and known.
    pub registered: Option<Arc<Registered>>,
    /// What the session is for, which says what passes where no policy is named.
    pub purpose: Purpose,
}

/// A session of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SessionId {
    /// Over a link of its own.
    Direct(Id<DirectSession>),
    /// Across an exchange.
    Exchange(Id<ExchangeSession>),
}

impl SessionId {
    /// The id, whatever it is of.
    pub const fn any(self) -> RawId {
        match self {
            Self::Direct(id) => id.any(),
            Self::Exchange(id) => id.any(),
        }
    }
}

/// What a session is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Peering: nothing passes but what policies name (RFC 8212).
    Peering,
    /// A circuit: everything passes, or only these prefixes where the circuit names some.
    Circuit {
        /// The only prefixes accepted; all when empty.
        accepted: Vec<IpNet>,
    },
    /// A machine in a rack: it may announce its owner's blocks.
    Device {
        /// The owner's blocks.
        accepted: Vec<IpNet>,
        /// Whether it is told a default route.
        default_route: bool,
    },
}

/// Reads and merges the whole state of a router.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Bug`] when a password cannot be opened.
pub fn whole_state(app: &App, tx: &mut Tx<'_>, id: Id<Router>) -> Result<RouterState, Error> {
    tx.as_system(|tx| {
        let router = tx.get(id)?;
        let equipment = found(tx, router.spec.equipment)?;
        let access = match equipment.as_ref().and_then(|e| e.spec.access.as_ref()) {
            Some(sealed) => Some(app.sealer().open(sealed)?),
            None => None,
        };
        let template = found(tx, router.spec.template)?;
        let links = tx.all::<ExchangeLink>(Filter::eq("router", id))?;
        let legs = tx.all::<Leg>(Filter::eq("router", id))?;
        let (direct, across) = sessions(tx, &router)?;
        let template = match template {
            Some(template) => {
                let sessions = (direct.clone(), across.clone());
                Some(templates::router(app, tx, &router, &template, sessions, Passwords::Clear)?)
            }
            None => None,
        };
        let near = Near::read(app, tx, &router, &links, &legs, &direct, &across)?;
        let asn = near.router_asn(&router, &links);
        let mut out = Vec::with_capacity(direct.len() + across.len());
        for session in across {
            out.extend(near.exchange_session(app, &router, session)?);
        }
        for session in direct {
            near.direct_session(app, tx, &router, asn, session, &mut out)?;
        }
        out.sort_by(|a, b| (a.of.any(), &a.key).cmp(&(b.of.any(), &b.key)));
        let router_id = router_id(&router, equipment.as_ref(), &links, &legs);
        let roas = judged(app, tx, &mut out)?;
        Ok(RouterState { router, equipment, access, asn, router_id, template, links, legs, sessions: out, roas })
    })
}

/// Gives sessions what their policies ask for of the world outside; answers the validated ROA payloads if any asks for them.
fn judged(app: &App, tx: &mut Tx<'_>, sessions: &mut [SessionState]) -> Result<Option<Arc<rpki::Table>>, Error> {
    let systems: BTreeSet<_> = sessions.iter().filter(|s| s.asks.irr).filter_map(|s| s.system).collect();
    let systems: Vec<_> = systems.into_iter().collect();
    let known = irr::of_systems(tx, &systems, IrrQuestion::ALL)?;
    let known: HashMap<_, _> = known.into_iter().map(|(id, known)| (id, Arc::new(known))).collect();
    for session in sessions.iter_mut().filter(|s| s.asks.irr) {
        session.registered = session.system.and_then(|id| known.get(&id)).cloned();
    }
    if sessions.iter().any(|s| s.asks.rpki) { rpki::table(app, tx).map(Some) } else { Ok(None) }
}

/// The routers on which a session belongs, whether it is configured there now or not.
///
/// # Errors
/// When the database fails.
pub fn routers_of(tx: &mut Tx<'_>, session: &DirectSession) -> Result<Vec<Id<Router>>, Error> {
    tx.as_system(|tx| {
        let mut out: Vec<Id<Router>> = session.router.into_iter().collect();
        if let Some(link) = found(tx, session.link)? {
            out.extend(link.spec.router);
        }
        if let Some(leg) = found(tx, session.leg)? {
            out.extend(leg.spec.router);
        }
        if let Some(device) = session.device
            && let Some(server) = found(tx, Some(device))?.and_then(|d| d.spec.server)
            && let Some(server) = found(tx, Some(server))?
        {
            let switches: Vec<_> = server.spec.nics.iter().filter_map(|n| n.switch).collect();
            if !switches.is_empty() {
                out.extend(tx.ids::<Router>(&Filter::is_in("equipment", switches))?);
            }
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    })
}

/// Sessions of both kinds.
pub type Sessions = (Vec<Object<DirectSession>>, Vec<Object<ExchangeSession>>);

/// Every session that belongs to a router, also those that are not in its configuration now.
///
/// # Errors
/// When the database fails.
pub fn sessions(tx: &mut Tx<'_>, router: &Object<Router>) -> Result<Sessions, Error> {
    tx.as_system(|tx| Ok((direct_sessions(tx, router)?, tx.list(&Query::of(Filter::eq("link.router", router.id)))?)))
}

fn found<R: Resource>(tx: &mut Tx<'_>, id: Option<Id<R>>) -> Result<Option<Object<R>>, Error> {
    match id {
        Some(id) => Ok(tx.find(id)?),
        None => Ok(None),
    }
}

/// Sessions on the router itself, over its links, over legs placed on it, and of machines patched to it.
fn direct_sessions(tx: &mut Tx<'_>, router: &Object<Router>) -> Result<Vec<Object<DirectSession>>, Error> {
    let mut filter = Filter::eq("router", router.id)
        .or(Filter::eq("link.router", router.id))
        .or(Filter::eq("leg.router", router.id));
    if let Some(equipment) = router.spec.equipment {
        filter = filter.or(Filter::eq("device.server.switches", equipment));
    }
    Ok(tx.list(&Query::of(filter))?)
}

/// The identifier somebody chose, else an address the router has, else a number that is its own.
fn router_id(
    router: &Object<Router>,
    equipment: Option<&Object<Equipment>>,
    links: &[Object<ExchangeLink>],
    legs: &[Object<Leg>],
) -> Ipv4Addr {
    let said = |data: &serde_json::Value| data.get("router_id").and_then(|v| v.as_str()).and_then(|s| s.parse().ok());
    let v4 = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    let of_leg = |l: &Object<Leg>| {
        l.spec.a.faces.iter().chain(&l.spec.z.faces).find_map(|f| f.link).map(|link| link.ours).and_then(v4)
    };
    equipment
        .and_then(|e| said(&e.spec.settings))
        .or_else(|| router.spec.context.as_ref().and_then(said))
        .or_else(|| router.spec.hostname.parse().ok())
        .or_else(|| links.iter().find_map(|l| l.spec.ip4).map(IfAddr::ip).and_then(v4))
        .or_else(|| legs.iter().find_map(of_leg))
        .unwrap_or_else(|| {
            let [_, _, _, _, _, a, b, c] = router.id.get().to_be_bytes();
            Ipv4Addr::new(10, a, b, c)
        })
}
