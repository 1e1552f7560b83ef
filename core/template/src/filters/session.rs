//! Filters that lead to sessions, and from a router to whom it speaks with.

use minijinja::{Error, State, value::Value};

use super::{Given, address::peer, entity, pay, wrong};
use crate::{Entity, Key, Model, Rows};

/// Those of a family.
fn of_family(rows: Rows, family: Option<u8>) -> Value {
    let Some(family) = family else { return rows.with(rows.at.clone()) };
    let is = |e: &Entity| peer(e).is_some_and(|address| address.version() == family);
    rows.with(rows.entities().filter(is).map(|e| e.key.at).collect())
}

fn none_of(entity: &Entity, what: &str) -> Error {
    wrong(format!("{} {} has no {what}", entity.key.model.word(), entity.tree.title(entity.key)))
}

pub(super) fn sessions(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let family = given.family()?;
    given.done()?;
    let of = entity(value, "a group or an exchange")?;
    let name = match of.key.model {
        Model::BgpGroup => "direct_sessions",
        Model::InternetExchange => "ixp_sessions",
        _ => return Err(none_of(of, "sessions of one sort, try `direct_sessions` or `ixp_sessions`")),
    };
    let rows = of.many(name).ok_or_else(|| none_of(of, "sessions"))?;
    pay(state, rows.at.len())?;
    Ok(of_family(rows, family))
}

/// Those that lead to this object by the path.
fn through(rows: Rows, path: &[&str], to: Key) -> Rows {
    let reaches = |at: &u32| {
        let start = Key::new(rows.model, *at);
        path.iter().try_fold(start, |key, name| rows.tree.one(key, name).flatten()) == Some(to)
    };
    let at = rows.at.iter().copied().filter(reaches).collect();
    Rows { at, ..rows }
}

pub(super) fn direct_sessions(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let family = given.family()?;
    let group = given.take("group");
    given.done()?;
    let of = entity(value, "an object with direct sessions")?;
    let mut rows = of.many("direct_sessions").ok_or_else(|| none_of(of, "direct sessions, try `sessions`"))?;
    pay(state, rows.at.len())?;
    if let Some(group) = group {
        rows = through(rows, &["bgp_group"], entity(&group, "a BGP group")?.key);
    }
    Ok(of_family(rows, family))
}

pub(super) fn ixp_sessions(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let family = given.family()?;
    let ixp = given.take("ixp");
    given.done()?;
    let of = entity(value, "an object with sessions across exchanges")?;
    let missing = || none_of(of, "sessions across exchanges, try `sessions`");
    let rows = match &ixp {
        None => of.many("ixp_sessions").ok_or_else(missing)?,
        Some(ixp) => {
            let ixp = entity(ixp, "an exchange")?;
            match of.key.model {
                // The exchange's list is the shorter one: a router asks for one exchange after another.
                Model::Router => {
                    through(ixp.many("ixp_sessions").ok_or_else(missing)?, &["ixp_connection", "router"], of.key)
                }
                _ => through(
                    of.many("ixp_sessions").ok_or_else(missing)?,
                    &["ixp_connection", "internet_exchange_point"],
                    ixp.key,
                ),
            }
        }
    };
    pay(state, rows.at.len())?;
    Ok(of_family(rows, family))
}

pub(super) fn route_server(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let family = given.family()?;
    given.done()?;
    let of = entity(value, "an exchange")?;
    if of.key.model != Model::InternetExchange {
        return Err(wrong("the value is not an internet exchange"));
    }
    let rows = of.many("ixp_sessions").ok_or_else(|| none_of(of, "sessions"))?;
    pay(state, rows.at.len())?;
    let is = |e: &Entity| e.tree.plain(e.key, "is_route_server").is_some_and(|v| v.is_true());
    let at = rows.entities().filter(is).map(|e| e.key.at).collect();
    Ok(of_family(Rows { at, ..rows }, family))
}

pub(super) fn connections(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let ixp = given.take("ixp");
    given.done()?;
    let of = entity(value, "an exchange or a router")?;
    let rows = of.many("connections").ok_or_else(|| none_of(of, "connections"))?;
    let rows = match ixp {
        Some(ixp) => through(rows, &["internet_exchange_point"], entity(&ixp, "an exchange")?.key),
        None => rows,
    };
    Ok(rows.with(rows.at.clone()))
}

/// What these objects lead to by a field, each once, in the order of its model.
pub(super) fn targets(rows: &Rows, model: Model, name: &str) -> Value {
    let mut at: Vec<u32> = rows
        .at
        .iter()
        .filter_map(|at| rows.tree.one(Key::new(rows.model, *at), name).flatten())
        .map(|k| k.at)
        .collect();
    at.sort_unstable();
    at.dedup();
    Rows::value(&rows.tree, model, at)
}

/// A router, as these filters want.
fn router(value: &Value) -> Result<&Entity, Error> {
    let of = entity(value, "a router")?;
    if of.key.model == Model::Router { Ok(of) } else { Err(wrong("the value is not a router")) }
}

/// The sessions that lead by the path to something with this slug. A slug that nothing has leads to none.
fn at_slug(rows: Rows, path: &[&str], slug: &str) -> Rows {
    let is = |at: &u32| {
        let start = Key::new(rows.model, *at);
        let end = path.iter().try_fold(start, |key, name| rows.tree.one(key, name).flatten());
        end.and_then(|key| rows.tree.plain(key, "slug")).is_some_and(|own| own.as_str() == Some(slug))
    };
    let at = rows.at.iter().copied().filter(is).collect();
    Rows { at, ..rows }
}

/// The slug in a text or of an object.
fn slug(value: Option<Value>) -> Option<String> {
    let value = value?;
    let text = match Entity::of(&value) {
        Some(entity) => entity.word("slug")?,
        None => value.as_str()?.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

pub(super) fn direct_peers(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let group = slug(given.take("group"));
    given.done()?;
    let mut rows = router(value)?.many("direct_sessions").ok_or_else(|| wrong("the router has no sessions"))?;
    pay(state, rows.at.len())?;
    if let Some(slug) = group {
        rows = at_slug(rows, &["bgp_group"], &slug);
    }
    Ok(targets(&rows, Model::AutonomousSystem, "autonomous_system"))
}

pub(super) fn ixp_peers(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let ixp = slug(given.take("ixp"));
    given.done()?;
    let mut rows = router(value)?.many("ixp_sessions").ok_or_else(|| wrong("the router has no sessions"))?;
    pay(state, rows.at.len())?;
    if let Some(slug) = ixp {
        rows = at_slug(rows, &["ixp_connection", "internet_exchange_point"], &slug);
    }
    Ok(targets(&rows, Model::AutonomousSystem, "autonomous_system"))
}

pub(super) fn bfds(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let of = router(value)?;
    let mut at = Vec::new();
    for name in ["direct_sessions", "ixp_sessions"] {
        let Some(rows) = of.many(name) else { continue };
        pay(state, rows.at.len())?;
        let of_rows = |a: &u32| of.tree.one(Key::new(rows.model, *a), "bfd").flatten();
        at.extend(rows.at.iter().filter_map(of_rows).map(|key| key.at));
    }
    at.sort_unstable();
    at.dedup();
    Ok(Rows::value(&of.tree, Model::Bfd, at))
}

/// A type 7 password without the word that says so.
pub(super) fn type7_password(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let text = value.as_str().ok_or_else(|| wrong("the value is not a password"))?;
    Ok(text.strip_prefix("7 ").unwrap_or(text).into())
}
