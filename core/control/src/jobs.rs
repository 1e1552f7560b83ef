//! Jobs: work that somebody asked for and does not wait for. A job is begun, handed to the worker of its name, and its end is kept
//! with what was said on the way.
//!
//! Rule: a worker may be called again for the same job, when the process that had it died or lost its lease. What it does must be
//! safe to repeat.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
use meetme_agent::Fence;
use meetme_app::{App, Error};
use meetme_base::{Clock, RawId};
use meetme_model::{
    access::{Key, User},
    ops::{Job, JobState, JobStatus, LogEntry, LogLevel},
};
use meetme_store::{Actor, Context, Object, Tx};
use serde_json::Value as Json;

use crate::controller::{Controller, Next, Soon};

/// The most lines that are kept of what a job says; what comes after is counted.
const LINES: usize = 1000;

/// Does jobs of some names.
pub trait Worker: Send + Sync + 'static {
    /// The names: what [`Job::what`] says.
    fn what(&self) -> &'static [&'static str];
    /// Does one. The error is a sentence for whoever asked.
    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>>;
}

/// What a job came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// Its answer as text.
    pub output: String,
    /// Its answer as data.
    pub answer: Json,
}

impl Done {
    /// An answer of words.
    pub fn said(output: impl Into<String>) -> Self {
        Self { output: output.into(), answer: Json::Null }
    }
}

/// A job at work.
pub struct Work {
    /// The row.
    pub job: Object<Job>,
    /// Where it says how it goes.
    pub log: Log,
    actor: Actor,
}

impl Work {
    /// A job in hand.
    pub fn new(job: Object<Job>, actor: Actor, clock: Arc<dyn Clock>) -> Self {
        Self { job, actor, log: Log { clock, lines: Mutex::default() } }
    }

    /// With every right, since the right to have the work done was proved when it was asked for; in the name of whoever asked.
    pub fn context(&self) -> Context {
        Context { actor: self.actor.clone(), ..Context::system() }
    }
}

/// What a job says on its way.
pub struct Log {
    clock: Arc<dyn Clock>,
    lines: Mutex<(Vec<LogEntry>, usize)>,
}

impl Log {
    /// A line.
    pub fn say(&self, level: LogLevel, text: impl Into<String>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.0.len() < LINES {
            let mut text: String = text.into();
            if text.len() > 2000 {
                text.truncate(text.floor_char_boundary(2000));
            }
            lines.0.push(LogEntry { at: self.clock.now(), level, text });
        } else {
            lines.1 += 1;
        }
    }
    /// Something good to know.
    pub fn info(&self, text: impl Into<String>) {
        self.say(LogLevel::Info, text);
    }
    /// Something went well.
    pub fn success(&self, text: impl Into<String>) {
        self.say(LogLevel::Success, text);
    }
    /// Something to look at.
    pub fn warning(&self, text: impl Into<String>) {
        self.say(LogLevel::Warning, text);
    }
    /// Something went wrong.
    pub fn failure(&self, text: impl Into<String>) {
        self.say(LogLevel::Failure, text);
    }

    /// All lines so far, with a last one about those that were too many.
    fn take(&self) -> Vec<LogEntry> {
        let (mut lines, more) = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if more > 0 {
            let text = format!("{more} more lines are not kept.");
            lines.push(LogEntry { at: self.clock.now(), level: LogLevel::Warning, text });
        }
        lines
    }
}

/// Sees to jobs.
pub struct JobController {
    app: App,
    workers: BTreeMap<&'static str, Arc<dyn Worker>>,
}

impl JobController {
    /// Over these workers.
    ///
    /// # Panics
    /// When two workers do jobs of one name: a mistake in the program.
    pub fn new(app: App, workers: Vec<Arc<dyn Worker>>) -> Self {
        let mut by_name = BTreeMap::new();
        for worker in workers {
            for what in worker.what() {
                assert!(by_name.insert(*what, Arc::clone(&worker)).is_none(), "two workers do {what}");
            }
        }
        Self { app, workers: by_name }
    }
}

/// The next step of a job.
pub enum Step {
    /// Say that it is at work.
    Begin,
    /// Do it.
    Do(Arc<dyn Worker>, Box<Work>),
}

/// What a step came to.
pub enum Taken {
    /// It is at work.
    Begun,
    /// It is over.
    Over {
        /// How it ended.
        state: JobState,
        /// What it said.
        log: Vec<LogEntry>,
        /// What it answers.
        done: Done,
    },
}

impl Controller for JobController {
    const NAME: &'static str = "job";
    type Job = Step;
    type Outcome = Taken;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Step>, Error> {
        let Some(job) = tx.find::<Job>(id.of())? else { return Ok(Next::Gone) };
        if job.status.state.is_over() {
            return Ok(Next::Gone);
        }
        let wait = job.spec.due.map_or(0, |due| due.0 - tx.now().0);
        if let Ok(wait @ 1..) = u64::try_from(wait) {
            let why = "Its time has not come.".to_owned();
            return Ok(Next::Wait { why, at_most: Duration::from_millis(wait) });
        }
        let Some(worker) = self.workers.get(job.spec.what.as_str()) else {
            let why = format!("Nobody here does {:?}.", job.spec.what);
            return Ok(Next::Stuck { why, look_again: Some(Duration::from_secs(60)) });
        };
        if job.status.state == JobState::Queued {
            return Ok(Next::Drive(Step::Begin));
        }
        let actor = actor(tx, job.spec.by)?;
        let work = Work::new(job, actor, Arc::clone(self.app.clock()));
        Ok(Next::Drive(Step::Do(Arc::clone(worker), Box::new(work))))
    }

    fn drive(&self, step: Step, _: Fence) -> Soon<'_, Taken> {
        Box::pin(async move {
            let Step::Do(worker, work) = step else { return Taken::Begun };
            let ran = AssertUnwindSafe(worker.run(&work)).catch_unwind().await;
            let (state, done) = match ran {
                Ok(Ok(done)) => (JobState::Ok, done),
                Ok(Err(why)) => {
                    work.log.failure(why.clone());
                    (JobState::Failed, Done::said(why))
                }
                Err(_) => {
                    tracing::error!(job.id = %work.job.id, job.what = %work.job.spec.what, "a worker panicked");
                    let why = "The work broke off by a mistake of ours; the server's log has it.";
                    work.log.failure(why);
                    (JobState::Aborted, Done::said(why))
                }
            };
            Taken::Over { state, log: work.log.take(), done }
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, taken: &Taken) -> Result<Next<()>, Error> {
        let Some(mut job) = tx.find::<Job>(id.of())? else { return Ok(Next::Gone) };
        let now = tx.now();
        match taken {
            Taken::Begun => {
                let status = JobStatus { state: JobState::Running, started: Some(now), ..job.status.clone() };
                tx.observe(&mut job, status, None)?;
                Ok(Next::Drive(()))
            }
            Taken::Over { state, log, done } => {
                let status = JobStatus {
                    state: *state,
                    started: job.status.started,
                    ended: Some(now),
                    log: log.clone(),
                    output: done.output.clone(),
                    answer: done.answer.clone(),
                };
                tx.observe(&mut job, status, None)?;
                Ok(Next::Gone)
            }
        }
    }
}

/// Who asked, as the change log names them; Meetme itself when they are gone.
fn actor(tx: &mut Tx<'_>, by: Option<RawId>) -> Result<Actor, Error> {
    let Some(by) = by else { return Ok(Actor::system()) };
    let kind = tx.kind_of(by)?;
    let name = if kind == Some(<User as meetme_store::Resource>::KIND) {
        tx.find::<User>(by.of())?.map(|user| user.spec.username)
    } else {
        tx.find::<Key>(by.of())?.map(|key| key.spec.name)
    };
    Ok(name.map_or_else(Actor::system, |name| Actor { by: Some(by), name, dialect: "job" }))
}
