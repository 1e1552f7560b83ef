//! SQLite: one writer thread that commits waiting operations together, and reader threads on the write-ahead log.
//!
//! Group commit: a commit costs a synchronous write to the disk (`synchronous=FULL`), about a millisecond; the operations that
//! wait meanwhile share the next one, each inside its own savepoint, and none is answered before the commit is durable.

use std::{
    num::NonZero,
    path::Path,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::RecvTimeoutError;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, types::Value as Sql};

use crate::{
    Error,
    conn::{Cell, Conn, Flavour, Row, Steps},
    job::{Job, Queue, refuse_all},
    store::Shared,
};

/// The most operations that share one commit.
const GROUP: usize = 256;
/// How often a reader looks for a free connection before it hands its work to another thread.
const TRIES: u32 = 4;
/// The longest time that statements of one operation run on the asker's own thread. Ten times of what a quick one takes.
const PATIENCE: Duration = Duration::from_millis(5);
/// How many steps of a statement are made between looks at the clock: about a tenth of a millisecond.
const STEPS: i32 = 4_000;
/// How often the writer looks whether another process wrote to the file.
const LOOK: Duration = Duration::from_millis(500);

pub(crate) struct Sqlite {
    connection: Connection,
    steps: Steps,
    doomed: Option<String>,
    /// For connections on which whoever asks reads by themselves.
    hurry: Option<Arc<Hurry>>,
}

/// When a reader who keeps others waiting gives up.
struct Hurry {
    /// What times are counted from.
    start: Instant,
    /// The time in microseconds.
    until: AtomicU64,
    /// Whether it gave up.
    over: AtomicBool,
}

impl Hurry {
    fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether the statement that runs must stop.
    fn is_over(&self) -> bool {
        let over = self.micros() > self.until.load(Ordering::Relaxed);
        if over {
            self.over.store(true, Ordering::Relaxed);
        }
        over
    }
}

pub(crate) fn open(path: &Path, writer: bool) -> Result<Sqlite, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| bug(&e))?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(|e| bug(&e))?;
    connection.set_prepared_statement_cache_capacity(512);
    // Temporary storage is not kept in memory: what undoes a single statement would grow there with the transaction, and be walked
    // from its beginning at the end of every statement.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = DEFAULT;
             PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456; PRAGMA wal_autocheckpoint = 4000;",
        )
        .map_err(|e| bug(&e))?;
    // Plans must not depend on values: else binding one throws the prepared statement away, and preparing costs more than running.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|e| bug(&e))?;
    rusqlite::vtab::array::load_module(&connection).map_err(|e| bug(&e))?;
    if !writer {
        connection.execute_batch("PRAGMA query_only = ON").map_err(|e| bug(&e))?;
    }
    Ok(Sqlite { connection, steps: Steps::default(), doomed: None, hurry: None })
}

/// Starts the writer.
pub(crate) fn write_thread(mut conn: Sqlite, queue: Queue, shared: Arc<Shared>) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("store-write".to_owned()).spawn(move || {
        let mut version = conn.data_version();
        loop {
            let first = match queue.recv_timeout(LOOK) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Also between groups: a writer that is never idle must hear of others too. Own commits do not count.
            let now = conn.data_version();
            if now != version {
                version = now;
                shared.changed_elsewhere();
            }
            if let Some(first) = first {
                group(&mut conn, first, &queue, &shared);
            }
        }
    })
}

fn group(conn: &mut Sqlite, first: Box<dyn Job>, queue: &Queue, shared: &Arc<Shared>) {
    if let Err(e) = conn.begin("BEGIN IMMEDIATE") {
        first.finish(shared, Err(e));
        return;
    }
    let mut done: Vec<Box<dyn Job>> = Vec::new();
    let mut doubt = None;
    let mut next = Some(first);
    while let Some(mut job) = next.take() {
        let ran = conn.batch("SAVEPOINT one").map(|()| job.run(conn, shared, shared.epochs()));
        let ended = match ran {
            Ok(true) => conn.batch("RELEASE one"),
            Ok(false) => conn.batch("ROLLBACK TO one; RELEASE one"),
            Err(e) => Err(e),
        };
        match ended {
            Ok(()) => done.push(job),
            Err(e) => {
                // The whole transaction is in doubt (the disk is full, say): nothing of it may be kept, and everybody hears of it.
                doubt = Some(e.to_string());
                done.push(job);
                break;
            }
        }
        if done.len() < GROUP {
            next = queue.try_recv().ok();
        }
    }
    let kept = match doubt {
        Some(why) => Err(why),
        None => conn.batch("COMMIT").map_err(|e| e.to_string()),
    };
    if kept.is_err() {
        conn.leave();
    }
    for job in done {
        job.finish(shared, kept.clone().map_err(Error::Unavailable));
    }
}

/// Starts one reader.
pub(crate) fn read_thread(
    mut conn: Sqlite,
    number: usize,
    queue: Queue,
    shared: Arc<Shared>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("store-read-{number}")).spawn(move || {
        while let Ok(job) = queue.recv() {
            // Nobody hurries here: nothing is given back.
            drop(conn.read(job, &shared));
        }
        refuse_all(&queue, &shared, "the store is closed");
    })
}

/// Connections on which whoever asks reads by themselves. Waking a thread and being woken by it takes longer than most reads.
///
/// The asker's thread answers other requests too, so this is for operations that are quick by habit; one that is slow for once is given
/// up and run elsewhere. There are as many of these connections as processors, and one for whoever asks beside the clients.
pub(crate) struct Near {
    idle: Mutex<Vec<Sqlite>>,
}

impl Near {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let hurried = |_| {
            let mut conn = open(path, false)?;
            let hurry = Arc::new(Hurry {
                start: Instant::now(),
                until: AtomicU64::new(u64::MAX),
                over: AtomicBool::new(false),
            });
            let clock = hurry.clone();
            conn.connection.progress_handler(STEPS, Some(move || clock.is_over())).map_err(|e| bug(&e))?;
            conn.hurry = Some(hurry);
            Ok(conn)
        };
        let idle = (0..=processors).map(hurried).collect::<Result<_, Error>>()?;
        Ok(Self { idle: Mutex::new(idle) })
    }

    /// Runs a job if a connection is free and it is quick, else gives it back.
    pub fn read(&self, job: Box<dyn Job>, shared: &Shared) -> Option<Box<dyn Job>> {
        let Some(mut conn) = self.free() else { return Some(job) };
        let left = conn.read(job, shared);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        left
    }

    /// A connection, if there is one soon: who has it now is quick, and may only wait for this thread's processor.
    fn free(&self) -> Option<Sqlite> {
        for _ in 0..TRIES {
            let free = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if free.is_some() {
                return free;
            }
            std::thread::yield_now();
        }
        None
    }
}

impl Sqlite {
    /// Runs a reading job from its beginning to its answer. Gives it back when others could not wait for that any longer.
    fn read(&mut self, mut job: Box<dyn Job>, shared: &Shared) -> Option<Box<dyn Job>> {
        let begun = Instant::now();
        if let Some(hurry) = &self.hurry {
            hurry.over.store(false, Ordering::Relaxed);
            hurry.until.store(hurry.micros() + PATIENCE.as_micros() as u64, Ordering::Relaxed);
        }
        let mut ended = Ok(());
        if job.habit().has_steps() || !self.read_alone(job.as_mut(), shared) {
            ended = self.read_in_steps(job.as_mut(), shared);
        }
        job.habit().took(begun.elapsed());
        if self.hurry.as_ref().is_some_and(|hurry| hurry.over.load(Ordering::Relaxed)) {
            // Whatever it made of the statement that was stopped is no answer.
            self.leave();
            return Some(job);
        }
        job.finish(shared, ended);
        None
    }

    /// Runs a reading job outside a transaction; false when it must be run again, inside one.
    fn read_alone(&mut self, job: &mut dyn Job, shared: &Shared) -> bool {
        self.leave();
        self.steps.begin(true);
        job.run(self, shared, shared.epochs());
        job.habit().stepped(self.steps.are_many());
        !self.steps.are_many()
    }

    fn read_in_steps(&mut self, job: &mut dyn Job, shared: &Shared) -> Result<(), Error> {
        let epochs = shared.epochs();
        let ran = self.begin("BEGIN").map(|()| {
            self.steps.begin(false);
            job.run(self, shared, epochs);
            job.habit().stepped(self.steps.are_many());
        });
        let ended = ran.and_then(|()| self.batch("COMMIT"));
        if ended.is_err() {
            self.leave();
        }
        ended
    }

    /// Changes when another connection wrote to the file.
    fn data_version(&self) -> i64 {
        let read = |mut statement: rusqlite::CachedStatement<'_>| statement.query_row([], |r| r.get(0));
        self.connection.prepare_cached("PRAGMA data_version").and_then(read).unwrap_or(0)
    }

    /// Opens a transaction, leaving first what a failure may have left open.
    fn begin(&mut self, sql: &str) -> Result<(), Error> {
        self.leave();
        self.batch(sql)
    }

    /// Throws away whatever is open.
    fn leave(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(e) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %e, "a failed transaction could not be rolled back");
        }
    }

    fn step(&mut self, sql: &str, params: &[Cell]) -> Result<u64, Error> {
        self.statement(sql, params, |statement| statement.raw_execute().map(|n| n as u64).map_err(Failed::Sql))
    }

    fn statement<T>(
        &mut self,
        sql: &str,
        params: &[Cell],
        run: impl FnOnce(&mut rusqlite::Statement<'_>) -> Result<T, Failed>,
    ) -> Result<T, Error> {
        let done = self.run(sql, params, run);
        done.map_err(|failed| match failed {
            Failed::Sql(e) => {
                let e = fail(&e, sql);
                self.doomed.get_or_insert_with(|| e.to_string());
                e
            }
            Failed::Ours(e) => e,
        })
    }

    fn run<T>(
        &mut self,
        sql: &str,
        params: &[Cell],
        run: impl FnOnce(&mut rusqlite::Statement<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let mut statement = self.connection.prepare_cached(sql).map_err(Failed::Sql)?;
        for (i, cell) in params.iter().enumerate() {
            let n = i + 1;
            let bound = match cell {
                Cell::Null => statement.raw_bind_parameter(n, Sql::Null),
                Cell::Int(v) => statement.raw_bind_parameter(n, v),
                Cell::Text(v) => statement.raw_bind_parameter(n, v),
                Cell::Blob(v) => statement.raw_bind_parameter(n, v),
                Cell::Ints(v) => statement.raw_bind_parameter(n, list(v.iter().map(|x| Sql::Integer(*x)))),
                Cell::Texts(v) => statement.raw_bind_parameter(n, list(v.iter().map(|x| Sql::Text(x.clone())))),
                Cell::Blobs(v) => statement.raw_bind_parameter(n, list(v.iter().map(|x| Sql::Blob(x.clone())))),
            };
            bound.map_err(Failed::Sql)?;
        }
        run(&mut statement)
    }
}

fn list(values: impl Iterator<Item = Sql>) -> rusqlite::vtab::array::Array {
    Rc::new(values.collect())
}

impl Conn for Sqlite {
    fn flavour(&self) -> Flavour {
        Flavour::Sqlite
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Cell],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.steps.ask()?;
        self.statement(sql, params, |statement| {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(Failed::Sql)? {
                each(row).map_err(Failed::Ours)?;
            }
            Ok(())
        })
    }

    fn execute(&mut self, sql: &str, params: &[Cell]) -> Result<u64, Error> {
        self.steps.ask()?;
        self.step(sql, params)
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        // The few statements that frame transactions are prepared once; schema text is not worth it.
        if sql.len() < 20 && !sql.contains(';') {
            return self.step(sql, &[]).map(|_| ());
        }
        self.connection.execute_batch(sql).map_err(|e| fail(&e, sql))
    }

    fn doomed(&mut self) -> &mut Option<String> {
        &mut self.doomed
    }

    /// Writers take turns, so no transaction is ever overtaken.
    fn run_again(&mut self) {}

    fn run_again_holding(&mut self, _: &str, _: i64) {}
}

enum Failed {
    Sql(rusqlite::Error),
    Ours(Error),
}

impl Row for rusqlite::Row<'_> {
    fn is_null(&self, i: usize) -> bool {
        matches!(self.get_ref(i), Ok(rusqlite::types::ValueRef::Null) | Err(_))
    }
    fn int(&self, i: usize) -> Result<i64, Error> {
        self.get_ref(i).map_err(|e| bug(&e))?.as_i64().map_err(|e| Error::Bug(e.to_string()))
    }
    fn text(&self, i: usize) -> Result<&str, Error> {
        self.get_ref(i).map_err(|e| bug(&e))?.as_str().map_err(|e| Error::Bug(e.to_string()))
    }
    fn blob(&self, i: usize) -> Result<&[u8], Error> {
        self.get_ref(i).map_err(|e| bug(&e))?.as_blob().map_err(|e| Error::Bug(e.to_string()))
    }
}

fn bug(e: &rusqlite::Error) -> Error {
    Error::Bug(e.to_string())
}

fn fail(error: &rusqlite::Error, sql: &str) -> Error {
    let Some(code) = error.sqlite_error() else { return Error::Bug(format!("{error} in {sql}")) };
    let text = error.to_string();
    match code.extended_code {
        // SQLITE_CONSTRAINT_UNIQUE names columns, not the index: `UNIQUE constraint failed: k_x.tenant, k_x.f_asn, k_x.live`.
        2067 => Error::Exists {
            kind: meetme_base::Kind::new(""),
            clash: meetme_base::Invalid::unique("", "the object"),
            fields: vec![index_name(&text)],
        },
        787 => Error::Invalid(meetme_base::Invalid::reference("", "A referenced object")),
        _ if matches!(code.code, ErrorCode::DatabaseBusy | ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
            Error::Unavailable(text)
        }
        _ => Error::Bug(format!("{text} in {sql}")),
    }
}

/// The name our schema gives to the unique index over the columns in SQLite's message.
fn index_name(message: &str) -> String {
    let columns = message.split_once("failed: ").map_or("", |(_, rest)| rest);
    let mut name = String::from("u");
    for (i, column) in columns.split(", ").enumerate() {
        let Some((table, column)) = column.split_once('.') else { continue };
        if i == 0 {
            name = format!("u_{}", table.strip_prefix("k_").unwrap_or(table));
        }
        if column != "live" {
            let bare = column.strip_prefix("f_").or_else(|| column.strip_prefix("e_")).unwrap_or(column);
            name.push_str("__");
            name.push_str(bare);
        }
    }
    crate::schema::short(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Registry, habit::Habit};

    /// Counts far, and says how its only statement ended.
    struct Counts {
        habit: Habit,
        ended: std::sync::mpsc::Sender<bool>,
        far: u64,
    }

    impl Job for Counts {
        fn run(&mut self, conn: &mut dyn Conn, _: &Shared, _: Vec<u64>) -> bool {
            let sql =
                "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT ?1) SELECT count(*) FROM c";
            let counted = conn.query(sql, &[Cell::Int(self.far as i64)], &mut |_| Ok(()));
            self.ended.send(counted.is_ok()).unwrap();
            false
        }
        fn finish(self: Box<Self>, _: &Shared, _: Result<(), Error>) {}
        fn habit(&self) -> &Habit {
            &self.habit
        }
    }

    #[test]
    fn who_takes_long_on_the_askers_thread_is_given_back_and_can_be_run_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let shared = Shared::new(Registry::new(), Arc::new(meetme_base::SystemClock), true);
        let near = Near::open(&file).unwrap();
        let (ended, how) = std::sync::mpsc::channel();
        let job = |far| Box::new(Counts { habit: Habit::new(), ended: ended.clone(), far });
        assert!(near.read(job(10), &shared).is_none());
        assert!(how.recv().unwrap());
        // A hundred million steps are some seconds; ten thousand are not yet looked at.
        let left = near.read(job(100_000_000), &shared).expect("it must be given back");
        assert!(!how.recv().unwrap() && !left.habit().is_quick());
        let mut patient = open(&file, false).unwrap();
        assert!(patient.read(job(1_000_000), &shared).is_none());
        assert!(how.recv().unwrap());
        // The connection is as good as before.
        assert!(near.read(job(10), &shared).is_none());
        assert!(how.recv().unwrap());
    }

    #[test]
    fn a_broken_unique_index_is_recognised_by_its_columns() {
        let text =
            "UNIQUE constraint failed: k_autonomous_system.tenant, k_autonomous_system.f_asn, k_autonomous_system.live";
        assert_eq!(super::index_name(text), "u_autonomous_system__tenant__asn");
    }
}
