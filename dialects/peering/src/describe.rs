//! What OPTIONS says of a model.

use meetme_app::peering::Ruled;
use serde_json::{Map, Value as Json, json};

use crate::model::{About, Field, Form, Model};

/// The fields of a model, described.
pub fn fields<R: Ruled>(model: &Model<R>) -> Map<String, Json> {
    model.fields.iter().map(|field| (field.name.to_owned(), one(field))).collect()
}

fn one<R: Ruled>(field: &Field<R>) -> Json {
    let mut out = Map::new();
    let choices = |words: &[(&str, &str)]| -> Json {
        words.iter().map(|(word, label)| json!({"value": word, "display_name": label})).collect()
    };
    let kind = match &field.form {
        Form::Id | Form::Integer { .. } => "integer",
        Form::Url | Form::Page | Form::Json { .. } | Form::Parsed { .. } | Form::Object { .. } => "field",
        Form::Display => "string",
        Form::Created | Form::Updated | Form::Moment { .. } => "datetime",
        Form::Text { slug: true, .. } => "slug",
        Form::Text { .. } | Form::Secret { .. } => "string",
        Form::Flag { .. } => "boolean",
        Form::Choice { two: true, .. } => "field",
        Form::Choice { .. } | Form::Digit { .. } => "choice",
        Form::One { .. } => "nested object",
        Form::Many { .. } => "list",
        Form::Own { kind, .. } | Form::Beside { kind, .. } | Form::Made { kind, .. } => kind,
    };
    out.insert("type".into(), kind.into());
    out.insert("required".into(), field.required.into());
    out.insert("read_only".into(), field.read_only.into());
    out.insert("label".into(), label(&field.called()).into());
    match &field.form {
        Form::Text { most, .. } if *most < usize::MAX => {
            out.insert("max_length".into(), (*most).into());
        }
        Form::Secret { most, .. } => {
            out.insert("max_length".into(), (*most).into());
        }
        Form::Integer { low, high, .. } => {
            out.insert("min_value".into(), (*low).into());
            out.insert("max_value".into(), (*high).into());
        }
        Form::Choice { words, .. } => {
            out.insert("choices".into(), choices(words));
        }
        Form::Digit { of, .. } => {
            let list: Json = of.iter().map(|(n, label)| json!({"value": n, "display_name": label})).collect();
            out.insert("choices".into(), list);
        }
        Form::One { of, .. } => {
            out.insert("children".into(), nested(*of));
        }
        Form::Many { of, .. } => {
            let child = json!({
                "type": "nested object", "required": false, "read_only": false, "children": nested(*of),
            });
            out.insert("child".into(), child);
        }
        _ => {}
    }
    Json::Object(out)
}

/// The fields of a nested form.
fn nested(of: &dyn crate::engine::AnyModel) -> Json {
    // The nested form has no references of its own, so this ends.
    let all = of.describe();
    of.about().brief.iter().filter_map(|name| all.get(*name).map(|field| ((*name).to_owned(), field.clone()))).collect()
}

/// A name as headings have it: with a capital.
pub fn label(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default() + letters.as_str()
}

/// What a place is called that shows no model: after the last word of its path that is no id.
pub fn place(path: &str) -> String {
    let word = path.split('/').rfind(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or_default();
    match word {
        "api" => "API Root".to_owned(),
        word => word.split('-').map(label).collect::<Vec<_>>().join(" "),
    }
}

/// The name of a model in titles.
pub fn title(about: &About, list: bool) -> String {
    let words: Vec<String> = about.verbose.split(' ').map(label).collect();
    if list { format!("{} List", words.join(" ")) } else { words.join(" ") }
}
