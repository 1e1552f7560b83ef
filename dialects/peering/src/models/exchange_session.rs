//! Sessions across internet exchanges.

use std::net::{IpAddr, Ipv4Addr};

use meetme_base::Id;
use meetme_model::{
    Peer,
    routing::{AutonomousSystem, Bfd, Exchange, ExchangeLink, ExchangeSession},
};
use meetme_store::{Filter, Object, Resource as _};

use super::{
    autonomous_system, connection, interface, raw,
    session::{self, BGP_FILTER, STATE_FILTER},
    typed,
};
use crate::{
    json, mirror,
    model::{About, Field, How, Model, Need, Sieve, everything},
    query,
    scene::Loaded,
};

type Of = ExchangeSession;
type F = Field<Of>;

fn fresh() -> Of {
    Of {
        peer: Peer::default(),
        remote: Id::new(0),
        link: Id::new(0),
        ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        route_server: false,
        tags: Vec::new(),
    }
}

/// `Some IX - AS64500 - IP 192.0.2.1`.
fn display(row: &Object<Of>, loaded: &Loaded) -> String {
    let exchange =
        loaded.row(row.spec.link).and_then(|link| link.spec.exchange).and_then(|id| loaded.row::<Exchange>(id));
    let name =
        exchange.map(|exchange| exchange.spec.name.as_str()).or_else(|| loaded.name("Connection", row.spec.link.any()));
    match name {
        Some(name) => format!("{name} - AS{} - IP {}", row.spec.peer.asn, row.spec.ip),
        None => row.spec.title(),
    }
}

fn search(text: &str) -> Filter {
    let paths = [
        "reference",
        "comments",
        "remote.name",
        "link.router.name",
        "link.router.hostname",
        "link.exchange.name",
        "link.exchange.slug",
    ];
    match text.parse::<IpAddr>() {
        Ok(ip) => query::holds(&paths, text).or(Filter::eq("ip", ip)),
        Err(_) => query::holds(&paths, text),
    }
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "InternetExchangePeeringSession",
        verbose: "internet exchange peering session",
        app: "peering",
        path: "internet-exchange-peering-sessions",
        // The spelling of the documentation's first example.
        old: &["peering/internetexchangepeeringsessions"],
        number: 13,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "ip_address", "status", "is_route_server"],
        order: &["reference", "asn", "link", "ip"],
        filters: &[
            Sieve::new("status", How::Choice("admin", STATE_FILTER)),
            Sieve::new("bgp_state", How::Choice("state", BGP_FILTER)),
            Sieve::new("address_family", How::Digit("family", &[4, 6])),
            Sieve::new("multihop_ttl", How::Number("ttl")),
            Sieve::new("passive", How::Flag("passive")),
            Sieve::new("is_route_server", How::Flag("route_server")),
            Sieve::new("exists_in_peeringdb", How::Asked(&[""], |tx, _, _, values| mirror::exists(tx, values))),
            Sieve::new("is_abandoned", How::Asked(&[""], |tx, _, _, values| mirror::abandoned(tx, values))),
            Sieve::new("autonomous_system_id", How::Row("remote", AutonomousSystem::KIND, "id")),
            Sieve::new("autonomous_system_asn", How::Row("remote", AutonomousSystem::KIND, "asn")),
            Sieve::new("autonomous_system", How::Row("remote", AutonomousSystem::KIND, "name")),
            Sieve::new("ixp_connection_id", How::Row("link", ExchangeLink::KIND, "id")),
            Sieve::new("internet_exchange_id", How::Row("link.exchange", Exchange::KIND, "id")),
            Sieve::new("internet_exchange", How::Row("link.exchange", Exchange::KIND, "name")),
            Sieve::new("bfd_id", How::Row("bfd", Bfd::KIND, "id")),
            Sieve::new("bfd", How::Row("bfd", Bfd::KIND, "name")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search,
    },
    needs: &[Need { of: &connection::MODEL, edge: "link", get: |s| Some(s.link.any()) }],
    display,
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        session::service_reference(),
        F::one(
            "autonomous_system",
            "remote.asn",
            &autonomous_system::MODEL,
            |s| Some(s.remote.any()),
            |s, id| s.remote = id.map_or(s.remote, |id| id.of()),
        )
        .required(),
        F::one(
            "ixp_connection",
            "link",
            &connection::MODEL,
            |s| Some(s.link.any()),
            |s, id| s.link = id.map_or(s.link, |id| id.of()),
        )
        .required(),
        // Whatever length is given is dropped.
        F::parsed(
            "ip_address",
            "ip",
            |s| Some(s.ip.to_string()),
            |s, t| {
                s.ip = interface(t.unwrap_or_default())?.ip();
                Ok(())
            },
        )
        .required(),
        session::status(),
        session::password(),
        session::encrypted_password(),
        session::multihop_ttl(),
        session::passive(),
        F::flag("is_route_server", "route_server", |s| s.route_server, |s, b| s.route_server = b),
        session::import(),
        session::export(),
        session::communities(),
        session::bfd(),
        session::local_context_data(),
        session::config_context(),
        F::made("exists_in_peeringdb", "boolean", |r, _, loaded, out| {
            json::boolean(out, loaded.register.standing(r).exists);
        }),
        F::made("is_abandoned", "boolean", |r, _, loaded, out| {
            json::boolean(out, loaded.register.standing(r).abandoned);
        }),
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
