//! The five notations. Each module reads one, and says what in it makes a field required, nullable or unknown.

mod megaport;
mod packet;
mod peering_manager;
mod port;
mod pureport;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Contract, Operation, Shape, Unreadable};

pub(crate) fn read_all() -> Result<Vec<Contract>, Unreadable> {
    Ok(vec![pureport::read()?, megaport::read()?, peering_manager::read()?, port::read()?, packet::read()?])
}

/// Parses the JSON of a contract.
fn document(dialect: &str, text: &str) -> Result<Value, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable { place: dialect.into(), what: error.to_string() })
}

/// Reads the operations; only the answer's notation differs between dialects.
fn operations(
    dialect: &str,
    document: &Value,
    response: impl Fn(&Value) -> Result<Shape, String>,
) -> Result<Vec<Operation>, Unreadable> {
    let mut operations = Vec::new();
    for raw in document["operations"].as_array().into_iter().flatten() {
        let text = |key: &str| raw[key].as_str().unwrap_or_default().to_owned();
        let id = text("id");
        let place = format!("{dialect} {id}");
        let fail = |what: &str| Unreadable { place: place.clone(), what: what.to_owned() };
        let numbers = |key: &str| match &raw[key] {
            Value::Array(several) => several.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        let success: Option<Vec<u16>> = numbers("success")
            .iter()
            .chain(&numbers("success_also"))
            .map(|status| status.as_u64().and_then(|status| u16::try_from(status).ok()))
            .collect();
        let success = success.filter(|statuses| !statuses.is_empty()).ok_or_else(|| fail("has no status"))?;
        if id.is_empty() || text("method").is_empty() || !text("path").starts_with('/') {
            return Err(fail("an operation needs id, method and path"));
        }
        operations.push(Operation {
            id,
            method: text("method"),
            path: text("path"),
            in_seed: raw["in_seed"] == true,
            auth: raw["auth"] != "none",
            success,
            response: response(&raw["response"]).map_err(|what| fail(&what))?,
            notes: text("notes"),
        });
    }
    Ok(operations)
}

/// Reads the schemas, each by the dialect's own reader.
fn schemas(
    dialect: &str,
    document: &Value,
    read: impl Fn(&Map<String, Value>) -> Result<Shape, String>,
) -> Result<BTreeMap<String, Shape>, Unreadable> {
    let mut schemas = BTreeMap::new();
    for (name, raw) in document["schemas"].as_object().into_iter().flatten() {
        let fail = |what: String| Unreadable { place: format!("{dialect} {name}"), what };
        let raw = raw.as_object().ok_or_else(|| fail("a schema is an object".into()))?;
        schemas.insert(name.clone(), read(raw).map_err(fail)?);
    }
    Ok(schemas)
}

/// Refuses a contract in which a shape points at a schema that is not there.
fn whole(contract: Contract) -> Result<Contract, Unreadable> {
    let named = contract.schemas.iter().map(|(name, shape)| (name.as_str(), shape));
    let answered = contract.operations.iter().map(|operation| (operation.id.as_str(), &operation.response));
    for (place, shape) in named.chain(answered) {
        if let Some(missing) = dangling(&contract.schemas, shape) {
            let place = format!("{} {place}", contract.dialect);
            return Err(Unreadable { place, what: format!("there is no schema {missing}") });
        }
    }
    Ok(contract)
}

fn dangling(schemas: &BTreeMap<String, Shape>, shape: &Shape) -> Option<String> {
    match shape {
        Shape::Ref(name) => (!schemas.contains_key(name)).then(|| name.clone()),
        Shape::Array(item) | Shape::Map(item) => dangling(schemas, item),
        Shape::Tuple(several) | Shape::OneOf(several) => several.iter().find_map(|shape| dangling(schemas, shape)),
        Shape::Object { fields, .. } => fields.iter().find_map(|field| dangling(schemas, &field.shape)),
        Shape::Tagged { cases, otherwise, .. } => {
            let missing = cases.iter().find(|(_, schema)| !schemas.contains_key(schema));
            missing.map(|(_, schema)| schema.clone()).or_else(|| dangling(schemas, otherwise))
        }
        _ => None,
    }
}

/// The text of a key, or why there is none.
fn text<'v>(raw: &'v Map<String, Value>, key: &str) -> Result<&'v str, String> {
    raw.get(key).and_then(Value::as_str).ok_or_else(|| format!("{key} is not a text"))
}

/// Whether a mark such as `nullable` is set.
fn is(raw: &Map<String, Value>, mark: &str) -> bool {
    raw.get(mark) == Some(&Value::Bool(true))
}

/// Narrows a shape by the list of words and the format that stand beside it, where it is one they can apply to.
fn narrowed(shape: Shape, raw: &Map<String, Value>) -> Shape {
    match shape {
        Shape::OneOf(cases) => Shape::OneOf(cases.into_iter().map(|case| narrowed(case, raw)).collect()),
        Shape::String { format, words } => {
            let enumerated = raw.get("enum").and_then(Value::as_array);
            let listed = enumerated.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            let given = raw.get("format").and_then(Value::as_str).map(str::to_owned);
            Shape::String { format: given.or(format), words: listed.or(words) }
        }
        Shape::Integer => match raw.get("enum").and_then(Value::as_array) {
            Some(numbers) => Shape::OneNumber(numbers.iter().filter_map(Value::as_i64).collect()),
            None => Shape::Integer,
        },
        other => other,
    }
}

/// Reads `$discriminator`: the field with the word, and the schema for each.
fn tagged(raw: &Map<String, Value>, base: Shape) -> Result<Shape, String> {
    let mapping = |key: &str| raw.get(key).and_then(Value::as_object).into_iter().flatten();
    let cases: Option<Vec<(String, String)>> = mapping("mapping")
        .chain(mapping("mapping_legacy"))
        .map(|(word, schema)| Some((word.clone(), schema.as_str()?.to_owned())))
        .collect();
    let otherwise = match raw.get("default").and_then(Value::as_str) {
        Some(schema) => Shape::Ref(schema.to_owned()),
        None => base,
    };
    Ok(Shape::Tagged {
        field: text(raw, "field")?.to_owned(),
        cases: cases.ok_or("a discriminator maps words to schemas")?,
        otherwise: Box::new(otherwise),
        any_case: is(raw, "case_insensitive"),
    })
}
