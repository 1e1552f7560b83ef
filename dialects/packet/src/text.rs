//! JSON that is put together from parts that are written already: a list of a thousand devices holds the same plan, site and project
//! a thousand times, each of which is written once.
//!
//! Road not taken: a tree of values, which would be copied node by node wherever it is held.

use std::{collections::HashMap, sync::Arc};

use meetme_app::Error;
use meetme_base::RawId;
use serde::Serialize;

/// One JSON value, written; as cheap to hold twice as once.
#[derive(Clone, Debug)]
pub struct Text(Arc<str>);

/// Drawn rows by id; what the caller may not see, and what is gone, is not among them.
pub type Drawn = HashMap<RawId, Text>;

fn written<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Bug(e.to_string()))
}

impl Text {
    /// A value, written.
    ///
    /// # Errors
    /// Our own mistake, when it cannot be written.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        Ok(Self(written(value)?.into()))
    }

    /// A link. Addresses hold nothing that would have to be escaped.
    pub fn link(href: &str) -> Self {
        Self(format!("{{\"href\":\"{href}\"}}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object that is being written. No field may be written twice, which only builds for tests look at.
#[derive(Debug)]
pub struct Writer {
    out: String,
    #[cfg(debug_assertions)]
    names: std::collections::HashSet<String>,
}

impl Writer {
    /// One without fields.
    pub fn new() -> Self {
        Self::over("{".to_owned())
    }

    /// One that has the fields of `value` already.
    ///
    /// # Errors
    /// Our own mistake, when that is no object.
    pub fn with<T: Serialize>(value: &T) -> Result<Self, Error> {
        let mut out = written(value)?;
        match out.pop() {
            Some('}') => {
                #[cfg_attr(
                    not(debug_assertions),
                    expect(unused_mut, reason = "the names are kept in builds for tests")
                )]
                let mut writer = Self::over(out);
                #[cfg(debug_assertions)]
                if let Ok(serde_json::Value::Object(map)) = serde_json::to_value(value) {
                    writer.names.extend(map.into_iter().map(|(name, _)| name));
                }
                Ok(writer)
            }
            _ => Err(Error::Bug("only objects are shown".into())),
        }
    }

    fn over(out: String) -> Self {
        Self {
            out,
            #[cfg(debug_assertions)]
            names: std::collections::HashSet::new(),
        }
    }

    /// Names are ours, and hold nothing that would have to be escaped.
    fn name(&mut self, name: &str) {
        #[cfg(debug_assertions)]
        assert!(self.names.insert(name.to_owned()), "{name} is written twice");
        if self.out.len() > 1 {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    /// Adds a field.
    pub fn put(&mut self, name: &str, value: &Text) {
        self.name(name);
        self.out.push_str(value.as_str());
    }

    /// Adds a field that is a list.
    pub fn put_list<'t>(&mut self, name: &str, values: impl IntoIterator<Item = &'t Text>) {
        self.name(name);
        self.out.push('[');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.out.push_str(value.as_str());
        }
        self.out.push(']');
    }

    /// The object.
    pub fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}

impl From<String> for Text {
    /// Of what [`Writer::finish`] gave.
    fn from(written: String) -> Self {
        Self(written.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_make_one_value() {
        let part = Text::of(&json!({"a": "\"quoted\""})).unwrap();
        let mut writer = Writer::with(&json!({"first": 1})).unwrap();
        writer.put("one", &part);
        writer.put_list("many", [&part, &Text::link("/x")]);
        writer.put_list("none", []);
        let value: serde_json::Value = serde_json::from_str(&writer.finish()).unwrap();
        let quoted = json!({"a": "\"quoted\""});
        assert_eq!(value, json!({"first": 1, "one": quoted, "many": [quoted, {"href": "/x"}], "none": []}));
    }

    #[test]
    fn the_first_field_has_no_comma() {
        let mut writer = Writer::new();
        writer.put("one", &Text::of(&1).unwrap());
        assert_eq!(writer.finish(), r#"{"one":1}"#);
        assert_eq!(Writer::with(&json!({})).unwrap().finish(), "{}");
        assert!(Writer::with(&json!([])).is_err());
    }
}
