//! Hooks: who is told of what, in whose words, and what a call consists of. Calling is a service's affair.
//!
//! A hook follows the change log from its own place in it. What it hears is what its maker may see of the kinds it names, on its node
//! and below it; the right is asked for when a kind is added to the hook, not at each change. Secrets are never told: the log holds
//! none, and rows are told as callers without the right to reveal see them.

mod conditions;
mod native;

use std::{collections::BTreeMap, sync::Arc};

use meetme_base::{Invalid, RawId, Time};
use meetme_model::ops::Hook;
use meetme_store::{Change, ChangeQuery, Cursor, Object, Tx};
use meetme_template::{Flags, Limits, Rendering};
use serde_json::Value as Json;

pub use conditions::Conditions;
pub use native::Native;

use crate::{Error, access, peering::Ruled};

/// A dialect in which hooks tell.
pub trait Voice: Send + Sync {
    /// The dialect's name.
    fn dialect(&self) -> &'static str;
    /// What is told of a change: an object with the thing itself under `data`; `None` when this hook does not hear of it.
    ///
    /// # Errors
    /// When the database fails.
    fn tell(&self, tx: &mut Tx<'_>, hook: &Object<Hook>, change: &Change) -> Result<Option<Json>, Error>;
}

/// The next thing that a hook has to be told, or how far there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// This is told, and after it the hook goes on from here.
    Told {
        /// What is told, in the dialect's form.
        said: Json,
        /// The number of the line in the log: the same for every try.
        seq: i64,
        /// The place behind it.
        next: Cursor,
    },
    /// Nothing up to here.
    Nothing {
        /// The place to go on from.
        next: Cursor,
        /// How many lines were looked at.
        looked: usize,
        /// Whether more lines are waiting to be looked at.
        more: bool,
    },
}

/// How many lines of the log are looked at in one pass.
const LINES: u32 = 200;

/// Where in the log a hook begins: behind the line that made it or, after a pause, behind the line that changed it last, which is the
/// one that switched it on. In a log that no longer has the line: at its end.
///
/// # Errors
/// When the database fails.
pub fn beginning(tx: &mut Tx<'_>, hook: &Object<Hook>) -> Result<Cursor, Error> {
    let own = ChangeQuery {
        kinds: vec![<Hook as meetme_store::Resource>::KIND],
        ids: vec![hook.id.any()],
        newest: hook.status.paused,
        limit: 1,
        ..ChangeQuery::default()
    };
    match tx.changes(&own)?.pop() {
        Some(line) => Ok(line.cursor),
        None => Ok(tx.last_cursor()?),
    }
}

/// What comes next for a hook after this place in the log.
///
/// # Errors
/// When the database fails, or its conditions can no longer be read.
pub fn next(tx: &mut Tx<'_>, hook: &Object<Hook>, after: Cursor, voices: &[Box<dyn Voice>]) -> Result<Heard, Error> {
    let kinds = hook.spec.kinds.iter().filter_map(|name| tx.registry().kind(name)).map(|info| info.kind).collect();
    let query = ChangeQuery {
        after: Some(after),
        kinds,
        verbs: hook.spec.verbs(),
        below: Some(hook.tenant),
        limit: LINES,
        ..ChangeQuery::default()
    };
    if query.kinds.is_empty() || query.verbs.is_empty() {
        return Ok(Heard::Nothing { next: tx.last_cursor()?, looked: 0, more: false });
    }
    let conditions = hook.spec.conditions.as_ref().map(Conditions::parse).transpose()?;
    let (lines, end) = tx.follow(&query)?;
    let native: &dyn Voice = &Native;
    let voice =
        voices.iter().map(|voice| &**voice).find(|voice| voice.dialect() == hook.spec.dialect).unwrap_or(native);
    for line in &lines {
        let Some(said) = voice.tell(tx, hook, line)? else { continue };
        let holds = conditions.as_ref().is_none_or(|c| c.hold(said.get("data").unwrap_or(&Json::Null)));
        if holds {
            return Ok(Heard::Told { said, seq: line.seq, next: line.cursor });
        }
    }
    Ok(Heard::Nothing { next: end, looked: lines.len(), more: lines.len() >= LINES as usize })
}

/// The names that a template of a body knows: the members of what is told.
const NAMES: &[&str] =
    &["event", "timestamp", "model", "kind", "username", "request_id", "data", "snapshots", "code", "message", "text"];

/// The body that a template makes of what is told. Slow when the template is: not for threads that others wait for.
///
/// # Errors
/// The line at which the template failed, and why.
pub fn body(template: &str, said: &Json) -> Result<String, String> {
    let member = |name: &'static str| Some((name, meetme_template::from_json(said.get(name)?)));
    let variables: BTreeMap<_, _> = NAMES.iter().filter_map(|name| member(name)).collect();
    let at = said.get("timestamp").and_then(Json::as_str).and_then(|at| at.parse::<Time>().ok());
    let what = Rendering {
        text: template,
        flags: Flags::default(),
        limits: Limits::default(),
        sources: &Arc::default(),
        now: at.unwrap_or(Time(0)).0,
        zone: "UTC",
    };
    meetme_template::render(&what, &variables).map_err(|failure| failure.to_string())
}

impl Ruled for Hook {
    /// Nobody is told of what they may not see, and a condition that cannot be read would never let anything through.
    fn settle(&mut self, tx: &mut Tx<'_>, tenant: RawId, before: Option<&Self>) -> Result<(), Error> {
        for (i, name) in self.kinds.iter().enumerate() {
            let Some(info) = tx.registry().kind(name) else {
                return Err(Invalid::choice(format!("kinds.{i}"), name).into());
            };
            let is_new = before.is_none_or(|b| !b.kinds.contains(name));
            if is_new {
                access::require(tx, info.kind, "see", tenant)?;
            }
        }
        if let Some(conditions) = &self.conditions {
            Conditions::parse(conditions)?;
        }
        if !self.body.is_empty() && before.is_none_or(|b| b.body != self.body) {
            let bad = |failure: meetme_template::Failure| Invalid::new("body", "template", failure.to_string());
            meetme_template::check(&self.body, Flags::default()).map_err(bad)?;
        }
        Ok(())
    }
}
