//! Blueprints that users define.

use meetme_base::{Id, Invalid, RawId};
use meetme_model::catalog::{Blueprint, Entity, Target as Leads};
use meetme_store::{Filter, KindInfo, Object, Order, Query, Registry, Resource as _, Tx};
use serde_json::Map;

use super::{check_values, system};
use crate::Error;

/// What an identifier of a blueprint stands for.
#[derive(Clone)]
pub enum Target<'r> {
    /// One that users defined.
    Own(Box<Object<Blueprint>>),
    /// A kind of the core.
    System(&'r KindInfo),
}

/// The most blueprints of one organization that are listed.
const MOST: u32 = 5000;

/// The blueprints of an organization, by identifier.
///
/// # Errors
/// When the database fails.
pub fn list(tx: &mut Tx<'_>, home: RawId) -> Result<Vec<Object<Blueprint>>, Error> {
    let query = Query::of(Filter::eq("tenant", home)).order([Order::up("identifier")]).page(MOST, 0);
    Ok(tx.list(&query)?)
}

/// What an identifier stands for in an organization.
///
/// # Errors
/// [`Error::Missing`] when nothing there has it.
pub fn find<'r>(tx: &mut Tx<'_>, registry: &'r Registry, home: RawId, identifier: &str) -> Result<Target<'r>, Error> {
    if let Some(kind) = system::kind_of(registry, identifier) {
        return Ok(Target::System(kind));
    }
    let filter = Filter::eq("tenant", home).and(Filter::eq("identifier", identifier));
    let found = tx.one::<Blueprint>(&filter)?;
    found.map(|b| Target::Own(Box::new(b))).ok_or_else(|| Error::missing(Blueprint::KIND, identifier))
}

/// The blueprints with these ids.
///
/// # Errors
/// When the database fails.
pub fn by_id(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = Id<Blueprint>>,
) -> Result<std::collections::HashMap<Id<Blueprint>, Object<Blueprint>>, Error> {
    Ok(tx.many(ids)?)
}

/// Makes a blueprint in an organization.
///
/// # Errors
/// When its identifier is taken or reserved, or its parts do not fit together.
pub fn create(tx: &mut Tx<'_>, home: RawId, blueprint: Blueprint) -> Result<Object<Blueprint>, Error> {
    if system::is_system(&blueprint.identifier) {
        return Err(Invalid::rule(
            "identifier",
            "Identifiers that begin with _ belong to the system's own blueprints.",
        )
        .into());
    }
    check(&blueprint)?;
    Ok(tx.create(home, blueprint)?)
}

/// Replaces a blueprint. The type of a property that stays cannot change; values of properties that go are dropped from entities.
///
/// # Errors
/// When a property's type would change, or parts do not fit together.
pub fn replace(tx: &mut Tx<'_>, object: &mut Object<Blueprint>, next: Blueprint) -> Result<(), Error> {
    check(&next)?;
    for (name, property) in &next.schema.properties {
        let before = object.spec.schema.properties.get(name).and_then(|p| p.get("type"));
        if before.is_some() && before != property.get("type") {
            let field = format!("schema.properties.{name}.type");
            return Err(
                Invalid::rule(field, "The type of a property cannot change; remove it and add it again.").into()
            );
        }
    }
    let gone: Vec<String> = object
        .spec
        .schema
        .properties
        .keys()
        .filter(|name| !next.schema.properties.contains_key(*name))
        .cloned()
        .collect();
    let lost: Vec<String> = object
        .spec
        .relations
        .iter()
        .filter(|r| next.relation(&r.identifier).is_none_or(|n| n.target != r.target))
        .map(|r| r.identifier.clone())
        .collect();
    tx.save(object, next)?;
    if !gone.is_empty() || !lost.is_empty() {
        for mut entity in tx.all::<Entity>(Filter::eq("blueprint", object.id))? {
            let mut spec = entity.spec.clone();
            spec.properties.retain(|name, _| !gone.contains(name));
            spec.relations.retain(|r| !lost.contains(&r.relation));
            tx.save(&mut entity, spec)?;
        }
    }
    Ok(())
}

/// Removes a blueprint.
///
/// # Errors
/// [`Error::Conflict`] while it has entities, [`Error::Referenced`] while relations of others lead to it.
pub fn remove(tx: &mut Tx<'_>, object: &Object<Blueprint>) -> Result<(), Error> {
    let entities = tx.count::<Entity>(&Filter::eq("blueprint", object.id))?;
    if entities > 0 {
        return Err(Error::conflict(
            "has_entities",
            format!("The blueprint {} has {entities} dependant entities.", object.spec.identifier),
        ));
    }
    Ok(tx.remove(object.id)?)
}

fn check(blueprint: &Blueprint) -> Result<(), Error> {
    for relation in &blueprint.relations {
        if relation.many && relation.required {
            let field = format!("relations.{}", relation.identifier);
            return Err(Invalid::rule(field, "A relation cannot be both many and required.").into());
        }
        if matches!(&relation.target, Leads::Kind(kind) if kind.is_empty()) {
            return Err(Invalid::required(format!("relations.{}.target", relation.identifier)).into());
        }
    }
    // An empty entity shows whether the schema itself can be used.
    check_values(&blueprint.schema, &Map::new(), false)
}
