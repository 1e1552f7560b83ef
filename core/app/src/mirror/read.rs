//! Reading an answer of the public peering database. A row that cannot be read is passed over and named; the others count.
//!
//! An answer is tens of megabytes of text. It is read as a stream, a row at a time, so that it is never in memory together with its rows.

use std::{
    collections::BTreeMap,
    fmt,
    io::{BufReader, Read},
};

use meetme_model::mirror::Mirrored;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::keep::{Batch, Fetched};

/// What tells what a row is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: Option<i64>,
    #[serde(default)]
    status: Option<String>,
}

/// What was read so far.
struct Reading<R> {
    rows: BTreeMap<i64, R>,
    out: Fetched<R>,
}

impl<R: Mirrored> Reading<R> {
    fn row(&mut self, raw: &str) {
        let Ok(Head { id: Some(id), status }) = serde_json::from_str::<Head>(raw) else {
            self.out.refuse(format!("{}: a row without a number", R::TYPE));
            return;
        };
        match status.as_deref() {
            Some("deleted") => self.out.gone.push(id),
            // Not yet approved by its owner: nobody else's business.
            Some("pending") => {}
            _ => match serde_json::from_str::<R>(raw) {
                Ok(row) => {
                    self.rows.insert(id, row);
                }
                Err(e) => self.out.refuse(format!("{} {id}: {e}", R::TYPE)),
            },
        }
    }
}

/// The answer: `{"data": [...]}`, beside members that say nothing to us.
struct Answer<'a, R>(&'a mut Reading<R>);

impl<'de, R: Mirrored> Visitor<'de> for Answer<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "data" {
                found = true;
                map.next_value_seed(Data(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(serde::de::Error::missing_field("data")) }
    }
}

/// The list in it.
struct Data<'a, R>(&'a mut Reading<R>);

impl<'de, R: Mirrored> DeserializeSeed<'de> for Data<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, R: Mirrored> Visitor<'de> for Data<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(raw) = rows.next_element::<Box<RawValue>>()? {
            self.0.row(raw.get());
        }
        Ok(())
    }
}

/// Reads an answer: `{"data": [...]}`. Of two rows with one number the last counts.
pub(super) fn read<R: Mirrored>(body: &mut dyn Read) -> Result<Box<dyn Batch>, String> {
    let mut reading = Reading::<R> { rows: BTreeMap::new(), out: Fetched::default() };
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(body));
    let read = json.deserialize_map(Answer(&mut reading)).and_then(|()| json.end());
    read.map_err(|e| format!("what was answered for {} is no list: {e}", R::TYPE))?;
    let Reading { rows, mut out } = reading;
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
        let read = |mut body: &[u8]| read::<PdbNetwork>(&mut body);
        assert_eq!(read(body).unwrap().counts(), (1, 1, 2));
        for bad in ["<html>", r#"{"meta": {}}"#, r#"{"data": 1}"#, r#"{"data": [{"id": 1}"#, r#"{"data": []} more"#] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
