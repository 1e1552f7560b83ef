//! API keys of users and of projects.

use meetme_app::{
    Error,
    identity::{self, Giver, NewKey},
};
use meetme_base::{Id, RawId};
use meetme_http::ValueKind::{Boolean, Text};
use meetme_model::access::{Key, Project, User};
use meetme_store::{Filter, Object, Op, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::user::me;
use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("ApiKey");
const LIST: Gives = Gives::List("api_keys", "ApiKey");
const INPUTS: Takes = &[("description", Text), ("read_only", Boolean)];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_user_api_keys", "/user/api-keys", LIST, list_mine).query(&["search"]),
        Row::post("create_user_api_key", "/user/api-keys", ONE, create_mine).takes(INPUTS),
        Row::delete("delete_user_api_key", "/user/api-keys/{id}", delete),
        Row::get("list_project_api_keys", "/projects/{id}/api-keys", LIST, list_of_project),
        Row::post("create_project_api_key", "/projects/{id}/api-keys", ONE, create_in_project).takes(INPUTS),
        Row::delete("delete_api_key", "/api-keys/{id}", delete),
    ]
}

/// The fields of a key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    /// Only of keys that were made through this API, as others are kept as a hash alone, and only for who could make such a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    description: String,
    read_only: bool,
    created_at: String,
    updated_at: String,
}

impl Shown for Key {
    const NAME: &'static str = "ApiKey";
    const PATH: Option<&'static str> = Some("/api-keys");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("user", &[User::KIND], |k| Some(k.owner)).or_null(),
        Relation::<Self>::one("project", &[Project::KIND], |k| Some(k.owner)).or_null(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let mut wire = |row: &Object<Self>| {
            let secret = identity::read_secret(show.app, show.tx, show.subject, row)?;
            Ok(Wire {
                id: row.uid.to_string(),
                token: secret.map(|secret| secret.expose().clone()),
                description: row.spec.name.clone(),
                read_only: row.spec.read_only,
                created_at: at(row.created),
                updated_at: at(row.updated),
            })
        };
        objects.iter().map(&mut wire).collect()
    }
}

fn list_mine(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let me = me(work)?;
    let mut filter = Filter::eq("owner", me);
    if let Some(text) = work.asked("search") {
        filter = filter.and(Filter::is("name", Op::ContainsFold(text.to_owned())));
    }
    work.every::<Key>("api_keys", filter, vec![Order::up("id")])
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    work.every::<Key>("api_keys", Filter::eq("owner", project), vec![Order::up("id")])
}

fn create_mine(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let me = me(work)?;
    create(work, me.any())
}

fn create_in_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    create(work, project.any())
}

fn create(work: &mut Work<'_, '_>, owner: RawId) -> Result<Out, Error> {
    let input = &work.ask.input;
    let new = NewKey {
        name: input.words("description")?.unwrap_or_else(|| "key".to_owned()),
        read_only: input.flag("read_only")?.unwrap_or(false),
        readable: true,
        ..NewKey::default()
    };
    let made = identity::create_key(work.app, work.tx, Giver::Caller(&work.ask.subject), owner, &new)?;
    Ok(Out::one(&made.key))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Key> = work.id("id")?;
    work.tx.remove(id)?;
    Ok(Out::Nothing)
}
