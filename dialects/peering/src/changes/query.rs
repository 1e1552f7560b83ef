//! What the list of changes can be asked: the grammar of every other list, over lines of the log, which are no rows.

use meetme_app::Error;
use meetme_base::{Id, Invalid, Uid};
use meetme_http::{Query, QueryParam};
use meetme_model::{access::User, routing::Template};
use meetme_store::{ChangeQuery, Filter, LinePart, LineTest, Op, Resource as _, Tx, Verb};

use super::{ACTIONS, everything};
use crate::{
    model::About,
    models::{self, content_type},
    ops,
    query::{moment, no_choice},
};

/// The parts of a line that are compared as numbers, and as texts: the filter's name, the part.
const NUMBERS: &[(&str, LinePart)] = &[("id", LinePart::Number), ("changed_object_id", LinePart::Row)];
const TEXTS: &[(&str, LinePart)] = &[("user_name", LinePart::ActorName), ("object_repr", LinePart::Title)];

/// Everything that the list can be asked.
pub fn parameters() -> Vec<QueryParam> {
    let mut out: Vec<QueryParam> = ["limit", "offset"].into_iter().map(QueryParam::integer).collect();
    let words =
        ["ordering", "fields", "exclude", "format", "brief", "q", "request_id", "time", "time_after", "time_before"];
    out.extend(words.into_iter().map(QueryParam::text));
    let mut add = |name: &str, suffixes: &[&str]| {
        let end = |suffix: &&str| if suffix.is_empty() { name.to_owned() } else { format!("{name}__{suffix}") };
        out.extend(suffixes.iter().map(|suffix| QueryParam::text(ops::keep(end(suffix))).repeated()));
    };
    for name in ["action", "changed_object_type_id", "user", "user_id"] {
        add(name, &["", "n"]);
    }
    NUMBERS.iter().for_each(|(name, _)| add(name, &["", "n", "lt", "lte", "gt", "gte"]));
    TEXTS.iter().for_each(|(name, _)| add(name, &["", "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie"]));
    out
}

/// The lines that a query asks for; `None` when it contradicts itself.
///
/// # Errors
/// [`Error::Invalid`] with every parameter that cannot be read.
pub fn filter(tx: &mut Tx<'_>, query: &Query) -> Result<Option<ChangeQuery>, Error> {
    let mut asked = Asked { out: everything(), possible: true };
    let (mut bad, mut done) = (Vec::new(), Vec::new());
    for (name, _) in query.iter() {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let values: Vec<&str> = query.all(name).filter(|value| !value.is_empty()).collect();
        let Some(last) = values.last() else { continue };
        let (base, suffix) = name.split_once("__").unwrap_or((name, ""));
        if let Err(text) = asked.parameter(tx, base, suffix, &values, last)? {
            bad.push(Invalid::new(name, "filter", text));
        }
    }
    if bad.is_empty() { Ok(asked.possible.then_some(asked.out)) } else { Err(Error::Invalid(bad)) }
}

/// The question so far.
struct Asked {
    out: ChangeQuery,
    /// Whether anything can still be found.
    possible: bool,
}

impl Asked {
    /// One parameter; the error of the inner result is the text of the refusal.
    fn parameter(
        &mut self,
        tx: &mut Tx<'_>,
        base: &str,
        suffix: &str,
        values: &[&str],
        last: &str,
    ) -> Result<Result<(), String>, Error> {
        let not = suffix.starts_with('n');
        match (base, suffix) {
            ("action", "" | "n") => {
                let verb = |value: &&str| {
                    let found = ACTIONS.iter().find(|(word, ..)| word == value).map(|(.., verb)| *verb);
                    found.ok_or_else(|| no_choice(value))
                };
                let chosen: Result<Vec<Verb>, String> = values.iter().map(verb).collect();
                return Ok(chosen.map(|chosen| {
                    self.out.verbs.retain(|verb| chosen.contains(verb) != not);
                    self.possible &= !self.out.verbs.is_empty();
                }));
            }
            ("changed_object_type_id", "" | "n") => {
                let number = |value: &&str| {
                    let found = models::ALL.iter().find(|model| model.about().number.to_string() == **value);
                    found.map(|model| model.about().number).ok_or_else(|| no_choice(value))
                };
                let chosen: Result<Vec<i64>, String> = values.iter().map(number).collect();
                return Ok(chosen.map(|chosen| self.only(|about| chosen.contains(&about.number) != not)));
            }
            ("request_id", "") => match last.parse::<Uid>() {
                Ok(request) => self.out.request = Some(request),
                Err(()) => return Ok(Err("Enter a valid UUID.".to_owned())),
            },
            // By anything else lines have no order; they are numbered as they were written.
            ("ordering", "") => match last {
                "time" | "id" => self.out.newest = false,
                "-time" | "-id" => self.out.newest = true,
                _ => {}
            },
            ("time_after" | "time_before", "") => {
                let Some(at) = moment(last) else { return Ok(Err("Enter a valid date/time.".to_owned())) };
                let edge = if base == "time_after" { &mut self.out.since } else { &mut self.out.until };
                *edge = Some(at);
            }
            ("user" | "user_id", "" | "n") => {
                let mut any = Vec::new();
                for value in values {
                    match user(tx, base == "user_id", value)? {
                        Some(id) => any.push(Op::Eq(id.get().into())),
                        None => return Ok(Err(no_choice(value))),
                    }
                }
                self.test(&[LinePart::Actor], any, not);
            }
            ("q", "") => {
                let any = values.iter().map(|value| Op::ContainsFold((*value).to_owned())).collect();
                self.test(&[LinePart::ActorName, LinePart::Title], any, false);
            }
            _ => return Ok(self.part(base, suffix, values)),
        }
        Ok(Ok(()))
    }

    /// Only lines of these models. A kind that several models show is told apart by a member of its documents.
    fn only(&mut self, wanted: impl Fn(&About) -> bool) {
        let shown: Vec<&About> = models::ALL.iter().map(|model| model.about()).filter(|about| wanted(about)).collect();
        self.out.kinds.retain(|kind| shown.iter().any(|about| about.kind == *kind));
        self.possible &= !self.out.kinds.is_empty();
        let purposes = shown.iter().filter_map(|about| content_type::purpose(about));
        let purposes: Vec<String> = purposes.map(|purpose| purpose.word().to_owned()).collect();
        if !purposes.is_empty() {
            self.out.members.push((Template::KIND, "purpose", purposes));
        }
    }

    /// A part of the line that is compared; what is none is passed over.
    fn part(&mut self, base: &str, suffix: &str, values: &[&str]) -> Result<(), String> {
        let find = |list: &[(&str, LinePart)]| list.iter().find(|(name, _)| *name == base).map(|(_, part)| *part);
        let not = suffix.starts_with('n');
        if let Some(part) = find(NUMBERS) {
            let make: fn(meetme_store::Value) -> Op = match suffix {
                "" | "n" => Op::Eq,
                "lt" => Op::Lt,
                "lte" => Op::Le,
                "gt" => Op::Gt,
                "gte" => Op::Ge,
                _ => return Ok(()),
            };
            let read = |value: &&str| value.trim().parse::<i64>().map_err(|_| "Enter a whole number.".to_owned());
            let numbers = values.iter().map(read).collect::<Result<Vec<i64>, String>>()?;
            self.test(&[part], numbers.into_iter().map(|number| make(number.into())).collect(), not);
        }
        if let Some(part) = find(TEXTS) {
            let make: fn(String) -> Op = match suffix {
                "" | "n" => |text| Op::Eq(text.as_str().into()),
                "ic" | "nic" => Op::ContainsFold,
                "isw" | "nisw" => Op::StartsFold,
                "iew" | "niew" => Op::EndsFold,
                "ie" | "nie" => Op::EqFold,
                _ => return Ok(()),
            };
            self.test(&[part], values.iter().map(|value| make((*value).to_owned())).collect(), not);
        }
        Ok(())
    }

    fn test(&mut self, parts: &[LinePart], any: Vec<Op>, not: bool) {
        self.out.tests.push(LineTest { parts: parts.to_vec(), any, not });
    }
}

/// The user of this id or of this name.
fn user(tx: &mut Tx<'_>, by_id: bool, value: &str) -> Result<Option<Id<User>>, Error> {
    if !by_id {
        return Ok(tx.one::<User>(&Filter::eq("username", value))?.map(|user| user.id));
    }
    let Ok(id) = value.parse::<i64>() else { return Ok(None) };
    Ok(tx.find(Id::<User>::new(id))?.map(|user| user.id))
}
