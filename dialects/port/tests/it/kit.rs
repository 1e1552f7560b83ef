//! A small world and a client for it.

use std::sync::Arc;

use meetme_app::identity;
use meetme_base::{ManualClock, Secret, Time};
use meetme_http::{Limits, Server};
use meetme_testkit::{Database, Place, as_system};
use serde_json::{Value, json};

pub struct World {
    pub server: Server,
    pub clock: Arc<ManualClock>,
    key: (String, String),
    _database: Database,
}

pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The status is right and the body is as the contract says.
    #[track_caller]
    pub fn proves(self, operation: &str, status: u16) -> Value {
        let body = self.is(status);
        meetme_contracts::prove("port", operation, status, &body);
        body
    }
}

impl World {
    /// A world on each database this machine has.
    pub async fn all() -> Vec<Self> {
        let mut out = Vec::new();
        for place in meetme_testkit::both(Time(1_780_000_000_000)) {
            out.push(Self::over(place).await);
        }
        out
    }

    async fn over(place: Place) -> Self {
        let Place { app, clock, database, .. } = place;
        let first = as_system(&app, |app, tx| {
            identity::first(app, tx, "Operator", "ada", &Secret::new("correct horse".to_owned()))
        })
        .await;
        let key = (first.key.key.spec.public.clone(), first.key.secret.expose().clone());
        let server = meetme_testkit::server(meetme_port::dialect(), &app, Limits::default());
        Self { server, clock, key, _database: database }
    }

    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers: Vec<_> = [("content-type", "application/json")].iter().chain(headers).copied().collect();
        let said = meetme_testkit::call(&self.server, &format!("{method} {path}"), &headers, body.to_owned()).await;
        Answer { status: said.status, body: serde_json::from_slice(&said.bytes).unwrap_or(Value::Null) }
    }

    pub async fn login(&self) -> Answer {
        let body = json!({"clientId": self.key.0, "clientSecret": self.key.1});
        self.raw("POST", "/v1/auth/access_token", &[], &body.to_string()).await
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let token = self.login().await.is(200)["accessToken"].as_str().unwrap().to_owned();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bearer = format!("Bearer {token}");
        self.raw(method, path, &[("authorization", &bearer), ("user-agent", "tests/1")], &body).await
    }
}
