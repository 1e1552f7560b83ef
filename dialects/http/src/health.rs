//! The server's own paths: alive, ready, metrics, and every dialect's OpenAPI document.

use std::sync::Arc;

use futures_util::{FutureExt, future};
use http::{Method, StatusCode};
use serde_json::json;

use crate::{Parts, Problem, Reply, Soon, client::Door, openapi, plain, server::Inner};

/// Asks whether one thing the server needs is there; the text says what is missing.
pub(crate) type Check = Arc<dyn Fn() -> Soon<'static, Result<(), String>> + Send + Sync>;

/// How long one readiness check may take before it counts as failed.
const CHECK_TIME: std::time::Duration = std::time::Duration::from_secs(5);

const OPENAPI: &str = "/meetme/openapi/";

/// Answers the server's own paths; `None` for all others.
pub(crate) async fn answer(inner: &Inner, door: &Door, parts: &Parts) -> Option<Reply> {
    if inner.bare {
        return None;
    }
    let path = parts.path();
    let document = path.strip_prefix(OPENAPI).and_then(|rest| rest.strip_suffix(".json")).filter(|_| door.api);
    let is_admin = door.admin && matches!(path, "/healthz" | "/readyz" | "/metrics");
    if document.is_none() && !is_admin {
        return None;
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Some(refuse(&Problem::NoMethod { allow: "GET, HEAD".to_owned() }));
    }
    if let Some(name) = document {
        if let Err(error) = inner.gate.admit(parts.peer) {
            return Some(refuse(&error.into()));
        }
        let home = inner.homes.iter().find(|home| home.dialect.name == name);
        return Some(home.map_or_else(|| refuse(&Problem::NoRoute), |home| openapi::reply(home, &parts.base_url)));
    }
    Some(match path {
        "/healthz" => Reply::text(StatusCode::OK, "alive\n"),
        "/readyz" => ready(inner).await,
        _ => match inner.metrics.text() {
            Ok(text) => {
                Reply::bytes(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text)
            }
            Err(error) => refuse(&meetme_app::Error::Bug(format!("the metrics cannot be written: {error}")).into()),
        },
    })
}

/// All checks at once; each that fails is named.
async fn ready(inner: &Inner) -> Reply {
    let asked = inner.checks.iter().map(|(name, check)| {
        let answer =
            std::panic::AssertUnwindSafe(async { tokio::time::timeout(CHECK_TIME, check()).await }).catch_unwind();
        async move {
            let said = match answer.await {
                Ok(Ok(said)) => said,
                Ok(Err(_)) => Err("no answer".to_owned()),
                Err(_) => Err("the check failed".to_owned()),
            };
            said.err().map(|why| ((*name).to_owned(), why))
        }
    });
    let mut missing: serde_json::Map<String, serde_json::Value> =
        future::join_all(asked).await.into_iter().flatten().map(|(name, why)| (name, why.into())).collect();
    if inner.stop.is_cancelled() {
        missing.insert("server".to_owned(), "stopping".into());
    }
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Reply::json(status, &json!({ "ready": missing.is_empty(), "not_ready": missing }))
}

fn refuse(problem: &Problem) -> Reply {
    let mut reply = plain(problem);
    problem.complete(&mut reply);
    reply
}
