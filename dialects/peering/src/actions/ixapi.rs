//! What can be asked of exchanges' own interfaces. The asking is a job like all work with others, whose end is waited for here: these
//! operations have always answered with what the other side said.

use http::{Method, StatusCode};
use meetme_app::{Error, ixapis};
use meetme_base::Secret;
use meetme_http::{Cx, Problem, Reply, Shape};
use meetme_model::ops::JobState;
use serde_json::json;

use super::{Action, finished, id};
use crate::{
    models::{connection, ix_api},
    negotiate,
    query::renamed,
};

/// The actions.
pub const ACTIONS: &[Action] = &[
    Action {
        id: "extras_ix_api_accounts",
        method: Method::GET,
        model: &ix_api::MODEL,
        one: false,
        end: "accounts",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::Nothing,
        run: |cx| Box::pin(accounts(cx)),
    },
    Action {
        id: "net_connection_update_ixapi_mac",
        method: Method::POST,
        model: &connection::MODEL,
        one: true,
        end: "update-ixapi-mac",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::Nothing,
        run: |cx| Box::pin(register(cx)),
    },
];

/// The core's names of what is asked for, and this dialect's.
const NAMES: &[(&str, &str)] = &[
    ("url", "api_url"),
    ("key", "api_key"),
    ("secret", "api_secret"),
    ("exchange", "internet_exchange_point"),
    ("mac", "mac_address"),
    ("ip6", "ipv6_address"),
];

/// The accounts that the credentials in the query are good for.
async fn accounts(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let given = |name| cx.query.last(name).unwrap_or_default().to_owned();
    let (url, key, secret) = (given("api_url"), Secret::new(given("api_key")), Secret::new(given("api_secret")));
    let (app, home) = (cx.app.clone(), cx.caller().home().any());
    let asked = cx.app.write(cx.caller(), move |tx| {
        Ok(ixapis::accounts(&app, tx, home, &url, &key, &secret).map_err(|e| renamed(e, NAMES))?.id)
    });
    let job = finished(&cx, asked.await?).await?;
    match job.status.state {
        JobState::Ok => Ok(Reply::json(StatusCode::OK, &job.status.answer)),
        _ => Err(Error::Unavailable(job.status.output).into()),
    }
}

/// Registers the MAC address of a connection at its exchange.
async fn register(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let link = id(&cx, &connection::MODEL)?.of();
    let asked = cx.app.write(cx.caller(), move |tx| Ok(ixapis::register(tx, link).map_err(|e| renamed(e, NAMES))?.id));
    let job = finished(&cx, asked.await?).await?;
    match job.status.state {
        JobState::Ok => Ok(Reply::empty(StatusCode::OK)),
        _ => Ok(Reply::json(StatusCode::BAD_REQUEST, &json!({"detail": job.status.output}))),
    }
}
