//! Which shared data is for which object, and in which order it is merged.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigContext;
use crate::{Nothing, check};

/// Shared data for an object of any kind that has data of its own; it goes with either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigContextAssignment {
    /// The object.
    pub object: RawId,
    /// What the object is, in the words of [`crate::ops::subject`]. Decided by the core whatever a caller says.
    #[serde(default)]
    pub sort: String,
    /// The data.
    pub context: Id<ConfigContext>,
    /// What is heavier is merged later, over what is lighter.
    #[serde(default = "usual")]
    pub weight: u16,
}

const fn usual() -> u16 {
    ConfigContextAssignment::WEIGHT
}

impl ConfigContextAssignment {
    /// The weight when nobody says.
    pub const WEIGHT: u16 = 1000;
    /// The largest weight.
    pub const HEAVIEST: u16 = 32_767;
}

impl Resource for ConfigContextAssignment {
    const KIND: Kind = Kind::new("config_context_assignment");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("sort", FieldType::Text, |s: &Self| s.sort.as_str().into()).indexed(),
        Field::new("weight", FieldType::Int, |s| s.weight.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("object", &[], |s| Some(s.object)),
        Edge::cascade("context", &[ConfigContext::KIND], |s| Some(s.context.any())),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["object", "context"]];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "weight"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::range("weight", self.weight, 0, Self::HEAVIEST)
    }

    fn title(&self) -> String {
        format!("context {} of {}", self.context, self.object)
    }
}
