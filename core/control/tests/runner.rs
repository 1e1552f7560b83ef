//! The runner with a toy controller: leases, fences, failures, stopping. On SQLite, and on PostgreSQL where there is one.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use meetme_agent::Fence;
use meetme_app::Error;
use meetme_base::{Clock, Id, Invalid, Kind, ManualClock, RawId, SystemClock, Time};
use meetme_control::{Controller, Counters, Next, Runner, Settings, Soon};
use meetme_store::{Context, Field, FieldType, Open, Registry, Resource, Store, TriggerOn, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A thing that shall show a number. Things with a box are looked after as part of that box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Thing {
    number: i64,
    in_box: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Shown {
    number: Option<i64>,
    fence: u64,
}

impl Resource for Thing {
    const KIND: Kind = Kind::new("thing");
    const AREA: &'static str = "ops";
    // Things hang on themselves, so that the toy world needs no tenants.
    const NODE: bool = true;
    const FIELDS: &'static [Field<Self>] = &[Field::new("number", FieldType::Int, |t| t.number.into())];
    type Status = Shown;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        "thing".into()
    }
}

fn registry() -> Registry {
    Registry::new().with::<Thing>().trigger::<Thing>(TriggerOn::Spec, "toy", |_, touched| {
        let in_box = touched.after.or(touched.before).and_then(|t| t.in_box);
        Ok(vec![in_box.map_or(touched.id, RawId::new)])
    })
}

/// What the toy equipment went through.
#[derive(Default)]
struct World {
    driving: Mutex<BTreeSet<RawId>>,
    drives: AtomicUsize,
    overlaps: AtomicUsize,
    /// How many drives are still to panic.
    panics: AtomicU32,
    fences: Mutex<BTreeMap<RawId, Vec<u64>>>,
    /// When there is one, each drive takes a permit before it ends.
    hold: Option<Semaphore>,
    /// What plan answers instead of its own opinion.
    fails: bool,
}

struct Toy(Arc<World>);

impl Controller for Toy {
    const NAME: &'static str = "toy";
    type Job = (RawId, i64);
    type Outcome = (i64, u64);

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Self::Job>, Error> {
        if self.0.fails {
            return Err(Error::Unavailable("The toy is broken.".into()));
        }
        let Some(thing) = tx.find::<Thing>(id.of())? else { return Ok(Next::Gone) };
        Ok(match thing.status.number {
            Some(n) if n == thing.spec.number => Next::Settled { look_again: None },
            _ if thing.spec.number < 0 => Next::Stuck { why: "Below nothing is nothing.".into(), look_again: None },
            _ => Next::Drive((id, thing.spec.number)),
        })
    }

    fn drive(&self, (id, number): Self::Job, fence: Fence) -> Soon<'_, Self::Outcome> {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            world.drives.fetch_add(1, Ordering::SeqCst);
            world.fences.lock().unwrap().entry(id).or_default().push(fence.0);
            if !world.driving.lock().unwrap().insert(id) {
                world.overlaps.fetch_add(1, Ordering::SeqCst);
            }
            let left = Left(Arc::clone(&world), id);
            if world.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                panic!("the toy fell over");
            }
            tokio::task::yield_now().await;
            if let Some(hold) = &world.hold {
                hold.acquire().await.unwrap().forget();
            }
            drop(left);
            (number, fence.0)
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, (number, fence): &Self::Outcome) -> Result<Next<()>, Error> {
        let Some(mut thing) = tx.find::<Thing>(id.of())? else { return Ok(Next::Gone) };
        tx.observe(&mut thing, Shown { number: Some(*number), fence: *fence }, None)?;
        Ok(Next::Settled { look_again: None })
    }
}

/// Notes that a drive has ended, however it did.
struct Left(Arc<World>, RawId);

impl Drop for Left {
    fn drop(&mut self) {
        if let Ok(mut driving) = self.0.driving.lock() {
            driving.remove(&self.1);
        }
    }
}

struct Bench {
    store: Store,
    world: Arc<World>,
    _home: Box<dyn Send>,
}

impl Bench {
    fn new(clock: Arc<dyn Clock>, world: World) -> Self {
        let home = tempfile::tempdir().unwrap();
        let open = Open::Sqlite { path: home.path().join("db"), readers: 2 };
        Self::on(&open, home, clock, world)
    }

    fn on(open: &Open, home: impl Send + 'static, clock: Arc<dyn Clock>, world: World) -> Self {
        let store = Store::open(open, registry(), clock).unwrap();
        Self { store, world: Arc::new(world), _home: Box::new(home) }
    }

    fn run(&self) -> Running {
        let settings =
            Settings { poll: Duration::from_millis(20), first_pause: Duration::from_millis(10), ..Settings::default() };
        self.run_with(settings)
    }

    fn run_with(&self, settings: Settings) -> Running {
        let runner = Runner::new(self.store.clone(), vec![Box::new(Toy(Arc::clone(&self.world)))], settings);
        let (stop, counters) = (CancellationToken::new(), runner.counters());
        let task = tokio::spawn(runner.run(stop.clone()));
        Running { stop, counters, task }
    }

    async fn make(&self, number: i64) -> Id<Thing> {
        let made = self
            .store
            .write(Context::system(), move |tx| tx.create(RawId::new(0), Thing { number, in_box: None }).map(|t| t.id));
        made.await.unwrap()
    }

    async fn set(&self, id: Id<Thing>, number: i64) {
        let set = self.store.write(Context::system(), move |tx| {
            let mut thing = tx.get(id)?;
            let spec = Thing { number, ..thing.spec.clone() };
            tx.save(&mut thing, spec)
        });
        set.await.unwrap();
    }

    async fn shown(&self, id: Id<Thing>) -> Shown {
        self.store.read(Context::system(), move |tx| tx.get(id).map(|t| t.status)).await.unwrap()
    }

    async fn work(&self, id: Id<Thing>) -> meetme_store::Work {
        self.store.read(Context::system(), move |tx| tx.work_of("toy", id.any())).await.unwrap().unwrap()
    }

    async fn shows(&self, id: Id<Thing>, number: i64) {
        until(async || self.shown(id).await.number == Some(number)).await;
    }
}

struct Running {
    stop: CancellationToken,
    counters: Counters,
    task: JoinHandle<()>,
}

impl Running {
    /// Waits until so many passes ended in an outcome. A pass is counted once its transaction is over, so whoever reads the
    /// row can be quicker.
    async fn counts(&self, outcome: &str, passes: u64) {
        until(async || self.counters.of("toy", outcome) >= passes).await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Waits for a condition, with a deadline.
async fn until(condition: impl AsyncFn() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let met = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition().await {
            tick.tick().await;
        }
    });
    met.await.expect("the condition was not met in time");
}

fn held() -> World {
    World { hold: Some(Semaphore::new(0)), ..World::default() }
}

impl World {
    fn release(&self, n: usize) {
        self.hold.as_ref().unwrap().add_permits(n);
    }
}

fn manual() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Time(1_784_000_000_000)))
}

#[tokio::test]
async fn a_wish_is_driven_under_the_fence_of_its_lease_and_its_outcome_is_noted() {
    let bench = Bench::new(Arc::new(SystemClock), World::default());
    let running = bench.run();
    let id = bench.make(7).await;
    bench.shows(id, 7).await;
    let work = bench.work(id).await;
    assert_eq!((work.fence, work.leased_by, work.due_at), (bench.shown(id).await.fence, None, None));
    assert_eq!(work.note.as_deref(), Some("settled: everything is as wished."));
    bench.set(id, 8).await;
    bench.shows(id, 8).await;
    assert!(bench.shown(id).await.fence > work.fence);
    running.end().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_stuck_with_a_reason_until_somebody_changes_it() {
    let bench = Bench::new(Arc::new(SystemClock), World::default());
    let running = bench.run();
    let id = bench.make(-1).await;
    until(async || bench.work(id).await.note.is_some()).await;
    let work = bench.work(id).await;
    assert_eq!((work.note.as_deref(), work.due_at), (Some("stuck: Below nothing is nothing."), None));
    running.counts("stuck", 1).await;
    assert_eq!(running.counters.of("toy", "stuck"), 1);
    bench.set(id, 1).await;
    bench.shows(id, 1).await;
    running.end().await;
}

#[tokio::test]
async fn a_lost_lease_keeps_nothing() {
    let clock = manual();
    let bench = Bench::new(clock.clone(), held());
    let running = bench.run();
    let id = bench.make(7).await;
    until(async || bench.world.drives.load(Ordering::SeqCst) == 1).await;
    clock.step_seconds(60);
    let thief = |tx: &mut Tx<'_>| tx.lease(&["toy"], "somebody else", 600, 9);
    // The runner itself would take it over as well, so the clock is stepped and the work taken while it is full.
    let taken = bench.store.write(Context::system(), thief).await.unwrap();
    bench.world.release(9);
    if taken.is_empty() {
        // The runner was faster: its second pass holds a higher fence than its first.
        bench.shows(id, 7).await;
        assert_eq!(bench.shown(id).await.fence, 2);
    }
    until(async || running.counters.of("toy", "lost") == 1).await;
    assert!(taken.is_empty() || bench.shown(id).await == Shown::default());
    running.end().await;
}

#[tokio::test]
async fn work_of_a_runner_that_died_is_carried_on_under_a_higher_fence() {
    let clock = manual();
    let bench = Bench::new(clock.clone(), held());
    let dies = bench.run();
    let id = bench.make(7).await;
    until(async || bench.world.drives.load(Ordering::SeqCst) == 1).await;
    dies.task.abort();
    assert!(dies.task.await.unwrap_err().is_cancelled());
    bench.world.release(9);
    let next = bench.run();
    clock.step_seconds(60);
    bench.shows(id, 7).await;
    assert_eq!(bench.world.fences.lock().unwrap()[&id.any()], [1, 2]);
    assert_eq!(bench.shown(id).await.fence, 2);
    next.end().await;
}

#[tokio::test]
async fn a_lease_is_renewed_while_a_box_is_being_driven() {
    let bench = Bench::new(Arc::new(SystemClock), held());
    let settings = || Settings { lease_seconds: 1, poll: Duration::from_millis(20), ..Settings::default() };
    let (one, two) = (bench.run_with(settings()), bench.run_with(settings()));
    let id = bench.make(7).await;
    let begun = bench.store.clock().now();
    until(async || bench.store.clock().now() > begun.plus_millis(2_500)).await;
    bench.world.release(1);
    bench.shows(id, 7).await;
    assert_eq!(bench.world.drives.load(Ordering::SeqCst), 1);
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn a_panic_is_heard_noted_and_tried_again() {
    let bench = Bench::new(Arc::new(SystemClock), World { panics: AtomicU32::new(1), ..World::default() });
    let running = bench.run();
    let id = bench.make(7).await;
    bench.shows(id, 7).await;
    running.counts("settled", 1).await;
    assert_eq!((running.counters.of("toy", "failed"), running.counters.of("toy", "settled")), (1, 1));
    running.end().await;
}

#[tokio::test]
async fn failures_are_repeated_after_growing_pauses_up_to_a_limit() {
    let clock = manual();
    let bench = Bench::new(clock.clone(), World { fails: true, ..World::default() });
    let running = bench.run_with(Settings { poll: Duration::from_millis(5), ..Settings::default() });
    let id = bench.make(7).await;
    let mut pauses = Vec::new();
    for attempt in 1..=12 {
        until(async || {
            let work = bench.work(id).await;
            work.attempts == attempt && work.leased_by.is_none() && work.note.is_some()
        })
        .await;
        let pause = bench.work(id).await.due_at.unwrap().0 - clock.now().0;
        pauses.push(pause);
        clock.step_seconds(pause / 1000 + 1);
    }
    assert_eq!(bench.work(id).await.note.as_deref(), Some("failed: The toy is broken."));
    for (i, pause) in pauses.iter().enumerate() {
        let full = (1000 << i).min(300_000);
        assert!((full * 3 / 4..=full).contains(pause) || *pause == 1000, "{pauses:?}");
    }
    assert!(pauses[11] >= 225_000, "{pauses:?}");
    running.end().await;
}

#[tokio::test]
async fn a_thousand_changed_rows_of_one_box_are_one_pass() {
    let bench = Bench::new(Arc::new(SystemClock), World::default());
    let running = bench.run();
    let id = bench.make(1).await;
    bench.shows(id, 1).await;
    let (before, in_box) = (bench.world.drives.load(Ordering::SeqCst), id.get());
    let made = bench.store.write(Context::system(), move |tx| {
        for number in 0..1000 {
            tx.create(RawId::new(0), Thing { number, in_box: Some(in_box) })?;
        }
        let mut thing = tx.get(id)?;
        tx.save(&mut thing, Thing { number: 2, in_box: None })
    });
    made.await.unwrap();
    bench.shows(id, 2).await;
    assert_eq!(bench.world.drives.load(Ordering::SeqCst), before + 1);
    running.counts("settled", 2).await;
    assert_eq!(running.counters.of("toy", "settled"), 2);
    running.end().await;
}

#[tokio::test]
async fn what_changes_while_a_box_is_driven_is_looked_at_right_after() {
    let bench = Bench::new(Arc::new(SystemClock), held());
    let running = bench.run();
    let id = bench.make(1).await;
    until(async || bench.world.drives.load(Ordering::SeqCst) == 1).await;
    bench.set(id, 2).await;
    bench.world.release(9);
    bench.shows(id, 2).await;
    running.end().await;
}

async fn race(bench: Bench) {
    let (one, two) = (bench.run(), bench.run());
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(bench.make(number).await);
    }
    for round in 1..=10 {
        for id in &ids {
            bench.set(*id, round * 100).await;
        }
    }
    for id in ids {
        bench.shows(id, 1000).await;
    }
    assert_eq!(bench.world.overlaps.load(Ordering::SeqCst), 0);
    assert!(bench.world.fences.lock().unwrap().values().all(|f| f.is_sorted()));
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_never_drive_one_object_at_once() {
    race(Bench::new(Arc::new(SystemClock), World::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runners_never_drive_one_object_at_once_on_postgresql() {
    let open = match tokio::task::spawn_blocking(meetme_testdb::postgres).await.unwrap() {
        Ok(open) => open,
        Err(why) => return meetme_testdb::skipped(&why),
    };
    let place = (*open).clone();
    race(Bench::on(&place, open, Arc::new(SystemClock), World::default())).await;
}

#[tokio::test]
async fn a_pass_under_way_ends_when_the_runner_is_stopped() {
    let bench = Bench::new(Arc::new(SystemClock), held());
    let running = bench.run();
    let id = bench.make(7).await;
    until(async || bench.world.drives.load(Ordering::SeqCst) == 1).await;
    running.stop.cancel();
    bench.world.release(1);
    running.task.await.unwrap();
    assert_eq!(bench.shown(id).await.number, Some(7));
}

#[tokio::test]
async fn what_is_gone_is_forgotten() {
    let bench = Bench::new(Arc::new(SystemClock), World::default());
    let running = bench.run();
    let id = bench.make(7).await;
    bench.shows(id, 7).await;
    bench.store.write(Context::system(), move |tx| tx.remove(id)).await.unwrap();
    until(async || bench.store.read(Context::system(), move |tx| tx.work_of("toy", id.any())).await.unwrap().is_none())
        .await;
    running.end().await;
}
