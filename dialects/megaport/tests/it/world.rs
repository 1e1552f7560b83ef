//! A small world: an operator with a metro of two gateways that sells ports and a cloud, a company with a person, a second company
//! the person works for, and a stranger's company.

use meetme_app::{App, Error, identity};
use meetme_base::{Asn, Id, Mbps, RawId, Secret, Time};
use meetme_contracts::prove;
use meetme_http::{Limits, Server};
use meetme_model::{
    Phase, Term,
    access::{Membership, Organization, User},
    fabric::{Leg, LegStatus, Network, Port, PortStatus},
    place::{Geo, Metro, Money, Offer, Per, Price, Rates, Service, Site, Zone},
    routing::{AutonomousSystem, Router},
};
use meetme_store::{Filter, Tx};
use meetme_testkit::{Database, Place, as_system, customer};
use serde_json::Value;

/// The moment the tests live in.
pub const NOW: Time = Time(1_784_000_000_000);

/// Where things are.
#[derive(Clone)]
pub struct Places {
    pub company: Id<Organization>,
    pub second: Id<Organization>,
    pub stranger: Id<Organization>,
    pub user: Id<User>,
    pub metro: Id<Metro>,
    pub site: Id<Site>,
    pub offer: String,
    pub public: String,
    pub secret: String,
    pub stranger_secret: String,
}

/// Everything a test needs.
pub struct World {
    pub server: Server,
    pub app: App,
    pub at: Places,
    pub token: String,
    _database: Database,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
    /// A good answer that keeps the operation's contract; its data, or the whole of a bare one.
    #[track_caller]
    pub fn proves(self, operation: &str) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        prove("megaport", operation, self.status, &self.body);
        match self.body.get("data") {
            Some(data) => data.clone(),
            None => self.body,
        }
    }
    /// A refusal in the dialect's form; its sentence.
    #[track_caller]
    pub fn refuses(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        prove("megaport", "v2.product", self.status, &self.body);
        self.body["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// Runs a test on each make of database.
pub async fn on_each(test: impl AsyncFn(World)) {
    for Place { app, database, .. } in meetme_testkit::both(NOW) {
        let at = as_system(&app, build).await;
        let server = meetme_testkit::server(meetme_megaport::dialect(), &app, Limits::default());
        let mut world = World { server, app, at, token: String::new(), _database: database };
        let form = "username=example&password=secret+word";
        let login = world.form("/v2/login", form).await.is(200);
        world.token = login.body["data"]["token"].as_str().unwrap().to_owned();
        test(world).await;
    }
}

fn mbps(n: i64) -> Mbps {
    Mbps::try_from(n).unwrap()
}

fn build(app: &App, tx: &mut Tx<'_>) -> Result<Places, Error> {
    let first = identity::first(app, tx, "Operator", "root", &Secret::new("a long password".to_owned()))?;
    let top = first.operator.id;
    let (metro, site) = ground(tx, top.any())?;
    let offer = goods(tx, top.any(), metro, site)?;
    let (own, second) = (customer(tx, top, "EXAMPLE")?, customer(tx, top, "SECOND")?);
    let stranger = customer(tx, top, "STRANGER")?;
    let user = User {
        first_name: "Ex".to_owned(),
        last_name: "Ample".to_owned(),
        email: Some("ex@example.net".to_owned()),
        timezone: Some("Australia/Brisbane".to_owned()),
        locale: Some("en-AU".to_owned()),
        language: Some("en".to_owned()),
        password: Some(identity::hash_password(&Secret::new("secret word".to_owned()))?),
        ..User::new("example", own)
    };
    let user = tx.create(own.any(), user)?.id;
    for (scope, role) in [(own, "owner"), (second, "technical_contact")] {
        let roles = vec![identity::builtin_role(tx, role)?];
        tx.create(scope.any(), Membership { user, scope: scope.any(), roles, title: None })?;
    }
    let key = |tx: &mut Tx<'_>, of: Id<Organization>| {
        let new = identity::NewKey { name: "key".to_owned(), ..Default::default() };
        identity::create_key(app, tx, identity::Giver::System, of.any(), &new)
            .map(|made| (made.key.spec.public.clone(), made.secret.expose().clone()))
    };
    let ((public, secret), (_, stranger_secret)) = (key(tx, own)?, key(tx, stranger)?);
    Ok(Places { company: own, second, stranger, user, metro, site, offer, public, secret, stranger_secret })
}

fn ground(tx: &mut Tx<'_>, top: RawId) -> Result<(Id<Metro>, Id<Site>), Error> {
    let ours = AutonomousSystem { ours: true, ..AutonomousSystem::new(Asn::try_from(64_500)?, "Ours") };
    let local = tx.create(top, ours)?.id;
    let metro = Metro {
        slug: "au-bne".into(),
        name: "Brisbane".into(),
        country: "AU".into(),
        market: Some("AU".into()),
        geo: Some(Geo { latitude: -27.5, longitude: 153.0 }),
        ..Metro::default()
    };
    let metro = tx.create(top, metro)?.id;
    let other_ids = [("megaport".to_owned(), "7".to_owned())].into();
    let site = Site { zones: vec![Zone::A, Zone::B], other_ids, ..Site::new("bne1", "Brisbane 1", metro) };
    let site = tx.create(top, site)?.id;
    for (name, zone) in [("gw-a", Zone::A), ("gw-b", Zone::B)] {
        let router = Router {
            name: name.into(),
            hostname: format!("{name}.example.net"),
            site: Some(site),
            zone: Some(zone),
            local: Some(local),
            ..Router::default()
        };
        tx.create(top, router)?;
    }
    Ok((metro, site))
}

fn goods(tx: &mut Tx<'_>, top: RawId, metro: Id<Metro>, site: Id<Site>) -> Result<String, Error> {
    let aws = Offer {
        far: Some("aws".into()),
        rates: Some(Rates::Range { low: mbps(1), high: mbps(10_000) }),
        ..Offer::new("bne-aws", "Cloud On-ramp", Service::Circuit, metro.any())
    };
    let aws = tx.create(top, aws)?;
    let port = Offer {
        rates: Some(Rates::List(vec![mbps(1000), mbps(10_000)])),
        media: vec!["10GBASE-LR".into()],
        ..Offer::new("bne1-port", "Port", Service::Port, site.any())
    };
    let port = tx.create(top, port)?;
    let price = |of: RawId, micros| Price {
        of,
        per: Per::Month,
        amount: Money { micros, currency: "AUD".into() },
        setup: None,
        term: Term::Months(1),
        rate: None,
        long_haul: Default::default(),
        discounts: Vec::new(),
        from: Time(0),
        until: None,
        ext: Default::default(),
    };
    tx.create(top, price(port.id.any(), 500_000_000))?;
    tx.create(top, price(aws.id.any(), 12_500_000))?;
    Ok(aws.uid.to_string())
}

impl World {
    /// A request as it is.
    pub async fn raw(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let said = meetme_testkit::call(&self.server, line, headers, body.to_owned()).await;
        Answer { status: said.status, body: serde_json::from_slice(&said.bytes).unwrap_or(Value::Null) }
    }

    /// A form, as nobody.
    pub async fn form(&self, path: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("user-agent", "curl/7.30.0")];
        self.raw(&format!("POST {path}"), &headers, body).await
    }

    /// A call as the person.
    pub async fn call(&self, line: &str, body: Value) -> Answer {
        self.call_as(&self.token, line, body).await
    }

    /// A call with a token.
    pub async fn call_as(&self, token: &str, line: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(line, &[("x-auth-token", token), ("content-type", "application/json")], &body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(&format!("GET {path}"), Value::Null).await
    }

    /// Something done with every right, as controllers and other doors do it.
    pub async fn system<T: Send + 'static>(
        &self,
        f: impl Fn(&App, &mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        as_system(&self.app, f).await
    }

    /// Moves every leg, with its circuit, to a phase, as a controller does.
    pub async fn all_legs(&self, phase: Phase) {
        self.system(move |_, tx| {
            let now = tx.now();
            for mut leg in tx.all::<Leg>(Filter::All)? {
                let status = LegStatus { life: leg.status.life.moved(phase, None, now), ..leg.status.clone() };
                tx.observe(&mut leg, status, None)?;
                let mut circuit = tx.get(leg.spec.circuit)?;
                let status = circuit.status.moved(phase, None, now);
                tx.observe(&mut circuit, status, None)?;
            }
            Ok(())
        })
        .await;
    }

    /// A port of a company that is there and has light.
    pub async fn port(&self, of: Id<Organization>, name: &'static str) -> String {
        let site = self.at.site;
        self.system(move |_, tx| {
            let spec =
                Port { site: Some(site), ..Port::new(name, meetme_model::fabric::Shape::Physical, mbps(10_000)) };
            let mut port = tx.create(of.any(), spec)?;
            let life = port.status.life.moved(Phase::Up, None, tx.now());
            tx.observe(&mut port, PortStatus { life, up: true, light: Some(true) }, None)?;
            Ok(port.uid.to_string())
        })
        .await
    }

    /// A network of the company, as another dialect makes it.
    pub async fn network(&self, name: &'static str) -> (Id<Network>, String) {
        let node = self.at.company.any();
        self.system(move |_, tx| {
            let new = meetme_app::networks::NewNetwork { name: name.into(), ..Default::default() };
            let made = meetme_app::networks::create(tx, node, &new)?;
            Ok((made.id, made.uid.to_string()))
        })
        .await
    }
}
