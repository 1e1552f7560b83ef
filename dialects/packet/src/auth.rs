//! Who asks: `X-Auth-Token` holds the secret of a key.

use http::header::HeaderName;
use meetme_app::{AuthFailure, Caller, Error, identity};
use meetme_http::{Claim, Cx, Parts, Soon};

use crate::path;

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const CONSUMER: HeaderName = HeaderName::from_static("x-consumer-token");

/// Recognises the caller by the token. The consumer token that some clients add is theirs to send and ours to ignore.
pub fn authenticate(cx: &Cx) -> Soon<'_, Result<Caller, Error>> {
    Box::pin(async move {
        let token = cx.headers.get(TOKEN).ok_or(Error::Unauthenticated(AuthFailure::Absent))?;
        let token = token.to_str().map_err(|_| Error::Unauthenticated(AuthFailure::Malformed))?;
        if token.is_empty() {
            return Err(Error::Unauthenticated(AuthFailure::Absent));
        }
        let door = identity::Door { dialect: cx.dialect, request: cx.request_id, ip: Some(cx.peer) };
        identity::authenticate(&cx.app, door, identity::Credential::Secret(token)).await
    })
}

/// How sure we are that a request is ours. Another dialect's clients send the same token header.
pub fn mine(parts: &Parts) -> Claim {
    if !path::base(parts.path()).is_empty() || parts.headers.contains_key(CONSUMER) {
        Claim::Certain
    } else if parts.headers.contains_key(TOKEN) {
        Claim::Likely
    } else if parts.headers.contains_key(http::header::AUTHORIZATION) {
        Claim::No
    } else {
        Claim::Possible
    }
}
