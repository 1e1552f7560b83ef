//! Data for templates that several objects share: it is merged into what each of them says of itself.

use meetme_base::{Invalid, Kind};
use meetme_store::{Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Nothing, check};

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
}

impl Default for ConfigContext {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: None,
            active: true,
            data: serde_json::Value::Object(serde_json::Map::new()),
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
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
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
