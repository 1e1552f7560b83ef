//! The schemas of the kinds as one set of components. Each kind's schema comes with definitions of its own; equal ones are shared, and
//! two types of one name are told apart by the kind they came with.

use std::collections::{BTreeMap, BTreeSet};

use meetme_app::resources::{self, Create};
use meetme_base::Sealed;
use meetme_store::KindInfo;
use serde_json::{Map, Value as Json, json};

use crate::convert;

/// Where a kind's spec stands among the components.
pub fn spec_name(kind: &str) -> String {
    format!("{kind}.spec")
}

/// Where a kind's status stands among the components.
fn status_name(kind: &str) -> String {
    format!("{kind}.status")
}

/// Where the schema of what makes a row stands among the components, when that is not the spec.
pub fn creation_name(kind: &str) -> String {
    format!("{kind}.create")
}

/// All components.
pub fn components() -> Map<String, Json> {
    let mut all = Components::default();
    for kind in convert::kinds().kinds() {
        all.add_kind(kind);
    }
    all.out
}

#[derive(Default)]
struct Components {
    out: Map<String, Json>,
    /// The definitions as their schemas had them, by the name they got.
    known: BTreeMap<String, Json>,
}

impl Components {
    fn add_kind(&mut self, kind: &KindInfo) {
        let name = kind.kind.name();
        let (spec, status) = kind.schemas();
        self.add(&spec_name(name), spec, name);
        self.add(&status_name(name), status, name);
        if matches!(resources::hooks(kind).create, Create::Taking(..)) {
            self.add(&creation_name(name), resources::creation_schema(kind), name);
        }
        self.out.insert(name.to_owned(), row(name));
    }

    fn add(&mut self, name: &str, mut schema: Json, kind: &str) {
        let definitions = match schema.as_object_mut() {
            Some(map) => {
                map.remove("$schema");
                map.remove("title");
                map.remove("$defs")
            }
            None => None,
        };
        let definitions: Map<String, Json> = match definitions {
            Some(Json::Object(map)) => map,
            _ => Map::new(),
        };
        let renamed = self.renamed(&definitions, kind);
        point(&mut schema, &renamed);
        self.out.insert(name.to_owned(), schema);
        for (own, raw) in definitions {
            let name = renamed.get(&own).cloned().unwrap_or(own);
            let mut pointed = if is_sealed(&raw) { secret() } else { raw.clone() };
            point(&mut pointed, &renamed);
            self.out.entry(name.clone()).or_insert(pointed);
            self.known.entry(name).or_insert(raw);
        }
    }

    /// Which definitions need another name: those that differ from one already known, and those that refer to such a one.
    fn renamed(&self, definitions: &Map<String, Json>, kind: &str) -> BTreeMap<String, String> {
        let clashes = |name: &String, raw: &Json| self.known.get(name).is_some_and(|known| known != raw);
        let mut renamed: BTreeSet<&String> =
            definitions.iter().filter(|(name, raw)| clashes(name, raw)).map(|(name, _)| name).collect();
        loop {
            let more: Vec<&String> = definitions
                .iter()
                .filter(|(name, raw)| !renamed.contains(name) && renamed.iter().any(|to| refers(raw, to)))
                .map(|(name, _)| name)
                .collect();
            if more.is_empty() {
                break;
            }
            renamed.extend(more);
        }
        renamed.into_iter().map(|name| (name.clone(), format!("{kind}.{name}"))).collect()
    }
}

/// Whether this is the schema of a sealed value as it is kept.
fn is_sealed(schema: &Json) -> bool {
    schema["properties"].as_object().is_some_and(|map| map.len() == 1 && map.contains_key(Sealed::MARK))
}

/// A sealed value as it is shown and sent.
fn secret() -> Json {
    json!({
        "description": "A secret: shown as a mark, sent in the clear. The mark sent back leaves it as it is.",
        "oneOf": [
            { "type": "object", "required": ["$sealed"], "properties": { "$sealed": { "const": true } } },
            { "type": "object", "required": ["$secret"], "properties": { "$secret": { "type": "string" } } },
        ],
    })
}

/// The definition that a reference names.
fn target(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/$defs/")
}

fn refers(schema: &Json, to: &str) -> bool {
    match schema {
        Json::Object(map) => map.iter().any(|(name, value)| match value.as_str().filter(|_| name == "$ref") {
            Some(reference) => target(reference) == Some(to),
            None => refers(value, to),
        }),
        Json::Array(list) => list.iter().any(|value| refers(value, to)),
        _ => false,
    }
}

/// Turns references to definitions into references to components.
fn point(schema: &mut Json, renamed: &BTreeMap<String, String>) {
    match schema {
        Json::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value.as_str().filter(|_| name == "$ref").and_then(target) {
                    Some(own) => {
                        let to = renamed.get(own).map_or(own, String::as_str);
                        *value = format!("#/components/schemas/{to}").into();
                    }
                    None => point(value, renamed),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| point(value, renamed)),
        _ => {}
    }
}

/// A row as it is answered.
fn row(kind: &str) -> Json {
    let at = |name: String| json!({ "$ref": format!("#/components/schemas/{name}") });
    let moment = json!({ "type": "string", "format": "date-time" });
    let whole = json!({ "type": "integer" });
    json!({
        "type": "object",
        "required": ["kind", "id", "uid", "tenant", "version", "seen", "created", "updated", "title", "spec", "status"],
        "properties": {
            "kind": { "const": kind },
            "id": whole,
            "uid": { "type": "string", "format": "uuid" },
            "tenant": { "type": "integer", "description": "The organization or project the row hangs on." },
            "version": { "type": "integer", "description": "Counts the changes of the spec, from 1." },
            "seen": { "type": "integer", "description": "Counts the changes of the status, from 0." },
            "created": moment,
            "updated": moment,
            "title": { "type": "string", "description": "How a person would call it." },
            "spec": at(spec_name(kind)),
            "status": at(status_name(kind)),
            "secret": { "type": "string", "description": "Only in the answer that makes a credential: shown this once." },
        },
    })
}
