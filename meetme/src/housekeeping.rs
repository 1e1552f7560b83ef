//! What is thrown away with time: old lines of the change log, jobs that are over, the history of sessions, and answers kept for
//! idempotency keys.

use std::time::Duration;

use meetme_app::{App, Error};
use meetme_base::Time;
use meetme_model::{ops::Job, routing::SessionEvent};
use meetme_store::{Context, Filter, Op, Query, Tx};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// How often it is looked after.
const PERIOD: Duration = Duration::from_secs(3600);
/// One day.
const DAY: i64 = 24 * 3600;
/// For how many seconds an answer is kept under its idempotency key.
const ANSWERS: i64 = DAY;

/// How many jobs one transaction throws away.
const JOBS: u32 = 500;
/// How many rows of sessions' history go in one transaction.
const EVENTS: u32 = 5000;

/// For how many days things are kept; 0 is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Lines of the change log.
    pub change_days: u32,
    /// Jobs, from their end on.
    pub job_days: u32,
    /// What was seen of sessions.
    pub history_days: u32,
}

impl Keep {
    /// As configured.
    pub const fn of(config: &Config) -> Self {
        let Config { store, history, .. } = config;
        Self { change_days: store.change_days, job_days: store.job_days, history_days: history.days }
    }
}

/// How much one pass has thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Answers kept for idempotency keys.
    pub answers: u64,
    /// Lines of the change log.
    pub changes: u64,
    /// Jobs.
    pub jobs: u64,
    /// Rows of sessions' history.
    pub events: u64,
}

/// Throws away what is too old, once an hour, until the server stops.
pub async fn run(app: App, keep: Keep, stop: CancellationToken) {
    loop {
        match sweep(&app, keep).await {
            Ok(Swept { answers: 0, changes: 0, jobs: 0, events: 0 }) => {}
            Ok(Swept { answers, changes, jobs, events }) => {
                tracing::info!(answers, changes, jobs, events, "what was too old is thrown away");
            }
            Err(e) => tracing::warn!(error = %e, "what is too old could not be thrown away"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Throws away what is too old now: lines of the change log, jobs and the history of sessions after so many days,
/// answers after one.
///
/// # Errors
/// When the database fails; what was thrown away before stays so.
pub async fn sweep(app: &App, keep: Keep) -> Result<Swept, Error> {
    let pass = app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let now = tx.now();
        let answers = tx.forget_answers(now.plus_seconds(-ANSWERS))?;
        let changes = match keep.change_days {
            0 => 0,
            days => tx.forget_changes(now.plus_seconds(-i64::from(days) * DAY))?,
        };
        Ok(Swept { answers, changes, jobs: 0, events: 0 })
    });
    let mut swept = pass.await?;
    if keep.job_days > 0 {
        swept.jobs = in_parts(app, keep.job_days, JOBS, |tx, before, most| {
            let old = tx.list::<Job>(&Query::of(Filter::is("ended", Op::Lt(before.into()))).page(most, 0))?;
            for job in &old {
                // One that went with its parent is gone already.
                if tx.find(job.id)?.is_some() {
                    tx.remove(job.id)?;
                }
            }
            Ok(old.len() as u64)
        })
        .await?;
    }
    if keep.history_days > 0 {
        swept.events = in_parts(app, keep.history_days, EVENTS, |tx, before, most| {
            Ok(tx.forget::<SessionEvent>(&Filter::is("at", Op::Lt(before.into())), most)?)
        })
        .await?;
    }
    Ok(swept)
}

/// Throws away what is older than so many days, at most `most` rows at a time, so that nobody waits long for the one who writes.
async fn in_parts(
    app: &App,
    days: u32,
    most: u32,
    part: fn(&mut Tx<'_>, Time, u32) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let mut all = 0;
    loop {
        let step = move |tx: &mut Tx<'_>| part(tx, tx.now().plus_seconds(-i64::from(days) * DAY), most);
        let gone = app.store().write::<_, Error, _>(Context::system(), step).await?;
        all += gone;
        if gone < u64::from(most) {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use meetme_app::{MasterKey, Sealer, Settings};
    use meetme_base::{ManualClock, RawId};
    use meetme_model::{access::Organization, ops::JobStatus};
    use meetme_store::{ChangeQuery, Store};

    use super::*;

    fn days(change_days: u32) -> Keep {
        Keep { change_days, job_days: 0, history_days: change_days }
    }

    #[tokio::test]
    async fn jobs_go_when_they_have_been_over_for_long() {
        for (make_of_store, open) in meetme_testdb::both() {
            let clock = Arc::new(ManualClock::new(Time(1_784_000_000_000)));
            let (opened, time) = ((*open).clone(), clock.clone());
            let store = std::thread::spawn(move || Store::open(&opened, meetme_model::registry(), time));
            let sealer = Sealer::new(&MasterKey::parse(&"7".repeat(64)).unwrap());
            let app = App::new(store.join().unwrap().unwrap(), sealer, Settings::default());
            let made = app.store().write::<_, Error, _>(Context::system(), |tx| {
                let top =
                    tx.create(RawId::new(0), Organization { name: "O".into(), ..Organization::default() })?.id.any();
                for (name, ended) in [("over", Some(tx.now())), ("at work", None)] {
                    let job = Job { what: "x".into(), name: name.into(), ..Job::default() };
                    let mut job = tx.create(top, job)?;
                    let status = JobStatus { ended, ..JobStatus::default() };
                    tx.observe(&mut job, status, None)?;
                }
                Ok(())
            });
            made.await.unwrap();
            clock.step_seconds(31 * DAY);
            let keep = |job_days| Keep { job_days, ..Keep::default() };
            assert_eq!(sweep(&app, keep(0)).await.unwrap().jobs, 0, "{make_of_store}");
            assert_eq!(sweep(&app, keep(40)).await.unwrap().jobs, 0, "{make_of_store}");
            assert_eq!(sweep(&app, keep(30)).await.unwrap().jobs, 1, "{make_of_store}");
            let left = app.store().read::<_, Error, _>(Context::system(), |tx| Ok(tx.all::<Job>(Filter::All)?)).await;
            assert_eq!(left.unwrap().into_iter().map(|job| job.spec.name).collect::<Vec<_>>(), ["at work"]);
        }
    }

    /// Makes an organization, which is one line of the log, sees something of a session, and keeps an answer under its name.
    async fn make(app: &App, name: &'static str) {
        let made = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let organization = Organization { name: name.to_owned(), ..Organization::default() };
            let home = tx.create(RawId::new(0), organization)?.id.any();
            let event = serde_json::json!({"session": 1, "at": tx.now(), "what": "state"});
            tx.create::<SessionEvent>(home, serde_json::from_value(event).unwrap())?;
            Ok(tx.remember("scope", name, "print", "answer")?)
        });
        made.await.unwrap();
    }

    /// Which organizations the log knows, and whose answers are kept.
    async fn left(app: &App) -> (Vec<String>, Vec<&'static str>) {
        let read = app.store().read::<_, Error, _>(Context::system(), |tx| {
            let lines = tx.changes(&ChangeQuery { limit: 100, ..ChangeQuery::default() })?;
            let mut answers = Vec::new();
            for name in ["old", "young"] {
                answers.extend(tx.recall("scope", name)?.map(|_| name));
            }
            Ok((lines.into_iter().map(|line| line.title).collect(), answers))
        });
        read.await.unwrap()
    }

    #[tokio::test]
    async fn what_is_old_goes_and_what_is_young_stays() {
        for (make_of_store, open) in meetme_testdb::both() {
            let clock = Arc::new(ManualClock::new(Time(1_784_000_000_000)));
            let (opened, time) = ((*open).clone(), clock.clone());
            // The driver of one of the stores may not be started on a thread of this runtime.
            let store = std::thread::spawn(move || Store::open(&opened, meetme_model::registry(), time));
            let sealer = Sealer::new(&MasterKey::parse(&"7".repeat(64)).unwrap());
            let app = App::new(store.join().unwrap().unwrap(), sealer, Settings::default());

            make(&app, "old").await;
            clock.step_seconds(30 * DAY);
            make(&app, "young").await;
            assert_eq!(sweep(&app, days(30)).await.unwrap().changes, 0, "{make_of_store}: 30 days old is not older");
            assert_eq!(left(&app).await, (vec!["old".to_owned(), "young".to_owned()], vec!["young"]));
            clock.step_seconds(DAY);
            assert_eq!(
                sweep(&app, days(0)).await.unwrap(),
                Swept::default(),
                "{make_of_store}: 0 days keep everything"
            );
            assert_eq!(
                sweep(&app, days(30)).await.unwrap(),
                Swept { changes: 1, events: 1, ..Swept::default() },
                "{make_of_store}"
            );
            assert_eq!(left(&app).await, (vec!["young".to_owned()], vec!["young"]), "{make_of_store}");
            clock.step_seconds(60 * DAY);
            assert_eq!(
                sweep(&app, days(30)).await.unwrap(),
                Swept { answers: 1, changes: 1, jobs: 0, events: 1 },
                "{make_of_store}"
            );
            // Who follows the log goes on where they were, also in a log that was emptied.
            let end = app.store().read::<_, Error, _>(Context::system(), |tx| Ok(tx.last_cursor()?)).await.unwrap();
            make(&app, "new").await;
            let query = ChangeQuery { after: Some(end), limit: 100, ..ChangeQuery::default() };
            // A line is told once nothing that began before it is still under way, in the other databases of the cluster either.
            let told = async || {
                let query = query.clone();
                let lines = app.store().read::<_, Error, _>(Context::system(), move |tx| Ok(tx.changes(&query)?)).await;
                lines.unwrap().len()
            };
            let deadline = Instant::now() + Duration::from_secs(20);
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            while told().await == 0 && Instant::now() < deadline {
                tick.tick().await;
            }
            assert_eq!(told().await, 1, "{make_of_store}");
        }
    }
}
