//! What the data of a session, and of what it hangs on, say of it for machines: whether packets from far away are thrown away, and
//! what the two sides are to each other. They are the same members that the templates which come with Meetme read.

use meetme_base::RawId;
use serde_json::{Map, Value as Json};

use crate::contexts;

/// What we are to a peer (RFC 9234).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The peer buys transit of us.
    Provider,
    /// We are a route server, the peer is one of its clients.
    RouteServer,
    /// The peer is a route server.
    RouteServerClient,
    /// We buy transit of the peer.
    Customer,
    /// Neither.
    Peer,
}

impl Role {
    const ALL: [Self; 5] = [Self::Provider, Self::RouteServer, Self::RouteServerClient, Self::Customer, Self::Peer];

    /// The word: `provider`, `rs-server`, `rs-client`, `customer` or `peer`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::RouteServer => "rs-server",
            Self::RouteServerClient => "rs-client",
            Self::Customer => "customer",
            Self::Peer => "peer",
        }
    }

    /// What we are by what the peer is: a route server, or what the slug of its relationship says.
    fn by(relationship: Option<&str>, is_route_server: bool) -> Self {
        let says = |word: &str| relationship.is_some_and(|slug| slug.contains(word));
        if is_route_server {
            Self::RouteServerClient
        } else if says("customer") {
            Self::Provider
        } else if says("transit") || says("provider") || says("upstream") {
            Self::Customer
        } else {
            Self::Peer
        }
    }
}

/// What is said of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `gtsm`: whether packets that came from farther away than the session's hops are thrown away (RFC 5082).
    pub gtsm: bool,
    /// `role`: what we are to the peer; none where the two do not tell each other.
    pub role: Option<Role>,
    /// `strict_role`: whether a peer that does not say its own is refused (RFC 9234, section 4.2).
    pub strict_role: bool,
}

/// What a session's role follows from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between<'a> {
    /// The slug of its relationship.
    pub relationship: Option<&'a str>,
    /// Whether the peer is a route server.
    pub is_route_server: bool,
    /// Whether both are in one AS, where there are no roles.
    pub is_internal: bool,
}

/// An object that may say something: itself, and what it says by itself.
pub(super) type Speaker<'a> = (RawId, Option<&'a Json>);

/// What is said of a session, by the first of these that says it: the session, its AS, its group or exchange, its router. The error is
/// a sentence a customer can read.
pub(super) fn words(
    speakers: &[Speaker<'_>],
    assigned: &std::collections::HashMap<RawId, Map<String, Json>>,
    between: Between<'_>,
) -> Result<Words, String> {
    let data: Vec<Json> = speakers.iter().filter_map(|(id, own)| contexts::whole(assigned.get(id), *own)).collect();
    let said = |name: &str| data.iter().find_map(|data| data.get(name)).unwrap_or(&Json::Null);
    let is_said = |name: &str| match said(name) {
        Json::Null => Ok(false),
        Json::Bool(yes) => Ok(*yes),
        _ => Err(format!("{name} is true or false")),
    };
    let role = match said("role") {
        Json::Null | Json::Bool(false) => None,
        Json::Bool(true) => (!between.is_internal).then(|| Role::by(between.relationship, between.is_route_server)),
        other => {
            let known = Role::ALL.into_iter().find(|role| Some(role.word()) == other.as_str());
            let words = Role::ALL.map(Role::word).join(", ");
            Some(known.ok_or_else(|| format!("role is true, false, or one of {words}"))?)
        }
    };
    Ok(Words { gtsm: is_said("gtsm")?, role, strict_role: is_said("strict_role")? })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    const DIRECT: Between<'_> = Between { relationship: None, is_route_server: false, is_internal: false };

    fn said(speakers: &[Json], between: Between<'_>) -> Result<Words, String> {
        let ids = (1..).map(RawId::new);
        let speakers: Vec<Speaker<'_>> = ids.zip(speakers).map(|(id, own)| (id, Some(own))).collect();
        words(&speakers, &HashMap::new(), between)
    }

    #[test]
    fn the_first_that_says_something_decides() {
        let own = Words { gtsm: true, ..Words::default() };
        assert_eq!(
            said(&[json!({"gtsm": true, "role": false}), json!({"gtsm": false, "role": "peer"})], DIRECT),
            Ok(own)
        );
        assert_eq!(said(&[json!({}), json!({"role": "rs-server"})], DIRECT).unwrap().role, Some(Role::RouteServer));
        assert_eq!(said(&[], DIRECT), Ok(Words::default()));
        let strict =
            said(&[json!({"role": "peer"}), json!({"role": "customer", "strict_role": true})], DIRECT).unwrap();
        assert_eq!((strict.role, strict.strict_role), (Some(Role::Peer), true));
        let assigned = HashMap::from([(RawId::new(7), json!({"gtsm": true}).as_object().unwrap().clone())]);
        assert!(words(&[(RawId::new(7), None)], &assigned, DIRECT).unwrap().gtsm);
    }

    #[test]
    fn a_role_follows_from_what_the_peer_is() {
        let role = |between| said(&[json!({"role": true})], between).unwrap().role;
        for (slug, ours) in [
            ("customer", Role::Provider),
            ("ip-transit", Role::Customer),
            ("upstream", Role::Customer),
            ("private-peering", Role::Peer),
        ] {
            assert_eq!(role(Between { relationship: Some(slug), ..DIRECT }), Some(ours), "{slug}");
        }
        assert_eq!(role(DIRECT), Some(Role::Peer));
        assert_eq!(role(Between { is_route_server: true, ..DIRECT }), Some(Role::RouteServerClient));
        assert_eq!(role(Between { is_internal: true, ..DIRECT }), None);
    }

    #[test]
    fn what_is_not_understood_is_an_error_in_words() {
        assert_eq!(said(&[json!({"gtsm": "on"})], DIRECT).unwrap_err(), "gtsm is true or false");
        assert_eq!(said(&[json!({"strict_role": "yes"})], DIRECT).unwrap_err(), "strict_role is true or false");
        assert!(said(&[json!({"role": "friend"})], DIRECT).unwrap_err().contains("rs-client"));
        assert!(said(&[json!({"role": 3})], DIRECT).is_err());
    }
}
