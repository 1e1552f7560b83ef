//! A leaf of the tenant tree: a part of an organization's things with members of its own.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Organization;
use crate::{Ext, Labels, Nothing, check, place::Billing};

/// A project of an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The organization it belongs to. It moves to another one by a transfer only, which moves its node too.
    pub organization: Id<Organization>,
    /// Whether its machines may reach those of the organization's other such projects over a private network.
    #[serde(default)]
    pub backend_transfer: bool,
    /// How it is paid for; in the organization's usual way when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Id<Billing>>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Resource for Project {
    const KIND: Kind = Kind::new("project");
    const AREA: &'static str = "access";
    const NODE: bool = true;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("organization", &[Organization::KIND], |s| Some(s.organization.any())),
        Edge::detach("billing", &[Billing::KIND], |s| s.billing.map(Id::any), |s| s.billing = None),
    ];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
