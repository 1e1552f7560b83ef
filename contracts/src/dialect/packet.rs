//! Packet. `"$ref:X"`, a JSON list for a list, objects drawn by example with `<name>` for any key.
//!
//! - Required: fields of the seed, and `nullable` ones ("sent as null rather than left out"), unless marked `optional`.
//!   Fields that only clients or the later document know may be absent. Null only where `nullable`.
//! - A link may stand in the place of an object that has an `href`, and an included object in the place of a link: that is
//!   what `exclude` and `include` do.
//! - Closed: no. The contract joins the seed with what clients read of a service that went on growing.

use serde_json::{Map, Value};

use super::{document, is, narrowed, operations, schemas, whole};
use crate::{Contract, Field, Operation, Shape, Unreadable, syntax};

const DIALECT: &str = "packet";

pub(super) fn read() -> Result<Contract, Unreadable> {
    let document = document(DIALECT, include_str!("../../packet.json"))?;
    let prefixes = document["base_path_prefixes"].as_array().into_iter().flatten();
    let has_link = |name: &str| !document["schemas"][name]["fields"]["href"].is_null();
    whole(Contract {
        dialect: DIALECT,
        operations: operations(DIALECT, &document, drawn)?,
        schemas: schemas(DIALECT, &document, |raw| schema(raw, &has_link))?,
        prefixes: prefixes.filter_map(Value::as_str).map(str::to_owned).collect(),
        failure,
    })
}

/// Texts in `errors`, or one in `error`: clients read either.
fn failure(_: &Operation, _: u16) -> Shape {
    let (many, one) = (Shape::text().list(), Shape::text());
    let listed = vec![Field::required("errors", many.clone()), Field::optional("error", one.clone())];
    let single = vec![Field::required("error", one), Field::optional("errors", many)];
    Shape::Object { fields: listed, closed: false }.or(Shape::Object { fields: single, closed: false })
}

/// An answer, or the type of a field: an expression, a list or an object drawn by example.
fn drawn(raw: &Value) -> Result<Shape, String> {
    match raw {
        Value::String(text) => syntax::parse(text, &|_| None),
        Value::Array(items) => match items.as_slice() {
            [item] => Ok(drawn(item)?.list()),
            several => Ok(Shape::Tuple(several.iter().map(drawn).collect::<Result<_, _>>()?)),
        },
        Value::Object(keys) if keys.is_empty() => Ok(Shape::Empty),
        Value::Object(keys) => {
            let mut fields = Vec::new();
            for (name, value) in keys {
                let shape = drawn(value).map_err(|what| format!("{name}: {what}"))?;
                if name.starts_with('<') {
                    return Ok(Shape::Map(Box::new(shape)));
                }
                fields.push(Field::required(name, shape));
            }
            Ok(Shape::Object { fields, closed: false })
        }
        other => Err(format!("{other} is no answer")),
    }
}

fn schema(raw: &Map<String, Value>, has_link: &dyn Fn(&str) -> bool) -> Result<Shape, String> {
    let mut fields = Vec::new();
    for (name, value) in raw.get("fields").and_then(Value::as_object).ok_or("a schema has fields")? {
        let value = value.as_object().ok_or_else(|| format!("{name} is no field"))?;
        let kind = value.get("type").ok_or_else(|| format!("{name} has no type"))?;
        let shape = narrowed(drawn(kind).map_err(|what| format!("{name}: {what}"))?, value);
        let shape = linked(shape, has_link);
        if name.starts_with('<') {
            return Ok(Shape::Map(Box::new(shape)));
        }
        let nullable = is(value, "nullable");
        let required = !is(value, "optional") && (nullable || is(value, "in_seed"));
        fields.push(Field { name: name.clone(), shape, required, nullable });
    }
    Ok(Shape::Object { fields, closed: false })
}

/// Lets a bare link stand for an object that has one.
fn linked(shape: Shape, has_link: &dyn Fn(&str) -> bool) -> Shape {
    match shape {
        Shape::Ref(name) if name != "Href" && has_link(&name) => {
            let link = Shape::Object { fields: vec![Field::required("href", Shape::text())], closed: true };
            Shape::Ref(name).or(link)
        }
        Shape::Array(item) => linked(*item, has_link).list(),
        other => other,
    }
}
