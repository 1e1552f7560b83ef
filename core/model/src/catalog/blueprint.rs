//! A kind of thing that people define themselves: its properties, and how it relates to other things.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check_identifier;
use crate::{Ext, check};

/// A kind of thing. One whose identifier is `_` and the name of a kind of the core adds to that kind and stands for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Blueprint {
    /// Its name in paths.
    pub identifier: String,
    /// Its name for people.
    pub title: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The properties its things have.
    pub schema: Properties,
    /// How its things relate to others, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    /// Properties of related things that are shown with its own: name to `{path, title?}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub mirrors: Map<String, Value>,
    /// Properties worked out of the others: name to `{calculation, type, ...}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub calculations: Map<String, Value>,
    /// Properties worked out of many related things: name to `{target, calculationSpec, ...}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub aggregations: Map<String, Value>,
    /// Whose teams its things belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Ownership>,
    /// The URL that is told of every change of its things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changelog: Option<String>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// The properties of a blueprint's things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Properties {
    /// Name to JSON schema, in order.
    pub properties: Map<String, Value>,
    /// The names of those a thing must have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
}

/// A way in which the things of a blueprint relate to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relation {
    /// Its name.
    pub identifier: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the others are.
    pub target: Target,
    /// Whether a thing must have one.
    #[serde(default)]
    pub required: bool,
    /// Whether a thing may have several.
    #[serde(default)]
    pub many: bool,
}

/// What a relation leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Things of a blueprint.
    Blueprint(Id<Blueprint>),
    /// Rows of a kind of the core.
    Kind(String),
}

/// Whose teams the things of a blueprint belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// Each thing names its own.
    Direct {
        /// What the teams are called, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// Those of a related thing.
    Inherited {
        /// The relations that lead to it.
        path: Vec<String>,
        /// What the teams are called, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}

/// What was seen of a blueprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BlueprintStatus {
    /// Whether its things are being fitted to a change of it.
    pub migrating: bool,
}

impl Blueprint {
    /// The relation of that name.
    pub fn relation(&self, identifier: &str) -> Option<&Relation> {
        self.relations.iter().find(|r| r.identifier == identifier)
    }

    fn targets(&self) -> Vec<RawId> {
        let blueprint = |relation: &Relation| match relation.target {
            Target::Blueprint(id) => Some(id.any()),
            Target::Kind(_) => None,
        };
        self.relations.iter().filter_map(blueprint).collect()
    }

    /// The names under which a thing shows its values, with where each is declared.
    fn names(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let all = [
            ("schema.properties", &self.schema.properties),
            ("mirrors", &self.mirrors),
            ("calculations", &self.calculations),
            ("aggregations", &self.aggregations),
        ];
        all.into_iter().flat_map(|(place, map)| map.keys().map(move |name| (place, name)))
    }

    fn check_properties(&self) -> Result<(), Invalid> {
        let mut seen = std::collections::BTreeSet::new();
        for (place, name) in self.names() {
            check_identifier(place, name, 100, SIGNS)?;
            if !seen.insert(name) {
                return Err(Invalid::rule(format!("{place}.{name}"), "Another property has this name."));
            }
        }
        let maps = [("schema.properties", &self.schema.properties, None), ("mirrors", &self.mirrors, Some("path"))];
        let worked_out = [("calculations", &self.calculations, Some("calculation"))];
        let gathered = [("aggregations", &self.aggregations, Some("target"))];
        for (place, map, needs) in maps.into_iter().chain(worked_out).chain(gathered) {
            for (name, value) in map {
                let field = format!("{place}.{name}");
                let Value::Object(value) = value else { return Err(Invalid::format(field, "an object")) };
                if let Some(needs) = needs.filter(|needs| !value.get(*needs).is_some_and(Value::is_string)) {
                    return Err(Invalid::required(format!("{field}.{needs}")));
                }
            }
        }
        match self.schema.required.iter().find(|name| !self.schema.properties.contains_key(*name)) {
            Some(name) => Err(Invalid::reference("schema.required", format!("The property {name}"))),
            None => Ok(()),
        }
    }

    fn check_relations(&self) -> Result<(), Invalid> {
        for (i, relation) in self.relations.iter().enumerate() {
            let field = format!("relations.{i}.identifier");
            check_identifier(&field, &relation.identifier, 100, SIGNS)?;
            check::length(&format!("relations.{i}.title"), relation.title.as_deref().unwrap_or_default(), 100)?;
            if self.relations[..i].iter().any(|other| other.identifier == relation.identifier) {
                return Err(Invalid::rule(field, "Another relation has this name."));
            }
        }
        let Some(Ownership::Inherited { path, .. }) = &self.ownership else { return Ok(()) };
        // Only the first step begins here; the others belong to other blueprints.
        match path.first() {
            None => Err(Invalid::required("ownership.path")),
            Some(first) if self.relation(first).is_none() => {
                Err(Invalid::reference("ownership.path", format!("The relation {first}")))
            }
            Some(_) => Ok(()),
        }
    }
}

/// The signs that names of blueprints, properties and relations may have besides letters and digits.
const SIGNS: &str = "@_.+:\\/-";

impl Resource for Blueprint {
    const KIND: Kind = Kind::new("blueprint");
    const AREA: &'static str = "catalog";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("identifier", FieldType::Text, |s: &Self| s.identifier.as_str().into()).indexed().searchable(),
        Field::new("title", FieldType::Text, |s: &Self| s.title.as_str().into()).searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("icon", FieldType::Text, |s| s.icon.clone().into()),
        Field::status("migrating", FieldType::Bool, |s: &Self::Status| s.migrating.into()),
    ];
    const EDGES: &'static [Edge<Self>] =
        &[Edge::many("targets", &[Blueprint::KIND], OnDelete::Refuse, Blueprint::targets, |s, id| {
            s.relations.retain(|r| !matches!(r.target, Target::Blueprint(to) if to.any() == id));
        })];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "identifier"]];
    type Status = BlueprintStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check_identifier("identifier", &self.identifier, 100, SIGNS)?;
        check::name("title", &self.title, 100)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        self.check_properties()?;
        self.check_relations()
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn blueprint(more: Value) -> Blueprint {
        let mut document = json!({"identifier": "service", "title": "Service"});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(document).unwrap()
    }

    #[track_caller]
    fn check(more: Value, wanted: &str) {
        assert_eq!(blueprint(more).check(None).err().map(|e| e.field).unwrap_or_default(), wanted);
    }

    #[test]
    fn every_name_of_a_value_is_used_once() {
        let tier = json!({"tier": {"type": "string"}});
        check(json!({"schema": {"properties": tier, "required": ["tier"]}}), "");
        check(json!({"schema": {"properties": tier, "required": ["level"]}}), "schema.required");
        check(json!({"schema": {"properties": tier}, "mirrors": {"tier": {"path": "a.b"}}}), "mirrors.tier");
        check(json!({"calculations": {"sum": {"type": "number"}}}), "calculations.sum.calculation");
        check(json!({"schema": {"properties": {"tier": "string"}}}), "schema.properties.tier");
    }

    #[test]
    fn a_relation_is_named_once_and_ownership_begins_at_one() {
        let site = json!({"identifier": "site", "target": {"kind": "site"}});
        let owner = |path: &str| json!({"inherited": {"path": [path]}});
        check(json!({"relations": [site], "ownership": owner("site")}), "");
        check(json!({"relations": [site, site]}), "relations.1.identifier");
        check(json!({"relations": [site], "ownership": owner("team")}), "ownership.path");
    }

    #[test]
    fn only_blueprints_of_people_are_targets_of_edges() {
        let relations =
            json!([{"identifier": "a", "target": {"kind": "site"}}, {"identifier": "b", "target": {"blueprint": 7}}]);
        assert_eq!(blueprint(json!({"relations": relations})).targets(), [RawId::new(7)]);
    }

    #[test]
    fn an_identifier_is_not_a_name_of_the_path_itself() {
        for (identifier, good) in [("_site", true), ("dienst-\u{fc}", true), ("..", false), ("a b", false), ("", false)]
        {
            let made = Blueprint { identifier: identifier.into(), ..blueprint(json!({})) };
            assert_eq!(made.check(None).is_ok(), good, "{identifier}");
        }
    }
}
