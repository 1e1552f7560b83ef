//! Answers to what was asked for at the peering portal.

use http::{Method, StatusCode};
use meetme_app::{Error, peering::portal};
use meetme_base::{Id, Invalid, RawId};
use meetme_http::{Cx, Shape};
use meetme_model::routing::RequestedSession;
use meetme_store::{Object, Tx};

use super::{Action, Later, id};
use crate::{
    engine::AnyModel,
    models::{peering_request, requested_session},
    scene::Ask,
    serve,
};

/// What is said to a session.
#[derive(Clone)]
enum Answer {
    Accept,
    Reject(String),
    Cancel,
}

impl Answer {
    fn give(&self, tx: &mut Tx<'_>, to: Id<RequestedSession>) -> Result<Object<RequestedSession>, Error> {
        match self {
            Self::Accept => portal::accept(tx, to),
            Self::Reject(reason) => portal::reject(tx, to, reason),
            Self::Cancel => portal::cancel(tx, to),
        }
    }

    /// A no, with the reason in the body, if one is.
    fn no(cx: &Cx) -> Result<Self, meetme_http::Problem> {
        let body = serve::body(cx)?;
        match body.get("reason") {
            None | Some(serde_json::Value::Null) => Ok(Self::Reject(String::new())),
            Some(serde_json::Value::String(reason)) => Ok(Self::Reject(reason.trim().to_owned())),
            Some(_) => Err(Invalid::new("reason", "wire", "Not a valid string.").into()),
        }
    }
}

/// Answers one session.
fn one(cx: Cx, answer: fn(&Cx) -> Result<Answer, meetme_http::Problem>) -> Later {
    respond(cx, &requested_session::MODEL, answer, |tx, row, answer| answer.give(tx, row.of()).map(drop))
}

/// Answers every session of a request that still waits.
fn all(cx: Cx, answer: fn(&Cx) -> Result<Answer, meetme_http::Problem>) -> Later {
    respond(cx, &peering_request::MODEL, answer, |tx, row, answer| {
        portal::each(tx, row.of(), |tx, session| answer.give(tx, session)).map(drop)
    })
}

fn respond(
    cx: Cx,
    model: &'static dyn AnyModel,
    answer: fn(&Cx) -> Result<Answer, meetme_http::Problem>,
    run: fn(&mut Tx<'_>, RawId, &Answer) -> Result<(), Error>,
) -> Later {
    Box::pin(async move {
        let (row, answer, scene) = (id(&cx, model)?, answer(&cx)?, serve::scene(&cx));
        let body = cx
            .app
            .write(cx.caller(), move |tx| {
                run(tx, row, &answer)?;
                model.one(tx, row.get(), &Ask::default(), &scene)
            })
            .await?;
        Ok(serve::written(StatusCode::OK, body))
    })
}

/// The actions. The contract has no ids for them.
pub const ACTIONS: &[Action] = &[
    session("peering_requested_sessions_accept", "accept", Shape::Nothing, |cx| one(cx, |_| Ok(Answer::Accept))),
    session("peering_requested_sessions_reject", "reject", Shape::Nothing, |cx| one(cx, Answer::no)),
    session("peering_requested_sessions_cancel", "cancel", Shape::Nothing, |cx| one(cx, |_| Ok(Answer::Cancel))),
    request("peering_peering_requests_accept", "accept", Shape::Nothing, |cx| all(cx, |_| Ok(Answer::Accept))),
    request("peering_peering_requests_reject", "reject", Shape::Nothing, |cx| all(cx, Answer::no)),
    request("peering_peering_requests_cancel", "cancel", Shape::Nothing, |cx| all(cx, |_| Ok(Answer::Cancel))),
];

const fn session(id: &'static str, end: &'static str, takes: Shape, run: fn(Cx) -> Later) -> Action {
    let (model, gives) = (&requested_session::MODEL, Shape::Named("RequestedSession"));
    Action { id, method: Method::POST, model, one: true, end, success: 200, takes, gives, run }
}

const fn request(id: &'static str, end: &'static str, takes: Shape, run: fn(Cx) -> Later) -> Action {
    let (model, gives) = (&peering_request::MODEL, Shape::Named("PeeringRequest"));
    Action { id, method: Method::POST, model, one: true, end, success: 200, takes, gives, run }
}
