//! How long the configuration of a large router takes: reading what the template may see, and rendering it. `make bench` runs it.
//!
//! The template is the one for BIRD that comes with Meetme. A third of the peers have prefixes and everybody has policies and
//! communities, at ten exchanges.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on should stop where it is")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use meetme_app::{
    App, Error, MasterKey, Sealer, Settings, identity,
    templates::{self, Passwords, SHIPPED},
};
use meetme_base::{Id, RawId, Secret, SystemClock};
use meetme_model::routing::{
    AutonomousSystem, Community, Exchange, ExchangeLink, ExchangeSession, Policy, Router, Template,
};
use meetme_store::{Context, Open, Resource, Store, Tx};
use serde_json::{Value, json};

const EXCHANGES: usize = 10;

fn make<R: Resource>(tx: &mut Tx<'_>, top: RawId, spec: Value) -> Id<R> {
    tx.create::<R>(top, serde_json::from_value(spec).unwrap()).unwrap().id
}

/// A router with so many sessions.
fn lay(app: &App, tx: &mut Tx<'_>, sessions: usize) -> Result<Id<Router>, Error> {
    let password = Secret::new("a long password".to_owned());
    let top = identity::first(app, tx, "Operator", "root", &password)?.operator.id.any();
    templates::install(tx, top)?;
    let template = tx.one::<Template>(&meetme_store::Filter::eq("name", SHIPPED[0].name))?.unwrap().id;
    let ours: Id<AutonomousSystem> = make(tx, top, json!({"asn": 65000, "name": "Us", "ours": true}));
    let both = json!({"name": "Both", "slug": "both-ways", "direction": "both"});
    let both: Id<Policy> = make(tx, top, both);
    let mark: Id<Community> = make(tx, top, json!({"name": "Mark", "slug": "mark", "value": "65000:7"}));
    let router = json!({
        "name": "edge1", "hostname": "192.0.2.1", "local": ours, "template": template, "communities": [mark],
        "context": {"networks": ["198.51.100.0/24", "2001:db8:64::/48"]},
    });
    let router: Id<Router> = make(tx, top, router);
    let mut links = Vec::new();
    for n in 0..EXCHANGES {
        let exchange = json!({"name": format!("IX {n}"), "slug": format!("ix{n}"), "local": ours, "import": [both]});
        let exchange: Id<Exchange> = make(tx, top, exchange);
        let link = json!({"exchange": exchange, "router": router, "ip4": format!("10.{n}.0.1/16")});
        links.push(make::<ExchangeLink>(tx, top, link));
    }
    let seal = json!(app.sealer().seal("s3cret")?);
    for n in 0..sessions {
        let asn = 100_000 + n;
        let system = json!({
            "asn": asn, "name": format!("Network {n}"), "max4": 1000, "import": [both], "export": [both],
        });
        let system: Id<AutonomousSystem> = make(tx, top, system);
        let (link, host) = (n % EXCHANGES, n / EXCHANGES + 2);
        let session = json!({
            "asn": asn, "remote": system, "link": links[link], "ip": format!("10.{link}.{}.{}", host / 250, host % 250 + 1),
            "password": if n % 3 == 0 { seal.clone() } else { Value::Null },
        });
        make::<ExchangeSession>(tx, top, session);
    }
    Ok(router)
}

/// The shortest of some runs.
fn shortest<T>(runs: usize, mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut best: Option<(Duration, T)> = None;
    for _ in 0..runs {
        let begun = Instant::now();
        let value = run();
        let took = begun.elapsed();
        if best.as_ref().is_none_or(|(least, _)| took < *least) {
            best = Some((took, value));
        }
    }
    best.unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("sessions     read   render    together   target     lines");
    for (sessions, target) in [(1_000, 20), (20_000, 500)] {
        let home = std::env::temp_dir().join(format!("meetme-render-{}-{sessions}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let open = Open::Sqlite { path: home.join("db"), readers: 1 };
        let store =
            std::thread::spawn(move || Store::open(&open, meetme_model::registry(), Arc::new(SystemClock)).unwrap());
        let sealer = Sealer::new(&MasterKey::parse(&"5".repeat(64)).unwrap());
        let app = App::new(store.join().unwrap(), sealer, Settings::default());
        let inside = app.clone();
        let router = app.store().write(Context::system(), move |tx| lay(&inside, tx, sessions)).await.unwrap();
        let inside = app.clone();
        let measured = app.store().read::<_, Error, _>(Context::system(), move |tx| {
            let (read, prepared) =
                shortest(5, || templates::configuration(&inside, tx, router, Passwords::Clear).unwrap().unwrap());
            let (render, text) = shortest(5, || prepared.render().unwrap());
            Ok((read, render, text.lines().count()))
        });
        let (read, render, lines) = measured.await.unwrap();
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{sessions:>8} {:>5.1} ms {:>5.1} ms {:>8.1} ms {target:>5} ms {lines:>9}",
            millis(read),
            millis(render),
            millis(read + render)
        );
        std::fs::remove_dir_all(&home).unwrap();
    }
}
