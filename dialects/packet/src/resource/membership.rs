//! Memberships: who works in a project or an organization, and as what.

use meetme_app::{Error, identity, memberships};
use meetme_base::{Id, Invalid};
use meetme_http::ValueKind::Text;
use meetme_model::access::{Membership, Organization, Project, Role, User};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

/// The roles clients know, the largest first.
pub const ROLES: &[&str] = &["owner", "admin", "billing", "collaborator", "limited_collaborator"];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get(
            "list_project_memberships",
            "/projects/{id}/memberships",
            Gives::Pages("memberships", "Membership"),
            list,
        )
        .query(&["search"]),
        Row::get("get_membership", "/memberships/{id}", Gives::One("Membership"), get),
        Row::put("update_membership", "/memberships/{id}", Gives::One("Membership"), update)
            .takes(&[("role", Text), ("roles", Text)]),
        Row::delete("delete_membership", "/memberships/{id}", delete),
    ]
}

/// The built-in roles of these names, each of which must be one of `known`.
pub fn roles(
    work: &mut Work<'_, '_>,
    field: &str,
    names: &[String],
    known: &[&'static str],
) -> Result<Vec<Id<Role>>, Error> {
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        let name = known.iter().find(|known| *known == name).ok_or_else(|| Invalid::choice(field, name))?;
        let role = identity::builtin_role(work.tx, name)?;
        if !out.contains(&role) {
            out.push(role);
        }
    }
    Ok(out)
}

/// The fields of a membership.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    roles: Vec<&'static str>,
    created_at: String,
    updated_at: String,
}

impl Shown for Membership {
    const NAME: &'static str = "Membership";
    const PATH: Option<&'static str> = Some("/memberships");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("project", &[Project::KIND], |m| Some(m.scope)),
        Relation::<Self>::one("organization", &[Organization::KIND], |m| Some(m.scope)),
        Relation::<Self>::one("user", &[User::KIND], |m| Some(m.user.any())),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let roles = show.tx.many(objects.iter().flat_map(|m| m.spec.roles.iter().copied()))?;
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            roles: row.spec.roles.iter().filter_map(|id| roles.get(id)).filter_map(|role| word(&role.spec)).collect(),
            created_at: at(row.created),
            updated_at: at(row.updated),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// The word for a role: its own name, or, for one made elsewhere, the largest built-in one it holds everything of.
pub fn word(role: &Role) -> Option<&'static str> {
    if let Some(known) = ROLES.iter().find(|name| role.builtin && role.name == **name) {
        return Some(known);
    }
    let holds = |kind: &str, verb: &str| {
        role.grants.iter().any(|g| {
            g.filter.is_none()
                && g.kinds.iter().any(|k| k == "*" || k == kind)
                && g.verbs.iter().any(|v| v == "*" || v == verb)
        })
    };
    if holds("*", "*") {
        Some("admin")
    } else if holds("@metal", "create") {
        Some("collaborator")
    } else if holds("@metal", "act") {
        Some("limited_collaborator")
    } else if holds("price", "see") {
        Some("billing")
    } else {
        None
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let mut filter = Filter::eq("scope", project);
    if let Some(words) = work.asked("search") {
        let users = work.tx.ids::<User>(&Filter::Text(words.to_owned()))?;
        filter = filter.and(Filter::is_in("user", users));
    }
    work.page::<Membership>("memberships", filter, vec![Order::up("id")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Membership>("id")?))
}

/// The documents call the list `role`; clients send `roles`.
fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Membership> = work.id("id")?;
    let (role, all) = (work.ask.input.texts("role")?, work.ask.input.texts("roles")?);
    let (field, names) = if let Some(all) = all { ("roles", Some(all)) } else { ("role", role) };
    let names = names.filter(|names| !names.is_empty()).ok_or_else(|| Invalid::required(field))?;
    let roles = roles(work, field, &names, ROLES)?;
    Ok(Out::one(&memberships::change_roles(work.app, work.tx, &work.ask.subject, id, &roles)?))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Membership> = work.id("id")?;
    work.tx.remove(id)?;
    Ok(Out::Nothing)
}
