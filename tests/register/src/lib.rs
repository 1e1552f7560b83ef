//! A made-up public peering database (PeeringDB): its data in any size, the same in every run, and a small server that answers as
//! the real one does.
//!
//! Promise: it knows nothing of ours. Tests change its data and look at what it was asked.

mod data;
mod server;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use serde_json::Value;

pub use data::{EPOCH, Size};
pub use server::{Asked, Server};

/// The types, in the order in which one refers to another.
pub const TYPES: &[&str] = &[
    "org",
    "campus",
    "fac",
    "carrier",
    "carrierfac",
    "net",
    "ix",
    "ixfac",
    "ixlan",
    "ixpfx",
    "netfac",
    "netixlan",
    "poc",
];

/// A row.
#[derive(Clone, Debug)]
struct Row {
    /// When it last changed, in seconds since 1970.
    updated: i64,
    deleted: bool,
    /// Its JSON.
    text: Box<str>,
}

/// The data.
pub struct Register {
    rows: Mutex<BTreeMap<&'static str, BTreeMap<i64, Row>>>,
}

impl Register {
    /// Without a row.
    pub fn empty() -> Self {
        Self { rows: Mutex::default() }
    }

    /// With rows of every type.
    pub fn of(size: Size) -> Self {
        let register = Self::empty();
        data::fill(&mut register.rows(), size);
        register
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<&'static str, BTreeMap<i64, Row>>> {
        self.rows.lock().expect("nobody panics with the data in hand")
    }

    /// Puts a row in place of what has its number. `status` and `updated` are set.
    ///
    /// # Panics
    /// When there is no such type, or the row is no object.
    pub fn put(&self, name: &str, id: i64, updated: i64, mut row: Value) {
        let name = known(name);
        let fields = row.as_object_mut().expect("a row is an object");
        fields.insert("id".to_owned(), id.into());
        fields.entry("status").or_insert("ok".into());
        fields.insert("updated".to_owned(), data::moment(updated).into());
        let row = Row { updated, deleted: false, text: row.to_string().into() };
        self.rows().entry(name).or_default().insert(id, row);
    }

    /// A row as it is.
    ///
    /// # Panics
    /// When there is none.
    pub fn get(&self, name: &str, id: i64) -> Value {
        let rows = self.rows();
        let row = rows.get(name).and_then(|rows| rows.get(&id)).expect("there is such a row");
        serde_json::from_str(&row.text).expect("rows are JSON")
    }

    /// Removes a row, as the database does: it goes on telling that it is gone.
    ///
    /// # Panics
    /// When there is no such type.
    pub fn delete(&self, name: &str, id: i64, updated: i64) {
        let name = known(name);
        let text = format!("{{\"id\":{id},\"status\":\"deleted\",\"updated\":\"{}\"}}", data::moment(updated));
        self.rows().entry(name).or_default().insert(id, Row { updated, deleted: true, text: text.into() });
    }

    /// How many rows of a type are there.
    pub fn count(&self, name: &str) -> usize {
        self.rows().get(name).map_or(0, |rows| rows.values().filter(|row| !row.deleted).count())
    }

    /// All rows of a type, as an answer has them.
    ///
    /// # Panics
    /// When there is no such type.
    pub fn page(&self, name: &str) -> String {
        self.answer(name, None).expect("a type of the database").0
    }

    /// The answer to a question: without `since` all that is there, else all that changed from then on, the removed too.
    fn answer(&self, name: &str, since: Option<i64>) -> Option<(String, i64)> {
        let rows = self.rows();
        let rows = TYPES.iter().find(|known| **known == name).map(|known| rows.get(known))?;
        let (mut out, mut newest) = (String::from("{\"meta\":{},\"data\":["), 0);
        let wanted = rows.into_iter().flatten().filter(|(_, row)| match since {
            None => !row.deleted,
            Some(since) => row.updated >= since,
        });
        for (n, (_, row)) in wanted.enumerate() {
            out.push_str(if n > 0 { "," } else { "" });
            out.push_str(&row.text);
            newest = newest.max(row.updated);
        }
        out.push_str("]}");
        let all = rows.into_iter().flatten().map(|(_, row)| row.updated).max().unwrap_or(0);
        Some((out, newest.max(all)))
    }
}

fn known(name: &str) -> &'static str {
    TYPES.iter().find(|known| **known == name).expect("a type of the database")
}
