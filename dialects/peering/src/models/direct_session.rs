//! Sessions over links of their own.

use std::net::{IpAddr, Ipv4Addr};

use meetme_base::{Id, IfAddr, IpNet};
use meetme_model::{
    Peer,
    routing::{AutonomousSystem, Bfd, DirectSession, ExchangeLink, PeerGroup, Relationship, Router},
};
use meetme_store::{Filter, Object, Resource as _};

use super::{
    autonomous_system, bgp_group, connection, interface, raw, relationship, router,
    session::{self, BGP_FILTER, STATE_FILTER},
    typed,
};
use crate::{
    model::{About, Field, How, Model, Need, Sieve, everything},
    query,
    scene::Loaded,
};

type Of = DirectSession;
type F = Field<Of>;

fn fresh() -> Of {
    let nowhere = IfAddr(IpNet::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    Of::new(Peer::default().asn, nowhere)
}

/// `Transit - AS64500 - IP 192.0.2.1/30`.
fn display(row: &Object<Of>, loaded: &Loaded) -> String {
    match row.spec.relationship.and_then(|id| loaded.row(id)) {
        Some(relationship) => format!("{} - AS{} - IP {}", relationship.spec.name, row.spec.peer.asn, row.spec.ip),
        None => row.spec.title(),
    }
}

fn search(text: &str) -> Filter {
    let paths = ["reference", "comments", "remote.name", "router.name", "router.hostname"];
    match text.parse::<IpAddr>() {
        Ok(ip) => query::holds(&paths, text).or(Filter::eq("host", ip)),
        Err(_) => query::holds(&paths, text),
    }
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "DirectPeeringSession",
        verbose: "direct peering session",
        app: "peering",
        path: "direct-peering-sessions",
        old: &[],
        number: 14,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "ip_address", "status"],
        order: &["reference", "local", "asn", "ip"],
        filters: &[
            Sieve::new("status", How::Choice("admin", STATE_FILTER)),
            Sieve::new("bgp_state", How::Choice("state", BGP_FILTER)),
            Sieve::new("address_family", How::Digit("family", &[4, 6])),
            Sieve::new("multihop_ttl", How::Number("ttl")),
            Sieve::new("passive", How::Flag("passive")),
            Sieve::new("local_autonomous_system_id", How::Row("local", AutonomousSystem::KIND, "id")),
            Sieve::new("local_autonomous_system_asn", How::Row("local", AutonomousSystem::KIND, "asn")),
            Sieve::new("local_autonomous_system", How::Row("local", AutonomousSystem::KIND, "name")),
            Sieve::new("autonomous_system_id", How::Row("remote", AutonomousSystem::KIND, "id")),
            Sieve::new("autonomous_system_asn", How::Row("remote", AutonomousSystem::KIND, "asn")),
            Sieve::new("autonomous_system", How::Row("remote", AutonomousSystem::KIND, "name")),
            Sieve::new("bgp_group_id", How::Row("group", PeerGroup::KIND, "id")),
            Sieve::new("bgp_group", How::Row("group", PeerGroup::KIND, "name")),
            Sieve::new("relationship_id", How::Row("relationship", Relationship::KIND, "id")),
            Sieve::new("relationship", How::Row("relationship", Relationship::KIND, "name")),
            Sieve::new("router_id", How::Row("router", Router::KIND, "id")),
            Sieve::new("router_name", How::Row("router", Router::KIND, "name")),
            Sieve::new("router", How::Row("router", Router::KIND, "hostname")),
            Sieve::new("connection_id", How::Row("link", ExchangeLink::KIND, "id")),
            Sieve::new("bfd_id", How::Row("bfd", Bfd::KIND, "id")),
            Sieve::new("bfd", How::Row("bfd", Bfd::KIND, "name")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search,
    },
    needs: &[Need { of: &relationship::MODEL, edge: "relationship", get: |s| s.relationship.map(Id::any) }],
    display,
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        session::service_reference(),
        F::one(
            "local_autonomous_system",
            "local.asn",
            &autonomous_system::MODEL,
            |s| s.local.map(Id::any),
            |s, id| s.local = id.map(|id| id.of()),
        )
        .required(),
        F::parsed(
            "local_ip_address",
            "local_ip",
            |s| s.local_ip.map(|ip| ip.to_string()),
            |s, t| {
                s.local_ip = t.map(interface).transpose()?;
                Ok(())
            },
        )
        .nullable(),
        F::one(
            "autonomous_system",
            "remote.asn",
            &autonomous_system::MODEL,
            |s| s.remote.map(Id::any),
            |s, id| s.remote = id.map(|id| id.of()),
        )
        .required(),
        F::one(
            "bgp_group",
            "group.name",
            &bgp_group::MODEL,
            |s| s.group.map(Id::any),
            |s, id| s.group = id.map(|id| id.of()),
        )
        .nullable(),
        F::parsed(
            "ip_address",
            "ip",
            |s| Some(s.ip.to_string()),
            |s, t| {
                s.ip = interface(t.unwrap_or_default())?;
                Ok(())
            },
        )
        .required(),
        session::status(),
        F::one(
            "relationship",
            "relationship.name",
            &relationship::MODEL,
            |s| s.relationship.map(Id::any),
            |s, id| s.relationship = id.map(|id| id.of()),
        )
        .required(),
        session::password(),
        session::encrypted_password(),
        session::multihop_ttl(),
        session::passive(),
        session::import(),
        session::export(),
        session::communities(),
        session::bfd(),
        F::one(
            "router",
            "router.name",
            &router::MODEL,
            |s| s.router.map(Id::any),
            |s, id| s.router = id.map(|id| id.of()),
        )
        .nullable(),
        F::one(
            "connection",
            "link",
            &connection::MODEL,
            |s| s.link.map(Id::any),
            |s, id| s.link = id.map(|id| id.of()),
        )
        .nullable(),
        session::local_context_data(),
        session::config_context(),
        session::bgp_state(),
        session::received(),
        session::accepted(),
        session::advertised(),
        session::last_established(),
        session::comments(),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};
