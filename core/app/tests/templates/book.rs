//! A book: our AS, two routers at an exchange, a transit, a customer, peers, a route server.

use std::{future::Future, sync::Arc};

use meetme_app::{
    App, Error, MasterKey, Sealer, Settings, identity,
    templates::{self, Passwords},
};
use meetme_base::{Id, ManualClock, RawId, Secret, Time};
use meetme_model::{
    ops::Tag,
    routing::{
        AutonomousSystem, Bfd, Community, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Policy,
        Relationship, Router, Template,
    },
};
use meetme_store::{Context, Resource, Store, Tx};
use serde_json::{Value, json};

/// When the book was written.
pub const THEN: Time = Time(1_784_000_000_000);

/// A name and a password that try to break out of every language.
pub const HOSTILE: &str = "Evil \"; } protocol kernel { }\n!\nno router bgp\r\n# é\\ ${x} {{ 7 * 7 }}";

/// A core over one store.
pub struct Book {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub make: &'static str,
    pub laid: Laid,
}

/// Where things are.
#[derive(Clone, Copy, Debug)]
pub struct Laid {
    pub top: RawId,
    pub edge1: Id<Router>,
    pub peer: Id<AutonomousSystem>,
    pub across: Id<ExchangeSession>,
}

fn make<R: Resource>(tx: &mut Tx<'_>, top: RawId, spec: Value) -> Result<Id<R>, Error> {
    Ok(tx.create::<R>(top, serde_json::from_value(spec).unwrap())?.id)
}

fn lay(app: &App, tx: &mut Tx<'_>, name: &str) -> Result<Laid, Error> {
    let password = Secret::new("a long password".to_owned());
    let top = identity::first(app, tx, "Operator", "root", &password)?.operator.id.any();
    let seal = |text: &str| json!(app.sealer().seal(text).unwrap());
    let tag: Id<Tag> = make(tx, top, json!({"name": "Core", "slug": "core"}))?;
    let mark = json!({"name": "Blue", "slug": "blue", "value": "64500:7", "direction": "ingress"});
    let mark: Id<Community> = make(tx, top, mark)?;
    let wide: Id<Community> = make(tx, top, json!({"name": "Wide", "slug": "wide", "value": "64500:1:2"}))?;
    let target = json!({"name": "Target", "slug": "target", "value": "target:64500:9"});
    let target: Id<Community> = make(tx, top, target)?;
    let context = json!({"bird": ["if net.len > 23 then bgp_med = 5;"], "frr": ["set metric 5"]});
    let import = json!({"name": "Take", "slug": "take-all", "direction": "import", "context": context});
    let import: Id<Policy> = make(tx, top, import)?;
    let heavy = json!({"name": "Heavy", "slug": "heavy", "direction": "import", "weight": 9, "family": 4});
    let heavy: Id<Policy> = make(tx, top, heavy)?;
    let export: Id<Policy> = make(tx, top, json!({"name": "Tell", "slug": "tell", "direction": "export"}))?;
    let ours = json!({"asn": 64500, "name": "Us", "ours": true});
    let ours: Id<AutonomousSystem> = make(tx, top, ours)?;
    let system = |asn: u32, name: &str| json!({"asn": asn, "name": name, "max4": 100, "max6": 50, "import": [import], "export": [export], "tags": [tag]});
    let peer: Id<AutonomousSystem> = make(tx, top, system(64501, name))?;
    let transit: Id<AutonomousSystem> = make(tx, top, system(64502, "Transit"))?;
    let customer: Id<AutonomousSystem> = make(tx, top, system(64503, "Customer"))?;
    let server: Id<AutonomousSystem> = make(tx, top, system(64510, "Route server"))?;
    let exchange = json!({
        "name": "IX", "slug": "ix", "local": ours, "import": [heavy], "communities": [wide],
        "subnets": ["192.0.2.0/24", "2001:db8:1::/64"], "context": {"mtu": 9000},
    });
    let exchange: Id<Exchange> = make(tx, top, exchange)?;
    let template = json!({"name": "T", "text": "{{ router.name }}"});
    let template: Id<Template> = make(tx, top, template)?;
    let mut router = |name: &str| {
        make::<Router>(
            tx,
            top,
            json!({
                "name": name, "hostname": name, "local": ours, "communities": [mark], "template": template,
                "context": {
                    "networks": ["198.51.100.0/24", "2001:db8:64::/48"], "lab": true, "irr": false,
                },
            }),
        )
    };
    let (edge1, edge2) = (router("edge1")?, router("edge2")?);
    let link = |router, n: u8| {
        json!({
            "exchange": exchange, "router": router, "interface": format!("xe{n}"), "vlan": 100,
            "ip4": format!("192.0.2.{n}/24"), "ip6": format!("2001:db8:1::{n}/64"), "mac": "02:00:5e:10:00:0a",
        })
    };
    let link1: Id<ExchangeLink> = make(tx, top, link(edge1, 1))?;
    let link2: Id<ExchangeLink> = make(tx, top, link(edge2, 2))?;
    let bfd: Id<Bfd> = make(tx, top, json!({"name": "Fast", "slug": "fast"}))?;
    let across = |remote: Id<AutonomousSystem>, asn: u32, link, ip: &str, more: Value| {
        let mut all = json!({"asn": asn, "remote": remote, "link": link, "ip": ip});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let password = seal("s3cret");
    let first = across(peer, 64501, link1, "192.0.2.11", json!({"password": password, "bfd": bfd, "tags": [tag]}));
    let first: Id<ExchangeSession> = make(tx, top, first)?;
    make::<ExchangeSession>(tx, top, across(peer, 64501, link1, "2001:db8:1::11", json!({"admin": "maintenance"})))?;
    make::<ExchangeSession>(tx, top, across(server, 64510, link1, "192.0.2.250", json!({"route_server": true})))?;
    make::<ExchangeSession>(tx, top, across(transit, 64502, link1, "192.0.2.12", json!({"admin": "disabled"})))?;
    make::<ExchangeSession>(tx, top, across(customer, 64503, link1, "192.0.2.13", json!({"admin": "requested"})))?;
    make::<ExchangeSession>(tx, top, across(peer, 64501, link2, "192.0.2.21", json!({})))?;
    let group = json!({"name": "Upstreams", "slug": "upstreams", "communities": [target]});
    let group: Id<PeerGroup> = make(tx, top, group)?;
    let upstream: Id<Relationship> = make(tx, top, json!({"name": "Our transit", "slug": "our-transit"}))?;
    let downstream: Id<Relationship> = make(tx, top, json!({"name": "Our customer", "slug": "our-customer"}))?;
    let direct = |remote: Id<AutonomousSystem>, asn: u32, local: &str, ip: &str, more: Value| {
        let mut all = json!({
            "asn": asn, "local": ours, "remote": remote, "router": edge1, "local_ip": local, "ip": ip,
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let more = json!({
        "group": group, "relationship": upstream, "password": seal("an0ther"), "context": {"gtsm": true, "strict_role": true}, "max4": 900_000,
    });
    make::<DirectSession>(tx, top, direct(transit, 64502, "203.0.113.1/30", "203.0.113.2/30", more))?;
    let more = json!({"relationship": downstream, "ttl": 3, "passive": true, "context": {"blackhole": true}});
    make::<DirectSession>(tx, top, direct(customer, 64503, "203.0.113.9/30", "203.0.113.10/30", more.clone()))?;
    let six = direct(customer, 64503, "2001:db8:9::1/64", "2001:db8:9::2/64", json!({"relationship": downstream}));
    make::<DirectSession>(tx, top, six)?;
    Ok(Laid { top, edge1, peer, across: first })
}

/// A book on each make of database, the peer under this name.
pub async fn each<F: Future<Output = ()>>(name: &'static str, test: impl Fn(Book) -> F) {
    for (make, open) in meetme_testdb::both() {
        let clock = Arc::new(ManualClock::new(THEN));
        let (opened, at) = ((*open).clone(), clock.clone());
        let store = std::thread::spawn(move || Store::open(&opened, meetme_model::registry(), at)).join().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"7".repeat(64)).unwrap());
        let app = App::new(store.unwrap(), sealer, Settings::default());
        let inside = app.clone();
        let laid = app.store().write::<_, Error, _>(Context::system(), move |tx| lay(&inside, tx, name)).await.unwrap();
        test(Book { app, clock, make, laid }).await;
    }
}

impl Book {
    /// Runs an operation with every right.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&App, &mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        let app = self.app.clone();
        self.app.store().write(Context::system(), move |tx| f(&app, tx)).await.unwrap()
    }

    /// Gives the routers' template another text.
    pub async fn template(&self, text: &str) {
        let (router, text) = (self.laid.edge1, text.to_owned());
        self.write(move |_, tx| {
            let router = tx.get(router)?;
            let mut row = tx.get(router.spec.template.unwrap())?;
            let spec = Template { text: text.clone(), trim: true, lstrip: true, ..row.spec.clone() };
            Ok(tx.save(&mut row, spec)?)
        })
        .await;
    }

    /// The configuration of a router by this template.
    pub async fn rendered(&self, text: &str, passwords: Passwords) -> Result<String, templates::Failure> {
        self.template(text).await;
        let router = self.laid.edge1;
        let read = self.write(move |app, tx| templates::configuration(app, tx, router, passwords)).await;
        read.unwrap().render()
    }
}
