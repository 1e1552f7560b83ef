//! What this API says of itself: the OpenAPI document, and the two pages that show it. All of it is made from the operation table
//! and the models' tables, once, when it is first asked for.
//!
//! The document is OpenAPI 3.1, whose schemas are those of JSON Schema 2020-12.

pub mod fields;
mod pages;
pub mod shapes;

use std::{collections::BTreeSet, sync::OnceLock};

use bytes::Bytes;
use http::{Method, StatusCode};
use meetme_http::{Cx, Op, Problem, Reply, Shape, openapi};
use serde_json::{Map, Value as Json, json};

use crate::{models, negotiate, ops};

/// Where the document is.
pub const PATH: &str = "/api/schema/";

/// The forms the document has: what `format` calls them, and their media types. The first is what who does not care gets.
const FORMS: &[(&str, &str, &str)] = &[
    ("yaml", "application", "vnd.oai.openapi"),
    ("yaml", "application", "yaml"),
    ("json", "application", "vnd.oai.openapi+json"),
    ("json", "application", "json"),
];

/// The operations.
pub fn ops() -> Vec<Op> {
    let document = Op::get("schema_retrieve", PATH).group("schema").open().summary("This document, as YAML or JSON.");
    let mut out = vec![document.gives(Shape::Named("Document")).run(retrieve)];
    out.extend(pages::ops());
    out
}

/// All components: what models read and write, and everything else that operations name.
pub fn components() -> Map<String, Json> {
    let mut out = shapes::all();
    for model in models::ALL {
        shapes::of_model(*model, &mut out);
    }
    out
}

async fn retrieve(cx: Cx) -> Result<Reply, Problem> {
    let wanted = cx.query.last("format").filter(|format| !format.is_empty());
    let form = match wanted {
        Some(name) => FORMS.iter().rposition(|(form, ..)| *form == name).ok_or(Problem::NoRoute)?,
        None => {
            let offered: Vec<_> = FORMS.iter().map(|(_, main, sub)| (*main, *sub)).collect();
            negotiate::choose(&cx.parts, &offered)?.0
        }
    };
    Ok(written(&cx, form))
}

/// The document in one of the [`FORMS`].
fn written(cx: &Cx, form: usize) -> Reply {
    let made = made(cx);
    let (name, main, sub) = FORMS[form];
    let (body, charset) = if name == "json" { (&made.json, "") } else { (&made.yaml, "; charset=utf-8") };
    let media = format!("{main}/{sub}{charset}");
    Reply::bytes(StatusCode::OK, "application/json", body.clone()).header(http::header::CONTENT_TYPE, media)
}

/// The document as JSON, whatever the client accepts.
fn as_json(cx: &Cx) -> Reply {
    written(cx, FORMS.len() - 1)
}

/// The document in both its forms.
struct Made {
    json: Bytes,
    yaml: Bytes,
}

fn made(cx: &Cx) -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let document = complete(openapi::of(cx).clone());
        // A value of JSON has a form in both.
        let yaml = serde_saphyr::to_string(&document).unwrap_or_default();
        Made { json: document.to_string().into(), yaml: yaml.into() }
    })
}

/// Adds to the document what is particular to this dialect: how it refuses, what is former, and no addresses of its own, so that it
/// is the same for every host.
fn complete(mut document: Json) -> Json {
    document["servers"] = json!([{"url": "/"}]);
    document["info"]["description"] =
        "Lists answer pages; a parameter that is repeated means any of its values, `tag` all of them.".into();
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, _| !pages::has(path));
        for (path, item) in paths.iter_mut() {
            let Some(item) = item.as_object_mut() else { continue };
            item.remove("options");
            for (method, operation) in item {
                operate(path, method, operation);
            }
        }
        paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    }
    prune(&mut document);
    document
}

/// Completes one operation.
fn operate(path: &str, method: &str, operation: &mut Json) {
    let is_former = operation["operationId"].as_str().is_some_and(ops::is_former);
    if is_former {
        operation["deprecated"] = true.into();
    }
    let mut refusals = Vec::new();
    if let Some(parameters) = operation.get_mut("parameters").and_then(Json::as_array_mut) {
        refusals.push((400, "Refused"));
        let ids = parameters.iter_mut().filter(|parameter| parameter["name"] == "id" && parameter["in"] == "path");
        ids.for_each(|id| id["schema"] = json!({"type": "integer"}));
    }
    if let Some(body) = operation.get_mut("requestBody").and_then(Json::as_object_mut) {
        body.insert("required".to_owned(), true.into());
        refusals.extend([(400, "Refused"), (415, "Detail")]);
    }
    if operation.get("security").is_none() {
        refusals.push((403, "Detail"));
    }
    if path.contains("{id}") {
        refusals.push((404, "Detail"));
    }
    if method == "delete" {
        refusals.push((409, "Detail"));
    }
    let Some(responses) = operation.get_mut("responses").and_then(Json::as_object_mut) else { return };
    responses.remove("default");
    for (status, shape) in refusals {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        let schema = json!({"$ref": format!("#/components/schemas/{shape}")});
        let response = json!({
            "description": status.canonical_reason().unwrap_or_default(), "content": {"application/json": {"schema": schema}},
        });
        responses.insert(status.as_u16().to_string(), response);
    }
}

/// Leaves out the components that nothing leads to.
fn prune(document: &mut Json) {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut next = references(&document["paths"]);
    while let Some(name) = next.pop() {
        if known.insert(name.clone()) {
            next.extend(references(&document["components"]["schemas"][name.as_str()]));
        }
    }
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| known.contains(name));
        schemas.sort_keys();
    }
}

/// The components that a part of the document refers to.
fn references(part: &Json) -> Vec<String> {
    let mut out = Vec::new();
    match part {
        Json::Object(map) => {
            let name = map.get("$ref").and_then(Json::as_str).and_then(|at| at.strip_prefix("#/components/schemas/"));
            out.extend(name.map(str::to_owned));
            out.extend(map.values().flat_map(references));
        }
        Json::Array(list) => out.extend(list.iter().flat_map(references)),
        _ => {}
    }
    out
}

/// An open operation that answers something for people.
fn open(id: &'static str, path: &'static str) -> meetme_http::Draft {
    Op::on(Method::GET, id, path).group("schema").open()
}
