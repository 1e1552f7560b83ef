//! Writing rows: one or many, always all or none. Everything that can be refused is looked for before anything is written, so
//! that an answer names the faults of all rows.

use std::collections::HashMap;

use meetme_app::{
    Error,
    peering::{self, Ruled},
};
use meetme_base::{Id, Invalid, RawId};
use meetme_store::{EdgeMode, Filter, Object, Query, Tx, Value};
use serde_json::Value as Json;

use crate::{
    decode::{self, Findings},
    lookup::python_type,
    model::{Draft, Form, Model},
    read,
    scene::{Ask, Scene},
};

/// What a write answers.
pub struct Written {
    /// The row or rows, as JSON.
    pub body: Vec<u8>,
    /// The address of the row, when it is one.
    pub location: String,
}

/// Makes rows.
pub fn create<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    rows: &[Json],
    bulk: bool,
    scene: &Scene,
) -> Result<Written, Error> {
    let fresh = model.fresh.ok_or_else(|| Error::Bug(format!("{} is read only", model.about.name)))?;
    let mut drafts = Vec::with_capacity(rows.len());
    let mut findings = Vec::with_capacity(rows.len());
    for row in rows {
        let mut draft = Draft { spec: fresh(), status: R::Status::default() };
        findings.push(decode::draft(scene, tx, model.fields, row, true, &mut draft)?);
        drafts.push(draft);
    }
    decode::settle(tx, &mut findings)?;
    let keys: Vec<_> = drafts.iter().map(|draft| (None, draft)).collect();
    unique(model, tx, scene.home, &keys, &mut findings)?;
    refuse(&mut findings, bulk)?;
    let mut made = Vec::with_capacity(rows.len());
    for ((draft, sent), found) in drafts.into_iter().zip(rows).zip(&mut findings) {
        let written = R::create_by(scene.by()?, tx, scene.home, draft.spec, draft.status);
        match written.and_then(|mut row| beside(model, tx, &mut row, sent, scene, found).map(|()| row)) {
            Ok(row) => made.push(row),
            Err(error) => {
                if fault(model, error, found)? {
                    break;
                }
            }
        }
    }
    refuse(&mut findings, bulk)?;
    answer(model, tx, &made, bulk, scene)
}

/// Changes one row.
pub fn update<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    id: i64,
    sent: &Json,
    whole: bool,
    scene: &Scene,
) -> Result<Written, Error> {
    let mut rows = vec![read::find(model, tx, id)?];
    change(model, tx, &mut rows, &[sent], whole, false, scene)?;
    answer(model, tx, &rows, false, scene)
}

/// Changes many rows.
pub fn update_many<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    sent: &[Json],
    whole: bool,
    scene: &Scene,
) -> Result<Written, Error> {
    let ids = ids(sent)?;
    let mut found = stored(model, tx, &ids)?;
    let (mut rows, mut changes) = (Vec::new(), Vec::new());
    for (position, id) in ids.iter().enumerate() {
        // Where an id is given twice, the later row counts.
        if ids[position + 1..].contains(id) {
            continue;
        }
        if let Some(row) = found.remove(id) {
            rows.push(row);
            changes.push(&sent[position]);
        }
    }
    change(model, tx, &mut rows, &changes, whole, true, scene)?;
    let filter = Filter::is_in("id", rows.iter().map(|row| row.id));
    let limit = u32::try_from(rows.len()).unwrap_or(Query::MOST);
    let rows = tx.list::<R>(&Query::of(filter).order(model.about.default_order()).page(limit, 0))?;
    answer(model, tx, &rows, true, scene)
}

fn change<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    rows: &mut [Object<R>],
    sent: &[&Json],
    whole: bool,
    bulk: bool,
    scene: &Scene,
) -> Result<(), Error> {
    let mut drafts = Vec::with_capacity(rows.len());
    let mut findings = Vec::with_capacity(rows.len());
    for (row, sent) in rows.iter().zip(sent) {
        let mut draft = Draft { spec: row.spec.clone(), status: row.status.clone() };
        findings.push(decode::draft(scene, tx, model.fields, sent, whole, &mut draft)?);
        drafts.push(draft);
    }
    decode::settle(tx, &mut findings)?;
    let keys: Vec<_> = rows.iter().map(Some).zip(&drafts).collect();
    unique(model, tx, scene.home, &keys, &mut findings)?;
    refuse(&mut findings, bulk)?;
    for (((row, draft), sent), found) in rows.iter_mut().zip(drafts).zip(sent).zip(&mut findings) {
        let written = R::save_by(scene.by()?, tx, row, draft.spec)
            .and_then(|()| peering::observe(tx, row, draft.status))
            .and_then(|()| beside(model, tx, row, sent, scene, found));
        if let Err(error) = written
            && fault(model, error, found)?
        {
            break;
        }
    }
    refuse(&mut findings, bulk)
}

/// Tells other rows what was sent of this one.
fn beside<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    row: &mut Object<R>,
    sent: &Json,
    scene: &Scene,
    found: &mut Findings,
) -> Result<(), Error> {
    for field in model.fields {
        if let Form::Beside { set: Some(set), .. } = field.form
            && let Some(value) = sent.get(field.name)
            && let Err(text) = set(scene, tx, row, value)?
        {
            found.bad.push(Invalid::new(field.name, "wire", text));
        }
    }
    Ok(())
}

/// Removes one row.
pub fn remove<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, id: i64, scene: &Scene) -> Result<(), Error> {
    let row = read::find(model, tx, id)?;
    R::remove_by(scene.by()?, tx, row.id)
}

/// Removes many rows.
pub fn remove_many<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, sent: &[Json], scene: &Scene) -> Result<(), Error> {
    let mut ids = ids(sent)?;
    ids.sort_unstable();
    ids.dedup();
    let found = stored(model, tx, &ids)?;
    for id in ids.into_iter().filter(|id| found.contains_key(id)).map(Id::<R>::new) {
        // One that went with another of the list is gone already.
        if tx.find(id)?.is_some() {
            R::remove_by(scene.by()?, tx, id)?;
        }
    }
    Ok(())
}

/// The `id` of each row of a list.
fn ids(sent: &[Json]) -> Result<Vec<i64>, Error> {
    let mut findings: Vec<Findings> = Vec::with_capacity(sent.len());
    let mut ids = Vec::with_capacity(sent.len());
    for row in sent {
        let mut found = Findings::default();
        let id = match row {
            // A bare id is what some clients send.
            Json::Number(number) => number.as_i64(),
            Json::Object(map) => match map.get("id") {
                None => {
                    found.bad.push(Invalid::new("id", "wire", "This field is required."));
                    None
                }
                Some(Json::String(text)) => text.parse().ok(),
                Some(id) => id.as_i64(),
            },
            other => {
                let text = format!("Invalid data. Expected a dictionary, but got {}.", python_type(other));
                found.bad.push(Invalid::new("", "wire", text));
                None
            }
        };
        if id.is_none() && found.bad.is_empty() {
            found.bad.push(Invalid::new("id", "wire", "A valid integer is required."));
        }
        ids.extend(id);
        findings.push(found);
    }
    refuse(&mut findings, true)?;
    Ok(ids)
}

fn stored<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, ids: &[i64]) -> Result<HashMap<i64, Object<R>>, Error> {
    let filter = Filter::is_in("id", ids.iter().map(|id| Id::<R>::new(*id))).and((model.about.only)());
    Ok(tx.list::<R>(&Query::of(filter))?.into_iter().map(|row| (row.id.get(), row)).collect())
}

/// Looks for values that another row, or another row of the same request, has already: one query for each unique set.
fn unique<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    home: RawId,
    rows: &[(Option<&Object<R>>, &Draft<R>)],
    findings: &mut [Findings],
) -> Result<(), Error> {
    let unsound: Vec<bool> = findings.iter().map(|found| !found.bad.is_empty()).collect();
    for set in R::UNIQUE {
        let fields: Vec<&str> = set.iter().copied().filter(|name| *name != "tenant").collect();
        let within_tenant = fields.len() < set.len();
        let mut asked: Vec<(usize, Vec<Value>)> = Vec::new();
        for (position, (before, draft)) in rows.iter().enumerate() {
            // What is wrong in itself is not worth comparing.
            if unsound[position] {
                continue;
            }
            let key = key::<R>(&fields, &draft.spec, &draft.status);
            let unchanged = before.is_some_and(|row| self::key::<R>(&fields, &row.spec, &row.status) == key);
            if !unchanged && !key.contains(&Value::Null) {
                asked.push((position, key));
            }
        }
        if asked.is_empty() {
            continue;
        }
        let mut filter = if within_tenant { Filter::eq("tenant", home) } else { Filter::All };
        for (i, field) in fields.iter().enumerate() {
            filter = filter.and(Filter::is_in(*field, asked.iter().map(|(_, key)| key[i].clone())));
        }
        let there = tx.as_system(|tx| tx.list::<R>(&Query::of(filter)))?;
        // Keys are compared by their printed form, which tells every two values apart.
        let print = |key: &[Value]| format!("{key:?}");
        let mut taken: HashMap<String, Option<i64>> = there
            .iter()
            .filter(|row| !row.spec.is_gone(&row.status))
            .map(|row| (print(&key::<R>(&fields, &row.spec, &row.status)), Some(row.id.get())))
            .collect();
        for (position, key) in asked {
            let own = rows[position].0.map(|row| row.id.get());
            let holder = taken.insert(print(&key), own);
            if holder.is_some_and(|holder| holder.is_none() || holder != own) {
                findings[position].bad.push(clash(model, &fields));
            }
        }
    }
    Ok(())
}

fn key<R: Ruled>(fields: &[&str], spec: &R, status: &R::Status) -> Vec<Value> {
    let one = |name: &str| {
        let field = R::FIELDS.iter().find(|f| f.name == name).map(|f| f.value(spec, status));
        field.unwrap_or_else(|| {
            R::EDGES.iter().find(|e| e.name == name).map_or(Value::Null, |edge| match edge.mode {
                EdgeMode::One { get, .. } => get(spec).into(),
                EdgeMode::Many { .. } => Value::Null,
            })
        })
    };
    fields.iter().map(|name| one(name)).collect()
}

/// The text for a unique set that is taken.
fn clash<R: Ruled>(model: &Model<R>, fields: &[&str]) -> Invalid {
    let names: Vec<String> = fields.iter().map(|field| wire_name(model, field)).collect();
    match &names[..] {
        [one] => {
            let label = model.fields.iter().find(|f| f.name == one).map_or_else(|| one.clone(), |f| f.called());
            Invalid::new(one.as_str(), "unique", format!("{} with this {label} already exists.", model.about.verbose))
        }
        names => Invalid::new("", "unique", format!("The fields {} must make a unique set.", names.join(", "))),
    }
}

/// The wire's name for a field of the core; empty for what is no single field here.
fn wire_name<R: Ruled>(model: &Model<R>, core: &str) -> String {
    if let Some((_, name)) = model.about.aliases.iter().find(|(from, _)| *from == core) {
        return (*name).to_owned();
    }
    let core = core.strip_prefix("peer.").unwrap_or(core);
    let first = core.split('.').next().unwrap_or_default();
    let field =
        model.fields.iter().find(|f| !f.core.is_empty() && (f.core == core || f.core.split('.').next() == Some(first)));
    field.map_or_else(String::new, |f| f.name.to_owned())
}

/// Puts what the core says of one row among its findings; the answer is whether the transaction can go on no further. What
/// concerns more than the row is passed on.
fn fault<R: Ruled>(model: &Model<R>, error: Error, found: &mut Findings) -> Result<bool, Error> {
    match error {
        Error::Invalid(list) => {
            found.bad.extend(list.into_iter().map(|bad| Invalid { field: wire_name(model, &bad.field), ..bad }));
            Ok(false)
        }
        Error::Exists { kind, clash: bad } if kind == R::KIND => {
            let set = R::UNIQUE.iter().find(|set| set.last() == Some(&bad.field.as_str()));
            let fields: Vec<&str> = set.map_or_else(
                || vec![bad.field.as_str()],
                |set| set.iter().copied().filter(|name| *name != "tenant").collect(),
            );
            found.bad.push(clash(model, &fields));
            Ok(true)
        }
        other => Err(other),
    }
}

/// Refuses when anything was found, in the form of one row or of a list.
fn refuse(findings: &mut [Findings], bulk: bool) -> Result<(), Error> {
    if findings.iter().all(|found| found.bad.is_empty()) {
        return Ok(());
    }
    let mut rows: Vec<Vec<Invalid>> = findings.iter_mut().map(|found| std::mem::take(&mut found.bad)).collect();
    Err(if bulk { Error::InvalidRows(rows) } else { Error::Invalid(rows.pop().unwrap_or_default()) })
}

fn answer<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    rows: &[Object<R>],
    bulk: bool,
    scene: &Scene,
) -> Result<Written, Error> {
    let mut body = Vec::with_capacity(rows.len() * 1024 + 2);
    read::list(model, tx, rows, &Ask::default(), scene, &mut body)?;
    let mut location = Vec::new();
    if !bulk {
        body.pop();
        body.remove(0);
        if let Some(row) = rows.first() {
            scene.url(&mut location, &model.about, row.id.get());
        }
    }
    let location = String::from_utf8_lossy(&location).trim_matches('"').to_owned();
    Ok(Written { body, location })
}
