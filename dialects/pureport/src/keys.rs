//! API keys, roles and members of an account.

use std::{collections::HashMap, convert::Infallible};

use meetme_app::{
    Error,
    identity::{self, Giver},
};
use meetme_base::{Id, Invalid, RawId};
use meetme_http::{Cx, Problem, Reply};
use meetme_model::access::{Grant, Key, Membership, Organization, Role, User};
use meetme_store::{Filter, Object, Resource as _, Tx};
use serde_json::json;

use crate::{
    accounts::created,
    body,
    ids::{ACCOUNT, Names, ROLE, USER},
    rights,
    wire::{self, Link},
};

/// An account with its link.
struct Place {
    node: RawId,
    id: String,
    link: Link,
}

fn place(tx: &mut Tx<'_>, text: &str) -> Result<Place, Error> {
    let account: Object<Organization> = ACCOUNT.find(tx, text)?;
    let names = Names::of(tx, [account.id.any()])?;
    let id = names.id(ACCOUNT, account.id, account.uid);
    let link = ACCOUNT.link(&id, &account.spec.name);
    Ok(Place { node: account.id.any(), id, link })
}

fn role_link(place: &str, role: &Object<Role>) -> Link {
    let id = ROLE.id(role.uid);
    Link { href: format!("/accounts/{place}/roles/{id}"), id: Some(id), title: Some(role.spec.name.clone()) }
}

/// The roles that may be given in an account: its own, and those of everyone above it.
fn roles_of(tx: &mut Tx<'_>, node: RawId) -> Result<Vec<Object<Role>>, Error> {
    Ok(tx.all(Filter::Above(node))?)
}

fn covers(grant: &Grant, kind: &str, verb: &str) -> bool {
    let names = |list: &[String], word: &str| list.iter().any(|w| w == "*" || w == word);
    // What holds for some rows or fields only is not shown as a right to all.
    let whole = grant.filter.is_none() && (grant.fields.is_none() || verb == "see");
    whole && names(&grant.kinds, kind) && names(&grant.verbs, verb)
}

fn write_role(place: &Place, role: &Object<Role>) -> wire::Role {
    let link = role_link(&place.id, role);
    let may = |kind, verb| Ok(role.spec.grants.iter().any(|grant| covers(grant, kind, verb)));
    let Ok::<_, Infallible>(permissions) = rights::table(may);
    wire::Role {
        id: ROLE.id(role.uid),
        href: link.href,
        name: role.spec.name.clone(),
        description: role.spec.description.clone(),
        account: place.link.clone(),
        permissions,
    }
}

/// `GET /accounts/{accountId}/roles`.
pub async fn find_roles(cx: Cx) -> Result<Reply, Error> {
    let account = cx.param("accountId").to_owned();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            Ok(roles_of(tx, place.node)?.iter().map(|role| write_role(&place, role)).collect::<Vec<_>>())
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /accounts/{accountId}/roles/{roleId}`.
pub async fn get_role(cx: Cx) -> Result<Reply, Error> {
    let (account, id) = (cx.param("accountId").to_owned(), cx.param("roleId").to_owned());
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let role: Object<Role> = ROLE.find(tx, &id)?;
            Ok(write_role(&place, &role))
        })
        .await?;
    Ok(Reply::ok(&found))
}

fn write_key(place: &Place, key: &Object<Key>, roles: &HashMap<Id<Role>, Object<Role>>) -> wire::ApiKey {
    wire::ApiKey {
        href: Some(format!("/accounts/{}/apikeys/{}", place.id, key.spec.public)),
        key: Some(key.spec.public.clone()),
        secret: None,
        name: Some(key.spec.name.clone()),
        description: key.spec.description.clone(),
        account: Some(place.link.clone()),
        roles: Some(key.spec.roles.iter().filter_map(|id| roles.get(id)).map(|r| role_link(&place.id, r)).collect()),
    }
}

fn find_key(tx: &mut Tx<'_>, place: &Place, public: &str) -> Result<Object<Key>, Error> {
    let filter = Filter::eq("public", public).and(Filter::eq("tenant", place.node));
    tx.one(&filter)?.ok_or_else(|| Error::missing(Key::KIND, public))
}

fn answer_key(tx: &mut Tx<'_>, place: &Place, key: &Object<Key>) -> Result<wire::ApiKey, Error> {
    let roles = tx.many(key.spec.roles.iter().copied())?;
    Ok(write_key(place, key, &roles))
}

fn linked_roles(tx: &mut Tx<'_>, links: &[Link]) -> Result<Vec<Id<Role>>, Error> {
    links.iter().map(|link| ROLE.follow::<Role>(tx, "roles", link).map(|r| r.id)).collect()
}

/// `GET /accounts/{accountId}/apikeys`.
pub async fn find_keys(cx: Cx) -> Result<Reply, Error> {
    let account = cx.param("accountId").to_owned();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let keys = tx.all::<Key>(Filter::eq("tenant", place.node))?;
            let roles = tx.many(keys.iter().flat_map(|k| k.spec.roles.iter().copied()))?;
            Ok(keys.iter().map(|key| write_key(&place, key, &roles)).collect::<Vec<_>>())
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /accounts/{accountId}/apikeys/{key}`.
pub async fn get_key(cx: Cx) -> Result<Reply, Error> {
    let (account, public) = (cx.param("accountId").to_owned(), cx.param("key").to_owned());
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let key = find_key(tx, &place, &public)?;
            answer_key(tx, &place, &key)
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// `POST /accounts/{accountId}/apikeys`. The secret is in this answer and in no other.
pub async fn create_key(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::ApiKey = body::read(&cx)?;
    let name = sent.name.clone().ok_or_else(|| Invalid::required("name"))?;
    let links = sent.roles.clone().filter(|l| !l.is_empty()).ok_or_else(|| Invalid::required("roles"))?;
    let (account, app, maker) = (cx.param("accountId").to_owned(), cx.app.clone(), cx.caller().subject.clone());
    let made = cx
        .app
        .write(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let new = identity::NewKey {
                name: name.clone(),
                description: sent.description.clone().filter(|text| !text.is_empty()),
                roles: linked_roles(tx, &links)?,
                ..identity::NewKey::default()
            };
            let issued = identity::create_key(&app, tx, Giver::Caller(&maker), place.node, &new)?;
            let mut key = answer_key(tx, &place, &issued.key)?;
            key.secret = Some(issued.secret.expose().clone());
            Ok(key)
        })
        .await?;
    Ok(created(&cx, made.href.as_deref(), &made))
}

/// `PUT /accounts/{accountId}/apikeys/{key}`.
pub async fn update_key(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::ApiKey = body::read(&cx)?;
    let (account, public) = (cx.param("accountId").to_owned(), cx.param("key").to_owned());
    let (app, changer) = (cx.app.clone(), cx.caller().subject.clone());
    let saved = cx
        .app
        .write(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let mut key = find_key(tx, &place, &public)?;
            let mut spec = key.spec.clone();
            if let Some(name) = &sent.name {
                spec.name.clone_from(name);
            }
            if let Some(text) = &sent.description {
                spec.description = Some(text.clone()).filter(|t| !t.is_empty());
            }
            if let Some(links) = sent.roles.as_ref().filter(|l| !l.is_empty()) {
                spec.roles = linked_roles(tx, links)?;
            }
            identity::change_key(&app, tx, Giver::Caller(&changer), &mut key, spec)?;
            answer_key(tx, &place, &key)
        })
        .await?;
    Ok(Reply::ok(&saved))
}

/// `DELETE /accounts/{accountId}/apikeys/{key}`.
pub async fn delete_key(cx: Cx) -> Result<Reply, Error> {
    let (account, public) = (cx.param("accountId").to_owned(), cx.param("key").to_owned());
    cx.app
        .write(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let key = find_key(tx, &place, &public)?;
            Ok(tx.remove(key.id)?)
        })
        .await?;
    Ok(Reply::ok(&json!({})))
}

fn members(tx: &mut Tx<'_>, place: &Place, list: &[Object<Membership>]) -> Result<Vec<wire::Member>, Error> {
    let users = tx.many(list.iter().map(|m| m.spec.user))?;
    let roles = tx.many(list.iter().flat_map(|m| m.spec.roles.iter().copied()))?;
    let mut out = Vec::new();
    for member in list {
        // A member whose user hangs on an account above may be known here by the membership alone.
        let user: Option<&Object<User>> = users.get(&member.spec.user);
        let Some(user) = user else { continue };
        let id = USER.id(user.uid);
        let links = member.spec.roles.iter().filter_map(|id| roles.get(id)).map(|r| role_link(&place.id, r));
        out.push(wire::Member {
            href: Some(format!("/accounts/{}/members/{id}", place.id)),
            account: Some(place.link.clone()),
            user: Some(USER.link(&id, &user.spec.username)),
            roles: Some(links.collect()),
        });
    }
    Ok(out)
}

/// `GET /accounts/{accountId}/members`.
pub async fn find_members(cx: Cx) -> Result<Reply, Error> {
    let account = cx.param("accountId").to_owned();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let place = place(tx, &account)?;
            let list = tx.all::<Membership>(Filter::eq("scope", place.node))?;
            members(tx, &place, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /accounts/{accountId}/members/{userId}`.
pub async fn get_member(cx: Cx) -> Result<Reply, Error> {
    let (account, id) = (cx.param("accountId").to_owned(), cx.param("userId").to_owned());
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let missing = || Error::missing(Membership::KIND, &id);
            let place = place(tx, &account)?;
            let user: Object<User> = USER.find(tx, &id).map_err(|_| missing())?;
            let list = tx.all::<Membership>(Filter::eq("scope", place.node).and(Filter::eq("user", user.id)))?;
            members(tx, &place, &list)?.pop().ok_or_else(missing)
        })
        .await?;
    Ok(Reply::ok(&found))
}
