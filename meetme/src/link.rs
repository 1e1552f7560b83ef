//! The door for agents that dial in: `POST /meetme/agent/v1/next` asks for work, `POST /meetme/agent/v1/done` says what came of it.
//!
//! An agent shows a key. It is given work for those of the equipments it names that the key may `act` on, and for nothing else; a
//! result is taken only from whoever was given the work. What travels holds secrets in the clear, so this link wants TLS.

use std::{sync::Arc, time::Duration};

use meetme_app::{
    AuthFailure, Caller, Error,
    identity::{self, Credential, Door},
};
use meetme_base::RawId;
use meetme_control::hub::{Answer, Hub, Report};
use meetme_http::{Claim, Cx, Dialect, Op, Parts, Problem, Reply, Slash};
use meetme_model::ops::Equipment;
use meetme_store::{Filter, Resource as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The path that everything here begins with.
pub const ROOT: &str = "/meetme/agent/v1";
/// How long an agent's question may wait for work.
pub const PATIENCE: Duration = Duration::from_secs(25);
/// The most bytes of a report: it holds the whole configuration of a box and the state of each of its sessions.
const LARGEST_REPORT: usize = 64 << 20;

/// The door, in front of a hub.
pub fn dialect(hub: Arc<Hub>) -> Dialect {
    let next_hub = Arc::clone(&hub);
    let ops = vec![
        Op::post("next", "/meetme/agent/v1/next")
            .group("agents")
            .summary("Waits for work on one of the named equipments")
            .run(move |cx| next(cx, Arc::clone(&next_hub))),
        Op::post("done", "/meetme/agent/v1/done")
            .group("agents")
            .summary("Says what came of a piece of work")
            .body_limit(LARGEST_REPORT)
            .run(move |cx| done(cx, Arc::clone(&hub))),
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
fn who(caller: &Caller) -> Result<RawId, Error> {
    let key = caller.subject.key.ok_or_else(|| Error::Denied("An agent shows a key.".to_owned()))?;
    Ok(key.any())
}

/// What an agent says when it asks for work.
#[derive(Deserialize, Serialize)]
pub struct Question {
    /// The names of the equipments it serves.
    pub serves: Vec<String>,
}

async fn next(cx: Cx, hub: Arc<Hub>) -> Result<Reply, Problem> {
    let names = cx.json::<Question>()?.serves;
    let who = who(cx.caller())?;
    let (serves, refused) = cx
        .app
        .read(cx.caller(), move |tx| {
            let list = tx.all::<Equipment>(Filter::is_in("name", names.iter().map(String::as_str)))?;
            let mut serves = Vec::with_capacity(list.len());
            for equipment in list {
                if tx.may_with("act", &equipment)? {
                    serves.push(equipment.spec.name);
                }
            }
            let refused: Vec<String> = names.iter().filter(|name| !serves.contains(name)).cloned().collect();
            Ok((serves, refused))
        })
        .await?;
    if serves.is_empty() {
        let names = refused.join(", ");
        let why = format!("This key may act on none of the equipments that were named: {names}.");
        return Err(Error::Denied(why).into());
    }
    Ok(Reply::ok(&Answer { work: hub.next(who, &serves, PATIENCE).await, refused }))
}

async fn done(cx: Cx, hub: Arc<Hub>) -> Result<Reply, Problem> {
    let report: Report = cx.json()?;
    let (who, id) = (who(cx.caller())?, report.id);
    if !hub.done(who, report) {
        return Err(Error::missing(Equipment::KIND, format!("work {id}")).into());
    }
    Ok(Reply::ok(&json!({"taken": true})))
}
