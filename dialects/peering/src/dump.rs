//! A document of the change log in this dialect's flat form: references as ids, tags as names. It is made when somebody reads the
//! log, from what the core wrote, so that old lines follow new spellings.

use meetme_app::peering::Ruled;
use meetme_base::{Id, RawId, Time, Uid};
use meetme_store::Object;
use serde_json::Value as Json;

use crate::{
    json,
    model::{Form, Model},
    scene::Loaded,
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
    for field in model.fields.iter().filter(|f| !f.observed) {
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
            | Form::Made { .. } => out.truncate(begin),
        }
    }
    out.push(b'}');
    Some(out)
}
