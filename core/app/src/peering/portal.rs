//! The peering portal: networks elsewhere ask for sessions at exchanges where we both are, and a person of ours answers
//! (draft-ramseyer-grow-peering-api).
//!
//! Who asks shows a key that is limited to their AS; what such a key may see are its own requests, by the same one rule of access as
//! everything else. Where the operator opens the portal, a request may also come without a key: it is then marked so, is seen again
//! only by who knows its UUID, and fewer are taken. Nothing that is asked changes a router: sessions come from a yes, made in the
//! name of who said it.

mod answers;

use std::{collections::HashMap, net::IpAddr, time::Duration};

use meetme_base::{Asn, Id, IfAddr, Invalid, RawId, Secret, Uid};
use meetme_model::{
    BgpState,
    routing::{
        AutonomousSystem, Exchange, ExchangeLink, ExchangeSession, PeeringRequest, RequestState, RequestedSession,
    },
};
use meetme_store::{Filter, Object, Op, Order, Query, Resource as _, Tx};

pub use answers::{accept, cancel, each, reject, withdraw};

use super::Ruled;
use crate::{App, AuthFailure, Caller, Error};

/// The most sessions of one request.
pub const MOST_SESSIONS: usize = 50;
/// The most requests of one AS in an hour.
const MOST_IN_AN_HOUR: u64 = 20;
/// The most sessions of one AS that wait for an answer.
const MOST_WAITING: u64 = 200;
/// The most requests without a key that wait for an answer, of all networks together.
const MOST_ANONYMOUS: u64 = 100;
/// The longest password TCP MD5 takes.
const LONGEST_PASSWORD: usize = 80;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The AS number of who asks.
    pub asn: Asn,
    /// Where they want to be written to.
    pub email: String,
    /// The sessions.
    pub sessions: Vec<WishedSession>,
}

/// One session that is asked for.
#[derive(Clone, Debug)]
pub struct WishedSession {
    /// Their address at the exchange.
    pub theirs: IpAddr,
    /// Our address there; where we have one only in that family it need not be said.
    pub ours: Option<IpAddr>,
    /// Where, as [`locations`] calls it.
    pub location: String,
    /// The password they offer.
    pub secret: Option<Secret<String>>,
}

/// A place where sessions can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// What it is called in requests: `pdb:ix:` and the number of the exchange's network in the public peering database, or
    /// `ix:` and our own short name of an exchange that is not there.
    pub id: String,
    /// The exchange's name.
    pub name: String,
    /// Our AS there.
    pub asn: Asn,
    /// Our addresses there.
    pub addresses: Vec<IpAddr>,
}

/// A session that was asked for, as who asked sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The session that was asked for.
    pub uid: Uid,
    /// Its request.
    pub request: Uid,
    /// The AS number of who asks.
    pub asn: Asn,
    /// Their address.
    pub theirs: IpAddr,
    /// Our AS there; none when our link is gone.
    pub our_asn: Option<Asn>,
    /// Our address.
    pub ours: Option<IpAddr>,
    /// Where.
    pub location: Option<String>,
    /// How it was answered.
    pub state: RequestState,
    /// Why.
    pub reason: String,
    /// How the session is that came of it.
    pub bgp: Option<BgpState>,
}

impl Ruled for RequestedSession {
    /// A new one has not been answered yet, whichever door it comes through.
    fn settle(&mut self, _: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        if before.is_none() && (self.state != RequestState::Pending || self.session.is_some()) {
            return Err(Invalid::rule("state", "A new request is not answered yet.").into());
        }
        Ok(())
    }
}

/// Asks for sessions: all of them are taken, or none.
///
/// # Errors
/// [`Error::Unauthenticated`] without a key where the portal is not open; [`Error::Denied`] for an AS that the caller may not
/// speak for; [`Error::Invalid`] naming what does not fit; [`Error::Limited`] when too much was asked already.
pub fn submit(app: &App, tx: &mut Tx<'_>, by: &Caller, wish: &Wish) -> Result<Object<PeeringRequest>, Error> {
    let (home, anonymous) = (by.home().any(), by.subject.is_anonymous());
    let remote = match anonymous {
        true => known_to_nobody(app)?,
        false => Some(own(tx, home, wish.asn)?),
    };
    if wish.sessions.is_empty() {
        return Err(Invalid::required("sessions").into());
    }
    if wish.sessions.len() > MOST_SESSIONS {
        return Err(Invalid::rule("sessions", format!("A request has {MOST_SESSIONS} sessions at most.")).into());
    }
    if anonymous && wish.email.is_empty() {
        return Err(Invalid::required("email").into());
    }
    let links = tx.as_system(|tx| {
        room(tx, home, wish, anonymous)?;
        let ours = Filter::eq("tenant", home).and(Filter::eq("asn", wish.asn)).and(Filter::eq("ours", true));
        if tx.exists::<AutonomousSystem>(&ours)? {
            return Err(Invalid::rule("local_asn", "This is an autonomous system of ours.").into());
        }
        let places = places(tx, home)?;
        let mut links = Vec::with_capacity(wish.sessions.len());
        let mut wrong = Vec::new();
        for (n, session) in wish.sessions.iter().enumerate() {
            match fitting(tx, &places, session) {
                Ok(link) if links.contains(&(link, session.theirs)) => {
                    wrong.push(Invalid::rule(format!("sessions.{n}.local_ip"), "It is asked for twice."));
                }
                Ok(link) => links.push((link, session.theirs)),
                Err(Refusal::Wrong(bad)) => wrong.push(bad.under(&format!("sessions.{n}"))),
                Err(Refusal::Other(error)) => return Err(error),
            }
        }
        if wrong.is_empty() { Ok(links) } else { Err(Error::Invalid(wrong)) }
    })?;
    let request =
        PeeringRequest { asn: wish.asn, remote, email: wish.email.clone(), anonymous, state: RequestState::Pending };
    // Whoever may make the request may make its sessions; what these refer to, the caller need not see.
    let request = match anonymous {
        true => tx.as_system(|tx| super::create(tx, home, request, Default::default()))?,
        false => super::create(tx, home, request, Default::default())?,
    };
    tx.as_system(|tx| {
        for (session, (link, ip)) in wish.sessions.iter().zip(&links) {
            let password = match &session.secret {
                Some(secret) => Some(app.sealer().seal(secret.expose())?),
                None => None,
            };
            let requested = RequestedSession {
                request: request.id,
                asn: wish.asn,
                remote,
                link: *link,
                ip: *ip,
                password,
                state: RequestState::Pending,
                reason: String::new(),
                session: None,
            };
            super::create(tx, home, requested, Default::default())?;
        }
        Ok(request)
    })
}

/// Nobody's request has no AS in the book, so that no key for that AS takes it for its own.
fn known_to_nobody(app: &App) -> Result<Option<Id<AutonomousSystem>>, Error> {
    if app.portal_is_open() { Ok(None) } else { Err(Error::Unauthenticated(AuthFailure::Absent)) }
}

/// The AS with this number that the caller may speak for.
fn own(tx: &mut Tx<'_>, home: RawId, asn: Asn) -> Result<Id<AutonomousSystem>, Error> {
    let found = tx.one::<AutonomousSystem>(&Filter::eq("tenant", home).and(Filter::eq("asn", asn)))?;
    let found = found.ok_or_else(|| Error::Denied(format!("You may not ask in the name of AS{asn}.")))?;
    Ok(found.id)
}

/// There must be room for another request.
fn room(tx: &mut Tx<'_>, home: RawId, wish: &Wish, anonymous: bool) -> Result<(), Error> {
    let here = || Filter::eq("tenant", home);
    let limited = |seconds| Err(Error::Limited { retry_after: Duration::from_secs(seconds) });
    let hour_ago = tx.now().plus_seconds(-3600);
    let recent = here().and(Filter::eq("asn", wish.asn)).and(Filter::is("created", Op::Gt(hour_ago.into())));
    if tx.count::<PeeringRequest>(&recent)? >= MOST_IN_AN_HOUR {
        return limited(3600);
    }
    let waiting = || here().and(Filter::eq("state", RequestState::Pending.word()));
    let of_it = waiting().and(Filter::eq("asn", wish.asn));
    let more = u64::try_from(wish.sessions.len()).unwrap_or(u64::MAX);
    if tx.count::<RequestedSession>(&of_it)?.saturating_add(more) > MOST_WAITING {
        return limited(86_400);
    }
    let nobodys = waiting().and(Filter::eq("anonymous", true));
    if anonymous && tx.count::<PeeringRequest>(&nobodys)? >= MOST_ANONYMOUS {
        return limited(86_400);
    }
    Ok(())
}

/// An exchange with our links there.
struct At {
    exchange: Object<Exchange>,
    links: Vec<Object<ExchangeLink>>,
}

/// How an exchange is called in requests.
fn place_id(exchange: &Exchange) -> String {
    match exchange.pdb_lan {
        Some(number) => format!("pdb:ix:{number}"),
        None => format!("ix:{}", exchange.slug),
    }
}

/// The exchanges at which a router of ours is, each with our links.
fn places(tx: &mut Tx<'_>, home: RawId) -> Result<Vec<At>, Error> {
    let links = tx.list::<ExchangeLink>(&Query::of(Filter::eq("tenant", home)))?;
    let usable = links.into_iter().filter(|l| l.spec.router.is_some() && !ExchangeLink::is_gone(&l.spec, &l.status));
    let mut by_exchange: HashMap<Id<Exchange>, Vec<Object<ExchangeLink>>> = HashMap::new();
    for link in usable {
        if let Some(exchange) = link.spec.exchange {
            by_exchange.entry(exchange).or_default().push(link);
        }
    }
    let exchanges = tx.many(by_exchange.keys().copied())?;
    let at = by_exchange.into_iter().filter_map(|(id, mut links)| {
        links.sort_by_key(|link| link.id.get());
        Some(At { exchange: exchanges.get(&id)?.clone(), links })
    });
    let mut at: Vec<At> = at.collect();
    at.sort_by(|a, b| (&a.exchange.spec.name, a.exchange.id.get()).cmp(&(&b.exchange.spec.name, b.exchange.id.get())));
    Ok(at)
}

/// Why a session cannot be asked for: a value in it, or something else altogether.
enum Refusal {
    Wrong(Invalid),
    Other(Error),
}

impl From<meetme_store::Error> for Refusal {
    fn from(error: meetme_store::Error) -> Self {
        Self::Other(error.into())
    }
}

/// The link over which a session can be had as it is asked for.
fn fitting(tx: &mut Tx<'_>, places: &[At], wish: &WishedSession) -> Result<Id<ExchangeLink>, Refusal> {
    let wrong = |field: &str, text: &str| Err(Refusal::Wrong(Invalid::rule(field, text)));
    if let Some(secret) = &wish.secret {
        let text = secret.expose();
        if !(1..=LONGEST_PASSWORD).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            let text =
                format!("A password has 1 to {LONGEST_PASSWORD} letters, digits and signs of ASCII, without blanks.");
            return wrong("session_secret", &text);
        }
    }
    let Some(at) = places.iter().find(|at| place_id(&at.exchange.spec) == wish.location) else {
        return wrong("location", "Peering is not offered at this location.");
    };
    let four = wish.theirs.is_ipv4();
    let ends = at.links.iter().filter_map(|link| {
        let end = if four { link.spec.ip4 } else { link.spec.ip6 };
        Some((link.id, end?))
    });
    let mut ends: Vec<(Id<ExchangeLink>, IfAddr)> = ends.collect();
    if let Some(ours) = wish.ours {
        ends.retain(|(_, end)| end.ip() == ours);
        if ends.is_empty() {
            return wrong(
                "peer_ip",
                "We do not have this address at this location, or not in the family of the other one.",
            );
        }
    }
    let [(link, end)] = ends[..] else {
        let text = match ends.len() {
            0 => "We have no address of this family at this location.",
            _ => "We have several addresses at this location; say which one.",
        };
        return wrong("peer_ip", text);
    };
    let theirs = meetme_base::IpNet::new(wish.theirs, end.network().prefix_len());
    let is_host = theirs.is_ok_and(|net| IfAddr(net).is_host());
    if !end.network().contains(&wish.theirs) || wish.theirs == end.ip() || !is_host {
        return wrong("local_ip", "This is no address of another host in the network of this location.");
    }
    let same = Filter::eq("link", link).and(Filter::eq("ip", wish.theirs));
    if tx.exists::<ExchangeSession>(&same)? {
        return wrong("local_ip", "This session exists already.");
    }
    if tx.exists::<RequestedSession>(&same.and(Filter::eq("state", RequestState::Pending.word())))? {
        return wrong("local_ip", "This session is asked for already.");
    }
    Ok(link)
}

/// Whoever uses the portal must be known to it: by a right to ask, or because it is open.
fn welcome(app: &App, by: &Caller) -> Result<(), Error> {
    if by.subject.is_anonymous() {
        return known_to_nobody(app).map(drop);
    }
    let may_ask = |verb| *by.scope.rows(PeeringRequest::KIND, verb) != Filter::Never;
    if may_ask("see") { Ok(()) } else { Err(Error::Denied("You may not use the peering portal.".to_owned())) }
}

/// Where sessions can be asked for.
///
/// # Errors
/// When the caller may not use the portal.
pub fn locations(app: &App, tx: &mut Tx<'_>, by: &Caller) -> Result<Vec<Location>, Error> {
    welcome(app, by)?;
    tx.as_system(|tx| {
        let places = places(tx, by.home().any())?;
        let ours = tx.many(places.iter().map(|at| at.exchange.spec.local))?;
        let shown = places.iter().filter_map(|at| {
            let ends = at.links.iter().flat_map(|link| [link.spec.ip4, link.spec.ip6]);
            Some(Location {
                id: place_id(&at.exchange.spec),
                name: at.exchange.spec.name.clone(),
                asn: ours.get(&at.exchange.spec.local)?.spec.asn,
                addresses: ends.flatten().map(IfAddr::ip).collect(),
            })
        });
        Ok(shown.collect())
    })
}

/// Our own autonomous systems.
///
/// # Errors
/// When the caller may not use the portal.
pub fn affiliated(app: &App, tx: &mut Tx<'_>, by: &Caller) -> Result<Vec<Object<AutonomousSystem>>, Error> {
    welcome(app, by)?;
    let ours = Filter::eq("tenant", by.home()).and(Filter::eq("ours", true));
    tx.as_system(|tx| Ok(tx.list(&Query::of(ours))?))
}

/// What is known of a network: of one of ours, or of one that the caller may see anyway.
///
/// # Errors
/// [`Error::Missing`] for any other.
pub fn network(app: &App, tx: &mut Tx<'_>, by: &Caller, asn: Asn) -> Result<Object<AutonomousSystem>, Error> {
    welcome(app, by)?;
    let here = Filter::eq("tenant", by.home()).and(Filter::eq("asn", asn));
    let ours = here.clone().and(Filter::eq("ours", true));
    if let Some(found) = tx.as_system(|tx| tx.one::<AutonomousSystem>(&ours))? {
        return Ok(found);
    }
    let found = if by.subject.is_anonymous() { None } else { tx.one::<AutonomousSystem>(&here)? };
    found.ok_or_else(|| Error::missing(AutonomousSystem::KIND, asn))
}

/// The sessions that the caller asked for, or may see, the newest first, and how many there are.
///
/// # Errors
/// [`Error::Unauthenticated`] without a key: who asked without one knows the UUIDs of what they asked for.
pub fn sessions(
    tx: &mut Tx<'_>,
    by: &Caller,
    filter: Filter,
    limit: u32,
    offset: u64,
) -> Result<(u64, Vec<Shown>), Error> {
    if by.subject.is_anonymous() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    let query = Query::of(filter).order([Order::down("id")]).page(limit.min(100), offset);
    let (count, rows) = tx.page::<RequestedSession>(&query)?;
    Ok((count, shown(tx, &rows)?))
}

/// One session that was asked for.
///
/// # Errors
/// [`Error::Missing`] when there is none that the caller may see.
pub fn session(app: &App, tx: &mut Tx<'_>, by: &Caller, uid: Uid) -> Result<Shown, Error> {
    let row = visible(app, tx, by, uid)?;
    let mut all = shown(tx, &[row])?;
    all.pop().ok_or_else(|| Error::missing(RequestedSession::KIND, uid))
}

/// Who asked without a key sees what was asked without one, by its UUID.
fn visible(app: &App, tx: &mut Tx<'_>, by: &Caller, uid: Uid) -> Result<Object<RequestedSession>, Error> {
    if !by.subject.is_anonymous() {
        return Ok(tx.by_uid::<RequestedSession>(uid)?);
    }
    known_to_nobody(app)?;
    tx.as_system(|tx| {
        let row = tx.by_uid::<RequestedSession>(uid)?;
        let is_nobodys = row.tenant == by.home().any() && tx.get(row.spec.request)?.spec.anonymous;
        if is_nobodys { Ok(row) } else { Err(Error::missing(RequestedSession::KIND, uid)) }
    })
}

/// Rows as who asked sees them. What they refer to is told from our own book, whatever the caller may see of it.
fn shown(tx: &mut Tx<'_>, rows: &[Object<RequestedSession>]) -> Result<Vec<Shown>, Error> {
    tx.as_system(|tx| {
        let requests = tx.many(rows.iter().map(|r| r.spec.request))?;
        let links = tx.many(rows.iter().map(|r| r.spec.link))?;
        let exchanges = tx.many(links.values().filter_map(|l| l.spec.exchange))?;
        let ours = tx.many(exchanges.values().map(|e| e.spec.local))?;
        let sessions = tx.many(rows.iter().filter_map(|r| r.spec.session))?;
        let one = |row: &Object<RequestedSession>| {
            let link = links.get(&row.spec.link);
            let exchange = link.and_then(|l| l.spec.exchange).and_then(|id| exchanges.get(&id));
            let end = link.and_then(|l| if row.spec.ip.is_ipv4() { l.spec.ip4 } else { l.spec.ip6 });
            Some(Shown {
                uid: row.uid,
                request: requests.get(&row.spec.request)?.uid,
                asn: row.spec.asn,
                theirs: row.spec.ip,
                our_asn: exchange.and_then(|e| ours.get(&e.spec.local)).map(|a| a.spec.asn),
                ours: end.map(IfAddr::ip),
                location: exchange.map(|e| place_id(&e.spec)),
                state: row.spec.state,
                reason: row.spec.reason.clone(),
                bgp: row.spec.session.and_then(|id| sessions.get(&id)).and_then(|s| s.status.state),
            })
        };
        Ok(rows.iter().filter_map(one).collect())
    })
}
