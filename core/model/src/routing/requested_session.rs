//! One session that somebody asks for, over one of our links to an exchange.

use std::net::IpAddr;

use meetme_base::{Asn, Id, Invalid, Kind, Sealed};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::peering_request::{PeeringRequest, RequestState};
use crate::{
    Nothing, check,
    routing::{AutonomousSystem, ExchangeLink, ExchangeSession},
};

/// A session that somebody asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestedSession {
    /// The request it belongs to; it goes with it.
    pub request: Id<PeeringRequest>,
    /// The AS number of who asks.
    pub asn: Asn,
    /// Their AS, where it is in the book. A key that is limited to that AS sees this session and no other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Id<AutonomousSystem>>,
    /// Our link to the exchange, over which they want to peer.
    pub link: Id<ExchangeLink>,
    /// Their address there.
    pub ip: IpAddr,
    /// The password they offer, until the request is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// How it was answered.
    #[serde(default)]
    pub state: RequestState,
    /// Why it was answered so, in words for who asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The session that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id<ExchangeSession>>,
}

impl Resource for RequestedSession {
    const KIND: Kind = Kind::new("requested_session");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("asn", FieldType::Int, |s: &Self| s.asn.into()).indexed().searchable(),
        Field::new("ip", FieldType::Ip, |s: &Self| s.ip.into()).indexed().searchable(),
        Field::new("has_password", FieldType::Bool, |s| s.password.is_some().into()),
        Field::new("state", FieldType::Text, |s: &Self| s.state.word().into()).indexed().words(RequestState::WORDS),
        Field::new("reason", FieldType::Text, |s: &Self| s.reason.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("request", &[PeeringRequest::KIND], |s| Some(s.request.any())),
        Edge::cascade("link", &[ExchangeLink::KIND], |s| Some(s.link.any())),
        Edge::detach("remote", &[AutonomousSystem::KIND], |s| s.remote.map(Id::any), |s| s.remote = None),
        Edge::detach("session", &[ExchangeSession::KIND], |s| s.session.map(Id::any), |s| s.session = None),
    ];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::length("reason", &self.reason, 500)
    }

    fn title(&self) -> String {
        format!("AS{} - IP {}", self.asn, self.ip)
    }
}
