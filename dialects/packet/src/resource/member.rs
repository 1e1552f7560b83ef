//! The people of an organization and of its projects: not rows, but what the memberships of one person come to.

use meetme_app::{
    Error,
    memberships::{self, Member},
};
use meetme_base::{Id, RawId};
use meetme_model::access::{Organization, Project, Role, User};
use meetme_store::Resource as _;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use super::membership::{ROLES, word};
use crate::{
    page::{Link, Page},
    show::Show,
    text::{Text, Writer},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_organization_members", "/organizations/{id}/members", Gives::Pages("members", "Member"), list),
        Row::delete("delete_organization_member", "/organizations/{id}/members/{member_id}", delete),
    ]
}

/// The fields of a member, who goes by the id of the user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    /// The roles in the organization; where there are none, those in its projects.
    roles: Vec<&'static str>,
    projects_count: usize,
    projects: Vec<Link>,
    organization: Link,
    href: String,
}

/// The schema of a member, who is no row.
pub fn schema(generator: &mut SchemaGenerator) -> Value {
    Wire::json_schema(generator).to_value()
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization = work.named::<Organization>("id")?;
    let page = Page::of(&work.ask.query)?;
    let members = memberships::members(work.tx, organization.id)?;
    let total = members.len() as u64;
    let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let shown: Vec<&Member> = members.iter().skip(skip).take(page.limit() as usize).collect();
    let places = || shown.iter().flat_map(|member| &member.places);
    let roles = work.tx.many::<Role>(places().flat_map(|place| place.spec.roles.iter().copied()))?;
    let node = organization.id.any();
    let projects =
        work.tx.many::<Project>(places().map(|p| p.spec.scope).filter(|scope| *scope != node).map(RawId::of))?;
    let users: Vec<RawId> = shown.iter().map(|member| member.user.any()).collect();
    let wants = work.ask.wants.below("user");
    let is_whole = work.ask.wants.is_whole("user", false);
    let mut show = work.show();
    let whole = if is_whole { show.whole(User::KIND, &users, &wants)? } else { Default::default() };
    let people = show.tx.many(users.iter().map(|id| id.of::<User>()))?;
    let base = show.href::<Organization>(organization.uid);
    let draw = |show: &Show<'_, '_>, member: &Member| -> Result<Option<Text>, Error> {
        let Some(user) = people.get(&member.user) else { return Ok(None) };
        let own = member.places.iter().filter(|place| place.spec.scope == node);
        let counted: Vec<_> = if own.clone().next().is_some() { own.collect() } else { member.places.iter().collect() };
        let held: Vec<&str> = counted
            .iter()
            .flat_map(|place| &place.spec.roles)
            .filter_map(|id: &Id<Role>| roles.get(id))
            .filter_map(|role| word(&role.spec))
            .collect();
        let links = member.places.iter().filter_map(|place| projects.get(&place.spec.scope.of()));
        let projects: Vec<Link> = links.map(|p| Link { href: show.href::<Project>(p.uid) }).collect();
        let wire = Wire {
            id: user.uid.to_string(),
            roles: ROLES.iter().copied().filter(|name| held.contains(name)).collect(),
            projects_count: projects.len(),
            projects,
            organization: Link { href: base.clone() },
            href: format!("{base}/members/{}", user.uid),
        };
        let mut out = Writer::with(&wire)?;
        let link = || Text::link(&show.href::<User>(user.uid));
        out.put("user", &whole.get(&user.id.any()).cloned().unwrap_or_else(link));
        Ok(Some(out.finish().into()))
    };
    let mut drawn = Vec::with_capacity(shown.len());
    for member in &shown {
        drawn.extend(draw(&show, member)?);
    }
    work.listed("members", &drawn, page, total)
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization = work.id::<Organization>("id")?;
    let text = work.param("member_id")?.to_owned();
    let missing = || Error::missing(User::KIND, &text);
    let uid = text.parse().map_err(|()| missing())?;
    let user = work.tx.as_system(|tx| tx.by_uid::<User>(uid)).map_err(|_| missing())?.id;
    memberships::dismiss(work.tx, organization, user)?;
    Ok(Out::Nothing)
}
