//! How much of something a project may have without asking: the operator's word, kept on the operator's own node, so that nobody
//! raises their own.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Organization, Project};
use crate::{Nothing, check};

/// A limit on what a project has without anybody's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// What is limited: a fixed word of the operation that looks here, such as `reserved_public4`.
    pub what: String,
    /// How many, in the unit of that operation.
    pub limit: u32,
    /// The project that it holds for, or the organization for each of whose projects it holds that have none of their own.
    pub scope: RawId,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Resource for Quota {
    const KIND: Kind = Kind::new("quota");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("what", FieldType::Text, |s: &Self| s.what.as_str().into()).searchable(),
        Field::new("limit", FieldType::Int, |s| s.limit.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] =
        &[Edge::cascade("scope", &[Organization::KIND, Project::KIND], |s| Some(s.scope))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["scope", "what"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| (&b.what, b.scope) != (&self.what, self.scope)) {
            return Err(Invalid::rule("scope", "A quota is for one thing in one place; make another."));
        }
        check::slug("what", &self.what, 50)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)
    }

    fn title(&self) -> String {
        format!("{} of {}", self.limit, self.what)
    }
}

impl Quota {
    /// So many of that for a project, or for each project of an organization.
    pub fn new(what: impl Into<String>, limit: u32, scope: Id<Project>) -> Self {
        Self { what: what.into(), limit, scope: scope.any(), description: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_stays_where_it_is() {
        let one = Quota::new("reserved_public4", 64, Id::new(3));
        assert_eq!(one.check(None), Ok(()));
        assert_eq!(Quota { limit: 128, ..one.clone() }.check(Some(&one)), Ok(()));
        let moved = Quota { scope: RawId::new(4), ..one.clone() };
        assert_eq!(moved.check(Some(&one)).unwrap_err().field, "scope");
        assert_eq!(Quota::new("two words", 1, Id::new(3)).check(None).unwrap_err().field, "what");
    }
}
