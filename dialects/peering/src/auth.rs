//! Who asks. A refusal is always a 403, and it comes before the body is read: also of a list, which may hold thousands of rows.

use std::{collections::HashMap, sync::OnceLock};

use http::Method;
use meetme_app::{
    AuthFailure, Caller, Error,
    identity::{self, Credential, Door},
};
use meetme_base::Kind;
use meetme_http::{Cx, Soon};
use meetme_store::Filter;
use serde_json::{Map, Value, json};

use crate::{NAME, models, portal};

/// What is said to whoever may not.
pub const FORBIDDEN: &str = "You do not have permission to perform this action.";

/// Recognises the token, and refuses what it may not do at all.
pub fn authenticate(cx: &Cx) -> Soon<'_, Result<Caller, Error>> {
    Box::pin(async move {
        let header = cx.header("authorization").unwrap_or_default();
        // Other schemes are not known here and count as nothing sent.
        let Some(token) = header.strip_prefix("Token").filter(|rest| rest.is_empty() || rest.starts_with(' ')) else {
            return match verb(&cx.method) {
                None => identity::anonymous(&cx.app, door(cx)),
                // Whether anybody may ask for peering is for the portal to say.
                Some(_) if cx.op.starts_with(portal::OPERATIONS) => identity::anonymous(&cx.app, door(cx)),
                Some(_) => Err(Error::Unauthenticated(AuthFailure::Absent)),
            };
        };
        let token = token.trim();
        if token.is_empty() || token.contains(' ') {
            return Err(Error::Unauthenticated(AuthFailure::Malformed));
        }
        let caller = identity::authenticate(&cx.app, door(cx), Credential::Secret(token)).await?;
        if let Some(verb) = verb(&cx.method) {
            let none = kind(cx.op).is_some_and(|kind| *caller.scope.rows(kind, verb) == Filter::Never);
            if caller.subject.read_only || none {
                return Err(Error::Denied(FORBIDDEN.to_owned()));
            }
        }
        Ok(caller)
    })
}

fn door(cx: &Cx) -> Door {
    Door { dialect: NAME, request: cx.request_id, ip: Some(cx.peer) }
}

/// The right that a method needs; reading needs none beyond being known, or not even that where the operator says so.
fn verb(method: &Method) -> Option<&'static str> {
    match *method {
        Method::POST => Some("create"),
        Method::PUT | Method::PATCH => Some("change"),
        Method::DELETE => Some("remove"),
        _ => None,
    }
}

/// The kind that an operation is about.
fn kind(op: &str) -> Option<Kind> {
    static KINDS: OnceLock<HashMap<String, Kind>> = OnceLock::new();
    let kinds = KINDS.get_or_init(|| {
        let about = models::ALL.iter().map(|model| model.about());
        about.flat_map(|about| crate::ops::ids(about).into_iter().map(|id| (id, about.kind))).collect()
    });
    kinds.get(op).copied()
}

/// How callers show who they are.
pub fn security() -> Map<String, Value> {
    let scheme = json!({
        "type": "apiKey", "in": "header", "name": "Authorization",
        "description": "`Token` and a blank before 40 hexadecimal digits.",
    });
    Map::from_iter([("tokenAuth".to_owned(), scheme)])
}
