//! Who asks: the secret of a key, or the token of a session, in one of three headers.

use meetme_app::{
    AuthFailure, Caller, Error,
    identity::{self, Credential, Door},
};
use meetme_http::{Cx, Parts, Soon};
use serde_json::{Map, Value, json};

/// The dialect's name at the door.
pub const NAME: &str = "native";

/// The credential as it was sent: `Authorization: Bearer x`, `Authorization: Token x` or `X-Auth-Token: x`.
pub fn token(parts: &Parts) -> Result<&str, AuthFailure> {
    let Some(header) = parts.headers.get(http::header::AUTHORIZATION) else {
        return parts.header("x-auth-token").ok_or(AuthFailure::Absent);
    };
    let text = header.to_str().map_err(|_| AuthFailure::Malformed)?;
    let (scheme, token) = text.trim().split_once(' ').ok_or(AuthFailure::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        return Ok(token.trim());
    }
    Err(AuthFailure::Malformed)
}

/// The door this request came through.
pub fn door(parts: &Parts) -> Door {
    Door { dialect: NAME, request: parts.request_id, ip: Some(parts.peer) }
}

/// Recognises the caller.
pub fn authenticate(cx: &Cx) -> Soon<'_, Result<Caller, Error>> {
    Box::pin(async move {
        let token = token(&cx.parts).map_err(Error::Unauthenticated)?;
        identity::authenticate(&cx.app, door(&cx.parts), Credential::Session(token)).await
    })
}

/// The same for the document.
pub fn security() -> Map<String, Value> {
    let schemes = json!({
        "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "The secret of a key, or a session's token. `Token` does as well as `Bearer`.",
        },
        "header": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
    });
    schemes.as_object().cloned().unwrap_or_default()
}
