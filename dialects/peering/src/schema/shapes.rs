//! The components of the document: five of each model, and what operations take and give that is no model.

use serde_json::{Map, Value as Json, json};

use super::fields::Face;
use crate::engine::AnyModel;

/// The names of what the operations on a model take and give.
pub struct Names {
    /// A page of a list.
    pub page: String,
    /// What makes one row, or a list of such.
    pub new: String,
    /// What was made: one row, or a list of them.
    pub made: String,
    /// What replaces a row.
    pub whole: String,
    /// What changes a row.
    pub change: String,
    /// What replaces one row of several.
    pub whole_of: String,
    /// What changes one row of several.
    pub change_of: String,
}

/// The names for the model of this name.
pub fn names(model: &str) -> Names {
    Names {
        page: format!("Paginated{model}List"),
        new: format!("{model}RequestOrList"),
        made: format!("{model}OrList"),
        whole: format!("{model}Request"),
        change: format!("Patched{model}Request"),
        whole_of: format!("Bulk{model}Request"),
        change_of: format!("BulkPatched{model}Request"),
    }
}

/// The components of a model.
pub fn of_model(model: &dyn AnyModel, out: &mut Map<String, Json>) {
    let about = model.about();
    let names = names(about.name);
    let mut add = |name: &str, schema: Json| {
        out.insert(name.to_owned(), schema);
    };
    add(about.name, model.schema(Face::Whole));
    add(&format!("Nested{}", about.name), model.schema(Face::Nested));
    add(&names.page, page(about.name));
    if about.read_only {
        return;
    }
    add(&names.whole, model.schema(Face::New));
    add(&names.change, model.schema(Face::Change));
    add(&names.whole_of, with_id(&names.whole));
    add(&names.change_of, with_id(&names.change));
    add(&names.new, one_or_list(&names.whole));
    add(&names.made, one_or_list(about.name));
}

fn to(name: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn list(of: &Json) -> Json {
    json!({"type": "array", "items": of})
}

fn one_or_list(name: &str) -> Json {
    json!({"anyOf": [to(name), list(&to(name))]})
}

fn with_id(name: &str) -> Json {
    json!({"allOf": [to("BulkId"), to(name)]})
}

fn object(required: &[(&str, Json)], optional: &[(&str, Json)]) -> Json {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Json> =
        required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "properties": properties, "required": names})
}

fn page(of: &str) -> Json {
    let link = json!({"type": ["string", "null"], "format": "uri"});
    object(
        &[
            ("count", json!({"type": "integer"})),
            ("next", link.clone()),
            ("previous", link),
            ("results", list(&to(of))),
        ],
        &[],
    )
}

/// Everything that is no model.
pub fn all() -> Map<String, Json> {
    let text = || json!({"type": "string"});
    let number = || json!({"type": "integer"});
    let truth = || json!({"type": "boolean"});
    let choices = list(&json!({"type": "object", "properties": {"value": {}, "display_name": text()}}));
    let described = json!({
        "type": "object", "required": ["type", "required", "read_only"],
        "properties": {
            "type": text(), "required": truth(), "read_only": truth(), "label": text(), "help_text": text(),
            "min_value": {"type": "number"}, "max_value": {"type": "number"}, "min_length": number(), "max_length": number(),
            "choices": choices, "child": {"type": "object"}, "children": {"type": "object"},
        },
    });
    let fields = json!({"type": "object", "additionalProperties": described});
    let prefix = json!({
        "type": "object", "required": ["prefix"],
        "properties": {"prefix": text(), "exact": truth(), "greater-equal": number(), "less-equal": number()},
    });
    let prefixes = object(&[], &[("ipv6", list(&prefix)), ("ipv4", list(&prefix))]);
    let count = |name: &&'static str| (*name, number());
    let counts: Vec<_> = COUNTS.iter().map(count).collect();
    let all = [
        ("Detail", object(&[("detail", text())], &[])),
        (
            "ValidationErrors",
            json!({
                "type": "object", "additionalProperties": list(&text()),
                "description": "What is wrong with each field; with the whole under `non_field_errors` or `__all__`.",
            }),
        ),
        ("Refused", json!({"anyOf": [to("Detail"), to("ValidationErrors"), list(&to("ValidationErrors"))]})),
        ("BulkId", object(&[("id", number())], &[])),
        ("Document", json!({"type": "object", "description": "An OpenAPI document."})),
        ("Map", json!({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})),
        (
            "Preferences",
            json!({"type": "object", "description": "What a user prefers: any members, merged when changed."}),
        ),
        (
            "OptionsBody",
            object(
                &[
                    ("name", text()),
                    ("description", text()),
                    ("renders", list(&text())),
                    ("parses", list(&text())),
                    ("actions", object(&[], &[("POST", fields.clone()), ("PUT", fields)])),
                ],
                &[],
            ),
        ),
        (
            "Status",
            object(
                &[
                    ("django-version", text()),
                    ("installed-apps", json!({"type": "object"})),
                    ("peering-manager-version", text()),
                    ("python-version", text()),
                    ("rq-workers-running", number()),
                ],
                &[],
            ),
        ),
        ("ObjectChange", object_change()),
        ("PaginatedObjectChangeList", page("ObjectChange")),
        ("Prefixes", prefixes.clone()),
        ("PrefixListResult", json!({"type": "object", "additionalProperties": prefixes})),
        ("RenderedEmail", object(&[("subject", text()), ("body", text())], &[])),
        ("EmailSending", object(&[("email", number())], &[("autonomous_system", number()), ("network", number())])),
        ("RenderedExport", object(&[("rendered", text())], &[])),
        ("CacheStatistics", object(&counts, &[])),
        ("CacheClear", object(&[("status", json!({"type": "string", "enum": ["success"]}))], &[])),
        ("RouterConfigure", object(&[("routers", list(&number()))], &[("commit", truth())])),
        ("NetBoxWebhook", object(&[("event", text()), ("data", json!({"type": "object"}))], &[])),
        ("IXAPIAccount", object(&[("api_url", text()), ("api_key", text()), ("api_secret", text())], &[])),
    ];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// What the mirror of the database of peers counts.
const COUNTS: &[&str] = &[
    "campus-count",
    "carrier-count",
    "carrierfac-count",
    "fac-count",
    "ix-count",
    "ixfac-count",
    "ixlan-count",
    "ixpfx-count",
    "net-count",
    "poc-count",
    "netfac-count",
    "netixlan-count",
    "org-count",
    "sync-count",
];

fn object_change() -> Json {
    let text = || json!({"type": "string"});
    let link = || json!({"type": "string", "format": "uri"});
    let word = |words: [&str; 3]| json!({"type": "string", "enum": words});
    let action = object(
        &[("value", word(["create", "update", "delete"])), ("label", word(["Created", "Updated", "Deleted"]))],
        &[],
    );
    object(
        &[
            ("id", json!({"type": "integer"})),
            ("url", link()),
            ("display_url", link()),
            ("display", text()),
            ("time", json!({"type": "string", "format": "date-time"})),
            ("user", json!({"anyOf": [to("NestedUser"), {"type": "null"}]})),
            ("user_name", text()),
            ("request_id", json!({"type": "string", "format": "uuid"})),
            ("action", action),
            ("changed_object_type", text()),
            ("changed_object_id", json!({"type": "integer"})),
            ("changed_object", json!({"type": ["object", "null"]})),
            ("prechange_data", json!({"type": ["object", "null"]})),
            ("postchange_data", json!({"type": ["object", "null"]})),
        ],
        &[],
    )
}
