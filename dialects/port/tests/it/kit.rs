//! A small world and a client for it.

use std::sync::Arc;

use http::Request;
use http_body_util::{BodyExt as _, Full};
use meetme_app::{App, MasterKey, Sealer, Settings, identity};
use meetme_base::{ManualClock, Secret, Time};
use meetme_http::{Door, Server, ServerConfig};
use meetme_store::{Context, Open, Store};
use serde_json::{Value, json};

pub struct World {
    pub server: Server,
    pub clock: Arc<ManualClock>,
    key: (String, String),
    _database: Box<dyn std::any::Any + Send>,
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
        for (_, database) in meetme_testdb::both() {
            let open: Open = (*database).clone();
            out.push(Self::over(&open, Box::new(database)).await);
        }
        out
    }

    async fn over(open: &Open, database: Box<dyn std::any::Any + Send>) -> Self {
        let clock = Arc::new(ManualClock::new(Time(1_780_000_000_000)));
        let store = Store::open(open, meetme_model::registry(), clock.clone()).unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5".repeat(64)).unwrap());
        let app = App::new(store, sealer, Settings::default());
        let inner = app.clone();
        let first = app
            .store()
            .write(Context::system(), move |tx| {
                identity::first(&inner, tx, "Operator", "ada", &Secret::new("correct horse".to_owned()))
            })
            .await
            .unwrap();
        let key = (first.key.key.spec.public.clone(), first.key.secret.expose().clone());
        let server = Server::new(ServerConfig::default(), vec![meetme_port::dialect()], app).unwrap();
        Self { server, clock, key, _database: database }
    }

    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(bytes::Bytes::from(body.to_owned()))).unwrap();
        let door = Door::inside();
        let answer = self.server.call(&door, request).await;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
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
