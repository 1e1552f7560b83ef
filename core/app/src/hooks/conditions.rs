//! What must hold of a thing before a hook is called: a tree of comparisons.
//!
//! `{"and": [...]}` and `{"or": [...]}` hold further trees; a leaf is `{"attr": "status.value", "op": "eq", "value": "x", "negate": false}`.
//! `attr` is a path of names joined by dots. A comparison with something of another type does not hold; `negate` turns it round.
//! Patterns are matched in linear time and begin at the start of the text.

use std::cmp::Ordering;

use meetme_base::Invalid;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value as Json};

/// How deep trees may be.
const DEPTH: usize = 16;
/// How many comparisons there may be.
const LEAVES: usize = 200;
/// How many bytes a compiled pattern may take.
const PATTERN: usize = 256 * 1024;

/// A tree of conditions.
#[derive(Debug)]
pub struct Conditions(Node);

#[derive(Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Leaf(Leaf),
}

#[derive(Debug)]
struct Leaf {
    attr: Vec<String>,
    op: Op,
    value: Json,
    negate: bool,
}

#[derive(Debug)]
enum Op {
    Eq,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Contains,
    Regex(Regex),
}

impl Conditions {
    /// Reads a tree.
    ///
    /// # Errors
    /// Says what in it cannot be read.
    pub fn parse(json: &Json) -> Result<Self, Invalid> {
        let mut leaves = 0;
        Ok(Self(node(json, 0, &mut leaves)?))
    }

    /// Whether they hold of a thing.
    pub fn hold(&self, thing: &Json) -> bool {
        self.0.holds(thing)
    }
}

fn bad(text: impl Into<String>) -> Invalid {
    Invalid::new("conditions", "format", text)
}

fn node(json: &Json, depth: usize, leaves: &mut usize) -> Result<Node, Invalid> {
    if depth > DEPTH {
        return Err(bad(format!("Conditions are at most {DEPTH} deep.")));
    }
    let Some(map) = json.as_object() else { return Err(bad("A condition is an object.")) };
    let mut list = |name: &str| match map.get(name) {
        Some(Json::Array(list)) if map.len() == 1 && !list.is_empty() => {
            Some(list.iter().map(|one| node(one, depth + 1, leaves)).collect::<Result<Vec<_>, _>>())
        }
        Some(_) => Some(Err(bad(format!("`{name}` stands alone and holds a list of conditions.")))),
        None => None,
    };
    if let Some(all) = list("and") {
        return Ok(Node::All(all?));
    }
    if let Some(any) = list("or") {
        return Ok(Node::Any(any?));
    }
    *leaves += 1;
    if *leaves > LEAVES {
        return Err(bad(format!("There are at most {LEAVES} comparisons.")));
    }
    leaf(map).map(Node::Leaf)
}

fn leaf(map: &Map<String, Json>) -> Result<Leaf, Invalid> {
    if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "attr" | "op" | "value" | "negate")) {
        return Err(bad(format!("A condition has no member `{name}`.")));
    }
    let attr = map.get("attr").and_then(Json::as_str).filter(|attr| !attr.is_empty());
    let attr = attr.ok_or_else(|| bad("A condition names an attribute, `attr`."))?;
    let value = map.get("value").cloned().ok_or_else(|| bad("A condition has a `value`."))?;
    let negate = match map.get("negate") {
        None => false,
        Some(Json::Bool(negate)) => *negate,
        Some(_) => return Err(bad("`negate` is true or false.")),
    };
    let word = match map.get("op") {
        None => "eq",
        Some(op) => op.as_str().unwrap_or_default(),
    };
    let op = match word {
        "eq" => Op::Eq,
        "gt" => Op::Gt,
        "gte" => Op::Gte,
        "lt" => Op::Lt,
        "lte" => Op::Lte,
        "in" => Op::In,
        "contains" => Op::Contains,
        "regex" => Op::Regex(pattern(&value)?),
        _ => return Err(bad("`op` is one of eq, gt, gte, lt, lte, in, contains and regex.")),
    };
    if matches!(op, Op::Gt | Op::Gte | Op::Lt | Op::Lte) && !(value.is_number() || value.is_string()) {
        return Err(bad(format!("`{word}` compares with a number or a text.")));
    }
    if matches!(op, Op::In) && !value.is_array() {
        return Err(bad("`in` wants a list."));
    }
    Ok(Leaf { attr: attr.split('.').map(str::to_owned).collect(), op, value, negate })
}

fn pattern(value: &Json) -> Result<Regex, Invalid> {
    let text = value.as_str().ok_or_else(|| bad("A pattern is a text."))?;
    let built = RegexBuilder::new(&format!("^(?:{text})")).size_limit(PATTERN).dfa_size_limit(PATTERN).build();
    built.map_err(|_| bad("The pattern cannot be read, or is too large."))
}

impl Node {
    fn holds(&self, thing: &Json) -> bool {
        match self {
            Self::All(list) => list.iter().all(|node| node.holds(thing)),
            Self::Any(list) => list.iter().any(|node| node.holds(thing)),
            Self::Leaf(leaf) => leaf.compares(leaf.find(thing)) != leaf.negate,
        }
    }
}

impl Leaf {
    /// The value at the path; null where it ends early.
    fn find<'t>(&self, thing: &'t Json) -> &'t Json {
        self.attr.iter().fold(thing, |at, name| match at {
            Json::Object(map) => map.get(name).unwrap_or(&Json::Null),
            Json::Array(list) => name.parse().ok().and_then(|i: usize| list.get(i)).unwrap_or(&Json::Null),
            _ => &Json::Null,
        })
    }

    fn compares(&self, found: &Json) -> bool {
        match &self.op {
            Op::Eq => same(found, &self.value),
            Op::Gt => order(found, &self.value) == Some(Ordering::Greater),
            Op::Gte => matches!(order(found, &self.value), Some(Ordering::Greater | Ordering::Equal)),
            Op::Lt => order(found, &self.value) == Some(Ordering::Less),
            Op::Lte => matches!(order(found, &self.value), Some(Ordering::Less | Ordering::Equal)),
            Op::In => self.value.as_array().is_some_and(|list| list.iter().any(|one| same(one, found))),
            Op::Contains => match (found, &self.value) {
                (Json::Array(list), value) => list.iter().any(|one| same(one, value)),
                (Json::String(text), Json::String(part)) => text.contains(part.as_str()),
                (Json::Object(map), Json::String(name)) => map.contains_key(name),
                _ => false,
            },
            Op::Regex(pattern) => found.as_str().is_some_and(|text| pattern.is_match(text)),
        }
    }
}

/// Equal, numbers by their value.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(_), Json::Number(_)) => order(a, b) == Some(Ordering::Equal),
        _ => a == b,
    }
}

/// The order of two numbers or two texts.
fn order(a: &Json, b: &Json) -> Option<Ordering> {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn thing() -> Json {
        json!({
            "asn": 64500, "name": "Example Net", "status": {"value": "enabled", "label": "Enabled"}, "tags": ["core", "ix"],
            "description": null,
        })
    }

    #[track_caller]
    fn check(leaf: Json, want: bool) {
        let read = Conditions::parse(&leaf).unwrap();
        assert_eq!(read.hold(&thing()), want, "{leaf}");
        let mut turned = leaf;
        turned["negate"] = json!(true);
        assert_eq!(Conditions::parse(&turned).unwrap().hold(&thing()), !want, "{turned}");
    }

    #[test]
    fn each_comparison_holds_of_what_it_says() {
        for (attr, op, value, want) in [
            ("status.value", "eq", json!("enabled"), true),
            ("status.value", "eq", json!("disabled"), false),
            ("description", "eq", json!(null), true),
            ("no.such", "eq", json!(null), true),
            ("asn", "eq", json!(64500.0), true),
            ("asn", "gt", json!(64499), true),
            ("asn", "gt", json!(64500), false),
            ("asn", "gte", json!(64500), true),
            ("asn", "lt", json!(64501), true),
            ("asn", "lte", json!(64499), false),
            ("asn", "lt", json!("7"), false),
            ("name", "gt", json!("Aaa"), true),
            ("asn", "in", json!([1, 64500]), true),
            ("asn", "in", json!([]), false),
            ("tags", "contains", json!("ix"), true),
            ("tags", "contains", json!("i"), false),
            ("tags.0", "eq", json!("core"), true),
            ("name", "contains", json!("ample"), true),
            ("name", "regex", json!("Exa.*t$"), true),
            ("name", "regex", json!("ample"), false),
            ("name", "regex", json!("x|ample"), false),
            ("asn", "regex", json!("6"), false),
        ] {
            check(json!({"attr": attr, "op": op, "value": value}), want);
        }
        check(json!({"attr": "asn", "value": 64500}), true);
    }

    #[test]
    fn trees_join_them() {
        let (yes, no) = (json!({"attr": "asn", "value": 64500}), json!({"attr": "asn", "value": 1}));
        for (tree, want) in [
            (json!({"and": [yes, no]}), false),
            (json!({"or": [yes, no]}), true),
            (json!({"and": [yes, {"or": [no, {"and": [yes]}]}]}), true),
        ] {
            assert_eq!(Conditions::parse(&tree).unwrap().hold(&thing()), want, "{tree}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let mut deep = json!({"attr": "a", "value": 1});
        for _ in 0..20 {
            deep = json!({"and": [deep]});
        }
        let wide = json!({"or": vec![json!({"attr": "a", "value": 1}); 300]});
        for wrong in [
            json!(null),
            json!([]),
            json!({}),
            json!({"and": []}),
            json!({"and": {}}),
            json!({"and": [{"attr": "a", "value": 1}], "or": []}),
            json!({"attr": "a"}),
            json!({"value": 1}),
            json!({"attr": "a", "value": 1, "op": "like"}),
            json!({"attr": "a", "value": 1, "negate": "yes"}),
            json!({"attr": "a", "value": 1, "extra": 1}),
            json!({"attr": "a", "value": "(", "op": "regex"}),
            json!({"attr": "a", "value": "(?:a{1000}){1000}", "op": "regex"}),
            json!({"attr": "a", "value": 1, "op": "in"}),
            json!({"attr": "a", "value": [], "op": "gt"}),
            deep,
            wide,
        ] {
            assert_eq!(Conditions::parse(&wrong).map_err(|e| e.field).err(), Some("conditions".into()), "{wrong}");
        }
    }
}
