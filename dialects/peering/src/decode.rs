//! From a caller's JSON to a draft: each field checked in its form's way, with the texts callers know.

use meetme_app::Error;
use meetme_base::{Invalid, RawId};
use meetme_store::{Resource, Tx};
use serde_json::{Map, Value as Json};

use crate::{
    engine::AnyModel,
    lookup::{python, python_type},
    model::{Draft, Field, Form},
    query,
    scene::Scene,
};

/// A reference by id that must still be looked up: which draft's, which field's, what it refers to.
pub struct Pending {
    /// The field.
    pub field: &'static str,
    /// The model it must be a row of.
    pub of: &'static dyn AnyModel,
    /// The id.
    pub id: i64,
    /// Whether the field is a list, whose texts differ.
    pub listed: bool,
}

/// What is wrong with one row so far, and what must still be looked up.
#[derive(Default)]
pub struct Findings {
    /// What is wrong.
    pub bad: Vec<Invalid>,
    /// What must be looked up.
    pub pending: Vec<Pending>,
}

impl Findings {
    fn refuse(&mut self, field: &str, text: impl Into<String>) {
        self.bad.push(Invalid::new(field, "wire", text));
    }
}

/// Puts what a caller sent into a draft. With `whole`, required fields must be there.
pub fn draft<R: Resource>(
    scene: &Scene,
    tx: &mut Tx<'_>,
    fields: &'static [Field<R>],
    sent: &Json,
    whole: bool,
    draft: &mut Draft<R>,
) -> Result<Findings, Error> {
    let mut found = Findings::default();
    let Json::Object(sent) = sent else {
        found.refuse("", format!("Invalid data. Expected a dictionary, but got {}.", python_type(sent)));
        return Ok(found);
    };
    for field in fields.iter().filter(|f| !f.read_only) {
        match sent.get(field.name) {
            None if whole && field.required => found.refuse(field.name, "This field is required."),
            None => {}
            Some(Json::Null) if !field.nullable => found.refuse(field.name, "This field may not be null."),
            Some(value) => one(scene, tx, field, value, draft, &mut found)?,
        }
    }
    Ok(found)
}

fn one<R: Resource>(
    scene: &Scene,
    tx: &mut Tx<'_>,
    field: &'static Field<R>,
    value: &Json,
    draft: &mut Draft<R>,
    found: &mut Findings,
) -> Result<(), Error> {
    let outcome = match &field.form {
        Form::Text { most, slug, exact, set, .. } => {
            text(value, *most, *slug, *exact, !field.required).map(|text| set(&mut draft.spec, text))
        }
        Form::Integer { low, high, set, .. } => {
            integer(field.name, value, *low, *high).map(|number| set(draft, number))
        }
        Form::Flag { set, .. } => boolean(value).map(|truth| set(&mut draft.spec, truth)),
        Form::Choice { words, two, set, .. } => choice(words, *two, value, field.required).map(|word| set(draft, word)),
        Form::Digit { of, set, .. } => digit(of, value).map(|number| set(&mut draft.spec, number)),
        Form::Parsed { set, .. } => match value {
            Json::Null => set(&mut draft.spec, None),
            Json::String(text) if text.is_empty() && field.nullable => set(&mut draft.spec, None),
            Json::String(text) => set(&mut draft.spec, Some(text)),
            other => set(&mut draft.spec, Some(&python(other))),
        },
        Form::Json { set, .. } => {
            set(&mut draft.spec, Some(value.clone()).filter(|v| !v.is_null()));
            Ok(())
        }
        Form::Moment { set: Some(set), .. } => moment(value).map(|time| set(draft, time)),
        Form::Secret { most, get, set } => match text(value, *most, false, false, !field.required) {
            Ok(sent) => {
                let sent = sent.filter(|text| !text.is_empty());
                let old = get(&draft.spec).map(|sealed| scene.app.sealer().open(sealed)).transpose()?;
                // The same secret sealed again looks different; writing it would show a change where there is none.
                if sent.as_ref() != old.as_ref().map(|old| old.expose()) {
                    let sealed = sent.map(|text| scene.app.sealer().seal(&text)).transpose()?;
                    set(&mut draft.spec, sealed);
                }
                Ok(())
            }
            Err(text) => Err(text),
        },
        Form::One { of, set, .. } => {
            let id = reference(tx, scene.home, *of, value)?;
            id.map(|id| {
                if let Some(Reference { id, sure: false }) = id {
                    found.pending.push(Pending { field: field.name, of: *of, id, listed: false });
                }
                set(&mut draft.spec, id.map(|r| RawId::new(r.id)));
            })
        }
        Form::Many { of, described, set, .. } => {
            let ids = many(tx, scene.home, field.name, *of, *described, value, found)?;
            ids.map(|ids| set(&mut draft.spec, ids))
        }
        Form::Id | Form::Url | Form::Page | Form::Display | Form::Created | Form::Updated => Ok(()),
        Form::Own { set, .. } => set(scene, tx, draft, value)?,
        // What is told to other rows is told when this one is there.
        Form::Moment { set: None, .. } | Form::Beside { .. } | Form::Object { .. } | Form::Made { .. } => Ok(()),
    };
    if let Err(text) = outcome {
        found.refuse(field.name, text);
    }
    Ok(())
}

fn text(value: &Json, most: usize, slug: bool, exact: bool, blank: bool) -> Result<Option<String>, String> {
    let text = match value {
        Json::Null => return Ok(None),
        Json::String(text) if exact => text.clone(),
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        _ => return Err("Not a valid string.".to_owned()),
    };
    if text.is_empty() && !blank {
        return Err("This field may not be blank.".to_owned());
    }
    if text.contains('\0') {
        return Err("Null characters are not allowed.".to_owned());
    }
    if text.chars().count() > most {
        return Err(format!("Ensure this field has no more than {most} characters."));
    }
    if slug && !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        let wanted = "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.";
        return Err(wanted.to_owned());
    }
    Ok(Some(text))
}

/// A whole number, perhaps as text.
fn whole(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15)?;
            Some(float as i64)
        }),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn integer(name: &str, value: &Json, low: i64, high: i64) -> Result<Option<i64>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let number = whole(value).ok_or_else(|| {
        // The reference's field for AS numbers has a name of its own.
        let kind = if name == "asn" { "biginteger" } else { "integer" };
        format!("A valid {kind} is required.")
    })?;
    if number < low {
        return Err(format!("Ensure this value is greater than or equal to {low}."));
    }
    if number > high {
        return Err(format!("Ensure this value is less than or equal to {high}."));
    }
    Ok(Some(number))
}

fn boolean(value: &Json) -> Result<bool, String> {
    let truth = match value {
        Json::Bool(truth) => Some(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    truth.ok_or_else(|| "Must be a valid boolean.".to_owned())
}

fn choice(
    words: &[(&'static str, &'static str)],
    two: bool,
    value: &Json,
    required: bool,
) -> Result<Option<&'static str>, String> {
    match value {
        Json::Null => Ok(None),
        Json::Object(_) | Json::Array(_) => {
            Err("Value must be passed directly (e.g. \"foo\": 123); do not use a dictionary or list.".to_owned())
        }
        Json::String(text) if text.is_empty() && !required && !two => Ok(None),
        other => {
            let said = other.as_str().map_or_else(|| python(other), str::to_owned);
            let found = words.iter().find(|(word, _)| *word == said).map(|(word, _)| Some(*word));
            found.ok_or_else(|| {
                if two {
                    format!("{said} is not a valid choice.")
                } else {
                    format!("\"{said}\" is not a valid choice.")
                }
            })
        }
    }
}

fn digit(of: &[(i64, &str)], value: &Json) -> Result<i64, String> {
    let number = whole(value).filter(|number| of.iter().any(|(n, _)| n == number));
    number.ok_or_else(|| {
        let said = value.as_str().map_or_else(|| python(value), str::to_owned);
        format!("\"{said}\" is not a valid choice.")
    })
}

fn moment(value: &Json) -> Result<Option<meetme_base::Time>, String> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) if text.is_empty() => Ok(None),
        value => value.as_str().and_then(query::moment).map(Some).ok_or_else(|| {
            "Datetime has wrong format. Use one of these formats instead: \
             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
                .to_owned()
        }),
    }
}

struct Reference {
    id: i64,
    /// Whether it was found, rather than only named.
    sure: bool,
}

/// Another row: by id, by an id as text, or by attributes.
fn reference(
    tx: &mut Tx<'_>,
    home: RawId,
    of: &dyn AnyModel,
    value: &Json,
) -> Result<Result<Option<Reference>, String>, Error> {
    Ok(match value {
        Json::Null => Ok(None),
        Json::Object(attributes) => {
            of.with(tx, home, attributes)?.map(|id| Some(Reference { id: id.get(), sure: true }))
        }
        value => match whole(value) {
            Some(id) => Ok(Some(Reference { id, sure: false })),
            None => Err(format!(
                "Related objects must be referenced by numeric ID or by dictionary of attributes. Received an \
                 unrecognized value: {}",
                value.as_str().map_or_else(|| python(value), str::to_owned)
            )),
        },
    })
}

fn many(
    tx: &mut Tx<'_>,
    home: RawId,
    field: &'static str,
    of: &'static dyn AnyModel,
    described: bool,
    value: &Json,
    found: &mut Findings,
) -> Result<Result<Vec<RawId>, String>, Error> {
    let Json::Array(list) = value else {
        return Ok(Err(format!("Expected a list of items but got type \"{}\".", python_type(value))));
    };
    let mut ids = Vec::new();
    for item in list {
        let id = match item {
            item if described => match reference(tx, home, of, item)? {
                Ok(Some(reference)) => {
                    if !reference.sure {
                        found.pending.push(Pending { field, of, id: reference.id, listed: false });
                    }
                    reference.id
                }
                Ok(None) => return Ok(Err("This field may not be null.".to_owned())),
                Err(text) => return Ok(Err(text)),
            },
            Json::Bool(_) | Json::Object(_) | Json::Array(_) | Json::Null => {
                return Ok(Err(format!("Incorrect type. Expected pk value, received {}.", python_type(item))));
            }
            item => match whole(item) {
                Some(id) => {
                    found.pending.push(Pending { field, of, id, listed: true });
                    id
                }
                None => {
                    return Ok(Err(format!("Incorrect type. Expected pk value, received {}.", python_type(item))));
                }
            },
        };
        let id = RawId::new(id);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Ok(ids))
}

/// Looks up what was only named by id: one query for each model over all rows.
pub fn settle(tx: &mut Tx<'_>, findings: &mut [Findings]) -> Result<(), Error> {
    let mut wanted: Vec<(&'static dyn AnyModel, Vec<i64>)> = Vec::new();
    for pending in findings.iter().flat_map(|f| &f.pending) {
        match wanted.iter_mut().find(|(of, _)| of.about().name == pending.of.about().name) {
            Some((_, ids)) => ids.push(pending.id),
            None => wanted.push((pending.of, vec![pending.id])),
        }
    }
    for (of, mut ids) in wanted {
        ids.sort_unstable();
        ids.dedup();
        let there = of.existing(tx, &ids)?;
        for found in findings.iter_mut() {
            let missing: Vec<Pending> = found
                .pending
                .extract_if(.., |p| p.of.about().name == of.about().name && !there.contains(&p.id))
                .collect();
            for Pending { field, id, listed, .. } in missing {
                let text = if listed {
                    format!("Invalid pk \"{id}\" - object does not exist.")
                } else {
                    format!("Related object not found using the provided numeric ID: {id}")
                };
                found.refuse(field, text);
            }
        }
    }
    Ok(())
}

/// The members of a form body as JSON: texts, and lists where a name is repeated.
pub fn of_form(query: &meetme_http::Query) -> Json {
    let mut out = Map::new();
    for (name, value) in query.iter() {
        match out.get_mut(name) {
            None => {
                out.insert(name.to_owned(), value.into());
            }
            Some(Json::Array(list)) => list.push(value.into()),
            Some(first) => *first = Json::Array(vec![first.take(), value.into()]),
        }
    }
    Json::Object(out)
}
