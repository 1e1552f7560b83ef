//! Pureport. `$Name`, `[X]`, `map<X>`; `$enum`, `$map` and `$discriminator` describe a schema itself.
//!
//! - Required: what is marked so (or `required_by_clients`), and then it may not be null, since the clients refuse it.
//!   Everything else may be absent or null.
//! - Closed: yes. The contract also lists what was never in the recorded document and marks it `legacy` or `extension`, so
//!   a key that is not listed is a mistake.

use serde_json::{Map, Value};

use super::{document, is, narrowed, operations, schemas, tagged, text, whole};
use crate::{Contract, Field, Operation, Shape, Unreadable, syntax};

const DIALECT: &str = "pureport";

pub(super) fn read() -> Result<Contract, Unreadable> {
    let document = document(DIALECT, include_str!("../../pureport.json"))?;
    whole(Contract {
        dialect: DIALECT,
        operations: operations(DIALECT, &document, response)?,
        schemas: schemas(DIALECT, &document, schema)?,
        prefixes: Vec::new(),
        failure,
    })
}

fn failure(_: &Operation, _: u16) -> Shape {
    Shape::Ref("Error".into())
}

fn expression(text: &str) -> Result<Shape, String> {
    syntax::parse(text, &|_| None)
}

fn response(raw: &Value) -> Result<Shape, String> {
    match raw {
        Value::Null => Ok(Shape::Empty),
        Value::String(text) => expression(text),
        // The clients parse the body of every deletion, so there is one, with nothing in it.
        Value::Object(literal) if literal.get("note").is_some_and(|note| note == "empty JSON object") => {
            Ok(Shape::Object { fields: Vec::new(), closed: true })
        }
        Value::Object(literal) => expression(text(literal, "type")?),
        other => Err(format!("{other} is no answer")),
    }
}

fn schema(raw: &Map<String, Value>) -> Result<Shape, String> {
    if let Some(itself) = raw.get("$enum").or_else(|| raw.get("$map")).and_then(Value::as_object) {
        return shape(itself);
    }
    let mut fields = Vec::new();
    for (name, value) in raw.iter().filter(|(name, _)| !name.starts_with('$')) {
        let value = value.as_object().ok_or_else(|| format!("{name} is no field"))?;
        let past = is(value, "legacy") || is(value, "deprecated");
        let required = !past && (is(value, "required") || is(value, "required_by_clients"));
        let shape = shape(value).map_err(|what| format!("{name}: {what}"))?;
        fields.push(Field { name: name.clone(), shape, required, nullable: !required });
    }
    let object = Shape::Object { fields, closed: true };
    match raw.get("$discriminator").and_then(Value::as_object) {
        Some(choice) => tagged(choice, object),
        None => Ok(object),
    }
}

fn shape(raw: &Map<String, Value>) -> Result<Shape, String> {
    Ok(narrowed(expression(text(raw, "type")?)?, raw))
}
