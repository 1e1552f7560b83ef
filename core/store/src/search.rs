//! Full text: words are found here, once, so that both databases index and match exactly the same tokens.

use std::collections::HashSet;

use crate::{
    Error, FieldType, Resource, Value,
    conn::{Cell, Conn, Flavour},
};

/// The most bytes of one row's text that are indexed.
const MOST: usize = 100_000;
/// The most characters of one word that count.
const WORD: usize = 60;

/// Splits a text into folded words of ASCII letters and digits. Other letters are spelled out in hexadecimal, which keeps
/// prefixes prefixes and leaves nothing to the databases' own ideas of a letter.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for word in crate::fold(text).split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let mut token = String::with_capacity(word.len());
        for c in word.chars().take(WORD) {
            if c.is_ascii_alphanumeric() {
                token.push(c);
            } else {
                token.push_str(&format!("qz{:06x}", c as u32));
            }
        }
        if known.insert(token.clone()) {
            out.push(token);
        }
    }
    out
}

/// The text of a row that a search finds: all its searchable fields.
pub(crate) fn text_of<R: Resource>(spec: &R, status: &R::Status) -> String {
    join(R::FIELDS.iter().filter(|f| f.searchable).map(|f| f.value(spec, status)))
}

/// The text that values give to the index.
pub(crate) fn join(values: impl Iterator<Item = Value>) -> String {
    let mut out = String::new();
    for value in values {
        if !out.is_empty() {
            out.push(' ');
        }
        match value {
            Value::Text(s) => out.push_str(&s),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Ip(ip) => out.push_str(&ip.to_string()),
            Value::Net(n) => out.push_str(&n.to_string()),
            Value::Texts(list) => out.push_str(&list.join(" ")),
            _ => {}
        }
    }
    let mut end = out.len().min(MOST);
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// Whether the kind has anything to index.
pub(crate) fn wanted<R: Resource>() -> bool {
    R::FIELDS.iter().any(|f| f.searchable && f.ty != FieldType::Bool)
}

/// Whether every word of `query` begins a word of `text`.
pub(crate) fn matches(query: &str, text: &str) -> bool {
    let have = words(text);
    words(query).iter().all(|w| have.iter().any(|h| h.starts_with(w.as_str())))
}

/// Puts the words of a new row into the index.
pub(crate) fn add(conn: &mut dyn Conn, id: i64, text: &str) -> Result<(), Error> {
    let words = words(text);
    let sql = match conn.flavour() {
        Flavour::Sqlite => "INSERT INTO search (rowid, words) VALUES (?1, ?2)",
        Flavour::Postgres => {
            "INSERT INTO search (id, words) VALUES (?1, array_to_tsvector(string_to_array(CAST(?2 AS TEXT), ' ')))"
        }
    };
    conn.execute(sql, &[Cell::Int(id), Cell::Text(words.join(" "))])?;
    Ok(())
}

/// Puts the words of a row into the index in place of those that are there.
pub(crate) fn put(conn: &mut dyn Conn, id: i64, text: &str) -> Result<(), Error> {
    let words = words(text);
    let sql = match conn.flavour() {
        Flavour::Sqlite => "INSERT OR REPLACE INTO search (rowid, words) VALUES (?1, ?2)",
        Flavour::Postgres => {
            "INSERT INTO search (id, words) VALUES (?1, array_to_tsvector(string_to_array(CAST(?2 AS TEXT), ' '))) \
             ON CONFLICT (id) DO UPDATE SET words = excluded.words"
        }
    };
    conn.execute(sql, &[Cell::Int(id), Cell::Text(words.join(" "))])?;
    Ok(())
}

pub(crate) fn delete(conn: &mut dyn Conn, id: i64) -> Result<(), Error> {
    let sql = match conn.flavour() {
        Flavour::Sqlite => "DELETE FROM search WHERE rowid = ?1",
        Flavour::Postgres => "DELETE FROM search WHERE id = ?1",
    };
    conn.execute(sql, &[Cell::Int(id)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ascii_and_prefixes_stay_prefixes() {
        assert_eq!(words("Some-IX, AS64500 some"), ["some", "ix", "as64500"]);
        assert!(matches("zür", "Zürich West") && !matches("west zug", "Zürich West"));
        assert!(words("日本").iter().all(|w| w.is_ascii()));
    }
}
