//! Invitations into organizations and projects, as far as other resources link to them.

use meetme_app::Error;
use meetme_model::access::{Invitation, Organization, Project, User};
use meetme_store::{Object, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::membership::ROLES;
use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![Row::get("get_invitation", "/invitations/{id}", Gives::One("Invitation"), get)]
}

/// The fields of an invitation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    roles: Vec<&'static str>,
    invitee: String,
    created_at: String,
    updated_at: String,
    projects_ids: Vec<String>,
    invitation: Link,
}

/// A link.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Link {
    href: String,
}

impl Shown for Invitation {
    const NAME: &'static str = "Invitation";
    const PATH: Option<&'static str> = Some("/invitations");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("invited_by", &[User::KIND], |i| i.by.map(|user| user.any())),
        Relation::<Self>::one("organization", &[Organization::KIND], |i| Some(i.scope.any())),
        Relation::<Self>::many("projects", &[Project::KIND], |i| i.projects.iter().map(|p| p.any()).collect()),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let roles = show.tx.many(objects.iter().flat_map(|i| i.spec.roles.iter().copied()))?;
        let projects = show.tx.many(objects.iter().flat_map(|i| i.spec.projects.iter().copied()))?;
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            roles: ROLES
                .iter()
                .copied()
                .filter(|name| row.spec.roles.iter().filter_map(|id| roles.get(id)).any(|r| r.spec.name == *name))
                .collect(),
            invitee: row.spec.email.clone(),
            created_at: at(row.created),
            updated_at: at(row.updated),
            projects_ids: row
                .spec
                .projects
                .iter()
                .filter_map(|id| projects.get(id))
                .map(|p| p.uid.to_string())
                .collect(),
            invitation: Link { href: show.href::<Self>(row.uid) },
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Invitation>("id")?))
}
