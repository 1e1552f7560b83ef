//! The runner: leases work that is due, takes it through plan, drive and record, and says what came of it.
//!
//! Rule: nothing of a pass is kept unless the lease still stands in the very transaction that keeps it. A process that dies
//! leaves its leases to run out; whoever takes them over holds a higher fence.
//!
//! Commits of this process wake it at once; what other processes queue is seen within [`Settings::poll`].

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::FutureExt as _;
use meetme_agent::Fence;
use meetme_app::Error;
use meetme_base::Uid;
use meetme_store::{Context, Lease, Store, Tx};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{MissedTickBehavior, interval_at, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error, info_span, warn};

use crate::controller::{ErasedController, Next, Opaque};

/// How a runner works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many objects are worked on at once.
    pub concurrency: usize,
    /// For how many seconds work is leased; it is renewed while a box is being driven.
    pub lease_seconds: i64,
    /// How often the queue is looked at though nothing woke the runner.
    pub poll: Duration,
    /// The pause after a first failure; it doubles with each.
    pub first_pause: Duration,
    /// The longest pause between two attempts.
    pub longest_pause: Duration,
    /// How long passes that are under way may go on when the runner is asked to stop.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 16,
            lease_seconds: 30,
            poll: Duration::from_secs(1),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
            grace: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// The pause before the next attempt: doubled with each, capped, and spread by a quarter so that a thousand objects that
    /// failed together do not come back together. Never under the first pause.
    fn pause(&self, lease: &Lease) -> Duration {
        let doublings = lease.attempts.saturating_sub(1).min(20);
        let full = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        let mut hasher = DefaultHasher::new();
        (lease.id.get(), lease.fence, &lease.holder).hash(&mut hasher);
        let permille = u32::try_from(hasher.finish() % 251).unwrap_or(0);
        (full - full * permille / 1000).max(self.first_pause.min(self.longest_pause))
    }
}

/// How many passes ended how, by controller and by the outcome's word.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    passes: Arc<Mutex<BTreeMap<(&'static str, &'static str), u64>>>,
}

impl Counters {
    fn add(&self, controller: &'static str, outcome: &'static str) {
        *self.passes.lock().unwrap_or_else(PoisonError::into_inner).entry((controller, outcome)).or_default() += 1;
    }

    /// The counts: controller, outcome, number. Outcomes are `settled`, `driving`, `waiting`, `stuck`, `gone`, `failed`, `lost`.
    pub fn passes(&self) -> Vec<(&'static str, &'static str, u64)> {
        let passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        passes.iter().map(|((controller, outcome), n)| (*controller, *outcome, *n)).collect()
    }

    /// How many passes of a controller ended in an outcome.
    pub fn of(&self, controller: &str, outcome: &str) -> u64 {
        self.passes().iter().filter(|(c, o, _)| *c == controller && *o == outcome).map(|(_, _, n)| n).sum()
    }
}

/// Runs controllers over one store. Any number of runners may share it, in one process or in many.
pub struct Runner {
    inner: Arc<Inner>,
    awake: Arc<Notify>,
}

struct Inner {
    store: Store,
    controllers: BTreeMap<&'static str, Box<dyn ErasedController>>,
    settings: Settings,
    counters: Counters,
    holder: String,
}

impl Runner {
    /// A runner that begins when [`Runner::run`] is called.
    ///
    /// # Panics
    /// When two controllers have one name: a mistake in the program.
    pub fn new(store: Store, controllers: Vec<Box<dyn ErasedController>>, settings: Settings) -> Self {
        let mut by_name = BTreeMap::new();
        for controller in controllers {
            let name = controller.name();
            assert!(by_name.insert(name, controller).is_none(), "two controllers are called {name}");
        }
        let awake = Arc::new(Notify::new());
        let weak: Weak<Notify> = Arc::downgrade(&awake);
        store.on_commit(move |committed| {
            if committed.work
                && let Some(awake) = weak.upgrade()
            {
                awake.notify_one();
            }
        });
        let holder = format!("{}-{}", std::process::id(), Uid::random());
        let counters = Counters::default();
        Self { inner: Arc::new(Inner { store, controllers: by_name, settings, counters, holder }), awake }
    }

    /// The counters of this runner; they go on counting while it runs.
    pub fn counters(&self) -> Counters {
        self.inner.counters.clone()
    }

    /// The name under which it holds leases: of this process and no other.
    pub fn holder(&self) -> &str {
        &self.inner.holder
    }

    /// Works until `stop` is cancelled, then lets the passes under way end, for as long as [`Settings::grace`] allows.
    pub async fn run(self, stop: CancellationToken) {
        let Self { inner, awake } = self;
        let mut passes = JoinSet::new();
        while !stop.is_cancelled() {
            let wait = match inner.take(&mut passes).await {
                Ok(wait) => wait,
                Err(e) => {
                    warn!(error = %e, "the queue of work cannot be read");
                    inner.settings.first_pause
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                // A slot that becomes free may be needed at once; otherwise the end of a pass wakes by its commit.
                Some(ended) = passes.join_next() => heard(ended),
                _ = timeout(wait, awake.notified()) => {}
            }
            while let Some(ended) = passes.try_join_next() {
                heard(ended);
            }
        }
        let ended = timeout(inner.settings.grace, async {
            while let Some(ended) = passes.join_next().await {
                heard(ended);
            }
        });
        if ended.await.is_err() {
            warn!(passes = passes.len(), "passes that did not end in time are broken off; their leases run out");
            passes.shutdown().await;
        }
    }
}

/// A pass catches the panics of its controller; one that comes through is a mistake of the runner, and must be heard.
fn heard(ended: Result<(), tokio::task::JoinError>) {
    if let Err(e) = ended
        && e.is_panic()
    {
        error!(error = %e, "a pass panicked outside its controller");
    }
}

/// Why the end of a pass was not kept.
enum Unkept {
    /// Somebody else holds the work now.
    Lost,
    /// The store or the controller failed.
    Failed(Error),
}

impl From<meetme_store::Error> for Unkept {
    fn from(e: meetme_store::Error) -> Self {
        Self::Failed(e.into())
    }
}

impl Inner {
    /// Leases what is due as far as there is room, begins it, and answers how long nothing more needs to be looked at.
    async fn take(self: &Arc<Self>, passes: &mut JoinSet<()>) -> Result<Duration, Error> {
        let names: Vec<&'static str> = self.controllers.keys().copied().collect();
        let room = self.settings.concurrency.saturating_sub(passes.len());
        let poll = self.settings.poll;
        if room == 0 {
            return Ok(poll);
        }
        let asked = names.clone();
        let next: Option<(i64, i64)> = self
            .store
            .read(Context::system(), move |tx| {
                let now = tx.now();
                Ok::<_, meetme_store::Error>(tx.next_due(&asked)?.map(|due| (due.0, now.0)))
            })
            .await
            .map_err(Error::from)?;
        match next {
            Some((due, now)) if due <= now => {}
            Some((due, now)) => return Ok(poll.min(Duration::from_millis(u64::try_from(due - now).unwrap_or(0)))),
            None => return Ok(poll),
        }
        let (holder, seconds) = (self.holder.clone(), self.settings.lease_seconds);
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let leases: Vec<Lease> = self
            .store
            .write(Context::system(), move |tx| tx.lease(&names, &holder, seconds, limit))
            .await
            .map_err(|e: meetme_store::Error| Error::from(e))?;
        let full = leases.len() >= room;
        let found = !leases.is_empty();
        for lease in leases {
            let span = info_span!("pass", controller = %lease.controller, object.id = %lease.id, fence = lease.fence);
            passes.spawn(Arc::clone(self).pass(lease).instrument(span));
        }
        // What was due and could not be leased is held by somebody else for a moment.
        Ok(if found && !full { Duration::ZERO } else { poll })
    }

    async fn pass(self: Arc<Self>, lease: Lease) {
        let Some(name) = self.controllers.keys().copied().find(|n| *n == lease.controller) else { return };
        let planned = {
            let (inner, id) = (Arc::clone(&self), lease.id);
            self.store.read(Context::system(), move |tx| inner.controllers[name].plan_any(tx, id)).await
        };
        let kept = match planned {
            Ok(Next::Drive(job)) => match self.drive(name, &lease, job).await {
                Ok(outcome) => self.record(name, &lease, outcome).await,
                Err(unkept) => Err(unkept),
            },
            Ok(next) => self.end(&lease, next.map(|_| ())).await,
            Err(e) => Err(Unkept::Failed(e)),
        };
        let word = match kept {
            Ok(next) => {
                debug!(outcome = next.word(), "{}", next.sentence());
                next.word()
            }
            Err(Unkept::Lost) => {
                warn!("the lease was lost; nothing of this pass is kept");
                "lost"
            }
            Err(Unkept::Failed(e)) => {
                self.failed(&lease, e).await;
                "failed"
            }
        };
        self.counters.add(name, word);
    }

    /// Drives with the lease renewed at each third of its time. Once it is lost, the drive is dropped.
    async fn drive(&self, name: &'static str, lease: &Lease, job: Opaque) -> Result<Opaque, Unkept> {
        let controller = &self.controllers[name];
        let mut driven =
            AssertUnwindSafe(async move { controller.drive_any(job, Fence(lease.fence)).await }).catch_unwind().boxed();
        let third = Duration::from_millis(u64::try_from(self.settings.lease_seconds * 1000 / 3).unwrap_or(1).max(1));
        let mut renew = interval_at(tokio::time::Instant::now() + third, third);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                outcome = &mut driven => {
                    return outcome.map_err(|panic| {
                        Unkept::Failed(Error::Bug(format!("the controller panicked: {}", said(&panic))))
                    });
                }
                _ = renew.tick() => match self.keep(lease, |_| Ok(())).await {
                    Err(Unkept::Lost) => return Err(Unkept::Lost),
                    Err(Unkept::Failed(e)) => warn!(error = %e, "the lease could not be renewed"),
                    Ok(()) => {}
                },
            }
        }
    }

    async fn record(self: &Arc<Self>, name: &'static str, lease: &Lease, outcome: Opaque) -> Result<Next<()>, Unkept> {
        let inner = Arc::clone(self);
        let held = lease.clone();
        self.keep(lease, move |tx| {
            let next = inner.controllers[name].record_any(tx, held.id, &outcome)?;
            inner.finish(tx, &held, &next)?;
            Ok(next)
        })
        .await
    }

    async fn end(self: &Arc<Self>, lease: &Lease, next: Next<()>) -> Result<Next<()>, Unkept> {
        let inner = Arc::clone(self);
        let held = lease.clone();
        self.keep(lease, move |tx| {
            inner.finish(tx, &held, &next)?;
            Ok(next.clone())
        })
        .await
    }

    /// Runs a writing step that counts only while the lease stands.
    async fn keep<T: Send + 'static>(
        &self,
        lease: &Lease,
        step: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Unkept> {
        let (lease, seconds) = (lease.clone(), self.settings.lease_seconds);
        let written = self.store.write(Context::system(), move |tx| {
            match tx.still_holds(&lease, seconds) {
                Ok(()) => {}
                Err(meetme_store::Error::Stale { .. }) => return Err(Unkept::Lost),
                Err(e) => return Err(e.into()),
            }
            step(tx).map_err(Unkept::Failed)
        });
        written.await
    }

    fn finish(&self, tx: &mut Tx<'_>, lease: &Lease, next: &Next<()>) -> Result<(), Error> {
        let now = tx.now();
        let after = |d: Duration| now.plus_millis(i64::try_from(d.as_millis()).unwrap_or(i64::MAX / 4));
        let note = next.sentence();
        match next {
            Next::Settled { look_again } | Next::Stuck { look_again, .. } => {
                tx.finish(lease, look_again.map(after), true, &note)?;
            }
            Next::Drive(()) => tx.finish(lease, Some(now), true, &note)?,
            Next::Wait { at_most, .. } => {
                tx.finish(lease, Some(after(self.settings.pause(lease).min(*at_most))), false, &note)?;
            }
            Next::Gone => {
                tx.finish(lease, None, true, &note)?;
                tx.forget_work(lease)?;
            }
        }
        Ok(())
    }

    /// Puts the work back for later. When even that fails, the lease runs out by itself.
    async fn failed(self: &Arc<Self>, lease: &Lease, e: Error) {
        let pause = self.settings.pause(lease);
        warn!(error = ?e, attempts = lease.attempts, pause.ms = u64::try_from(pause.as_millis()).unwrap_or(0), "a pass failed");
        let held = lease.clone();
        let note = format!("failed: {e}");
        let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX / 4);
        let back = self
            .keep(lease, move |tx| {
                let next = tx.now().plus_millis(millis);
                tx.finish(&held, Some(next), false, &note).map_err(Error::from)
            })
            .await;
        if let Err(Unkept::Failed(e)) = back {
            warn!(error = ?e, "a failure could not be noted");
        }
    }
}

fn said(panic: &Box<dyn std::any::Any + Send>) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}
