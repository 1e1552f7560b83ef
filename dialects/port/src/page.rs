//! What clients ask to see of an entity.

use meetme_http::Query;
use serde_json::{Map, Value};

/// The representation switches of reading calls. Values a client sends by accident are read as false, never refused.
#[derive(Default)]
pub struct View {
    include: Vec<String>,
    exclude: Vec<String>,
    /// Whether relations show `{identifier, title}`.
    pub titles: bool,
}

/// Whether a flag is set.
pub fn flag(query: &Query, name: &str) -> bool {
    matches!(query.last(name), Some("true" | "True" | "1"))
}

impl View {
    /// Reads the switches.
    pub fn of(query: &Query) -> Self {
        let list = |name: &str| -> Vec<String> {
            query
                .all(name)
                .flat_map(|v| v.split(','))
                .map(|v| v.trim().trim_start_matches('$').to_owned())
                .filter(|v| !v.is_empty())
                .collect()
        };
        Self { include: list("include"), exclude: list("exclude"), titles: flag(query, "attach_title_to_relation") }
    }

    /// Leaves out what was not asked for.
    pub fn cut(&self, mut entity: Value) -> Value {
        if self.include.is_empty() && self.exclude.is_empty() {
            return entity;
        }
        if let Some(map) = entity.as_object_mut() {
            for part in ["properties", "relations"] {
                if let Some(Value::Object(inner)) = map.get_mut(part) {
                    self.cut_inner(part, inner);
                }
            }
            map.retain(|name, _| self.keeps(name));
        }
        entity
    }

    fn keeps(&self, name: &str) -> bool {
        let wanted = self.include.is_empty()
            || self.include.iter().any(|i| i == name || i.split_once('.').is_some_and(|(part, _)| part == name));
        wanted && !self.exclude.iter().any(|e| e == name)
    }

    fn cut_inner(&self, part: &str, inner: &mut Map<String, Value>) {
        let named = |list: &[String], name: &str| {
            list.iter().any(|i| i.split_once('.').is_some_and(|(p, n)| p == part && n == name))
        };
        let some = self.include.iter().any(|i| i.starts_with(&format!("{part}.")));
        let whole = self.include.iter().any(|i| i == part);
        inner.retain(|name, _| (!some || whole || named(&self.include, name)) && !named(&self.exclude, name));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_asked_for_is_shown() {
        let entity = json!({"identifier": "a", "title": "A", "properties": {"x": 1, "y": 2}, "relations": {"r": null}});
        let cut = |query: &str| View::of(&Query::parse(query)).cut(entity.clone());
        assert_eq!(cut("include=identifier&include=properties.x"), json!({"identifier": "a", "properties": {"x": 1}}));
        assert_eq!(
            cut("exclude=$title,properties.y"),
            json!({"identifier": "a", "properties": {"x": 1}, "relations": {"r": null}})
        );
        assert_eq!(cut("include="), entity);
    }
}
