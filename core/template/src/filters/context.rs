//! Filters about tags, status and data for templates.

use minijinja::{
    Error, State,
    value::{Value, ValueKind},
};

use super::{Given, entity, wrong};
use crate::{Entity, Model, Rows};

fn tags_of(value: &Value) -> Result<Rows, Error> {
    entity(value, "an object with tags")?.many("tags").ok_or_else(|| wrong("the object has no tags"))
}

pub(super) fn tags(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let rows = tags_of(value)?;
    Ok(rows.with(rows.at.clone()))
}

fn is_tagged(value: &Value, mut given: Given) -> Result<bool, Error> {
    let want = given.text("tag")?.ok_or_else(|| wrong("has_tag wants the name or slug of a tag"))?;
    given.done()?;
    let is = |tag: Entity| ["name", "slug"].iter().any(|f| tag.word(f).as_deref() == Some(&want));
    Ok(tags_of(value)?.entities().any(is))
}

pub(super) fn has_tag(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    is_tagged(value, given).map(Value::from)
}

pub(super) fn has_not_tag(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    is_tagged(value, given).map(|is| Value::from(!is))
}

/// What an object's status comes to when what it hangs on is off or in maintenance. An object that is off itself stays off.
/// Of what it hangs on, what is off counts before what is in maintenance, and the exchange or group before the router.
pub(crate) fn status(of: &Entity) -> Option<String> {
    let own = of.word("status")?;
    if own == "disabled" {
        return Some(own);
    }
    let above: [Option<String>; 2] = match of.key.model {
        Model::Connection => [of.one("internet_exchange_point"), of.one("router")].map(|e| e?.word("status")),
        Model::DirectPeeringSession => [of.one("bgp_group"), of.one("router")].map(|e| e?.word("status")),
        Model::InternetExchangePeeringSession => [of.one("ixp_connection").and_then(|link| status(&link)), None],
        _ => [None, None],
    };
    let words = || above.iter().flatten().map(String::as_str);
    let is_maintenance = |word: &&str| matches!(*word, "pre-maintenance" | "maintenance" | "post-maintenance");
    let inherited = words().find(|word| *word == "disabled").or_else(|| words().find(is_maintenance));
    Some(inherited.map(str::to_owned).unwrap_or(own))
}

pub(super) fn inherited_status(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let entity = entity(value, "an object with a status")?;
    status(entity).map(Value::from).ok_or_else(|| wrong("the object has no status"))
}

/// The member of a map, or of the maps in it.
fn found(map: &Value, key: &str, recursive: bool, depth: usize) -> Option<Value> {
    if map.kind() != ValueKind::Map || depth > 20 {
        return None;
    }
    for name in map.try_iter().ok()? {
        let value = map.get_item(&name).ok()?;
        if name.as_str() == Some(key) {
            return Some(value);
        }
        if recursive && let Some(inner) = found(&value, key, true, depth + 1) {
            return Some(inner);
        }
    }
    None
}

fn in_context(value: &Value, given: &mut Given, with_default: bool) -> Result<(Option<Value>, Value), Error> {
    let entity = entity(value, "an object with a config context")?;
    let context = entity.field("config_context").ok_or_else(|| wrong("the object has no config context"))?;
    let key = given.text("key")?.ok_or_else(|| wrong("the filter wants a key"))?;
    let default = if with_default { given.take("default") } else { None };
    let recursive = given.flag("recursive").unwrap_or(true);
    Ok((found(&context, &key, recursive, 0), default.unwrap_or(Value::from(()))))
}

pub(super) fn has_key(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (found, _) = in_context(value, &mut given, false)?;
    given.done()?;
    Ok(found.is_some().into())
}

pub(super) fn has_not_key(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (found, _) = in_context(value, &mut given, false)?;
    given.done()?;
    Ok(found.is_none().into())
}

pub(super) fn get_key(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (found, default) = in_context(value, &mut given, true)?;
    given.done()?;
    Ok(found.unwrap_or(default))
}
