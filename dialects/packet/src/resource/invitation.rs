//! Invitations into organizations and projects.

use meetme_app::{
    Error,
    invitations::{self, NewInvitation},
};
use meetme_base::{Id, RawId, Uid};
use meetme_http::{ValueKind::Text, Verb};
use meetme_model::access::{Invitation, Organization, Project, User};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::membership::{ROLES, roles};
use crate::{
    error::renamed,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("Invitation");
const LIST: Gives = Gives::Pages("invitations", "Invitation");
const INPUTS: Takes =
    &[("invitee", Text), ("message", Text), ("roles", Text), ("projects_ids", Text), ("organization_id", Text)];
/// The roles an invitation may give: whoever shall own something is made an owner once they are there.
const GIVEN: &[&str] = ROLES.split_at(1).1;
/// What somebody is who is invited without words: as little as there is.
const USUAL: &str = "limited_collaborator";

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_invitations", "/invitations", LIST, list_mine),
        Row::get("get_invitation", "/invitations/{id}", ONE, get).query(&["nonce"]),
        Row::post("resend_invitation", "/invitations/{id}", ONE, resend).status(200).verb(Verb::Act),
        Row::put("accept_invitation", "/invitations/{id}", Gives::One("Membership"), accept).takes(&[("nonce", Text)]),
        Row::delete("decline_invitation", "/invitations/{id}", decline).query(&["nonce"]),
        Row::get("list_project_invitations", "/projects/{id}/invitations", LIST, list_of_project),
        Row::post("create_project_invitation", "/projects/{id}/invitations", ONE, create_in_project).takes(INPUTS),
        Row::get("list_organization_invitations", "/organizations/{id}/invitations", LIST, list_of_organization),
        Row::post("create_organization_invitation", "/organizations/{id}/invitations", ONE, create_in_organization)
            .takes(INPUTS),
    ]
}

/// The fields of an invitation. Lists of them promise memberships, so it has what those have too.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    roles: Vec<&'static str>,
    invitee: String,
    created_at: String,
    updated_at: String,
    projects_ids: Vec<String>,
    invitation: Link,
    /// Whoever is invited need not be a user yet: a link that leads nowhere, as things without a path of their own have.
    user: Link,
    /// Such a link where the whole organization is meant; the relation of this name says which project it is otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Link>,
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
        Relation::<Self>::one("project", &[Project::KIND], |i| i.projects.first().map(|p| p.any())),
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
            user: Link { href: format!("#{}", row.uid) },
            project: match row.spec.projects.first().and_then(|id| projects.get(id)) {
                Some(found) if !Project::is_hidden(found) => None,
                _ => Some(Link { href: format!("#{}", row.uid) }),
            },
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// The id in the path, and the text of the letter if one was sent along.
fn named(work: &Work<'_, '_>) -> Result<(Uid, Option<String>), Error> {
    let text = work.param("id")?;
    let uid = text.parse().map_err(|()| Error::missing(Invitation::KIND, text))?;
    Ok((uid, work.ask.input.words("nonce")?))
}

fn list_mine(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = invitations::of_person(work.tx, &work.ask.subject)?;
    work.page_apart::<Invitation>("invitations", &filter, vec![Order::up("id")])
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let filter = Filter::eq("tenant", project).or(Filter::eq("projects", project));
    work.page::<Invitation>("invitations", filter, vec![Order::up("id")])
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    work.page::<Invitation>("invitations", Filter::eq("scope", organization), vec![Order::up("id")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let (uid, nonce) = named(work)?;
    let seen = invitations::find(work.app, work.tx, &work.ask.subject, uid, nonce.as_deref())?;
    if seen.is_theirs { work.apart(seen.row.id) } else { Ok(Out::one(&seen.row)) }
}

fn create_in_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    create(work, project.any())
}

fn create_in_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    create(work, organization.any())
}

fn create(work: &mut Work<'_, '_>, node: RawId) -> Result<Out, Error> {
    let mut projects = Vec::new();
    for text in work.ask.input.texts("projects_ids")?.unwrap_or_default() {
        let project = work.row::<Project>(&text).map_err(|_| super::unknown("projects_ids", &text))?;
        projects.push(project.id);
    }
    let names = work.ask.input.texts("roles")?.filter(|names| !names.is_empty());
    let new = NewInvitation {
        email: work.ask.input.required("invitee")?,
        message: work.ask.input.words("message")?,
        roles: roles(work, "roles", &names.unwrap_or_else(|| vec![USUAL.to_owned()]), GIVEN)?,
        projects,
        ..NewInvitation::default()
    };
    let made = invitations::invite(work.app, work.tx, &work.ask.subject, node, &new);
    let made = made.map_err(|e| renamed(renamed(e, "email", "invitee"), "projects", "projects_ids"))?;
    Ok(Out::one(&made))
}

fn resend(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    Ok(Out::one(&invitations::resend(work.app, work.tx, id)?))
}

/// Whoever accepts had no rights there until now, so the answer is drawn apart from those they had.
fn accept(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let (uid, nonce) = named(work)?;
    let place = invitations::accept(work.app, work.tx, &work.ask.subject, uid, nonce.as_deref())?;
    work.apart(place.id)
}

fn decline(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let (uid, nonce) = named(work)?;
    invitations::decline(work.app, work.tx, &work.ask.subject, uid, nonce.as_deref())?;
    Ok(Out::Nothing)
}
