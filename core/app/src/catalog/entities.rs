//! Entities of blueprints that users define.

use std::collections::HashMap;

use meetme_base::{Invalid, RawId};
use meetme_model::{
    Ext,
    catalog::{Blueprint, Entity, Related, Relation, Target as Leads},
};
use meetme_store::{Filter, Object, Order, Query, Resource as _, Tx};
use serde_json::{Map, Value as Json};

use super::{check_values, system};
use crate::{Error, seal};

/// What a caller wants of an entity. Parts that are absent were not sent.
#[derive(Clone, Debug, Default)]
pub struct EntityWish {
    /// Its identifier; one is made when absent on creation.
    pub identifier: Option<String>,
    /// Its title; `Some(None)` clears it.
    pub title: Option<Option<String>>,
    /// Its icon; `Some(None)` clears it.
    pub icon: Option<Option<String>>,
    /// Names of teams.
    pub teams: Option<Vec<String>>,
    /// Values; null clears one.
    pub properties: Map<String, Json>,
    /// For each relation an identifier, a list of them, or null.
    pub relations: Map<String, Json>,
    /// The program that writes.
    pub datasource: Option<String>,
}

/// What happens when the entity exists, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It must be new.
    Create,
    /// It is made or replaced.
    Upsert,
    /// It is made, or what was sent is merged into it.
    Merge,
    /// It must exist and is replaced.
    Replace,
    /// It must exist and what was sent is merged into it.
    Patch,
}

/// How an entity is written.
pub struct Writing<'a> {
    /// The identifier that was addressed, where the wish may name another.
    pub at: Option<&'a str>,
    /// What happens when the entity exists, or does not.
    pub mode: Mode,
    /// Whether a bare entity is made where a relation leads nowhere.
    pub create_missing: bool,
    /// Puts what only the caller's dialect can mean into the entity, told whether it is new: in the same write, so that the
    /// log tells of one change.
    pub keep: &'a dyn Fn(&mut Ext, bool),
}

/// An entity after a write.
pub struct Written {
    /// The row.
    pub entity: Object<Entity>,
    /// Whether it is new.
    pub created: bool,
}

/// Objects by id with the identifiers the catalogue has for them.
pub type Resolved = HashMap<RawId, String>;

/// The most entities of one blueprint that are listed at once.
const MOST: u32 = 20_000;
/// How many entities one removal may take along.
const DEPENDENTS: usize = 1000;

/// The entities of a blueprint, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_entities(tx: &mut Tx<'_>, blueprint: &Object<Blueprint>) -> Result<Vec<Object<Entity>>, Error> {
    let query = Query::of(Filter::eq("blueprint", blueprint.id)).order([Order::up("id")]).page(MOST, 0);
    Ok(tx.list(&query)?)
}

/// How many entities a blueprint has.
///
/// # Errors
/// When the database fails.
pub fn count(tx: &mut Tx<'_>, blueprint: &Object<Blueprint>) -> Result<u64, Error> {
    Ok(tx.count::<Entity>(&Filter::eq("blueprint", blueprint.id))?)
}

/// The entity of a blueprint with this identifier.
///
/// # Errors
/// [`Error::Missing`] when there is none.
pub fn entity(tx: &mut Tx<'_>, blueprint: &Object<Blueprint>, identifier: &str) -> Result<Object<Entity>, Error> {
    found(tx, blueprint, identifier)?.ok_or_else(|| Error::missing(Entity::KIND, identifier))
}

fn found(tx: &mut Tx<'_>, blueprint: &Object<Blueprint>, identifier: &str) -> Result<Option<Object<Entity>>, Error> {
    Ok(tx.one(&Filter::eq("blueprint", blueprint.id).and(Filter::eq("identifier", identifier)))?)
}

/// Makes or changes an entity.
///
/// # Errors
/// [`Error::Invalid`] where values do not fit the blueprint, [`Error::Missing`] where a relation leads nowhere (unless
/// `create_missing`, which makes a bare entity there), [`Error::Exists`] and [`Error::Missing`] as the mode says.
pub fn write_entity(
    tx: &mut Tx<'_>,
    blueprint: &Object<Blueprint>,
    wish: &EntityWish,
    how: &Writing<'_>,
) -> Result<Written, Error> {
    let Writing { at, mode, create_missing, keep } = *how;
    let identifier = match at.map(str::to_owned).or_else(|| wish.identifier.clone()) {
        Some(identifier) => identifier,
        None => format!("e_{}", &seal::hex(&seal::random::<8>()?)),
    };
    let before = found(tx, blueprint, &identifier)?;
    match (&before, mode) {
        (Some(_), Mode::Create) => {
            let clash =
                Invalid::unique("identifier", format!("The entity {identifier} of {}", blueprint.spec.identifier));
            return Err(Error::Exists { kind: Entity::KIND, clash });
        }
        (None, Mode::Replace | Mode::Patch) => return Err(Error::missing(Entity::KIND, identifier)),
        _ => {}
    }
    let merge = matches!(mode, Mode::Merge | Mode::Patch);
    let mut next = match &before {
        Some(b) if merge => b.spec.clone(),
        Some(b) => Entity { ext: b.spec.ext.clone(), ..Entity::new(identifier.clone(), blueprint.id) },
        None => with_defaults(blueprint, &identifier, &wish.properties),
    };
    if let Some(renamed) = wish.identifier.as_ref().filter(|_| at.is_some()) {
        next.identifier.clone_from(renamed);
    }
    if let Some(title) = &wish.title {
        next.title.clone_from(title);
    }
    if let Some(icon) = &wish.icon {
        next.icon.clone_from(icon);
    }
    if wish.datasource.is_some() {
        next.datasource.clone_from(&wish.datasource);
    }
    if let Some(names) = &wish.teams {
        next.teams = teams(tx, names)?;
    }
    for (name, value) in &wish.properties {
        if value.is_null() && merge {
            next.properties.remove(name);
        } else {
            next.properties.insert(name.clone(), value.clone());
        }
    }
    check_values(&blueprint.spec.schema, &next.properties, true)?;
    relate(tx, blueprint, &mut next, &wish.relations, create_missing)?;
    keep(&mut next.ext, before.is_none());
    match before {
        Some(mut object) => {
            tx.save(&mut object, next)?;
            Ok(Written { entity: object, created: false })
        }
        None => Ok(Written { entity: tx.create(blueprint.tenant, next)?, created: true }),
    }
}

fn with_defaults(blueprint: &Object<Blueprint>, identifier: &str, sent: &Map<String, Json>) -> Entity {
    let mut entity = Entity::new(identifier, blueprint.id);
    for (name, property) in &blueprint.spec.schema.properties {
        if let Some(default) = property.get("default").filter(|d| !d.is_null() && !sent.contains_key(name)) {
            entity.properties.insert(name.clone(), default.clone());
        }
    }
    entity
}

fn teams(tx: &mut Tx<'_>, names: &[String]) -> Result<Vec<meetme_base::Id<meetme_model::access::Team>>, Error> {
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        let team = tx.one::<meetme_model::access::Team>(&Filter::eq("name", name.as_str()))?;
        out.push(team.ok_or_else(|| Invalid::reference("team", format!("The team {name}")))?.id);
    }
    Ok(out)
}

fn relate(
    tx: &mut Tx<'_>,
    blueprint: &Object<Blueprint>,
    next: &mut Entity,
    wishes: &Map<String, Json>,
    create_missing: bool,
) -> Result<(), Error> {
    for (name, value) in wishes {
        let field = format!("relations.{name}");
        let relation = blueprint
            .spec
            .relation(name)
            .ok_or_else(|| Invalid::rule(&field, format!("{} has no relation {name}.", blueprint.spec.identifier)))?;
        let texts: Vec<&str> = match value {
            Json::Null => Vec::new(),
            Json::String(one) => vec![one],
            Json::Array(list) if relation.many => list
                .iter()
                .map(|v| v.as_str().ok_or_else(|| Invalid::format(&field, "a list of identifiers")))
                .collect::<Result<_, _>>()?,
            _ if relation.many => return Err(Invalid::format(field, "a list of identifiers").into()),
            _ => return Err(Invalid::format(field, "an identifier or null").into()),
        };
        let mut to = Vec::with_capacity(texts.len());
        for text in texts {
            let target = resolve(tx, blueprint, relation, text, create_missing)?;
            if !to.contains(&target) {
                to.push(target);
            }
        }
        next.relations.retain(|r| r.relation != *name);
        if relation.required && to.is_empty() {
            return Err(Invalid::required(field).into());
        }
        next.relations.push(Related { relation: name.clone(), to, required: relation.required });
    }
    let lacks = blueprint.spec.relations.iter().find(|r| {
        r.required && !next.relations.iter().any(|have| have.relation == r.identifier && !have.to.is_empty())
    });
    match lacks {
        Some(relation) => Err(Invalid::required(format!("relations.{}", relation.identifier)).into()),
        None => Ok(()),
    }
}

fn resolve(
    tx: &mut Tx<'_>,
    blueprint: &Object<Blueprint>,
    relation: &Relation,
    identifier: &str,
    create_missing: bool,
) -> Result<RawId, Error> {
    match &relation.target {
        Leads::Kind(kind) => {
            let registry = tx.registry();
            let info = registry.kind(kind).ok_or_else(|| Error::Bug(format!("a relation leads to {kind}")))?;
            Ok(system::one(tx, info, identifier)?.id)
        }
        Leads::Blueprint(id) => {
            let target = if *id == blueprint.id { blueprint.clone() } else { tx.get(*id)? };
            if let Some(entity) = found(tx, &target, identifier)? {
                return Ok(entity.id.any());
            }
            if !create_missing {
                return Err(Error::missing(Entity::KIND, identifier));
            }
            let bare = Entity { title: Some(identifier.to_owned()), ..Entity::new(identifier, target.id) };
            Ok(tx.create(target.tenant, bare)?.id.any())
        }
    }
}

/// Removes an entity; with `dependents`, also those that cannot be without it, and those of these, and so on.
///
/// # Errors
/// [`Error::Referenced`] when others need it and may not go along.
pub fn remove_entity(tx: &mut Tx<'_>, object: &Object<Entity>, dependents: bool) -> Result<(), Error> {
    let mut order = vec![object.id];
    if dependents {
        let mut next = 0;
        while let Some(id) = order.get(next).copied() {
            next += 1;
            for (kind, src, edge) in tx.referrers(id.any(), u32::MAX)? {
                if kind == Entity::KIND && edge == "needs" && !order.contains(&src.of()) {
                    order.push(src.of());
                }
            }
            if order.len() > DEPENDENTS {
                return Err(Error::conflict(
                    "too_many",
                    format!("More than {DEPENDENTS} entities depend on this one."),
                ));
            }
        }
    }
    // Those that need go before what they need; two that need each other let go first.
    for id in order.iter().skip(1) {
        let mut dependent = tx.get(*id)?;
        let mut spec = dependent.spec.clone();
        spec.relations.clear();
        tx.save(&mut dependent, spec)?;
    }
    for id in order.iter().rev() {
        tx.remove(*id)?;
    }
    Ok(())
}

/// What the catalogue calls these objects: entities of users by their identifiers, rows of the core by theirs.
///
/// # Errors
/// When the database fails.
pub fn names_of(tx: &mut Tx<'_>, entities: &[Object<Entity>]) -> Result<Resolved, Error> {
    let mut ids: Vec<RawId> =
        entities.iter().flat_map(|e| e.spec.relations.iter().flat_map(|r| r.to.clone())).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut out: Resolved = tx
        .many::<Entity>(ids.iter().map(|id| id.of()))?
        .into_values()
        .map(|e| (e.id.any(), e.spec.identifier))
        .collect();
    let registry = tx.registry();
    for id in ids {
        if out.contains_key(&id) {
            continue;
        }
        if let Some(info) = tx.kind_of(id)?.and_then(|k| registry.kind(k.name())) {
            match tx.get_any(info, id) {
                Ok(object) => drop(out.insert(id, system::identifier(&object))),
                Err(meetme_store::Error::Missing { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(out)
}
