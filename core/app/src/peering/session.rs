//! Rules of sessions: whose number they carry, and which policies fit them.

use std::net::IpAddr;

use meetme_base::{Invalid, RawId};
use meetme_model::{
    Peer, PeerStatus,
    routing::{DirectSession, ExchangeSession},
};
use meetme_store::{Moved, Object, Resource as _, Tx};

use super::Ruled;
use crate::Error;

/// A spelling of the old password is none of the new one.
fn respelled(peer: &mut Peer, before: Option<&Peer>) {
    if before.is_some_and(|b| b.password != peer.password && b.encrypted == peer.encrypted) {
        peer.encrypted = None;
    }
}

impl Ruled for ExchangeSession {
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        respelled(&mut self.peer, before.map(|b| &b.peer));
        if before.is_none_or(|b| b.remote != self.remote) {
            self.peer.asn = tx.find(self.remote)?.ok_or_else(|| unknown("remote"))?.spec.asn;
        }
        policies(tx, &self.peer, before.map(|b| &b.peer), self.ip)
    }
    fn step(row: &Object<Self>, after: &PeerStatus) -> Option<Moved> {
        step(&row.spec.title(), &row.status, after)
    }
}

impl Ruled for DirectSession {
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        respelled(&mut self.peer, before.map(|b| &b.peer));
        if let Some(remote) = self.remote
            && before.is_none_or(|b| b.remote != self.remote)
        {
            self.peer.asn = tx.find(remote)?.ok_or_else(|| unknown("remote"))?.spec.asn;
        }
        if let Some(local) = self.local
            && before.is_none_or(|b| b.local != self.local)
        {
            self.local_asn = Some(tx.find(local)?.ok_or_else(|| unknown("local"))?.spec.asn);
        }
        policies(tx, &self.peer, before.map(|b| &b.peer), self.ip.ip())
    }
    fn step(row: &Object<Self>, after: &PeerStatus) -> Option<Moved> {
        step(&row.spec.title(), &row.status, after)
    }
}

/// What is said when a session's state becomes another one; counters say nothing.
fn step(title: &str, before: &PeerStatus, after: &PeerStatus) -> Option<Moved> {
    let state = after.state.filter(|state| before.state != Some(*state))?;
    let text = match before.state {
        Some(before) => format!("{title} went from {} to {}.", before.word(), state.word()),
        None => format!("{title} is {}.", state.word()),
    };
    Some(Moved::new(format!("bgp.{}", state.word()), text))
}

fn unknown(field: &'static str) -> Error {
    Invalid::reference(field, "The autonomous system").into()
}

/// A policy for one address family cannot sit on a session of the other, nor one for what we announce among those for what
/// we accept.
fn policies(tx: &mut Tx<'_>, peer: &Peer, before: Option<&Peer>, ip: IpAddr) -> Result<(), Error> {
    if peer.import.is_empty() && peer.export.is_empty() {
        return Ok(());
    }
    if before.is_some_and(|b| b.import == peer.import && b.export == peer.export) {
        return Ok(());
    }
    let rows = tx.many(peer.import.iter().chain(&peer.export).copied())?;
    for (field, list) in [("import", &peer.import), ("export", &peer.export)] {
        for policy in list.iter().filter_map(|id| rows.get(id)) {
            let policy = &policy.spec;
            if !policy.fits(ip) {
                let message = format!("The policy {} is for the other address family.", policy.name);
                return Err(Invalid::rule(field, message).into());
            }
            let fits = if field == "import" { policy.direction.imports() } else { policy.direction.exports() };
            if !fits {
                return Err(
                    Invalid::rule(field, format!("The policy {} is for the other direction.", policy.name)).into()
                );
            }
        }
    }
    Ok(())
}
