//! Peering Manager. `X`, `[X]`, `X | [X]`, `Page<X>`; a field says its type, and `ref` or `items` what is in it.
//!
//! - Required: every field but `write_only` ones, since a serializer always writes all of its fields; null only where
//!   `nullable`, the empty text besides the words of an `enum` where `allow_blank`. Answers cut down by `brief`, `fields`
//!   or `exclude` are not whole and are no proof.
//! - Closed: yes. A schema is the whole serializer, so a `write_only` field in an answer is a leak and is reported.

use serde_json::{Map, Value};

use super::{document, is, narrowed, operations, schemas, text, whole};
use crate::{Contract, Field, Operation, Shape, Unreadable, syntax};

const DIALECT: &str = "peering-manager";

pub(super) fn read() -> Result<Contract, Unreadable> {
    let document = document(DIALECT, include_str!("../../peering-manager.json"))?;
    let names: Vec<&str> = document["schemas"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let schemas = schemas(DIALECT, &document, schema)?;
    let page = schemas.get("Page").cloned();
    let response = |raw: &Value| match raw {
        Value::Null => Ok(Shape::Empty),
        Value::String(text) => answer(text, &names, page.as_ref()),
        other => Err(format!("{other} is no answer")),
    };
    let operations = operations(DIALECT, &document, response)?;
    whole(Contract { dialect: DIALECT, operations, schemas, prefixes: Vec::new(), failure })
}

/// Refusals of input name the fields, or what cannot be read at all; everything else is one sentence, or no body.
fn failure(_: &Operation, status: u16) -> Shape {
    let of = |name: &str| Shape::Ref(name.to_owned());
    let shape = of("Detail").or(Shape::Empty);
    match status {
        400 => shape.or(of("ValidationErrors")).or(of("ValidationErrors").list()),
        500.. => shape.or(of("ServerError")),
        _ => shape,
    }
}

fn answer(text: &str, names: &[&str], page: Option<&Shape>) -> Result<Shape, String> {
    if text.starts_with("map of ") && text.ends_with("-> url") {
        return Ok(Shape::Map(Box::new(Shape::format("url"))));
    }
    let known = |word: &str| names.contains(&word).then(|| Shape::Ref(word.to_owned()));
    let Some(of) = text.strip_prefix("Page<").and_then(|rest| rest.strip_suffix('>')) else {
        return syntax::parse(text, &known);
    };
    let item = syntax::parse(of, &known)?;
    match page.cloned() {
        Some(Shape::Object { mut fields, closed }) => {
            let results = fields.iter_mut().find(|field| field.name == "results").ok_or("a page has results")?;
            results.shape = item.list();
            Ok(Shape::Object { fields, closed })
        }
        _ => Err("there is no schema Page".into()),
    }
}

fn schema(raw: &Map<String, Value>) -> Result<Shape, String> {
    let mut fields = Vec::new();
    for (name, value) in raw {
        let value = value.as_object().ok_or_else(|| format!("{name} is no field"))?;
        let shape = shape(value).map_err(|what| format!("{name}: {what}"))?;
        // The name of a single field in brackets stands for any key.
        if name.starts_with('<') {
            return Ok(Shape::Map(Box::new(shape)));
        }
        if !is(value, "write_only") {
            fields.push(Field { name: name.clone(), shape, required: true, nullable: is(value, "nullable") });
        }
    }
    Ok(Shape::Object { fields, closed: true })
}

fn shape(raw: &Map<String, Value>) -> Result<Shape, String> {
    let refers = |raw: &Map<String, Value>| raw.get("ref").and_then(Value::as_str).map(|name| Shape::Ref(name.into()));
    match text(raw, "type")? {
        "choice" => choice(raw),
        "object" => Ok(match (refers(raw), raw.get("keys").and_then(Value::as_array)) {
            (Some(schema), _) => schema,
            (None, Some(keys)) => {
                let fields = keys.iter().filter_map(Value::as_str).map(|key| Field::optional(key, Shape::Any));
                Shape::Object { fields: fields.collect(), closed: true }
            }
            (None, None) => Shape::Map(Box::new(Shape::Any)),
        }),
        "array" => match raw.get("items").and_then(Value::as_object) {
            None => Ok(Shape::Any.list()),
            Some(items) => match refers(items) {
                Some(schema) => Ok(schema.list()),
                None => Ok(shape(items)?.list()),
            },
        },
        plain => {
            let plain = syntax::common(plain).ok_or_else(|| format!("{plain:?} is no type"))?;
            let narrow = narrowed(plain, raw);
            // An empty text is allowed beside the words or the format, not only as an unchecked text.
            Ok(if is(raw, "allow_blank") && narrow != Shape::text() { narrow.or(Shape::words([""])) } else { narrow })
        }
    }
}

/// `{"value", "label"}`, each one of those the contract gives.
fn choice(raw: &Map<String, Value>) -> Result<Shape, String> {
    let words = raw.get("enum").and_then(Value::as_array).ok_or("a choice lists its words")?;
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let labels: Option<Vec<&str>> =
        raw.get("labels").and_then(Value::as_object).map(|map| map.values().filter_map(Value::as_str).collect());
    let label = labels.map_or_else(Shape::text, Shape::words);
    let fields = vec![Field::required("value", Shape::words(words)), Field::required("label", label)];
    Ok(Shape::Object { fields, closed: true })
}
