//! Passwords of users on their way in: hashed before the transaction begins, since that is slow on purpose and nobody else should wait.

use meetme_app::identity;
use meetme_base::{Invalid, Secret};
use meetme_http::Problem;
use serde_json::{Value as Json, json};

use crate::{engine::AnyModel, models::user};

/// The most users of one request that have their passwords set: each takes a good part of a second of a processor.
const MOST: usize = 50;

/// The member that holds a hash made here. A caller's own is taken out before.
const HASH: &str = "hash";

/// Puts the hash in the place of each password, where the rows are users.
pub async fn hash(model: &'static dyn AnyModel, rows: &mut [Json]) -> Result<(), Problem> {
    if model.about().name != user::MODEL.about.name {
        return Ok(());
    }
    if rows.iter().filter(|row| row.get("password").is_some()).count() > MOST {
        let text = format!("At most {MOST} passwords are set at once.");
        return Err(Invalid::new("password", "wire", text).into());
    }
    for password in rows.iter_mut().filter_map(|row| row.get_mut("password")) {
        let sent = match password.take() {
            Json::String(text) => text,
            Json::Number(number) => number.to_string(),
            _ => continue,
        };
        // What will be refused is left for the field to refuse.
        if sent.is_empty() || sent.chars().count() > 128 {
            *password = Json::String(sent);
            continue;
        }
        let hash = identity::hash_password_away(Secret::new(sent)).await?;
        *password = json!({HASH: hash.as_str()});
    }
    Ok(())
}

/// The hash in what [`hash`] left; the error is the text of the refusal.
pub fn hashed(value: &Json) -> Result<&str, String> {
    match value {
        Json::Object(map) => map.get(HASH).and_then(Json::as_str).ok_or_else(|| "Not a valid string.".to_owned()),
        Json::String(text) if text.is_empty() => Err("This field may not be blank.".to_owned()),
        Json::String(_) => Err("Ensure this field has no more than 128 characters.".to_owned()),
        _ => Err("Not a valid string.".to_owned()),
    }
}
