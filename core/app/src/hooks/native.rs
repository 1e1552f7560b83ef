//! A change in our own words: the names of kinds and fields that the native API has.

use meetme_base::Id;
use meetme_model::ops::Hook;
use meetme_store::{Change, Filter, Object, Query, Tx};
use serde_json::{Value as Json, json};

use super::Voice;
use crate::Error;

/// The native dialect.
pub struct Native;

impl Voice for Native {
    fn dialect(&self) -> &'static str {
        "native"
    }

    fn tell(&self, tx: &mut Tx<'_>, _: &Object<Hook>, change: &Change) -> Result<Option<Json>, Error> {
        let Some(info) = tx.registry().kind(change.kind.name()) else { return Ok(None) };
        // The row as it was after this change where nobody has changed it since, with its state; else what the log knows.
        let now = tx.list_any(info, &Query::of(Filter::eq("id", Id::<()>::new(change.id.get()))))?.pop();
        let now = now.filter(|row| row.version == change.version);
        let spec =
            now.as_ref().map(|row| row.spec.clone()).or_else(|| change.after.clone()).or_else(|| change.before.clone());
        let status = now.as_ref().map_or(Json::Null, |row| row.status.clone());
        Ok(Some(json!({
            "event": change.verb.name(),
            "timestamp": change.at.rfc3339_micros(),
            "kind": change.kind.name(),
            "username": change.actor_name,
            "request_id": change.request.to_string(),
            "code": change.code,
            "text": change.note,
            "data": {"kind": change.kind.name(), "id": change.id, "title": change.title, "spec": spec, "status": status},
            "snapshots": {"before": change.before, "after": change.after},
        })))
    }
}
