//! Whether what a caller wrote has a kind's form, told by the kind's own schema: which member is unknown, missing or of another type,
//! and where. The kinds read what older versions stored and so pass over what they do not know; a caller's misspelt field must
//! not be passed over.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use meetme_base::{Invalid, Sealed};
use meetme_store::KindInfo;
use serde_json::{Map, Value as Json};

use crate::Error;

/// How deep references are followed: schemas of nested types refer to themselves.
const DEEPEST: usize = 24;

static SPECS: LazyLock<RwLock<HashMap<&'static str, Arc<Json>>>> = LazyLock::new(RwLock::default);

/// The schema of the kind's spec. Making one takes about as long as a database write, so each is made once.
fn spec(kind: &KindInfo) -> Arc<Json> {
    if let Some(known) = SPECS.read().unwrap_or_else(PoisonError::into_inner).get(kind.kind.name()) {
        return known.clone();
    }
    let schema = Arc::new(kind.schemas().0);
    SPECS.write().unwrap_or_else(PoisonError::into_inner).insert(kind.kind.name(), schema.clone());
    schema
}

/// The document has the form of the kind's spec, as far as names and types go.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub(super) fn check(kind: &KindInfo, document: &Json) -> Result<(), Error> {
    let schema = spec(kind);
    let mut found = Vec::new();
    Reader { root: &schema }.walk(&schema, document, "", &mut found);
    if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
}

/// Whether specs of the kind have an outermost member of this name.
pub(super) fn has_member(kind: &KindInfo, name: &str) -> bool {
    let schema = spec(kind);
    let mut view = View::default();
    Reader { root: &schema }.collect(&schema, &mut view, DEEPEST);
    view.properties.iter().any(|(known, _)| *known == name)
}

/// Whether a value is a secret in any of its forms: sealed, cut to its mark, or still in the clear.
pub fn is_secret(value: &Json) -> bool {
    value.as_object().is_some_and(|map| {
        map.len() == 1 && map.keys().all(|name| name == Sealed::MARK || name == super::inbound::CLEAR)
    })
}

struct Reader<'s> {
    root: &'s Json,
}

/// What the branches of a schema say together.
#[derive(Default)]
struct View<'s> {
    properties: Vec<(&'s str, &'s Json)>,
    required: Vec<&'s str>,
    types: Vec<&'s str>,
    words: Vec<&'s Json>,
    items: Option<&'s Json>,
    /// Members without a name in `properties` are allowed, and have this form.
    open: Option<&'s Json>,
    /// Some branch says nothing that can be judged here.
    vague: bool,
}

/// The words by which a schema limits what it allows, as far as they are judged here.
const SAYING: &[&str] =
    &["$ref", "allOf", "anyOf", "oneOf", "properties", "additionalProperties", "type", "enum", "const", "items"];

static ANYTHING: Json = Json::Bool(true);

impl<'s> Reader<'s> {
    fn follow(&self, schema: &'s Json) -> &'s Json {
        match schema.get("$ref").and_then(Json::as_str).and_then(|at| at.strip_prefix('#')) {
            Some(at) => self.root.pointer(at).unwrap_or(&ANYTHING),
            None => schema,
        }
    }

    /// Gathers what all branches know. What one branch of several requires is not required.
    fn collect(&self, schema: &'s Json, view: &mut View<'s>, deep: usize) {
        let Some(map) = schema.as_object().filter(|_| deep > 0) else {
            view.vague = true;
            return;
        };
        // A schema that only describes, as those of free JSON do, allows everything.
        if !SAYING.iter().any(|word| map.contains_key(*word)) {
            view.vague = true;
            return;
        }
        if map.contains_key("$ref") {
            self.collect(self.follow(schema), view, deep - 1);
        }
        for branch in map.get("allOf").and_then(Json::as_array).into_iter().flatten() {
            self.collect(branch, view, deep - 1);
        }
        for branch in ["anyOf", "oneOf"].iter().filter_map(|word| map.get(*word)).filter_map(Json::as_array).flatten() {
            let mut one = View::default();
            self.collect(branch, &mut one, deep - 1);
            view.properties.append(&mut one.properties);
            view.types.append(&mut one.types);
            view.words.append(&mut one.words);
            view.items = view.items.or(one.items);
            view.open = view.open.or(one.open);
            view.vague |= one.vague;
        }
        self.own(map, view);
    }

    fn own(&self, map: &'s Map<String, Json>, view: &mut View<'s>) {
        if let Some(properties) = map.get("properties").and_then(Json::as_object) {
            view.properties.extend(properties.iter().map(|(name, of)| (name.as_str(), of)));
        }
        view.required
            .extend(map.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str));
        match map.get("type") {
            Some(Json::String(one)) => view.types.push(one),
            Some(Json::Array(many)) => view.types.extend(many.iter().filter_map(Json::as_str)),
            _ => {}
        }
        view.words.extend(map.get("enum").and_then(Json::as_array).into_iter().flatten());
        view.words.extend(map.get("const"));
        view.items = view.items.or(map.get("items"));
        match map.get("additionalProperties") {
            Some(Json::Bool(false)) => {}
            Some(of) => view.open = view.open.or(Some(of)),
            None if map.get("type").is_some_and(|t| t == "object") && !map.contains_key("properties") => {
                view.open = view.open.or(Some(&ANYTHING));
            }
            None => {}
        }
    }

    fn walk(&self, schema: &'s Json, value: &Json, at: &str, found: &mut Vec<Invalid>) {
        let mut view = View::default();
        self.collect(schema, &mut view, DEEPEST);
        if view.vague {
            return;
        }
        let word = word(value);
        let whole = word == "integer" && view.types.contains(&"number");
        if !view.types.is_empty() && !view.types.contains(&word) && !whole && !view.words.contains(&value) {
            let wanted = view.types.join(" or ");
            found.push(Invalid::new(at, "type", format!("Must be {wanted}, not {word}.")));
            return;
        }
        // A text that stands in no enumeration, where enumerations are all the texts there are.
        if let (Json::String(text), false) = (value, view.words.is_empty())
            && !view.words.contains(&value)
            && view.words.iter().any(|known| known.is_string())
            && schema.get("anyOf").is_none()
        {
            found.push(Invalid::choice(at, text));
            return;
        }
        let inside = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        match value {
            Json::Object(map) => {
                // In the clear, sealed or cut: what a secret may look like is not the schema's to say.
                if is_secret(value) && view.properties.iter().any(|(name, _)| *name == Sealed::MARK) {
                    return;
                }
                for (name, member) in map {
                    let mut known = view.properties.iter().filter(|(n, _)| n == name).peekable();
                    if known.peek().is_none() {
                        match view.open {
                            Some(of) => self.walk(of, member, &inside(name), found),
                            None => found.push(Invalid::new(inside(name), "unknown", "This field is not known.")),
                        }
                        continue;
                    }
                    // Branches may know the same name in different forms: one that fits is enough.
                    let mut least: Option<Vec<Invalid>> = None;
                    for (_, of) in known {
                        let mut own = Vec::new();
                        self.walk(of, member, &inside(name), &mut own);
                        if least.as_ref().is_none_or(|l| own.len() < l.len()) {
                            least = Some(own);
                        }
                    }
                    found.extend(least.unwrap_or_default());
                }
                let missing = view.required.iter().filter(|name| !map.contains_key(**name));
                found.extend(missing.map(|name| Invalid::required(inside(name))));
            }
            Json::Array(list) => {
                let Some(items) = view.items else { return };
                for (i, member) in list.iter().enumerate() {
                    self.walk(items, member, &inside(&i.to_string()), found);
                }
            }
            _ => {}
        }
    }
}

fn word(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(n) if n.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use meetme_base::Sealed;
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Sample {
        name: String,
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        shape: Form,
        #[serde(default)]
        secret: Option<Sealed>,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        ext: std::collections::BTreeMap<String, Json>,
    }

    #[derive(JsonSchema, Default)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Form {
        #[default]
        Plain,
        /// With a size.
        Sized { size: u8 },
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Part {
        size: u8,
    }

    fn said(document: &Json) -> Vec<(String, &'static str)> {
        let schema = schemars::schema_for!(Sample).to_value();
        let mut found = Vec::new();
        Reader { root: &schema }.walk(&schema, document, "", &mut found);
        found.into_iter().map(|bad| (bad.field, bad.code)).collect()
    }

    #[test]
    fn what_fits_is_let_through() {
        for good in [
            json!({"name": "a"}),
            json!({"name": "a", "limit": null, "shape": "plain", "parts": [{"size": 1}], "ext": {"any": {"thing": 1}}}),
            json!({"name": "a", "limit": 3, "shape": {"sized": {"size": 2}}, "secret": {"$sealed": true}}),
        ] {
            assert_eq!(said(&good), [], "{good}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place() {
        let one = |document| said(&document).into_iter().next().unwrap();
        assert_eq!(one(json!({"name": "a", "nmae": 1})), ("nmae".into(), "unknown"));
        assert_eq!(one(json!({"limit": 1})), ("name".into(), "required"));
        assert_eq!(one(json!({"name": "a", "limit": "x"})), ("limit".into(), "type"));
        assert_eq!(one(json!({"name": "a", "parts": [{"size": 1}, {"size": "x"}]})), ("parts.1.size".into(), "type"));
        assert_eq!(
            one(json!({"name": "a", "parts": [{"size": 1, "colour": 1}]})),
            ("parts.0.colour".into(), "unknown")
        );
        assert_eq!(one(json!([])), (String::new(), "type"));
    }
}
