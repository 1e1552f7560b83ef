//! The customer's own peering in the demo world: platforms, a simulated router at two exchanges, and networks it peers with.

use std::net::IpAddr;

use meetme_app::{Error, templates};
use meetme_base::{Asn, IfAddr, RawId, VlanId};
use meetme_model::{
    Admin, Peer,
    catalog::{Blueprint, Entity},
    ops::{Equipment, Family},
    routing::{AutonomousSystem, Exchange, ExchangeLink, ExchangeSession, Router},
};
use meetme_store::Tx;
use serde_json::json;

use super::{
    access::People,
    place::{Places, spec},
};

/// Networks: number, name, AS-SET, most IPv4 and IPv6 prefixes.
const NETWORKS: &[(i64, &str, Option<&str>, u32, u32)] = &[
    (64_498, "Stark Industries", Some("MARVEL::STARK"), 500, 500),
    (64_500, "Some Networks", None, 100, 10),
    (64_501, "Awesome Networks", None, 0, 0),
    (64_503, "MPLS Rules", None, 0, 0),
];

/// Makes the customer's peering.
pub fn make(tx: &mut Tx<'_>, people: &People, places: &Places) -> Result<(), Error> {
    let book = people.customer;
    templates::install(tx, book)?;
    let local = AutonomousSystem { ours: true, ..AutonomousSystem::new(asn(64_510)?, "Demo Customer") };
    let local = tx.create(book, local)?.id;
    let mut peers = Vec::new();
    for (number, name, as_set, max4, max6) in NETWORKS {
        let system = AutonomousSystem {
            as_set: as_set.map(str::to_owned),
            max4: *max4,
            max6: *max6,
            ..AutonomousSystem::new(asn(*number)?, *name)
        };
        peers.push(tx.create(book, system)?);
    }
    let equipment = Equipment {
        site: places.sites.get("ams1").copied(),
        repair: true,
        settings: json!({"poll_seconds": 30}),
        ..Equipment::new("edge1.demo", Family::Router, "sim", "edge1.demo.meetme.example")
    };
    let equipment = tx.create(book, equipment)?.id;
    let router = Router {
        name: "edge1.demo".to_owned(),
        hostname: "edge1.demo.meetme.example".to_owned(),
        platform: Some(places.platform),
        local: Some(local),
        equipment: Some(equipment),
        site: places.sites.get("ams1").copied(),
        poll: true,
        ..Router::default()
    };
    let router = tx.create(book, router)?.id;
    let mut links = Vec::new();
    for (name, slug, vlan, ip4, ip6) in [
        ("Some IX", "some-ix", None, "192.0.2.11/24", None),
        ("Baguettes Exchange", "baguettes-exchange", Some(666), "192.0.2.1/24", Some("2001:db8:13:37::1/64")),
    ] {
        let exchange = tx.create(book, Exchange::new(name, slug, local))?.id;
        let link = ExchangeLink {
            name: Some(name.to_owned()),
            exchange: Some(exchange),
            router: Some(router),
            vlan: vlan.map(VlanId::try_from).transpose()?,
            ip4: Some(address(ip4)?),
            ip6: ip6.map(address).transpose()?,
            ..ExchangeLink::default()
        };
        links.push(tx.create(book, link)?.id);
    }
    if let (Some(peer), Some(link)) = (peers.iter().find(|p| p.spec.asn.get() == 64_500), links.first()) {
        let session: ExchangeSession = ExchangeSession {
            peer: Peer { admin: Admin::Requested, asn: peer.spec.asn, ..Peer::default() },
            remote: peer.id,
            link: *link,
            ip: IpAddr::from([192, 0, 2, 143]),
            route_server: false,
            tags: Vec::new(),
        };
        tx.create(book, session)?;
    }
    catalog(tx, book)
}

/// One blueprint with one entity, for the catalogue's examples.
fn catalog(tx: &mut Tx<'_>, book: RawId) -> Result<(), Error> {
    let blueprint: Blueprint = spec(json!({
        "identifier": "service", "title": "Service", "icon": "Microservice",
        "schema": {"properties": {
            "language": {"type": "string", "enum": ["rust", "go", "python"]},
            "repository": {"type": "string", "format": "url"},
        }, "required": ["language"]},
    }))?;
    let blueprint = tx.create(book, blueprint)?.id;
    let mut entity = Entity::new("meetme", blueprint);
    entity.title = Some("Meetme".to_owned());
    entity.properties.insert("language".to_owned(), "rust".into());
    tx.create(book, entity)?;
    Ok(())
}

fn asn(number: i64) -> Result<Asn, Error> {
    Ok(Asn::try_from(number)?)
}

fn address(text: &str) -> Result<IfAddr, Error> {
    Ok(text.parse()?)
}
