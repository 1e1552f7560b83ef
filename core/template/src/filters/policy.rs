//! Policies and communities, and what a session inherits of them: its own, then those of its AS, then those of its group or
//! exchange; communities go on to the router's. Within each the heavier policy stands first, then the name decides. What
//! is there twice counts at its first place, and policies of the other address family do not count.

use minijinja::{Error, State, value::Value};

use super::{Given, address::peer, entity, field, pay, wrong};
use crate::{Entity, Key, Model, Rows};

const IMPORT: &str = "import_routing_policies";
const EXPORT: &str = "export_routing_policies";

fn weight(entity: &Entity) -> i64 {
    entity.tree.plain(entity.key, "weight").and_then(|v| v.as_i64()).unwrap_or_default()
}

fn family(entity: &Entity) -> i64 {
    entity.tree.plain(entity.key, "address_family").and_then(|v| v.as_i64()).unwrap_or_default()
}

/// An object's own policies, heaviest first; the places of policies follow their names.
fn own(of: &Entity, name: &str) -> Option<Rows> {
    let mut rows = of.many(name)?;
    if rows.at.len() > 1 {
        let mut keyed: Vec<(i64, u32)> = rows.entities().map(|p| (-weight(&p), p.key.at)).collect();
        keyed.sort_unstable();
        rows.at = keyed.into_iter().map(|(_, at)| at).collect();
    }
    Some(rows)
}

/// The list, or one field of its members.
fn shown(rows: &Rows, name: &str) -> Value {
    if name.is_empty() {
        return rows.with(rows.at.clone());
    }
    let of = |e: Entity| field(&Entity::value(&e.tree, e.key), name).unwrap_or(Value::from(()));
    rows.entities().map(of).collect::<Vec<_>>().into()
}

fn in_family(mut rows: Rows, version: Option<u8>) -> Rows {
    if let Some(version) = version {
        let fits = |e: &Entity| matches!(family(e), 0) || family(e) == i64::from(version);
        rows.at = rows.entities().filter(fits).map(|e| e.key.at).collect();
    }
    rows
}

fn iter(value: &Value, mut given: Given, name: &str) -> Result<Value, Error> {
    let one = given.text("field")?.unwrap_or_default();
    let version = given.family()?;
    given.done()?;
    let of = entity(value, "an object with policies")?;
    let rows = own(of, name).ok_or_else(|| wrong(format!("{} has no policies", of.key.model.word())))?;
    Ok(shown(&in_family(rows, version), &one))
}

pub(super) fn iter_import(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    iter(value, given, IMPORT)
}

pub(super) fn iter_export(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    iter(value, given, EXPORT)
}

/// Whom a session inherits from, nearest first.
fn above(session: &Entity) -> [Option<Entity>; 2] {
    let group = match session.key.model {
        Model::InternetExchangePeeringSession => {
            session.one("ixp_connection").and_then(|link| link.one("internet_exchange_point"))
        }
        _ => session.one("bgp_group"),
    };
    [session.one("autonomous_system"), group]
}

fn merge(value: &Value, mut given: Given, name: &str) -> Result<Value, Error> {
    let order = given.take("order").or_else(|| given.take("reverse"));
    given.done()?;
    let is_reverse = order.is_some_and(|o| o.as_str().map_or(o.is_true(), |word| word == "reverse"));
    let of = entity(value, "an object with policies")?;
    let mut rows = own(of, name).ok_or_else(|| wrong(format!("{} has no policies", of.key.model.word())))?;
    if of.key.model.is_session() {
        let version = peer(of).map(|address| address.version());
        rows = in_family(rows, version);
        for other in above(of).into_iter().flatten() {
            let Some(more) = own(&other, name) else { continue };
            for at in in_family(more, version).at {
                if !rows.at.contains(&at) {
                    rows.at.push(at);
                }
            }
        }
    }
    if is_reverse {
        rows.at.reverse();
    }
    Ok(rows.with(rows.at.clone()))
}

pub(super) fn merge_import(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    merge(value, given, IMPORT)
}

pub(super) fn merge_export(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    merge(value, given, EXPORT)
}

pub(super) fn communities(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let one = given.text("field")?.unwrap_or_default();
    given.done()?;
    match entity(value, "an object with communities")?.many("communities") {
        Some(rows) => Ok(shown(&rows, &one)),
        None => Ok(Vec::<Value>::new().into()),
    }
}

pub(super) fn merge_communities(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    let of = entity(value, "an object with communities")?;
    if !of.key.model.is_session() {
        return communities(state, value, given);
    }
    given.done()?;
    let mut rows = of.many("communities").ok_or_else(|| wrong("the session has no communities"))?;
    let router = match of.key.model {
        Model::InternetExchangePeeringSession => of.one("ixp_connection").and_then(|link| link.one("router")),
        _ => of.one("router"),
    };
    for other in above(of).into_iter().chain([router]).flatten() {
        let Some(more) = other.many("communities") else { continue };
        for at in more.at {
            if !rows.at.contains(&at) {
                rows.at.push(at);
            }
        }
    }
    Ok(rows.with(rows.at.clone()))
}

/// The policies a router needs: those of its sessions and of all they inherit from, by name.
pub(crate) fn needed(router: &Entity) -> Rows {
    let mut at = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut add = |tree: &std::sync::Arc<dyn crate::Tree>, key: Key| {
        if seen.insert(key) {
            for name in [IMPORT, EXPORT] {
                at.extend(tree.many(key, name).map(|(_, list)| list).unwrap_or_default());
            }
        }
    };
    for name in ["direct_sessions", "ixp_sessions"] {
        for session in router.many(name).iter().flat_map(Rows::entities) {
            add(&session.tree, session.key);
            for other in above(&session).into_iter().flatten() {
                add(&other.tree, other.key);
            }
        }
    }
    at.sort_unstable();
    at.dedup();
    Rows { tree: std::sync::Arc::clone(&router.tree), model: Model::RoutingPolicy, at }
}

pub(super) fn of_router(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let one = given.text("field")?.unwrap_or_default();
    let version = given.family()?;
    given.done()?;
    let of = entity(value, "a router")?;
    if of.key.model != Model::Router {
        return Err(wrong("the value is not a router"));
    }
    let sessions = ["direct_sessions", "ixp_sessions"].iter().filter_map(|name| of.many(name));
    pay(state, sessions.map(|rows| rows.at.len()).sum::<usize>().saturating_mul(4))?;
    Ok(shown(&in_family(needed(of), version), &one))
}
