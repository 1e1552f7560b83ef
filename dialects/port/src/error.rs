//! Problems in the dialect's form: `{ok: false, error, message}`.

use http::StatusCode;
use meetme_app::Error;
use meetme_base::Invalid;
use meetme_http::{Parts, Problem, Reply};
use serde_json::{Value, json};

/// Spells a problem.
pub fn wire_error(problem: &Problem, _: &Parts) -> Reply {
    let told = match problem {
        Problem::App(error) => spell(error),
        Problem::NoRoute => Told::new(404, "not_found", "There is no such route."),
        Problem::NoMethod { .. } => Told::new(405, "method_not_allowed", problem.to_string()),
        Problem::BodyTooLarge { limit } => {
            Told::new(413, "payload_too_large", format!("The body is larger than {limit} bytes."))
        }
        Problem::UnsupportedMedia { .. } => Told::new(415, "unsupported_media_type", problem.to_string()),
        Problem::NotAcceptable(_) => Told::new(406, "not_acceptable", problem.to_string()),
        Problem::BadJson { text } => Told::new(422, "invalid_request", format!("The body is not JSON: {text}")),
        Problem::BadRequest(text) => Told::new(422, "invalid_request", text.clone()),
        Problem::SlowBody => Told::new(408, "request_timeout", problem.to_string()),
        Problem::Timeout => Told::new(503, "timeout", problem.to_string()),
    };
    let mut body = json!({"ok": false, "error": told.code, "message": told.message});
    if let Some(details) = told.details {
        body["details"] = details;
    }
    Reply::json(StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &body)
}

/// An error in the dialect's words.
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The fixed word that clients compare.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
    details: Option<Value>,
}

impl Told {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None }
    }
    fn with(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }
}

/// The core's errors in the dialect's words.
pub fn spell(error: &Error) -> Told {
    let message = error.to_string();
    match error {
        Error::Unauthenticated(_) => Told::new(401, "unauthorized", message),
        Error::Missing { kind, name } => Told::new(404, "not_found", format!("The {kind} {name} was not found."))
            .with(json!({"resource": kind.name(), "withValue": name})),
        Error::Invalid(list) => Told::new(422, "invalid_request", message).with(details(list)),
        Error::InvalidRows(rows) => {
            Told::new(422, "invalid_request", message).with(rows.iter().map(|r| details(r)).collect::<Vec<_>>().into())
        }
        Error::Exists { .. } => Told::new(409, "identifier_taken", message),
        Error::Denied(_) => Told::new(403, "forbidden", message),
        Error::Conflict { code, .. } => Told::new(409, code, message),
        Error::Referenced { .. } => Told::new(409, "has_dependents", message),
        Error::Exhausted { .. } => Told::new(409, "exhausted", message),
        Error::Stale { .. } => Told::new(409, "stale", message),
        Error::Limited { .. } => Told::new(429, "rate_limited", message),
        Error::Unavailable(_) => Told::new(503, "unavailable", message),
        Error::Bug(_) => Told::new(500, "internal_error", message),
    }
}

fn details(list: &[Invalid]) -> Value {
    list.iter().map(|b| json!({"field": b.field, "code": b.code, "message": b.message})).collect::<Vec<_>>().into()
}
