//! Entities on the wire.

use meetme_app::catalog::{EntityWish, Resolved, system_identifier};
use meetme_base::Invalid;
use meetme_model::catalog::{Blueprint, Entity};
use meetme_store::{AnyObject, KindInfo, Object};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::author::{SYSTEM, signed};

/// What a client sends. Unknown keys are allowed by the dialect.
#[derive(Clone, Default, Deserialize)]
pub struct EntityInput {
    pub identifier: Option<Value>,
    #[serde(default, deserialize_with = "sent")]
    pub title: Option<Option<String>>,
    #[serde(default, deserialize_with = "sent")]
    pub icon: Option<Option<String>>,
    pub team: Option<Value>,
    #[serde(default)]
    pub properties: Option<Map<String, Value>>,
    #[serde(default)]
    pub relations: Option<Map<String, Value>>,
}

/// Tells a null that was sent from nothing at all.
fn sent<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(d).map(Some)
}

impl EntityInput {
    /// As the core takes it.
    pub fn wish(self, datasource: Option<String>) -> Result<EntityWish, Invalid> {
        let identifier = match self.identifier {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => return Err(Invalid::format("identifier", "a text; searching by query is not supported here")),
        };
        let teams = match self.team {
            None => None,
            Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one]),
            Some(Value::Array(list)) => Some(
                list.iter()
                    .map(|v| v.as_str().map(str::to_owned).ok_or_else(|| Invalid::format("team", "a list of names")))
                    .collect::<Result<_, _>>()?,
            ),
            Some(_) => return Err(Invalid::format("team", "a name or a list of names")),
        };
        Ok(EntityWish {
            identifier,
            title: self.title,
            icon: self.icon,
            teams,
            properties: self.properties.unwrap_or_default(),
            relations: self.relations.unwrap_or_default(),
            datasource,
        })
    }
}

/// Shows an entity of a blueprint that users defined.
pub fn encode(blueprint: &Blueprint, object: &Object<Entity>, names: &Resolved, titles: bool) -> Value {
    let e = &object.spec;
    let mut relations = Map::new();
    for relation in &blueprint.relations {
        let to = e.relations.iter().find(|r| r.relation == relation.identifier);
        let shown: Vec<Value> = to
            .into_iter()
            .flat_map(|r| &r.to)
            .filter_map(|id| names.get(id))
            .map(|name| if titles { json!({"identifier": name, "title": name}) } else { name.as_str().into() })
            .collect();
        let value = if relation.many { Value::Array(shown) } else { shown.into_iter().next().unwrap_or(Value::Null) };
        relations.insert(relation.identifier.clone(), value);
    }
    let [created_by, updated_by] = signed(&e.ext);
    json!({
        "identifier": e.identifier,
        "title": e.title,
        "icon": e.icon,
        "blueprint": blueprint.identifier,
        "team": [],
        "properties": e.properties,
        "relations": relations,
        "createdAt": object.created,
        "updatedAt": object.updated,
        "createdBy": created_by,
        "updatedBy": updated_by,
    })
}

/// Shows a row of the core as an entity. `names` holds what the catalogue calls the rows it refers to.
pub fn encode_system(kind: &KindInfo, object: &AnyObject, names: &Resolved) -> Value {
    let mut properties = Map::new();
    for field in kind.shown_fields() {
        if let Some(value) = object.value(field.name) {
            properties.insert(field.name.to_owned(), value.json());
        }
    }
    let mut relations = Map::new();
    for edge in &kind.edges {
        let shown: Vec<Value> =
            object.targets(edge.name).iter().filter_map(|id| names.get(id)).map(|n| n.as_str().into()).collect();
        let value = if edge.many { Value::Array(shown) } else { shown.into_iter().next().unwrap_or(Value::Null) };
        relations.insert(edge.name.to_owned(), value);
    }
    json!({
        "identifier": system_identifier(object),
        "title": object.title,
        "icon": null,
        "blueprint": format!("_{}", kind.kind),
        "team": [],
        "properties": properties,
        "relations": relations,
        "createdAt": object.created,
        "updatedAt": object.updated,
        "createdBy": SYSTEM,
        "updatedBy": SYSTEM,
    })
}
