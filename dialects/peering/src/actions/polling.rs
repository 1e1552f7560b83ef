//! Having routers asked how their sessions are, and session passwords spelled as routers do.

use http::{Method, StatusCode};
use meetme_app::{
    App, Error, peering,
    routers::poll::{self, Asked, Seen},
};
use meetme_base::RawId;
use meetme_http::{Cx, Problem, Reply, Shape};
use meetme_model::ops::Job;
use meetme_store::{Object, Tx};

use super::{Action, Later, accepted, enqueue, id};
use crate::{
    engine::AnyModel,
    models::{autonomous_system, bgp_group, direct_session, exchange, exchange_session, router},
    serve, wait,
};

const fn action(
    id: &'static str,
    model: &'static dyn AnyModel,
    end: &'static str,
    gives: Shape,
    run: fn(Cx) -> Later,
) -> Action {
    let success = if matches!(gives, Shape::Nothing) { 200 } else { 202 };
    Action { id, method: Method::POST, model, one: true, end, success, takes: Shape::Nothing, gives, run }
}

/// The actions.
pub const ACTIONS: &[Action] = &[
    action("devices_routers_poll_bgp_sessions", &router::MODEL, POLL, Shape::Named("Job"), |cx| {
        Box::pin(async move {
            let router = id(&cx, &router::MODEL)?.of();
            enqueue(cx, move |tx| poll::of_router(tx, router)).await
        })
    }),
    action("peering_autonomous_systems_poll_bgp_sessions", &autonomous_system::MODEL, POLL, JOBS, |cx| {
        Box::pin(many(cx, &autonomous_system::MODEL, |tx, id| poll::of_system(tx, id.of())))
    }),
    action("peering_bgp_groups_poll_bgp_sessions", &bgp_group::MODEL, POLL, JOBS, |cx| {
        Box::pin(many(cx, &bgp_group::MODEL, |tx, id| poll::of_group(tx, id.of())))
    }),
    action("peering_internet_exchanges_poll_bgp_sessions", &exchange::MODEL, POLL, JOBS, |cx| {
        Box::pin(many(cx, &exchange::MODEL, |tx, id| poll::of_exchange(tx, id.of())))
    }),
    action("peering_direct_peering_sessions_poll", &direct_session::MODEL, "poll", Shape::Nothing, |cx| {
        Box::pin(one(cx, &direct_session::MODEL, |tx, id| poll::wake_direct(tx, id.of())))
    }),
    action("peering_internet_exchange_peering_sessions_poll", &exchange_session::MODEL, "poll", Shape::Nothing, |cx| {
        Box::pin(one(cx, &exchange_session::MODEL, |tx, id| poll::wake_exchange(tx, id.of())))
    }),
    action("peering_direct_peering_sessions_encrypt_password", &direct_session::MODEL, ENCRYPT, Shape::Nothing, |cx| {
        Box::pin(encrypt(cx, &direct_session::MODEL, |app, tx, id, salt| {
            peering::encrypt_direct(app, tx, id.of(), salt)
        }))
    }),
    action(
        "peering_internet_exchange_peering_sessions_encrypt_password",
        &exchange_session::MODEL,
        ENCRYPT,
        Shape::Nothing,
        |cx| {
            Box::pin(encrypt(cx, &exchange_session::MODEL, |app, tx, id, salt| {
                peering::encrypt_exchange(app, tx, id.of(), salt)
            }))
        },
    ),
];

const POLL: &str = "poll-bgp-sessions";
const ENCRYPT: &str = "encrypt-password";
const JOBS: Shape = Shape::ListOf("Job");

/// Puts work on several routers into the queue and answers with its jobs.
async fn many(
    cx: Cx,
    model: &'static dyn AnyModel,
    ask: fn(&mut Tx<'_>, RawId) -> Result<Vec<Object<Job>>, Error>,
) -> Result<Reply, Problem> {
    let (id, scene) = (id(&cx, model)?, serve::scene(&cx));
    let run = move |tx: &mut Tx<'_>| {
        let mut out = vec![b'['];
        for (n, job) in ask(tx, id)?.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend(accepted(tx, job, &scene)?);
        }
        out.push(b']');
        Ok(out)
    };
    Ok(serve::written(StatusCode::ACCEPTED, cx.app.write(cx.caller(), run).await?))
}

/// Has a session looked at and waits until it was.
async fn one(
    cx: Cx,
    model: &'static dyn AnyModel,
    wake: fn(&mut Tx<'_>, RawId) -> Result<Asked, Error>,
) -> Result<Reply, Problem> {
    let session: RawId = id(&cx, model)?;
    let asked = cx.app.write(cx.caller(), move |tx| wake(tx, session)).await?;
    let look = move |tx: &mut Tx<'_>| {
        let seen = poll::seen(tx, &asked)?;
        Ok((seen != Seen::Not).then_some(seen))
    };
    match wait::until(&cx.app, cx.caller(), look).await? {
        Some(Seen::Failed(why)) => Err(Error::Unavailable(why).into()),
        Some(_) => Ok(Reply::empty(StatusCode::OK)),
        None => Err(Error::Unavailable("The router was not looked at in time.".to_owned()).into()),
    }
}

/// Spells a session's password.
async fn encrypt(
    cx: Cx,
    model: &'static dyn AnyModel,
    spell: fn(&App, &mut Tx<'_>, RawId, u8) -> Result<bool, Error>,
) -> Result<Reply, Problem> {
    let (session, app) = (id(&cx, model)?, cx.app.clone());
    // Any will do; the request's own id is as random as any, and the same if the operation runs twice.
    let salt = cx.request_id.bytes()[15];
    let is_spelled = cx.app.write(cx.caller(), move |tx| spell(&app, tx, session, salt)).await?;
    if is_spelled {
        return Ok(Reply::empty(StatusCode::OK));
    }
    Err(Error::Unavailable("There is no password to encrypt, or no platform that says how.".to_owned()).into())
}
