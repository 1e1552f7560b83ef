//! What a request says before any dialect has claimed it.

use std::net::IpAddr;

use http::{HeaderMap, Method, Uri, header};
use meetme_base::Uid;

use crate::Query;

/// The head of a request, with what the door knows about its sender. Shared by reference count, so that an error can still
/// be spelled after the handler has consumed its [`crate::Cx`].
#[derive(Debug)]
pub struct Parts {
    /// The method as sent; HEAD stays HEAD even where the operation for GET answers it.
    pub method: Method,
    /// The address as sent: neither decoded nor normalised.
    pub uri: Uri,
    /// The headers as sent.
    pub headers: HeaderMap,
    /// The query, decoded.
    pub query: Query,
    /// The client's address. Forwarding headers are believed from configured proxies only.
    pub peer: IpAddr,
    /// This request's id: always made here, never taken from the client.
    pub request_id: Uid,
    /// Scheme and host as the client called us, such as `https://meetme.example:8443`, without a final slash.
    pub base_url: String,
}

impl Parts {
    /// The path as sent.
    pub fn path(&self) -> &str {
        self.uri.path()
    }
    /// A header as text; `None` when it is absent or no visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
    /// The kind of body the client says it sends.
    pub fn media(&self) -> Media {
        Media::of(&self.headers)
    }
}

/// The kinds of body that dialects tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// No content type was sent.
    Absent,
    /// `application/json`, or any type with the suffix `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Any other `text/*`.
    Text,
    /// Anything else.
    Other,
}

impl Media {
    /// Reads the content type of these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Self::Absent };
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        let ends = |tail: &str| {
            essence.len() > tail.len()
                && essence.as_bytes()[essence.len() - tail.len()..].eq_ignore_ascii_case(tail.as_bytes())
        };
        match essence {
            "" => Self::Absent,
            _ if is("application/json") || ends("+json") => Self::Json,
            _ if is("application/x-www-form-urlencoded") => Self::Form,
            _ if is("multipart/form-data") => Self::Multipart,
            _ if essence.len() > 5 && essence.as_bytes()[..5].eq_ignore_ascii_case(b"text/") => Self::Text,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_read_without_its_parameters_and_in_any_case() {
        let of = |text: &'static str| {
            Media::of(&HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(text))]))
        };
        assert_eq!(of("Application/JSON; charset=utf-8"), Media::Json);
        assert_eq!(of("application/merge-patch+json"), Media::Json);
        assert_eq!(of("application/x-www-form-urlencoded"), Media::Form);
        assert_eq!(of("TEXT/yaml"), Media::Text);
        assert_eq!(of("image/png"), Media::Other);
        assert_eq!(Media::of(&HeaderMap::new()), Media::Absent);
    }
}
