//! gzip for answers that are worth it, to clients that accept it.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header};

use crate::{Content, Reply};

/// Below this an answer fits one packet anyway.
const WORTH: usize = 1024;
/// Above this, compressing takes long enough (several ms) to be moved off the threads that serve connections.
const HEAVY: usize = 512 << 10;

/// Compresses the reply where that is wanted, possible and useful. Streams are left alone.
pub(crate) async fn apply(reply: &mut Reply, request: &HeaderMap) {
    let Content::Full(body) = &reply.content else { return };
    if body.len() <= WORTH
        || reply.headers.contains_key(header::CONTENT_ENCODING)
        || has_strong_tag(&reply.headers)
        || !is_text(&reply.headers)
    {
        return;
    }
    reply.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !is_accepted(request) {
        return;
    }
    let body = body.clone();
    let packed = if body.len() > HEAVY {
        tokio::task::spawn_blocking(move || pack(&body)).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    } else {
        pack(&body)
    };
    match packed {
        Ok(packed) => {
            reply.content = Content::Full(packed);
            reply.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Err(error) => tracing::error!(%error, "an answer could not be compressed"),
    }
}

fn pack(body: &Bytes) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish().map(Bytes::from)
}

/// A strong ETag promises the same bytes (RFC 9110, section 8.8.1). Weakening it would break clients that send it back in
/// `If-Match`, so such an answer, one object as a rule, goes out as it is.
fn has_strong_tag(headers: &HeaderMap) -> bool {
    headers.get(header::ETAG).is_some_and(|tag| !tag.as_bytes().starts_with(b"W/"))
}

fn is_text(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.starts_with("text/")
        || ["json", "xml", "yaml", "javascript", "openmetrics"].iter().any(|kind| media.contains(kind))
}

/// Whether gzip, or anything, is accepted with a weight above zero (RFC 9110, section 12.5.3). Its own weight beats `*`.
fn is_accepted(request: &HeaderMap) -> bool {
    let mut anything = false;
    for line in request.get_all(header::ACCEPT_ENCODING) {
        for item in line.to_str().unwrap_or_default().split(',') {
            let mut pieces = item.split(';').map(str::trim);
            let name = pieces.next().unwrap_or_default();
            let weight =
                pieces.find_map(|piece| piece.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
                return weight > 0.0;
            }
            anything |= name == "*" && weight > 0.0;
        }
    }
    anything
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_where_it_is_accepted() {
        let accepts = |text: &'static str| {
            is_accepted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        assert!(accepts("deflate, gzip;q=0.5, br") && accepts("*") && accepts("br, *;q=0.1"));
        assert!(!accepts("identity") && !accepts("gzip;q=0, *") && !accepts("*;q=0") && !accepts(""));
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
