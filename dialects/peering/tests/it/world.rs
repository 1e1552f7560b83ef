//! A small world: the operator with a superuser, a customer with an owner, and somebody who may only read.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use meetme_app::{
    App, Error, MasterKey, Sealer, Settings,
    identity::{self, Giver, NewKey},
};
use meetme_base::{Id, ManualClock, Secret, Time};
use meetme_http::{Door, Limits, Server, ServerConfig};
use meetme_model::access::{Form, Grant, Membership, Organization, Role, User};
use meetme_store::{Context, Open, Store};
use meetme_testdb::Temp;
use serde_json::{Value, json};

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
    database: Option<Temp<Open>>,
}

impl Drop for World {
    fn drop(&mut self) {
        let database = self.database.take();
        std::thread::spawn(move || drop(database)).join().unwrap();
    }
}

/// A world on each database.
pub async fn both() -> Vec<World> {
    let mut out = Vec::new();
    // Databases are made and dropped by blocking calls, which a runtime's own threads must not make.
    for (make, database) in tokio::task::spawn_blocking(meetme_testdb::both).await.unwrap() {
        out.push(World::on(make, database).await);
    }
    out
}

/// A world on the database that is always there.
pub async fn one() -> World {
    World::on("sqlite", meetme_testdb::sqlite()).await
}

impl World {
    async fn on(make: &'static str, database: Temp<Open>) -> Self {
        let clock = Arc::new(ManualClock::new(Time(1_790_000_000_123)));
        let open = database.clone();
        let at = clock.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(&open, meetme_model::registry(), at));
        let store = store.await.unwrap().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5e".repeat(32)).unwrap());
        let app = App::new(store, sealer, Settings::default());
        let setting_up = app.clone();
        let made = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let app = &setting_up;
            let first = identity::first(app, tx, "Operator", "root", &Secret::new("correct horse".to_owned()))?;
            let parent = Some(first.operator.id);
            let customer =
                Organization { name: "Customer".into(), form: Form::Customer, parent, ..Organization::default() };
            let customer = tx.create(first.operator.id.any(), customer)?;
            let mut tokens = Vec::new();
            for (name, role) in [("ada", "owner"), ("rea", "read_only")] {
                let user = tx.create(customer.id.any(), User::new(name, customer.id))?;
                let role = identity::builtin_role(tx, role)?;
                let place = Membership { user: user.id, scope: customer.id.any(), roles: vec![role], title: None };
                tx.create(customer.id.any(), place)?;
                let new = NewKey { name: name.to_owned(), ..NewKey::default() };
                let key = identity::create_key(app, tx, Giver::System, user.id.any(), &new)?;
                tokens.push((key.secret.expose().clone(), user.id));
            }
            Ok(tokens)
        });
        let tokens = made.await.unwrap();
        let limits = Limits { rate_per_second: 0, auth_failures_per_minute: 0, ..Limits::default() };
        let config = ServerConfig { limits, ..ServerConfig::default() };
        let server = Server::new(config, vec![meetme_peering::dialect()], app.clone()).unwrap();
        let (token, reader, owner) = (tokens[0].0.clone(), tokens[1].0.clone(), tokens[0].1);
        Self { app, server, clock, token, reader, owner, make, database: Some(database) }
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

    /// `"GET /api/peering/routers/"`, headers, body as it is sent.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Said {
        let (method, path) = line.split_once(' ').unwrap();
        let plain = Request::builder().method(method).uri(path).header("host", "pm.example");
        let plain = headers.iter().fold(plain, |made, (name, value)| made.header(*name, *value));
        let body = Full::new(Bytes::from(body.to_owned()));
        let (head, content) = self.server.call(&Door::inside(), plain.body(body).unwrap()).await.into_parts();
        let bytes = content.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
            serde_json::from_slice(&bytes).unwrap_or_else(|_| text())
        };
        Said { line: line.to_owned(), status: head.status.as_u16(), headers: head.headers, body, bytes }
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
