//! The schema of a model in each of its forms, from its table.

use meetme_app::peering::Ruled;
use serde_json::{Map, Value as Json, json};

use crate::{
    engine::AnyModel,
    model::{Field, Form, Model},
    scene::brief,
};

/// The forms of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// As it is answered.
    Whole,
    /// As others that refer to it show it, and as it is answered in brief.
    Nested,
    /// As it is made or replaced.
    New,
    /// As a part of it is changed.
    Change,
}

impl Face {
    const fn is_read(self) -> bool {
        matches!(self, Self::Whole | Self::Nested)
    }
}

/// The model in this form.
pub fn object<R: Ruled>(model: &Model<R>, face: Face) -> Json {
    let fields: Vec<&Field<R>> = match face {
        Face::Whole => model.fields.iter().filter(|field| !field.write_only).collect(),
        Face::Nested => brief(&model.about, model.fields),
        Face::New | Face::Change => model.fields.iter().filter(|field| !field.read_only).collect(),
    };
    // What is ours is answered only to those who ask for it.
    let is_required =
        |field: &&&Field<R>| if face.is_read() { !field.ours } else { face == Face::New && field.required };
    let required: Vec<&str> = fields.iter().filter(is_required).map(|field| field.name).collect();
    let properties: Map<String, Json> =
        fields.iter().map(|field| (field.name.to_owned(), property(field, face))).collect();
    let mut out = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        out["required"] = required.into();
    }
    out
}

fn property<R: Ruled>(field: &Field<R>, face: Face) -> Json {
    let schema = if face.is_read() { read(field, face) } else { written(field) };
    let may_lack = match field.form {
        // What may be left out may be absent, and whoever has no right to it sees nothing.
        Form::One { .. } => !field.required,
        Form::Secret { .. } => true,
        _ => field.guarded,
    };
    let schema = if field.nullable || (face.is_read() && may_lack) { or_null(schema) } else { schema };
    let mut out = schema;
    out["title"] = crate::describe::label(&field.called()).into();
    if field.read_only {
        out["readOnly"] = true.into();
    }
    out
}

/// How a field is answered.
fn read<R: Ruled>(field: &Field<R>, face: Face) -> Json {
    match &field.form {
        Form::Id => json!({"type": "integer"}),
        Form::Url | Form::Page => json!({"type": "string", "format": "uri"}),
        Form::Display | Form::Text { .. } | Form::Parsed { .. } | Form::Secret { .. } => json!({"type": "string"}),
        Form::Created | Form::Updated | Form::Moment { .. } => json!({"type": "string", "format": "date-time"}),
        Form::Integer { .. } => json!({"type": "integer"}),
        Form::Flag { .. } => json!({"type": "boolean"}),
        Form::Choice { words, two: true, .. } if face == Face::Whole => {
            let (values, labels): (Vec<&str>, Vec<&str>) = words.iter().copied().unzip();
            json!({
                "type": "object", "required": ["value", "label"],
                "properties": {"value": {"type": "string", "enum": values}, "label": {"type": "string", "enum": labels}},
            })
        }
        Form::Choice { words, .. } => {
            let blank = (!field.nullable).then_some("");
            let values: Vec<&str> = words.iter().map(|(word, _)| *word).chain(blank).collect();
            json!({"type": "string", "enum": values})
        }
        Form::Digit { of, .. } => digits(of),
        Form::One { of, .. } => reference(*of),
        Form::Many { of, .. } => json!({"type": "array", "items": reference(*of)}),
        Form::Json { .. } => json!({}),
        Form::Object { .. } => json!({"type": ["object", "null"]}),
        Form::Own { kind, .. } | Form::Beside { kind, .. } | Form::Made { kind, .. } => match *kind {
            "string" | "integer" | "boolean" => json!({"type": kind}),
            "datetime" => json!({"type": "string", "format": "date-time"}),
            "list" => json!({"type": "array"}),
            _ => json!({}),
        },
    }
}

/// How a field is written.
fn written<R: Ruled>(field: &Field<R>) -> Json {
    match &field.form {
        Form::Text { most, slug, .. } => {
            let mut out = json!({"type": "string"});
            if *most < usize::MAX {
                out["maxLength"] = (*most).into();
            }
            if field.required {
                out["minLength"] = 1.into();
            }
            if *slug {
                out["pattern"] = "^[-a-zA-Z0-9_]+$".into();
            }
            out
        }
        Form::Secret { most, .. } => json!({"type": "string", "maxLength": most}),
        Form::Integer { low, high, .. } => json!({"type": "integer", "minimum": low, "maximum": high}),
        Form::Choice { words, two, .. } => {
            let blank = (!field.required && !two).then_some("");
            let values: Vec<&str> = words.iter().map(|(word, _)| *word).chain(blank).collect();
            json!({"type": "string", "enum": values})
        }
        Form::One { .. } => referred(),
        Form::Many { described: true, .. } => json!({"type": "array", "items": referred()}),
        Form::Many { .. } => json!({"type": "array", "items": {"type": "integer"}}),
        _ => read(field, Face::Whole),
    }
}

/// Another row, by its id or by attributes that only it has.
fn referred() -> Json {
    json!({"anyOf": [{"type": "integer"}, {"type": "object"}]})
}

fn reference(of: &dyn AnyModel) -> Json {
    json!({"$ref": format!("#/components/schemas/Nested{}", of.about().name)})
}

fn digits(of: &[(i64, &str)]) -> Json {
    let values: Vec<i64> = of.iter().map(|(number, _)| *number).collect();
    json!({"type": "integer", "enum": values})
}

/// The same, or nothing.
fn or_null(mut schema: Json) -> Json {
    match schema.get("type").and_then(Json::as_str).map(str::to_owned) {
        Some(kind) => {
            schema["type"] = json!([kind, "null"]);
            if let Some(values) = schema.get_mut("enum").and_then(Json::as_array_mut) {
                values.push(Json::Null);
            }
            schema
        }
        // What says nothing of its type may be nothing as well.
        None if schema.as_object().is_none_or(Map::is_empty) => schema,
        None => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}
