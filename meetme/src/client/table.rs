//! Answers as columns for people.

use std::io::{self, Write};

use serde_json::Value;

/// The widest a column of a list gets.
const WIDEST: usize = 48;
/// How many fields of a kind a list shows.
const FIELDS: usize = 6;

/// A value on one line.
pub fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text_in_list).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    // What a row holds must not move the cursor of the terminal it is shown on.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn text_in_list(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Lines under headings, each column as wide as it needs.
///
/// # Errors
/// When nothing can be written.
pub fn columns(out: &mut impl Write, headings: &[&str], lines: Vec<Vec<String>>) -> io::Result<()> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count().min(WIDEST));
        }
    }
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    for line in std::iter::once(&headings).chain(&lines) {
        let mut whole = String::new();
        for (i, (width, cell)) in widths.iter().zip(line).enumerate() {
            let last = i + 1 == line.len();
            let mut cell = cell.clone();
            if cell.chars().count() > *width && !last {
                cell = cell.chars().take(width.saturating_sub(1)).chain(['…']).collect();
            }
            whole.push_str(&cell);
            if !last {
                whole.push_str(&" ".repeat(width - cell.chars().count() + 2));
            }
        }
        writeln!(out, "{}", whole.trim_end())?;
    }
    Ok(())
}

/// The rows of a kind: its id, its title, and the fields that its description gives first and that any row has.
///
/// # Errors
/// When nothing can be written.
pub fn rows(out: &mut impl Write, kind: &Value, rows: &[Value]) -> io::Result<()> {
    let named = |list: &str| {
        let list = kind[list].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), one["of"] == "status"))
            .collect::<Vec<_>>()
    };
    let mut fields = named("fields");
    // Where things stand is what people look for first.
    fields.sort_by_key(|(name, _)| !matches!(name.as_str(), "phase" | "state" | "admin"));
    fields.extend(named("edges"));
    let value = |row: &Value, name: &str, of_status: bool| {
        let part = if of_status { "status" } else { "spec" };
        row[part].get(name).map(text).unwrap_or_default()
    };
    let title = |row: &Value| text(&row["title"]);
    fields.retain(|(name, of_status)| {
        let shown = |row: &&Value| !value(row, name, *of_status).is_empty();
        rows.iter().any(|row| shown(&row)) && rows.iter().any(|row| value(row, name, *of_status) != title(row))
    });
    fields.truncate(FIELDS);
    let headings: Vec<String> = fields.iter().map(|(name, _)| name.to_uppercase()).collect();
    let all: Vec<&str> = ["ID", "TITLE"].into_iter().chain(headings.iter().map(String::as_str)).collect();
    let lines = rows.iter().map(|row| {
        let own = fields.iter().map(|(name, of_status)| value(row, name, *of_status));
        [text(&row["id"]), title(row)].into_iter().chain(own).collect()
    });
    columns(out, &all, lines.collect())
}

/// The members of an object, those of objects within indented by their names.
///
/// # Errors
/// When nothing can be written.
pub fn members(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let mut lines = Vec::new();
    gather(value, "", &mut lines);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in lines {
        writeln!(out, "{name:width$}  {value}")?;
    }
    Ok(())
}

fn gather(value: &Value, at: &str, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("$sealed") => {
            lines.push((at.to_owned(), "(secret)".to_owned()))
        }
        Value::Object(map) => {
            for (name, value) in map {
                let name: String = name.chars().filter(|c| !c.is_control()).collect();
                gather(value, &if at.is_empty() { name } else { format!("{at}.{name}") }, lines);
            }
        }
        Value::Null => {}
        other => lines.push((at.to_owned(), text(other))),
    }
}

/// What a kind consists of.
///
/// # Errors
/// When nothing can be written.
pub fn kind(out: &mut impl Write, kind: &Value) -> io::Result<()> {
    let list = |name: &str| kind[name].as_array().map(Vec::as_slice).unwrap_or_default();
    writeln!(out, "{}, of {}", text(&kind["kind"]), text(&kind["area"]))?;
    if let Some(note) = kind["writes"]["note"].as_str() {
        writeln!(out, "{note}")?;
    }
    writeln!(out)?;
    let mark = |value: &Value, word: &str| if *value == Value::Bool(true) { word.to_owned() } else { String::new() };
    let fields = list("fields").iter().map(|field| {
        vec![
            text(&field["name"]),
            text(&field["type"]),
            text(&field["of"]),
            mark(&field["indexed"], "indexed"),
            text(&field["words"]),
        ]
    });
    let edges = list("edges").iter().map(|edge| {
        let to = if list_is_empty(&edge["to"]) { "any".to_owned() } else { text(&edge["to"]) };
        vec![
            text(&edge["name"]),
            format!("-> {to}"),
            "spec".to_owned(),
            mark(&edge["many"], "list"),
            text(&edge["on_delete"]),
        ]
    });
    columns(out, &["FIELD", "TYPE", "OF", "", "WORDS"], fields.chain(edges).collect())
}

fn list_is_empty(value: &Value) -> bool {
    value.as_array().is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_shows_the_fields_that_say_something() {
        let kind = json!({"fields": [
            {"name": "name", "of": "spec"}, {"name": "country", "of": "spec"}, {"name": "market", "of": "spec"},
            {"name": "phase", "of": "status"}], "edges": []});
        let row = |id: i64, name: &str, phase: &str| json!({"id": id, "title": name, "spec": {"name": name, "country": "US"}, "status": {"phase": phase}});
        let rows = [row(7, "Raleigh", "up"), row(12, "Durham\u{1b}[2J", "down")];
        assert_eq!(
            shown(|out| super::rows(out, &kind, &rows).unwrap()),
            "ID  TITLE       PHASE  COUNTRY\n7   Raleigh     up     US\n12  Durham [2J  down   US\n"
        );
    }

    #[test]
    fn a_row_shows_a_line_for_each_value_and_no_secret() {
        let row = json!({"id": 7, "spec": {"name": "a", "key": {"$sealed": true}, "tags": ["x", "y"], "none": null}});
        assert_eq!(
            shown(|out| super::members(out, &row).unwrap()),
            "id         7\nspec.name  a\nspec.key   (secret)\nspec.tags  x,y\n"
        );
    }
}
