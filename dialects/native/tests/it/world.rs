//! A small world: the operator with a superuser, and a customer with a user of its own.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use meetme_app::{App, Error, MasterKey, Sealer, Settings, identity};
use meetme_base::{ManualClock, RawId, Secret, Time};
use meetme_http::{Content, Door, Limits, Server, ServerConfig};
use meetme_model::access::{Form, Membership, Organization, User};
use meetme_store::{Context, Open, Store};
use meetme_testdb::Temp;
use serde_json::Value;

pub struct World {
    pub server: Server,
    pub clock: Arc<ManualClock>,
    /// The secret of the superuser's key.
    pub root: String,
    /// The secret of the key of the customer's owner.
    pub customer: String,
    pub operator: RawId,
    pub customer_id: RawId,
    pub make: &'static str,
    database: Option<Temp<Open>>,
}

impl Drop for World {
    fn drop(&mut self) {
        let database = self.database.take();
        std::thread::spawn(move || drop(database)).join().unwrap();
    }
}

#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
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
        let clock = Arc::new(ManualClock::new(Time(1_790_000_000_000)));
        let open = database.clone();
        let at = clock.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(&open, meetme_model::registry(), at));
        let store = store.await.unwrap().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5e".repeat(32)).unwrap());
        let app = App::new(store, sealer, Settings::default());
        let setting_up = app.clone();
        let made = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let first = identity::first(&setting_up, tx, "Operator", "root", &Secret::new("correct horse".to_owned()))?;
            let parent = Some(first.operator.id);
            let customer =
                Organization { name: "Customer".into(), form: Form::Customer, parent, ..Organization::default() };
            let customer = tx.create(first.operator.id.any(), customer)?;
            let user = tx.create(customer.id.any(), User::new("ada", customer.id))?;
            let owner = identity::builtin_role(tx, "owner")?;
            let place = Membership { user: user.id, scope: customer.id.any(), roles: vec![owner], title: None };
            tx.create(customer.id.any(), place)?;
            let new = identity::NewKey { name: "ada".to_owned(), ..identity::NewKey::default() };
            let key = identity::create_key(&setting_up, tx, identity::Giver::System, user.id.any(), &new)?;
            let secrets = (first.key.secret.expose().clone(), key.secret.expose().clone());
            Ok((first.operator.id.any(), customer.id.any(), secrets))
        });
        let (operator, customer_id, (root, customer)) = made.await.unwrap();
        let limits = Limits { rate_per_second: 0, auth_failures_per_minute: 0, ..Limits::default() };
        let config = ServerConfig { limits, ..ServerConfig::default() };
        let server = Server::new(config, vec![meetme_native::dialect()], app.clone()).unwrap();
        Self { server, clock, root, customer, operator, customer_id, make, database: Some(database) }
    }

    /// `"GET /kinds"`, headers, body.
    pub async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &Value) -> Response<Content> {
        let (method, path) = line.split_once(' ').unwrap();
        let plain = Request::builder().method(method).uri(format!("/meetme/v1{path}")).header("host", "meetme.example");
        let mut plain = headers.iter().fold(plain, |made, (name, value)| made.header(*name, *value));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_empty() {
            plain = plain.header("content-type", "application/json");
        }
        self.server.call(&Door::inside(), plain.body(Full::new(Bytes::from(body))).unwrap()).await
    }

    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: &Value) -> Said {
        let (head, content) = self.ask(line, headers, body).await.into_parts();
        Said { status: head.status.as_u16(), headers: head.headers, body: content.collect().await.unwrap().to_bytes() }
    }

    /// As somebody.
    pub async fn by(&self, token: &str, line: &str, body: &Value) -> Said {
        self.send(line, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// As the superuser.
    pub async fn root(&self, line: &str, body: &Value) -> Said {
        self.by(&self.root, line, body).await
    }
}

impl Said {
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
    /// Field and code of the first error.
    #[track_caller]
    pub fn error(&self) -> (String, String) {
        let body = self.json();
        let text = |name: &str| body["errors"][0][name].as_str().unwrap_or_default().to_owned();
        (text("field"), text("code"))
    }
}
