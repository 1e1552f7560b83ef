//! Megaport. `$Name`, `[X]`, `A|B`, `map<X>`; an answer is an expression or an envelope written out key by key.
//!
//! - Required: every field that is not marked `optional` ("in answers send every field"); null only where `nullable`.
//! - Closed: the envelope, because the contract says it *is* message, terms and data. Schemas stay open: they are what
//!   clients read, collected from several of them, and say nothing of the rest.

use serde_json::{Map, Value};

use super::{document, is, narrowed, operations, schemas, tagged, text, whole};
use crate::{Contract, Field, Operation, Shape, Unreadable, syntax};

const DIALECT: &str = "megaport";

pub(super) fn read() -> Result<Contract, Unreadable> {
    let document = document(DIALECT, include_str!("../../megaport.json"))?;
    whole(Contract {
        dialect: DIALECT,
        operations: operations(DIALECT, &document, response)?,
        schemas: schemas(DIALECT, &document, schema)?,
        prefixes: Vec::new(),
        failure,
    })
}

/// The token endpoint keeps to OAuth and answers a bare `error` (RFC 6749, section 5.2).
fn failure(operation: &Operation, _: u16) -> Shape {
    if operation.id == "oauth.token" {
        return Shape::Object { fields: vec![Field::required("error", Shape::text())], closed: false };
    }
    Shape::Ref("ErrorEnvelope".into())
}

fn expression(text: &str) -> Result<Shape, String> {
    syntax::parse(text, &|_| None)
}

fn response(raw: &Value) -> Result<Shape, String> {
    match raw {
        Value::String(text) => expression(text),
        Value::Object(literal) if literal.contains_key("type") => expression(text(literal, "type")?),
        Value::Object(literal) => {
            let fields = literal.iter().map(|(name, value)| {
                let value = value.as_str().ok_or_else(|| format!("{name} is no expression"))?;
                Ok(Field::required(name, expression(value)?))
            });
            Ok(Shape::Object { fields: fields.collect::<Result<_, String>>()?, closed: true })
        }
        other => Err(format!("{other} is no answer")),
    }
}

fn schema(raw: &Map<String, Value>) -> Result<Shape, String> {
    if let Some(itself) = raw.get("$enum").or_else(|| raw.get("$tuple")).and_then(Value::as_object) {
        return shape(itself);
    }
    let mut fields = Vec::new();
    for (name, value) in raw.iter().filter(|(name, _)| !name.starts_with('$')) {
        let value = value.as_object().ok_or_else(|| format!("{name} is no field"))?;
        let required = !is(value, "optional") && !is(value, "legacy");
        let shape = shape(value).map_err(|what| format!("{name}: {what}"))?;
        fields.push(Field { name: name.clone(), shape, required, nullable: is(value, "nullable") });
    }
    let object = Shape::Object { fields, closed: false };
    match raw.get("$discriminator").and_then(Value::as_object) {
        Some(choice) => tagged(choice, object),
        None => Ok(object),
    }
}

fn shape(raw: &Map<String, Value>) -> Result<Shape, String> {
    let plain = expression(text(raw, "type")?)?;
    let shape = if is(raw, "open_enum") { plain } else { narrowed(plain, raw) };
    match raw.get("also").and_then(Value::as_str) {
        Some(other) => Ok(shape.or(expression(other)?)),
        None => Ok(shape),
    }
}
