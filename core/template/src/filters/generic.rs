//! Filters for texts and lists of any sort.

use std::{cmp::Ordering, collections::BTreeSet};

use minijinja::{Error, State, value::Value};
use unicode_normalization::UnicodeNormalization;

use super::{Given, field, items, pay, wrong};
use crate::{Rows, json, lookup::Condition};

pub(super) fn safe_string(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let text = value.to_string();
    // Letters lose their accents, all else that is not ASCII goes. Control characters go too: they would end a line.
    Ok(text.nfkd().filter(|c| c.is_ascii() && !c.is_ascii_control()).collect::<String>().into())
}

pub(super) fn quote(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let mark = given.text("char")?.unwrap_or_else(|| "\"".to_owned());
    given.done()?;
    if !value.is_true() {
        return Ok("".into());
    }
    Ok(format!("{mark}{value}{mark}").into())
}

pub(super) fn length(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    match value.len() {
        Some(n) => Ok(n.into()),
        None => Ok(items(state, value)?.len().into()),
    }
}

fn conditions(given: &mut Given) -> Result<Vec<Condition>, Error> {
    given.names().into_iter().map(|(name, want)| Condition::read(&name, want)).collect()
}

fn selected(state: &State<'_, '_>, value: &Value, mut given: Given, wanted: bool) -> Result<Value, Error> {
    let conditions = conditions(&mut given)?;
    given.done()?;
    let weight: usize = conditions.iter().map(Condition::weight).sum();
    let list = items(state, value)?;
    pay(state, list.len().saturating_mul(weight.max(1)))?;
    let mut kept = Vec::new();
    for (n, item) in list.iter().enumerate() {
        let mut holds = true;
        for condition in &conditions {
            holds &= condition.holds(item)?;
            if !holds {
                break;
            }
        }
        if holds == wanted {
            kept.push(n);
        }
    }
    Ok(match Rows::of(value) {
        Some(rows) => rows.with(kept.into_iter().map(|n| rows.at[n]).collect()),
        None => kept.into_iter().map(|n| list[n].clone()).collect::<Vec<_>>().into(),
    })
}

pub(super) fn filter(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    selected(state, value, given, true)
}

pub(super) fn exclude(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    selected(state, value, given, false)
}

/// The one that matches; all that match when it is not one.
pub(super) fn get(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    let found = selected(state, value, given, true)?;
    match found.len() {
        Some(1) => found.get_item_by_index(0),
        _ => Ok(found),
    }
}

pub(super) fn unique_items(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let name = given.text("field")?.ok_or_else(|| wrong("unique_items wants the name of a field"))?;
    given.done()?;
    let list = items(state, value)?;
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for (n, item) in list.iter().enumerate() {
        if let Some(of_item) = field(item, &name)
            && seen.insert(of_item)
        {
            kept.push(n);
        }
    }
    Ok(match Rows::of(value) {
        Some(rows) => rows.with(kept.into_iter().map(|n| rows.at[n]).collect()),
        None => kept.into_iter().map(|n| list[n].clone()).collect::<Vec<_>>().into(),
    })
}

pub(super) fn iterate(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let name = given.text("field")?.ok_or_else(|| wrong("iterate wants the name of a field"))?;
    given.done()?;
    let list = items(state, value)?;
    Ok(list.iter().map(|item| field(item, &name).unwrap_or(Value::from(()))).collect::<Vec<_>>().into())
}

pub(super) fn values_list(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let flat = given.names().iter().any(|(name, value)| name == "flat" && value.is_true());
    let names: Vec<String> = given.places().iter().map(ToString::to_string).collect();
    let list = items(state, value)?;
    let of = |item: &Value, name: &String| field(item, name).unwrap_or(Value::from(()));
    let rows = list.iter().map(|item| match &names[..] {
        [name] if flat => of(item, name),
        names => names.iter().map(|name| of(item, name)).collect::<Vec<_>>().into(),
    });
    Ok(rows.collect::<Vec<_>>().into())
}

pub(super) fn order_by(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let names: Vec<String> = given.places().iter().map(ToString::to_string).collect();
    given.done()?;
    let list = items(state, value)?;
    pay(state, list.len().saturating_mul(16))?;
    let keys = |item: &Value| -> Vec<Value> {
        names.iter().map(|n| field(item, n.trim_start_matches('-')).unwrap_or(Value::from(()))).collect()
    };
    let mut order: Vec<(Vec<Value>, usize)> = list.iter().enumerate().map(|(n, item)| (keys(item), n)).collect();
    order.sort_by(|a, b| {
        for (n, name) in names.iter().enumerate() {
            let by = a.0[n].cmp(&b.0[n]);
            let by = if name.starts_with('-') { by.reverse() } else { by };
            if by != Ordering::Equal {
                return by;
            }
        }
        a.1.cmp(&b.1)
    });
    Ok(match Rows::of(value) {
        Some(rows) => rows.with(order.into_iter().map(|(_, n)| rows.at[n]).collect()),
        None => order.into_iter().map(|(_, n)| list[n].clone()).collect::<Vec<_>>().into(),
    })
}

/// How wide JSON and YAML may be indented.
const WIDEST: i64 = 16;

fn written(
    state: &State<'_, '_>,
    value: &Value,
    given: &mut Given,
    usual: i64,
) -> Result<(serde_json::Value, usize), Error> {
    let indent = given.number("indent")?.unwrap_or(usual).clamp(0, WIDEST);
    let is_sorted = given.flag("sort_keys").unwrap_or(true);
    // About what an object with forty fields makes.
    let objects = Rows::of(value).map_or(1, |rows| rows.at.len());
    pay(state, objects.saturating_mul(160))?;
    let value = json::to_json(value);
    Ok((if is_sorted { json::sorted(value) } else { value }, usize::try_from(indent).unwrap_or_default()))
}

pub(super) fn as_json(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (value, indent) = written(state, value, &mut given, 4)?;
    given.done()?;
    Ok(json::pretty(&value, indent).into())
}

pub(super) fn as_yaml(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (value, indent) = written(state, value, &mut given, 2)?;
    given.done()?;
    Ok(json::yaml(&value, indent).into())
}

pub(super) fn indent(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let n = given.number("n")?.ok_or_else(|| wrong("indent wants a number"))?;
    let chars = given.text("chars")?.unwrap_or_else(|| " ".to_owned());
    let reset = given.flag("reset").unwrap_or(false);
    given.done()?;
    let text = value.to_string();
    let n = usize::try_from(n).unwrap_or(0);
    let lines = text.split_inclusive('\n').count();
    // Paid for before it is made: what is asked for may be larger than the machine.
    let bytes = chars.len().saturating_mul(n).saturating_mul(lines).saturating_add(text.len());
    state.consume_fuel(u64::try_from(bytes / 64).unwrap_or(u64::MAX))?;
    let before = chars.repeat(n);
    let mut out = String::with_capacity(bytes);
    for line in text.split_inclusive('\n') {
        out.push_str(&before);
        out.push_str(if reset { line.trim_start_matches(|c| chars.contains(c)) } else { line });
    }
    Ok(out.into())
}
