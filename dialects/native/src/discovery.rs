//! Asking what stands behind a management controller.

use http::StatusCode;
use meetme_app::{
    Error, resources,
    servers::{self, Discovery},
};
use meetme_http::{Cx, Problem, Reply};
use meetme_model::{
    ops::{Equipment, Job},
    place::Plan,
};
use meetme_store::{Resource as _, Tx};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{ROOT, convert, query, rows::kind};

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    /// The plan, by id or UUID, under which a server that is not known yet is entered.
    plan: Option<String>,
}

/// Begins the work; the answer is its job.
pub async fn discover(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    let wish: Wish = if cx.body.is_empty() { Wish::default() } else { cx.json()? };
    let id = cx.param("id").to_owned();
    let job = cx.app.write(cx.caller(), move |tx| {
        let equipment = resolve::<Equipment>(tx, &id)?;
        let plan = wish.plan.as_deref().map(|plan| resolve::<Plan>(tx, plan)).transpose()?;
        let job = servers::discover(tx, equipment, &Discovery { plan })?;
        let of = kind(tx.registry(), Job::KIND.name())?;
        Ok(tx.as_system(|tx| tx.get_any(of, job.id.any()))?)
    });
    let job = job.await?;
    let location = format!("{ROOT}/job/{}", job.id);
    Ok(Reply::json(StatusCode::ACCEPTED, &convert::row(&job)).header(http::header::LOCATION, location))
}

fn resolve<R: meetme_store::Resource>(tx: &mut Tx<'_>, id: &str) -> Result<meetme_base::Id<R>, Error> {
    let kind = kind(tx.registry(), R::KIND.name())?;
    Ok(resources::resolve(tx, kind, id)?.of())
}
