//! The store's door: opened once, shared by everybody, asked with closures.

use std::{
    collections::HashMap,
    future::Future,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use futures_channel::oneshot;
use meetme_base::{Clock, Kind, Uid};

use crate::{
    Actor, Error, Everything, Registry, Scope, Tx, along,
    habit::Habits,
    job::{Job, Operation},
    postgres, schema, sqlite,
};

/// Which database to open.
#[derive(Clone, Debug)]
pub enum Open {
    /// A file, made when missing. One process serves it; others (the command line's `admin`) may write now and then.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// How many threads read beside the one that writes; quick reads run where they are asked and need none.
        readers: usize,
    },
    /// A server that any number of processes may share.
    Postgres {
        /// A connection string, such as `host=/run/postgresql dbname=meetme`.
        url: String,
        /// How many connections write.
        writers: usize,
        /// How many connections read.
        readers: usize,
    },
}

/// On whose behalf an operation runs.
#[derive(Clone, Debug)]
pub struct Context {
    /// What they may see and do.
    pub scope: Arc<dyn Scope>,
    /// Who they are, for the log.
    pub actor: Actor,
    /// The request.
    pub request: Uid,
    /// Whether to throw the writes away at the end and only answer what they would have been.
    pub dry_run: bool,
}

impl Context {
    /// Meetme itself, with every right.
    pub fn system() -> Self {
        Self { scope: Arc::new(Everything), actor: Actor::system(), request: Uid::random(), dry_run: false }
    }
}

/// What a commit did, for those who follow.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The kinds that were written to; empty when it is not known (another process wrote).
    pub kinds: Vec<Kind>,
    /// Whether work was put into the queue or ended.
    pub work: bool,
}

type Listener = Arc<dyn Fn(&Committed) + Send + Sync>;

pub(crate) struct Shared {
    pub registry: Registry,
    pub clock: Arc<dyn Clock>,
    pub counts: Counts,
    pub plans: along::Plans,
    habits: Habits,
    epochs: Vec<AtomicU64>,
    listeners: RwLock<Vec<Listener>>,
    counting: bool,
    pub xid_offset: AtomicI64,
}

impl Shared {
    /// With `counting`, all commits to the database are of this process.
    pub fn new(registry: Registry, clock: Arc<dyn Clock>, counting: bool) -> Self {
        let epochs = (0..registry.len()).map(|_| AtomicU64::new(0)).collect();
        Self {
            registry,
            clock,
            counts: Counts::default(),
            plans: along::Plans::default(),
            habits: Habits::default(),
            epochs,
            listeners: RwLock::default(),
            counting,
            xid_offset: AtomicI64::new(0),
        }
    }

    /// See [`schema::xid_offset`].
    pub fn xid_offset(&self) -> i64 {
        self.xid_offset.load(Ordering::Relaxed)
    }

    /// For each kind, how many commits of this process wrote to it.
    pub fn epochs(&self) -> Vec<u64> {
        if !self.counting {
            return Vec::new();
        }
        self.epochs.iter().map(|e| e.load(Ordering::Acquire)).collect()
    }

    /// How many commits of this process wrote to the kind at this position.
    pub fn epoch(&self, index: usize) -> u64 {
        self.epochs[index].load(Ordering::Acquire)
    }

    pub fn committed(&self, written: &[usize], work: bool) {
        for i in written {
            self.epochs[*i].fetch_add(1, Ordering::AcqRel);
        }
        if written.is_empty() && !work {
            return;
        }
        let kinds = self.registry.kinds().filter(|k| written.contains(&k.index)).map(|k| k.kind).collect();
        self.tell(&Committed { kinds, work });
    }

    /// Another process wrote to the database: nothing remembered holds any more.
    pub fn changed_elsewhere(&self) {
        for e in &self.epochs {
            e.fetch_add(1, Ordering::AcqRel);
        }
        self.tell(&Committed { kinds: Vec::new(), work: true });
    }

    fn tell(&self, what: &Committed) {
        let listeners = self.listeners.read().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in &listeners {
            // The database's thread must outlive whoever listens.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| listener(what))).is_err() {
                tracing::error!("a listener for commits panicked");
            }
        }
    }
}

/// Remembered counts. An entry holds only while no kind at all was written to since; a finer rule would have to know which kinds
/// a condition reads.
#[derive(Default)]
pub(crate) struct Counts {
    entries: Mutex<HashMap<u64, (u64, u64)>>,
    state: std::hash::RandomState,
}

impl Counts {
    const MOST: usize = 4096;

    pub fn hasher(&self) -> &std::hash::RandomState {
        &self.state
    }
    pub fn get(&self, print: u64, epochs: &[u64]) -> Option<u64> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(&print).filter(|(at, _)| !epochs.is_empty() && *at == epochs.iter().sum::<u64>()).map(|(_, n)| *n)
    }
    pub fn put(&self, print: u64, epochs: &[u64], n: u64) {
        if epochs.is_empty() {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= Self::MOST {
            entries.clear();
        }
        entries.insert(print, (epochs.iter().sum(), n));
    }
}

/// A handle on the open store. Cheap to clone; the database closes when the last one goes.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    write: crossbeam_channel::Sender<Box<dyn Job>>,
    read: crossbeam_channel::Sender<Box<dyn Job>>,
    near: Option<Arc<sqlite::Near>>,
}

impl Store {
    /// Opens the database, makes and widens its tables, and starts its threads.
    ///
    /// # Errors
    /// When the database cannot be opened or its tables cannot be made.
    pub fn open(open: &Open, registry: Registry, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let counting = matches!(open, Open::Sqlite { .. });
        let shared = Arc::new(Shared::new(registry, clock, counting));
        // Unbounded here: the server's limit on requests in flight bounds what can wait.
        let (write, write_queue) = crossbeam_channel::unbounded();
        let (read, read_queue) = crossbeam_channel::unbounded();
        let io = |e: std::io::Error| Error::Bug(format!("no thread for the database: {e}"));
        let mut near = None;
        match open {
            Open::Sqlite { path, readers } => {
                let mut writer = sqlite::open(path, true)?;
                {
                    use crate::conn::Conn as _;
                    writer.batch("BEGIN IMMEDIATE")?;
                    schema::prepare(&mut writer, &shared.registry)?;
                    writer.batch("COMMIT")?;
                }
                sqlite::write_thread(writer, write_queue, shared.clone()).map_err(io)?;
                for n in 0..(*readers).max(1) {
                    let conn = sqlite::open(path, false)?;
                    sqlite::read_thread(conn, n, read_queue.clone(), shared.clone()).map_err(io)?;
                }
                near = Some(Arc::new(sqlite::Near::open(path)?));
            }
            // The driver runs a runtime of its own inside, which may not start on a thread of another one: connect from a plain thread.
            Open::Postgres { url, writers, readers } => std::thread::scope(|scope| {
                let connected = scope.spawn(|| {
                    let counts = ((*writers).max(1), (*readers).max(1));
                    postgres::start(url, counts, &write_queue, &read_queue, &shared)
                });
                connected.join().unwrap_or_else(|_| Err(Error::Bug("connecting panicked".to_owned())))
            })?,
        }
        Ok(Self { shared, write, read, near })
    }

    /// The kinds it keeps.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Its clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Runs a reading operation on one consistent state of the data. The closure may run more than once, and on the thread that
    /// waits for the answer.
    pub fn read<T, E, F>(&self, context: Context, f: F) -> impl Future<Output = Result<T, E>> + Send + 'static
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit(false, context, f)
    }

    /// Runs a writing operation: all its writes are kept and durable when this answers `Ok`, or none is.
    ///
    /// The closure may run more than once; it takes its inputs by reference and has no effect outside the transaction.
    pub fn write<T, E, F>(&self, context: Context, f: F) -> impl Future<Output = Result<T, E>> + Send + 'static
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit(true, context, f)
    }

    fn submit<T, E, F>(
        &self,
        writable: bool,
        context: Context,
        f: F,
    ) -> impl Future<Output = Result<T, E>> + Send + 'static
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let habit = self.shared.habits.of::<F>();
        let near = self.near.clone().filter(|_| !writable && habit.is_quick());
        let operation = Operation { f, context, writable, out: None, written: Vec::new(), worked: false, habit, reply };
        let queue = if writable { &self.write } else { &self.read };
        let mut job: Option<Box<dyn Job>> = Some(Box::new(operation));
        // Sent at once: a write is done even if nobody waits for the answer.
        let sent = near.is_some() || job.take().is_none_or(|job| queue.send(job).is_ok());
        let (queue, shared) = (queue.clone(), self.shared.clone());
        async move {
            let gone = || Error::Unavailable("the store is closed".to_owned());
            let left = near.zip(job).and_then(|(near, job)| near.read(job, &shared));
            if !sent || left.is_some_and(|job| queue.send(job).is_err()) {
                return Err(gone().into());
            }
            answer.await.unwrap_or_else(|_| Err(gone().into()))
        }
    }

    /// How many commits of this process wrote to each of these kinds, summed: whoever remembers something read from them may use
    /// it while this stays the same. On PostgreSQL other processes' commits are not counted.
    pub fn epoch(&self, kinds: &[Kind]) -> u64 {
        self.shared.registry.kinds().filter(|k| kinds.contains(&k.kind)).map(|k| self.shared.epoch(k.index)).sum()
    }

    /// Whether every commit to the database is counted by [`Store::epoch`].
    pub fn counts_every_commit(&self) -> bool {
        self.shared.counting
    }

    /// Calls `listener` after every commit that wrote something, on a database thread: it must be quick and must not call the store.
    pub fn on_commit(&self, listener: impl Fn(&Committed) + Send + Sync + 'static) {
        self.shared.listeners.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listener));
    }
}
