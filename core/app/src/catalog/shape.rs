//! Values of an entity against its blueprint's schema.

use jsonschema::PatternOptions;
use meetme_base::Invalid;
use meetme_model::catalog::Properties;
use serde_json::{Map, Value as Json, json};

use crate::Error;

/// The most problems that are told at once.
const TOLD: usize = 20;

/// Checks values against a schema: unknown properties, types, words, formats, patterns and required ones. Values that are null count
/// as absent. Patterns are run by an engine whose time grows only with the text.
///
/// # Errors
/// Every problem, up to twenty, with the property's name; also when the blueprint's own schema is no schema.
pub fn check_values(schema: &Properties, values: &Map<String, Json>, required: bool) -> Result<(), Error> {
    let mut properties = Map::new();
    for (name, property) in &schema.properties {
        properties.insert(name.clone(), for_validator(property));
    }
    let wanted = if required { schema.required.clone() } else { Vec::new() };
    let document =
        json!({"type": "object", "properties": properties, "required": wanted, "additionalProperties": false});
    let validator = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(&document)
        .map_err(|e| Invalid::new("schema", "format", format!("The schema is not valid: {e}")))?;
    let present: Map<String, Json> =
        values.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
    let present = Json::Object(present);
    let problems: Vec<Invalid> = validator
        .iter_errors(&present)
        .take(TOLD)
        .map(|e| {
            let place = e.instance_path().to_string();
            let name = place.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
            let field = if name.is_empty() { "properties".to_owned() } else { format!("properties.{name}") };
            Invalid::new(field, "schema", format!("{e}."))
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// A property as the validator reads it: our own format words are put into the standard's, or left out where it has none.
fn for_validator(property: &Json) -> Json {
    let mut out = property.clone();
    let Some(map) = out.as_object_mut() else { return out };
    for unknown in ["default", "title", "description", "$ref", "$id", "$schema"] {
        map.remove(unknown);
    }
    let format = map.get("format").and_then(Json::as_str).map(str::to_owned);
    match format.as_deref() {
        Some("url") => drop(map.insert("format".to_owned(), "uri".into())),
        Some("timer") => drop(map.insert("format".to_owned(), "date-time".into())),
        Some("date-time" | "email" | "idn-email" | "ipv4" | "ipv6") | None => {}
        Some(_) => drop(map.remove("format")),
    }
    if let Some(items) = map.get_mut("items") {
        *items = for_validator(items);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(schema: Json, values: Json) -> Vec<String> {
        let schema: Properties = serde_json::from_value(schema).unwrap();
        match check_values(&schema, values.as_object().unwrap(), true) {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(list)) => list.into_iter().map(|b| b.field).collect(),
            Err(e) => panic!("{e}"),
        }
    }

    #[test]
    fn values_are_held_against_types_words_formats_and_required_names() {
        let schema = json!({"properties": {
            "tier": {"type": "string", "enum": ["gold", "iron"], "enumColors": {"gold": "gold"}},
            "link": {"type": "string", "format": "url"},
            "note": {"type": "string", "format": "markdown"},
            "size": {"type": "number", "minimum": 1},
        }, "required": ["tier"]});
        assert_eq!(problems(schema.clone(), json!({"tier": "gold", "note": "# x", "size": null})), [""; 0]);
        assert_eq!(problems(schema.clone(), json!({"tier": "tin"})), ["properties.tier"]);
        assert_eq!(problems(schema.clone(), json!({"tier": "gold", "link": "no url"})), ["properties.link"]);
        assert_eq!(problems(schema.clone(), json!({"tier": "gold", "size": 0})), ["properties.size"]);
        assert_eq!(problems(schema.clone(), json!({})), ["properties"]);
        assert_eq!(problems(schema, json!({"tier": "gold", "other": 1})), ["properties"]);
    }

    #[test]
    fn a_pattern_that_would_run_for_ever_elsewhere_ends_here() {
        let schema = json!({"properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}});
        assert_eq!(problems(schema, json!({"x": format!("{}b", "a".repeat(5000))})), ["properties.x"]);
    }
}
