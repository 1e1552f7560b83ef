//! Databases for tests: a fresh one for each test, gone when the test is over, on SQLite and on PostgreSQL.
//!
//! Promise: nothing here outlives a test run by more than about a minute, and a test that cannot have PostgreSQL says so
//! aloud instead of passing quietly.
//!
//! The PostgreSQL cluster is shared by all test processes of a run, because making one takes seconds and making a database in
//! it takes milliseconds. It is found through `MEETME_TEST_POSTGRES` (a connection string of a role that may create
//! databases), or else made by the first process that asks and stopped by a watchdog when nobody has used it for a while.
//! Road not taken: a cluster for each test, which made a suite of hundreds of tests wait for `initdb` most of its time.

mod cluster;
mod durable;
mod server;

use std::{
    fmt,
    ops::Deref,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use meetme_store::Open;

pub use durable::Durable;

/// Why there is no PostgreSQL to test with.
#[derive(Clone, Debug)]
pub struct Skip(pub String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

/// A value together with the database it stands for, which goes when this is dropped.
pub struct Temp<T> {
    value: T,
    home: Option<Box<dyn Send + Sync>>,
}

impl<T> Deref for Temp<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Temp<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T> Temp<T> {
    pub(crate) fn new(value: T, home: impl Send + Sync + 'static) -> Self {
        Self { value, home: Some(Box::new(home)) }
    }
}

impl<T> Drop for Temp<T> {
    fn drop(&mut self) {
        let home = self.home.take();
        on_a_plain_thread(move || drop(home));
    }
}

/// A fresh SQLite file in a folder of its own.
///
/// # Panics
/// When the machine has no room for a temporary folder.
pub fn sqlite() -> Temp<Open> {
    let folder = tempfile::Builder::new().prefix("meetme-sqlite-").tempdir().expect("a temporary folder");
    let open = Open::Sqlite { path: folder.path().join("meetme.db"), readers: 2 };
    Temp::new(open, folder)
}

/// A fresh database in the shared cluster, which does not survive a power failure but is quick.
///
/// # Errors
/// When there is no PostgreSQL on this machine, or it does not start.
pub fn postgres() -> Result<Temp<Open>, Skip> {
    on_a_plain_thread(|| cluster::shared()?.database(None))
}

/// Like [`postgres`], copied from a template that the first process to ask has filled. Worth it when `fill` makes many tables.
/// A template belongs to one build of the test binary, so that it never holds yesterday's tables.
///
/// # Errors
/// As [`postgres`].
pub fn postgres_like(template: &str, fill: &dyn Fn(&Open)) -> Result<Temp<Open>, Skip> {
    let cluster = cluster::shared()?;
    let name = cluster.template(template, fill)?;
    cluster.database(Some(&name))
}

/// The PostgreSQL driver runs a runtime of its own inside, which may not start on a thread of another one: tests that are
/// asynchronous themselves come through here.
fn on_a_plain_thread<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(f).join()).expect("the thread did not panic")
}

/// A fresh database of each make that this machine has. Prints why one is missing.
///
/// # Panics
/// As [`sqlite`] and [`skipped`].
pub fn both() -> Vec<(&'static str, Temp<Open>)> {
    let mut out = vec![("sqlite", sqlite())];
    match postgres() {
        Ok(open) => out.push(("postgres", open)),
        Err(why) => skipped(&why),
    }
    out
}

/// Says aloud that the PostgreSQL half of a test did not run.
///
/// # Panics
/// When `MEETME_TEST_POSTGRES` is set: whoever names a cluster wants it to be tested with.
pub fn skipped(why: &Skip) {
    assert!(std::env::var_os("MEETME_TEST_POSTGRES").is_none(), "{why}");
    eprintln!("SKIPPED postgres: {why}");
}

/// Waits until `condition` holds, looking again every few milliseconds.
///
/// # Panics
/// When it does not hold `within` the time given.
#[track_caller]
pub fn eventually(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < within, "{what}: not within {within:?}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A name that no other test of this machine uses.
pub(crate) fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0) as u32;
    format!("t_{}_{}_{random:08x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
