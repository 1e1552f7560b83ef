//! A licence of somebody's product that a project has for its machines. It is asked for first, and has a key once the operator has got one.

use meetme_base::{Id, Invalid, Kind, Sealed};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ext, Nothing, access::Project, check, place::Image};

/// A licence. The row hangs on the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct License {
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How much of the product it is for, in whatever the product is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// The product: an image that needs a licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Id<Image>>,
    /// The key, entered by the operator; absent until there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Sealed>,
    /// The project.
    pub project: Id<Project>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Resource for License {
    const KIND: Kind = Kind::new("license");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("has_key", FieldType::Bool, |s| s.key.is_some().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("project", &[Project::KIND], |s| Some(s.project.any())),
        Edge::refuse("product", &[Image::KIND], |s| s.product.map(Id::any)),
    ];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.project != self.project) {
            return Err(Invalid::rule("project", "A licence cannot be given to another project."));
        }
        if self.size.is_some_and(|size| !size.is_finite() || size < 0.0) {
            return Err(Invalid::new("size", "min_value", "Ensure this value is greater than or equal to 0."));
        }
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)
    }

    fn title(&self) -> String {
        self.description.clone().unwrap_or_else(|| format!("licence of {}", self.project))
    }
}
