//! Finding one row by attributes: `{"name": "X"}`, `{"internet_exchange_point": {"name": "X"}}`.

use meetme_app::{Error, peering::Ruled};
use meetme_base::RawId;
use meetme_store::{Filter, Op, Query, Tx};
use serde_json::{Map, Value as Json};

use crate::{
    engine::AnyModel,
    model::{Form, Model},
};

/// Where the name of an attribute leads.
pub struct Step {
    /// The path of the core.
    pub path: &'static str,
    /// The model of the row it refers to, when it does.
    pub to: Option<&'static dyn AnyModel>,
    /// The core's words for the wire's, where they differ.
    pub words: &'static [(&'static str, &'static str)],
}

/// Where the name of an attribute of this model leads.
pub fn step<R: Ruled>(model: &Model<R>, name: &str) -> Option<Step> {
    let field = model.fields.iter().find(|f| f.name == name && f.ordered)?;
    let to = match field.form {
        Form::One { of, .. } | Form::Many { of, .. } => Some(of),
        _ => None,
    };
    // A reference's core path may go on to what it is ordered by.
    let path = if to.is_some() { field.core.split('.').next().unwrap_or_default() } else { field.core };
    let words = model.about.filters.iter().find(|s| s.name == name).map_or(&[][..], |s| match s.how {
        crate::model::How::Choice(_, words) => words,
        _ => &[],
    });
    Some(Step { path, to, words })
}

/// The names of a model's fields, sorted.
pub fn names<R: Ruled>(model: &Model<R>) -> Vec<&'static str> {
    let mut names: Vec<&str> = model.fields.iter().filter(|f| f.ordered).map(|f| f.name).collect();
    names.sort_unstable();
    names
}

/// The one row with these attributes; the error of the inner result is the text of the refusal. Of several the one in the caller's
/// own book is meant, so that what others lend the caller never hides what it has itself.
pub fn find<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    home: RawId,
    attributes: &Map<String, Json>,
) -> Result<Result<RawId, String>, Error> {
    let mut flat = Vec::new();
    flatten("", attributes, &mut flat);
    let mut filter = (model.about.only)();
    for (name, value) in &flat {
        match condition(model, tx, name, value) {
            Ok(next) => filter = filter.and(next),
            Err(text) => return Ok(Err(text)),
        }
    }
    let mut found = tx.list::<R>(&Query::of(filter.clone()).page(2, 0))?;
    if found.len() > 1 {
        let own = tx.list::<R>(&Query::of(filter.and(Filter::eq("tenant", home))).page(2, 0))?;
        found = if own.is_empty() { found } else { own };
    }
    let shown = || {
        let pairs: Vec<String> = flat.iter().map(|(name, value)| format!("'{name}': {}", python(value))).collect();
        format!("{{{}}}", pairs.join(", "))
    };
    Ok(match &found[..] {
        [one] => Ok(one.id.any()),
        [] => Err(format!("Related object not found using the provided attributes: {}", shown())),
        _ => Err(format!("Multiple objects match the provided attributes: {}", shown())),
    })
}

fn flatten(prefix: &str, attributes: &Map<String, Json>, out: &mut Vec<(String, Json)>) {
    for (name, value) in attributes {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}__{name}") };
        match value {
            Json::Object(inner) => flatten(&name, inner, out),
            value => out.push((name, value.clone())),
        }
    }
}

fn condition(model: &dyn AnyModel, tx: &Tx<'_>, name: &str, value: &Json) -> Result<Filter, String> {
    let mut way: Vec<&str> = Vec::new();
    let mut here: Option<&dyn AnyModel> = Some(model);
    let mut words: &[(&str, &str)] = &[];
    for part in name.split("__") {
        let unknown =
            |names: Vec<&str>| format!("Cannot resolve keyword '{part}' into field. Choices are: {}", names.join(", "));
        let Some(at) = here else { return Err(unknown(Vec::new())) };
        let step = at.step(part).ok_or_else(|| unknown(at.names()))?;
        way.push(step.path);
        (here, words) = (step.to, step.words);
    }
    let path = way.join(".");
    let registry = tx.registry();
    let ty = registry.kind(model.about().kind.name()).and_then(|info| registry.type_at(info, &path.as_str().into()));
    let text = match value {
        Json::Null => return Ok(Filter::is(path, Op::Empty(true))),
        Json::String(text) => {
            words.iter().find(|(wire, _)| wire == text).map_or(text.clone(), |(_, core)| (*core).into())
        }
        Json::Number(number) => number.to_string(),
        Json::Bool(truth) => truth.to_string(),
        Json::Array(_) | Json::Object(_) => return Ok(Filter::Never),
    };
    Ok(match ty.and_then(|ty| ty.parse(&text)) {
        Some(value) => Filter::is(path, Op::Eq(value)),
        // A value that no field of this type can have names nothing.
        None => Filter::Never,
    })
}

/// A value as the reference's error texts spell it, which is Python's way.
pub fn python(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Json::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Json::Array(list) => format!("[{}]", list.iter().map(python).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(name, value)| format!("'{name}': {}", python(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// The name of a value's type in those texts.
pub fn python_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}
