//! What can be done with routers.

use http::Method;
use meetme_app::routers::jobs;
use meetme_http::Shape;

use super::{Action, enqueue, id};
use crate::models::router;

/// The actions.
pub const ACTIONS: &[Action] = &[Action {
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
}];
