//! The door for agents that dial in: `POST /meetme/agent/v1/next` asks for work, `POST /meetme/agent/v1/done` says what came of it.
//!
//! An agent shows a key. It is given work for those of the equipments it names that the key may `act` on, and for nothing else; a
//! result is taken only from whoever was given the work. What travels holds secrets in the clear, so this link wants TLS.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use meetme_app::{
    AuthFailure, Caller, Error,
    identity::{self, Credential, Door},
};
use meetme_base::RawId;
use meetme_control::hub::{Done, Hub};
use meetme_http::{Claim, Cx, Dialect, Op, Parts, Problem, Reply, Slash};
use meetme_model::ops::Equipment;
use meetme_store::{Filter, Resource as _};
use serde::Deserialize;
use serde_json::json;

/// The path that everything here begins with.
pub const ROOT: &str = "/meetme/agent/v1";
/// How long an agent's question may wait for work.
const PATIENCE: Duration = Duration::from_secs(25);

/// Who was given which piece of work.
type Given = Arc<Mutex<HashMap<u64, RawId>>>;

/// The door, in front of a hub.
pub fn dialect(hub: Arc<Hub>) -> Dialect {
    let given = Given::default();
    let (next_hub, next_given) = (Arc::clone(&hub), Arc::clone(&given));
    let ops = vec![
        Op::post("next", "/meetme/agent/v1/next")
            .group("agents")
            .summary("Waits for work on one of the named equipments")
            .run(move |cx| next(cx, Arc::clone(&next_hub), Arc::clone(&next_given))),
        Op::post("done", "/meetme/agent/v1/done")
            .group("agents")
            .summary("Says what came of a piece of work")
            .run(move |cx| done(cx, Arc::clone(&hub), Arc::clone(&given))),
    ];
    Dialect {
        title: "Meetme agents",
        version: "1",
        authenticate: |cx| Box::pin(authenticate(cx)),
        mine: |parts: &Parts| if parts.path().starts_with(ROOT) { Claim::Certain } else { Claim::No },
        slash: Slash::Ignore,
        ..Dialect::new("agent", ops)
    }
}

async fn authenticate(cx: &Cx) -> Result<Caller, Error> {
    let header = cx.header("authorization").ok_or(Error::Unauthenticated(AuthFailure::Absent))?;
    let secret = header.strip_prefix("Bearer ").ok_or(Error::Unauthenticated(AuthFailure::Malformed))?;
    let door = Door { dialect: "agent", request: cx.request_id, ip: Some(cx.peer) };
    identity::authenticate(&cx.app, door, Credential::Secret(secret.trim())).await
}

/// The row that stands for whoever calls.
fn who(caller: &Caller) -> Option<RawId> {
    caller.subject.key.map(|k| k.any())
}

#[derive(Deserialize)]
struct Serves {
    serves: Vec<String>,
}

async fn next(cx: Cx, hub: Arc<Hub>, given: Given) -> Result<Reply, Problem> {
    let names = cx.json::<Serves>()?.serves;
    let serves = cx
        .app
        .read(cx.caller(), move |tx| {
            let list = tx.all::<Equipment>(Filter::is_in("name", names.iter().map(String::as_str)))?;
            let mut out = Vec::with_capacity(list.len());
            for equipment in list {
                if tx.may(Equipment::KIND, "act", equipment.tenant)? {
                    out.push(equipment.spec.name);
                }
            }
            Ok(out)
        })
        .await?;
    if serves.is_empty() {
        return Err(Error::Denied("This key may act on none of the equipments that were named.".to_owned()).into());
    }
    let Some(work) = hub.next(&serves, PATIENCE).await else {
        return Ok(Reply::empty(http::StatusCode::NO_CONTENT));
    };
    if let Some(who) = who(cx.caller()) {
        let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
        // Work that was given long ago and never ended is nobody's any more.
        if given.len() > 10_000 {
            given.clear();
        }
        given.insert(work.id, who);
    }
    Ok(Reply::ok(&work))
}

#[derive(Deserialize)]
struct Ended {
    id: u64,
    result: Done,
}

async fn done(cx: Cx, hub: Arc<Hub>, given: Given) -> Result<Reply, Problem> {
    let answer: Ended = cx.json()?;
    let mine = {
        let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
        match given.get(&answer.id) {
            Some(to) if Some(*to) == who(cx.caller()) => given.remove(&answer.id).is_some(),
            _ => false,
        }
    };
    if !mine {
        return Err(Error::missing(Equipment::KIND, format!("work {}", answer.id)).into());
    }
    let taken = hub.done(answer.id, answer.result);
    Ok(Reply::ok(&json!({"taken": taken})))
}
