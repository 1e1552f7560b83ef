//! A BGP session across an internet exchange, over one of our links there.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Admin, BgpState, Peer, PeerStatus,
    edge::{self, ids, without},
    ops::Tag,
    routing::{AutonomousSystem, Bfd, ExchangeLink},
};

/// A BGP session with a member, or a route server, of an exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExchangeSession {
    /// What every session has.
    #[serde(flatten)]
    pub peer: Peer,
    /// The peer's AS.
    pub remote: Id<AutonomousSystem>,
    /// Our link to the exchange.
    pub link: Id<ExchangeLink>,
    /// The peer's address at the exchange.
    pub ip: IpAddr,
    /// Whether the peer is a route server.
    #[serde(default)]
    pub route_server: bool,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

impl Resource for ExchangeSession {
    const KIND: Kind = Kind::new("exchange_session");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("admin", FieldType::Text, |s: &Self| s.peer.admin.word().into()).words(Admin::WORDS),
        Field::new("asn", FieldType::Int, |s: &Self| s.peer.asn.into()).indexed().searchable(),
        Field::new("ip", FieldType::Ip, |s: &Self| s.ip.into()).indexed().searchable(),
        Field::new("family", FieldType::Int, |s| if s.ip.is_ipv4() { 4.into() } else { 6.into() }),
        Field::new("reference", FieldType::Text, |s: &Self| s.peer.reference.clone().into()).searchable(),
        Field::new("ttl", FieldType::Int, |s| s.peer.ttl.into()),
        Field::new("passive", FieldType::Bool, |s| s.peer.passive.into()),
        Field::new("has_password", FieldType::Bool, |s| s.peer.password.is_some().into()),
        Field::new("route_server", FieldType::Bool, |s| s.route_server.into()),
        Field::new("description", FieldType::Text, |s| s.peer.description.clone().into()),
        Field::new("comments", FieldType::Text, |s| s.peer.comments.as_str().into()),
        Field::status("state", FieldType::Text, |s: &Self::Status| s.state.map(BgpState::word).into())
            .words(BgpState::WORDS),
        Field::status("received", FieldType::Int, |s: &Self::Status| s.received.into()),
        Field::status("accepted", FieldType::Int, |s: &Self::Status| s.accepted.into()),
        Field::status("advertised", FieldType::Int, |s: &Self::Status| s.advertised.into()),
        Field::status("last_up", FieldType::Time, |s: &Self::Status| s.last_up.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("remote", &[AutonomousSystem::KIND], |s| Some(s.remote.any())),
        Edge::cascade("link", &[ExchangeLink::KIND], |s| Some(s.link.any())),
        Edge::detach("bfd", &[Bfd::KIND], |s| s.peer.bfd.map(Id::any), |s| s.peer.bfd = None),
        edge::import(|s| ids(&s.peer.import), |s, id| without(&mut s.peer.import, id)),
        edge::export(|s| ids(&s.peer.export), |s, id| without(&mut s.peer.export, id)),
        edge::communities(|s| ids(&s.peer.communities), |s, id| without(&mut s.peer.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["link", "ip"]];
    // The order in which session lists are shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "reference", "asn", "link", "ip"]];
    type Status = PeerStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        self.peer.check()?;
        super::context(self.peer.context.as_ref())
    }

    fn title(&self) -> String {
        format!("AS{} - IP {}", self.peer.asn, self.ip)
    }
}
