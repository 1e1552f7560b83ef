//! A small world: the operator with a superuser, and a customer with a user of its own.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use meetme_app::identity;
use meetme_base::{ManualClock, RawId, Secret, Time};
use meetme_http::{Content, Door, Server};
use meetme_testkit::{Database, Place, as_system, customer, person, unlimited};
use serde_json::Value;

/// The moment the tests live in.
const NOW: Time = Time(1_790_000_000_000);

pub struct World {
    pub server: Server,
    pub clock: Arc<ManualClock>,
    /// The secret of the superuser's key.
    pub root: String,
    /// The secret of the key of the customer's owner.
    pub customer: String,
    /// The secret of the key of somebody who may read the operator's book, and nothing of its secrets.
    pub reader: String,
    pub operator: RawId,
    pub customer_id: RawId,
    pub make: &'static str,
    _database: Database,
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
            let (_, key) = person(app, tx, customer, "ada", "owner")?;
            let (_, reader) = person(app, tx, first.operator.id, "eve", "reader")?;
            Ok((first.operator.id.any(), customer.any(), (first.key.secret.expose().clone(), key, reader)))
        });
        let (operator, customer_id, (root, customer, reader)) = made.await;
        let server = meetme_testkit::server(meetme_native::dialect(), &app, unlimited());
        Self { server, clock, root, customer, reader, operator, customer_id, make, _database: database }
    }

    /// `"GET /kinds"`, headers, body.
    pub async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &Value) -> Response<Content> {
        let (method, path) = line.split_once(' ').unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut all = vec![("host", "meetme.example")];
        all.extend(headers);
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        let request = meetme_testkit::request(&format!("{method} /meetme/v1{path}"), &all, body);
        self.server.call(&Door::inside(), request).await
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
