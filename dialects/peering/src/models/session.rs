//! What both kinds of session share: the fields of a peer, its words and its filters.

use meetme_base::Id;
use meetme_model::{
    Admin, BgpState, Peer, PeerStatus,
    routing::{DirectSession, ExchangeSession},
};
use meetme_store::Resource;

use super::{admin, bfd, context, number, raw, some, typed};
use crate::model::{Draft, Field, Words};

/// The states of a session.
pub const STATES: Words = &[
    ("requested", "Requested"),
    ("provisioning", "Provisioning"),
    ("enabled", "Enabled"),
    ("pre-maintenance", "Pre-maintenance"),
    ("maintenance", "Maintenance"),
    ("post-maintenance", "Post-maintenance"),
    ("disabled", "Disabled"),
    ("decommissioning", "Decommissioning"),
    ("decommissioned", "Decommissioned"),
];

/// The same for filters, where the core's words are the wire's.
pub const STATE_FILTER: Words = &[
    ("requested", "requested"),
    ("provisioning", "provisioning"),
    ("enabled", "enabled"),
    ("pre-maintenance", "pre-maintenance"),
    ("maintenance", "maintenance"),
    ("post-maintenance", "post-maintenance"),
    ("disabled", "disabled"),
    ("decommissioning", "decommissioning"),
    ("decommissioned", "decommissioned"),
];

/// The states of the protocol.
pub const BGP: Words = &[
    ("idle", "Idle"),
    ("connect", "Connect"),
    ("active", "Active"),
    ("opensent", "OpenSent"),
    ("openconfirm", "OpenConfirm"),
    ("established", "Established"),
];

/// The same for filters.
pub const BGP_FILTER: Words = &[
    ("idle", "idle"),
    ("connect", "connect"),
    ("active", "active"),
    ("opensent", "opensent"),
    ("openconfirm", "openconfirm"),
    ("established", "established"),
];

/// A kind of session: how to get at what both kinds have.
pub trait Session: Resource<Status = PeerStatus> {
    /// What it has.
    fn peer(&self) -> &Peer;
    /// What it has, to be changed.
    fn peer_mut(&mut self) -> &mut Peer;
}

impl Session for ExchangeSession {
    fn peer(&self) -> &Peer {
        &self.peer
    }
    fn peer_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

impl Session for DirectSession {
    fn peer(&self) -> &Peer {
        &self.peer
    }
    fn peer_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

/// The most prefixes anybody counts.
const MOST: i64 = i32::MAX as i64;

/// `service_reference`.
pub const fn service_reference<R: Session>() -> Field<R> {
    Field::<R>::text(
        "service_reference",
        "reference",
        255,
        |s: &R| s.peer().reference.as_deref(),
        |s, t| {
            s.peer_mut().reference = some(t);
        },
    )
    .nullable()
}

/// `status`.
pub const fn status<R: Session>() -> Field<R> {
    Field::<R>::status(
        STATES,
        |r| Some(r.spec.peer().admin.word()),
        |d: &mut Draft<R>, w| {
            d.spec.peer_mut().admin = w.map_or(Admin::Enabled, |w| admin(Some(w)));
        },
    )
}

/// `password`.
pub const fn password<R: Session>() -> Field<R> {
    Field::<R>::secret("password", "", |s: &R| s.peer().password.as_ref(), |s, v| s.peer_mut().password = v)
}

/// `encrypted_password`: the password as the router's platform spells it.
pub const fn encrypted_password<R: Session>() -> Field<R> {
    Field::<R>::secret("encrypted_password", "", |s: &R| s.peer().encrypted.as_ref(), |s, v| s.peer_mut().encrypted = v)
}

/// `multihop_ttl`.
pub const fn multihop_ttl<R: Session>() -> Field<R> {
    Field::<R>::integer(
        "multihop_ttl",
        "ttl",
        1,
        255,
        |r| Some(r.spec.peer().ttl.into()),
        |d: &mut Draft<R>, n| {
            d.spec.peer_mut().ttl = number(n);
        },
    )
}

/// `passive`.
pub const fn passive<R: Session>() -> Field<R> {
    Field::<R>::flag("passive", "passive", |s: &R| s.peer().passive, |s, b| s.peer_mut().passive = b)
}

/// `import_routing_policies`.
pub const fn import<R: Session>() -> Field<R> {
    Field::<R>::import(|s: &R| raw(&s.peer().import), |s, v| s.peer_mut().import = typed(v))
}

/// `export_routing_policies`.
pub const fn export<R: Session>() -> Field<R> {
    Field::<R>::export(|s: &R| raw(&s.peer().export), |s, v| s.peer_mut().export = typed(v))
}

/// `communities`.
pub const fn communities<R: Session>() -> Field<R> {
    Field::<R>::communities(|s: &R| raw(&s.peer().communities), |s, v| s.peer_mut().communities = typed(v))
}

/// `bfd`.
pub const fn bfd<R: Session>() -> Field<R> {
    Field::<R>::one(
        "bfd",
        "bfd.name",
        &bfd::MODEL,
        |s: &R| s.peer().bfd.map(Id::any),
        |s, id| {
            s.peer_mut().bfd = id.map(|id| id.of());
        },
    )
    .nullable()
}

/// `local_context_data`.
pub const fn local_context_data<R: Session>() -> Field<R> {
    Field::<R>::local_context_data(|s: &R| s.peer().context.as_ref(), |s, v| s.peer_mut().context = v)
}

/// `config_context`.
pub const fn config_context<R: Session>() -> Field<R> {
    Field::<R>::made("config_context", "field", |r, _, l, out| {
        context(r.id.any(), r.spec.peer().context.as_ref(), l, out);
    })
}

/// `bgp_state`.
pub const fn bgp_state<R: Session>() -> Field<R> {
    Field::<R>::choice(
        "bgp_state",
        "state",
        BGP,
        |r| r.status.state.map(BgpState::word),
        |d: &mut Draft<R>, w| {
            d.status.state = w.and_then(BgpState::parse);
        },
    )
    .nullable()
    .observed()
}

/// `received_prefix_count`.
pub const fn received<R: Session>() -> Field<R> {
    Field::<R>::integer(
        "received_prefix_count",
        "received",
        0,
        MOST,
        |r| Some(r.status.received.into()),
        |d: &mut Draft<R>, n| d.status.received = number(n),
    )
    .observed()
}

/// `accepted_prefix_count`.
pub const fn accepted<R: Session>() -> Field<R> {
    Field::<R>::integer(
        "accepted_prefix_count",
        "accepted",
        0,
        MOST,
        |r| Some(r.status.accepted.into()),
        |d: &mut Draft<R>, n| d.status.accepted = number(n),
    )
    .observed()
}

/// `advertised_prefix_count`.
pub const fn advertised<R: Session>() -> Field<R> {
    Field::<R>::integer(
        "advertised_prefix_count",
        "advertised",
        0,
        MOST,
        |r| Some(r.status.advertised.into()),
        |d: &mut Draft<R>, n| d.status.advertised = number(n),
    )
    .observed()
}

/// `last_established_state`.
pub const fn last_established<R: Session>() -> Field<R> {
    Field::<R>::moment(
        "last_established_state",
        "last_up",
        |r| r.status.last_up,
        Some(|d: &mut Draft<R>, t| d.status.last_up = t),
    )
    .observed()
}

/// `comments`.
pub const fn comments<R: Session>() -> Field<R> {
    Field::<R>::comments(
        |s: &R| Some(&s.peer().comments),
        |s, t| {
            s.peer_mut().comments = t.unwrap_or_default();
        },
    )
}
