//! Credentials. Every token is taken in every place: `X-Auth-Token`, `Authorization: Bearer`, and `?token=`, the only place of the
//! first generation.

use meetme_app::{AuthFailure, Caller, Error, identity, standing};
use meetme_http::Cx;
use meetme_model::access::Organization;
use meetme_store::{Object, Tx};
use serde_json::{Map, Value, json};

/// Names the company that a call acts for.
const CONTEXT: &str = "x-call-context";

/// Recognises the token of a call.
pub async fn authenticate(cx: &Cx) -> Result<Caller, Error> {
    by_token(cx, token(cx)?).await
}

/// Recognises a token, wherever it was sent.
pub async fn by_token(cx: &Cx, token: &str) -> Result<Caller, Error> {
    identity::authenticate(&cx.app, door(cx), identity::Credential::Session(token)).await
}

/// The token of a call.
pub fn token(cx: &Cx) -> Result<&str, Error> {
    let bearer = || {
        let (scheme, token) = cx.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    };
    let sent = cx.header("x-auth-token").or_else(bearer).or_else(|| cx.query.get("token"));
    sent.filter(|token| !token.is_empty()).ok_or(Error::Unauthenticated(AuthFailure::Absent))
}

/// The door as sessions remember it.
pub fn door(cx: &Cx) -> identity::Door {
    identity::Door { dialect: "megaport", request: cx.request_id, ip: Some(cx.peer) }
}

/// The company a call acts for: the one in `X-Call-Context`, else the caller's own.
#[derive(Clone)]
pub struct Acting {
    caller: Caller,
    context: Option<String>,
}

impl Acting {
    /// Reads it from a call.
    pub fn of(cx: &Cx) -> Self {
        let context = cx.header(CONTEXT).filter(|text| !text.is_empty()).map(str::to_owned);
        Self { caller: cx.caller().clone(), context }
    }

    /// The company, if the caller has a place in it.
    pub fn company(&self, tx: &mut Tx<'_>) -> Result<Object<Organization>, Error> {
        match &self.context {
            Some(uid) => standing::enter_by_uid(tx, &self.caller, uid),
            None => standing::enter(tx, &self.caller, self.caller.home().any()),
        }
    }
}

/// How callers show who they are, for the OpenAPI document.
pub fn security() -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("bearer".to_owned(), json!({"type": "http", "scheme": "bearer"}));
    map.insert("session".to_owned(), json!({"type": "apiKey", "in": "header", "name": "X-Auth-Token"}));
    map.insert("query".to_owned(), json!({"type": "apiKey", "in": "query", "name": "token"}));
    map
}
