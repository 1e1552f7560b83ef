//! The controller of questions: each is asked anew when its answer has become too old, or somebody wants a newer one.
//!
//! What went wrong is noted beside the last good answer, which stays in use. Registries that suddenly know nothing of a set are
//! not believed at once: an empty list would shut every session that is filtered by it.

use std::time::Duration;

use meetme_app::{App, Error};
use meetme_base::{RawId, Time};
use meetme_control::{Controller, Fence, Next, Soon};
use meetme_model::routing::{IrrSet, IrrSetStatus};
use meetme_store::{Object, Tx};
use sha2::{Digest as _, Sha256};

use crate::{
    Config,
    bgpq4::{self, Answer},
};

/// The name under which work is queued.
pub(crate) const NAME: &str = "irr_set";

/// For how long registries must know nothing of a set they knew before, until that is believed, in seconds.
const EMPTY_SECONDS: i64 = 86_400;

/// Keeps answers fresh.
pub struct SetController {
    app: App,
    config: Config,
}

/// One pass over a question.
pub enum Job {
    /// Nobody needs it any more.
    Forget,
    /// Ask the registries.
    Ask(Box<IrrSet>),
}

/// What came of it.
pub enum Outcome {
    /// It is to go.
    Forget,
    /// They were asked.
    Asked(Result<Answer, String>),
}

impl SetController {
    /// A controller that asks as configured.
    pub const fn new(app: App, config: Config) -> Self {
        Self { app, config }
    }

    /// After how long to look again at an answer that is fresh.
    fn rest(&self, row: &Object<IrrSet>, now: Time) -> Duration {
        let until = |t: Time| Duration::from_millis(u64::try_from(t.0 - now.0).unwrap_or(0));
        let millis = i64::try_from(self.config.refresh().as_millis()).unwrap_or(i64::MAX / 4);
        let refresh = row.status.tried_at.map_or(Duration::ZERO, |t| until(t.plus_millis(millis)));
        match row.spec.until.filter(|_| row.spec.systems.is_empty()) {
            Some(end) => refresh.min(until(end)),
            None => refresh,
        }
    }
}

/// Whether nobody needs the answer any more.
fn is_over(spec: &IrrSet, now: Time) -> bool {
    spec.systems.is_empty() && spec.until.is_none_or(|until| until <= now)
}

impl Controller for SetController {
    const NAME: &'static str = NAME;
    type Job = Job;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
        let Some(row) = tx.find::<IrrSet>(id.of())? else { return Ok(Next::Gone) };
        let now = tx.now();
        if is_over(&row.spec, now) {
            return Ok(Next::Drive(Job::Forget));
        }
        let rest = self.rest(&row, now);
        let is_asked = row.spec.asked_at > row.status.tried_at;
        if row.status.failure.is_none() && !is_asked && !rest.is_zero() {
            return Ok(Next::Settled { look_again: Some(rest) });
        }
        Ok(Next::Drive(Job::Ask(Box::new(row.spec))))
    }

    fn drive(&self, job: Job, _: Fence) -> Soon<'_, Outcome> {
        Box::pin(async move {
            match job {
                Job::Forget => Outcome::Forget,
                Job::Ask(question) => Outcome::Asked(bgpq4::ask(&self.config, &question).await),
            }
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(mut row) = tx.find::<IrrSet>(id.of())? else { return Ok(Next::Gone) };
        let now = tx.now();
        let Outcome::Asked(told) = outcome else {
            if is_over(&row.spec, now) {
                tx.remove(row.id)?;
                return Ok(Next::Gone);
            }
            return Ok(Next::Drive(()));
        };
        let status = kept(&row.status, told, now);
        let is_new = status.version != row.status.version;
        tx.observe(&mut row, status, None)?;
        if is_new {
            for router in meetme_control::routers_of_systems(tx, &row.spec.systems)? {
                tx.enqueue("router", router, now)?;
            }
        }
        Ok(match &row.status.failure {
            None => Next::Settled { look_again: Some(self.rest(&row, self.app.now().max(now))) },
            Some(why) => Next::Wait { why: format!("{}: {why}", row.spec.set), at_most: self.config.refresh() },
        })
    }
}

/// What is known after an attempt.
fn kept(before: &IrrSetStatus, told: &Result<Answer, String>, now: Time) -> IrrSetStatus {
    let mut after = IrrSetStatus { tried_at: Some(now), failure: None, ..before.clone() };
    let answer = match told {
        Ok(answer) => answer,
        Err(why) => {
            after.failure = Some(why.clone());
            return after;
        }
    };
    let (prefixes, numbers) = match answer {
        Answer::Prefixes(prefixes) => (prefixes.clone(), Vec::new()),
        Answer::Numbers(numbers) => (Vec::new(), numbers.clone()),
    };
    let count = prefixes.len() + numbers.len();
    if count == 0 && before.count > 0 {
        let since = before.empty_since.unwrap_or(now);
        after.empty_since = Some(since);
        let believed = since.plus_seconds(EMPTY_SECONDS);
        if now < believed {
            after.failure = Some(format!(
                "The registries name nothing any more; the last answer stays in use until {}.",
                believed.rfc3339_seconds()
            ));
            return after;
        }
    }
    after.empty_since = None;
    after.fetched_at = Some(now);
    let mut hash = Sha256::new();
    prefixes.iter().for_each(|p| hash.update(format!("{p}\n")));
    numbers.iter().for_each(|n| hash.update(format!("{n}\n")));
    let sha256: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    if sha256 != before.sha256 {
        after.version += 1;
        after.sha256 = sha256;
        after.count = u32::try_from(count).unwrap_or(u32::MAX);
        (after.prefixes, after.numbers) = (prefixes, numbers);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(list: &[&str]) -> Result<Answer, String> {
        Ok(Answer::Prefixes(list.iter().map(|p| p.parse().unwrap()).collect()))
    }

    #[test]
    fn an_answer_is_a_version_and_the_same_answer_is_none() {
        let first = kept(&IrrSetStatus::default(), &prefixes(&["192.0.2.0/24"]), Time(1000));
        assert_eq!((first.version, first.count, first.fetched_at), (1, 1, Some(Time(1000))));
        let again = kept(&first, &prefixes(&["192.0.2.0/24"]), Time(2000));
        assert_eq!((again.version, again.fetched_at, again.sha256 == first.sha256), (1, Some(Time(2000)), true));
        let other = kept(&again, &prefixes(&["192.0.2.0/24", "198.51.100.0/24"]), Time(3000));
        assert_eq!((other.version, other.count), (2, 2));
    }

    #[test]
    fn a_failure_is_noted_and_leaves_the_answer() {
        let first = kept(&IrrSetStatus::default(), &prefixes(&["192.0.2.0/24"]), Time(1000));
        let failed = kept(&first, &Err("no".to_owned()), Time(2000));
        assert_eq!(
            (failed.failure.as_deref(), failed.tried_at, failed.fetched_at),
            (Some("no"), Some(Time(2000)), Some(Time(1000)))
        );
        assert_eq!(failed.prefixes, first.prefixes);
        assert_eq!(kept(&failed, &prefixes(&["192.0.2.0/24"]), Time(3000)).failure, None);
    }

    #[test]
    fn registries_that_forget_a_set_are_believed_after_a_day() {
        let first = kept(&IrrSetStatus::default(), &prefixes(&["192.0.2.0/24"]), Time(0));
        let empty = kept(&first, &prefixes(&[]), Time(1000));
        assert!(empty.failure.is_some() && empty.count == 1);
        let late = kept(&empty, &prefixes(&[]), Time(1000 + EMPTY_SECONDS * 1000));
        assert_eq!((late.failure, late.count, late.version, late.prefixes.len()), (None, 0, 2, 0));
        let back = kept(&empty, &prefixes(&["192.0.2.0/24"]), Time(2000));
        assert_eq!((back.failure, back.empty_since, back.version), (None, None, 1));
        let never = kept(&IrrSetStatus::default(), &prefixes(&[]), Time(0));
        assert_eq!((never.version, never.fetched_at), (1, Some(Time(0))), "a set may well have none");
    }
}
