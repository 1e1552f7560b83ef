//! Accounts: organizations.

use std::collections::HashMap;

use meetme_app::{Error, organizations};
use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_http::{Cx, Problem, Reply};
use meetme_model::access::Organization;
use meetme_store::{Filter, Object, Order, Query, Tx};
use serde_json::json;

use crate::{
    DIALECT, body, convert,
    ids::{ACCOUNT, Names},
    rights, wire,
};

/// The parent shown for the account at the very top: an id that no account has. Clients look for the one account whose parent is
/// not in the list, and read the parent's id without asking whether there is one.
const NOBODY: &str = "ac-root";

/// Writes accounts.
pub fn write(tx: &mut Tx<'_>, list: &[Object<Organization>]) -> Result<Vec<wire::Account>, Error> {
    let ids: Vec<Id<Organization>> = list.iter().map(|o| o.id).collect();
    let with_children = organizations::parents_among(tx, &ids)?;
    let parents: Vec<Id<Organization>> = list.iter().filter_map(|o| o.spec.parent).collect();
    // An account's parent may lie above what the caller sees; its id and name are no secret to its children.
    let parents = tx.as_system(|tx| tx.many(parents))?;
    let names = Names::of(tx, ids.iter().chain(parents.keys()).map(|id| id.any()))?;
    Ok(list.iter().map(|o| one(o, &parents, &with_children, &names)).collect())
}

fn one(
    object: &Object<Organization>,
    parents: &HashMap<Id<Organization>, Object<Organization>>,
    with_children: &[Id<Organization>],
    names: &Names,
) -> wire::Account {
    let id = names.id(ACCOUNT, object.id, object.uid);
    let own = object.spec.ext.get(DIALECT);
    let parent = match object.spec.parent.and_then(|id| parents.get(&id)) {
        Some(above) => ACCOUNT.link(&names.id(ACCOUNT, above.id, above.uid), &above.spec.name),
        None => ACCOUNT.link(NOBODY, ""),
    };
    wire::Account {
        href: Some(ACCOUNT.href(&id)),
        id: Some(id),
        name: Some(object.spec.name.clone()),
        description: object.spec.description.clone(),
        parent: Some(parent),
        tags: Some(wire::tags(&object.spec.labels)),
        technical_contact_emails: convert::from_ext(own, "technicalContactEmails"),
        show_child_account_pricing: convert::from_ext(own, "showChildAccountPricing"),
        has_children: Some(with_children.contains(&object.id)),
        verified: Some(true),
    }
}

fn answer(tx: &mut Tx<'_>, object: Object<Organization>) -> Result<wire::Account, Error> {
    let mut list = write(tx, &[object])?;
    list.pop().ok_or_else(|| Error::Bug("an account was not written".to_owned()))
}

/// Puts what was sent into an organization; what was left out stays.
fn apply(sent: &wire::Account, organization: &mut Organization) {
    if let Some(name) = &sent.name {
        organization.name.clone_from(name);
    }
    if let Some(text) = &sent.description {
        organization.description = Some(text.clone()).filter(|t| !t.is_empty());
    }
    if let Some(tags) = &sent.tags {
        organization.labels = wire::labels(tags.clone());
    }
    let ext = &mut organization.ext;
    convert::into_ext(ext, "technicalContactEmails", sent.technical_contact_emails.as_ref());
    convert::into_ext(ext, "showChildAccountPricing", sent.show_child_account_pricing.as_ref());
}

fn check(sent: &wire::Account) -> Result<(), Invalid> {
    sent.name.as_deref().map_or(Ok(()), |name| meetme_model::check::name("name", name, 64))?;
    meetme_model::check::length("description", sent.description.as_deref().unwrap_or_default(), 256)
}

/// `GET /accounts`.
pub async fn find_all(cx: Cx) -> Result<Reply, Error> {
    let ids: Vec<String> = cx.query.all("ids").flat_map(|v| v.split(',')).map(str::to_owned).collect();
    let parent = cx.query.get("parentId").map(str::to_owned);
    let name = cx.query.get("name").map(str::to_owned);
    let limit = cx.query.parsed::<u32>("limit").ok().flatten();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let mut filter = Filter::All;
            if !ids.is_empty() {
                let mut wanted: Vec<RawId> = Vec::new();
                for id in &ids {
                    match ACCOUNT.find::<Organization>(tx, id) {
                        Ok(found) => wanted.push(found.id.any()),
                        Err(Error::Missing { .. }) => {}
                        Err(e) => return Err(e),
                    }
                }
                filter = filter.and(if wanted.is_empty() { Filter::Never } else { Filter::is_in("id", wanted) });
            }
            if let Some(parent) = &parent {
                filter = filter.and(match ACCOUNT.find::<Organization>(tx, parent) {
                    Ok(found) => Filter::eq("parent", found.id),
                    Err(Error::Missing { .. }) => Filter::Never,
                    Err(e) => return Err(e),
                });
            }
            if let Some(words) = name.as_ref().filter(|n| !n.trim().is_empty()) {
                filter = filter.and(Filter::Text(words.clone()));
            }
            let query = Query::of(filter).order([Order::up("id")]).page(limit.unwrap_or(Query::MOST), 0);
            let list = tx.list(&query)?;
            write(tx, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `POST /accounts`.
pub async fn create(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::Account = body::read(&cx)?;
    check(&sent)?;
    if sent.name.is_none() {
        return Err(Invalid::required("name").into());
    }
    let (home, founder) = (cx.caller().home(), cx.caller().subject.user);
    let made = cx
        .app
        .write(cx.caller(), move |tx| {
            let parent = match sent.parent.as_ref().filter(|link| !link.target().is_empty()) {
                Some(link) => ACCOUNT.follow::<Organization>(tx, "parent", link)?.id,
                None => home,
            };
            let mut new = Organization::default();
            apply(&sent, &mut new);
            let made = organizations::create(tx, parent, founder, &new)?;
            if let Some(id) = &sent.id {
                ACCOUNT.choose(tx, &made, id)?;
            }
            answer(tx, made)
        })
        .await?;
    Ok(created(&cx, made.href.as_deref(), &made))
}

/// 201 with an absolute address, as the first examples had it.
pub fn created<T: serde::Serialize>(cx: &Cx, href: Option<&str>, value: &T) -> Reply {
    Reply::created(format!("{}{}", cx.base_url, href.unwrap_or_default()), value)
}

/// `GET /accounts/{accountId}`.
pub async fn get(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("accountId").to_owned();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let found = ACCOUNT.find(tx, &id)?;
            answer(tx, found)
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// `PUT /accounts/{accountId}`.
pub async fn update(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::Account = body::read(&cx)?;
    check(&sent)?;
    let id = cx.param("accountId").to_owned();
    let saved = cx
        .app
        .write(cx.caller(), move |tx| {
            let found: Object<Organization> = ACCOUNT.find(tx, &id)?;
            let saved = organizations::change(tx, found.id, |spec| apply(&sent, spec))?;
            answer(tx, saved)
        })
        .await?;
    Ok(Reply::ok(&saved))
}

/// `DELETE /accounts/{accountId}`.
pub async fn delete(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("accountId").to_owned();
    cx.app
        .write(cx.caller(), move |tx| {
            let found: Object<Organization> = ACCOUNT.find(tx, &id)?;
            organizations::remove(tx, found.id)
        })
        .await?;
    Ok(Reply::ok(&json!({})))
}

/// `GET /accounts/{accountId}/permissions`.
pub async fn permissions(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("accountId").to_owned();
    let map = cx
        .app
        .read(cx.caller(), move |tx| {
            let found: Object<Organization> = ACCOUNT.find(tx, &id)?;
            rights::table(|kind, verb| Ok(tx.may(Kind::new(kind), verb, found.id.any())?))
        })
        .await?;
    Ok(Reply::ok(&map))
}
