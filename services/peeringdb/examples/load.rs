//! How long the copy takes at the size of the real database, on each database this machine has. Run it by hand, built for speed:
//! `cargo run --release -p meetme-peeringdb --example load [NETWORKS] [clear]`.

#![expect(clippy::unwrap_used, reason = "a program for one who looks at it")]

use std::{sync::Arc, time::Instant};

use meetme_app::{Error, identity, mirror, peering::meeting};
use meetme_base::{Asn, Secret, Time};
use meetme_control::jobs::Work;
use meetme_model::{
    access::Organization,
    mirror::PdbPort,
    routing::{AutonomousSystem, Exchange, ExchangeLink},
};
use meetme_peeringdb::{PeeringDb, Settings};
use meetme_store::{Actor, Context, Filter, Query};
use meetme_testkit::{Place, as_system};
use meetme_testregister::{EPOCH, Register, Server, Size, TYPES};

/// Exchanges of ours, and systems of ours that follow their networks.
const OURS: i64 = 200;
const SYSTEMS: i64 = 5_000;

#[tokio::main]
async fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let networks = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let size = networks.map_or(Size::REAL, Size::of);
    let register = Arc::new(Register::of(size));
    let rows: usize = TYPES.iter().map(|name| register.count(name)).sum();
    println!("{} networks, {} ports, {} exchanges, {rows} rows in all", size.networks, size.ports, size.exchanges);
    let server = Server::of(register.clone());
    for place in meetme_testkit::both(Time((EPOCH + 86_400) * 1000)) {
        run(place, &server).await;
    }
}

async fn run(place: Place, server: &Server) {
    let Place { app, clock, make, database } = place;
    println!("on {make}");
    as_system(&app, |app, tx| {
        identity::first(app, tx, "Operator", "root", &Secret::new("correct horse".to_owned())).map(|_| ())
    })
    .await;
    let service = PeeringDb::new(app.clone(), &Settings { url: server.url(), ..Settings::default() });
    for what in ["the first copy", "nothing new", "nothing new, and the answer is as before"] {
        // The clock stands still otherwise.
        clock.step_seconds(60);
        let job = as_system(&app, |_, tx| mirror::ask(tx)).await;
        let work = Work::new(job, Actor::system(), app.clock().clone());
        let begun = Instant::now();
        let summary = service.synchronise(&work.context(), &work.log).await.unwrap();
        println!("{:>10.3} s  {what}: {}", begun.elapsed().as_secs_f64(), summary.sentence());
    }
    as_system(&app, |_, tx| books(tx)).await;
    let linking = Instant::now();
    let linked = as_system(&app, |_, tx| mirror::link(tx)).await;
    println!("{:>10.3} s  linking {OURS} exchanges and {SYSTEMS} systems: {linked:?}", linking.elapsed().as_secs_f64());
    let asking = Instant::now();
    let open = app.store().read::<_, Error, _>(Context::system(), |tx| {
        let exchanges = tx.list::<Exchange>(&Query::of(Filter::All))?;
        Ok(meeting::available(tx, &exchanges)?.len())
    });
    let open = open.await.unwrap();
    println!("{:>10.3} s  available peers of {OURS} exchanges: {open}", asking.elapsed().as_secs_f64());
    if std::env::args().any(|argument| argument == "clear") {
        let clearing = Instant::now();
        let gone = as_system(&app, |_, tx| mirror::clear_all(tx)).await;
        println!("{:>10.3} s  throwing {gone} rows away", clearing.elapsed().as_secs_f64());
    }
    drop(database);
    println!("{}", peak());
}

/// A book with connections that have the addresses of ports in the copy, and systems that follow their networks.
fn books(tx: &mut meetme_store::Tx<'_>) -> Result<(), Error> {
    let top = mirror::operator(tx)?;
    let book = Organization { name: "Book".to_owned(), parent: Some(top), ..Organization::default() };
    let book = tx.create(top.any(), book)?.id.any();
    let asn = |n: i64| Asn::try_from(n).map_err(Error::from);
    let local = tx.create(book, AutonomousSystem { ours: true, ..AutonomousSystem::new(asn(64_500)?, "Ours") })?.id;
    let ports = tx.list::<PdbPort>(&Query::of(Filter::All).page(20_000, 0))?;
    let mut exchanges = Vec::new();
    let mut links = Vec::new();
    let mut lans = std::collections::BTreeSet::new();
    for port in ports {
        let lan = port.spec.ixlan_id;
        if lans.len() as i64 >= OURS || !lans.insert(lan) {
            continue;
        }
        let name = format!("ix{}", lan.unwrap_or_default());
        exchanges.push(Exchange::new(&*name, &*name, local));
        links.push(port.spec);
    }
    let exchanges = tx.create_many(book, exchanges)?;
    let link = |(port, exchange): (PdbPort, _)| ExchangeLink {
        exchange: Some(exchange),
        ip4: port.ipaddr4.and_then(|ip| format!("{ip}/20").parse().ok()),
        ip6: port.ipaddr6.and_then(|ip| format!("{ip}/64").parse().ok()),
        ..ExchangeLink::default()
    };
    tx.create_many(book, links.into_iter().zip(exchanges).map(link).collect::<Vec<_>>())?;
    let nets = tx.list::<meetme_model::mirror::PdbNetwork>(&Query::of(Filter::All).page(5_000, 0))?;
    let systems = nets.into_iter().map(|net| AutonomousSystem::new(net.spec.asn, "Old")).collect();
    tx.create_many::<AutonomousSystem>(book, systems)?;
    Ok(())
}

/// The most memory this process has had.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned()
}
