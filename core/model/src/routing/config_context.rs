//! Data for templates that several objects share: it is merged into what each of them says of itself.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    ops::{DataSource, Follows},
};

/// Data for templates. Which objects it is for is said by [`super::ConfigContextAssignment`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConfigContext {
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A mark for people. It is merged all the same: what is not wished is not assigned.
    pub active: bool,
    /// The data, an object.
    pub data: serde_json::Value,
    /// The file that the data is taken from.
    #[serde(skip_serializing_if = "Follows::is_default")]
    pub follows: Follows,
}

impl Default for ConfigContext {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: None,
            active: true,
            data: serde_json::Value::Object(serde_json::Map::new()),
            follows: Follows::default(),
        }
    }
}

impl Resource for ConfigContext {
    const KIND: Kind = Kind::new("config_context");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("active", FieldType::Bool, |s| s.active.into()),
        Field::new("data_path", FieldType::Text, |s| s.follows.path.as_str().into()),
        Field::new("automatic", FieldType::Bool, |s| s.follows.automatic.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::detach(
        "source",
        &[DataSource::KIND],
        |s| s.follows.source.map(Id::any),
        |s| s.follows = Follows::default(),
    )];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        self.follows.check()?;
        if self.data.is_object() { Ok(()) } else { Err(Invalid::format("data", "a JSON object")) }
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_an_object_so_that_it_can_be_merged() {
        let with = |data| ConfigContext { name: "Lab".into(), data, ..ConfigContext::default() };
        assert_eq!(with(serde_json::json!({"mtu": 9000})).check(None), Ok(()));
        assert_eq!(with(serde_json::json!([1])).check(None).unwrap_err().field, "data");
    }
}
