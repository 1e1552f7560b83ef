//! Blueprints on the wire.

use std::collections::HashMap;

use meetme_app::{Error, catalog};
use meetme_base::{Id, Invalid, Time};
use meetme_model::catalog::{Blueprint, Ownership, Properties, Relation, Target};
use meetme_store::{FieldType, KindInfo, Object, Registry, Tx};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::author::{SYSTEM, port, signed};

/// What a client sends. Parts that are absent stay absent, so that an answer echoes exactly what was written.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlueprintInput {
    pub identifier: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub icon: Option<String>,
    pub schema: Option<SchemaInput>,
    pub relations: Option<Map<String, Value>>,
    pub mirror_properties: Option<Map<String, Value>>,
    pub calculation_properties: Option<Map<String, Value>>,
    pub aggregation_properties: Option<Map<String, Value>>,
    pub ownership: Option<Value>,
    pub changelog_destination: Option<Value>,
    /// Keys that only this dialect can mean; kept and echoed.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[derive(Clone, Default, Deserialize)]
pub struct SchemaInput {
    #[serde(default)]
    pub properties: Map<String, Value>,
    pub required: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RelationInput {
    title: Option<String>,
    target: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    many: bool,
    description: Option<String>,
}

/// Keys of the dialect itself that are kept under `ext.port` and echoed.
const KEPT: &[&str] = &["teamInheritance", "includeInGlobalSearch", "changelogDestination"];

/// Puts what was sent into a blueprint: over the one that stands when merging, else over an empty one.
pub fn decode(
    tx: &mut Tx<'_>,
    home: meetme_base::RawId,
    input: &BlueprintInput,
    before: Option<&Object<Blueprint>>,
    merge: bool,
) -> Result<Blueprint, Error> {
    let mut out = match before {
        Some(b) if merge => b.spec.clone(),
        Some(b) => Blueprint { identifier: b.spec.identifier.clone(), ..Blueprint::default() },
        None => Blueprint::default(),
    };
    if !merge {
        let needed = [
            ("identifier", input.identifier.is_some() || before.is_some()),
            ("title", input.title.is_some()),
            ("schema", input.schema.is_some()),
        ];
        if let Some((field, _)) = needed.into_iter().find(|(_, there)| !there) {
            return Err(Invalid::required(field).into());
        }
    }
    take(&mut out.identifier, input.identifier.as_ref());
    take(&mut out.title, input.title.as_ref());
    if input.description.is_some() || !merge {
        out.description.clone_from(&input.description);
    }
    if input.icon.is_some() || !merge {
        out.icon.clone_from(&input.icon);
    }
    if let Some(schema) = &input.schema {
        if merge {
            out.schema.properties.extend(schema.properties.clone());
        } else {
            out.schema = Properties { properties: schema.properties.clone(), required: Vec::new() };
        }
        take(&mut out.schema.required, schema.required.as_ref());
    }
    for (mine, sent) in [
        (&mut out.mirrors, &input.mirror_properties),
        (&mut out.calculations, &input.calculation_properties),
        (&mut out.aggregations, &input.aggregation_properties),
    ] {
        if let Some(sent) = sent {
            mine.extend(sent.clone());
        }
    }
    if let Some(relations) = &input.relations {
        for (name, value) in relations {
            let relation = relation(tx, home, name, value, &out)?;
            out.relations.retain(|r| r.identifier != *name);
            out.relations.push(relation);
        }
    }
    if let Some(value) = &input.ownership {
        out.ownership = ownership(value)?;
    }
    let kept = port(&mut out.ext);
    for key in KEPT {
        if let Some(value) = input.other.get(*key) {
            kept.insert((*key).to_owned(), value.clone());
        }
    }
    if let Some(value) = &input.changelog_destination {
        kept.insert("changelogDestination".to_owned(), value.clone());
        out.changelog = value.get("url").and_then(Value::as_str).map(str::to_owned);
    }
    Ok(out)
}

fn take<T: Clone>(mine: &mut T, sent: Option<&T>) {
    if let Some(sent) = sent {
        mine.clone_from(sent);
    }
}

fn relation(
    tx: &mut Tx<'_>,
    home: meetme_base::RawId,
    name: &str,
    value: &Value,
    own: &Blueprint,
) -> Result<Relation, Error> {
    let field = format!("relations.{name}");
    let input: RelationInput =
        serde_json::from_value(value.clone()).map_err(|e| Invalid::new(&field, "format", format!("{e}.")))?;
    let registry = tx.registry();
    let target = match catalog::find(tx, registry, home, &input.target) {
        Ok(catalog::Target::Own(found)) => Target::Blueprint(found.id),
        Ok(catalog::Target::System(kind)) => Target::Kind(kind.kind.name().to_owned()),
        Err(Error::Missing { .. }) => {
            let hint =
                if input.target == own.identifier { "; make the blueprint first, then add the relation" } else { "" };
            let message = format!("The blueprint {} does not exist{hint}.", input.target);
            return Err(Invalid::new(format!("{field}.target"), "reference", message).into());
        }
        Err(e) => return Err(e),
    };
    Ok(Relation {
        identifier: name.to_owned(),
        title: input.title,
        description: input.description,
        target,
        required: input.required,
        many: input.many,
    })
}

fn ownership(value: &Value) -> Result<Option<Ownership>, Error> {
    let title = value.get("title").and_then(Value::as_str).map(str::to_owned);
    match value.get("type").and_then(Value::as_str) {
        None if value.is_null() => Ok(None),
        Some("Direct") => Ok(Some(Ownership::Direct { title })),
        Some("Inherited") => {
            let path = value.get("path").and_then(Value::as_str).ok_or_else(|| Invalid::required("ownership.path"))?;
            Ok(Some(Ownership::Inherited { path: path.split('.').map(str::to_owned).collect(), title }))
        }
        other => Err(Invalid::choice("ownership.type", other.unwrap_or("null")).into()),
    }
}

/// The identifiers of the blueprints that these blueprints' relations lead to.
pub fn target_names(tx: &mut Tx<'_>, list: &[Object<Blueprint>]) -> Result<HashMap<Id<Blueprint>, String>, Error> {
    let ids = list.iter().flat_map(|b| &b.spec.relations).filter_map(|r| match r.target {
        Target::Blueprint(id) => Some(id),
        Target::Kind(_) => None,
    });
    let ids: Vec<_> = ids.collect();
    Ok(catalog::by_id(tx, ids)?.into_iter().map(|(id, b)| (id, b.spec.identifier)).collect())
}

/// Shows a blueprint.
pub fn encode(object: &Object<Blueprint>, names: &HashMap<Id<Blueprint>, String>) -> Value {
    let b = &object.spec;
    let mut relations = Map::new();
    for r in &b.relations {
        let target = match &r.target {
            Target::Blueprint(id) => names.get(id).cloned().unwrap_or_default(),
            Target::Kind(kind) => format!("_{kind}"),
        };
        let mut shown = json!({"target": target, "required": r.required, "many": r.many});
        put(&mut shown, "title", r.title.as_ref());
        put(&mut shown, "description", r.description.as_ref());
        relations.insert(r.identifier.clone(), shown);
    }
    let mut schema = json!({"properties": b.schema.properties});
    if !b.schema.required.is_empty() {
        schema["required"] = b.schema.required.clone().into();
    }
    let kept = b.ext.get("port").and_then(Value::as_object);
    let [created_by, updated_by] = signed(&b.ext);
    let mut out = json!({
        "identifier": b.identifier,
        "title": b.title,
        "schema": schema,
        "relations": relations,
        "mirrorProperties": b.mirrors,
        "calculationProperties": b.calculations,
        "aggregationProperties": b.aggregations,
        "createdAt": object.created,
        "updatedAt": object.updated,
        "createdBy": created_by,
        "updatedBy": updated_by,
    });
    put(&mut out, "description", b.description.as_ref());
    put(&mut out, "icon", b.icon.as_ref());
    match &b.ownership {
        Some(Ownership::Direct { title }) => {
            out["ownership"] = json!({"type": "Direct"});
            put(&mut out["ownership"], "title", title.as_ref());
        }
        Some(Ownership::Inherited { path, title }) => {
            out["ownership"] = json!({"type": "Inherited", "path": path.join(".")});
            put(&mut out["ownership"], "title", title.as_ref());
        }
        None => {}
    }
    for key in KEPT {
        if let Some(value) = kept.and_then(|k| k.get(*key)) {
            out[*key] = value.clone();
        }
    }
    out
}

fn put(out: &mut Value, key: &str, text: Option<&String>) {
    if let Some(text) = text {
        out[key] = text.as_str().into();
    }
}

/// Shows a kind of the core as a blueprint: properties from its fields, relations from its references to kinds that are shown.
pub fn encode_system(registry: &Registry, kind: &KindInfo) -> Value {
    let mut properties = Map::new();
    for field in kind.shown_fields() {
        let mut shown = match field.ty {
            FieldType::Bool => json!({"type": "boolean"}),
            FieldType::Int | FieldType::Ref => json!({"type": "number"}),
            FieldType::Time => json!({"type": "string", "format": "date-time"}),
            FieldType::Texts => json!({"type": "array", "items": {"type": "string"}}),
            FieldType::Text | FieldType::Ip | FieldType::Net => json!({"type": "string"}),
        };
        shown["title"] = words(field.name).into();
        if !field.words.is_empty() {
            shown["enum"] = field.words.to_vec().into();
        }
        properties.insert(field.name.to_owned(), shown);
    }
    let mut relations = Map::new();
    for edge in &kind.edges {
        let target = edge.to.iter().find(|to| catalog::kind_of(registry, &format!("_{to}")).is_some());
        if let Some(target) = target {
            let shown = json!({"title": words(edge.name), "target": format!("_{target}"), "required": false, "many": edge.many});
            relations.insert(edge.name.to_owned(), shown);
        }
    }
    json!({
        "identifier": format!("_{}", kind.kind),
        "title": words(kind.kind.name()),
        "schema": {"properties": properties},
        "relations": relations,
        "mirrorProperties": {},
        "calculationProperties": {},
        "aggregationProperties": {},
        "createdAt": Time(0),
        "updatedAt": Time(0),
        "createdBy": SYSTEM,
        "updatedBy": SYSTEM,
    })
}

fn words(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|c| c.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
