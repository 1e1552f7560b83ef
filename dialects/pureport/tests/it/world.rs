//! A small world: an operator with a metro of two gateways, a customer, and a stranger.

use http::HeaderMap;
use meetme_app::{App, Error, identity};
use meetme_base::{Asn, Id, Mbps, RawId, Secret, Time};
use meetme_contracts::prove;
use meetme_http::{Limits, Server};
use meetme_model::{
    LifeStatus, Phase, Term,
    access::Organization,
    fabric::{Circuit, LegStatus, Network, Port},
    place::{Geo, Metro, Money, Offer, Per, Price, Rates, Region, Service, Site, Zone},
    routing::{AutonomousSystem, Router},
};
use meetme_store::{Filter, Tx};
use meetme_testkit::{Database, Place, as_system};
use serde_json::{Value, json};

/// A key of an account.
pub struct Who {
    pub account: String,
    pub key: String,
    pub secret: String,
    pub node: RawId,
}

/// Everything a test needs.
pub struct World {
    server: Server,
    pub app: App,
    pub customer: Who,
    pub stranger: Who,
    pub token: String,
    pub stranger_token: String,
    pub port: String,
    _database: Database,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
    /// The status and the dialect's code of a refusal, which has the form of one.
    #[track_caller]
    pub fn refuses(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.body["status"], status);
        prove("pureport", "getAccount", self.status, &self.body);
        self
    }
    /// The answer keeps the operation's contract.
    #[track_caller]
    pub fn proves(self, operation: &str) -> Self {
        prove("pureport", operation, self.status, &self.body);
        self
    }
    pub fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_default().to_owned()
    }
}

/// Runs a test on each make of database.
pub async fn on_each(test: impl AsyncFn(World)) {
    for place in meetme_testkit::both(Time(1_784_000_000_000)) {
        test(World::new(place).await).await;
    }
}

impl World {
    async fn new(place: Place) -> Self {
        let Place { app, database, .. } = place;
        let (customer, stranger, port) = as_system(&app, build).await;
        let limits = Limits { rate_per_second: 0, ..Limits::default() };
        let server = meetme_testkit::server(meetme_pureport::dialect(), &app, limits);
        let mut world = Self {
            server,
            app,
            customer,
            stranger,
            token: String::new(),
            stranger_token: String::new(),
            port,
            _database: database,
        };
        world.token = world.login(&world.customer.key, &world.customer.secret).await;
        world.stranger_token = world.login(&world.stranger.key, &world.stranger.secret).await;
        world
    }

    /// Exchanges a key for a token.
    pub async fn login(&self, key: &str, secret: &str) -> String {
        let body = json!({"key": key, "secret": secret}).to_string();
        self.send("POST", "/login", None, &body).await.is(200).text("access_token")
    }

    /// Sends a request as it is.
    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("host", "api.example")];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let said = meetme_testkit::call(&self.server, &format!("{method} {path}"), &headers, body.to_owned()).await;
        Answer { status: said.status, body: said.value(), headers: said.headers }
    }

    /// The customer reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Some(&self.token), "").await
    }
    /// The customer makes.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&self.token), &body.to_string()).await
    }
    /// The customer changes.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(&self.token), &body.to_string()).await
    }
    /// The customer removes.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, Some(&self.token), "").await
    }
    /// A network of the customer's.
    pub async fn network(&self, name: &str) -> String {
        let path = format!("/accounts/{}/networks", self.customer.account);
        self.post(&path, json!({"name": name})).await.is(201).text("id")
    }
    /// An order like the first example's, for a network.
    pub async fn order(&self, network: &str, extra: Value) -> Answer {
        let mut body = json!({
            "type": "AWS_DIRECT_CONNECT", "location": {"href": "/locations/us-ral"}, "awsAccountId": "123456789012",
            "awsRegion": "us-east-1", "speed": 100, "highAvailability": false, "name": "one", "billingTerm": "HOURLY",
        });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        self.post(&format!("/networks/{network}/connections"), body).await
    }

    /// Does as the system what a controller would.
    pub async fn as_system<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        as_system(&self.app, move |_, tx| f(tx)).await
    }

    /// Every circuit and network that is not yet gone comes to this phase, with its legs.
    pub async fn reach(&self, phase: Phase) {
        self.as_system(move |tx| {
            let now = tx.now();
            let living = Filter::eq("phase", "gone").not();
            for mut leg in tx.all::<meetme_model::fabric::Leg>(living.clone())? {
                let life = leg.status.life.moved(phase, None, now);
                let status = LegStatus { life, ..leg.status.clone() };
                tx.observe(&mut leg, status, None)?;
            }
            for mut circuit in tx.all::<Circuit>(living.clone())? {
                let status: LifeStatus = circuit.status.moved(phase, None, now);
                tx.observe(&mut circuit, status, None)?;
            }
            for mut network in tx.all::<Network>(living.clone())? {
                let status: LifeStatus = network.status.moved(phase, None, now);
                tx.observe(&mut network, status, None)?;
            }
            Ok(())
        })
        .await;
    }
}

fn mbps(n: i64) -> Mbps {
    Mbps::try_from(n).unwrap()
}

fn build(app: &App, tx: &mut Tx<'_>) -> Result<(Who, Who, String), Error> {
    let first = identity::first(app, tx, "Operator", "root", &Secret::new("a long password".to_owned()))?;
    let top = first.operator.id;
    let ours = AutonomousSystem { ours: true, ..AutonomousSystem::new(Asn::try_from(394_351)?, "Operator") };
    let ours = tx.create(top.any(), ours)?.id;
    let geo = Some(Geo { latitude: 35.8, longitude: -78.6 });
    let metro = Metro { slug: "us-ral".into(), name: "Raleigh".into(), country: "US".into(), geo, ..Metro::default() };
    let metro = tx.create(top.any(), metro)?.id;
    let site = Site { vendor: "Halls".into(), zones: vec![Zone::A, Zone::B], ..Site::new("ral1", "Raleigh 1", metro) };
    let site = tx.create(top.any(), site)?.id;
    for (name, zone) in [("gw-a", Zone::A), ("gw-b", Zone::B)] {
        let router = Router {
            name: name.into(),
            hostname: name.into(),
            site: Some(site),
            zone: Some(zone),
            local: Some(ours),
            ..Router::default()
        };
        tx.create(top.any(), router)?;
    }
    let region =
        |code: &str| Region { provider: "aws".into(), code: code.into(), name: code.into(), ..Region::default() };
    let east = tx.create(top.any(), region("us-east-1"))?.id;
    tx.create(top.any(), region("us-west-1"))?;
    offers(tx, top, metro, east)?;
    let customer = who(app, tx, top, "Customer")?;
    let stranger = who(app, tx, top, "Stranger")?;
    let port: Port = serde_json::from_value(json!({"name": "cage 1", "rate": 10000, "site": site})).unwrap();
    let port = tx.create(customer.node, port)?;
    Ok((customer, stranger, spell("port-", port.uid)))
}

fn offers(tx: &mut Tx<'_>, top: Id<Organization>, metro: Id<Metro>, east: Id<Region>) -> Result<(), Error> {
    for (far, listed) in [("aws", vec![50, 100, 500]), ("azure", vec![100, 1000]), ("google", vec![100])] {
        let offer = Offer {
            far: Some(far.into()),
            rates: Some(Rates::List(listed.into_iter().map(mbps).collect())),
            reach: if far == "aws" { vec![east] } else { Vec::new() },
            ..Offer::new(format!("us-ral-{far}"), far, Service::Circuit, metro.any())
        };
        let offer = tx.create(top.any(), offer)?;
        let price: Price = serde_json::from_value(json!({
            "of": offer.id, "per": "hour", "amount": {"micros": 500_000, "currency": "USD"}, "term": "hour",
            "from": "2020-01-01T00:00:00Z",
        }))
        .unwrap();
        assert_eq!(
            (price.per, price.term, &price.amount),
            (Per::Hour, Term::Hour, &Money { micros: 500_000, currency: "USD".into() })
        );
        tx.create(top.any(), price)?;
    }
    Ok(())
}

fn who(app: &App, tx: &mut Tx<'_>, top: Id<Organization>, name: &str) -> Result<Who, Error> {
    let account = meetme_testkit::customer(tx, top, name)?;
    let account = tx.get(account)?;
    let node = account.id.any();
    let new = identity::NewKey { name: "key".into(), ..identity::NewKey::default() };
    let issued = identity::create_key(app, tx, identity::Giver::System, node, &new)?;
    Ok(Who {
        account: spell("ac-", account.uid),
        key: issued.key.spec.public,
        secret: issued.secret.expose().clone(),
        node,
    })
}

/// An id as the dialect spells it.
fn spell(prefix: &str, uid: meetme_base::Uid) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(uid.bytes()))
}
