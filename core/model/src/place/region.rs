//! A region of a cloud, as the cloud's provider divides the world.

use meetme_base::{Invalid, Kind};
use meetme_store::{Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Geo;
use crate::{Ext, Nothing, check};

/// A region of a cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Region {
    /// Whose cloud it is, in one lower-case word.
    pub provider: String,
    /// What the provider calls it.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// About where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Resource for Region {
    const KIND: Kind = Kind::new("region");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("provider", FieldType::Text, |s: &Self| s.provider.as_str().into()).indexed().searchable(),
        Field::new("code", FieldType::Text, |s: &Self| s.code.as_str().into()).searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["provider", "code"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::slug("provider", &self.provider, 50)?;
        check::slug("code", &self.code, 100)?;
        check::name("name", &self.name, 255)?;
        self.geo.map_or(Ok(()), |geo| geo.check("geo"))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
