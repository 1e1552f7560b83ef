//! A row as JSON.

use meetme_app::peering::Ruled;
use meetme_store::{Object, Resource};

use crate::{
    json,
    model::{Field, Form, Model},
    models,
    scene::{Loaded, Scene},
};

/// The fields that are written of each row, with what stands before their values: `{"id":`, `,"url":` and so on. Made once
/// for all rows of a list.
pub struct Shape<R: Resource> {
    /// Each with where its head ends in `heads`; it begins where the one before it ends.
    fields: Vec<(&'static Field<R>, usize)>,
    /// One text for all, because a detail makes a shape for a single row.
    heads: Vec<u8>,
    /// Whether it is the nested form, where choices are plain words.
    nested: bool,
}

impl<R: Resource> Shape<R> {
    /// These fields, in this order.
    pub fn of(fields: &[&'static Field<R>], nested: bool) -> Self {
        let mut heads = Vec::with_capacity(fields.len() * 24);
        let ended = fields.iter().map(|field| {
            heads.push(if heads.is_empty() { b'{' } else { b',' });
            heads.push(b'"');
            heads.extend_from_slice(field.name.as_bytes());
            heads.extend_from_slice(b"\":");
            (*field, heads.len())
        });
        Self { fields: ended.collect(), heads, nested }
    }
}

/// Writes a row in this shape.
pub fn row<R: Ruled>(
    model: &Model<R>,
    row: &Object<R>,
    shape: &Shape<R>,
    scene: &Scene,
    loaded: &Loaded,
    out: &mut Vec<u8>,
) {
    if shape.fields.is_empty() {
        out.push(b'{');
    }
    let mut begun = 0;
    for &(field, ended) in &shape.fields {
        out.extend_from_slice(&shape.heads[begun..ended]);
        begun = ended;
        if field.guarded && scene.public {
            json::null(out);
        } else {
            value(model, field, row, shape.nested, scene, loaded, out);
        }
    }
    out.push(b'}');
}

fn value<R: Ruled>(
    model: &Model<R>,
    field: &Field<R>,
    row: &Object<R>,
    nested: bool,
    scene: &Scene,
    loaded: &Loaded,
    out: &mut Vec<u8>,
) {
    let spec = &row.spec;
    match &field.form {
        Form::Id => json::integer(out, row.id.get()),
        Form::Url => scene.url(out, &model.about, row.id.get()),
        Form::Page => scene.page(out, &model.about, row.id.get()),
        Form::Display => json::text(out, &(model.display)(row, loaded)),
        Form::Created => json::moment(out, row.created),
        Form::Updated => json::moment(out, row.updated),
        Form::Text { get, .. } => or_blank(out, get(spec), field.nullable),
        Form::Integer { get, .. } => match get(row) {
            Some(number) => json::integer(out, number),
            None => json::null(out),
        },
        Form::Flag { get, .. } => json::boolean(out, get(spec)),
        Form::Choice { words, two, get, .. } => match get(row) {
            Some(word) if *two && !nested => {
                let label = words.iter().find(|(w, _)| *w == word).map_or(word, |(_, label)| *label);
                out.extend_from_slice(b"{\"value\":");
                json::text(out, word);
                out.extend_from_slice(b",\"label\":");
                json::text(out, label);
                out.push(b'}');
            }
            word => or_blank(out, word, field.nullable),
        },
        Form::Digit { get, .. } => json::integer(out, get(spec)),
        Form::Parsed { get, .. } => json::maybe(out, get(spec).as_deref()),
        Form::One { of, get, .. } => match get(spec).and_then(|id| loaded.nested(of.about().name, id)) {
            Some(bytes) => out.extend_from_slice(bytes),
            None => json::null(out),
        },
        Form::Many { of, get, .. } => {
            out.push(b'[');
            let start = out.len();
            for bytes in get(spec).into_iter().filter_map(|id| loaded.nested(of.about().name, id)) {
                if out.len() > start {
                    out.push(b',');
                }
                out.extend_from_slice(bytes);
            }
            out.push(b']');
        }
        Form::Json { get, .. } => match get(spec) {
            Some(value) => json::value(out, value),
            None => json::null(out),
        },
        Form::Moment { get, .. } => match get(row) {
            Some(time) => json::moment(out, time),
            None => json::null(out),
        },
        Form::Secret { get, .. } => {
            let sealed = get(spec).filter(|_| scene.reveal);
            match sealed.and_then(|sealed| scene.app.sealer().open(sealed).ok()) {
                Some(secret) => json::text(out, secret.expose()),
                None => json::null(out),
            }
        }
        Form::Object { sort, get } => {
            let model = models::content_type::of(sort(spec));
            match model.and_then(|model| loaded.nested(model.about().name, get(spec))) {
                Some(bytes) => out.extend_from_slice(bytes),
                None => json::null(out),
            }
        }
        Form::Own { show, .. } => json::value(out, &show(spec, Some(scene))),
        Form::Beside { write, .. } | Form::Made { write, .. } => write(row, scene, loaded, out),
    }
}

fn or_blank(out: &mut Vec<u8>, text: Option<&str>, nullable: bool) {
    match text {
        None if nullable => json::null(out),
        text => json::text(out, text.unwrap_or_default()),
    }
}
