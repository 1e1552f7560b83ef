//! PostgreSQL: as many threads as connections, each running one operation at a time at READ COMMITTED for writes (versions, unique
//! indexes, foreign keys and pool locks decide races) and at a read-only snapshot for reads.
//!
//! Most of a small read is spent on the way to the server and back, so one that asks a single statement has no transaction
//! around it, see [`Steps`].

use std::{
    collections::{BTreeSet, HashMap},
    error::Error as StdError,
    sync::Arc,
    thread::JoinHandle,
};

use postgres::{
    Client, NoTls, Statement,
    error::SqlState,
    fallible_iterator::FallibleIterator,
    types::{IsNull, ToSql, Type},
};

use bytes::BytesMut;

use crate::{
    Error,
    conn::{Cell, Conn, Flavour, Row, Steps},
    job::{Job, Queue},
    schema,
    store::Shared,
};

/// How often an operation is run again when the database asks for it.
const RETRIES: u32 = 8;
/// How many prepared statements a connection keeps.
const PREPARED: usize = 512;

pub(crate) struct Postgres {
    url: String,
    client: Client,
    prepared: HashMap<String, Statement>,
    /// Set when the database asked for the whole transaction to be run again.
    retry: bool,
    /// The statement that holds the rows at which this operation was overtaken, before it is run again.
    hold: BTreeSet<String>,
    /// Set when the connection is lost.
    lost: bool,
    steps: Steps,
    doomed: Option<String>,
}

fn open(url: &str) -> Result<Postgres, Error> {
    let client = Client::connect(url, NoTls).map_err(|e| Error::Unavailable(e.to_string()))?;
    Ok(Postgres {
        url: url.to_owned(),
        client,
        prepared: HashMap::new(),
        retry: false,
        hold: BTreeSet::new(),
        lost: false,
        steps: Steps::default(),
        doomed: None,
    })
}

/// Makes the tables and starts as many threads as connections are wanted: writers, then readers.
pub(crate) fn start(
    url: &str,
    (writers, readers): (usize, usize),
    write_queue: &Queue,
    read_queue: &Queue,
    shared: &Arc<Shared>,
) -> Result<(), Error> {
    let mut first = open(url)?;
    // Two processes may start at once: the schema lock of the first makes the second wait. `IF NOT EXISTS` itself is no lock: of two
    // that make the very first table, one may fail, and finds it made.
    let starting = "CREATE TABLE IF NOT EXISTS starting (one INT)";
    if first.batch(starting).is_err() {
        first.batch(starting)?;
    }
    first.batch("BEGIN; LOCK TABLE starting IN EXCLUSIVE MODE")?;
    schema::prepare(&mut first, &shared.registry)?;
    shared.xid_offset.store(schema::xid_offset(&mut first)?, std::sync::atomic::Ordering::Relaxed);
    first.batch("COMMIT")?;
    drop(first);
    let io = |e: std::io::Error| Error::Bug(format!("no thread for the database: {e}"));
    for n in 0..writers {
        thread(open(url)?, format!("store-write-{n}"), true, write_queue.clone(), shared.clone()).map_err(io)?;
    }
    for n in 0..readers {
        thread(open(url)?, format!("store-read-{n}"), false, read_queue.clone(), shared.clone()).map_err(io)?;
    }
    Ok(())
}

/// Starts one connection's thread.
fn thread(
    mut conn: Postgres,
    name: String,
    writes: bool,
    queue: Queue,
    shared: Arc<Shared>,
) -> std::io::Result<JoinHandle<()>> {
    let begin =
        if writes { "BEGIN ISOLATION LEVEL READ COMMITTED" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };
    std::thread::Builder::new().name(name).spawn(move || {
        while let Ok(mut job) = queue.recv() {
            if !writes && !job.habit().has_steps() && conn.read_alone(job.as_mut(), &shared) {
                job.finish(&shared, Ok(()));
                continue;
            }
            let mut tries = 0;
            conn.hold.clear();
            let ended = loop {
                if conn.lost
                    && let Err(e) = conn.reconnect()
                {
                    break Err(e);
                }
                conn.retry = false;
                conn.steps.begin(false);
                let epochs = shared.epochs();
                // In one order for all, so that two who hold several do not wait for each other.
                let holding: String = conn.hold.iter().map(String::as_str).collect();
                let keep = match conn.batch(&format!("{begin}{holding}")) {
                    Ok(()) => job.run(&mut conn, &shared, epochs),
                    // Nothing was sent yet: a lost connection may be tried anew.
                    Err(_) if conn.lost && tries < 1 => {
                        tries += 1;
                        continue;
                    }
                    Err(e) => {
                        let again = conn.retry && tries < RETRIES;
                        if !conn.lost {
                            drop(conn.batch("ROLLBACK"));
                        }
                        if again {
                            tries += 1;
                            continue;
                        }
                        break Err(e);
                    }
                };
                if !writes && !conn.retry {
                    job.habit().stepped(conn.steps.are_many());
                    break Ok(());
                }
                let ended = if keep { conn.batch("COMMIT") } else { conn.batch("ROLLBACK") };
                if conn.retry && tries < RETRIES {
                    tries += 1;
                    continue;
                }
                break ended;
            };
            job.finish(&shared, ended);
            // Nothing depends on how a read's transaction ends: nobody need wait for it.
            if !writes && let Err(error) = conn.batch("COMMIT") {
                tracing::debug!(%error, "a reading transaction did not end well");
            }
        }
    })
}

impl Postgres {
    fn reconnect(&mut self) -> Result<(), Error> {
        *self = open(&self.url)?;
        Ok(())
    }

    /// Runs a reading job outside a transaction; false when it must be run again, inside one.
    fn read_alone(&mut self, job: &mut dyn Job, shared: &Shared) -> bool {
        if self.lost {
            return false;
        }
        self.retry = false;
        self.steps.begin(true);
        job.run(self, shared, shared.epochs());
        job.habit().stepped(self.steps.are_many());
        !self.steps.are_many() && !self.retry && !self.lost
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, Error> {
        self.steps.ask()?;
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        // Our statements write `?1`; no text literal of ours holds a question mark.
        let statement = self.client.prepare(&sql.replace('?', "$")).map_err(|e| self.fail(&e, sql))?;
        if self.prepared.len() >= PREPARED {
            self.prepared.clear();
        }
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn fail(&mut self, error: &postgres::Error, sql: &str) -> Error {
        let out = self.reason(error, sql);
        self.doomed.get_or_insert_with(|| out.to_string());
        out
    }

    fn reason(&mut self, error: &postgres::Error, sql: &str) -> Error {
        if self.client.is_closed() || error.is_closed() {
            self.lost = true;
            return Error::Unavailable(error.to_string());
        }
        let Some(db) = error.as_db_error() else { return Error::Bug(format!("{error} in {sql}")) };
        let code = db.code();
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            self.retry = true;
            return Error::Unavailable(db.message().to_owned());
        }
        if *code == SqlState::UNIQUE_VIOLATION {
            return Error::Exists {
                kind: meetme_base::Kind::new(""),
                clash: meetme_base::Invalid::unique("", "the object"),
                fields: vec![db.constraint().unwrap_or_default().to_owned()],
            };
        }
        if *code == SqlState::FOREIGN_KEY_VIOLATION && sql.starts_with("DELETE") {
            // Somebody referred to the row between our look and our step: the next run will see it.
            self.retry = true;
            return Error::Unavailable(db.message().to_owned());
        }
        if *code == SqlState::FOREIGN_KEY_VIOLATION {
            return Error::Invalid(meetme_base::Invalid::reference("", "A referenced object"));
        }
        if *code == SqlState::READ_ONLY_SQL_TRANSACTION
            || code.code().starts_with("57")
            || code.code().starts_with("53")
        {
            // A standby after a failover, a shutdown, or out of resources: another connection may be better.
            self.lost = true;
            return Error::Unavailable(db.message().to_owned());
        }
        Error::Bug(format!("{} ({}) in {sql}", db.message(), code.code()))
    }
}

impl Conn for Postgres {
    fn flavour(&self) -> Flavour {
        Flavour::Postgres
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Cell],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let statement = self.statement(sql)?;
        let result = (|| {
            let mut rows = self.client.query_raw(&statement, params).map_err(Failed::Sql)?;
            while let Some(row) = rows.next().map_err(Failed::Sql)? {
                each(&row).map_err(Failed::Ours)?;
            }
            Ok(())
        })();
        result.map_err(|e| match e {
            Failed::Sql(e) => self.fail(&e, sql),
            Failed::Ours(e) => e,
        })
    }

    fn execute(&mut self, sql: &str, params: &[Cell]) -> Result<u64, Error> {
        let statement = self.statement(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as _).collect();
        self.client.execute(&statement, &params).map_err(|e| self.fail(&e, sql))
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).map_err(|e| self.fail(&e, sql))
    }

    fn doomed(&mut self) -> &mut Option<String> {
        &mut self.doomed
    }

    fn run_again(&mut self) {
        self.retry = true;
    }

    fn run_again_holding(&mut self, table: &str, id: i64) {
        self.hold.insert(format!("; SELECT FROM {table} WHERE id = {id} FOR UPDATE"));
        self.retry = true;
    }
}

enum Failed {
    Sql(postgres::Error),
    Ours(Error),
}

impl Row for postgres::Row {
    fn is_null(&self, i: usize) -> bool {
        // Any type will do to see whether there is a value.
        matches!(self.try_get::<_, Option<Raw>>(i), Ok(None) | Err(_))
    }
    fn int(&self, i: usize) -> Result<i64, Error> {
        if *self.columns()[i].type_() == Type::INT4 {
            return self.try_get::<_, i32>(i).map(i64::from).map_err(|e| Error::Bug(e.to_string()));
        }
        self.try_get(i).map_err(|e| Error::Bug(e.to_string()))
    }
    fn text(&self, i: usize) -> Result<&str, Error> {
        self.try_get(i).map_err(|e| Error::Bug(e.to_string()))
    }
    fn blob(&self, i: usize) -> Result<&[u8], Error> {
        self.try_get(i).map_err(|e| Error::Bug(e.to_string()))
    }
}

struct Raw;

impl postgres::types::FromSql<'_> for Raw {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Cell {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => match *ty {
                Type::INT2 => i16::try_from(*n)?.to_sql(ty, out),
                Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
                _ => n.to_sql(ty, out),
            },
            Self::Text(s) => s.to_sql(ty, out),
            Self::Blob(b) => b.to_sql(ty, out),
            Self::Ints(list) => list.to_sql(ty, out),
            Self::Texts(list) => list.to_sql(ty, out),
            Self::Blobs(list) => list.to_sql(ty, out),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    postgres::types::to_sql_checked!();
}
