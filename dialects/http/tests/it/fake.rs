//! Three dialects without a vendor: `alpha` speaks JSON and takes paths as they are, `beta` takes forms and wants a slash at
//! the end, `gamma` drops a prefix and ignores slashes.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use meetme_app::{AuthFailure, Error, MasterKey, Sealer, Settings, Subject};
use meetme_base::{Id, SystemClock, Uid};
use meetme_http::{
    App, Auth, Caller, Claim, Content, Cx, Dialect, Door, Event, Limits, Media, Op, Parts, Problem, QueryParam, Reply,
    Server, ServerConfig, Shape, Slash,
};
use meetme_store::{Everything, Open, Registry, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// The core; the only place that knows how to make one.
pub fn app() -> App {
    // Nothing here asks the store, so an empty one that lives in memory will do.
    let open = Open::Sqlite { path: ":memory:".into(), readers: 1 };
    let store = Store::open(&open, Registry::new(), Arc::new(SystemClock)).unwrap();
    App::new(store, Sealer::new(&MasterKey::parse(&"7".repeat(64)).unwrap()), Settings::default())
}
/// Somebody; the only place that knows how to make one.
pub fn somebody() -> Caller {
    let subject = Subject {
        user: None,
        key: None,
        name: "somebody".to_owned(),
        home: Id::new(1),
        project: None,
        read_only: false,
        superuser: false,
        nodes: Vec::new(),
    };
    let (subject, scope) = (Arc::new(subject), Arc::new(Everything));
    Caller { subject, scope, dialect: "fake", request: Uid::random(), ip: None, dry_run: false }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thing {
    name: String,
    part: Option<Part>,
}
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Part {
    size: u8,
}

/// Lets a test know that a handler runs, and lets the handler go on.
#[derive(Clone)]
pub struct Turnstile {
    pub entered: Arc<Semaphore>,
    pub released: Arc<Semaphore>,
}

impl Turnstile {
    pub fn new() -> Self {
        Self { entered: Arc::new(Semaphore::new(0)), released: Arc::new(Semaphore::new(0)) }
    }
}

async fn echo(cx: Cx) -> Result<Reply, Problem> {
    let query: Vec<_> = cx.query.iter().collect();
    let path: Vec<_> = cx.path.iter().collect();
    Ok(Reply::ok(&json!({
        "op": cx.op, "dialect": cx.dialect, "path": path, "query": query, "known": cx.known_caller().is_some(),
        "base": cx.base_url, "peer": cx.peer, "id": cx.request_id, "body": String::from_utf8_lossy(&cx.body),
    })))
}

async fn make(cx: Cx) -> Result<Reply, Problem> {
    cx.expect_media(&[Media::Json])?;
    let thing: Thing = cx.json_or_empty()?;
    Ok(Reply::created(format!("{}/things/{}", cx.base_url, thing.name), &thing))
}

pub fn alpha(turnstile: &Turnstile) -> Dialect {
    let turnstile = turnstile.clone();
    let ops = vec![
        meetme_http::openapi::op("/openapi.json"),
        Op::get("listThings", "/things")
            .query(vec![QueryParam::text("name").repeated(), QueryParam::integer("limit")])
            .run(echo),
        Op::post("createThing", "/things")
            .summary("Makes a thing.")
            .takes(Shape::of::<Thing>())
            .gives(Shape::of::<Thing>())
            .success(201)
            .run(make),
        Op::get("getThing", "/things/{thingId}").group("things").gives(Shape::of::<Thing>()).run(echo),
        Op::delete("deleteThing", "/things/{id}")
            .success(204)
            .run(async |_| Ok::<_, Error>(Reply::empty(StatusCode::NO_CONTENT))),
        Op::get("getPart", "/things/{a}/parts/{b}").auth(Auth::Optional).gives(Shape::Named("Piece")).run(echo),
        Op::post("login", "/login").open().run(async |_| Ok::<_, Error>(Reply::ok("alpha"))),
        Op::put("small", "/small").open().body_limit(10).run(echo),
        Op::get("shared", "/shared/{x}").open().run(echo),
        Op::get("panic", "/panic").open().run(async |cx| {
            assert!(cx.body.len() > 1000, "secret text of a panic");
            echo(cx).await
        }),
        Op::get("nobody", "/nobody").open().run(async |cx: Cx| {
            let _caller = cx.caller();
            echo(cx).await
        }),
        Op::get("unwritable", "/unwritable")
            .open()
            .run(async |_| Ok::<_, Error>(Reply::ok(&std::collections::BTreeMap::from([((1, 2), 3)])))),
        Op::get("slow", "/slow")
            .open()
            .time_limit(Duration::from_millis(50))
            .run(async |_| std::future::pending::<Result<Reply, Error>>().await),
        Op::get("limited", "/limited")
            .open()
            .run(async |_| Err::<Reply, _>(Error::Limited { retry_after: Duration::from_millis(2300) })),
        Op::get("big", "/big").open().run(async |_| Ok::<_, Error>(Reply::ok(&vec!["the same again"; 1000]))),
        Op::get("tagged", "/tagged")
            .open()
            .run(async |_| Ok::<_, Error>(Reply::ok(&vec!["the same again"; 1000]).header("etag", "\"7\""))),
        Op::get("events", "/events").open().run(async |_| {
            let first = Event { data: "first".repeat(500), ..Event::default() };
            let events =
                futures_util::StreamExt::chain(futures_util::stream::iter([first]), futures_util::stream::pending());
            Ok::<_, Error>(Reply::sse(events))
        }),
        Op::get("hold", "/hold").open().run(move |_| {
            let turnstile = turnstile.clone();
            async move {
                turnstile.entered.add_permits(1);
                let pass = turnstile.released.acquire().await.map_err(|_| Error::Bug("closed".into()))?;
                drop(pass);
                Ok::<_, Error>(Reply::ok("held"))
            }
        }),
    ];
    Dialect {
        title: "Alpha",
        version: "1.2",
        authenticate,
        wire_error: |problem, _| spell("alpha", problem),
        mine: |parts| claim(parts, "alpha", Media::Json),
        finish: |reply, _| {
            *reply = std::mem::replace(reply, Reply::empty(StatusCode::OK)).header("x-alpha-version", "1.2")
        },
        components: || json!({ "Piece": { "type": "object" } }).as_object().cloned().unwrap_or_default(),
        security: || {
            json!({ "key": { "type": "apiKey", "in": "header", "name": "x-key" } })
                .as_object()
                .cloned()
                .unwrap_or_default()
        },
        ..Dialect::new("alpha", ops)
    }
}

pub fn beta() -> Dialect {
    let ops = vec![
        meetme_http::openapi::op("/openapi.json"),
        Op::post("login", "/login")
            .open()
            .run(async |cx| Ok::<_, Problem>(Reply::ok(&cx.form_fields().get("user").unwrap_or_default()))),
        Op::get("list", "/api/things/").open().run(echo),
        Op::get("shared", "/shared/{y}").open().run(echo),
        Op::put("putShared", "/shared/{z}").open().run(echo),
        Op::on(http::Method::OPTIONS, "describe", "/api/things/").open().run(echo),
    ];
    Dialect {
        slash: Slash::Redirect,
        wire_error: |problem, _| spell("beta", problem),
        mine: |parts| if parts.path().starts_with("/api/") { Claim::Likely } else { claim(parts, "beta", Media::Form) },
        ..Dialect::new("beta", ops)
    }
}

pub fn gamma() -> Dialect {
    let ops = vec![Op::get("get", "/items/{id}").open().run(echo), Op::get("files", "/files/{*rest}").open().run(echo)];
    Dialect {
        slash: Slash::Ignore,
        wire_error: |problem, _| spell("gamma", problem),
        mine: |parts| if parts.path().starts_with("/g/") { Claim::Certain } else { Claim::No },
        normalise: |path| {
            let path = path.strip_prefix("/g").filter(|rest| rest.starts_with('/')).unwrap_or(path);
            if path.contains("//") { Cow::Owned(path.replace("//", "/")) } else { Cow::Borrowed(path) }
        },
        ..Dialect::new("gamma", ops)
    }
}

fn authenticate(cx: &Cx) -> meetme_http::Soon<'_, Result<Caller, Error>> {
    Box::pin(async {
        match cx.header("x-key") {
            Some("good") => Ok(somebody()),
            Some(_) => Err(Error::Unauthenticated(AuthFailure::Wrong)),
            None => Err(Error::Unauthenticated(AuthFailure::Absent)),
        }
    })
}

fn claim(parts: &Parts, name: &str, media: Media) -> Claim {
    match parts.header("x-dialect") {
        Some(wanted) if wanted == name => Claim::Certain,
        Some(_) => Claim::No,
        None if parts.media() == media => Claim::Likely,
        None => Claim::Possible,
    }
}

fn spell(dialect: &str, problem: &Problem) -> Reply {
    let fields: Vec<&str> = match problem {
        Problem::App(Error::Invalid(list)) => list.iter().map(|bad| bad.field.as_str()).collect(),
        _ => Vec::new(),
    };
    Reply::json(problem.status(), &json!({ "by": dialect, "says": problem.to_string(), "fields": fields }))
}

/// A server that is called without a socket.
pub struct Lab {
    pub server: Server,
    pub door: Door,
}

/// What came back.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Lab {
    pub fn new() -> Self {
        Self::with(ServerConfig::default())
    }
    pub fn limited(limits: Limits) -> Self {
        Self::with(ServerConfig { limits, ..ServerConfig::default() })
    }
    pub fn with(config: ServerConfig) -> Self {
        let dialects = vec![alpha(&Turnstile::new()), beta(), gamma()];
        Self { server: Server::new(config, dialects, app()).unwrap(), door: Door::inside() }
    }
    /// `"GET /path"`, headers, body.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Said {
        self.send_body(line, headers, Full::new(Bytes::copy_from_slice(body.as_bytes()))).await
    }
    pub async fn get(&self, path: &str) -> Said {
        self.send(&format!("GET {path}"), &[("x-key", "good")], "").await
    }
    pub async fn from(&self, address: &str, path: &str, headers: &[(&str, &str)]) -> Said {
        let socket: IpAddr = address.parse().unwrap();
        let response = self
            .server
            .call(&Door { socket, ..self.door }, request(&format!("GET {path}"), headers, Full::new(Bytes::new())))
            .await;
        said(response).await
    }
    pub async fn send_body<B>(&self, line: &str, headers: &[(&str, &str)], body: B) -> Said
    where
        B: hyper::body::Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        said(self.server.call(&self.door, request(line, headers, body)).await).await
    }
}

pub fn request<B>(line: &str, headers: &[(&str, &str)], body: B) -> Request<B> {
    let (method, path) = line.split_once(' ').unwrap();
    let plain = Request::builder().method(method).uri(path).header("host", "meetme.example");
    headers.iter().fold(plain, |made, (name, value)| made.header(*name, *value)).body(body).unwrap()
}

pub async fn said(response: Response<Content>) -> Said {
    let (head, body) = response.into_parts();
    Said { status: head.status.as_u16(), headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
    /// The status, and who spelled it.
    pub fn by(&self) -> (u16, String) {
        (self.status, self.json()["by"].as_str().unwrap_or_default().to_owned())
    }
}
