//! What the tests of every dialect begin with: a core over a fresh database, somebody with a key, and a server that is called
//! without a socket.
//!
//! Promise: it knows no dialect. Which things a world of tests consists of, and how its requests and answers are spelled, stays
//! with the dialect that is tested.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use meetme_app::{
    App, Error, MasterKey, Sealer, Settings,
    identity::{self, Giver, NewKey},
};
use meetme_base::{Id, ManualClock, Time};
use meetme_http::{Dialect, Door, Limits, Server, ServerConfig};
use meetme_model::access::{Membership, Organization, User};
use meetme_store::{Context, Open, Store, Tx};
use meetme_testdb::Temp;
use serde_json::Value;

/// The database of a [`Place`], which goes when this is dropped.
pub type Database = Temp<Open>;

/// A core with nothing in it, on a database of its own. As far as it knows, routing registries are asked; nobody does.
pub struct Place {
    /// Its operations.
    pub app: App,
    /// Its clock, which stands still until it is moved.
    pub clock: Arc<ManualClock>,
    /// The make of its database.
    pub make: &'static str,
    /// The database, which goes with this.
    pub database: Database,
}

/// A place on each database that this machine has.
///
/// # Panics
/// As [`meetme_testdb::both`], or when a database cannot be opened.
pub fn both(now: Time) -> Vec<Place> {
    meetme_testdb::both().into_iter().map(|(make, database)| Place::on(make, database, now)).collect()
}

/// A place on the database that is always there.
///
/// # Panics
/// As [`meetme_testdb::sqlite`], or when the database cannot be opened.
pub fn one(now: Time) -> Place {
    Place::on("sqlite", meetme_testdb::sqlite(), now)
}

impl Place {
    fn on(make: &'static str, database: Database, now: Time) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let (open, at) = (database.clone(), clock.clone());
        // Opening blocks, which the threads of an asynchronous test must not.
        let opening = std::thread::spawn(move || Store::open(&open, meetme_model::registry(), at));
        let store = opening.join().expect("the thread did not panic").expect("a fresh database can be opened");
        let sealer = Sealer::new(&MasterKey::parse(&"5e".repeat(32)).expect("32 bytes in hexadecimal"));
        let settings = Settings { registries: true, ..Settings::default() };
        Self { app: App::new(store, sealer, settings), clock, make, database }
    }
}

/// Does something with every right, as controllers and the command line do it.
///
/// # Panics
/// When it fails.
pub async fn as_system<T: Send + 'static>(
    app: &App,
    f: impl Fn(&App, &mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> T {
    let inside = app.clone();
    let done = app.store().write::<_, Error, _>(Context::system(), move |tx| f(&inside, tx)).await;
    done.expect("nothing speaks against it")
}

/// Makes a customer right below the operator.
///
/// # Errors
/// As the store's.
pub fn customer(tx: &mut Tx<'_>, operator: Id<Organization>, name: &str) -> Result<Id<Organization>, Error> {
    let spec = Organization { name: name.to_owned(), parent: Some(operator), ..Organization::default() };
    Ok(tx.create(operator.any(), spec)?.id)
}

/// Makes a user of an organization who has one of the built-in roles there, and a key of the user's; answers the key's secret too.
///
/// # Errors
/// As the store's.
pub fn person(
    app: &App,
    tx: &mut Tx<'_>,
    home: Id<Organization>,
    name: &str,
    role: &str,
) -> Result<(Id<User>, String), Error> {
    let user = tx.create(home.any(), User::new(name, home))?.id;
    let roles = vec![identity::builtin_role(tx, role)?];
    tx.create(home.any(), Membership { user, scope: home.any(), roles, title: None })?;
    let new = NewKey { name: name.to_owned(), ..NewKey::default() };
    let key = identity::create_key(app, tx, Giver::System, user.any(), &new)?;
    Ok((user, key.secret.expose().clone()))
}

/// A server of one dialect.
///
/// # Panics
/// When the dialect's table contradicts itself.
pub fn server(dialect: Dialect, app: &App, limits: Limits) -> Server {
    let config = ServerConfig { limits, ..ServerConfig::default() };
    Server::new(config, vec![dialect], app.clone()).expect("a dialect by itself has no rival")
}

/// For tests that ask much in little time.
pub fn unlimited() -> Limits {
    Limits { rate_per_second: 0, auth_failures_per_minute: 0, ..Limits::default() }
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub bytes: Bytes,
}

impl Answer {
    /// The body as JSON: null when there is none, a text when it is something else.
    pub fn value(&self) -> Value {
        let text = || Value::String(String::from_utf8_lossy(&self.bytes).into_owned());
        if self.bytes.is_empty() { Value::Null } else { serde_json::from_slice(&self.bytes).unwrap_or_else(|_| text()) }
    }
}

/// A request from `"GET /some/path"`.
///
/// # Panics
/// When the line or a header is none.
pub fn request(line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let plain = Request::builder().method(method).uri(path);
    let plain = headers.iter().fold(plain, |made, (name, value)| made.header(*name, *value));
    plain.body(Full::new(body.into())).expect("a request")
}

/// Sends a [`request`] and waits for the whole answer.
///
/// # Panics
/// As [`request`], or when the answer breaks off.
pub async fn call(server: &Server, line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let (head, content) = server.call(&Door::inside(), request(line, headers, body)).await.into_parts();
    let bytes = content.collect().await.expect("the answer comes to its end").to_bytes();
    Answer { status: head.status.as_u16(), headers: head.headers, bytes }
}
