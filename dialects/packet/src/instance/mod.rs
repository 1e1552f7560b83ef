//! The service that machines ask about themselves: metadata, user data, the tree that Amazon's machines read, and the two doors by
//! which a machine says how it is.
//!
//! Promise: a machine is known by the address it asks from and nothing else, and there is no path by which one could ask for another.
//! It belongs on a listener of its own, which only machines reach.

mod report;
mod tree;

use std::sync::Arc;

use http::StatusCode;
use meetme_app::{
    Error,
    devices::{
        self,
        machine::{self, MachineDoor},
    },
};
use meetme_http::{Claim, Cx, Dialect, Op, Parts, Problem, Reply, Slash, Verb};
use serde_json::{Value, json};

use crate::metadata::{self, Doors};

/// How machines are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The site whose machines ask here, by its short name; every site's when absent.
    pub site: Option<String>,
    /// The address under which machines reach this listener; what each asked for when absent.
    pub url: Option<String>,
}

/// The dialect.
pub fn dialect(settings: Settings) -> Dialect {
    let settings = Arc::new(settings);
    let get = |id, path, summary| Op::get(id, path).group("metadata").summary(summary).open();
    let post = |id, path, summary| {
        Op::post(id, path)
            .group("report")
            .summary(summary)
            .verb(Verb::Act)
            .open()
            .success(204)
            .body_limit(report::LONGEST)
    };
    let shared = || Arc::clone(&settings);
    let (a, b, c, d, e, f) = (shared(), shared(), shared(), shared(), shared(), shared());
    let ops = vec![
        get("metadata", "/metadata", "Everything a machine may know of itself.")
            .run(move |cx| document(cx, Arc::clone(&a))),
        get("userdata", "/userdata", "What its owner wants it to read.")
            .gives_media("text/plain")
            .run(move |cx| userdata(cx, Arc::clone(&b))),
        get("ec2_user_data", "/2009-04-04/user-data", "The same, where Amazon's machines look for it.")
            .gives_media("text/plain")
            .run(move |cx| userdata(cx, Arc::clone(&c))),
        get("ec2", "/2009-04-04/{*path}", "The same as metadata, as a tree of texts.")
            .gives_media("text/plain")
            .run(move |cx| tree::get(cx, Arc::clone(&d))),
        post("phone_home", "/phone-home", "The machine says that it has started, or what it is at.")
            .run(move |cx| report::phone_home(cx, Arc::clone(&e))),
        post("user_state", "/events", "The machine's programs say how they are.")
            .run(move |cx| report::user_state(cx, Arc::clone(&f))),
    ];
    Dialect {
        title: "Packet metadata",
        version: "1.0",
        mine: |_| Claim::Possible,
        wire_error,
        finish: crate::finish,
        normalise: meetme_http::single_slashes,
        slash: Slash::Ignore,
        ..Dialect::new("packet_metadata", ops)
    }
}

/// Problems have one text here.
fn wire_error(problem: &Problem, parts: &Parts) -> Reply {
    let reply = crate::error::wire_error(problem, parts);
    let text = match problem {
        Problem::App(Error::Invalid(list)) => {
            list.iter().map(|bad| format!("{}: {}", bad.field, bad.message)).collect()
        }
        Problem::App(Error::Missing { .. }) | Problem::NoRoute => vec!["Not found".to_owned()],
        other => vec![other.to_string()],
    };
    Reply::json(reply.status, &json!({ "error": text.join(" ") }))
}

fn door(cx: &Cx, settings: &Settings) -> MachineDoor {
    MachineDoor { from: cx.peer, site: settings.site.clone(), request: cx.request_id }
}

/// The document as the machine reads it.
async fn known(cx: &Cx, settings: &Settings) -> Result<Value, Problem> {
    let base = settings.url.clone().unwrap_or_else(|| cx.base_url.clone()).trim_end_matches('/').to_owned();
    let doors = Doors {
        phone_home: Some(format!("{base}/phone-home")),
        user_state: Some(format!("{base}/events")),
        api: Some(base),
    };
    let read = machine::read(&cx.app, door(cx, settings), move |tx, device| {
        let facts = devices::facts(tx, device.id)?;
        serde_json::to_value(metadata::document(&facts, &doors)).map_err(|e| Error::Bug(e.to_string()))
    });
    Ok(read.await?)
}

async fn document(cx: Cx, settings: Arc<Settings>) -> Result<Reply, Problem> {
    Ok(Reply::ok(&known(&cx, &settings).await?).header(http::header::CACHE_CONTROL, "no-store"))
}

async fn userdata(cx: Cx, settings: Arc<Settings>) -> Result<Reply, Problem> {
    let text = machine::read(&cx.app, door(&cx, &settings), |_, device| Ok(device.spec.userdata.clone()));
    // None at all is told from an empty one.
    Ok(plain(text.await?.ok_or(Problem::NoRoute)?))
}

fn plain(text: String) -> Reply {
    Reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", text).header(http::header::CACHE_CONTROL, "no-store")
}
