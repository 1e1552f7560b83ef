//! Comparing a JSON value with a shape.

use std::fmt;

use serde_json::Value;

use crate::{Contract, Field, Shape, format};

/// One way in which an answer differs from its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the body: `body.data[0].name`, or `status`.
    pub path: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path, self.what)
    }
}

pub(crate) fn check(contract: &Contract, operation: &str, status: u16, body: &Value) -> Vec<Problem> {
    let mut walk = Walk { contract, problems: Vec::new() };
    let Some(operation) = contract.operation(operation) else {
        walk.say("operation", format!("{operation} is not in the contract of {}", contract.dialect));
        return walk.problems;
    };
    if operation.success.contains(&status) {
        // A status of 204 carries no body whatever the contract draws (RFC 9110, section 15.3.5).
        let shape = if status == 204 { &Shape::Empty } else { &operation.response };
        walk.value("body", shape, body);
    } else if status >= 400 {
        walk.value("body", &contract.failure(operation, status), body);
    } else {
        let wanted: Vec<String> = operation.success.iter().map(u16::to_string).collect();
        walk.say("status", format!("is {status}, not {}", wanted.join(" or ")));
    }
    walk.problems
}

struct Walk<'c> {
    contract: &'c Contract,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn say(&mut self, path: &str, what: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), what: what.into() });
    }

    fn mismatch(&mut self, path: &str, shape: &Shape, value: &Value) {
        self.say(path, format!("is {}, not {}", sketch(value), shape.describe()));
    }

    fn value(&mut self, path: &str, shape: &Shape, value: &Value) {
        match shape {
            Shape::Any => {}
            Shape::Empty if is_empty(value) => {}
            Shape::Media if value.is_string() => {}
            Shape::Null if value.is_null() => {}
            Shape::Bool if value.is_boolean() => {}
            Shape::Integer if value.is_i64() || value.is_u64() => {}
            Shape::Number if value.is_number() => {}
            Shape::OneNumber(numbers) if value.as_i64().is_some_and(|n| numbers.contains(&n)) => {}
            Shape::Exactly(wanted) if wanted == value => {}
            Shape::String { format, words } => self.string(path, shape, format.as_deref(), words.as_deref(), value),
            Shape::Array(item) => self.array(path, shape, item, value),
            Shape::Tuple(places) => self.tuple(path, shape, places, value),
            Shape::Map(item) => self.map(path, shape, item, value),
            Shape::Object { fields, closed } => self.object(path, shape, fields, *closed, value),
            Shape::Tagged { field, cases, otherwise, any_case } => {
                let word = value.get(field).and_then(Value::as_str);
                let same = |case: &str, word: &str| case == word || (*any_case && case.eq_ignore_ascii_case(word));
                match cases.iter().find(|(case, _)| word.is_some_and(|word| same(case, word))) {
                    Some((_, schema)) => self.reference(path, schema, value),
                    None => self.value(path, otherwise, value),
                }
            }
            Shape::Ref(name) => self.reference(path, name, value),
            Shape::OneOf(cases) => self.one_of(path, shape, cases, value),
            _ => self.mismatch(path, shape, value),
        }
    }

    fn reference(&mut self, path: &str, name: &str, value: &Value) {
        let contract = self.contract;
        match contract.schemas.get(name) {
            Some(shape) => self.value(path, shape, value),
            None => self.say(path, format!("the contract has no schema {name}")),
        }
    }

    fn string(&mut self, path: &str, shape: &Shape, format: Option<&str>, words: Option<&[String]>, value: &Value) {
        let Some(text) = value.as_str() else { return self.mismatch(path, shape, value) };
        if words.is_some_and(|words| !words.iter().any(|word| word == text)) {
            return self.mismatch(path, shape, value);
        }
        if let Some(format) = format
            && !format::keeps(format, text)
        {
            self.mismatch(path, shape, value);
        }
    }

    fn array(&mut self, path: &str, shape: &Shape, item: &Shape, value: &Value) {
        let Some(items) = value.as_array() else { return self.mismatch(path, shape, value) };
        for (at, each) in items.iter().enumerate() {
            self.value(&format!("{path}[{at}]"), item, each);
        }
    }

    fn tuple(&mut self, path: &str, shape: &Shape, places: &[Shape], value: &Value) {
        match value.as_array() {
            Some(items) if items.len() == places.len() => {
                for (at, (place, each)) in places.iter().zip(items).enumerate() {
                    self.value(&format!("{path}[{at}]"), place, each);
                }
            }
            _ => self.mismatch(path, shape, value),
        }
    }

    fn map(&mut self, path: &str, shape: &Shape, item: &Shape, value: &Value) {
        let Some(entries) = value.as_object() else { return self.mismatch(path, shape, value) };
        for (key, each) in entries {
            self.value(&format!("{path}.{key}"), item, each);
        }
    }

    fn object(&mut self, path: &str, shape: &Shape, fields: &[Field], closed: bool, value: &Value) {
        let Some(entries) = value.as_object() else { return self.mismatch(path, shape, value) };
        for field in fields {
            let place = format!("{path}.{}", field.name);
            match entries.get(&field.name) {
                None if field.required => self.say(&place, "is absent"),
                None => {}
                Some(Value::Null) if field.nullable => {}
                Some(each) => self.value(&place, &field.shape, each),
            }
        }
        if closed {
            for key in entries.keys().filter(|key| !fields.iter().any(|field| field.name == **key)) {
                self.say(&format!("{path}.{key}"), "is not in the contract");
            }
        }
    }

    /// Reports the case that comes nearest: the one that goes wrong in the fewest places, if it goes wrong further in.
    fn one_of(&mut self, path: &str, shape: &Shape, cases: &[Shape], value: &Value) {
        let mut nearest: Option<Vec<Problem>> = None;
        for case in cases {
            let mut attempt = Walk { contract: self.contract, problems: Vec::new() };
            attempt.value(path, case, value);
            if attempt.problems.is_empty() {
                return;
            }
            let outright = attempt.problems.iter().any(|problem| problem.path == path);
            if !outright && nearest.as_ref().is_none_or(|found| attempt.problems.len() < found.len()) {
                nearest = Some(attempt.problems);
            }
        }
        match nearest {
            Some(problems) => self.problems.extend(problems),
            None => self.mismatch(path, shape, value),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// A value in a few words: enough to recognise it in a long answer.
fn sketch(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(entries) => format!("an object of {} keys", entries.len()),
        Value::String(text) if text.chars().count() > 60 => {
            format!("{:?}...", text.chars().take(60).collect::<String>())
        }
        value => value.to_string(),
    }
}
