//! The form of every answer since the second generation.

use meetme_http::Reply;
use serde::Serialize;
use serde_json::json;

/// What clients show below an answer.
const TERMS: &str = "Use is subject to the terms of whoever runs this installation.";

/// A good answer. `data` is never null where clients expect a list.
pub fn ok(message: &str, data: impl Serialize) -> Reply {
    Reply::ok(&json!({"message": message, "terms": TERMS, "data": data}))
}
