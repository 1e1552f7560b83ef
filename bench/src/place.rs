//! Where the data is kept: a file of SQLite, or a PostgreSQL server of the bench's own that writes through to the disk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meetme_store::Open;
use meetme_testdb::Durable;
use postgres::{Client, NoTls};

use crate::server::Settings;

/// The server's own defaults.
const WRITERS: usize = 8;
const READERS: usize = 4;

/// One store.
pub enum Place {
    /// A file in the data directory.
    Sqlite {
        /// The file.
        file: PathBuf,
    },
    /// A server and the connection string of the database in it.
    Postgres {
        /// Stops when dropped.
        server: Box<Durable>,
        /// The database.
        url: String,
    },
}

impl Place {
    /// The file that a server with this data directory uses.
    pub fn sqlite(data: &Path) -> Self {
        Self::Sqlite { file: data.join("meetme.db") }
    }

    /// A PostgreSQL server.
    pub fn postgres() -> Result<Self> {
        let server = Box::new(Durable::new()?);
        let Open::Postgres { url: first, .. } = server.open() else { bail!("the server is not PostgreSQL") };
        execute(&first, "CREATE DATABASE bench")?;
        let url = database(&first, "bench");
        Ok(Self::Postgres { server, url })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// What tells the server to use it.
    pub fn settings(&self) -> Settings {
        match self {
            Self::Sqlite { .. } => Vec::new(),
            Self::Postgres { url, .. } => vec![("MEETME__STORE__URL", url.clone())],
        }
    }

    /// The store itself, for as long as no server uses it.
    pub fn open(&self) -> Open {
        match self {
            Self::Sqlite { file } => Open::Sqlite { path: file.clone(), readers: READERS },
            Self::Postgres { url, .. } => Open::Postgres { url: url.clone(), writers: WRITERS, readers: READERS },
        }
    }

    /// Copies the data into a store of its own, to write to without the server. Nobody may be connected.
    pub fn copy(&self) -> Result<Open> {
        match self {
            Self::Sqlite { file } => {
                let path = file.with_file_name("copy.db");
                let target = path.to_str().context("the name of the copy")?;
                rusqlite::Connection::open(file)?.execute("VACUUM INTO ?1", [target])?;
                Ok(Open::Sqlite { path, readers: READERS })
            }
            Self::Postgres { url, server } => {
                // The bench's server looks after its statistics only when told.
                execute(url, "VACUUM ANALYZE")?;
                let Open::Postgres { url: first, .. } = server.open() else { bail!("the server is not PostgreSQL") };
                execute(&first, "CREATE DATABASE copy TEMPLATE bench")?;
                Ok(Open::Postgres { url: database(&first, "copy"), writers: WRITERS, readers: READERS })
            }
        }
    }
}

fn database(first: &str, name: &str) -> String {
    first.replace("dbname=postgres", &format!("dbname={name}"))
}

fn execute(url: &str, statement: &str) -> Result<()> {
    let mut client = Client::connect(url, NoTls).context("connecting to PostgreSQL")?;
    client.batch_execute(statement).with_context(|| statement.to_owned())
}
