//! Writes a dialect's OpenAPI 3.1 document from its table.

use std::collections::BTreeMap;

use http::Method;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{Auth, Dialect, Op, QueryParam, Reply, Shape, ValueKind, route::Home};

/// The document of this dialect as it is served at `base_url`. A component of the dialect's own replaces a derived one of the
/// same name.
pub fn document(dialect: &Dialect, base_url: &str) -> Value {
    let security = (dialect.security)();
    let each: Vec<Value> = security.keys().map(|name| json!({ name: [] })).collect();
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for op in dialect.ops.iter().filter(|op| method_name(&op.method).is_some()) {
        let at = op.path.replace("{*", "{");
        let name = method_name(&op.method).unwrap_or_default();
        paths.entry(at).or_default().insert(name.to_owned(), operation(op, &each, &mut generator));
    }
    let mut schemas = generator.take_definitions(true);
    schemas.append(&mut (dialect.components)());
    json!({
        "openapi": "3.1.0",
        "info": { "title": dialect.title, "version": dialect.version },
        "servers": [{ "url": base_url }],
        "security": each,
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security },
    })
}

/// An operation that answers with its own dialect's document, for a dialect to mount where its clients look for one.
pub fn op(path: &'static str) -> Op {
    Op::get("openapi", path)
        .group("meta")
        .summary("This document.")
        .open()
        .run(async |cx: crate::Cx| Ok::<_, crate::Problem>(reply(&cx.home, &cx.base_url)))
}

/// The document of the dialect that a request came to, without the server's address: for a dialect to complete and to show in
/// its own way. It is made once.
pub fn of(cx: &crate::Cx) -> &Value {
    cx.home.document()
}

/// The document as an answer. All but the server's address is made once.
pub(crate) fn reply(home: &Home, base_url: &str) -> Reply {
    let document = home.document();
    let servers = json!([{ "url": base_url }]);
    let members: Vec<(&String, &Value)> = document.as_object().into_iter().flatten().collect();
    let placed =
        members.into_iter().map(|(name, value)| (name.as_str(), if name == "servers" { &servers } else { value }));
    Reply::ok(&Members(placed.collect()))
}

/// Members of an object in a given order, borrowed.
struct Members<'a>(Vec<(&'a str, &'a Value)>);

impl serde::Serialize for Members<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

fn operation(op: &Op, security: &[Value], generator: &mut SchemaGenerator) -> Value {
    let mut out = Map::new();
    out.insert("operationId".into(), op.id.into());
    if !op.group.is_empty() {
        out.insert("tags".into(), json!([op.group]));
    }
    if !op.summary.is_empty() {
        out.insert("summary".into(), op.summary.into());
    }
    let in_path = op
        .path_params()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let parameters: Vec<Value> = in_path.chain(op.query.iter().map(parameter)).collect();
    if !parameters.is_empty() {
        out.insert("parameters".into(), parameters.into());
    }
    if let Some(content) = content(&op.request, op.request_media, generator) {
        out.insert("requestBody".into(), json!({ "content": content }));
    }
    let mut good = Map::new();
    good.insert("description".into(), reason(op.success).into());
    if let Some(content) = content(&op.response, op.response_media, generator) {
        good.insert("content".into(), content);
    }
    out.insert("responses".into(), json!({ op.success.to_string(): good, "default": { "description": "An error." } }));
    match op.auth {
        Auth::Required => {}
        Auth::Open => {
            out.insert("security".into(), json!([]));
        }
        Auth::Optional => {
            // An empty requirement beside the others is how OpenAPI says that none is needed.
            let either: Vec<Value> = [json!({})].into_iter().chain(security.iter().cloned()).collect();
            out.insert("security".into(), either.into());
        }
    }
    out.into()
}

fn parameter(param: &QueryParam) -> Value {
    let kind = match param.kind {
        ValueKind::Text => "string",
        ValueKind::Integer => "integer",
        ValueKind::Number => "number",
        ValueKind::Boolean => "boolean",
    };
    let one = json!({ "type": kind });
    let schema = if param.repeated { json!({ "type": "array", "items": one }) } else { one };
    let mut out = json!({ "name": param.name, "in": "query", "required": param.required, "schema": schema });
    if !param.summary.is_empty() {
        out["description"] = param.summary.into();
    }
    out
}

fn content(shape: &Shape, media: &str, generator: &mut SchemaGenerator) -> Option<Value> {
    let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let schema = match shape {
        Shape::Nothing => return None,
        Shape::Named(name) => named(name),
        Shape::ListOf(name) => json!({ "type": "array", "items": named(name) }),
        Shape::Made(make) => make(generator).to_value(),
    };
    Some(json!({ media: { "schema": schema } }))
}

/// The methods an OpenAPI path item has a member for.
fn method_name(method: &Method) -> Option<&'static str> {
    Some(match method.as_str() {
        "GET" => "get",
        "PUT" => "put",
        "POST" => "post",
        "DELETE" => "delete",
        "OPTIONS" => "options",
        "HEAD" => "head",
        "PATCH" => "patch",
        "TRACE" => "trace",
        _ => return None,
    })
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Done")
}
