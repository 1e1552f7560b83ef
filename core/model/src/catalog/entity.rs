//! A thing of the catalogue: one of a blueprint, with values and relations.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Blueprint, check_identifier};
use crate::{
    Ext,
    access::Team,
    check,
    edge::{ids, without},
};

/// A thing of a blueprint. Whether its values fit the blueprint is decided by the operation that writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// Its name in paths, one of its kind within the blueprint.
    pub identifier: String,
    /// Its name for people; the identifier when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name of its picture; the blueprint's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The blueprint.
    pub blueprint: Id<Blueprint>,
    /// The row of the core it adds values to, when its blueprint adds to a kind of the core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_of: Option<RawId>,
    /// The values of its properties, in order.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
    /// What it is related to, by relation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Related>,
    /// The teams it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Id<Team>>,
    /// What wrote it last, as that program calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasource: Option<String>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a thing is related to by one relation of its blueprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Related {
    /// The relation's name.
    pub relation: String,
    /// The others: things, or rows of the core.
    pub to: Vec<RawId>,
    /// Whether the blueprint says that there must be one: the others then cannot be removed.
    #[serde(default)]
    pub required: bool,
}

/// What was worked out for a thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EntityStatus {
    /// The values of its blueprint's mirrors, calculations and aggregations.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub calculated: Map<String, Value>,
    /// The level it reached on each scorecard, and the outcome of each rule.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub scorecards: Map<String, Value>,
}

impl Entity {
    /// A thing of that blueprint without values.
    pub fn new(identifier: impl Into<String>, blueprint: Id<Blueprint>) -> Self {
        Self {
            identifier: identifier.into(),
            title: None,
            icon: None,
            blueprint,
            shadow_of: None,
            properties: Map::new(),
            relations: Vec::new(),
            teams: Vec::new(),
            datasource: None,
            ext: Ext::new(),
        }
    }

    fn related(&self, required: bool) -> Vec<RawId> {
        self.relations.iter().filter(|r| r.required == required).flat_map(|r| r.to.iter().copied()).collect()
    }

    fn unrelate(&mut self, required: bool, id: RawId) {
        self.relations.iter_mut().filter(|r| r.required == required).for_each(|r| r.to.retain(|to| *to != id));
    }
}

impl Resource for Entity {
    const KIND: Kind = Kind::new("entity");
    const AREA: &'static str = "catalog";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("identifier", FieldType::Text, |s: &Self| s.identifier.as_str().into()).indexed().searchable(),
        Field::new("title", FieldType::Text, |s: &Self| s.title().into()).searchable(),
        Field::new("icon", FieldType::Text, |s| s.icon.clone().into()),
        Field::new("datasource", FieldType::Text, |s| s.datasource.clone().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("blueprint", &[Blueprint::KIND], |s| Some(s.blueprint.any())),
        Edge::cascade("shadow_of", &[], |s| s.shadow_of),
        Edge::many("needs", &[], OnDelete::Refuse, |s| s.related(true), |s, id| s.unrelate(true, id)),
        Edge::many("related", &[], OnDelete::Detach, |s| s.related(false), |s, id| s.unrelate(false, id)),
        Edge::many("teams", &[Team::KIND], OnDelete::Detach, |s| ids(&s.teams), |s, id| without(&mut s.teams, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["blueprint", "identifier"]];
    // The order in which things of a blueprint are listed.
    const INDEXES: &'static [&'static [&'static str]] = &[&["blueprint", "id"]];
    type Status = EntityStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check_identifier("identifier", &self.identifier, 1000, "@_.+:\\/=-")?;
        check::length("title", self.title.as_deref().unwrap_or_default(), 1000)?;
        check::length("icon", self.icon.as_deref().unwrap_or_default(), 100)?;
        if before.is_some_and(|b| b.blueprint != self.blueprint) {
            return Err(Invalid::rule("blueprint", "A thing stays of its blueprint."));
        }
        for (i, related) in self.relations.iter().enumerate() {
            let field = format!("relations.{i}");
            if self.relations[..i].iter().any(|other| other.relation == related.relation) {
                return Err(Invalid::rule(field, "This relation is named twice."));
            }
            if related.required && related.to.is_empty() {
                return Err(Invalid::required(field));
            }
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.identifier.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn related(relation: &str, to: &[i64], required: bool) -> Related {
        Related { relation: relation.into(), to: to.iter().map(|id| RawId::new(*id)).collect(), required }
    }

    #[test]
    fn only_what_a_thing_must_have_holds_others_back() {
        let relations = vec![related("site", &[1], true), related("peers", &[2, 3], false)];
        let mut entity = Entity { relations, ..Entity::new("a", Id::new(9)) };
        assert_eq!(
            (entity.related(true), entity.related(false)),
            (vec![RawId::new(1)], [2, 3].map(RawId::new).to_vec())
        );
        entity.unrelate(false, RawId::new(2));
        assert_eq!(entity.relations[1], related("peers", &[3], false));
    }

    #[test]
    fn a_required_relation_is_not_empty_and_none_is_named_twice() {
        let field = |relations| {
            let entity = Entity { relations, ..Entity::new("a=b", Id::new(9)) };
            entity.check(None).err().map(|e| e.field).unwrap_or_default()
        };
        assert_eq!(field(vec![related("site", &[], false)]), "");
        assert_eq!(field(vec![related("site", &[], true)]), "relations.0");
        assert_eq!(field(vec![related("site", &[1], true), related("site", &[2], true)]), "relations.1");
    }
}
