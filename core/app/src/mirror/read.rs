//! Reading an answer of the public peering database. A row that cannot be read is passed over and named; the others count.

use std::collections::BTreeMap;

use meetme_model::mirror::Mirrored;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::keep::{Batch, Fetched};

/// What every answer is.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// What tells what a row is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: Option<i64>,
    #[serde(default)]
    status: Option<String>,
}

/// Reads an answer: `{"data": [...]}`. Of two rows with one number the last counts.
pub(super) fn read<R: Mirrored>(body: &[u8]) -> Result<Box<dyn Batch>, String> {
    let answer: Answer<'_> =
        serde_json::from_slice(body).map_err(|e| format!("what was answered for {} is no list: {e}", R::TYPE))?;
    let mut rows = BTreeMap::new();
    let mut out = Fetched::<R>::default();
    for raw in answer.data {
        let Ok(Head { id: Some(id), status }) = serde_json::from_str::<Head>(raw.get()) else {
            out.refuse(format!("{}: a row without a number", R::TYPE));
            continue;
        };
        match status.as_deref() {
            Some("deleted") => out.gone.push(id),
            // Not yet approved by its owner: nobody else's business.
            Some("pending") => {}
            _ => match serde_json::from_str::<R>(raw.get()) {
                Ok(row) => {
                    rows.insert(id, row);
                }
                Err(e) => out.refuse(format!("{} {id}: {e}", R::TYPE)),
            },
        }
    }
    out.rows = rows.into_values().collect();
    Ok(Box::new(out))
}

#[cfg(test)]
mod tests {
    use meetme_model::mirror::PdbNetwork;

    use super::read;

    #[test]
    fn a_bad_row_costs_itself_only() {
        let body = br#"{"meta": {}, "data": [
            {"id": 1, "org_id": 1, "asn": 64500, "name": "A", "status": "ok"},
            {"id": 2, "org_id": 1, "asn": 0, "name": "B", "status": "ok"},
            {"name": "nobody"},
            {"id": 3, "status": "deleted"},
            {"id": 4, "org_id": 1, "asn": 64502, "name": "P", "status": "pending"},
            {"id": 1, "org_id": 1, "asn": 64500, "name": "Again", "status": "ok"}]}"#;
        let batch = read::<PdbNetwork>(body).unwrap();
        assert_eq!(batch.counts(), (1, 1, 2));
        assert!(read::<PdbNetwork>(b"<html>").is_err());
        assert!(read::<PdbNetwork>(b"{\"meta\": {}}").is_err());
    }
}
