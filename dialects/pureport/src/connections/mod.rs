//! Connections and gateways: circuits with an end in a network, and their legs.

mod read;
mod write;

use meetme_app::{Error, circuits};
use meetme_http::{Cx, Problem, Reply};
use meetme_model::{
    access::Organization,
    fabric::{Circuit, Leg},
};
use meetme_store::{Object, Resource as _, Tx};

use crate::{
    accounts::created,
    body,
    ids::{ACCOUNT, CONNECTION, GATEWAY},
    networks, wire,
};
use write::Writer;

/// The living circuit a client means. One without an end in a network is none here.
fn find(tx: &mut Tx<'_>, text: &str) -> Result<circuits::Whole, Error> {
    let missing = || Error::missing(Circuit::KIND, text);
    let found: Object<Circuit> = CONNECTION.find(tx, text)?;
    if found.spec.network.is_none() {
        return Err(missing());
    }
    circuits::get(tx, found.id).map_err(|_| missing())
}

/// Writes one circuit.
fn answer(cx: &Cx, tx: &mut Tx<'_>, whole: &circuits::Whole) -> Result<wire::Connection, Error> {
    let writer = Writer::of(&cx.app, tx, std::slice::from_ref(whole))?;
    writer.connection(whole).ok_or_else(|| Error::missing(Circuit::KIND, whole.circuit.id))
}

fn answers(cx: &Cx, tx: &mut Tx<'_>, list: &[circuits::Whole]) -> Result<Vec<wire::Connection>, Error> {
    let writer = Writer::of(&cx.app, tx, list)?;
    Ok(list.iter().filter_map(|whole| writer.connection(whole)).collect())
}

/// `GET /networks/{networkId}/connections`.
pub async fn of_network(cx: Cx) -> Result<Reply, Error> {
    let at = cx.clone();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let network = networks::find(tx, at.param("networkId"))?;
            let list = circuits::of_network(tx, network.id)?;
            answers(&at, tx, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /accounts/{accountId}/connections`.
pub async fn of_account(cx: Cx) -> Result<Reply, Error> {
    let at = cx.clone();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let account: Object<Organization> = ACCOUNT.find(tx, at.param("accountId"))?;
            let mut list = circuits::of_owner(tx, account.id.any())?;
            list.retain(|whole| whole.circuit.spec.network.is_some());
            answers(&at, tx, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `POST /networks/{networkId}/connections`.
pub async fn create(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::Connection = body::read(&cx)?;
    let at = cx.clone();
    let mut made = cx
        .app
        .write(cx.caller(), move |tx| {
            let network = networks::find(tx, at.param("networkId"))?;
            let new = read::order(tx, &network, &sent)?;
            let whole = circuits::order(&at.app, tx, &new)?;
            if let Some(id) = &sent.id {
                CONNECTION.choose(tx, &whole.circuit, id)?;
            }
            answer(&at, tx, &whole)
        })
        .await?;
    if made.state == Some("WAITING_TO_PROVISION") {
        made.state = Some("INITIALIZING");
    }
    Ok(created(&cx, made.href.clone().as_deref(), &made))
}

/// `GET /connections/{connectionId}`.
pub async fn get(cx: Cx) -> Result<Reply, Error> {
    let at = cx.clone();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let whole = find(tx, at.param("connectionId"))?;
            answer(&at, tx, &whole)
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// `PUT /connections/{connectionId}`.
pub async fn update(cx: Cx) -> Result<Reply, Problem> {
    let sent: wire::Connection = body::read(&cx)?;
    let at = cx.clone();
    let saved = cx
        .app
        .write(cx.caller(), move |tx| {
            let whole = find(tx, at.param("connectionId"))?;
            let before = answer(&at, tx, &whole)?;
            let edit = read::change(&whole, &before, &sent)?;
            let whole = circuits::change(&at.app, tx, whole.circuit.id, |change| edit.apply(change))?;
            answer(&at, tx, &whole)
        })
        .await?;
    Ok(Reply::ok(&saved))
}

/// `DELETE /connections/{connectionId}`. Answers the connection, for clients read it as one.
pub async fn delete(cx: Cx) -> Result<Reply, Error> {
    let at = cx.clone();
    let gone = cx
        .app
        .write(cx.caller(), move |tx| {
            let whole = find(tx, at.param("connectionId"))?;
            let whole = circuits::cancel(tx, whole.circuit.id, None)?;
            answer(&at, tx, &whole)
        })
        .await?;
    Ok(Reply::ok(&gone))
}

/// `GET /gateways/{gatewayId}`.
pub async fn gateway(cx: Cx) -> Result<Reply, Error> {
    let at = cx.clone();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let id = at.param("gatewayId");
            let missing = || Error::missing(Leg::KIND, id);
            let leg: Object<Leg> = GATEWAY.find(tx, id)?;
            let whole = circuits::of_leg(tx, leg.id).map_err(|_| missing())?;
            if whole.circuit.spec.network.is_none() {
                return Err(missing());
            }
            let writer = Writer::of(&at.app, tx, std::slice::from_ref(&whole))?;
            Ok(writer.gateway(&whole, &leg))
        })
        .await?;
    Ok(Reply::ok(&found))
}
