//! A document of the change log in this dialect's flat form: references as ids, tags as names. It is made when somebody reads the
//! log, from what the core wrote, so that old lines follow new spellings.

use meetme_app::{Error, peering::Ruled};
use meetme_base::{Id, RawId, Time, Uid};
use meetme_store::{Change, ChangeQuery, Filter, Object, Op, Tx, Verb};
use serde_json::Value as Json;

use crate::{
    json,
    model::{Form, Model},
    read,
    scene::{Ask, Loaded, Scene},
};

fn row<R: Ruled>(spec: &Json, id: i64) -> Option<Object<R>> {
    Some(Object {
        id: Id::new(id),
        uid: Uid::from_bytes([0; 16]),
        tenant: RawId::new(0),
        version: 0,
        seen: 0,
        created: Time(0),
        updated: Time(0),
        spec: serde_json::from_value(spec.clone()).ok()?,
        status: R::Status::default(),
    })
}

/// The tags whose names [`write`] will want.
pub fn needs<R: Ruled>(model: &Model<R>, spec: &Json) -> Vec<RawId> {
    let Some(row) = row::<R>(spec, 0) else { return Vec::new() };
    let tags = model.fields.iter().filter_map(|field| match field.form {
        Form::Many { described: true, get, .. } => Some(get(&row.spec)),
        _ => None,
    });
    tags.flatten().collect()
}

/// Writes the document; `None` when this version can no longer read it.
pub fn write<R: Ruled>(model: &Model<R>, spec: &Json, id: i64, loaded: &Loaded) -> Option<Vec<u8>> {
    let row = row::<R>(spec, id)?;
    let mut out = vec![b'{'];
    for field in model.fields.iter().filter(|f| !f.observed && !f.write_only) {
        let begin = out.len();
        json::key(&mut out, field.name);
        match &field.form {
            Form::Text { get, .. } => match get(&row.spec) {
                None if field.nullable => json::null(&mut out),
                text => json::text(&mut out, text.unwrap_or_default()),
            },
            Form::Integer { get, .. } => match get(&row) {
                Some(number) => json::integer(&mut out, number),
                None => json::null(&mut out),
            },
            Form::Flag { get, .. } => json::boolean(&mut out, get(&row.spec)),
            Form::Choice { get, .. } => json::maybe(&mut out, get(&row)),
            Form::Digit { get, .. } => json::integer(&mut out, get(&row.spec)),
            Form::Parsed { get, .. } => json::maybe(&mut out, get(&row.spec).as_deref()),
            Form::One { get, .. } => match get(&row.spec) {
                Some(id) => json::integer(&mut out, id.get()),
                None => json::null(&mut out),
            },
            Form::Many { of, described, get, .. } => {
                out.push(b'[');
                for (i, id) in get(&row.spec).into_iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    match loaded.name(of.about().name, id).filter(|_| *described) {
                        Some(name) => json::text(&mut out, name),
                        None => json::integer(&mut out, id.get()),
                    }
                }
                out.push(b']');
            }
            Form::Json { get, .. } => match get(&row.spec) {
                Some(value) => json::value(&mut out, value),
                None => json::null(&mut out),
            },
            Form::Own { show, .. } => json::value(&mut out, &show(&row.spec, None)),
            // The log holds a print of a secret, so that a change of it shows and nothing else does.
            Form::Secret { get, .. } => json::maybe(&mut out, get(&row.spec).map(|sealed| sealed.text.as_str())),
            Form::Id
            | Form::Url
            | Form::Page
            | Form::Display
            | Form::Created
            | Form::Updated
            | Form::Moment { .. }
            | Form::Object { .. }
            | Form::Beside { .. }
            | Form::Made { .. } => out.truncate(begin),
        }
    }
    out.push(b'}');
    Some(out)
}

/// Whether the model shows a row with this document.
pub fn shows<R: Ruled>(model: &Model<R>, spec: &Json) -> bool {
    // Models that share a kind are told apart by one word of it.
    let Filter::Is(path, Op::Eq(wanted)) = (model.about.only)() else { return true };
    let Some(row) = row::<R>(spec, 0) else { return false };
    let field = R::FIELDS.iter().find(|field| path.0 == [field.name]);
    field.is_some_and(|field| field.value(&row.spec, &row.status) == wanted)
}

/// The row of a change in its whole form: as it is now where nobody has changed it since, else as the log knows it.
pub fn told<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    change: &Change,
    scene: &Scene,
) -> Result<Option<Vec<u8>>, Error> {
    // A step of a state has no document of its own: it is told with the row as it is.
    let is_then = |row: &Object<R>| row.version == change.version || change.verb == Verb::Moved;
    let now = tx.find(change.id.of::<R>())?.filter(is_then);
    let row = match now {
        Some(row) => row,
        None => {
            let document = change.after.as_ref().or(change.before.as_ref());
            let Some(mut row) = document.and_then(|spec| row::<R>(spec, change.id.get())) else { return Ok(None) };
            (row.tenant, row.version, row.updated) = (change.tenant, change.version, change.at);
            let made =
                ChangeQuery { ids: vec![change.id], verbs: vec![Verb::Create], limit: 1, ..ChangeQuery::default() };
            row.created = tx.changes(&made)?.pop().map_or(change.at, |line| line.at);
            row
        }
    };
    let mut out = Vec::with_capacity(2048);
    read::list(model, tx, &[row], &Ask::default(), scene, &mut out)?;
    out.pop();
    out.remove(0);
    Ok(Some(out))
}
