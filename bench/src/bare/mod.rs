//! The bare program: what anybody would write who needs nothing but these answers. It knows no caller, no scope, no dialect
//! and no log; it runs the one prepared statement that a request needs and writes the rows as they come.

mod json;
mod machines;
mod sql;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::{Path as At, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_postgres::{NoTls, types::ToSql};

pub use self::machines::Common;
use self::{
    json::{Answer, Cells},
    sql::{Ask, HOME, statements},
};
use crate::{case::CAPACITY, place::Place};

/// How many connections to PostgreSQL it has, as many as the server's readers.
const CONNECTIONS: usize = 4;

/// The running program; it ends when this is dropped.
pub struct Bare {
    runtime: Option<Runtime>,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Bare {
    /// Starts it over the same data.
    pub fn start(place: &Place, common: Common) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("bare").build()?;
        let address = runtime.block_on(async {
            let database = match place {
                Place::Sqlite { file } => Kept::sqlite(file)?,
                Place::Postgres { url, .. } => Kept::postgres(url).await?,
            };
            let database = Database { kept: database, key: common.key()?, common };
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            tokio::spawn(async move { axum::serve(listener, routes(Arc::new(database))).await });
            anyhow::Ok(address)
        })?;
        Ok(Self { runtime: Some(runtime), address })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn routes(database: Arc<Database>) -> Router {
    type Held = State<Arc<Database>>;
    let network =
        |State(db): Held, At(id): At<i64>, head: HeaderMap| async move { reply(&db, Ask::Network(id), &head).await };
    let session =
        |State(db): Held, At(id): At<i64>, head: HeaderMap| async move { reply(&db, Ask::Session(id), &head).await };
    let networks = |State(db): Held, RawQuery(query): RawQuery, head: HeaderMap| async move {
        let query = query.unwrap_or_default();
        let ask = match value(&query, "name__ic") {
            Some(text) => Ask::NetworksNamed(limit(&query), text.to_owned()),
            None => Ask::Networks(limit(&query)),
        };
        reply(&db, ask, &head).await
    };
    let sessions = |State(db): Held, RawQuery(query): RawQuery, head: HeaderMap| async move {
        let query = query.unwrap_or_default();
        let ask = match value(&query, "internet_exchange_id").and_then(|text| text.parse().ok()) {
            Some(at) => Ask::SessionsAt(limit(&query), at),
            None => Ask::Sessions(limit(&query)),
        };
        reply(&db, ask, &head).await
    };
    let capacity = |State(db): Held, head: HeaderMap| async move { reply(&db, Ask::Capacity, &head).await };
    let machines = |State(db): Held, head: HeaderMap| async move { reply(&db, Ask::Machines, &head).await };
    Router::new()
        .route("/api/peering/autonomous-systems/", get(networks))
        .route("/api/peering/autonomous-systems/{id}/", get(network))
        .route("/api/peering/internet-exchange-peering-sessions/", get(sessions))
        .route("/api/peering/internet-exchange-peering-sessions/{id}/", get(session))
        .route(CAPACITY, get(capacity))
        .route("/projects/{id}/devices", get(machines))
        .with_state(database)
}

fn value<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn limit(query: &str) -> i64 {
    value(query, "limit").and_then(|text| text.parse().ok()).unwrap_or(50)
}

async fn reply(database: &Database, ask: Ask, head: &HeaderMap) -> Response {
    let host = head.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base = format!("http://{host}");
    match database.answer(&ask, &base).await {
        Ok(Some(body)) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

struct Database {
    kept: Kept,
    common: Common,
    /// The key of the project whose machines are listed.
    key: Vec<u8>,
}

enum Kept {
    Sqlite {
        statements: Vec<String>,
        file: std::path::PathBuf,
        /// Those that no thread uses just now.
        idle: Mutex<Vec<Connection>>,
    },
    Postgres {
        clients: Vec<(tokio_postgres::Client, Vec<tokio_postgres::Statement>)>,
        next: AtomicUsize,
    },
}

impl Kept {
    fn sqlite(file: &Path) -> Result<Self> {
        let home = open(file)?.query_row(HOME, [], |row| row.get(0))?;
        let statements = statements(home).iter().map(|text| text.replace('$', "?")).collect();
        Ok(Self::Sqlite { statements, file: file.to_owned(), idle: Mutex::default() })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connecting to PostgreSQL")?;
            tokio::spawn(connection);
            let mut prepared = Vec::new();
            let home = client.query_one(HOME, &[]).await?.try_get(0)?;
            for text in statements(home) {
                prepared.push(client.prepare(&text).await.with_context(|| text.clone())?);
            }
            clients.push((client, prepared));
        }
        Ok(Self::Postgres { clients, next: AtomicUsize::new(0) })
    }
}

impl Database {
    async fn answer(&self, ask: &Ask, base: &str) -> Result<Option<Vec<u8>>> {
        let answer = Answer::new(ask, base, &self.common);
        match &self.kept {
            Kept::Sqlite { statements, file, idle } => {
                let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = known.map_or_else(|| open(file), Ok)?;
                let answer = ask_sqlite(&connection, &statements[ask.statement()], ask, &self.key, answer);
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                answer
            }
            Kept::Postgres { clients, next } => {
                let (client, prepared) = &clients[next.fetch_add(1, Ordering::Relaxed) % clients.len()];
                ask_postgres(client, &prepared[ask.statement()], ask, &self.key, answer).await
            }
        }
    }
}

fn open(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch("PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456;")?;
    Ok(connection)
}

fn ask_sqlite(
    connection: &Connection,
    text: &str,
    ask: &Ask,
    key: &[u8],
    mut answer: Answer<'_>,
) -> Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached(text)?;
    let mut rows = match ask {
        Ask::Network(first) | Ask::Session(first) | Ask::Networks(first) | Ask::Sessions(first) => {
            statement.query([first])?
        }
        Ask::NetworksNamed(limit, text) => statement.query((limit, format!("%{text}%")))?,
        Ask::SessionsAt(limit, at) => statement.query((limit, at))?,
        Ask::Capacity => statement.query(())?,
        Ask::Machines => statement.query([key])?,
    };
    while let Some(row) = rows.next()? {
        answer.row(row)?;
    }
    Ok(answer.finish())
}

async fn ask_postgres(
    client: &tokio_postgres::Client,
    statement: &tokio_postgres::Statement,
    ask: &Ask,
    key: &[u8],
    mut answer: Answer<'_>,
) -> Result<Option<Vec<u8>>> {
    let pattern;
    let values: &[&(dyn ToSql + Sync)] = match ask {
        Ask::Network(first) | Ask::Session(first) | Ask::Networks(first) | Ask::Sessions(first) => &[first],
        Ask::NetworksNamed(limit, text) => {
            pattern = format!("%{text}%");
            &[limit, &pattern]
        }
        Ask::SessionsAt(limit, at) => &[limit, at],
        Ask::Capacity => &[],
        Ask::Machines => &[&key],
    };
    let rows = client.query(statement, values).await?;
    rows.iter().try_for_each(|row| answer.row(row))?;
    Ok(answer.finish())
}

impl Cells for rusqlite::Row<'_> {
    fn int(&self, at: usize) -> Result<i64> {
        Ok(self.get_ref(at)?.as_i64()?)
    }
    fn text(&self, at: usize) -> Result<Option<&str>> {
        match self.get_ref(at)? {
            ValueRef::Null => Ok(None),
            value => Ok(Some(value.as_str()?)),
        }
    }
    fn bytes(&self, at: usize) -> Result<&[u8]> {
        Ok(self.get_ref(at)?.as_blob()?)
    }
}

impl Cells for tokio_postgres::Row {
    fn int(&self, at: usize) -> Result<i64> {
        Ok(self.try_get(at)?)
    }
    fn text(&self, at: usize) -> Result<Option<&str>> {
        Ok(self.try_get(at)?)
    }
    fn bytes(&self, at: usize) -> Result<&[u8]> {
        Ok(self.try_get(at)?)
    }
}
