//! What can be done with export templates: rendering them, at once or as a job.

use http::{Method, StatusCode};
use meetme_app::templates::jobs;
use meetme_http::{Cx, Problem, Reply, Shape};
use meetme_store::Filter;
use serde_json::json;

use super::{Action, enqueue, id};
use crate::{
    models::{content_type, export_template},
    serve,
};

/// The actions.
pub const ACTIONS: &[Action] = &[
    Action {
        id: "extras_exporttemplates_render",
        method: Method::GET,
        model: &export_template::MODEL,
        one: true,
        end: "render",
        success: 202,
        takes: Shape::Nothing,
        gives: Shape::Named("Job"),
        run: |cx| {
            Box::pin(async move {
                let template = id(&cx, &export_template::MODEL)?.of();
                enqueue(cx, move |tx| jobs::ask_export(tx, template)).await
            })
        },
    },
    Action {
        id: "extras_exporttemplates_render_synchronous",
        method: Method::GET,
        model: &export_template::MODEL,
        one: true,
        end: "render-synchronous",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::Named("RenderedExport"),
        run: |cx| Box::pin(render(cx)),
    },
];

/// The text over all rows of its model that the caller may see.
async fn render(cx: Cx) -> Result<Reply, Problem> {
    let (app, template) = (cx.app.clone(), id(&cx, &export_template::MODEL)?.of());
    let read = cx.app.read(cx.caller(), move |tx| {
        let kind = tx.get::<meetme_model::routing::Template>(template)?.spec.kind;
        let model = kind.as_deref().and_then(content_type::of);
        let rows = model.map_or(Filter::All, |model| (model.about().only)());
        jobs::export_seen(&app, tx, template, &rows)
    });
    let text = read.await?.render_apart().await?;
    Ok(serve::written(StatusCode::OK, json!({"rendered": text}).to_string().into_bytes()))
}
