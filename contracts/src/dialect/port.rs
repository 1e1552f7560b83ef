//! Port. `X[]`, `map<k,v>`, `a|b`, a bare schema name, objects written out; answers are drawn as JSON, either by example
//! (`{"ok": true, "entity": {"ref": "Entity"}}`) or field by field (`{"ok": {"type": "boolean", "required": true}}`).
//!
//! - Required: fields marked so, and every key drawn by example unless its type ends in `?`. Null only where the type
//!   says `|null`.
//! - Closed: yes, unless `*` or `...` is among the keys, which the notation has for exactly that.

use serde_json::{Map, Value};

use super::{document, is, narrowed, operations, schemas, text, whole};
use crate::{Contract, Field, Operation, Shape, Unreadable, syntax};

const DIALECT: &str = "port";

/// Bare words that stand for themselves in an expression.
const LITERALS: [&str; 4] = ["ANY", "ALL", "create", "delete"];

pub(super) fn read() -> Result<Contract, Unreadable> {
    let document = document(DIALECT, include_str!("../../port.json"))?;
    let names: Vec<&str> = document["schemas"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let words = |word: &str| known(word, &names);
    whole(Contract {
        dialect: DIALECT,
        operations: operations(DIALECT, &document, |raw| drawn(raw, &words))?,
        schemas: schemas(DIALECT, &document, |raw| match raw.get("").and_then(Value::as_object) {
            // A single field without a name: the schema is that type itself.
            Some(itself) => shape(itself, &words),
            None => listed(raw, &words),
        })?,
        prefixes: Vec::new(),
        failure,
    })
}

fn failure(_: &Operation, _: u16) -> Shape {
    Shape::Ref("ErrorBody".into())
}

fn known(word: &str, names: &[&str]) -> Option<Shape> {
    match word {
        "date-time" | "url" | "uri" | "email" => Some(Shape::format(word)),
        "jq" => Some(Shape::text()),
        literal if LITERALS.contains(&literal) => Some(Shape::words([literal])),
        name => names.contains(&name).then(|| Shape::Ref(name.to_owned())),
    }
}

/// An answer drawn as JSON.
fn drawn(raw: &Value, words: syntax::Words) -> Result<Shape, String> {
    match raw {
        Value::Null => Ok(Shape::Empty),
        Value::String(text) => syntax::parse(text, words),
        Value::Bool(_) => Ok(Shape::Exactly(raw.clone())),
        Value::Array(items) => match items.as_slice() {
            [item] => Ok(drawn(item, words)?.list()),
            _ => Err("a list is drawn by one item".into()),
        },
        Value::Object(keys) => match keys.get("ref").and_then(Value::as_str) {
            Some(schema) => Ok(Shape::Ref(schema.to_owned())),
            None if keys.values().any(is_field) => listed(keys, words),
            None => by_example(keys, words),
        },
        Value::Number(_) => Err(format!("{raw} is no answer")),
    }
}

/// Whether a key is drawn as a field with marks, not by an example of its value.
fn is_field(raw: &Value) -> bool {
    raw.get("type").is_some() || raw.get("anyOf").is_some()
}

fn by_example(keys: &Map<String, Value>, words: syntax::Words) -> Result<Shape, String> {
    let mut fields = Vec::new();
    let mut closed = true;
    for (name, value) in keys {
        if name == "..." {
            closed = false;
            continue;
        }
        let optional = value.as_str().and_then(|text| text.strip_suffix('?'));
        let shape = match optional {
            Some(text) => syntax::parse(text, words)?,
            None => drawn(value, words)?,
        };
        if name.starts_with('<') {
            return Ok(Shape::Map(Box::new(shape)));
        }
        fields.push(Field { name: name.clone(), shape, required: optional.is_none(), nullable: false });
    }
    Ok(Shape::Object { fields, closed })
}

fn listed(keys: &Map<String, Value>, words: syntax::Words) -> Result<Shape, String> {
    let mut fields = Vec::new();
    let mut closed = true;
    for (name, value) in keys {
        if name == "*" {
            closed = false;
            continue;
        }
        let value = value.as_object().ok_or_else(|| format!("{name} is no field"))?;
        let shape = shape(value, words).map_err(|what| format!("{name}: {what}"))?;
        fields.push(Field { name: name.clone(), shape, required: is(value, "required"), nullable: false });
    }
    Ok(Shape::Object { fields, closed })
}

/// A field with marks: its type, and what is inside an object or a list.
fn shape(raw: &Map<String, Value>, words: syntax::Words) -> Result<Shape, String> {
    if let Some(cases) = raw.get("anyOf").and_then(Value::as_array) {
        let cases = cases.iter().filter_map(Value::as_object).map(|case| shape(case, words));
        return Ok(Shape::OneOf(cases.collect::<Result<_, _>>()?));
    }
    let inner = |key: &str| raw.get(key).and_then(Value::as_object);
    match (text(raw, "type")?, inner("fields"), inner("items")) {
        ("object", Some(fields), _) => listed(fields, words),
        ("array", _, Some(item)) => Ok(shape(item, words)?.list()),
        (expression, _, _) => Ok(narrowed(syntax::parse(expression, words)?, raw)),
    }
}
