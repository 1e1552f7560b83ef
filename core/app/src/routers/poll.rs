//! Asking a router's box now how its sessions are. There is one way to the box, the pass of its controller: it is woken, and whoever
//! asked sees from what it leaves behind that it was there.

use std::collections::BTreeSet;

use meetme_base::{Id, RawId, Time};
use meetme_model::{
    Admin,
    ops::Job,
    routing::{AutonomousSystem, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Router},
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};

use crate::{
    AuthFailure, Error, access,
    jobs::{self, Ask},
};

/// The work of asking a router how its sessions are.
pub const POLL: &str = "router.poll";
/// The controller of routers, by its name in the queue.
const CONTROLLER: &str = "router";
/// The most routers that one wish may have asked.
const MOST: usize = 1000;

/// A router that was woken.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The router.
    pub router: Id<Router>,
    at: Time,
    fence: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was not looked at yet.
    Not,
    /// It was looked at.
    Looked,
    /// It could not be looked at, for this reason.
    Failed(String),
}

/// Whoever has the states of sessions looked at writes them, in a way.
fn require(tx: &mut Tx<'_>, node: RawId) -> Result<(), Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    access::require(tx, DirectSession::KIND, "change", node)?;
    access::require(tx, ExchangeSession::KIND, "change", node)
}

fn ask(tx: &mut Tx<'_>, router: &Object<Router>) -> Result<Object<Job>, Error> {
    let name = format!("Poll the sessions of {}", router.spec.name);
    jobs::ask(tx, router.tenant, Ask { what: POLL, name, subject: Some(router.id.any()), ..Ask::default() })
}

/// Has a router asked.
///
/// # Errors
/// When the router is not there for the caller, or the caller may not change sessions.
pub fn of_router(tx: &mut Tx<'_>, id: Id<Router>) -> Result<Object<Job>, Error> {
    let router = tx.get(id)?;
    require(tx, router.tenant)?;
    ask(tx, &router)
}

/// Has every router asked that has sessions with an AS.
///
/// # Errors
/// As [`of_router`].
pub fn of_system(tx: &mut Tx<'_>, id: Id<AutonomousSystem>) -> Result<Vec<Object<Job>>, Error> {
    let system = tx.get(id)?;
    require(tx, system.tenant)?;
    let mut out = of_direct(tx, Filter::eq("remote", id))?;
    let links = tx.as_system(|tx| {
        let across = tx.list::<ExchangeSession>(&Query::of(Filter::eq("remote", id)))?;
        tx.many(across.into_iter().map(|session| session.spec.link))
    })?;
    out.extend(links.into_values().filter_map(|link| link.spec.router));
    each(tx, out)
}

/// Has every router asked that has sessions of a group.
///
/// # Errors
/// As [`of_router`].
pub fn of_group(tx: &mut Tx<'_>, id: Id<PeerGroup>) -> Result<Vec<Object<Job>>, Error> {
    let group = tx.get(id)?;
    require(tx, group.tenant)?;
    let out = of_direct(tx, Filter::eq("group", id))?;
    each(tx, out)
}

/// Has every router asked that is linked to an exchange.
///
/// # Errors
/// As [`of_router`].
pub fn of_exchange(tx: &mut Tx<'_>, id: Id<Exchange>) -> Result<Vec<Object<Job>>, Error> {
    let exchange = tx.get(id)?;
    require(tx, exchange.tenant)?;
    let links = tx.as_system(|tx| tx.list::<ExchangeLink>(&Query::of(Filter::eq("exchange", id))))?;
    each(tx, links.into_iter().filter_map(|link| link.spec.router).collect())
}

fn of_direct(tx: &mut Tx<'_>, filter: Filter) -> Result<BTreeSet<Id<Router>>, Error> {
    let mut out = BTreeSet::new();
    for session in tx.as_system(|tx| tx.list::<DirectSession>(&Query::of(filter)))? {
        out.extend(super::routers_of(tx, &session.spec)?);
    }
    Ok(out)
}

/// A job for each of these routers that the caller may see.
fn each(tx: &mut Tx<'_>, routers: BTreeSet<Id<Router>>) -> Result<Vec<Object<Job>>, Error> {
    let mut out = Vec::new();
    for id in routers.into_iter().take(MOST) {
        if let Some(router) = tx.find(id)? {
            out.push(ask(tx, &router)?);
        }
    }
    Ok(out)
}

/// Wakes the router of a session across an exchange.
///
/// # Errors
/// As [`of_router`]; [`Error::Unavailable`] when it has none that can be asked.
pub fn wake_exchange(tx: &mut Tx<'_>, id: Id<ExchangeSession>) -> Result<Asked, Error> {
    let session = tx.get(id)?;
    require(tx, session.tenant)?;
    let link = tx.as_system(|tx| tx.get(session.spec.link))?;
    wake(tx, link.spec.router.ok_or_else(nobody)?)
}

/// Wakes the router of a direct session; of several the first that can be asked.
///
/// # Errors
/// As [`wake_exchange`].
pub fn wake_direct(tx: &mut Tx<'_>, id: Id<DirectSession>) -> Result<Asked, Error> {
    let session = tx.get(id)?;
    require(tx, session.tenant)?;
    let mut last = nobody();
    for router in super::routers_of(tx, &session.spec)? {
        match wake(tx, router) {
            Err(why @ Error::Unavailable(_)) => last = why,
            other => return other,
        }
    }
    Err(last)
}

fn nobody() -> Error {
    Error::Unavailable("The session is on no router that could be asked.".to_owned())
}

/// Wakes a router's controller. Whether that may be done is decided before.
///
/// # Errors
/// [`Error::Unavailable`] with the reason why the router is never asked.
pub fn wake(tx: &mut Tx<'_>, id: Id<Router>) -> Result<Asked, Error> {
    tx.as_system(|tx| {
        let router = tx.get(id)?;
        let name = &router.spec.name;
        let no = |why: &str| Err(Error::Unavailable(format!("The router {name} {why}.")));
        if router.spec.admin == Admin::Disabled {
            return no("is disabled");
        }
        if !router.spec.poll {
            return no("is not to be polled");
        }
        if router.spec.equipment.is_none() {
            return no("has no platform with a driver");
        }
        let fence = tx.work_of(CONTROLLER, id.any())?.map_or(0, |work| work.fence);
        let at = tx.now();
        tx.enqueue(CONTROLLER, id.any(), at)?;
        Ok(Asked { router: id, at, fence })
    })
}

/// Whether a router that was woken has been looked at since.
///
/// # Errors
/// When the database fails.
pub fn seen(tx: &mut Tx<'_>, asked: &Asked) -> Result<Seen, Error> {
    tx.as_system(|tx| {
        let Some(work) = tx.work_of(CONTROLLER, asked.router.any())? else { return Ok(Seen::Not) };
        // A pass that was under way may have looked before it was asked for.
        if work.fence <= asked.fence || work.leased_by.is_some() {
            return Ok(Seen::Not);
        }
        let polled = tx.find(asked.router)?.and_then(|router| router.status.polled_at);
        if polled.is_some_and(|at| at >= asked.at) {
            return Ok(Seen::Looked);
        }
        Ok(Seen::Failed(work.note.unwrap_or_default()))
    })
}
