//! What becomes of a session that was asked for: it is taken back, refused, or made.

use meetme_base::{Id, Uid};
use meetme_model::{
    Peer, PeerStatus,
    routing::{AutonomousSystem, ExchangeSession, PeeringRequest, RequestState, RequestedSession},
};
use meetme_store::{Filter, Object, Query, Tx};

use super::visible;
use crate::{App, Caller, Error, peering};

/// Takes a session back, in the name of who asked for it.
///
/// # Errors
/// [`Error::Conflict`] `answered` when it was answered already.
pub fn withdraw(app: &App, tx: &mut Tx<'_>, by: &Caller, uid: Uid) -> Result<(), Error> {
    let row = visible(app, tx, by, uid)?;
    if by.subject.is_anonymous() {
        return tx.as_system(|tx| answer(tx, row, RequestState::Cancelled, "", None)).map(drop);
    }
    cancel(tx, row.id).map(drop)
}

/// Takes a session back.
///
/// # Errors
/// As [`withdraw`], and [`Error::Denied`] without the right to act on it.
pub fn cancel(tx: &mut Tx<'_>, id: Id<RequestedSession>) -> Result<Object<RequestedSession>, Error> {
    let row = tx.get(id)?;
    if !(tx.may_with("act", &row)? || tx.may_with("change", &row)?) {
        return Err(Error::Denied("You do not have the right to cancel this request.".to_owned()));
    }
    tx.as_system(|tx| answer(tx, row, RequestState::Cancelled, "", None))
}

/// Says no to a session, with a reason for who asked.
///
/// # Errors
/// As [`cancel`], with the right to change it.
pub fn reject(tx: &mut Tx<'_>, id: Id<RequestedSession>, reason: &str) -> Result<Object<RequestedSession>, Error> {
    let row = tx.get(id)?;
    must_change(tx, &row)?;
    answer(tx, row, RequestState::Rejected, reason, None)
}

/// Says yes to a session: it is made, over our link, with the password that was offered. An AS that was not in the book yet is
/// put there by its number.
///
/// # Errors
/// As [`reject`], and when the caller may not make the session or it cannot be made.
pub fn accept(tx: &mut Tx<'_>, id: Id<RequestedSession>) -> Result<Object<RequestedSession>, Error> {
    let row = tx.get(id)?;
    must_change(tx, &row)?;
    waiting(&row)?;
    let tenant = row.tenant;
    let known = tx.one::<AutonomousSystem>(&Filter::eq("tenant", tenant).and(Filter::eq("asn", row.spec.asn)))?;
    let remote = match known {
        Some(known) => known.id,
        None => {
            let new = AutonomousSystem::new(row.spec.asn, format!("AS{}", row.spec.asn));
            peering::create(tx, tenant, new, Default::default())?.id
        }
    };
    let session = ExchangeSession {
        peer: Peer { password: row.spec.password.clone(), ..Peer::default() },
        remote,
        link: row.spec.link,
        ip: row.spec.ip,
        route_server: false,
        tags: Vec::new(),
    };
    let made = peering::create(tx, tenant, session, PeerStatus::default())?;
    answer(tx, row, RequestState::Accepted, "", Some(made.id))
}

fn must_change(tx: &mut Tx<'_>, row: &Object<RequestedSession>) -> Result<(), Error> {
    match tx.may_with("change", row)? {
        true => Ok(()),
        false => Err(Error::Denied("You do not have the right to answer this request.".to_owned())),
    }
}

fn waiting(row: &Object<RequestedSession>) -> Result<(), Error> {
    match row.spec.state {
        RequestState::Pending => Ok(()),
        state => {
            let text = format!("This session was answered already: it is {}.", state.word());
            Err(Error::conflict("answered", text))
        }
    }
}

/// Keeps an answer, forgets the password, and sums up for the request.
fn answer(
    tx: &mut Tx<'_>,
    mut row: Object<RequestedSession>,
    state: RequestState,
    reason: &str,
    session: Option<Id<ExchangeSession>>,
) -> Result<Object<RequestedSession>, Error> {
    waiting(&row)?;
    let spec = RequestedSession { state, reason: reason.to_owned(), session, password: None, ..row.spec.clone() };
    peering::save(tx, &mut row, spec)?;
    // The request follows from its sessions, whoever may change it.
    tx.as_system(|tx| sum_up(tx, row.spec.request))?;
    Ok(row)
}

fn sum_up(tx: &mut Tx<'_>, id: Id<PeeringRequest>) -> Result<(), Error> {
    let mut request = tx.get(id)?;
    let sessions = tx.list::<RequestedSession>(&Query::of(Filter::eq("request", id)))?;
    let order = [RequestState::Pending, RequestState::Accepted, RequestState::Rejected];
    let any = |state: &&RequestState| sessions.iter().any(|s| s.spec.state == **state);
    let state = order.iter().find(any).copied().unwrap_or(RequestState::Cancelled);
    let spec = PeeringRequest { state, ..request.spec.clone() };
    peering::save(tx, &mut request, spec)
}

/// Answers every session of a request that still waits, all or none.
///
/// # Errors
/// [`Error::Conflict`] `answered` when none waits; else as `one`.
pub fn each(
    tx: &mut Tx<'_>,
    id: Id<PeeringRequest>,
    one: impl Fn(&mut Tx<'_>, Id<RequestedSession>) -> Result<Object<RequestedSession>, Error>,
) -> Result<Object<PeeringRequest>, Error> {
    let request = tx.get(id)?;
    let pending = Filter::eq("request", id).and(Filter::eq("state", RequestState::Pending.word()));
    let waiting = tx.ids::<RequestedSession>(&pending)?;
    if waiting.is_empty() {
        let text = format!("This request was answered already: it is {}.", request.spec.state.word());
        return Err(Error::conflict("answered", text));
    }
    for session in waiting {
        one(tx, session)?;
    }
    Ok(tx.get(id)?)
}
