//! SSH keys of users and of projects.

use md5::{Digest, Md5};
use meetme_app::{Error, ssh_keys};
use meetme_base::{Id, RawId};
use meetme_http::ValueKind::Text;
use meetme_model::{
    access::{Project, SshKey, User},
    metal::Device,
};
use meetme_store::{Filter, Object, Op, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::user::me;
use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("SSHKey");
const LIST: Gives = Gives::List("ssh_keys", "SSHKey");
const INPUTS: Takes = &[("label", Text), ("key", Text)];
const SEARCH: &[&str] = &["Search string", "search", "query"];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_ssh_keys", "/ssh-keys", LIST, list_mine).query(SEARCH),
        Row::post("create_ssh_key", "/ssh-keys", ONE, create_mine).takes(INPUTS),
        Row::get("get_ssh_key", "/ssh-keys/{id}", ONE, get),
        Row::put("update_ssh_key", "/ssh-keys/{id}", ONE, update).takes(INPUTS),
        Row::patch("patch_ssh_key", "/ssh-keys/{id}", ONE, update).takes(INPUTS),
        Row::delete("delete_ssh_key", "/ssh-keys/{id}", delete),
        Row::get("list_project_ssh_keys", "/projects/{id}/ssh-keys", LIST, list_of_project).query(SEARCH),
        Row::post("create_project_ssh_key", "/projects/{id}/ssh-keys", ONE, create_in_project).takes(INPUTS),
        Row::get("list_device_ssh_keys", "/devices/{id}/ssh-keys", LIST, list_of_device).query(SEARCH),
    ]
}

/// The fields of a key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    label: String,
    key: String,
    fingerprint: String,
    created_at: String,
    updated_at: String,
    tags: Vec<String>,
}

impl Shown for SshKey {
    const NAME: &'static str = "SSHKey";
    const PATH: Option<&'static str> = Some("/ssh-keys");
    // Both names are in the wild.
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("entity", &[User::KIND, Project::KIND], |k| Some(k.owner)),
        Relation::<Self>::one("owner", &[User::KIND, Project::KIND], |k| Some(k.owner)),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            label: row.spec.label.clone(),
            key: row.spec.key.clone(),
            fingerprint: fingerprint(&row.spec),
            created_at: at(row.created),
            updated_at: at(row.updated),
            tags: Vec::new(),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// The older form of a fingerprint, which this API's clients show: MD5 in pairs of digits.
fn fingerprint(key: &SshKey) -> String {
    let print = Md5::digest(key.blob().unwrap_or_default());
    print.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

fn searched(work: &Work<'_, '_>, filter: Filter) -> Filter {
    match SEARCH.iter().find_map(|name| work.asked(name)) {
        Some(text) => filter.and(Filter::is("label", Op::ContainsFold(text.to_owned()))),
        None => filter,
    }
}

/// Keys of the caller and of the projects the caller sees: clients look here for a key that exists already.
fn list_mine(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let mine = work.ask.subject.user.map(|user| user.any());
    let projects = work.tx.ids::<Project>(&Filter::All)?;
    let owners: Vec<RawId> = mine.into_iter().chain(projects.into_iter().map(Id::any)).collect();
    let filter = searched(work, Filter::is_in("owner", owners));
    work.every::<SshKey>("ssh_keys", filter, vec![Order::up("id")])
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let filter = searched(work, Filter::eq("owner", project));
    work.every::<SshKey>("ssh_keys", filter, vec![Order::up("id")])
}

fn list_of_device(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device = work.named::<Device>("id")?;
    let filter = searched(work, Filter::is_in("id", device.spec.keys));
    work.every::<SshKey>("ssh_keys", filter, vec![Order::up("id")])
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
    let (label, key) = (work.ask.input.required("label")?, work.ask.input.required("key")?);
    Ok(Out::one(&ssh_keys::add(work.tx, owner, &label, &key)?))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<SshKey>("id")?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let (label, key) = (work.ask.input.text("label")?, work.ask.input.words("key")?);
    let changed = ssh_keys::change(work.tx, id, |now| {
        now.label = label.unwrap_or_else(|| now.label.clone());
        now.key = key.map_or_else(|| now.key.clone(), |key| key.trim().to_owned());
    })?;
    Ok(Out::one(&changed))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    ssh_keys::remove(work.tx, id)?;
    Ok(Out::Nothing)
}
