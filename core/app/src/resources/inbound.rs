//! Secrets on their way in. A caller writes `{"$secret": "clear text"}`; before any transaction begins it becomes a sealed value, or
//! for a password its hash. What comes out is always `{"$sealed": true}`, and sent back it means "leave it as it is".

use meetme_base::{Invalid, Sealed, Secret};
use meetme_model::access::User;
use meetme_store::{KindInfo, Resource as _};
use serde_json::Value as Json;

use crate::{App, Error, identity::hash_password, offload::offload};

/// The member name of a secret in the clear.
pub const CLEAR: &str = "$secret";
/// The field that keeps a password's hash: its value is hashed and not sealed.
const PASSWORD: &str = "password_hash";

/// A document without secrets in the clear.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound(pub Json);

/// Seals what a caller sent in the clear.
///
/// # Errors
/// When a sealed value was made up by the caller, or no random bytes are to be had.
pub async fn inbound(app: &App, kind: &KindInfo, mut document: Json) -> Result<Inbound, Error> {
    let password = document.get(PASSWORD).filter(|_| kind.kind == User::KIND).and_then(clear).map(str::to_owned);
    let mut hashed = Json::Null;
    if let Some(text) = password {
        if text.is_empty() {
            return Err(Invalid::new(PASSWORD, "blank", "This field may not be blank.").into());
        }
        let hash = offload(move || hash_password(&Secret::new(text))).await??;
        hashed = serde_json::to_value(hash).map_err(|e| Error::Bug(e.to_string()))?;
        // The walk below would take it for a value made up by the caller.
        document[PASSWORD] = Json::Null;
    }
    seal(app, &mut document, "")?;
    if !hashed.is_null() {
        document[PASSWORD] = hashed;
    }
    Ok(Inbound(document))
}

fn clear(value: &Json) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get(CLEAR)?.as_str()
}

fn seal(app: &App, value: &mut Json, at: &str) -> Result<(), Error> {
    if let Some(text) = clear(value) {
        let sealed = app.sealer().seal(text)?;
        *value = serde_json::to_value(sealed).map_err(|e| Error::Bug(e.to_string()))?;
        return Ok(());
    }
    let inside = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    match value {
        Json::Object(map) => {
            if map.get(Sealed::MARK).is_some_and(Json::is_string) {
                let how = format!("A sealed value cannot be sent; send {{\"{CLEAR}\": \"the secret\"}}.");
                return Err(Invalid::new(at, "secret", how).into());
            }
            map.iter_mut().try_for_each(|(name, member)| seal(app, member, &inside(name)))
        }
        Json::Array(list) => {
            list.iter_mut().enumerate().try_for_each(|(i, member)| seal(app, member, &inside(&i.to_string())))
        }
        _ => Ok(()),
    }
}
