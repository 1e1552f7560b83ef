//! Problems in the form of RFC 9457, with a fixed word under `code` and the fields that are wrong under `errors`.

use http::{HeaderValue, StatusCode, header};
use meetme_app::Error;
use meetme_base::Invalid;
use meetme_http::{Parts, Problem, Reply};
use serde_json::json;

use crate::wire;

/// The problem as the client sees it.
pub fn wire_error(problem: &Problem, parts: &Parts) -> Reply {
    let status = match problem {
        // The request was understood; its values are what is wrong.
        Problem::App(Error::Invalid(_) | Error::InvalidRows(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => problem.status(),
    };
    let mut errors = Vec::new();
    let mut version = None;
    let mut referrers = None;
    let code = match problem {
        Problem::App(error) => match error {
            Error::Unauthenticated(_) => "unauthenticated",
            Error::Missing { .. } => "missing",
            Error::Invalid(list) => {
                errors.extend(list.iter().map(|bad| wire::FieldError::from(bad.clone())));
                "invalid"
            }
            Error::InvalidRows(rows) => {
                let under = |(i, bad): (usize, &Invalid)| wire::FieldError::from(bad.clone().under(&i.to_string()));
                errors.extend(
                    rows.iter().enumerate().flat_map(|(i, row)| row.iter().map(move |bad| (i, bad))).map(under),
                );
                "invalid"
            }
            Error::Exists { clash, .. } => {
                errors.push(clash.clone().into());
                "exists"
            }
            Error::Denied(_) => "denied",
            Error::Conflict { code, .. } => code,
            Error::Referenced { by, .. } => {
                let each = by.iter().map(|(kind, id, title)| json!({ "kind": kind.name(), "id": id, "title": title }));
                referrers = Some(each.collect());
                "referenced"
            }
            Error::Exhausted { .. } => "exhausted",
            Error::Stale { version: now } => {
                version = Some(*now);
                "stale"
            }
            Error::Limited { .. } => "limited",
            Error::Unavailable(_) => "unavailable",
            Error::Bug(_) => "internal",
        },
        Problem::NoRoute => "no_route",
        Problem::NoMethod { .. } => "no_method",
        Problem::BodyTooLarge { .. } => "too_large",
        Problem::UnsupportedMedia { .. } => "unsupported_media",
        Problem::NotAcceptable(_) => "not_acceptable",
        Problem::BadJson { .. } => "bad_json",
        Problem::BadRequest(_) => "bad_request",
        Problem::SlowBody => "slow_body",
        Problem::Timeout => "timeout",
    };
    let body = wire::Problem {
        kind: "about:blank",
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        code: code.to_owned(),
        detail: problem.to_string(),
        errors,
        version,
        referrers,
        request: parts.request_id,
    };
    let mut reply = Reply::json(status, &body);
    reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wire::PROBLEM));
    if status == StatusCode::UNAUTHORIZED {
        reply.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}
