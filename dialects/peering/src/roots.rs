//! The maps of the API: what there is at `/api/` and below it, and how the application does.

use std::collections::BTreeMap;

use http::StatusCode;
use meetme_http::{Cx, Op, Problem, Reply, Shape};
use serde_json::json;

use crate::{API_VERSION, changes, json as wire, models, negotiate, ops, serve};

/// Where the API begins.
pub const PATH: &str = "/api/";

/// The applications with their collections, both in the alphabet's order.
fn apps() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut apps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for model in models::ALL {
        apps.entry(model.about().app).or_default().push(model.about().path);
    }
    apps.entry(changes::APP).or_default().push(changes::PATH);
    apps.values_mut().for_each(|list| list.sort_unstable());
    apps
}

/// The operations.
pub fn ops() -> Vec<Op> {
    let mut out = vec![
        Op::get("api_root", PATH).group("api").gives(Shape::Named("Map")).run(async |cx| {
            let names: Vec<&str> = apps().into_keys().chain(["status"]).collect();
            map(&cx, PATH, &names)
        }),
        Op::get("status_retrieve", "/api/status/").group("api").gives(Shape::Named("Status")).run(status),
    ];
    for (app, collections) in apps() {
        let path = ops::keep(format!("/api/{app}/"));
        let id = ops::keep(format!("{app}_root"));
        out.push(Op::get(id, path).group(app).gives(Shape::Named("Map")).run(move |cx| {
            let answer = map(&cx, path, &collections);
            async move { answer }
        }));
    }
    out
}

/// Names and where they are.
fn map(cx: &Cx, path: &str, names: &[&str]) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let mut out = vec![b'{'];
    for name in names {
        wire::key(&mut out, name);
        wire::text(&mut out, &format!("{}{path}{name}/", cx.base_url));
    }
    out.push(b'}');
    Ok(serve::written(StatusCode::OK, out))
}

/// Tools ask this for the version. What names the reference's own machinery is empty: there is none of it here.
async fn status(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    Ok(Reply::ok(&json!({
        "django-version": "",
        "installed-apps": {},
        "peering-manager-version": format!("{API_VERSION}.0"),
        "python-version": "",
        // Work that takes a while is done by the server itself.
        "rq-workers-running": 1,
    })))
}
