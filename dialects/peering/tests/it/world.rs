//! A small world: the operator with a superuser, a customer with an owner, and somebody who may only read.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use meetme_app::{
    App, Error,
    identity::{self, Giver, NewKey},
    sources::{self, Found},
};
use meetme_base::{Id, ManualClock, Secret, Time};
use meetme_http::Server;
use meetme_model::{
    access::{Grant, Membership, Organization, Role, User},
    ops::{DataFile, DataSource},
};
use meetme_store::{Context, Filter, Order, Query};
use meetme_testkit::{Database, Place, as_system, customer, person, unlimited};
use serde_json::{Value, json};

/// The moment the tests live in.
const NOW: Time = Time(1_790_000_000_123);

pub struct World {
    pub app: App,
    pub server: Server,
    pub clock: Arc<ManualClock>,
    /// The secret of a key of the customer's owner.
    pub token: String,
    /// The secret of a key of a user who may only read.
    pub reader: String,
    pub owner: Id<User>,
    pub make: &'static str,
    _database: Database,
}

/// A world on each database.
pub async fn both() -> Vec<World> {
    let mut out = Vec::new();
    for place in meetme_testkit::both(NOW) {
        out.push(World::on(place).await);
    }
    out
}

/// A world on the database that is always there.
pub async fn one() -> World {
    World::on(meetme_testkit::one(NOW)).await
}

impl World {
    async fn on(place: Place) -> Self {
        let Place { app, clock, make, database } = place;
        let made = as_system(&app, |app, tx| {
            let first = identity::first(app, tx, "Operator", "root", &Secret::new("correct horse".to_owned()))?;
            let customer = customer(tx, first.operator.id, "Customer")?;
            Ok((person(app, tx, customer, "ada", "owner")?, person(app, tx, customer, "rea", "read_only")?.1))
        });
        let ((owner, token), reader) = made.await;
        let server = meetme_testkit::server(meetme_peering::dialect(), &app, unlimited());
        Self { app, server, clock, token, reader, owner, make, _database: database }
    }

    /// Another key of the customer's owner.
    pub async fn key(&self, new: NewKey) -> String {
        let (app, owner) = (self.app.clone(), self.owner);
        let made = self.app.store().write::<_, Error, _>(Context::system(), move |tx| {
            Ok(identity::create_key(&app, tx, Giver::System, owner.any(), &new)?.secret.expose().clone())
        });
        made.await.unwrap()
    }

    /// The secret of a key of a new user of the customer with a role of these grants.
    pub async fn user(&self, name: &str, grants: Vec<Grant>) -> String {
        let (app, owner, name) = (self.app.clone(), self.owner, name.to_owned());
        let made = self.app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let home = tx.get(owner)?.spec.home;
            let role = Role { name: name.clone(), grants: grants.clone(), ..Role::default() };
            let role = tx.create(home.any(), role)?.id;
            let user = tx.create(home.any(), User::new(name.as_str(), home))?.id;
            tx.create(home.any(), Membership { user, scope: home.any(), roles: vec![role], title: None })?;
            let new = NewKey { name: name.clone(), ..NewKey::default() };
            Ok(identity::create_key(&app, tx, Giver::System, user.any(), &new)?.secret.expose().clone())
        });
        made.await.unwrap()
    }

    /// The secret of a key of the owner of another customer.
    pub async fn stranger(&self) -> String {
        meetme_testkit::as_system(&self.app, |app, tx| {
            let operator = tx.one::<Organization>(&Filter::eq("form", "operator"))?.expect("the operator").id;
            let other = meetme_testkit::customer(tx, operator, "Other")?;
            Ok(person(app, tx, other, "eve", "owner")?.1)
        })
        .await
    }

    /// A local data source of the customer with files, as a synchronisation leaves them: their ids in the order of their paths.
    pub async fn source(&self, files: &[(&str, &str)]) -> (i64, Vec<i64>) {
        let source = json!({"name": "Texts", "type": "local", "source_url": "texts"});
        let id = self.make("core/data-sources", source).await;
        (id, self.sync(id, files).await)
    }

    /// What a synchronisation of the source that finds these files does; the ids of the files in the order of their paths.
    pub async fn sync(&self, id: i64, files: &[(&str, &str)]) -> Vec<i64> {
        let files: Vec<(String, String)> = files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        meetme_testkit::as_system(&self.app, move |_, tx| {
            let source = tx.get(Id::<DataSource>::new(id))?;
            let found: Vec<Found> = files
                .iter()
                .map(|(path, text)| Found {
                    path: path.clone(),
                    size: text.len() as u64,
                    hash: "0f".repeat(32),
                    text: Some(text.clone()),
                    base64: None,
                })
                .collect();
            sources::apply(tx, &source, &found)?;
            let query = Query::of(Filter::eq("source", source.id)).order(vec![Order::up("path")]);
            Ok(tx.list::<DataFile>(&query)?.into_iter().map(|file| file.id.get()).collect())
        })
        .await
    }

    /// `"GET /api/peering/routers/"`, headers, body as it is sent.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Said {
        let all: Vec<_> = [("host", "pm.example")].iter().chain(headers).copied().collect();
        let said = meetme_testkit::call(&self.server, line, &all, body.to_owned()).await;
        let body = said.value();
        Said { line: line.to_owned(), status: said.status, headers: said.headers, body, bytes: said.bytes }
    }

    /// As somebody.
    pub async fn by(&self, token: &str, line: &str, body: Value) -> Said {
        let token = format!("Token {token}");
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send(line, &[("authorization", &token), ("content-type", "application/json")], &text).await
    }

    /// As the owner, without a body.
    pub async fn ask(&self, line: &str) -> Said {
        self.by(&self.token, line, Value::Null).await
    }

    /// As the owner, with a body.
    pub async fn tell(&self, line: &str, body: Value) -> Said {
        self.by(&self.token, line, body).await
    }

    /// Makes a row and answers its id.
    pub async fn make(&self, path: &str, body: Value) -> i64 {
        let said = self.tell(&format!("POST /api/{path}/"), body).await;
        said.is(201).body["id"].as_i64().unwrap()
    }

    /// Our AS, a platform and a router on it.
    pub async fn router(&self) -> Router {
        let local = self.autonomous_system(64999).await;
        let platform = json!({"name": "Box", "slug": "box", "napalm_driver": "eos"});
        let platform = self.make("devices/platforms", platform).await;
        let router = json!({
            "name": "edge1", "hostname": "edge1.example.net", "platform": platform, "local_autonomous_system": local,
        });
        let router = self.make("devices/routers", router).await;
        Router { local, platform, router }
    }

    pub async fn autonomous_system(&self, asn: u32) -> i64 {
        self.make("peering/autonomous-systems", json!({"asn": asn, "name": format!("Network {asn}")})).await
    }

    /// A router with a connection to `Some IX`.
    pub async fn exchange(&self) -> Exchange {
        let at = self.router().await;
        let exchange = json!({"name": "Some IX", "slug": "some-ix", "local_autonomous_system": at.local});
        let exchange = self.make("peering/internet-exchanges", exchange).await;
        let connection = json!({
            "internet_exchange_point": exchange, "router": at.router, "interface": "ae4", "vlan": 666,
            "ipv4_address": "192.0.2.11/24", "ipv6_address": "2001:db8:13:37::1/64",
        });
        let connection = self.make("net/connections", connection).await;
        Exchange { at, exchange, connection }
    }

    /// A session with a fresh AS at an exchange.
    pub async fn session(&self, at: &Exchange, asn: u32, ip: &str) -> i64 {
        let peer = self.autonomous_system(asn).await;
        let session = json!({"autonomous_system": peer, "ixp_connection": at.connection, "ip_address": ip});
        self.make("peering/internet-exchange-peering-sessions", session).await
    }
}

pub struct Router {
    pub local: i64,
    pub platform: i64,
    pub router: i64,
}

pub struct Exchange {
    pub at: Router,
    pub exchange: i64,
    pub connection: i64,
}

#[derive(Debug)]
pub struct Said {
    pub line: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: Bytes,
}

impl Said {
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}: {}", self.line, self.body);
        self
    }
    #[track_caller]
    pub fn says(&self, body: Value) -> &Self {
        assert_eq!(self.body, body, "{}", self.line);
        self
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
    /// The ids of a page, in order.
    #[track_caller]
    pub fn ids(&self) -> Vec<i64> {
        let rows = self.is(200).body["results"].as_array().expect("a page");
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }
}
