//! The way of one request through the server.

use std::{any::Any, collections::HashMap, fmt::Display, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request};
use hyper::body::Body;
use meetme_app::{AuthFailure, Error};
use meetme_base::Uid;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    App, Auth, Content, Cx, Dialect, Door, Fault, Metrics, Params, Parts, Problem, Query, Reply, ServerConfig, Soon,
    body, client, compress,
    health::{self, Check},
    limit::Gate,
    mask, plain,
    route::{self, Home, Pick},
};

/// The name of the request id's header.
const REQUEST_ID: &str = "x-request-id";

/// The dialects, the core and the limits put together. Make it, add readiness checks, then [`Server::bind`] it.
#[derive(Clone)]
pub struct Server {
    pub(crate) inner: Arc<Inner>,
}

/// What every request needs.
pub(crate) struct Inner {
    pub config: ServerConfig,
    pub homes: Vec<Arc<Home>>,
    pub checks: Vec<(&'static str, Check)>,
    pub metrics: Metrics,
    pub gate: Gate,
    /// Whether nothing but the dialects is answered.
    pub bare: bool,
    /// Set when the server stops.
    pub stop: CancellationToken,
    hosts: HashMap<String, usize>,
    app: App,
}

/// An answer, and whose it is.
struct Answer {
    reply: Reply,
    home: Option<usize>,
    op: Option<usize>,
    params: Option<Params>,
}

impl Server {
    /// Builds the route tables. The order of the dialects breaks ties between their claims.
    ///
    /// # Errors
    /// When a table contradicts itself or the configuration names a dialect that is not there.
    pub fn new(config: ServerConfig, dialects: Vec<Dialect>, app: App) -> Result<Self, Fault> {
        let mut rows = Vec::new();
        let mut homes = Vec::with_capacity(dialects.len());
        for dialect in dialects {
            let first_slot = rows.len();
            rows.extend(dialect.ops.iter().map(|op| (dialect.name, op.id)));
            rows.push((dialect.name, "none"));
            homes.push(Arc::new(Home::new(dialect, first_slot)?));
        }
        rows.push(("none", "none"));
        let mut hosts = HashMap::new();
        for (name, own) in &config.dialects {
            let position = homes
                .iter()
                .position(|home| home.dialect.name == name)
                .ok_or_else(|| Fault::NoDialect(name.clone()))?;
            hosts.extend(own.hosts.iter().map(|host| (host.to_ascii_lowercase(), position)));
        }
        let (metrics, gate) = (Metrics::new(rows.into_iter()), Gate::new(&config.limits));
        let inner = Inner {
            config,
            homes,
            checks: Vec::new(),
            metrics,
            gate,
            bare: false,
            stop: CancellationToken::new(),
            hosts,
            app,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Adds something `/readyz` asks about. Only before the server is cloned or bound.
    #[must_use]
    pub fn check(
        mut self,
        name: &'static str,
        check: impl Fn() -> Soon<'static, Result<(), String>> + Send + Sync + 'static,
    ) -> Self {
        match Arc::get_mut(&mut self.inner) {
            Some(inner) => inner.checks.push((name, Arc::new(check))),
            None => tracing::error!(check = name, "a readiness check was added too late and is not asked"),
        }
        self
    }

    /// Answers nothing but the dialects: neither health, readiness and metrics nor documents, which are not for everybody who reaches
    /// these listeners. Only before the server is cloned or bound.
    #[must_use]
    pub fn bare(mut self) -> Self {
        match Arc::get_mut(&mut self.inner) {
            Some(inner) => inner.bare = true,
            None => tracing::error!("a server was made bare too late"),
        }
        self
    }

    /// The counters, to add others to.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Answers one request that came in by `door`. The listeners call this; tests may, without a socket.
    pub async fn call<B>(&self, door: &Door, request: Request<B>) -> Response<Content>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Display,
    {
        self.inner.call(door, request).await
    }
}

impl Inner {
    pub async fn call<B>(&self, door: &Door, request: Request<B>) -> Response<Content>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Display,
    {
        let start = Instant::now();
        let under_way = self.metrics.counts.enter();
        let (head, body) = request.into_parts();
        let parts = Arc::new(self.read(door, head));
        let answered = AssertUnwindSafe(self.answer(door, &parts, body, start)).catch_unwind().await;
        let mut answer = answered.unwrap_or_else(|panic| {
            let bug = Problem::from(bug_of(&*panic));
            report(&bug, &parts);
            Answer { reply: plain(&bug), home: None, op: None, params: None }
        });
        self.seal(&mut answer.reply, &parts).await;
        drop(under_way);
        self.record(&answer, &parts, start.elapsed());
        answer.reply.into_response()
    }

    fn read(&self, door: &Door, head: request::Parts) -> Parts {
        let trusted = &self.config.trusted_proxies;
        Parts {
            peer: client::peer(door.socket, &head.headers, trusted),
            base_url: client::base_url(door, &head.uri, &head.headers, trusted),
            query: Query::parse(head.uri.query().unwrap_or_default()),
            request_id: Uid::random(),
            method: head.method,
            uri: head.uri,
            headers: head.headers,
        }
    }

    async fn answer<B>(&self, door: &Door, parts: &Arc<Parts>, mut body: B, start: Instant) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Display,
    {
        let mut answer = Answer { reply: Reply::empty(StatusCode::NO_CONTENT), home: None, op: None, params: None };
        if let Some(reply) = health::answer(self, door, parts).await {
            answer.reply = reply;
            return answer;
        }
        let pick = if door.api { route::pick(&self.homes, self.only(door, parts), parts) } else { Pick::Nobody };
        let (home, allow, result) = match pick {
            Pick::Nobody => {
                answer.reply = plain(&Problem::NoRoute);
                return answer;
            }
            Pick::Redirect { home, location } => {
                answer.home = Some(home);
                let moved = Reply::bytes(StatusCode::MOVED_PERMANENTLY, "text/html; charset=utf-8", "");
                answer.reply = moved.header(header::LOCATION, location);
                return answer;
            }
            Pick::Options { home, allow } => {
                (home, allow, Ok(Reply::empty(StatusCode::NO_CONTENT).header(header::ALLOW, allow)))
            }
            Pick::Problem { home, problem, allow } => (home, allow, self.admit(parts).and(Err(problem))),
            Pick::Op { home, op, params, allow } => {
                answer.op = Some(op);
                answer.params = mask::has_secret(&params).then(|| params.clone());
                let call = self.operate(&self.homes[home], op, params, parts, &mut body, start);
                let result =
                    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|panic| Err(bug_of(&*panic).into()));
                (home, allow, result)
            }
        };
        answer.home = Some(home);
        let dialect = &self.homes[home].dialect;
        let result = result.and_then(|reply| match reply.fault {
            None => Ok(reply),
            Some(text) => Err(Error::Bug(text).into()),
        });
        answer.reply = match result {
            Ok(reply) => reply,
            Err(problem) => {
                report(&problem, parts);
                if problem.is_failed_credential() {
                    self.gate.failed(parts.peer);
                }
                body::discard(body, &parts.headers).await;
                let mut reply = (dialect.wire_error)(&problem, parts);
                problem.complete(&mut reply);
                reply
            }
        };
        if dialect.allow
            && !allow.is_empty()
            && let Ok(methods) = HeaderValue::from_str(allow)
        {
            answer.reply.headers.insert(header::ALLOW, methods);
        }
        (dialect.finish)(&mut answer.reply, parts);
        answer
    }

    /// Identifies the caller, reads the body, runs the handler: in this order, so that strangers cannot make us hold bodies.
    async fn operate<B>(
        &self,
        home: &Arc<Home>,
        op: usize,
        path: Params,
        parts: &Arc<Parts>,
        body: &mut B,
        start: Instant,
    ) -> Result<Reply, Problem>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Display,
    {
        self.admit(parts)?;
        let row = &home.dialect.ops[op];
        let deadline = start + row.time_limit.unwrap_or(Duration::from_secs(self.config.limits.request_seconds));
        let mut cx = Cx {
            app: self.app.clone(),
            parts: Arc::clone(parts),
            path,
            body: Bytes::new(),
            op: row.id,
            dialect: home.dialect.name,
            caller: None,
            home: Arc::clone(home),
        };
        if row.auth != Auth::Open {
            let known = timeout_at(deadline, (home.dialect.authenticate)(&cx)).await.map_err(|_| Problem::Timeout)?;
            cx.caller = match known {
                Err(Error::Unauthenticated(AuthFailure::Absent)) if row.auth == Auth::Optional => None,
                known => Some(known?),
            };
        }
        if !body.is_end_stream() {
            let limit = row.body_limit.unwrap_or(self.config.limits.body_bytes);
            cx.body = timeout_at(deadline, body::read(body, limit)).await.map_err(|_| Problem::SlowBody)??;
        }
        let span = tracing::info_span!("request", request.id = %parts.request_id, dialect = cx.dialect, op = cx.op);
        timeout_at(deadline, (row.handler)(cx).instrument(span)).await.map_err(|_| Problem::Timeout)?
    }

    fn admit(&self, parts: &Parts) -> Result<(), Problem> {
        self.gate.admit(parts.peer).map_err(Problem::from)
    }

    /// The only dialect that may answer, by door or by host name.
    fn only(&self, door: &Door, parts: &Parts) -> Option<usize> {
        if door.dialect.is_some() || self.hosts.is_empty() {
            return door.dialect;
        }
        self.hosts.get(client::host_of(&parts.base_url).to_ascii_lowercase().as_str()).copied()
    }

    /// What every answer gets, whoever made it.
    async fn seal(&self, reply: &mut Reply, parts: &Parts) {
        if self.config.compression {
            compress::apply(reply, &parts.headers).await;
        }
        if let Ok(id) = HeaderValue::from_str(&parts.request_id.to_string()) {
            reply.headers.insert(REQUEST_ID, id);
        }
        if parts.method == Method::HEAD {
            if let Content::Full(body) = &reply.content {
                reply.headers.insert(header::CONTENT_LENGTH, body.len().into());
            }
            reply.content = Content::Empty;
        }
        reply.content = match std::mem::replace(&mut reply.content, Content::Empty) {
            Content::Stream(stream) => {
                Content::Stream(Box::pin(stream.take_until(self.stop.clone().cancelled_owned())))
            }
            whole => whole,
        };
    }

    fn record(&self, answer: &Answer, parts: &Parts, took: Duration) {
        let home = answer.home.map(|home| &self.homes[home]);
        let row = home.map_or_else(
            || self.homes.last().map_or(0, |last| last.first_slot + last.dialect.ops.len() + 1),
            |home| home.first_slot + answer.op.unwrap_or(home.dialect.ops.len()),
        );
        self.metrics.counts.answered(row, answer.reply.status, took);
        if !tracing::enabled!(tracing::Level::INFO) {
            return;
        }
        tracing::info!(
            http.method = %parts.method,
            http.path = %mask::address(parts.path(), parts.uri.query(), answer.params.as_ref()),
            http.status = answer.reply.status.as_u16(),
            duration.us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            dialect = home.map_or("none", |home| home.dialect.name),
            op = home.zip(answer.op).map_or("none", |(home, op)| home.dialect.ops[op].id),
            request.id = %parts.request_id,
            request.client_id = parts.header(REQUEST_ID).map(|id| &id[..id.len().min(128)]),
            client.address = %parts.peer,
            "answered"
        );
    }
}

/// Puts into the log what the caller is not told. Whatever is the caller's own mistake is no more than the one line.
fn report(problem: &Problem, parts: &Parts) {
    match problem {
        Problem::App(Error::Bug(text)) => {
            tracing::error!(request.id = %parts.request_id, bug = text, "a request failed by our own mistake")
        }
        Problem::App(Error::Unavailable(text)) => {
            tracing::warn!(request.id = %parts.request_id, reason = text, "a request could not be answered now")
        }
        Problem::Timeout => tracing::warn!(request.id = %parts.request_id, "a request took too long"),
        _ => {}
    }
}

fn bug_of(panic: &(dyn Any + Send)) -> Error {
    let text =
        panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Bug(format!("panicked: {}", text.unwrap_or_else(|| "without words".to_owned())))
}
