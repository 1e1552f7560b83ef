//! Problems in this dialect's form: `{"errors": ["Text"]}`, with `error` beside it where clients read that.

use http::StatusCode;
use meetme_app::Error;
use meetme_base::Invalid;
use meetme_http::{Parts, Problem, Reply};
use serde_json::json;

/// Spells a problem. What is wrong with the input, and what the state of things does not allow, are both 422 here.
pub fn wire_error(problem: &Problem, _: &Parts) -> Reply {
    let many = |status: StatusCode, texts: Vec<String>| Reply::json(status, &json!({ "errors": texts }));
    let said = |status: StatusCode| many(status, vec![problem.to_string()]);
    // On these two clients look at `error`.
    let both = |status: StatusCode, text: &str| Reply::json(status, &json!({ "errors": [text], "error": text }));
    match problem {
        Problem::App(error) => match error {
            Error::Unauthenticated(why) => both(StatusCode::UNAUTHORIZED, &why.to_string()),
            Error::Missing { .. } => both(StatusCode::NOT_FOUND, "Not found"),
            Error::Invalid(list) => many(StatusCode::UNPROCESSABLE_ENTITY, list.iter().map(sentence).collect()),
            Error::InvalidRows(rows) => {
                many(StatusCode::UNPROCESSABLE_ENTITY, rows.iter().flatten().map(sentence).collect())
            }
            Error::Exists { clash, .. } => many(StatusCode::UNPROCESSABLE_ENTITY, vec![sentence(clash)]),
            Error::Denied(_) => said(StatusCode::FORBIDDEN),
            Error::Conflict { .. } | Error::Referenced { .. } | Error::Exhausted { .. } => {
                said(StatusCode::UNPROCESSABLE_ENTITY)
            }
            Error::Stale { .. } => said(StatusCode::CONFLICT),
            Error::Limited { .. } => said(StatusCode::TOO_MANY_REQUESTS),
            Error::Unavailable(_) => said(StatusCode::SERVICE_UNAVAILABLE),
            Error::Bug(_) => said(StatusCode::INTERNAL_SERVER_ERROR),
        },
        Problem::NoRoute => both(StatusCode::NOT_FOUND, "Not found"),
        Problem::BadJson { .. } | Problem::BadRequest(_) => said(StatusCode::UNPROCESSABLE_ENTITY),
        Problem::NoMethod { .. }
        | Problem::BodyTooLarge { .. }
        | Problem::UnsupportedMedia { .. }
        | Problem::NotAcceptable(_)
        | Problem::SlowBody
        | Problem::Timeout => said(problem.status()),
    }
}

/// The same error with one field called by the name that the operation's own inputs have for it.
pub fn renamed(error: Error, from: &str, to: &str) -> Error {
    let rename = |mut bad: Invalid| {
        if bad.field == from {
            to.clone_into(&mut bad.field);
        }
        bad
    };
    match error {
        Error::Invalid(list) => Error::Invalid(list.into_iter().map(rename).collect()),
        Error::Exists { kind, clash } => Error::Exists { kind, clash: rename(clash) },
        other => other,
    }
}

/// The field in this dialect's words, then what is wrong with it.
fn sentence(bad: &Invalid) -> String {
    let field = match bad.field.as_str() {
        "" => return bad.message.clone(),
        "site" => "facility",
        "image" => "operating_system",
        "life.term" => "billing_cycle",
        "fingerprint" => "key",
        other => other,
    };
    format!("{field}: {}", bad.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_in_the_words_of_this_dialect() {
        assert_eq!(sentence(&Invalid::required("image")), "operating_system: This field is required.");
        assert_eq!(sentence(&Invalid::new("", "rule", "No.")), "No.");
    }
}
