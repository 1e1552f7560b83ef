//! What runs when an operation on a model is called.

use http::{StatusCode, header};
use meetme_app::{Error, templates};
use meetme_base::Invalid;
use meetme_http::{Cx, Media, Problem, Reply};
use serde_json::{Map, Value as Json, json};

use crate::{
    decode, describe,
    engine::AnyModel,
    lookup::python_type,
    negotiate, passwords, query,
    scene::{Ask, Scene},
    write::Written,
};

/// What the request gives to everything below.
pub fn scene(cx: &Cx) -> Scene {
    let caller = cx.caller();
    Scene {
        app: cx.app.clone(),
        base: cx.base_url.clone(),
        home: caller.home().any(),
        reveal: false,
        public: caller.subject.is_anonymous(),
        caller: Some(caller.clone()),
    }
}

/// JSON that is written already.
pub fn written(status: StatusCode, body: Vec<u8>) -> Reply {
    Reply::bytes(status, "application/json", body)
}

/// The id in the path; what is no number names nothing.
pub fn id(cx: &Cx, model: &dyn AnyModel) -> Result<i64, Error> {
    cx.param_as("id").ok_or_else(|| Error::missing(model.about().kind, model.about().name))
}

/// The body as JSON, whichever of the readable types it came in.
pub fn body(cx: &Cx) -> Result<Json, Problem> {
    negotiate::form(&cx.parts)?;
    cx.expect_media(&[Media::Json, Media::Form])?;
    match cx.media() {
        Media::Form => Ok(decode::of_form(&cx.form_fields())),
        _ => Ok(cx.json_if_any()?.unwrap_or_else(|| json!({}))),
    }
}

/// The body as a list of rows.
fn rows(cx: &Cx) -> Result<Vec<Json>, Problem> {
    match body(cx)? {
        Json::Array(rows) => Ok(rows),
        other => {
            let text = format!("Expected a list of items but got type \"{}\".", python_type(&other));
            Err(Invalid::new("", "wire", text).into())
        }
    }
}

/// A page of rows.
pub async fn list(cx: Cx, model: &'static dyn AnyModel) -> Result<Reply, Problem> {
    if let Some(name) = cx.query.last("export").filter(|name| !name.is_empty()) {
        let name = name.to_owned();
        return exported(cx, model, name).await;
    }
    negotiate::form(&cx.parts)?;
    let (ask, scene) = (Ask::of(&cx.query), scene(&cx));
    let body = cx.app.read(cx.caller(), move |tx| model.page(tx, &ask, &scene)).await?;
    Ok(written(StatusCode::OK, body))
}

/// All rows of a list as the text of an export template: no page, the list's filters apply.
async fn exported(cx: Cx, model: &'static dyn AnyModel, name: String) -> Result<Reply, Problem> {
    let (app, query, scene) = (cx.app.clone(), cx.query.clone(), scene(&cx));
    let read = cx.app.read(cx.caller(), move |tx| {
        let about = model.about();
        let filter = query::filter(about, about.kind, tx, &scene, &query)?;
        templates::export_named(&app, tx, &name, about.kind, &filter)
    });
    let text = read.await?.render_apart().await?;
    Ok(Reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", text.into_bytes()))
}

/// One row.
pub async fn retrieve(cx: Cx, model: &'static dyn AnyModel) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let (id, ask, scene) = (id(&cx, model)?, Ask::of(&cx.query), scene(&cx));
    let body = cx.app.read(cx.caller(), move |tx| model.one(tx, id, &ask, &scene)).await?;
    Ok(written(StatusCode::OK, body))
}

/// Makes one row, or all of a list.
pub async fn create(cx: Cx, model: &'static dyn AnyModel) -> Result<Reply, Problem> {
    let (sent, scene) = (body(&cx)?, scene(&cx));
    let (mut rows, bulk) = match sent {
        Json::Array(rows) => (rows, true),
        one => (vec![one], false),
    };
    passwords::hash(model, &mut rows).await?;
    let made = cx.app.write(cx.caller(), move |tx| model.create(tx, &rows, bulk, &scene)).await?;
    let Written { body, location } = made;
    let reply = written(StatusCode::CREATED, body);
    Ok(if bulk { reply } else { reply.header(header::LOCATION, location) })
}

/// Changes one row.
pub async fn update(cx: Cx, model: &'static dyn AnyModel, whole: bool) -> Result<Reply, Problem> {
    let (id, mut sent, scene) = (id(&cx, model)?, body(&cx)?, scene(&cx));
    passwords::hash(model, std::slice::from_mut(&mut sent)).await?;
    let done = cx.app.write(cx.caller(), move |tx| model.update(tx, id, &sent, whole, &scene)).await?;
    Ok(written(StatusCode::OK, done.body))
}

/// Changes the rows of a list.
pub async fn bulk_update(cx: Cx, model: &'static dyn AnyModel, whole: bool) -> Result<Reply, Problem> {
    let (mut sent, scene) = (rows(&cx)?, scene(&cx));
    passwords::hash(model, &mut sent).await?;
    let done = cx.app.write(cx.caller(), move |tx| model.update_many(tx, &sent, whole, &scene)).await?;
    Ok(written(StatusCode::OK, done.body))
}

/// Removes one row.
pub async fn destroy(cx: Cx, model: &'static dyn AnyModel) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let (id, scene) = (id(&cx, model)?, scene(&cx));
    cx.app.write(cx.caller(), move |tx| model.remove(tx, id, &scene)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Removes the rows of a list.
pub async fn bulk_destroy(cx: Cx, model: &'static dyn AnyModel) -> Result<Reply, Problem> {
    let (sent, scene) = (rows(&cx)?, scene(&cx));
    cx.app.write(cx.caller(), move |tx| model.remove_many(tx, &sent, &scene)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// What can be done here, and with which fields.
pub fn options(cx: &Cx, model: &'static dyn AnyModel, list: bool) -> Result<Reply, Problem> {
    let about = model.about();
    let caller = cx.caller();
    let may = |verb| {
        !about.read_only
            && !caller.subject.read_only
            && *caller.scope.rows(about.kind, verb) != meetme_store::Filter::Never
    };
    let mut actions = Map::new();
    if may("change") {
        actions.insert("PUT".to_owned(), model.describe().into());
    }
    if list && may("create") {
        actions.insert("POST".to_owned(), model.describe().into());
    }
    describe(cx, &describe::title(about, list), actions)
}

/// What OPTIONS answers: what the place is called, and the methods that write with the fields they take.
pub fn describe(cx: &Cx, name: &str, actions: Map<String, Json>) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    Ok(Reply::ok(&json!({
        "name": name,
        "description": "",
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded"],
        "actions": actions,
    })))
}
