//! What a request brings, wherever it stands: every documented input is taken from the body or from the query, the body first.

use meetme_app::Error;
use meetme_base::{Invalid, Time};
use meetme_http::{Cx, Problem, Query};
use serde_json::{Map, Value};

/// The inputs of a request. A null is the same as nothing: clients send whole objects full of nulls to change one field.
#[derive(Clone, Debug, Default)]
pub struct Input(Map<String, Value>);

/// What a truth value that is the whole body is kept under. No input has this name.
const BARE: &str = "";

impl Input {
    /// Reads query and body. The content type is not looked at: one client says JSON over an empty body, another says form over
    /// JSON because that is what its shell does.
    ///
    /// # Errors
    /// When the body is neither empty, nor a JSON object, nor a truth value, nor a form.
    pub fn of(cx: &Cx) -> Result<Self, Problem> {
        let mut map = from_pairs(&cx.query);
        let body = cx.body.trim_ascii();
        if let b"true" | b"false" = body {
            map.insert(BARE.to_owned(), Value::Bool(body == b"true"));
        } else if body.first().is_some_and(|b| matches!(b, b'{' | b'[' | b'"' | b'n')) {
            match serde_json::from_slice(body) {
                Ok(Value::Object(fields)) => map.extend(fields),
                Ok(Value::Null) => {}
                Ok(_) => return Err(Invalid::format("body", "a JSON object").into()),
                Err(error) => return Err(Problem::BadJson { text: error.to_string() }),
            }
        } else if !body.is_empty() {
            map.extend(from_pairs(&cx.form_fields()));
        }
        map.retain(|_, value| !value.is_null());
        Ok(Self(map))
    }

    /// The value of this name as it was sent.
    pub fn raw(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The truth value that is the whole body: what libraries make of an operation that changes one thing.
    pub fn bare(&self) -> Option<bool> {
        self.0.get(BARE).and_then(Value::as_bool)
    }

    /// Everything that was sent.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// The inputs of an object within, if there is one.
    ///
    /// # Errors
    /// When it is something else.
    pub fn inner(&self, name: &str) -> Result<Option<Self>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self(map.clone().into_iter().filter(|(_, v)| !v.is_null()).collect()))),
            Some(_) => Err(wrong(name, "an object")),
        }
    }

    /// A number, as a number or as its text.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        let bad = || wrong(name, "a number");
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| bad()),
            Some(value) => value.as_f64().map(Some).ok_or_else(bad),
        }
    }

    /// A text; numbers and truth values are taken as their text.
    ///
    /// # Errors
    /// When it is a list or an object.
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    /// A text that says something; an empty one is the same as nothing.
    ///
    /// # Errors
    /// As [`Input::text`].
    pub fn words(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is absent or empty, or no text.
    pub fn required(&self, name: &str) -> Result<String, Error> {
        self.words(name)?.ok_or_else(|| Invalid::required(name).into())
    }

    /// A truth value, as JSON or in the words of the clients' languages.
    ///
    /// # Errors
    /// When it is none.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Bool(b)) => Ok(Some(*b)),
            Some(Value::String(text)) => match text.as_str() {
                "true" | "True" | "1" => Ok(Some(true)),
                "false" | "False" | "0" => Ok(Some(false)),
                "" => Ok(None),
                _ => Err(wrong(name, "true or false")),
            },
            Some(Value::Number(n)) if n.as_u64().is_some_and(|n| n < 2) => Ok(Some(n.as_u64() == Some(1))),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    /// A whole number, as a number or as its text.
    ///
    /// # Errors
    /// When it is none.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        let bad = || wrong(name, "a whole number");
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| bad()),
            Some(Value::Number(n)) => {
                #[expect(clippy::cast_possible_truncation, reason = "only numbers without a fraction get here")]
                let whole = n.as_i64().or_else(|| n.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64));
                whole.map(Some).ok_or_else(bad)
            }
            Some(_) => Err(bad()),
        }
    }

    /// A moment in RFC 3339.
    ///
    /// # Errors
    /// When it is none.
    pub fn time(&self, name: &str) -> Result<Option<Time>, Error> {
        let text = self.words(name)?;
        text.map(|text| text.parse().map_err(|()| wrong(name, "a time in RFC 3339"))).transpose()
    }

    /// A moment in seconds since 1970, as a number or as its text, or in RFC 3339.
    ///
    /// # Errors
    /// When it is neither.
    pub fn moment(&self, name: &str) -> Result<Option<Time>, Error> {
        let Some(text) = self.words(name)? else { return Ok(None) };
        // Seconds with a fraction are what some languages make of a time.
        if let Ok(seconds) = text.parse::<f64>() {
            #[expect(clippy::cast_possible_truncation, reason = "moments outside of the calendar are refused")]
            return match seconds {
                0.0..=253_402_300_799.0 => Ok(Some(Time(seconds as i64 * 1000))),
                _ => Err(wrong(name, "a time")),
            };
        }
        self.time(name)
    }

    /// An amount of money, as a number or as its text, in millionths.
    ///
    /// # Errors
    /// When it is none, is negative, or is more than anything costs.
    pub fn micros(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(text) = self.words(name)? else { return Ok(None) };
        match text.parse::<f64>() {
            #[expect(clippy::cast_possible_truncation, reason = "the range was looked at")]
            Ok(amount @ 0.0..=1e9) => Ok(Some((amount * 1e6).round() as i64)),
            Ok(_) => Err(Invalid::range(name, 0, 1_000_000_000).into()),
            Err(_) => Err(wrong(name, "a number")),
        }
    }

    /// An object, as inputs of its own.
    ///
    /// # Errors
    /// When it is something else.
    pub fn object(&self, name: &str) -> Result<Option<Self>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => {
                Ok(Some(Self(map.clone().into_iter().filter(|(_, value)| !value.is_null()).collect())))
            }
            Some(_) => Err(wrong(name, "an object")),
        }
    }

    /// Puts another value under a name; null takes it out.
    pub fn set(&mut self, name: &str, value: Value) {
        if value.is_null() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// A list of texts. A text with commas is one too, and an empty object is an empty list: clients send both.
    ///
    /// # Errors
    /// When it is something else, or has members that are no texts.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let bad = || wrong(name, "a list of texts");
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) if map.is_empty() => Ok(Some(Vec::new())),
            Some(Value::String(text)) => {
                Ok(Some(text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()))
            }
            Some(Value::Array(list)) => {
                list.iter().map(|v| v.as_str().map(str::to_owned).ok_or_else(bad)).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(bad()),
        }
    }

    /// A list of objects, each as inputs of its own.
    ///
    /// # Errors
    /// When it is something else.
    pub fn list(&self, name: &str) -> Result<Option<Vec<Self>>, Error> {
        let bad = || wrong(name, "a list of objects");
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Array(list)) => list
                .iter()
                .map(|v| v.as_object().map(|map| Self(map.clone().into_iter().filter(|(_, v)| !v.is_null()).collect())))
                .collect::<Option<_>>()
                .map(Some)
                .ok_or_else(bad),
            Some(_) => Err(bad()),
        }
    }

    /// Free data of the customer's: JSON, or a text that holds JSON.
    ///
    /// # Errors
    /// When it is a text that is no JSON.
    pub fn json(&self, name: &str) -> Result<Option<Value>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| wrong(name, "JSON")),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}

fn from_pairs(pairs: &Query) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs.iter() {
        // `tags[]=a&tags[]=b` is how one language spells a list.
        match name.strip_suffix("[]") {
            Some(name) => match map.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(list) => list.push(value.into()),
                other => *other = value.into(),
            },
            None => {
                map.insert(name.to_owned(), value.into());
            }
        }
    }
    map
}

fn wrong(name: &str, wanted: &str) -> Error {
    Invalid::format(name, wanted).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(value: Value) -> Input {
        Input(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn values_are_read_in_every_spelling_clients_have() {
        let sent = input(json!({"a": "True", "b": 0, "c": "-1", "d": 31.0, "e": {}, "f": "{\"k\": 1}", "g": "x, y"}));
        assert_eq!((sent.flag("a").unwrap(), sent.flag("b").unwrap()), (Some(true), Some(false)));
        assert_eq!((sent.integer("c").unwrap(), sent.integer("d").unwrap()), (Some(-1), Some(31)));
        assert_eq!(sent.texts("e").unwrap(), Some(vec![]));
        assert_eq!(sent.texts("g").unwrap(), Some(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(sent.json("f").unwrap(), Some(json!({"k": 1})));
        let sent =
            input(json!({"a": "1780000000", "b": 1_780_000_000, "c": "2026-05-28T20:26:40Z", "d": "0.25", "e": -1}));
        for name in ["a", "b", "c"] {
            assert_eq!(sent.moment(name).unwrap(), Some(Time(1_780_000_000_000)), "{name}");
        }
        assert_eq!(sent.micros("d").unwrap(), Some(250_000));
        assert!(sent.micros("e").is_err() && sent.micros("c").is_err() && sent.moment("e").is_err());
        let sent = input(json!({"a": "True", "b": 0, "c": "-1"}));
        assert!(sent.integer("a").is_err() && sent.flag("c").is_err() && sent.texts("b").is_err());
    }
}
