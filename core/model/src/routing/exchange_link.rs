//! Our link to an exchange: an interface of a router, with its addresses in the exchange's networks. Where the exchange is the
//! operator's own, it is also what a customer orders on a port.

use meetme_base::{Asn, Id, IfAddr, Invalid, Kind, MacAddr, Mbps, VlanId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Admin, Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    fabric::Port,
    ops::Tag,
    routing::{Exchange, Router, SERVICE_WORDS},
};

/// A link to an exchange.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExchangeLink {
    /// Its name, when it was given one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// On, off or in maintenance; its sessions follow.
    pub admin: Admin,
    /// The exchange; the link goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Id<Exchange>>,
    /// The router whose interface it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<Id<Router>>,
    /// The port it was ordered on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Id<Port>>,
    /// The VLAN that carries it on that interface; untagged when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<VlanId>,
    /// The MAC address of our side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// Our IPv4 address there, with the length of the exchange's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip4: Option<IfAddr>,
    /// Our IPv6 address there, with the length of the exchange's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip6: Option<IfAddr>,
    /// The name of the router's interface.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub interface: String,
    /// The rate it is shaped to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Mbps>,
    /// The AS number of whoever ordered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<Asn>,
    /// Whether everybody may see its traffic.
    pub public_graph: bool,
    /// The number of this presence in the public peering database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdb_port: Option<i64>,
    /// The wish about its life.
    pub life: Life,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Data for templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// Labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What was seen of a link to an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExchangeLinkStatus {
    /// What is known of its life.
    #[serde(flatten)]
    pub life: LifeStatus,
    /// The rate the equipment shapes it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shaped: Option<Mbps>,
}

impl Resource for ExchangeLink {
    const KIND: Kind = Kind::new("exchange_link");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.clone().into()).searchable(),
        Field::new("admin", FieldType::Text, |s: &Self| s.admin.word().into()).words(SERVICE_WORDS),
        Field::new("vlan", FieldType::Int, |s| s.vlan.into()),
        Field::new("mac", FieldType::Text, |s| s.mac.into()),
        Field::new("ip4", FieldType::Net, |s: &Self| s.ip4.into()).searchable(),
        Field::new("ip6", FieldType::Net, |s: &Self| s.ip6.into()).searchable(),
        Field::new("host4", FieldType::Ip, |s: &Self| s.ip4.map(IfAddr::ip).into()).indexed(),
        Field::new("host6", FieldType::Ip, |s: &Self| s.ip6.map(IfAddr::ip).into()).indexed(),
        Field::new("interface", FieldType::Text, |s: &Self| s.interface.as_str().into()).searchable(),
        Field::new("rate", FieldType::Int, |s| s.rate.into()),
        Field::new("asn", FieldType::Int, |s| s.asn.into()),
        Field::new("public_graph", FieldType::Bool, |s| s.public_graph.into()),
        Field::new("pdb_port", FieldType::Int, |s: &Self| s.pdb_port.into()).indexed(),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
        Field::status("shaped", FieldType::Int, |s: &Self::Status| s.shaped.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("exchange", &[Exchange::KIND], |s| s.exchange.map(Id::any)),
        Edge::detach("router", &[Router::KIND], |s| s.router.map(Id::any), |s| s.router = None),
        Edge::refuse("port", &[Port::KIND], |s| s.port.map(Id::any)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    // Addresses are not unique here: in somebody else's exchange they are only written down, in our own they are claimed.
    const INDEXES: &'static [&'static [&'static str]] = &[&["exchange", "router"]];
    type Status = ExchangeLinkStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::length("name", self.name.as_deref().unwrap_or_default(), 255)?;
        super::service(self.admin)?;
        if self.ip4.is_some_and(|a| a.ip().is_ipv6()) {
            return Err(Invalid::format("ip4", "an IPv4 interface"));
        }
        if self.ip6.is_some_and(|a| a.ip().is_ipv4()) {
            return Err(Invalid::format("ip6", "an IPv6 interface"));
        }
        check::length("interface", &self.interface, 200)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        let address = || self.ip6.or(self.ip4).map(|a| a.to_string());
        let interface = || (!self.interface.is_empty()).then(|| self.interface.clone());
        self.name.clone().or_else(interface).or_else(address).unwrap_or_else(|| "Link".into())
    }

    fn is_gone(&self, status: &ExchangeLinkStatus) -> bool {
        status.life.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_of_its_family() {
        let v4 = Some("192.0.2.11/24".parse().unwrap());
        let v6 = Some("2001:db8:13:37::1/64".parse().unwrap());
        assert_eq!(ExchangeLink { ip4: v4, ip6: v6, ..ExchangeLink::default() }.check(None), Ok(()));
        assert_eq!(ExchangeLink { ip4: v6, ..ExchangeLink::default() }.check(None).unwrap_err().field, "ip4");
        assert_eq!(ExchangeLink { ip6: v4, ..ExchangeLink::default() }.check(None).unwrap_err().field, "ip6");
    }

    #[test]
    fn a_link_is_called_by_the_best_it_has() {
        let bare = ExchangeLink { ip4: Some("192.0.2.11/24".parse().unwrap()), ..ExchangeLink::default() };
        assert_eq!(bare.title(), "192.0.2.11/24");
        assert_eq!(ExchangeLink { interface: "ae4.20".into(), ..bare }.title(), "ae4.20");
    }
}
