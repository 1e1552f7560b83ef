//! The query of a list: filters and orders. Repeating a parameter means any of its values; different parameters must all hold;
//! what is not known is passed over.

use meetme_app::{Error, peering::Ruled};
use meetme_base::{Invalid, Kind, Time, Uid};
use meetme_http::Query;
use meetme_store::{ChangeQuery, Filter, Op, Order, Tx, Value, Verb};

use crate::{
    model::{About, Field, Form, How, Model},
    models::content_type,
    scene::Scene,
};

/// The parameters that every list knows beside its own.
const EVERYWHERE: &[(&str, How)] =
    &[("id", How::Number("id")), ("created", How::Moment("created")), ("updated", How::Moment("updated"))];

/// What filters were called in former releases: the model, the former and the present name.
const FORMER: &[(&str, &str, &str)] = &[("Job", "obj_type", "object_type"), ("IXAPI", "url", "api_url")];

/// The most rows that one request is looked up to have made or changed.
const CHANGES: u32 = 10_000;

/// The filter that a query spells.
///
/// # Errors
/// [`Error::Invalid`] with every parameter that cannot be read.
pub fn filter(about: &About, kind: Kind, tx: &mut Tx<'_>, scene: &Scene, query: &Query) -> Result<Filter, Error> {
    let mut out = (about.only)();
    let mut bad = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for (name, _) in query.iter() {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let values: Vec<&str> = query.all(name).filter(|value| !value.is_empty()).collect();
        if values.is_empty() {
            continue;
        }
        match parameter(about, kind, tx, scene, name, &values)? {
            Ok(found) => out = out.and(found),
            Err(text) => bad.push(Invalid::new(name, "filter", text)),
        }
    }
    if bad.is_empty() { Ok(out) } else { Err(Error::Invalid(bad)) }
}

/// One parameter; the error of the inner result is the text of the refusal.
fn parameter(
    about: &About,
    kind: Kind,
    tx: &mut Tx<'_>,
    scene: &Scene,
    name: &str,
    values: &[&str],
) -> Result<Result<Filter, String>, Error> {
    let is_whole = about.filters.iter().any(|sieve| sieve.name == name);
    let (base, suffix) = match name.split_once("__").filter(|_| !is_whole) {
        Some((base, suffix)) => (base, suffix),
        None => (name, ""),
    };
    match (base, suffix) {
        ("q", "") => {
            return Ok(Ok(values.iter().map(|text| (about.search)(text.trim())).fold(Filter::Never, Filter::or)));
        }
        ("tag", "" | "n") if about.tagged => return tag(tx, values, suffix == "n"),
        ("created_by_request", "") => return by_request(kind, tx, values, Verb::Create),
        ("updated_by_request", "") => return by_request(kind, tx, values, Verb::Update),
        _ => {}
    }
    let former = FORMER.iter().find(|(model, old, _)| *model == about.name && *old == base);
    let base = former.map_or(base, |(.., present)| present);
    let own = about.filters.iter().find(|sieve| sieve.name == base).map(|sieve| &sieve.how);
    let Some(how) = own.or_else(|| EVERYWHERE.iter().find(|(n, _)| *n == base).map(|(_, how)| how)) else {
        return Ok(Ok(Filter::All));
    };
    let turned = |found: Result<Filter, String>| if suffix == "n" { found.map(Filter::not) } else { found };
    Ok(match how {
        How::Text(path) => text(path, suffix, values),
        How::Number(path) | How::Moment(path) => number(kind, tx, path, suffix, values),
        How::Flag(path) if suffix.is_empty() => Ok(match truth(values[values.len() - 1]) {
            Some(wanted) => Filter::eq(*path, wanted),
            None => Filter::All,
        }),
        How::Choice(path, words) if matches!(suffix, "" | "n") => turned(choice(path, words, values)),
        How::Digit(path, of) if matches!(suffix, "" | "n") => turned(digit(path, of, values)),
        How::Row(path, target, field) if matches!(suffix, "" | "n") => turned(row(tx, path, *target, field, values)?),
        How::Type(path) if matches!(suffix, "" | "n") => turned(subjects(path, values)),
        How::Asked(ends, look) if ends.contains(&suffix) => look(tx, scene, suffix, values)?,
        How::Choice(path, _) | How::Digit(path, _) | How::Type(path) | How::Row(path, ..) if suffix == "empty" => {
            empty(path, values)
        }
        How::Rule(rule) if matches!(suffix, "" | "n") => turned(rule(values)),
        _ => Ok(Filter::All),
    })
}

/// Every tag must be there; with `without`, none may.
fn tag(tx: &mut Tx<'_>, slugs: &[&str], without: bool) -> Result<Result<Filter, String>, Error> {
    let mut out = Filter::All;
    for slug in slugs {
        if !tx.exists::<meetme_model::ops::Tag>(&Filter::eq("slug", *slug))? {
            return Ok(Err(no_choice(slug)));
        }
        let has = Filter::eq("tags.slug", *slug);
        out = out.and(if without { has.not() } else { has });
    }
    Ok(Ok(out))
}

fn by_request(kind: Kind, tx: &mut Tx<'_>, values: &[&str], verb: Verb) -> Result<Result<Filter, String>, Error> {
    let mut ids = Vec::new();
    for value in values {
        let Ok(request) = value.parse::<Uid>() else { return Ok(Err("Enter a valid UUID.".to_owned())) };
        let ask = ChangeQuery {
            kinds: vec![kind],
            verbs: vec![verb],
            request: Some(request),
            limit: CHANGES,
            ..ChangeQuery::default()
        };
        ids.extend(tx.changes(&ask)?.into_iter().map(|change| Value::Ref(change.id.get())));
    }
    Ok(Ok(if ids.is_empty() { Filter::Never } else { Filter::Is("id".into(), Op::In(ids)) }))
}

fn text(path: &str, suffix: &str, values: &[&str]) -> Result<Filter, String> {
    let any = |make: fn(String) -> Op| {
        values.iter().map(|v| Filter::is(path, make((*v).to_owned()))).fold(Filter::Never, Filter::or)
    };
    Ok(match suffix {
        "" => Filter::is_in(path, values.iter().copied()),
        "n" => Filter::is_in(path, values.iter().copied()).not(),
        "ic" => any(Op::ContainsFold),
        "nic" => any(Op::ContainsFold).not(),
        "isw" => any(Op::StartsFold),
        "nisw" => any(Op::StartsFold).not(),
        "iew" => any(Op::EndsFold),
        "niew" => any(Op::EndsFold).not(),
        "ie" => any(Op::EqFold),
        "nie" => any(Op::EqFold).not(),
        "empty" => return empty(path, values),
        _ => Filter::All,
    })
}

fn empty(path: &str, values: &[&str]) -> Result<Filter, String> {
    Ok(match truth(values[values.len() - 1]) {
        Some(wanted) => Filter::is(path, Op::Empty(wanted)),
        None => Filter::All,
    })
}

/// Numbers and moments.
fn number(kind: Kind, tx: &Tx<'_>, path: &str, suffix: &str, values: &[&str]) -> Result<Filter, String> {
    use meetme_store::FieldType;
    if suffix == "empty" {
        return empty(path, values);
    }
    let registry = tx.registry();
    let ty = registry.kind(kind.name()).and_then(|info| registry.type_at(info, &path.into()));
    let read = |text: &&str| match ty {
        Some(FieldType::Time) => moment(text).map(Value::Time).ok_or_else(|| "Enter a valid date/time.".to_owned()),
        Some(ty) => {
            text.trim().parse::<i64>().ok().and_then(|n| ty.parse(&n.to_string())).ok_or_else(|| WHOLE.to_owned())
        }
        None => Err(WHOLE.to_owned()),
    };
    let values = values.iter().map(read).collect::<Result<Vec<Value>, String>>()?;
    let any = |make: fn(Value) -> Op| {
        values.iter().map(|v| Filter::is(path, make(v.clone()))).fold(Filter::Never, Filter::or)
    };
    Ok(match suffix {
        "" => any(Op::Eq),
        "n" => any(Op::Eq).not(),
        "lt" => any(Op::Lt),
        "lte" => any(Op::Le),
        "gt" => any(Op::Gt),
        "gte" => any(Op::Ge),
        // How ranges of moments are spelled.
        "before" if ty == Some(FieldType::Time) => any(Op::Le),
        "after" if ty == Some(FieldType::Time) => any(Op::Ge),
        _ => Filter::All,
    })
}

const WHOLE: &str = "Enter a whole number.";

/// A moment as people write one: with or without an offset (then UTC), or only a date.
pub fn moment(text: &str) -> Option<Time> {
    let text = text.trim();
    let tries = [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")];
    tries.iter().find_map(|text| text.parse().ok())
}

fn choice(path: &str, words: &[(&'static str, &'static str)], values: &[&str]) -> Result<Filter, String> {
    let mut out = Filter::Never;
    for value in values {
        out = out.or(match words.iter().find(|(word, _)| word == value) {
            Some((_, stored)) => Filter::eq(path, *stored),
            None if *value == "null" => Filter::is(path, Op::Empty(true)),
            None => return Err(no_choice(value)),
        });
    }
    Ok(out)
}

fn subjects(path: &str, values: &[&str]) -> Result<Filter, String> {
    let word = |value: &&str| content_type::find(value).map(content_type::word).ok_or_else(|| no_choice(value));
    Ok(Filter::is_in(path, values.iter().map(word).collect::<Result<Vec<String>, String>>()?))
}

fn digit(path: &str, of: &[i64], values: &[&str]) -> Result<Filter, String> {
    let read = |value: &&str| value.parse::<i64>().ok().filter(|n| of.contains(n)).ok_or_else(|| no_choice(value));
    let numbers = values.iter().map(read).collect::<Result<Vec<i64>, String>>()?;
    Ok(numbers.into_iter().map(|n| Filter::eq(path, n)).fold(Filter::Never, Filter::or))
}

/// Rows that refer to rows with one of these values. Each value must name something.
fn row(
    tx: &mut Tx<'_>,
    path: &str,
    target: Kind,
    field: &str,
    values: &[&str],
) -> Result<Result<Filter, String>, Error> {
    let Some(info) = tx.registry().kind(target.name()) else { return Ok(Ok(Filter::Never)) };
    let Some(ty) = tx.registry().type_at(info, &field.into()) else { return Ok(Ok(Filter::Never)) };
    let way = if field == "id" { path.to_owned() } else { format!("{path}.{field}") };
    let mut out = Filter::Never;
    for value in values {
        if *value == "null" {
            out = out.or(Filter::is(path, Op::Empty(true)));
            continue;
        }
        let Some(known) = ty.parse(value) else {
            return Ok(Err(format!("\u{201c}{value}\u{201d} is not a valid value.")));
        };
        if tx.count_any(info, &Filter::is(field, Op::Eq(known.clone())))? == 0 {
            return Ok(Err(no_choice(value)));
        }
        out = out.or(Filter::is(way.as_str(), Op::Eq(known)));
    }
    Ok(Ok(out))
}

/// An error in this dialect's names: core name, ours.
pub fn renamed(error: Error, names: &[(&str, &str)]) -> Error {
    let name = |bad: Invalid| match names.iter().find(|(core, _)| *core == bad.field) {
        Some((_, ours)) => Invalid { field: (*ours).to_owned(), ..bad },
        None => bad,
    };
    match error {
        Error::Invalid(list) => Error::Invalid(list.into_iter().map(name).collect()),
        other => other,
    }
}

/// What is said of a value that names nothing.
pub fn no_choice(value: &str) -> String {
    format!("Select a valid choice. {value} is not one of the available choices.")
}

/// A truth value as query strings carry it.
pub fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}

/// The order that a query asks for; the model's own where it asks for nothing that is known.
pub fn order<R: Ruled>(model: &Model<R>, query: &Query) -> Vec<Order> {
    let asked: Vec<Order> = query
        .all("ordering")
        .flat_map(|text| text.split(','))
        .filter_map(|key| {
            let key = key.trim();
            let (name, down) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
            // Rows have no place by a list of others.
            let can = |f: &&Field<R>| f.name == name && f.ordered && !matches!(f.form, Form::Many { .. });
            let field = model.fields.iter().find(can)?;
            Some(if down { Order::down(field.core) } else { Order::up(field.core) })
        })
        .collect();
    if asked.is_empty() { model.about.default_order() } else { asked }
}

/// Decimal numbers that begin with these digits, as ranges: `64` is 64, 640 to 649, 6400 to 6499 and so on.
pub fn begins_with(path: &str, digits: &str, most: i64) -> Filter {
    let Some(first) = digits.parse::<i64>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit())) else {
        return Filter::Never;
    };
    let mut out = Filter::Never;
    let (mut low, mut room) = (first, 1i64);
    while low <= most {
        out = out.or(Filter::is(path, Op::Ge(low.into())).and(Filter::is(path, Op::Le((low + room - 1).into()))));
        if first == 0 {
            break;
        }
        low *= 10;
        room *= 10;
    }
    out
}

/// Texts that hold this one, case aside, in any of these fields.
pub fn holds(paths: &[&str], text: &str) -> Filter {
    paths.iter().map(|path| Filter::is(*path, Op::ContainsFold(text.to_owned()))).fold(Filter::Never, Filter::or)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_may_lack_its_offset_or_its_hour() {
        let want = moment("2022-09-17T00:00:00+00:00");
        assert!(want.is_some());
        for text in ["2022-09-17", "2022-09-17T00:00:00", "2022-09-17 00:00:00", "2022-09-17T02:00:00+02:00"] {
            assert_eq!(moment(text), want, "{text}");
        }
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn numbers_that_begin_alike_are_ranges() {
        let Filter::Or(ranges) = begins_with("asn", "64", 9999) else { panic!("no ranges") };
        assert_eq!(ranges.len(), 3);
        assert_eq!(begins_with("asn", "6x", 9999), Filter::Never);
    }
}
