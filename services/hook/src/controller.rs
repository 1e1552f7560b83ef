//! The controller of hooks: for each the next thing to tell, the call, and what came of it.

use std::{path::PathBuf, time::Duration};

use meetme_app::{
    App, Error,
    hooks::{self, Heard, Voice},
};
use meetme_base::{RawId, Reach};
use meetme_control::{Controller, Fence, Next, Soon};
use meetme_model::ops::{Hook, HookStatus};
use meetme_store::{Cursor, Object, Tx};
use serde_json::Value as Json;

use crate::{Call, Failure};

/// How hooks are called.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which addresses may be called.
    pub reach: Reach,
    /// The directory below which files of trusted certificates are looked for.
    pub certificates: Option<PathBuf>,
    /// How often a call is tried before it is given up.
    pub tries: u32,
    /// The pause after a first failure; it doubles with each.
    pub first_pause: Duration,
    /// The longest pause between two tries.
    pub longest_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            certificates: None,
            tries: 12,
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(3600),
        }
    }
}

impl Settings {
    fn pause(&self, failures: u32) -> Duration {
        self.first_pause.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.longest_pause)
    }
}

/// Calls hooks.
pub struct HookController {
    app: App,
    voices: Vec<Box<dyn Voice>>,
    settings: Settings,
}

impl HookController {
    /// Over the core, with the dialects that hooks may speak besides the native one.
    pub fn new(app: App, voices: Vec<Box<dyn Voice>>, settings: Settings) -> Self {
        Self { app, voices, settings }
    }

    fn call(&self, hook: &Object<Hook>, said: &Json, seq: i64) -> Result<Call, Error> {
        let spec = &hook.spec;
        let secret = spec.secret.as_ref().map(|sealed| self.app.sealer().open(sealed)).transpose()?;
        Ok(Call {
            url: spec.url.clone(),
            method: spec.method,
            content_type: spec.content_type.clone(),
            headers: spec.header_lines().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: said.to_string(),
            secret,
            id: format!("{}-{seq}", hook.uid),
            verify: spec.verify,
            ca_file: spec.ca_file.clone(),
        })
    }
}

/// What is to be done for a hook.
pub enum Task {
    /// Nothing is to be told: note the place, and whether the hook rests.
    Note(Noted),
    /// Somebody is to be called.
    Tell {
        /// The call; its body is a template's where there is one.
        call: Box<Call>,
        /// The template of the body.
        template: String,
        /// What is told.
        said: Json,
        /// The place behind it.
        next: Cursor,
    },
}

/// A place that was reached without a call.
#[derive(Clone, Debug)]
pub struct Noted {
    cursor: Option<Cursor>,
    paused: bool,
    more: bool,
}

/// What came of it.
pub enum Outcome {
    /// The place to note.
    Noted(Noted),
    /// Somebody was called.
    Called {
        /// The status of a good answer, or why there was none.
        result: Result<u16, Failure>,
        /// The place behind what was told.
        next: Cursor,
    },
}

impl Controller for HookController {
    const NAME: &'static str = "hook";
    type Job = Task;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Task>, Error> {
        let Some(hook) = tx.find::<Hook>(id.of())? else { return Ok(Next::Gone) };
        let status = &hook.status;
        if !hook.spec.enabled {
            let noted = Noted { cursor: None, paused: true, more: false };
            return Ok(if status.paused { Next::Settled { look_again: None } } else { Next::Drive(Task::Note(noted)) });
        }
        if let Some(wait) =
            status.retry_at.and_then(|at| u64::try_from(at.0 - tx.now().0).ok()).filter(|wait| *wait > 0)
        {
            let why = status.last_error.clone().unwrap_or_default();
            return Ok(Next::Stuck { why, look_again: Some(Duration::from_millis(wait)) });
        }
        let known: Option<Cursor> = status.cursor.as_deref().and_then(|text| text.parse().ok());
        let after = match known {
            Some(known) => known,
            None => hooks::beginning(tx, &hook)?,
        };
        Ok(match hooks::next(tx, &hook, after, &self.voices)? {
            Heard::Told { said, seq, next } => {
                let call = Box::new(self.call(&hook, &said, seq)?);
                Next::Drive(Task::Tell { call, template: hook.spec.body.clone(), said, next })
            }
            // A place that nothing was found behind need not be noted: the next look begins there again.
            Heard::Nothing { looked: 0, .. } if known.is_some() => Next::Settled { look_again: None },
            Heard::Nothing { next, more, .. } => {
                Next::Drive(Task::Note(Noted { cursor: Some(next), paused: false, more }))
            }
        })
    }

    fn drive(&self, task: Task, _: Fence) -> Soon<'_, Outcome> {
        Box::pin(async move {
            let (mut call, template, said, next) = match task {
                Task::Note(noted) => return Outcome::Noted(noted),
                Task::Tell { call, template, said, next } => (call, template, said, next),
            };
            if !template.is_empty() {
                let made = tokio::task::spawn_blocking(move || hooks::body(&template, &said)).await;
                match made.unwrap_or_else(|_| Err("the template broke off.".to_owned())) {
                    Ok(body) => call.body = body,
                    Err(why) => {
                        let why = format!("The body cannot be made: {why}");
                        return Outcome::Called { result: Err(Failure { status: None, why }), next };
                    }
                }
            }
            let result = call.make(&self.settings.reach, self.settings.certificates.as_deref()).await;
            Outcome::Called { result, next }
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(mut hook) = tx.find::<Hook>(id.of())? else { return Ok(Next::Gone) };
        let now = tx.now();
        let before = hook.status.clone();
        let (status, next) = match outcome {
            Outcome::Noted(noted) => {
                let cursor = noted.cursor.map(|cursor| cursor.to_string());
                let status = HookStatus { cursor, paused: noted.paused, retry_at: None, failures: 0, ..before };
                (status, if noted.more { Next::Drive(()) } else { Next::Settled { look_again: None } })
            }
            Outcome::Called { result: Ok(code), next } => {
                let status = HookStatus {
                    cursor: Some(next.to_string()),
                    paused: false,
                    delivered: before.delivered + 1,
                    failures: 0,
                    last_at: Some(now),
                    last_status: Some(*code),
                    last_error: None,
                    retry_at: None,
                    ..before
                };
                (status, Next::Drive(()))
            }
            Outcome::Called { result: Err(failure), next } => {
                let failures = before.failures + 1;
                let mut status = HookStatus {
                    failures,
                    last_at: Some(now),
                    last_status: failure.status,
                    last_error: Some(failure.why.clone()),
                    ..before
                };
                if failures >= self.settings.tries {
                    // The next thing has its own tries; what was given up is counted.
                    (status.cursor, status.paused) = (Some(next.to_string()), false);
                    (status.failures, status.retry_at, status.given_up) = (0, None, status.given_up + 1);
                    tracing::warn!(hook.id = %id, tries = failures, "a hook could not be told of something");
                    (status, Next::Drive(()))
                } else {
                    let pause = self.settings.pause(failures);
                    status.retry_at = Some(now.plus_millis(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX / 4)));
                    (status, Next::Stuck { why: failure.why.clone(), look_again: Some(pause) })
                }
            }
        };
        tx.observe(&mut hook, status, None)?;
        Ok(next)
    }
}
