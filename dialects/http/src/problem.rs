//! Everything that can go wrong with a request, ours or the core's, for a dialect to spell.

use http::{StatusCode, header};
use meetme_app::{AuthFailure, Error};
use meetme_base::Invalid;

use crate::Reply;

/// Why a request was not answered as asked. A dialect spells each in its own form, in one exhaustive `match`.
#[derive(Debug)]
pub enum Problem {
    /// The operation refused, in the core's words.
    App(Error),
    /// No operation has this path.
    NoRoute,
    /// The path exists, the method on it does not.
    NoMethod {
        /// The methods there are, as the `Allow` header lists them. The server adds the header itself.
        allow: String,
    },
    /// The body is larger than the operation takes.
    BodyTooLarge {
        /// The most it takes, in bytes.
        limit: usize,
    },
    /// The body is of a type the operation does not read.
    UnsupportedMedia {
        /// The content type that was sent; empty when none was.
        sent: String,
    },
    /// The client accepts no type or version this operation can answer in.
    NotAcceptable(String),
    /// The body is not JSON at all. JSON of the wrong shape is [`Error::Invalid`] instead.
    BadJson {
        /// What the parser says, with line and column.
        text: String,
    },
    /// The request is malformed in some other way.
    BadRequest(String),
    /// The body did not arrive in time.
    SlowBody,
    /// The operation did not finish in time.
    Timeout,
}

impl Problem {
    /// The status that fits when a dialect has no better one of its own.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::App(error) => match error {
                Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Error::Missing { .. } => StatusCode::NOT_FOUND,
                Error::Invalid(_) | Error::InvalidRows(_) => StatusCode::BAD_REQUEST,
                Error::Denied(_) => StatusCode::FORBIDDEN,
                Error::Exists { .. } | Error::Conflict { .. } | Error::Referenced { .. } | Error::Exhausted { .. } => {
                    StatusCode::CONFLICT
                }
                Error::Stale { .. } => StatusCode::PRECONDITION_FAILED,
                Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
                Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                Error::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NoMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::BadJson { .. } | Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
    /// Headers that belong to a problem however it is spelled; one the dialect has set itself is kept.
    pub(crate) fn complete(&self, reply: &mut Reply) {
        let (name, text) = match self {
            Self::NoMethod { allow } => (header::ALLOW, allow.clone()),
            Self::App(Error::Limited { retry_after }) => {
                (header::RETRY_AFTER, (retry_after.as_secs_f64().ceil().max(1.0) as u64).to_string())
            }
            _ => return,
        };
        if let (false, Ok(value)) = (reply.headers.contains_key(&name), text.parse()) {
            reply.headers.insert(name, value);
        }
    }
    /// Whether this counts as a failed attempt to show a credential. Showing none is not one: that is how a browser starts.
    pub(crate) fn is_failed_credential(&self) -> bool {
        matches!(self, Self::App(Error::Unauthenticated(why)) if *why != AuthFailure::Absent)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::App(error) => error.fmt(f),
            Self::NoRoute => f.write_str("There is nothing at this path."),
            Self::NoMethod { allow } => write!(f, "This path answers {allow} only."),
            Self::BodyTooLarge { limit } => write!(f, "The body is larger than {limit} bytes."),
            Self::UnsupportedMedia { sent } if sent.is_empty() => f.write_str("The body needs a content type."),
            Self::UnsupportedMedia { sent } => write!(f, "A body of type {sent} is not read here."),
            Self::NotAcceptable(text) | Self::BadRequest(text) => f.write_str(text),
            Self::BadJson { text } => write!(f, "The body is not valid JSON: {text}."),
            Self::SlowBody => f.write_str("The body did not arrive in time."),
            Self::Timeout => f.write_str("The request took too long."),
        }
    }
}

impl std::error::Error for Problem {}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::App(error)
    }
}

impl From<Invalid> for Problem {
    fn from(bad: Invalid) -> Self {
        Self::App(bad.into())
    }
}

/// The problem in no dialect's form: what the server's own paths answer, and what a door without any dialect says.
pub fn plain(problem: &Problem) -> Reply {
    Reply::json(problem.status(), &serde_json::json!({ "error": problem.to_string() }))
}
