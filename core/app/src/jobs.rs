//! Work that takes longer than a request: it is asked for here, in the transaction that decided that it may be done, and is done
//! by a worker under the controllers. The row says how it goes.

use meetme_base::{Invalid, RawId, Uid};
use meetme_model::ops::{Job, JobState, JobStatus};
use meetme_store::{Object, Tx};
use serde_json::Value as Json;

use crate::Error;

/// A piece of work to be done.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// What is done, by which its worker is found: lower-case words joined by dots.
    pub what: &'static str,
    /// Its name for people.
    pub name: String,
    /// The object it is about.
    pub subject: Option<RawId>,
    /// What it works on besides the subject. It is stored and shown: no secrets.
    pub inputs: Json,
}

/// Puts a job into the queue on `tenant`, in the name of whoever asks. Whether they may have the work done is decided before:
/// a job knows no rights of its own.
///
/// # Errors
/// When the subject is not there.
pub fn ask(tx: &mut Tx<'_>, tenant: RawId, ask: Ask) -> Result<Object<Job>, Error> {
    let job = written(tx, ask)?;
    Ok(tx.as_system(|tx| tx.create(tenant, job))?)
}

/// Writes down work that this transaction has done itself, for whoever wants to see later what was asked for.
///
/// # Errors
/// When the subject is not there.
pub(crate) fn done(tx: &mut Tx<'_>, tenant: RawId, ask: Ask) -> Result<Object<Job>, Error> {
    let (job, now) = (written(tx, ask)?, Some(tx.now()));
    let status = JobStatus { state: JobState::Ok, started: now, ended: now, ..JobStatus::default() };
    Ok(tx.as_system(|tx| tx.create_as(tenant, Uid::random(), job, status))?)
}

fn written(tx: &mut Tx<'_>, ask: Ask) -> Result<Job, Error> {
    let kind = match ask.subject {
        Some(subject) => {
            let kind =
                tx.kind_of(subject)?.ok_or_else(|| Invalid::reference("subject", format!("Object {subject}")))?;
            Some(kind.name().to_owned())
        }
        None => None,
    };
    Ok(Job {
        what: ask.what.to_owned(),
        name: ask.name,
        inputs: ask.inputs,
        subject: ask.subject,
        about: kind,
        by: tx.actor().by,
        ..Job::default()
    })
}
