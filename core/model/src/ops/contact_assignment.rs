//! Which contact belongs to which object, and what for.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Contact, ContactRole};
use crate::Nothing;

/// A contact of an object of any kind; it goes with either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactAssignment {
    /// The object.
    pub object: RawId,
    /// What the object is, in the words of [`super::subject`]. Decided by the core whatever a caller says, so that lists can be limited
    /// to objects of one sort.
    #[serde(default)]
    pub sort: String,
    /// The contact.
    pub contact: Id<Contact>,
    /// What the contact is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Id<ContactRole>>,
}

impl Resource for ContactAssignment {
    const KIND: Kind = Kind::new("contact_assignment");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] =
        &[Field::new("sort", FieldType::Text, |s: &Self| s.sort.as_str().into()).indexed()];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("object", &[], |s| Some(s.object)),
        Edge::cascade("contact", &[Contact::KIND], |s| Some(s.contact.any())),
        Edge::refuse("role", &[ContactRole::KIND], |s| s.role.map(Id::any)),
    ];
    // Those without a role are outside of the set, as the meaning of null has it.
    const UNIQUE: &'static [&'static [&'static str]] = &[&["object", "contact", "role"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }

    fn title(&self) -> String {
        format!("contact {} of {}", self.contact, self.object)
    }
}
