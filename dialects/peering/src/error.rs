//! Every problem in this dialect's form.

use http::StatusCode;
use meetme_app::{AuthFailure, Error};
use meetme_base::{Invalid, Kind};
use meetme_http::{Parts, Problem, Reply};
use serde_json::{Map, Value, json};

use crate::{API_VERSION, auth::FORBIDDEN, models};

/// Spells a problem.
pub fn wire_error(problem: &Problem, parts: &Parts) -> Reply {
    let error = match problem {
        Problem::App(error) => error,
        Problem::NoRoute => return detail(StatusCode::NOT_FOUND, "Not found."),
        Problem::NoMethod { .. } => {
            return detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{}\" not allowed.", parts.method));
        }
        Problem::BodyTooLarge { .. } | Problem::SlowBody | Problem::Timeout => {
            return detail(problem.status(), problem.to_string());
        }
        Problem::UnsupportedMedia { sent } => {
            let text = format!("Unsupported media type \"{sent}\" in request.");
            return detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
        }
        Problem::NotAcceptable(text) => return detail(StatusCode::NOT_ACCEPTABLE, text.as_str()),
        Problem::BadJson { text } => return detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {text}")),
        Problem::BadRequest(text) => return detail(StatusCode::BAD_REQUEST, text.as_str()),
    };
    match error {
        Error::Unauthenticated(why) => detail(StatusCode::FORBIDDEN, credential(why)),
        Error::Missing { kind, name } => detail(StatusCode::NOT_FOUND, missing(*kind, name)),
        Error::Invalid(list) => Reply::json(StatusCode::BAD_REQUEST, &row(list)),
        Error::InvalidRows(rows) => {
            let rows: Vec<Value> = rows.iter().map(|list| row(list)).collect();
            Reply::json(StatusCode::BAD_REQUEST, &rows)
        }
        Error::Exists { clash, .. } => Reply::json(StatusCode::BAD_REQUEST, &row(std::slice::from_ref(clash))),
        Error::Denied(_) => detail(StatusCode::FORBIDDEN, FORBIDDEN),
        Error::Referenced { by, count, .. } => {
            let names: Vec<String> = by.iter().map(|(_, id, name)| format!("{name} ({id})")).collect();
            let text = format!("unable to delete object. {count} dependent objects were found: {}", names.join(", "));
            detail(StatusCode::CONFLICT, text)
        }
        Error::Conflict { message, .. } => detail(StatusCode::CONFLICT, message.as_str()),
        Error::Exhausted { .. } => detail(StatusCode::CONFLICT, error.to_string()),
        Error::Stale { .. } => detail(StatusCode::CONFLICT, "The object was changed by somebody else. Try again."),
        Error::Limited { retry_after } => {
            let seconds = retry_after.as_secs().max(1);
            let text = format!("Request was throttled. Expected available in {seconds} seconds.");
            detail(StatusCode::TOO_MANY_REQUESTS, text)
        }
        Error::Unavailable(_) => detail(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        Error::Bug(_) => Reply::json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({
                "error": error.to_string(),
                "exception": "InternalError",
                "peering_manager_version": API_VERSION,
                "python_version": "",
            }),
        ),
    }
}

fn detail(status: StatusCode, text: impl Into<String>) -> Reply {
    Reply::json(status, &json!({"detail": text.into()}))
}

fn credential(why: &AuthFailure) -> String {
    match why {
        AuthFailure::Absent => "Authentication credentials were not provided.".to_owned(),
        AuthFailure::Malformed | AuthFailure::Wrong => "Invalid token".to_owned(),
        AuthFailure::Expired => "Token expired".to_owned(),
        AuthFailure::Disabled => "User inactive".to_owned(),
        AuthFailure::SecondFactor => why.to_string(),
        AuthFailure::Address(ip) => format!("Source IP {ip} is not permitted to authenticate using this token."),
    }
}

/// The model's name where it is known: the name of the model itself, or that of the kind.
fn missing(kind: Kind, name: &str) -> String {
    let known = models::named(name).or_else(|| models::ALL.iter().copied().find(|m| m.about().kind == kind));
    let name = known.map(|model| model.about().name).or_else(|| (name == crate::changes::MODEL).then_some(name));
    name.map_or_else(|| "Not found.".to_owned(), |name| format!("No {name} matches the given query."))
}

/// What is wrong with one row: field to texts, in the order found.
fn row(list: &[Invalid]) -> Value {
    let mut out: Map<String, Value> = Map::new();
    for bad in list {
        let field = if bad.field.is_empty() { "non_field_errors" } else { bad.field.as_str() };
        let texts = out.entry(field).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(texts) = texts {
            texts.push(bad.message.as_str().into());
        }
    }
    Value::Object(out)
}
