//! A request that another organization take over a project. Once it is accepted, declined or withdrawn its row goes; the change log
//! remembers.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Organization, Project, User};
use crate::Nothing;

/// A request that waits for an answer. The row hangs on the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    /// The project.
    pub project: Id<Project>,
    /// The organization that is asked to take it.
    pub to: Id<Organization>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Id<User>>,
}

impl Resource for Transfer {
    const KIND: Kind = Kind::new("transfer");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("project", &[Project::KIND], |s| Some(s.project.any())),
        Edge::cascade("to", &[Organization::KIND], |s| Some(s.to.any())),
        Edge::detach("by", &[User::KIND], |s| s.by.map(Id::any), |s| s.by = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["project"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| (b.project, b.to) != (self.project, self.to)) {
            return Err(Invalid::rule("to", "A request is for one project and one organization; make another one."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("project {} to organization {}", self.project, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stays_for_the_project_it_was_made_for() {
        let before = Transfer { project: Id::new(1), to: Id::new(2), by: None };
        let other = Transfer { to: Id::new(3), ..before.clone() };
        assert_eq!(other.check(Some(&before)).unwrap_err().field, "to");
        assert_eq!(before.check(Some(&before)), Ok(()));
    }
}
