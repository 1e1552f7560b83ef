//! What follows for people's books: links, descriptions, sessions taken over.

use meetme_app::{Error, mirror, peering::import};
use meetme_base::{Asn, Id};
use meetme_model::{
    mirror::PdbPort,
    routing::{AutonomousSystem, Exchange, ExchangeLink, ExchangeSession, Router, RouterStatus, Stranger, Sync},
};
use meetme_store::{Filter, Object, Query, Tx};
use meetme_testregister::Size;
use serde_json::json;

use crate::world::{self, NOW, World};

const SMALL: Size = Size::of(150);

struct Book {
    exchange: Id<Exchange>,
    links: Vec<Id<ExchangeLink>>,
    router: Id<Router>,
}

fn asn(n: i64) -> Asn {
    Asn::try_from(n).unwrap()
}

/// An exchange with connections that have the addresses of these ports.
async fn book(w: &World, ports: &'static [i64]) -> Book {
    let customer = w.customer.any();
    w.write(move |tx| {
        let local =
            tx.create(customer, AutonomousSystem { ours: true, ..AutonomousSystem::new(asn(64_500), "Ours") })?.id;
        let exchange = tx.create(customer, Exchange::new("Some IX", "some-ix", local))?.id;
        let router = Router { name: "edge1".into(), hostname: "edge1.example.net".into(), ..Router::default() };
        let router = tx.create(customer, router)?.id;
        let mut links = Vec::new();
        for number in ports {
            let port = tx.one::<PdbPort>(&Filter::eq("pdb_id", *number))?.unwrap().spec;
            let link = ExchangeLink {
                exchange: Some(exchange),
                router: Some(router),
                ip4: port.ipaddr4.map(|ip| format!("{ip}/20").parse().unwrap()),
                ip6: port.ipaddr6.map(|ip| format!("{ip}/64").parse().unwrap()),
                ..ExchangeLink::default()
            };
            links.push(tx.create(customer, link)?.id);
        }
        Ok(Book { exchange, links, router })
    })
    .await
}

async fn numbers(w: &World, book: &Book) -> (Option<i64>, Vec<Option<i64>>) {
    let (exchange, links) = (book.exchange, book.links.clone());
    w.read(move |tx| {
        let ports = links.iter().map(|id| Ok(tx.get(*id)?.spec.pdb_port)).collect::<Result<_, Error>>()?;
        Ok((tx.get(exchange)?.spec.pdb_lan, ports))
    })
    .await
}

/// Two ports of the register at one peering network.
const TOGETHER: &[i64] = &[4, 154];

#[tokio::test]
async fn connections_and_exchanges_are_linked_in_every_book() {
    for w in world::both(SMALL).await {
        w.synchronise().await;
        let book = book(&w, TOGETHER).await;
        let lan = w.register.get("netixlan", 4)["ixlan_id"].as_i64();
        assert_eq!(lan, w.register.get("netixlan", 154)["ixlan_id"].as_i64(), "network 4 is there twice");
        let summary = w.synchronise().await;
        assert_eq!((summary.linked.connections, summary.linked.exchanges), (2, 1));
        assert_eq!(numbers(&w, &book).await, (lan, vec![Some(4), Some(154)]));
        let lines = w.lines("exchange_link").await;
        assert_eq!(w.synchronise().await.linked, Default::default());
        assert_eq!(w.lines("exchange_link").await, lines, "what stays is not written");
        // A port that goes lets its connection go.
        w.register.delete("netixlan", 4, NOW);
        assert_eq!(w.synchronise().await.linked.connections, 1);
        assert_eq!(numbers(&w, &book).await, (lan, vec![None, Some(154)]));
        w.write(mirror::clear_all).await;
        assert_eq!(numbers(&w, &book).await, (None, vec![None, None]));
    }
}

#[tokio::test]
async fn only_the_very_pair_of_addresses_links_and_only_agreement_decides_an_exchange() {
    for w in world::both(SMALL).await {
        w.synchronise().await;
        let lan = |n| w.register.get("netixlan", n)["ixlan_id"].as_i64();
        let other = (5..100).find(|n| lan(*n) != lan(4)).unwrap();
        let book = book(&w, TOGETHER).await;
        let (second, port) = (book.links[1], w.register.get("netixlan", other));
        let half = format!("{}/20", port["ipaddr4"].as_str().unwrap());
        // Only one of the two addresses of the port.
        w.write({
            let half = half.clone();
            move |tx| {
                let mut row = tx.get(second)?;
                let spec = ExchangeLink { ip4: half.parse().ok(), ip6: None, ..row.spec.clone() };
                Ok(tx.save(&mut row, spec)?)
            }
        })
        .await;
        w.synchronise().await;
        assert_eq!(numbers(&w, &book).await, (lan(4), vec![Some(4), None]));
        let whole = format!("{}/64", port["ipaddr6"].as_str().unwrap());
        w.write(move |tx| {
            let mut row = tx.get(second)?;
            let spec = ExchangeLink { ip6: whole.parse().ok(), ..row.spec.clone() };
            tx.save(&mut row, spec)?;
            let mut row = tx.list::<Exchange>(&Query::of(Filter::All))?.remove(0);
            let spec = Exchange { pdb_lan: None, ..row.spec.clone() };
            Ok(tx.save(&mut row, spec)?)
        })
        .await;
        w.synchronise().await;
        assert_eq!(numbers(&w, &book).await, (None, vec![Some(4), Some(other)]), "two networks are no agreement");
        let id = book.exchange;
        assert!(!w.write(move |tx| mirror::link_exchange(tx, id)).await);
    }
}

#[tokio::test]
async fn systems_follow_their_networks_where_they_are_told_to() {
    for w in world::both(SMALL).await {
        let (net, customer, operator) = (w.register.get("net", 9), w.customer.any(), w.operator.any());
        let number = net["asn"].as_i64().unwrap();
        let private = 65_000;
        w.register.put("net", 8_000, NOW, json!({"org_id": 1, "asn": private, "name": "Private"}));
        let (follows, half, left) = w
            .write(move |tx| {
                let part = AutonomousSystem {
                    sync: Sync { name: false, max4: false, ..Sync::default() },
                    max4: 5,
                    ..AutonomousSystem::new(asn(number), "Mine")
                };
                let follows = tx.create(customer, AutonomousSystem::new(asn(number), "Old"))?.id;
                let half = tx.create(operator, part)?.id;
                Ok((follows, half, tx.create(customer, AutonomousSystem::new(asn(private), "Inside"))?.id))
            })
            .await;
        assert_eq!(w.synchronise().await.linked.systems, 2);
        let rows = w.read(move |tx| Ok((tx.get(follows)?, tx.get(half)?.spec, tx.get(left)?.spec))).await;
        let (max4, max6) = (net["info_prefixes4"].as_i64(), net["info_prefixes6"].as_i64());
        let of = |n: u32| Some(i64::from(n));
        assert_eq!(
            (rows.0.spec.name.as_str(), rows.0.spec.as_set.as_deref()),
            ("Network 9", net["irr_as_set"].as_str())
        );
        assert_eq!((of(rows.0.spec.max4), of(rows.0.spec.max6), rows.0.version), (max4, max6, 2));
        assert_eq!((rows.1.name.as_str(), rows.1.max4, of(rows.1.max6)), ("Mine", 5, max6));
        assert_eq!(rows.2.name, "Inside", "numbers for private use are not looked up");
        assert_eq!(w.synchronise().await.linked.systems, 0);
        assert_eq!(w.lines("autonomous_system").await, 5);
        // One alone, at once.
        let none = w.write(move |tx| {
            let id = tx.create(customer, AutonomousSystem::new(asn(200), "Unknown"))?.id;
            Ok((mirror::synchronise(tx, id)?, mirror::synchronise(tx, left)?, mirror::synchronise(tx, follows)?))
        });
        assert_eq!(none.await, (None, Some(()), Some(())));
    }
}

fn see(tx: &mut Tx<'_>, router: Id<Router>, strangers: Vec<Stranger>) -> Result<(), Error> {
    let mut row = tx.get(router)?;
    let status = RouterStatus { strangers, ..row.status.clone() };
    Ok(tx.observe(&mut row, status, None)?)
}

#[tokio::test]
async fn sessions_that_a_router_has_already_are_taken_over() {
    for w in world::both(SMALL).await {
        w.synchronise().await;
        let book = book(&w, &[4]).await;
        w.synchronise().await;
        let lan = numbers(&w, &book).await.0.unwrap();
        let peer = (5..300).find(|n| w.register.get("netixlan", *n)["ixlan_id"] == lan).unwrap();
        let peer = w.register.get("netixlan", peer);
        let (ip, number) = (peer["ipaddr4"].as_str().unwrap().to_owned(), peer["asn"].as_i64().unwrap());
        let near = Stranger { ip: ip.parse().unwrap(), asn: asn(number) };
        let unknown = Stranger {
            ip: w.register.get("netixlan", 154)["ipaddr4"].as_str().unwrap().parse().unwrap(),
            asn: asn(999),
        };
        let away = Stranger { ip: "198.51.100.1".parse().unwrap(), asn: asn(number) };
        let (router, exchange, link) = (book.router, book.exchange, book.links[0]);
        w.write(move |tx| see(tx, router, vec![near, unknown, away])).await;
        let done = w.write(move |tx| import::import(tx, exchange)).await;
        assert_eq!((done.sessions, done.systems, done.passed_over.len()), (1, 1, 1), "{done:?}");
        let sessions = w.read(|tx| Ok(tx.list::<ExchangeSession>(&Query::of(Filter::All))?)).await;
        let [session]: &[Object<ExchangeSession>] = &sessions else { panic!("{sessions:?}") };
        assert_eq!((session.spec.link, session.spec.ip, session.spec.peer.asn), (link, near.ip, near.asn));
        let remote = session.spec.remote;
        let name = w.read(move |tx| Ok(tx.get(remote)?.spec.name)).await;
        assert_eq!(name, format!("Network {}", peer["net_id"]));
        let again = w.write(move |tx| import::import(tx, exchange)).await;
        assert_eq!((again.sessions, again.systems), (0, 0), "it is safe to repeat");
    }
}
