//! JSON into the values of the template language, and values into JSON and YAML.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use serde_json::{Map, Number, Value as Json};

use crate::{Address, Entity, Rows};

/// How deep a value is written out. An object is written with its fields, and what these lead to by number only.
const DEEPEST: usize = 40;

/// A JSON value as a value of the template language.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => n.into(),
            (None, Some(n)) => n.into(),
            (None, None) => n.as_f64().unwrap_or_default().into(),
        },
        Json::String(s) => s.as_str().into(),
        Json::Array(list) => list.iter().map(from_json).collect::<Vec<_>>().into(),
        Json::Object(map) => Value::from_pairs(map.iter().map(|(k, v)| (k.as_str(), from_json(v)))),
    }
}

/// A value as JSON. An object of the tree becomes the map of its fields: what it refers to as ids, tags as names.
pub fn to_json(value: &Value) -> Json {
    written(value, 0)
}

fn written(value: &Value, depth: usize) -> Json {
    if depth > DEEPEST {
        return Json::Null;
    }
    if let Some(entity) = Entity::of(value) {
        return whole(entity, depth);
    }
    if let Some(rows) = Rows::of(value) {
        let list = rows.entities().map(|e| whole(&e, depth + 1));
        return Json::Array(list.collect());
    }
    if let Some(address) = value.downcast_object_ref::<Address>() {
        return address.to_string().into();
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number => number(value),
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            let pairs = keys.map(|key| {
                let member = value.get_item(&key).unwrap_or_default();
                (key.to_string(), written(&member, depth + 1))
            });
            Json::Object(pairs.collect())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().into_iter().flatten();
            Json::Array(items.map(|item| written(&item, depth + 1)).collect())
        }
        _ => value.to_string().into(),
    }
}

fn whole(entity: &Entity, depth: usize) -> Json {
    let mut out = Map::new();
    for name in entity.tree.fields(entity.key.model) {
        let json = if let Some(value) = entity.tree.plain(entity.key, name) {
            written(&value, depth + 1)
        } else if let Some(target) = entity.tree.one(entity.key, name) {
            target.map_or(Json::Null, |key| entity.tree.id(key).into())
        } else if let Some(rows) = entity.many(name) {
            let by_name = *name == "tags";
            let one = |e: Entity| if by_name { e.tree.title(e.key).into() } else { Json::from(e.tree.id(e.key)) };
            Json::Array(rows.entities().map(one).collect())
        } else {
            continue;
        };
        out.insert((*name).to_owned(), json);
    }
    Json::Object(out)
}

fn number(value: &Value) -> Json {
    if value.is_integer() {
        if let Some(n) = value.as_i64() {
            return n.into();
        }
        return value.to_string().parse::<Number>().map_or(Json::Null, Json::Number);
    }
    f64::try_from(value.clone()).ok().and_then(Number::from_f64).map_or(Json::Null, Json::Number)
}

/// The same value with the members of every map in the order of their names.
pub fn sorted(json: Json) -> Json {
    match json {
        Json::Array(list) => Json::Array(list.into_iter().map(sorted).collect()),
        Json::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(pairs.into_iter().collect())
        }
        other => other,
    }
}

/// JSON as people read it, members and items on lines of their own. No indentation puts all on one line.
pub fn pretty(json: &Json, indent: usize) -> String {
    let mut out = String::new();
    lines(&mut out, json, indent, 0);
    out
}

fn lines(out: &mut String, json: &Json, indent: usize, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    };
    match json {
        Json::Array(list) if !list.is_empty() => {
            out.push('[');
            for (n, item) in list.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                line(out, depth + 1);
                lines(out, item, indent, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        Json::Object(map) if !map.is_empty() => {
            out.push('{');
            for (n, (name, member)) in map.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                line(out, depth + 1);
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push_str(": ");
                lines(out, member, indent, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// The value as a YAML document in block form.
pub fn yaml(json: &Json, indent: usize) -> String {
    let mut out = String::new();
    block(&mut out, json, indent.max(2), 0, false);
    out
}

/// Writes a value at a depth; `inline` when the cursor stands behind a key or a dash on a line that was begun.
fn block(out: &mut String, json: &Json, indent: usize, at: usize, inline: bool) {
    match json {
        Json::Object(map) if !map.is_empty() => {
            for (n, (name, member)) in map.iter().enumerate() {
                if n > 0 || !inline {
                    out.extend(std::iter::repeat_n(' ', at));
                }
                out.push_str(&scalar(name));
                out.push(':');
                below(out, member, indent, at);
            }
        }
        Json::Array(list) if !list.is_empty() => {
            for (n, item) in list.iter().enumerate() {
                if n > 0 || !inline {
                    out.extend(std::iter::repeat_n(' ', at));
                }
                out.push_str("- ");
                block(out, item, indent, at + 2, true);
            }
        }
        Json::Object(_) => out.push_str("{}\n"),
        Json::Array(_) => out.push_str("[]\n"),
        Json::String(text) => out.push_str(&format!("{}\n", scalar(text))),
        other => out.push_str(&format!("{other}\n")),
    }
}

fn below(out: &mut String, json: &Json, indent: usize, at: usize) {
    match json {
        Json::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(out, json, indent, at + indent, false);
        }
        // A list below a key stands under the key, as YAML allows and most writers do.
        Json::Array(list) if !list.is_empty() => {
            out.push('\n');
            block(out, json, indent, at, false);
        }
        _ => {
            out.push(' ');
            block(out, json, indent, at, true);
        }
    }
}

/// A text as a YAML scalar: plain where that cannot be read as anything else, else in double quotes.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ' | '(' | ')');
    let begins = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '/'));
    let means_other = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n" | "inf" | "nan"
    );
    if begins && !means_other && text.chars().all(word) && !text.ends_with(' ') {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_written_in_block_form_and_nothing_means_something_else() {
        let value =
            json!({"ipv6": [{"prefix": "2001:db8::/32", "exact": true}], "name": "yes", "n": [], "m": {"a": 1}});
        insta::assert_snapshot!(yaml(&value, 2), @r#"
        ipv6:
        - prefix: "2001:db8::/32"
          exact: true
        name: "yes"
        "n": []
        m:
          a: 1
        "#);
    }

    #[test]
    fn json_goes_in_and_comes_out_the_same() {
        let value = json!({"a": [1, -2, 1.5, true, null, "x"], "b": {"c": 4294967295u64}});
        assert_eq!(to_json(&from_json(&value)), value);
    }
}
