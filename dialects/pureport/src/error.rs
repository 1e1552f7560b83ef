//! How problems are spelled: `{"status": 409, "code": "NETWORK_NAME_UNIQUE", "message": "..."}`. The status is always a number: clients
//! decide by it alone.

use http::{Method, StatusCode, header};
use meetme_app::{AuthFailure, Error};
use meetme_base::Invalid;
use meetme_http::{Parts, Problem, Reply};
use serde::Serialize;

/// A problem as clients read it.
#[derive(Serialize)]
struct Wire<'a> {
    status: u16,
    code: &'a str,
    message: String,
    #[serde(rename = "fieldErrors", skip_serializing_if = "Vec::is_empty")]
    field_errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Serialize)]
struct FieldError {
    field: String,
    message: String,
}

/// Spells a problem.
pub fn wire_error(problem: &Problem, parts: &Parts) -> Reply {
    let (status, code) = status_and_code(problem, parts);
    let field_errors = match problem {
        Problem::App(Error::Invalid(list)) => list.iter().map(field_error).collect(),
        Problem::App(Error::InvalidRows(rows)) => rows.iter().flatten().map(field_error).collect(),
        _ => Vec::new(),
    };
    let reply =
        Reply::json(status, &Wire { status: status.as_u16(), code, message: problem.to_string(), field_errors });
    match challenge(problem) {
        Some(text) => reply.header(header::WWW_AUTHENTICATE, text),
        None => reply,
    }
}

/// What RFC 6750 section 3 asks for: no error word when no token was shown.
fn challenge(problem: &Problem) -> Option<&'static str> {
    match problem {
        Problem::App(Error::Unauthenticated(AuthFailure::Absent)) => Some("Bearer realm=\"meetme\""),
        Problem::App(Error::Unauthenticated(AuthFailure::Malformed)) => {
            Some("Bearer realm=\"meetme\", error=\"invalid_request\"")
        }
        Problem::App(Error::Unauthenticated(AuthFailure::Expired)) => {
            Some("Bearer realm=\"meetme\", error=\"invalid_token\", error_description=\"The access token expired\"")
        }
        Problem::App(Error::Unauthenticated(_)) => Some("Bearer realm=\"meetme\", error=\"invalid_token\""),
        Problem::App(Error::Denied(_)) => Some("Bearer realm=\"meetme\", error=\"insufficient_scope\""),
        _ => None,
    }
}

fn status_and_code(problem: &Problem, parts: &Parts) -> (StatusCode, &'static str) {
    match problem {
        Problem::App(error) => of_core(error, parts),
        Problem::NoRoute => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Problem::NoMethod { .. } => (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
        Problem::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "REQUEST_ENTITY_TOO_LARGE"),
        Problem::UnsupportedMedia { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE"),
        Problem::NotAcceptable(_) | Problem::BadRequest(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        Problem::BadJson { .. } => (StatusCode::BAD_REQUEST, "JSON_PROCESSING_ERROR"),
        Problem::SlowBody => (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT"),
        Problem::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
    }
}

fn of_core(error: &Error, parts: &Parts) -> (StatusCode, &'static str) {
    match error {
        Error::Unauthenticated(why) => (StatusCode::UNAUTHORIZED, of_credential(why, parts)),
        Error::Missing { .. } => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Error::Invalid(list) => list.first().map_or((StatusCode::BAD_REQUEST, "BAD_REQUEST"), of_value),
        Error::InvalidRows(_) => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"),
        Error::Denied(_) => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        Error::Exists { kind, clash } => (StatusCode::CONFLICT, of_clash(kind.name(), clash)),
        Error::Conflict { code, .. } => of_conflict(code, parts),
        Error::Referenced { .. } => (StatusCode::CONFLICT, "CONFLICT"),
        Error::Exhausted { pool } if pool.contains("VLAN") => (StatusCode::CONFLICT, "VLAN_IN_USE"),
        Error::Exhausted { .. } => (StatusCode::SERVICE_UNAVAILABLE, "INSUFFICIENT_CAPACITY"),
        Error::Stale { .. } => (StatusCode::CONFLICT, "CONFLICT"),
        // The recorded codes have none for 429.
        Error::Limited { .. } => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_LIMITATION_EXCEEDED"),
        Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
        Error::Bug(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR"),
    }
}

fn of_credential(why: &AuthFailure, parts: &Parts) -> &'static str {
    match why {
        AuthFailure::Absent => "ACCESS_TOKEN_MISSING",
        AuthFailure::Malformed => "ACCESS_TOKEN_DECODE_ERROR",
        AuthFailure::Expired => "ACCESS_TOKEN_EXPIRED",
        AuthFailure::Wrong if parts.path().trim_end_matches('/').ends_with("/login") => "API_KEY_NOT_FOUND",
        AuthFailure::Wrong => "ACCESS_TOKEN_INVALID_SIGNATURE",
        AuthFailure::Disabled | AuthFailure::Address(_) | AuthFailure::SecondFactor => "UNAUTHORIZED",
    }
}

fn of_value(bad: &Invalid) -> (StatusCode, &'static str) {
    let last = bad.field.rsplit('.').next().unwrap_or_default();
    let code = match (last, bad.code) {
        (_, "link" | "reference") => "INVALID_LINK",
        (_, "required") => return (StatusCode::BAD_REQUEST, "BAD_REQUEST_MISSING_PARAMETER"),
        (_, "offer") => "CONNECTION_CONFIGURATION_NOT_SUPPORTED",
        (_, "offer_pending") => "SUPPORTED_CONNECTION_IS_PENDING",
        ("peering", "immutable") => "PEERING_TYPE_CHANGE_NOT_ALLOWED",
        (_, "immutable") => "MODIFICATION_NOT_ALLOWED",
        (_, "elsewhere") => "PORT_CONNECTION_LOCATION_MISMATCH",
        ("vlan" | "tag" | "primaryVlan" | "secondaryVlan", _) => "INVALID_VLAN_RANGE",
        ("asn" | "customerASN", _) => "INVALID_CUSTOMER_ASN",
        ("region" | "awsRegion", _) => "INVALID_AWS_REGION",
        ("service_key" | "serviceKey", _) => "INVALID_EXPRESS_ROUTE_SERVICE_KEY",
        ("pairing_key" | "primaryPairingKey" | "secondaryPairingKey", _) => "INVALID_GOOGLE_PAIRING_KEY",
        ("ocid" | "primaryOcid" | "secondaryOcid", _) => "INVALID_ORACLE_OCID",
        _ => "VALIDATION_ERROR",
    };
    (StatusCode::UNPROCESSABLE_ENTITY, code)
}

fn of_clash(kind: &str, clash: &Invalid) -> &'static str {
    match (kind, clash.field.as_str()) {
        ("network", "name") => "NETWORK_NAME_UNIQUE",
        ("membership", _) => "ACCOUNT_MEMBER_ALREADY_EXISTS",
        (_, "service_key") => "EXPRESS_ROUTE_SERVICE_KEY_ALREADY_IN_USE",
        (_, "ocid") => "ORACLE_OCID_ALREADY_IN_USE",
        _ => "CONFLICT",
    }
}

fn of_conflict(code: &str, parts: &Parts) -> (StatusCode, &'static str) {
    let on = |what: &str| parts.path().trim_start_matches('/').starts_with(what);
    let deletes = parts.method == Method::DELETE;
    let code = match code {
        "changing" | "removing" | "locked" | "not_built" if on("networks") && deletes => {
            "NETWORK_DELETE_STATE_CONFLICT"
        }
        "changing" | "removing" | "locked" | "not_built" if on("connections") && deletes => {
            "CONNECTION_DELETE_STATE_CONFLICT"
        }
        "changing" | "removing" | "locked" | "not_built" if on("connections") => "CONNECTION_UPDATE_STATE_CONFLICT",
        "changing" | "removing" | "locked" | "not_built" if parts.path().ends_with("/start") => {
            "GATEWAY_START_STATE_CONFLICT"
        }
        "changing" | "removing" | "locked" | "not_built" if parts.path().ends_with("/stop") => {
            "GATEWAY_STOP_STATE_CONFLICT"
        }
        "rate_fixed" => "AWS_CONNECTION_SPEED_IMMUTABLE",
        "term_shorter" => "CONNECTION_BILLING_TERM_CHANGE_NOT_ALLOWED",
        "has_children" => "ACCOUNT_HAS_CHILD_ACCOUNTS",
        "not_empty" => "ACCOUNT_DELETE_NON_DELETED_PORT_STATE_CONFLICT",
        "last_owner" => "ADMIN_ACCESS_MUST_EXIST",
        "no_gateway" | "no_room" => return (StatusCode::SERVICE_UNAVAILABLE, "INSUFFICIENT_CAPACITY"),
        "vlan_taken" => "VLAN_IN_USE",
        _ => "CONFLICT",
    };
    (StatusCode::CONFLICT, code)
}

/// The core's name of a field in this dialect's spelling: the last word in camel case.
fn field_error(bad: &Invalid) -> FieldError {
    let mut field = String::with_capacity(bad.field.len());
    let mut raise = false;
    for c in bad.field.chars() {
        match (c, raise) {
            ('_', _) => raise = true,
            (c, true) => {
                field.extend(c.to_uppercase());
                raise = false;
            }
            (c, false) => field.push(c),
        }
    }
    FieldError { field, message: bad.message.clone() }
}
