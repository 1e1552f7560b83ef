//! Problems in the dialect's form: `{message, terms, data}` with `data` a text or absent; an object there hides the whole message from
//! clients that decode it into one.

use http::StatusCode;
use meetme_app::Error;
use meetme_base::Invalid;
use meetme_http::{Parts, Problem, Reply};
use serde_json::json;

/// Spells a problem.
pub fn wire_error(problem: &Problem, _: &Parts) -> Reply {
    let (status, detail) = match problem {
        Problem::App(error) => (status(error), detail(error)),
        Problem::NoRoute
        | Problem::NoMethod { .. }
        | Problem::BodyTooLarge { .. }
        | Problem::UnsupportedMedia { .. }
        | Problem::NotAcceptable(_)
        | Problem::BadJson { .. }
        | Problem::BadRequest(_)
        | Problem::SlowBody
        | Problem::Timeout => (problem.status(), None),
    };
    let message = match problem {
        Problem::App(error) => message(error),
        other => other.to_string(),
    };
    let mut body = json!({"message": message, "terms": ""});
    if let Some(detail) = detail {
        body["data"] = detail.into();
    }
    Reply::json(status, &body)
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Missing { .. } => StatusCode::NOT_FOUND,
        Error::Invalid(_) | Error::InvalidRows(_) | Error::Exists { .. } => StatusCode::BAD_REQUEST,
        Error::Denied(_) => StatusCode::FORBIDDEN,
        // What can be had later, or in another order, is a conflict; what can never be had is a bad request.
        Error::Conflict { code: "term_shorter" | "changing" | "not_built" | "removing" | "not_ending", .. } => {
            StatusCode::CONFLICT
        }
        Error::Conflict { .. } | Error::Referenced { .. } | Error::Exhausted { .. } => StatusCode::BAD_REQUEST,
        Error::Stale { .. } => StatusCode::CONFLICT,
        Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The sentence, without the core's names of fields.
fn message(error: &Error) -> String {
    match error {
        Error::Invalid(list) => list.iter().map(|bad| bad.message.as_str()).collect::<Vec<_>>().join(" "),
        Error::Conflict { code: "term_shorter", .. } => "Service term cannot be extended.".to_owned(),
        other => other.to_string(),
    }
}

/// What a developer wants to know besides the sentence.
fn detail(error: &Error) -> Option<String> {
    let place = |bad: &Invalid| format!("{}: {}", bad.field, bad.code);
    match error {
        Error::Invalid(list) => Some(list.iter().map(place).collect::<Vec<_>>().join("; ")),
        Error::InvalidRows(rows) => Some(rows.iter().flatten().map(place).collect::<Vec<_>>().join("; ")),
        Error::Exists { clash, .. } => Some(place(clash)),
        Error::Conflict { code, .. } => Some((*code).to_owned()),
        Error::Unauthenticated(_)
        | Error::Missing { .. }
        | Error::Denied(_)
        | Error::Referenced { .. }
        | Error::Exhausted { .. }
        | Error::Stale { .. }
        | Error::Limited { .. }
        | Error::Unavailable(_)
        | Error::Bug(_) => None,
    }
}
