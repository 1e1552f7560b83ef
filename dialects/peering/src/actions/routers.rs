//! What can be done with routers.

use http::{Method, StatusCode};
use meetme_app::{
    Error,
    peering::inventory::{self, Taken},
    routers::jobs,
    sources,
};
use meetme_base::{Id, Invalid};
use meetme_http::{Cx, Problem, Reply, Shape};
use meetme_model::routing::Router;
use meetme_store::Resource as _;
use serde_json::{Value as Json, json};

use super::{Action, enqueue, enqueue_all, id, netbox};
use crate::{models::router, query, serve};

/// The most routers that one request sets to work.
const MOST: usize = 500;

/// The actions.
pub const ACTIONS: &[Action] = &[
    Action {
        id: "devices_routers_test_napalm_connection",
        method: Method::GET,
        model: &router::MODEL,
        one: true,
        end: "test-napalm-connection",
        success: 202,
        takes: Shape::Nothing,
        gives: Shape::Named("Job"),
        run: |cx| {
            Box::pin(async move {
                let router = id(&cx, &router::MODEL)?.of();
                enqueue(cx, move |tx| jobs::test(tx, router)).await
            })
        },
    },
    Action {
        id: "devices_routers_configuration",
        method: Method::GET,
        model: &router::MODEL,
        one: true,
        end: "configuration",
        success: 202,
        takes: Shape::Nothing,
        gives: Shape::Named("Job"),
        run: |cx| {
            Box::pin(async move {
                let router = id(&cx, &router::MODEL)?.of();
                enqueue(cx, move |tx| jobs::render(tx, router)).await
            })
        },
    },
    Action {
        id: "devices_routers_configure",
        method: Method::POST,
        model: &router::MODEL,
        one: false,
        end: "configure",
        success: 202,
        takes: Shape::Named("RouterConfigure"),
        gives: Shape::ListOf("Job"),
        run: |cx| Box::pin(configure(cx)),
    },
    Action {
        id: "devices_routers_push_datasource",
        method: Method::POST,
        model: &router::MODEL,
        one: false,
        end: "push-datasource",
        success: 202,
        takes: Shape::Named("RouterConfigure"),
        gives: Shape::ListOf("Job"),
        run: |cx| Box::pin(push(cx)),
    },
    Action {
        id: "devices_routers_update_from_netbox",
        method: Method::POST,
        model: &router::MODEL,
        one: false,
        end: "update-from-netbox",
        success: 200,
        takes: Shape::Named("NetBoxWebhook"),
        gives: Shape::Nothing,
        run: |cx| Box::pin(from_netbox(cx)),
    },
];

/// Takes over what NetBox tells of a device by its webhook: 201 for a router that was made, 200 for one that was changed or
/// removed, 501 for a platform that is not known here by its slug.
async fn from_netbox(cx: Cx) -> Result<Reply, Problem> {
    let home = cx.caller().home().any();
    // The right is asked for before the body is looked at.
    cx.app.read(cx.caller(), move |tx| inventory::may(tx, home)).await?;
    let (event, device) = netbox::read(&serve::body(&cx)?)?;
    let (app, slug) = (cx.app.clone(), device.platform.clone());
    let done = cx.app.write(cx.caller(), move |tx| inventory::take(&app, tx, home, event, &device));
    let renamed = |error| match error {
        // Their names are all that routers of one organization can clash by.
        Error::Exists { kind, .. } if kind == Router::KIND => {
            Invalid::new("name", "unique", "router with this name already exists.").into()
        }
        other => query::renamed(other, netbox::NAMES),
    };
    match done.await.map_err(renamed)? {
        Taken::Made(_) => Ok(Reply::empty(StatusCode::CREATED)),
        Taken::Changed(_) | Taken::Removed => Ok(Reply::empty(StatusCode::OK)),
        Taken::NoPlatform => {
            let detail = format!("No platform has the slug {}.", slug.unwrap_or_default());
            Ok(Reply::json(StatusCode::NOT_IMPLEMENTED, &json!({"detail": detail})))
        }
    }
}

/// Shows, or makes, the changes the boxes behind some routers need: a job for each. Routers that are not there for the caller are
/// passed over.
async fn configure(cx: Cx) -> Result<Reply, Problem> {
    let body = serve::body(&cx)?;
    let (routers, commit) = read(&body)?;
    let found = there(&cx, routers).await?;
    if found.is_empty() {
        return Ok(Reply::empty(StatusCode::NOT_FOUND));
    }
    enqueue_all(cx, move |tx| found.iter().map(|id| jobs::configure(tx, *id, commit)).collect()).await
}

/// Writes the configurations of some routers to their files: a job for each. Nobody asks whether to commit: there is nothing else to do.
async fn push(cx: Cx) -> Result<Reply, Problem> {
    let body = serve::body(&cx)?;
    let (routers, _) = read(&body)?;
    let found = there(&cx, routers).await?;
    if found.is_empty() {
        return Ok(Reply::empty(StatusCode::NOT_FOUND));
    }
    enqueue_all(cx, move |tx| found.iter().map(|id| sources::push(tx, *id)).collect()).await
}

/// Those of the routers that are there for the caller.
async fn there(cx: &Cx, routers: Vec<Id<Router>>) -> Result<Vec<Id<Router>>, Problem> {
    let found = cx.app.read(cx.caller(), move |tx| {
        let mut found = Vec::new();
        for id in &routers {
            if tx.find(*id)?.is_some() {
                found.push(*id);
            }
        }
        Ok::<_, meetme_app::Error>(found)
    });
    Ok(found.await?)
}

/// `{"routers": [1, 2], "commit": true}`.
fn read(body: &Json) -> Result<(Vec<Id<Router>>, bool), Problem> {
    let wrong = |field: &str, text: &str| Problem::from(Invalid::new(field, "wire", text));
    let routers = match body.get("routers") {
        None => return Err(wrong("routers", "This field is required.")),
        Some(Json::Array(list)) if list.is_empty() => return Err(wrong("routers", "This list may not be empty.")),
        Some(Json::Array(list)) if list.len() > MOST => {
            return Err(wrong("routers", &format!("Ensure this field has no more than {MOST} elements.")));
        }
        Some(Json::Array(list)) => {
            let number = |v: &Json| v.as_i64().or_else(|| v.as_str()?.trim().parse().ok()).map(Id::new);
            list.iter().map(number).collect::<Option<Vec<Id<Router>>>>()
        }
        Some(_) => None,
    };
    let mut routers = routers.ok_or_else(|| wrong("routers", "A valid list of integers is required."))?;
    routers.sort_unstable();
    routers.dedup();
    let commit = match body.get("commit") {
        None | Some(Json::Null) => false,
        Some(Json::Bool(commit)) => *commit,
        Some(Json::String(text)) if matches!(text.as_str(), "true" | "True" | "1" | "on") => true,
        Some(Json::String(text)) if matches!(text.as_str(), "false" | "False" | "0" | "off") => false,
        Some(_) => return Err(wrong("commit", "Must be a valid boolean.")),
    };
    Ok((routers, commit))
}
