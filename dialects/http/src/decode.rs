//! Reading bodies: JSON and forms into types, with the place and the reason when they do not fit.

use meetme_app::Error;
use meetme_base::Invalid;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{Cx, Media, Problem, Query};

impl Cx {
    /// The body as a `T`. The content type is not looked at, see [`Cx::expect_media`].
    ///
    /// # Errors
    /// [`Problem::BadJson`] when it is no JSON; [`Error::Invalid`] with the path of the value when the shape is wrong.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        from_json(&self.body)
    }
    /// The body as a `T`, where an empty body means `{}`.
    ///
    /// # Errors
    /// As [`Cx::json`].
    pub fn json_or_empty<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.is_body_blank() { from_json(b"{}") } else { from_json(&self.body) }
    }
    /// The body as a `T`, or `None` when there is none.
    ///
    /// # Errors
    /// As [`Cx::json`].
    pub fn json_if_any<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        if self.is_body_blank() { Ok(None) } else { from_json(&self.body).map(Some) }
    }
    /// The body as a form's `T`.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the field when the parser does.
    pub fn form<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_urlencoded::from_bytes(&self.body).map_err(|error| invalid(String::new(), &error.to_string()).into())
    }
    /// The body's form fields in order, names repeated as sent.
    pub fn form_fields(&self) -> Query {
        Query::parse(&String::from_utf8_lossy(&self.body))
    }
    /// Refuses a body of a type that is not in `readable`. A request without a body, or without a content type, passes.
    ///
    /// # Errors
    /// [`Problem::UnsupportedMedia`].
    pub fn expect_media(&self, readable: &[Media]) -> Result<(), Problem> {
        let media = self.media();
        if self.body.is_empty() || media == Media::Absent || readable.contains(&media) {
            return Ok(());
        }
        Err(Problem::UnsupportedMedia { sent: self.header("content-type").unwrap_or_default().to_owned() })
    }
    fn is_body_blank(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let error = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if error.classify() != Category::Data {
        return Err(Problem::BadJson { text: error.to_string() });
    }
    // Tracking the path costs time, so it is done on a second reading that only bad bodies get.
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => Err(Problem::BadJson { text: error.to_string() }),
        Err(placed) => {
            let path = placed.path().to_string();
            Err(invalid(spell(&path), &placed.inner().to_string()).into())
        }
    }
}

/// `legs[0].vlan` as `legs.0.vlan`; the root, which the tracker writes `.`, as nothing; `?`, a place it could not name, dropped.
fn spell(path: &str) -> String {
    let dotted = path.replace('[', ".").replace(']', "");
    dotted.split('.').filter(|part| !part.is_empty() && *part != "?").collect::<Vec<_>>().join(".")
}

/// What a deserializer says, as the core would say it. Its sentences are fixed in serde; anything else is the text of one of
/// our own types, which is `field: Sentence.` already.
fn invalid(path: String, text: &str) -> Error {
    let text = text.rfind(" at line ").map_or(text, |at| &text[..at]);
    let quoted = text.split('`').nth(1).unwrap_or_default();
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let bad = if text.starts_with("missing field `") {
        Invalid::required(inside(quoted))
    } else if text.starts_with("unknown field `") {
        let field = if path.rsplit('.').next() == Some(quoted) { path.clone() } else { inside(quoted) };
        Invalid::new(field, "unknown", "This field is not known.")
    } else if text.starts_with("duplicate field `") {
        Invalid::new(inside(quoted), "duplicate", "This field is given twice.")
    } else if text.starts_with("unknown variant `") {
        Invalid::choice(path, quoted)
    } else if text.starts_with("invalid type: ") || text.starts_with("invalid length ") {
        Invalid::new(path, "type", sentence(text))
    } else {
        match text.split_once(": ") {
            Some((field, rest)) if !field.contains(' ') && rest.ends_with('.') => Invalid::new(path, "format", rest),
            _ => Invalid::new(path, "format", sentence(text)),
        }
    };
    bad.into()
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is of interest")]
    struct New {
        name: String,
        legs: Vec<Leg>,
        speed: Option<Speed>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its reading is of interest")]
    struct Leg {
        vlan: meetme_base::VlanId,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Speed {
        Slow,
    }

    fn said(body: &str) -> (String, &'static str, String) {
        match from_json::<New>(body.as_bytes()) {
            Err(Problem::App(Error::Invalid(list))) => (list[0].field.clone(), list[0].code, list[0].message.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_value_is_named_by_its_path() {
        assert_eq!(said(r#"{"name":"a","legs":[{"vlan":2},{"vlan":"x"}]}"#).0, "legs.1.vlan");
        assert_eq!(
            said(r#"{"name":"a","legs":[{"vlan":0}]}"#),
            ("legs.0.vlan".into(), "format", "Must be between 1 and 4094.".into())
        );
        assert_eq!(
            said(r#"{"name":"a","legs":[{}]}"#),
            ("legs.0.vlan".into(), "required", "This field is required.".into())
        );
        assert_eq!(said(r#"{"name":7,"legs":[]}"#).1, "type");
        assert_eq!(
            said(r#"{"name":"a","legs":[],"speed":"fast"}"#),
            ("speed".into(), "choice", "fast is not a valid choice.".into())
        );
        assert_eq!(said(r#"{"name":"a","legs":[],"nmae":1}"#).0, "nmae");
        assert_eq!(said("[]").0, "");
    }

    #[test]
    fn what_is_no_json_is_told_apart_from_the_wrong_shape() {
        for body in ["", "{", r#"{"name":}"#, r#"{"name":"a","legs":[]} x"#] {
            assert!(matches!(from_json::<New>(body.as_bytes()), Err(Problem::BadJson { .. })), "{body}");
        }
    }
}
