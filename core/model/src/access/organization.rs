//! A party: the operator, a partner, a customer. Organizations form the tenant tree; a provider is always above its customers.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ext, Labels, Nothing, check};

/// A node of the tenant tree that can own things and have members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Organization {
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is to the organization above it.
    pub form: Form,
    /// The organization above it; absent for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id<Organization>>,
    /// Its web site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<String>,
    /// Its telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where mail about bills goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_email: Option<String>,
    /// The groups it belongs to when offers are limited to groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offer_groups: Vec<String>,
    /// Whether it was made for one person alone.
    pub personal: bool,
    /// Labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What an organization is to the one above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Buys.
    #[default]
    Customer,
    /// Buys and has customers of its own.
    Partner,
    /// Buys and sells on.
    Reseller,
    /// Runs this installation.
    Operator,
}

impl Form {
    /// The stored word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Partner => "partner",
            Self::Reseller => "reseller",
            Self::Operator => "operator",
        }
    }
}

impl Resource for Organization {
    const KIND: Kind = Kind::new("organization");
    const AREA: &'static str = "access";
    const NODE: bool = true;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("form", FieldType::Text, |s: &Self| s.form.word().into())
            .words(&["customer", "partner", "reseller", "operator"]),
        Field::new("personal", FieldType::Bool, |s| s.personal.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::refuse("parent", &[Organization::KIND], |s| s.parent.map(Id::any))];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.parent != self.parent) {
            return Err(Invalid::rule("parent", "An organization cannot be moved in the tree."));
        }
        check::name("name", &self.name, 255)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
