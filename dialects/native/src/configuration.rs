//! A router's configuration by its template, now. Passwords are in it for whoever may reveal those of sessions; for others a word
//! stands in their place. Nothing of it is kept.

use meetme_app::{Error, resources, templates};
use meetme_http::{Cx, Problem, Reply};
use meetme_model::routing::Router;
use meetme_store::Resource as _;
use schemars::JsonSchema;
use serde::Serialize;

use crate::query;

/// A configuration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Configuration {
    /// The text; absent when the router has no template, so that its agent makes the whole by itself.
    pub text: Option<String>,
    /// Whether passwords are masked.
    pub masked: bool,
}

/// Renders it.
pub async fn get(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    let (app, id) = (cx.app.clone(), cx.param("id").to_owned());
    let read = cx.app.read(cx.caller(), move |tx| {
        let kind =
            tx.registry().kind(Router::KIND.name()).ok_or_else(|| Error::Bug("routers are no kind".to_owned()))?;
        let id = resources::resolve(tx, kind, &id)?.of::<Router>();
        templates::shown(&app, tx, id)
    });
    let (prepared, masked) = read.await?;
    let text = match prepared {
        Some(prepared) => Some(prepared.render_apart().await?),
        None => None,
    };
    Ok(Reply::ok(&Configuration { text, masked }).header(http::header::CACHE_CONTROL, "no-store"))
}
