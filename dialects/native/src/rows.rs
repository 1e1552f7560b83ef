//! Reading and writing rows of any kind.

use http::{StatusCode, header};
use meetme_app::{
    App, Error,
    resources::{self, By},
};
use meetme_base::RawId;
use meetme_http::{Cx, Media, Problem, Reply};
use meetme_store::{AnyObject, KindInfo, Registry, Tx};
use serde_json::{Value as Json, json};

use crate::{
    ROOT, convert,
    idempotency::{Answer, Key},
    query, tag,
};

/// The kind of this name.
///
/// # Errors
/// When the store was opened with other kinds than the paths were made from.
pub fn kind<'r>(registry: &'r Registry, name: &str) -> Result<&'r KindInfo, Error> {
    registry.kind(name).ok_or_else(|| Error::Bug(format!("the store keeps no {name}")))
}

/// Rows of a kind.
///
/// # Errors
/// What the store refuses.
pub async fn list(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    let registry = cx.app.store().registry();
    let asked = query::list(registry, kind(registry, name)?, &cx.query)?;
    let (limit, offset) = (asked.limit as usize, asked.query.offset);
    let (mut rows, count) = cx
        .app
        .read(cx.caller(), move |tx| {
            let kind = kind(tx.registry(), name)?;
            let rows = tx.list_any(kind, &asked.query)?;
            let count = if asked.count { Some(tx.count_any(kind, &asked.query.filter)?) } else { None };
            Ok((rows, count))
        })
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let mut answer = json!({ "items": rows.iter().map(convert::row).collect::<Vec<_>>() });
    if more {
        answer["next"] = json!(offset + rows.len() as u64);
    }
    if let Some(count) = count {
        answer["count"] = json!(count);
    }
    Ok(Reply::ok(&answer))
}

/// One row.
///
/// # Errors
/// What the store refuses.
pub async fn get(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    let id = cx.param("id").to_owned();
    let row = cx.app.read(cx.caller(), move |tx| {
        let kind = kind(tx.registry(), name)?;
        let id = resources::resolve(tx, kind, &id)?;
        Ok(tx.get_any(kind, id)?)
    });
    let row = row.await?;
    let tag = tag::of(&row);
    if tag::none_match(&cx.parts, &tag) {
        return Ok(Reply::empty(StatusCode::NOT_MODIFIED).header(header::ETAG, tag));
    }
    Ok(Reply::ok(&convert::row(&row)).header(header::ETAG, tag))
}

/// Makes a row.
///
/// # Errors
/// What the kind's rules refuse.
pub async fn create(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    let said = query::write(&cx.query, query::CREATE)?;
    let sent = body(&cx)?;
    let key = if said.dry_run { None } else { Key::of(&cx.app, &cx.parts, cx.op, &sent)? };
    let spec = resources::inbound(&cx.app, kind(cx.app.store().registry(), name)?, sent).await?.0;
    let caller = cx.caller().clone().dry(said.dry_run);
    let (app, by, repeat) = (cx.app.clone(), caller.clone(), key.clone());
    let made = cx.app.write(&caller, move |tx| {
        if let Some(kept) = recall(&app, tx, key.as_ref())? {
            return Ok(kept);
        }
        let kind = kind(tx.registry(), name)?;
        let tenant = said.tenant.as_deref().map(|tenant| resources::node(tx, tenant)).transpose()?;
        let by = By { app: &app, caller: &by };
        let made = resources::create(by, tx, kind, tenant, spec.clone())?;
        let mut body = convert::row(&made.object);
        if let Some(secret) = &made.secret {
            body["secret"] = json!(secret.expose());
        }
        let location = format!("{ROOT}/{name}/{}", made.object.id);
        let answer = Answer { location, tag: tag::of(&made.object), body, replayed: false };
        if let Some(key) = &key {
            key.remember(&app, tx, &answer, made.secret.is_some())?;
        }
        Ok(answer)
    });
    let answer = match made.await {
        Ok(answer) => answer,
        Err(error) => faster(&cx, repeat).await?.ok_or(error)?,
    };
    if said.dry_run {
        return Ok(tried(Reply::ok(&answer.body)));
    }
    let reply = Reply::created(&answer.location, &answer.body).header(header::ETAG, &answer.tag);
    Ok(if answer.replayed { reply.header("idempotent-replayed", "true") } else { reply })
}

fn recall(app: &App, tx: &mut Tx<'_>, key: Option<&Key>) -> Result<Option<Answer>, Error> {
    key.map_or(Ok(None), |key| key.recall(app, tx))
}

/// Of two requests at once with one key, the slower was refused by what the faster did: it gets the faster one's answer.
async fn faster(cx: &Cx, key: Option<Key>) -> Result<Option<Answer>, Error> {
    let Some(key) = key else { return Ok(None) };
    let app = cx.app.clone();
    cx.app.read(cx.caller(), move |tx| key.recall(&app, tx)).await
}

/// Replaces a row's spec.
///
/// # Errors
/// What the kind's rules refuse.
pub async fn replace(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    change(cx, name, |by, tx, kind, id, version, spec| resources::replace(by, tx, kind, id, version, spec.clone()))
        .await
}

/// Changes what the body names.
///
/// # Errors
/// What the kind's rules refuse.
pub async fn patch(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    change(cx, name, resources::patch).await
}

type Changer = fn(By<'_>, &mut Tx<'_>, &KindInfo, RawId, Option<u64>, &Json) -> Result<AnyObject, Error>;

async fn change(cx: Cx, name: &'static str, run: Changer) -> Result<Reply, Problem> {
    let said = query::write(&cx.query, query::WRITE)?;
    let version = tag::if_match(&cx.parts)?;
    let spec = resources::inbound(&cx.app, kind(cx.app.store().registry(), name)?, body(&cx)?).await?.0;
    let caller = cx.caller().clone().dry(said.dry_run);
    let (app, by, id) = (cx.app.clone(), caller.clone(), cx.param("id").to_owned());
    let row = cx.app.write(&caller, move |tx| {
        let kind = kind(tx.registry(), name)?;
        let id = resources::resolve(tx, kind, &id)?;
        run(By { app: &app, caller: &by }, tx, kind, id, version, &spec)
    });
    let row = row.await?;
    let reply = Reply::ok(&convert::row(&row));
    Ok(if said.dry_run { tried(reply) } else { reply.header(header::ETAG, tag::of(&row)) })
}

/// Takes a row away.
///
/// # Errors
/// What the kind's rules refuse.
pub async fn remove(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    let said = query::write(&cx.query, query::WRITE)?;
    let version = tag::if_match(&cx.parts)?;
    let caller = cx.caller().clone().dry(said.dry_run);
    let (app, by, id) = (cx.app.clone(), caller.clone(), cx.param("id").to_owned());
    let removed = cx.app.write(&caller, move |tx| {
        let kind = kind(tx.registry(), name)?;
        let id = resources::resolve(tx, kind, &id)?;
        resources::remove(By { app: &app, caller: &by }, tx, kind, id, version)
    });
    removed.await?;
    let reply = Reply::empty(StatusCode::NO_CONTENT);
    Ok(if said.dry_run { tried(reply) } else { reply })
}

fn body(cx: &Cx) -> Result<Json, Problem> {
    cx.expect_media(&[Media::Json])?;
    cx.json()
}

/// Marks an answer of which nothing was kept.
fn tried(reply: Reply) -> Reply {
    reply.header("meetme-dry-run", "true")
}
