//! A request from outside to peer with us: one network asks for sessions, and a person answers
//! (draft-ramseyer-grow-peering-api).

use meetme_base::{Asn, Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Nothing, check, routing::AutonomousSystem};

/// How a request, or one of its sessions, was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Not yet. A request of which any session waits waits too.
    #[default]
    Pending,
    /// With a yes. A request of which any session was accepted counts as accepted.
    Accepted,
    /// With a no.
    Rejected,
    /// The requester took it back.
    Cancelled,
}

impl RequestState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["pending", "accepted", "rejected", "cancelled"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// A request to peer with us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeeringRequest {
    /// The AS number of who asks.
    pub asn: Asn,
    /// Their AS, where it is in the book. A key that is limited to that AS sees this request and no other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Id<AutonomousSystem>>,
    /// Where they want to be written to; nothing is sent there by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Whether nobody showed who they are: that the request comes from that AS is then only said.
    #[serde(default)]
    pub anonymous: bool,
    /// How it was answered, which follows from its sessions.
    #[serde(default)]
    pub state: RequestState,
}

impl Resource for PeeringRequest {
    const KIND: Kind = Kind::new("peering_request");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("asn", FieldType::Int, |s: &Self| s.asn.into()).indexed().searchable(),
        Field::new("email", FieldType::Text, |s: &Self| s.email.as_str().into()).searchable(),
        Field::new("anonymous", FieldType::Bool, |s: &Self| s.anonymous.into()),
        Field::new("state", FieldType::Text, |s: &Self| s.state.word().into()).indexed().words(RequestState::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] =
        &[Edge::detach("remote", &[AutonomousSystem::KIND], |s| s.remote.map(Id::any), |s| s.remote = None)];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::length("email", &self.email, 254)?;
        let is_address = |text: &str| {
            text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
                && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        };
        if !self.email.is_empty() && !is_address(&self.email) {
            return Err(Invalid::format("email", "an e-mail address"));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("Request of AS{}", self.asn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_mail_looks_like_one_or_is_absent() {
        let of = |email: &str| PeeringRequest {
            asn: Asn::MIN,
            remote: None,
            email: email.into(),
            anonymous: false,
            state: RequestState::Pending,
        };
        for good in ["", "peering@example.net"] {
            assert_eq!(of(good).check(None), Ok(()), "{good}");
        }
        for bad in ["peering", "@example.net", "a@b", "a b@example.net", "a@example.net\r\nBcc: x@example.net"] {
            assert_eq!(of(bad).check(None).unwrap_err().field, "email", "{bad}");
        }
    }
}
