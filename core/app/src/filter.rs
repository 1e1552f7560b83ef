//! The filter language as JSON, for the native API and for grants:
//! `{"and": [..]}`, `{"or": [..]}`, `{"not": {..}}`, `{"text": "words"}`, `{"field": "router.name", "op": "eq", "value": ".."}`.
//! And one comparison as the query string spells it: `name__contains=x`, `asn__in=1,2`.

use meetme_base::Invalid;
use meetme_store::{FieldType, Filter, KindInfo, Op, Path, Registry, Value};
use serde_json::Value as Json;

/// How deep a filter may nest.
const DEEPEST: usize = 12;
/// How many comparisons a filter may hold.
const MOST: usize = 500;

/// The words for comparisons: in JSON under `op`, in a query string after `__`.
pub const OPERATORS: &[&str] = &[
    "eq",
    "ne",
    "in",
    "lt",
    "lte",
    "gt",
    "gte",
    "contains",
    "starts",
    "ends",
    "ieq",
    "icontains",
    "istarts",
    "iends",
    "has",
    "empty",
];

/// Reads a filter on rows of `kind`.
///
/// # Errors
/// Names the part that cannot be understood.
pub fn parse(registry: &Registry, kind: &KindInfo, json: &Json) -> Result<Filter, Invalid> {
    let mut left = MOST;
    walk(registry, kind, json, DEEPEST, &mut left)
}

fn walk(registry: &Registry, kind: &KindInfo, json: &Json, deep: usize, left: &mut usize) -> Result<Filter, Invalid> {
    let bad = |what: &str| Invalid::new("filter", "format", what.to_owned());
    if deep == 0 || *left == 0 {
        return Err(bad("The filter is too large."));
    }
    *left -= 1;
    let map = json.as_object().ok_or_else(|| bad("A filter is an object."))?;
    let list = |value: &Json, left: &mut usize| -> Result<Vec<Filter>, Invalid> {
        let list = value.as_array().ok_or_else(|| bad("`and` and `or` hold lists."))?;
        list.iter().map(|f| walk(registry, kind, f, deep - 1, left)).collect()
    };
    if let Some(value) = map.get("and") {
        return list(value, left).map(Filter::And);
    }
    if let Some(value) = map.get("or") {
        return list(value, left).map(Filter::Or);
    }
    if let Some(value) = map.get("not") {
        return walk(registry, kind, value, deep - 1, left).map(Filter::not);
    }
    if let Some(value) = map.get("text") {
        return value.as_str().map(|t| Filter::Text(t.to_owned())).ok_or_else(|| bad("`text` holds words."));
    }
    let field = map.get("field").and_then(Json::as_str).ok_or_else(|| bad("A comparison names its `field`."))?;
    let op = map.get("op").and_then(Json::as_str).unwrap_or("eq");
    let value = map.get("value").unwrap_or(&Json::Null);
    let texts: Vec<String> = match value {
        Json::Array(list) if op == "in" => list.iter().map(text_of).collect(),
        other => vec![text_of(other)],
    };
    compare(registry, kind, field, op, &texts, value.is_null() && op == "eq")
}

fn text_of(value: &Json) -> String {
    match value {
        Json::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// Reads one comparison from a query string's key and value; `None` when the key's field does not exist.
///
/// # Errors
/// Names the field when the value does not fit it.
pub fn parameter(registry: &Registry, kind: &KindInfo, key: &str, value: &str) -> Result<Option<Filter>, Invalid> {
    let (field, op) = match key.rsplit_once("__") {
        Some((field, op)) if OPERATORS.contains(&op) => (field, op),
        _ => (key, "eq"),
    };
    let field = field.replace("__", ".");
    if registry.type_at(kind, &Path::from(field.as_str())).is_none() {
        return Ok(None);
    }
    let texts: Vec<String> =
        if op == "in" { value.split(',').map(str::to_owned).collect() } else { vec![value.to_owned()] };
    compare(registry, kind, &field, op, &texts, false).map(Some)
}

fn compare(
    registry: &Registry,
    kind: &KindInfo,
    field: &str,
    op: &str,
    texts: &[String],
    is_null: bool,
) -> Result<Filter, Invalid> {
    let path = Path::from(field);
    let ty = registry
        .type_at(kind, &path)
        .ok_or_else(|| Invalid::new(field, "field", format!("{} has no field {field}.", kind.kind)))?;
    if is_null {
        return Ok(Filter::Is(path, Op::Empty(true)));
    }
    let first = texts.first().map(String::as_str).unwrap_or_default();
    let value = |text: &str| {
        ty.parse(text).ok_or_else(|| Invalid::new(field, "type", format!("`{text}` is no {} value.", ty.name())))
    };
    let op = match op {
        "eq" if ty == FieldType::Texts => Op::Has(first.to_owned()),
        "eq" => Op::Eq(value(first)?),
        "ne" => return Ok(Filter::Is(path, Op::Eq(value(first)?)).not()),
        "in" => Op::In(texts.iter().map(|t| value(t)).collect::<Result<Vec<Value>, _>>()?),
        "lt" => Op::Lt(value(first)?),
        "lte" => Op::Le(value(first)?),
        "gt" => Op::Gt(value(first)?),
        "gte" => Op::Ge(value(first)?),
        "contains" => Op::Contains(first.to_owned()),
        "starts" => Op::Starts(first.to_owned()),
        "ends" => Op::Ends(first.to_owned()),
        "ieq" => Op::EqFold(first.to_owned()),
        "icontains" => Op::ContainsFold(first.to_owned()),
        "istarts" => Op::StartsFold(first.to_owned()),
        "iends" => Op::EndsFold(first.to_owned()),
        "has" => Op::Has(first.to_owned()),
        "empty" => Op::Empty(matches!(first, "true" | "1" | "")),
        other => return Err(Invalid::choice("op", other)),
    };
    let filter = Filter::Is(path, op);
    filter.check(kind, registry)?;
    Ok(filter)
}
