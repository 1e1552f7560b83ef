//! Object changes: the core's change log as this dialect shows it. Read only: who could write here could
//! rewrite what happened.

use std::collections::HashMap;

use http::StatusCode;
use meetme_app::Error;
use meetme_base::RawId;
use meetme_http::{Cx, Op, Problem, Reply, Shape};
use meetme_model::{
    ops::subject,
    routing::{Template, TemplatePurpose},
};
use meetme_store::{Change, ChangeQuery, Resource as _, Tx, Verb};
use serde::Deserialize as _;

use crate::{
    engine::AnyModel,
    json, line_query,
    models::{self, content_type},
    negotiate, ops,
    page::Paging,
    scene::{Ask, Loaded, Scene},
    serve,
};

/// The application.
pub const APP: &str = "core";
/// The collection.
pub const PATH: &str = "object-changes";
/// The model's name in error texts.
pub const MODEL: &str = "ObjectChange";

/// Where the log is: the common beginning of the operations' ids, and the path.
const PLACES: &[(&str, &str)] = &[
    ("core_object_changes", "/api/core/object-changes/"),
    ("seed_alias_core_object_changes", "/api/extras/object-changes/"),
    ("alias_utils_object_changes", "/api/utils/object-changes/"),
];

/// The fields, in the order they are written.
const FIELDS: &[&str] = &[
    "id",
    "url",
    "display_url",
    "display",
    "time",
    "user",
    "user_name",
    "request_id",
    "action",
    "changed_object_type",
    "changed_object_id",
    "changed_object",
    "prechange_data",
    "postchange_data",
];

/// Wire word, label, and the core's verb.
const ACTIONS: &[(&str, &str, Verb)] =
    &[("create", "Created", Verb::Create), ("update", "Updated", Verb::Update), ("delete", "Deleted", Verb::Remove)];

/// The operations.
pub fn ops() -> Vec<Op> {
    let mut out = Vec::new();
    for (id, path) in PLACES {
        let (row, shown) = (ops::keep(format!("{path}{{id}}/")), Shape::Named(MODEL));
        let page = Op::get(ops::keep(format!("{id}_list")), path).group(APP).query(line_query::parameters());
        out.push(page.gives(Shape::Named("PaginatedObjectChangeList")).run(list));
        out.push(Op::get(ops::keep(format!("{id}_retrieve")), row).group(APP).gives(shown).run(retrieve));
    }
    out
}

/// The model that shows what was changed; what no model shows has no changes here.
fn model_of(change: &Change) -> Option<&'static dyn AnyModel> {
    // Templates are shown as several models, and their documents say what each is for.
    let document = change.after.as_ref().or(change.before.as_ref());
    let purpose = document.and_then(|document| TemplatePurpose::deserialize(document.get("purpose")?).ok());
    content_type::of(&subject(change.kind, purpose.filter(|_| change.kind == Template::KIND)))
}

/// All lines that this dialect shows.
fn everything() -> ChangeQuery {
    ChangeQuery {
        // What comes and goes in the public peering database by the thousand would bury what people do.
        kinds: models::ALL.iter().map(|model| model.about()).filter(|a| !a.is_copy()).map(|a| a.kind).collect(),
        verbs: ACTIONS.iter().map(|(.., verb)| *verb).collect(),
        newest: true,
        ..ChangeQuery::default()
    }
}

async fn list(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let (ask, scene) = (Ask::of(&cx.query), serve::scene(&cx));
    let body = cx.app.read(cx.caller(), move |tx| page(tx, &ask, &scene)).await?;
    Ok(serve::written(StatusCode::OK, body))
}

async fn retrieve(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let none = || Error::missing(Tx::CHANGES, MODEL);
    let seq: i64 = cx.param_as("id").ok_or_else(none)?;
    let (ask, scene) = (Ask::of(&cx.query), serve::scene(&cx));
    let read = move |tx: &mut Tx<'_>| {
        let found = tx.changes(&ChangeQuery { seq: Some(seq), limit: 1, ..everything() })?;
        if found.is_empty() {
            return Err(Error::missing(Tx::CHANGES, MODEL));
        }
        let mut out = Vec::with_capacity(2048);
        rows(tx, &found, &ask, &scene, &mut out)?;
        Ok(out)
    };
    Ok(serve::written(StatusCode::OK, cx.app.read(cx.caller(), read).await?))
}

fn page(tx: &mut Tx<'_>, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error> {
    let paging = Paging::of(&ask.query);
    let address = format!("{}/api/{APP}/{PATH}/", scene.base);
    let mut out = Vec::with_capacity(4096);
    let mut query = line_query::read(tx, &ask.query, everything(), ACTIONS)?;
    (query.limit, query.offset) = (paging.limit, paging.offset);
    let count = tx.count_changes(&query)?;
    let found = tx.changes(&query)?;
    paging.head(&mut out, count, &address, &ask.query);
    out.push(b'[');
    rows(tx, &found, ask, scene, &mut out)?;
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// Writes lines, separated by commas.
fn rows(tx: &mut Tx<'_>, found: &[Change], ask: &Ask, scene: &Scene, out: &mut Vec<u8>) -> Result<(), Error> {
    let loaded = at_hand(tx, found, scene)?;
    let chosen: Vec<&str> = FIELDS
        .iter()
        .copied()
        .filter(|name| ask.fields.is_empty() || ask.fields.iter().any(|f| f == name))
        .filter(|name| !ask.exclude.iter().any(|f| f == name))
        .collect();
    for (i, change) in found.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let Some(model) = model_of(change) else { continue };
        out.push(b'{');
        for name in &chosen {
            json::key(out, name);
            field(name, change, model, scene, &loaded, out);
        }
        out.push(b'}');
    }
    Ok(())
}

/// The users, the changed rows as they are now, and the tags that documents name.
fn at_hand(tx: &mut Tx<'_>, found: &[Change], scene: &Scene) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    let mut wanted: HashMap<&str, (&'static dyn AnyModel, Vec<RawId>)> = HashMap::new();
    let mut want = |model: &'static dyn AnyModel, ids: Vec<RawId>| {
        wanted.entry(model.about().name).or_insert_with(|| (model, Vec::new())).1.extend(ids);
    };
    want(&models::user::MODEL, found.iter().filter_map(|change| change.actor).collect());
    for change in found {
        let Some(model) = model_of(change) else { continue };
        want(model, vec![change.id]);
        for document in [&change.before, &change.after].into_iter().flatten() {
            want(&models::tag::MODEL, model.dump_needs(document));
        }
    }
    for (model, ids) in wanted.into_values() {
        model.load(tx, ids, scene, &mut loaded)?;
    }
    Ok(loaded)
}

fn field(name: &str, change: &Change, model: &dyn AnyModel, scene: &Scene, loaded: &Loaded, out: &mut Vec<u8>) {
    let (word, label, _) = ACTIONS.iter().find(|(.., verb)| *verb == change.verb).unwrap_or(&ACTIONS[1]);
    let link =
        |out: &mut Vec<u8>, root: &str| json::text(out, &format!("{}{root}{APP}/{PATH}/{}/", scene.base, change.seq));
    let document = |out: &mut Vec<u8>, of: &Option<serde_json::Value>| match of
        .as_ref()
        .and_then(|spec| model.dump(spec, change.id.get(), loaded))
    {
        Some(bytes) => out.extend_from_slice(&bytes),
        None => json::null(out),
    };
    match name {
        "id" => json::integer(out, change.seq),
        "url" => link(out, "/api/"),
        "display_url" => link(out, "/"),
        "display" => {
            let about = model.about();
            json::text(
                out,
                &format!("{} {} {} by {}", about.verbose, change.title, label.to_lowercase(), change.actor_name),
            );
        }
        "time" => json::moment(out, change.at),
        "user" => match change.actor.and_then(|id| loaded.nested("User", id)) {
            Some(bytes) => out.extend_from_slice(bytes),
            None => json::null(out),
        },
        "user_name" => json::text(out, &change.actor_name),
        "request_id" => json::text(out, &change.request.to_string()),
        "action" => {
            out.extend_from_slice(b"{\"value\":");
            json::text(out, word);
            out.extend_from_slice(b",\"label\":");
            json::text(out, label);
            out.push(b'}');
        }
        "changed_object_type" => json::text(out, &model.about().content_type()),
        "changed_object_id" => json::integer(out, change.id.get()),
        "changed_object" => match loaded.nested(model.about().name, change.id) {
            Some(bytes) => out.extend_from_slice(bytes),
            None => json::null(out),
        },
        "prechange_data" => document(out, &change.before),
        _ => document(out, &change.after),
    }
}
