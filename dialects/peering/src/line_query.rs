//! The query of the list of object changes: the same grammar as that of other lists, over what lines of the log tell of themselves.

use meetme_app::Error;
use meetme_base::{Id, Invalid, Uid};
use meetme_http::{Query, QueryParam};
use meetme_model::access::User;
use meetme_store::{
    ChangeQuery, Filter, Likeness, LineFilter, LineNumber, LineTest, LineText, Op, Sign, Tx, Value, Verb,
};

use crate::{
    models, ops,
    query::{moment, no_choice},
};

/// What one parameter comes to; the error is the text of the refusal.
type Read = Result<Vec<LineTest>, String>;

/// Everything that the list can be asked.
pub fn parameters() -> Vec<QueryParam> {
    let mut out: Vec<QueryParam> = ["limit", "offset"].into_iter().map(QueryParam::integer).collect();
    let words =
        ["ordering", "fields", "exclude", "brief", "format", "q", "request_id", "time", "time_after", "time_before"];
    out.extend(words.into_iter().map(QueryParam::text));
    let mut add = |names: &[&str], suffixes: &[&str]| {
        for (name, suffix) in names.iter().flat_map(|name| suffixes.iter().map(move |suffix| (name, suffix))) {
            out.push(QueryParam::text(ops::keep(format!("{name}{suffix}"))).repeated());
        }
    };
    add(&["action", "changed_object_type_id", "user", "user_id"], &["", "__n"]);
    add(&["id", "changed_object_id"], &["", "__n", "__lt", "__lte", "__gt", "__gte"]);
    let texts = ["", "__n", "__ic", "__nic", "__isw", "__nisw", "__iew", "__niew", "__ie", "__nie"];
    add(&["object_repr", "user_name"], &texts);
    out
}

/// The lines that a query asks for among `all`.
///
/// # Errors
/// [`Error::Invalid`] with every parameter that cannot be read.
pub fn read(
    tx: &mut Tx<'_>,
    query: &Query,
    all: ChangeQuery,
    actions: &[(&str, &str, Verb)],
) -> Result<ChangeQuery, Error> {
    let mut out = all;
    let mut bad = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for (name, _) in query.iter() {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let values: Vec<&str> = query.all(name).filter(|value| !value.is_empty()).collect();
        let Some(last) = values.last() else { continue };
        let (base, suffix) = name.split_once("__").unwrap_or((name, ""));
        let plain = matches!(suffix, "" | "n");
        let found = match base {
            "action" if plain => action(&values, actions),
            "changed_object_type_id" if plain => content_type(&values),
            "user" if plain => user(tx, &values, true)?,
            "user_id" if plain => user(tx, &values, false)?,
            "id" => match number(LineNumber::Seq, suffix, &values) {
                Some(found) => found,
                None => continue,
            },
            "changed_object_id" => match number(LineNumber::Id, suffix, &values) {
                Some(found) => found,
                None => continue,
            },
            "object_repr" => match text(LineText::Title, suffix, &values) {
                Some(found) => Ok(found),
                None => continue,
            },
            "user_name" => match text(LineText::ActorName, suffix, &values) {
                Some(found) => Ok(found),
                None => continue,
            },
            "q" if suffix.is_empty() => Ok(search(&values)),
            "request_id" if suffix.is_empty() => match last.parse::<Uid>() {
                Ok(request) => {
                    out.request = Some(request);
                    continue;
                }
                Err(()) => Err("Enter a valid UUID.".to_owned()),
            },
            "time_after" | "time_before" => match moment(last) {
                Some(at) if base == "time_after" => {
                    out.since = Some(at);
                    continue;
                }
                Some(at) => {
                    out.until = Some(at);
                    continue;
                }
                None => Err("Enter a valid date/time.".to_owned()),
            },
            "ordering" => {
                // Lines are numbered as they are written: by time and by number is one order.
                if let Some(key) = last.split(',').find(|key| matches!(key.trim_start_matches('-'), "time" | "id")) {
                    out.newest = key.starts_with('-');
                }
                continue;
            }
            _ => continue,
        };
        match found {
            Ok(any) => out.also.push(LineFilter { not: suffix.starts_with('n'), any }),
            Err(text) => bad.push(Invalid::new(name, "filter", text)),
        }
    }
    if bad.is_empty() { Ok(out) } else { Err(Error::Invalid(bad)) }
}

fn action(values: &[&str], actions: &[(&str, &str, Verb)]) -> Read {
    let one = |value: &&str| {
        let found = actions.iter().find(|(word, ..)| word == value);
        found.map(|(.., verb)| LineTest::Verb(*verb)).ok_or_else(|| no_choice(value))
    };
    values.iter().map(one).collect()
}

fn content_type(values: &[&str]) -> Read {
    let one = |value: &&str| {
        let mut abouts = models::ALL.iter().map(|model| model.about());
        let about = abouts.find(|about| about.number.to_string() == **value).ok_or_else(|| no_choice(value))?;
        // Several models may show one kind; what tells them apart is in the line's document.
        let member = match (about.only)() {
            Filter::Is(path, Op::Eq(Value::Text(word))) => Some((path.0.join("."), word.to_string())),
            _ => None,
        };
        Ok(LineTest::Kind(about.kind, member))
    };
    values.iter().map(one).collect()
}

/// Somebody by name or by id; each must be there.
fn user(tx: &mut Tx<'_>, values: &[&str], by_name: bool) -> Result<Read, Error> {
    let mut out = Vec::new();
    for value in values {
        let found = match value.parse::<i64>() {
            _ if by_name => tx.one::<User>(&Filter::eq("username", *value))?,
            Ok(id) => tx.find(Id::<User>::new(id))?,
            Err(_) => None,
        };
        match found {
            Some(user) => out.push(LineTest::Number(LineNumber::Actor, Sign::Eq, user.id.get())),
            None => return Ok(Err(no_choice(value))),
        }
    }
    Ok(Ok(out))
}

/// `None` for a suffix that numbers do not have.
fn number(of: LineNumber, suffix: &str, values: &[&str]) -> Option<Read> {
    let sign = match suffix {
        "" | "n" => Sign::Eq,
        "lt" => Sign::Lt,
        "lte" => Sign::Le,
        "gt" => Sign::Gt,
        "gte" => Sign::Ge,
        _ => return None,
    };
    let one = |value: &&str| {
        let number = value.trim().parse::<i64>().map_err(|_| "Enter a whole number.".to_owned())?;
        Ok(LineTest::Number(of, sign, number))
    };
    Some(values.iter().map(one).collect())
}

/// `None` for a suffix that texts do not have.
fn text(of: LineText, suffix: &str, values: &[&str]) -> Option<Vec<LineTest>> {
    let how = match suffix {
        "" | "n" => Likeness::Eq,
        "ie" | "nie" => Likeness::EqFold,
        "ic" | "nic" => Likeness::Contains,
        "isw" | "nisw" => Likeness::Starts,
        "iew" | "niew" => Likeness::Ends,
        _ => return None,
    };
    Some(values.iter().map(|value| LineTest::Text(of, how, (*value).to_owned())).collect())
}

fn search(values: &[&str]) -> Vec<LineTest> {
    let holds = |of, value: &&str| LineTest::Text(of, Likeness::Contains, value.trim().to_owned());
    values.iter().flat_map(|value| [LineText::Title, LineText::ActorName].map(|of| holds(of, value))).collect()
}
