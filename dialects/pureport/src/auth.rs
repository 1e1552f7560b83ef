//! Credentials: key and secret are exchanged for a token that is good for an hour, and the token is shown as a bearer token
//! (RFC 6750). The answer always has a refresh token, which may be used many times: clients keep their first one.

use meetme_app::{
    AuthFailure, Error,
    identity::{self, Credential, Opened},
};
use meetme_base::{Secret, Uid};
use meetme_http::{Caller, Cx, Problem, Reply, Soon};
use serde::{Deserialize, Serialize};

use crate::{DIALECT, body};

/// The door of a request.
pub fn door(cx: &Cx) -> identity::Door {
    identity::Door { dialect: DIALECT, request: cx.request_id, ip: Some(cx.peer) }
}

/// The bearer token of a request.
fn bearer(cx: &Cx) -> Result<&str, AuthFailure> {
    let Some(value) = cx.headers.get(http::header::AUTHORIZATION) else { return Err(AuthFailure::Absent) };
    let text = value.to_str().map_err(|_| AuthFailure::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthFailure::Malformed)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthFailure::Absent);
    }
    // Our tokens are UUIDs; anything else cannot be one and need not be looked up.
    token.parse::<Uid>().map(|_| token).map_err(|()| AuthFailure::Malformed)
}

/// Who asks.
pub fn authenticate(cx: &Cx) -> Soon<'_, Result<Caller, Error>> {
    Box::pin(async move {
        let token = bearer(cx).map_err(Error::Unauthenticated)?;
        identity::authenticate(&cx.app, door(cx), Credential::Session(token)).await
    })
}

#[derive(Deserialize)]
struct Login {
    key: Option<String>,
    secret: Option<Secret<String>>,
}

#[derive(Deserialize)]
struct Refresh {
    #[serde(rename = "refreshToken", alias = "refresh_token")]
    refresh_token: Option<Secret<String>>,
}

/// An access token response (RFC 6749 section 5.1).
#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
}

fn answer(opened: &Opened) -> Reply {
    let token = Token {
        access_token: opened.token.expose().clone(),
        token_type: "bearer",
        expires_in: opened.seconds,
        refresh_token: opened.refresh.expose().clone(),
    };
    Reply::ok(&token).header(http::header::CACHE_CONTROL, "no-store")
}

fn required(name: &str) -> Problem {
    meetme_base::Invalid::required(name).into()
}

/// `POST /login`.
pub async fn login(cx: Cx) -> Result<Reply, Problem> {
    let sent: Login = body::read(&cx)?;
    let key = sent.key.ok_or_else(|| required("key"))?;
    let secret = sent.secret.ok_or_else(|| required("secret"))?;
    let opened = identity::open(&cx.app, door(&cx), &key, &secret).await?;
    Ok(answer(&opened))
}

/// `POST /login/refresh`.
pub async fn refresh(cx: Cx) -> Result<Reply, Problem> {
    let sent: Refresh = body::read(&cx)?;
    let token = sent.refresh_token.ok_or_else(|| required("refreshToken"))?;
    let opened = identity::refresh(&cx.app, door(&cx), &token).await?;
    Ok(answer(&opened))
}
