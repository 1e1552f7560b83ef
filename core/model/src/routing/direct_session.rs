//! A BGP session over a link of its own: to a customer, a transit, a cloud at the end of a circuit, a server in a rack.

use std::net::IpAddr;

use meetme_base::{Asn, Id, IfAddr, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Admin, BgpState, Ext, Peer, PeerStatus,
    edge::{self, ids, without},
    fabric::{EndName, Leg},
    metal::Device,
    ops::Tag,
    routing::{AutonomousSystem, Bfd, ExchangeLink, PeerGroup, Relationship, Router},
};

/// A BGP session that crosses no exchange fabric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DirectSession {
    /// What every session has.
    #[serde(flatten)]
    pub peer: Peer,
    /// Our AS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Id<AutonomousSystem>>,
    /// Our AS number, where the session uses another than its router or network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_asn: Option<Asn>,
    /// The peer's AS. Sessions of legs and devices may do with the number alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Id<AutonomousSystem>>,
    /// The group it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Id<PeerGroup>>,
    /// What the peer is to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<Id<Relationship>>,
    /// The router that speaks for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<Id<Router>>,
    /// The link to an exchange whose interface carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Id<ExchangeLink>>,
    /// The leg of a circuit that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<Id<Leg>>,
    /// Which end of the leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EndName>,
    /// Which face of that end, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<u8>,
    /// The device that is the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Id<Device>>,
    /// Our address, with the length of the link's network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_ip: Option<IfAddr>,
    /// The peer's address, with the length of the link's network.
    pub ip: IfAddr,
    /// Our addresses, where several routers speak for us: one session each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locals: Vec<IpAddr>,
    /// Whether we announce a default route.
    #[serde(default)]
    pub default_route: bool,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl DirectSession {
    /// A session with nothing said of it but its peer.
    pub fn new(asn: Asn, ip: IfAddr) -> Self {
        Self {
            peer: Peer { asn, ..Peer::default() },
            local: None,
            local_asn: None,
            remote: None,
            group: None,
            relationship: None,
            router: None,
            link: None,
            leg: None,
            end: None,
            face: None,
            device: None,
            local_ip: None,
            ip,
            locals: Vec::new(),
            default_route: false,
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }

    /// The address family: 4 or 6.
    pub fn family(&self) -> u8 {
        if self.ip.ip().is_ipv4() { 4 } else { 6 }
    }

    fn check_addresses(&self) -> Result<(), Invalid> {
        let host = |field, address: IfAddr| {
            if address.is_host() {
                Ok(())
            } else {
                Err(Invalid::rule(field, format!("{address} is the address of a network or a broadcast address.")))
            }
        };
        host("ip", self.ip)?;
        let same_family = |ip: IpAddr| ip.is_ipv4() == self.ip.ip().is_ipv4();
        if let Some(local) = self.local_ip {
            host("local_ip", local)?;
            if local.ip() == self.ip.ip() {
                return Err(Invalid::rule("ip", "The addresses of the two sides must differ."));
            }
            if !same_family(local.ip()) {
                return Err(Invalid::rule("local_ip", "The addresses of the two sides must be of one family."));
            }
            // A packet that lives for one hop cannot leave the subnet.
            if self.peer.ttl == 1 && local.network() != self.ip.network() {
                return Err(Invalid::rule(
                    "ip",
                    "The addresses of the two sides must lie in one subnet when the TTL is 1.",
                ));
            }
        }
        if self.locals.iter().any(|l| !same_family(*l)) {
            return Err(Invalid::rule("locals", "The addresses of the two sides must be of one family."));
        }
        if self.locals.contains(&self.ip.ip()) {
            return Err(Invalid::rule("locals", "The addresses of the two sides must differ."));
        }
        Ok(())
    }
}

impl Resource for DirectSession {
    const KIND: Kind = Kind::new("direct_session");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("admin", FieldType::Text, |s: &Self| s.peer.admin.word().into()).words(Admin::WORDS),
        Field::new("asn", FieldType::Int, |s: &Self| s.peer.asn.into()).indexed().searchable(),
        Field::new("local_asn", FieldType::Int, |s| s.local_asn.into()),
        Field::new("ip", FieldType::Net, |s: &Self| s.ip.into()).searchable(),
        Field::new("host", FieldType::Ip, |s: &Self| s.ip.ip().into()).indexed(),
        Field::new("local_ip", FieldType::Net, |s: &Self| s.local_ip.into()).searchable(),
        Field::new("family", FieldType::Int, |s| s.family().into()),
        Field::new("end", FieldType::Text, |s: &Self| s.end.map(EndName::word).into()).words(EndName::WORDS),
        Field::new("face", FieldType::Int, |s| s.face.into()),
        Field::new("reference", FieldType::Text, |s: &Self| s.peer.reference.clone().into()).searchable(),
        Field::new("ttl", FieldType::Int, |s| s.peer.ttl.into()),
        Field::new("passive", FieldType::Bool, |s| s.peer.passive.into()),
        Field::new("has_password", FieldType::Bool, |s| s.peer.password.is_some().into()),
        Field::new("default_route", FieldType::Bool, |s| s.default_route.into()),
        Field::new("description", FieldType::Text, |s| s.peer.description.clone().into()),
        Field::new("comments", FieldType::Text, |s: &Self| s.peer.comments.as_str().into()).searchable(),
        Field::status("state", FieldType::Text, |s: &Self::Status| s.state.map(BgpState::word).into())
            .words(BgpState::WORDS),
        Field::status("received", FieldType::Int, |s: &Self::Status| s.received.into()),
        Field::status("accepted", FieldType::Int, |s: &Self::Status| s.accepted.into()),
        Field::status("advertised", FieldType::Int, |s: &Self::Status| s.advertised.into()),
        Field::status("last_up", FieldType::Time, |s: &Self::Status| s.last_up.into()),
        Field::status("polled_at", FieldType::Time, |s: &Self::Status| s.polled_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("local", &[AutonomousSystem::KIND], |s| s.local.map(Id::any)),
        Edge::cascade("remote", &[AutonomousSystem::KIND], |s| s.remote.map(Id::any)),
        Edge::detach("group", &[PeerGroup::KIND], |s| s.group.map(Id::any), |s| s.group = None),
        Edge::refuse("relationship", &[Relationship::KIND], |s| s.relationship.map(Id::any)),
        Edge::detach("router", &[Router::KIND], |s| s.router.map(Id::any), |s| s.router = None),
        Edge::detach("link", &[ExchangeLink::KIND], |s| s.link.map(Id::any), |s| s.link = None),
        Edge::cascade("leg", &[Leg::KIND], |s| s.leg.map(Id::any)),
        Edge::cascade("device", &[Device::KIND], |s| s.device.map(Id::any)),
        Edge::detach("bfd", &[Bfd::KIND], |s| s.peer.bfd.map(Id::any), |s| s.peer.bfd = None),
        edge::import(|s| ids(&s.peer.import), |s, id| without(&mut s.peer.import, id)),
        edge::export(|s| ids(&s.peer.export), |s, id| without(&mut s.peer.export, id)),
        edge::communities(|s| ids(&s.peer.communities), |s, id| without(&mut s.peer.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["device", "family"], &["leg", "end", "face", "host"]];
    // The order in which session lists are shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "reference", "local", "asn", "ip"]];
    type Status = PeerStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        self.peer.check()?;
        super::context(self.peer.context.as_ref())?;
        if self.leg.is_some() && self.device.is_some() {
            return Err(Invalid::rule("device", "A session belongs to a leg or to a device, not to both."));
        }
        if self.leg.is_none() && self.device.is_none() && self.remote.is_none() {
            return Err(Invalid::required("remote"));
        }
        for (field, is_set) in [("end", self.end.is_some()), ("face", self.face.is_some())] {
            match (self.leg.is_some(), is_set) {
                (true, false) => return Err(Invalid::required(field)),
                (false, true) => return Err(Invalid::rule(field, "Only a session of a leg has this.")),
                _ => {}
            }
        }
        self.check_addresses()
    }

    fn title(&self) -> String {
        format!("AS{} - IP {}", self.peer.asn, self.ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(local: &str, ip: &str, ttl: u8) -> DirectSession {
        serde_json::from_value(serde_json::json!({
            "asn": 64500, "remote": 1, "local_ip": local, "ip": ip, "ttl": ttl,
        }))
        .unwrap()
    }

    fn complaint(local: &str, ip: &str, ttl: u8) -> Option<String> {
        session(local, ip, ttl).check(None).err().map(|e| e.field)
    }

    #[test]
    fn neither_side_has_the_address_of_a_network_or_of_everybody() {
        assert_eq!(complaint("192.0.2.1/30", "192.0.2.2/30", 1), None);
        assert_eq!(complaint("192.0.2.1/30", "192.0.2.0/30", 1).as_deref(), Some("ip"));
        assert_eq!(complaint("192.0.2.3/30", "192.0.2.2/30", 1).as_deref(), Some("local_ip"));
        assert_eq!(complaint("192.0.2.0/31", "192.0.2.1/31", 1), None);
    }

    #[test]
    fn the_two_sides_differ() {
        assert_eq!(complaint("2001:db8::1/64", "2001:db8::1/64", 1).as_deref(), Some("ip"));
        assert_eq!(complaint("192.0.2.1/24", "2001:db8::1/64", 2).as_deref(), Some("local_ip"));
    }

    #[test]
    fn only_more_than_one_hop_leads_out_of_the_subnet() {
        assert_eq!(complaint("192.0.2.1/30", "192.0.2.5/30", 1).as_deref(), Some("ip"));
        assert_eq!(complaint("192.0.2.1/30", "192.0.2.5/30", 2), None);
    }

    #[test]
    fn a_session_is_one_flat_document_and_reads_back() {
        let one = session("2001:db8::1/64", "2001:db8::2/64", 1);
        let document = serde_json::to_value(&one).unwrap();
        assert_eq!((&document["asn"], &document["ip"]), (&64500.into(), &"2001:db8::2/64".into()));
        assert_eq!(serde_json::from_value::<DirectSession>(document).unwrap(), one);
    }

    #[test]
    fn a_session_by_hand_names_its_peer() {
        let nobody = DirectSession { remote: None, ..session("192.0.2.1/30", "192.0.2.2/30", 1) };
        assert_eq!(nobody.check(None).unwrap_err(), Invalid::required("remote"));
        assert_eq!(DirectSession { device: Some(Id::new(7)), ..nobody }.check(None), Ok(()));
    }

    #[test]
    fn a_session_of_a_leg_names_end_and_face() {
        let leg = DirectSession { leg: Some(Id::new(7)), ..session("192.0.2.1/30", "192.0.2.2/30", 1) };
        assert_eq!(leg.check(None).unwrap_err(), Invalid::required("end"));
        assert_eq!(DirectSession { end: Some(EndName::A), face: Some(0), ..leg }.check(None), Ok(()));
    }
}
