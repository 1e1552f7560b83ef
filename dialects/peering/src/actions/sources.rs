//! What can be done with data sources.

use http::Method;
use meetme_app::sources;
use meetme_http::Shape;

use super::{Action, enqueue, id};
use crate::models::data_source;

/// The actions.
pub const ACTIONS: &[Action] = &[Action {
    id: "core_data_sources_synchronise_create",
    method: Method::POST,
    model: &data_source::MODEL,
    one: true,
    end: "synchronise",
    success: 202,
    takes: Shape::Nothing,
    gives: Shape::Named("Job"),
    run: |cx| {
        Box::pin(async move {
            let source = id(&cx, &data_source::MODEL)?.of();
            enqueue(cx, move |tx| sources::synchronise(tx, source)).await
        })
    },
}];
