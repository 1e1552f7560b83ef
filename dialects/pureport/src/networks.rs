//! Networks.

use meetme_app::{Error, networks};
use meetme_base::{Id, Invalid};
use meetme_http::{Cx, Problem, Reply};
use meetme_model::{
    access::{Organization, Project},
    fabric::Network,
};
use meetme_store::{Object, Resource as _, Tx};
use serde_json::json;

use crate::{
    accounts::created,
    body, convert,
    ids::{ACCOUNT, NETWORK, Names},
    wire,
};

/// Writes networks of one account.
fn write(
    tx: &mut Tx<'_>,
    account: &Object<Organization>,
    list: &[Object<Network>],
) -> Result<Vec<wire::Network>, Error> {
    let names = Names::of(tx, list.iter().map(|n| n.id.any()).chain([account.id.any()]))?;
    let account = ACCOUNT.link(&names.id(ACCOUNT, account.id, account.uid), &account.spec.name);
    Ok(list
        .iter()
        .map(|network| {
            let id = names.id(NETWORK, network.id, network.uid);
            wire::Network {
                href: Some(NETWORK.href(&id)),
                id: Some(id),
                name: Some(network.spec.name.clone()),
                description: network.spec.description.clone(),
                tags: Some(wire::tags(&network.spec.labels)),
                account: Some(account.clone()),
                state: Some(convert::network_state(&network.status)),
            }
        })
        .collect())
}

/// The account a network is shown under: its organization, or that of its project.
fn account_of(tx: &mut Tx<'_>, network: &Object<Network>) -> Result<Object<Organization>, Error> {
    tx.as_system(|tx| match tx.kind_of(network.tenant)? {
        Some(kind) if kind == Project::KIND => {
            let project: Object<Project> = tx.get(network.tenant.of())?;
            Ok(tx.get(project.spec.organization)?)
        }
        _ => Ok(tx.get(network.tenant.of())?),
    })
}

fn answer(tx: &mut Tx<'_>, network: Object<Network>) -> Result<wire::Network, Error> {
    let account = account_of(tx, &network)?;
    let mut list = write(tx, &account, &[network])?;
    list.pop().ok_or_else(|| Error::Bug("a network was not written".to_owned()))
}

/// The living network a client means.
pub fn find(tx: &mut Tx<'_>, text: &str) -> Result<Object<Network>, Error> {
    let found: Object<Network> = NETWORK.find(tx, text)?;
    networks::get(tx, found.id).map_err(|_| Error::missing(Network::KIND, text))
}

fn check(sent: &wire::Network) -> Result<(), Invalid> {
    sent.name.as_deref().map_or(Ok(()), |name| meetme_model::check::name("name", name, 64))
}

fn apply(sent: &wire::Network, new: &mut networks::NewNetwork) {
    if let Some(name) = &sent.name {
        new.name.clone_from(name);
    }
    if let Some(text) = &sent.description {
        new.description = Some(text.clone()).filter(|t| !t.is_empty());
    }
    if let Some(tags) = &sent.tags {
        new.labels = wire::labels(tags.clone());
    }
}

/// `GET /accounts/{accountId}/networks`.
pub async fn find_all(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("accountId").to_owned();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let account: Object<Organization> = ACCOUNT.find(tx, &id)?;
            let mut list = networks::of_owner(tx, account.id.any())?;
            // The network of an ordered router is part of that router and nothing of its own here.
            list.retain(|network| network.spec.router.is_none());
            write(tx, &account, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `POST /accounts/{accountId}/networks`.
pub async fn create(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::Network = body::read(&cx)?;
    check(&sent)?;
    if sent.name.is_none() {
        return Err(Invalid::required("name").into());
    }
    let id = cx.param("accountId").to_owned();
    let made = cx
        .app
        .write(cx.caller(), move |tx| {
            let account: Object<Organization> = ACCOUNT.find(tx, &id)?;
            let mut new = networks::NewNetwork::default();
            apply(&sent, &mut new);
            let made = networks::create(tx, account.id.any(), &new)?;
            if let Some(id) = &sent.id {
                NETWORK.choose(tx, &made, id)?;
            }
            answer(tx, made)
        })
        .await?;
    Ok(created(&cx, made.href.as_deref(), &made))
}

/// `GET /networks/{networkId}`.
pub async fn get(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("networkId").to_owned();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let found = find(tx, &id)?;
            answer(tx, found)
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// `PUT /networks/{networkId}`.
pub async fn update(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::Network = body::read(&cx)?;
    check(&sent)?;
    let id = cx.param("networkId").to_owned();
    let saved = cx
        .app
        .write(cx.caller(), move |tx| {
            let found: Id<Network> = find(tx, &id)?.id;
            let saved = networks::change(tx, found, |new| apply(&sent, new))?;
            answer(tx, saved)
        })
        .await?;
    Ok(Reply::ok(&saved))
}

/// `DELETE /networks/{networkId}`. Takes its connections along. The answer is an empty object: clients parse it.
pub async fn delete(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("networkId").to_owned();
    cx.app
        .write(cx.caller(), move |tx| {
            let found = find(tx, &id)?;
            networks::remove(tx, found.id)
        })
        .await?;
    Ok(Reply::ok(&json!({})))
}
