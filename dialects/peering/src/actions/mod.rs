//! What can be done with rows beside reading and writing them: one file for each theme, one row of [`ALL`] for each action. Routes,
//! former paths and operation ids come from the row.
//!
//! Rule: an action asks for its right before anything else, in the operation of the core that it calls.

mod exports;
mod irr;
mod ixapi;
mod mails;
mod netbox;
mod peeringdb;
mod polling;
mod portal;
mod routers;
mod sources;

use std::{future::Future, pin::Pin, time::Duration};

use http::{Method, StatusCode};
use meetme_app::Error;
use meetme_base::{Id, RawId};
use meetme_http::{Cx, Op, Problem, Reply, Shape};
use meetme_model::ops::Job;
use meetme_store::{Object, Tx};

use crate::{
    engine::AnyModel,
    models::job,
    ops,
    scene::{Ask, Scene},
    serve,
};

/// An answer that comes later.
type Later = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// What can be done with the rows of a model.
pub struct Action {
    /// The contract's id of the operation.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The model whose rows it is about.
    pub model: &'static dyn AnyModel,
    /// Whether it is about one row, whose id is in the path.
    pub one: bool,
    /// The end of its path, without slashes.
    pub end: &'static str,
    /// The code of a good answer.
    pub success: u16,
    /// The body it takes.
    pub takes: Shape,
    /// The body it answers with.
    pub gives: Shape,
    /// Does it.
    pub run: fn(Cx) -> Later,
}

/// Every list of actions.
const ALL: &[&[Action]] = &[
    exports::ACTIONS,
    irr::ACTIONS,
    ixapi::ACTIONS,
    mails::ACTIONS,
    peeringdb::ACTIONS,
    polling::ACTIONS,
    portal::ACTIONS,
    routers::ACTIONS,
    sources::ACTIONS,
];

/// The operations, at present and former paths.
pub fn ops() -> Vec<Op> {
    ALL.iter().copied().flatten().flat_map(places).chain(irr::ops()).chain(peeringdb::cache()).collect()
}

fn places(action: &'static Action) -> Vec<Op> {
    let about = action.model.about();
    let row = if action.one { "{id}/" } else { "" };
    let places = ops::places(about, action.id);
    let op = |(id, path): (String, String)| {
        let path = ops::keep(format!("/api/{path}/{row}{}/", action.end));
        let op = Op::on(action.method.clone(), ops::keep(id), path).group(about.app).success(action.success);
        op.takes(action.takes.clone()).gives(action.gives.clone()).run(action.run)
    };
    places.into_iter().map(op).collect()
}

/// The id in the path.
fn id(cx: &Cx, model: &dyn AnyModel) -> Result<RawId, Error> {
    serve::id(cx, model).map(RawId::new)
}

/// The answer to work that was put into the queue: the job, which says how it goes.
fn accepted(tx: &mut Tx<'_>, job: &Object<Job>, scene: &Scene) -> Result<Vec<u8>, Error> {
    // Who asks for work may see it, whatever else they may read.
    tx.as_system(|tx| job::MODEL.one(tx, job.id.get(), &Ask::default(), scene))
}

/// Puts work into the queue and answers with its job.
async fn enqueue<F>(cx: Cx, ask: F) -> Result<Reply, Problem>
where
    F: Fn(&mut Tx<'_>) -> Result<Object<Job>, Error> + Send + 'static,
{
    let scene = serve::scene(&cx);
    let run = move |tx: &mut Tx<'_>| {
        let job = ask(tx)?;
        accepted(tx, &job, &scene)
    };
    match cx.app.write(cx.caller(), run).await {
        // Whoever lacks the right that an action needs is told nothing more.
        Err(Error::Denied(_)) => Ok(Reply::empty(StatusCode::FORBIDDEN)),
        done => Ok(serve::written(StatusCode::ACCEPTED, done?)),
    }
}

/// Puts several pieces of work into the queue, all or none, and answers with their jobs.
async fn enqueue_all<F>(cx: Cx, ask: F) -> Result<Reply, Problem>
where
    F: Fn(&mut Tx<'_>) -> Result<Vec<Object<Job>>, Error> + Send + 'static,
{
    let scene = serve::scene(&cx);
    let run = move |tx: &mut Tx<'_>| {
        let mut out = b"[".to_vec();
        for (n, job) in ask(tx)?.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend(accepted(tx, job, &scene)?);
        }
        out.push(b']');
        Ok(out)
    };
    match cx.app.write(cx.caller(), run).await {
        Err(Error::Denied(_)) => Ok(Reply::empty(StatusCode::FORBIDDEN)),
        done => Ok(serve::written(StatusCode::ACCEPTED, done?)),
    }
}

/// How long the end of a job is waited for by those who answer with it.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long it is waited for a commit before the job is looked at again: another process may do the work.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A job at its end.
async fn finished(cx: &Cx, id: Id<Job>) -> Result<Object<Job>, Error> {
    let look = async {
        loop {
            // Asked for before looking: a commit in between is then not slept through.
            let commit = cx.app.commits().next();
            let read = cx.app.read(cx.caller(), move |tx| tx.as_system(|tx| Ok(tx.get(id)?)));
            let job: Object<Job> = read.await?;
            if job.status.state.is_over() {
                return Ok(job);
            }
            drop(tokio::time::timeout(LOOK_AGAIN, commit).await);
        }
    };
    let late = || Error::Unavailable(format!("Job {id} is not done yet; look at it later."));
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| Err(late()))
}
