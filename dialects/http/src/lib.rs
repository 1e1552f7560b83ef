//! What every dialect needs and none should write twice: the operation table, routing of several dialects on one address,
//! the server with its limits, request ids, metrics, and the writer of OpenAPI documents.
//!
//! Promise: `http` knows no vendor. It has no path, header or error text of any dialect in it; a dialect hands over a
//! [`Dialect`] value (a table of [`Op`]s and six functions) and everything here is derived from that value at run time.
//! It depends on `base` and `app` only. A web framework was left out on purpose: a table of operations that OpenAPI,
//! metrics, the access test and routing all read cannot be had from a router that hides its routes.
//!
//! A request goes: door (listener) -> [`Parts`] (what it says before anyone claims it) -> route (who knows the path, who
//! claims it most) -> limits -> the dialect's `authenticate` -> body -> handler with a [`Cx`] -> [`Reply`] or [`Problem`]
//! -> the dialect's `wire_error` and `finish` -> compression, request id, one log line, metrics.

mod body;
mod client;
mod compress;
mod config;
mod cx;
mod decode;
mod desk;
mod dialect;
mod health;
mod limit;
mod listen;
mod mask;
mod metrics;
mod op;
pub mod openapi;
mod parts;
mod problem;
mod query;
mod reply;
mod route;
mod server;
mod tls;

pub use client::Door;
pub use config::{DialectConfig, Limits, ServerConfig, TlsConfig};
pub use cx::{Cx, Params};
pub use dialect::{Claim, Dialect, Row, Slash, single_slashes, table};
pub use listen::{Bound, Listening};
pub use meetme_app::{App, Caller};
pub use metrics::Metrics;
pub use op::{Auth, Draft, Handler, Op, QueryParam, Shape, ValueKind, Verb};
pub use parts::{Media, Parts};
pub use problem::{Problem, plain};
pub use query::Query;
pub use reply::{Content, Event, Reply};
pub use route::Fault;
pub use server::Server;

/// A boxed future that may borrow for `'a`.
pub type Soon<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
