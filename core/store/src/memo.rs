//! Small tables beside the documents: answers kept for idempotency keys, and names that a dialect gave to objects.

use meetme_base::{Invalid, Kind, RawId, Time};

use crate::{Error, Tx, conn::Cell};

/// An answer kept under a client's idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    /// A print of the request, so that one key is not used for two different requests.
    pub print: String,
    /// The answer that was given.
    pub answer: String,
    /// When.
    pub at: Time,
}

/// PostgreSQL refuses null characters in text.
fn unstorable(text: &str) -> bool {
    text.contains('\0')
}

impl Tx<'_> {
    /// The answer kept under a key in the caller's `scope`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn recall(&mut self, scope: &str, name: &str) -> Result<Option<Memo>, Error> {
        if unstorable(name) || unstorable(scope) {
            return Ok(None);
        }
        self.conn.first(
            "SELECT print, answer, at FROM memo WHERE scope = ?1 AND name = ?2",
            &[Cell::Text(scope.to_owned()), Cell::Text(name.to_owned())],
            |r| Ok(Memo { print: r.text(0)?.to_owned(), answer: r.text(1)?.to_owned(), at: Time(r.int(2)?) }),
        )
    }

    /// Keeps an answer, in the same transaction as the write it tells of.
    ///
    /// # Errors
    /// [`Error::Stale`] when another request with the same key was faster.
    pub fn remember(&mut self, scope: &str, name: &str, print: &str, answer: &str) -> Result<(), Error> {
        self.must_write()?;
        if [scope, name, print, answer].into_iter().any(unstorable) {
            return Err(Invalid::format("", "text without null characters").into());
        }
        let n = self.conn.execute(
            "INSERT INTO memo (scope, name, print, answer, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            &[
                Cell::Text(scope.to_owned()),
                Cell::Text(name.to_owned()),
                Cell::Text(print.to_owned()),
                Cell::Text(answer.to_owned()),
                Cell::Int(self.now.0),
            ],
        )?;
        if n == 1 { Ok(()) } else { Err(Error::Stale { version: 0 }) }
    }

    /// Forgets answers kept before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_answers(&mut self, before: Time) -> Result<u64, Error> {
        self.must_write()?;
        self.conn.execute("DELETE FROM memo WHERE at < ?1", &[Cell::Int(before.0)])
    }

    /// Forgets the lines of the change log from before `before`, up to the first that is younger.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_changes(&mut self, before: Time) -> Result<u64, Error> {
        self.must_write()?;
        // Lines come in the order of time, so only the old ones are looked at: there is no index by time, which each write would pay.
        let young = self.conn.first(
            "SELECT seq FROM change WHERE at >= ?1 ORDER BY seq LIMIT 1",
            &[Cell::Int(before.0)],
            |r| r.int(0),
        )?;
        self.conn.execute(
            "DELETE FROM change WHERE at < ?1 AND seq < ?2",
            &[Cell::Int(before.0), Cell::Int(young.unwrap_or(i64::MAX))],
        )
    }

    /// Gives an object a name of its own in a dialect: what imports and clients that choose ids need.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name is taken.
    pub fn name(&mut self, dialect: &str, kind: Kind, name: &str, object: RawId) -> Result<(), Error> {
        self.must_write()?;
        if unstorable(name) {
            return Err(Invalid::format("id", "text without null characters").into());
        }
        let n = self.conn.execute(
            "INSERT INTO alias (dialect, kind, name, object) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            &[
                Cell::Text(dialect.to_owned()),
                Cell::Text(kind.name().to_owned()),
                Cell::Text(name.to_owned()),
                Cell::Int(object.get()),
            ],
        )?;
        if n == 1 {
            return Ok(());
        }
        let clash = Invalid::unique("id", format!("{kind} with id {name}"));
        Err(Error::Exists { kind, clash, fields: vec!["id".to_owned()] })
    }

    /// The object a dialect calls by this name. Whether the caller may see it is asked when it is read.
    ///
    /// # Errors
    /// When the database fails.
    pub fn named(&mut self, dialect: &str, kind: Kind, name: &str) -> Result<Option<RawId>, Error> {
        if unstorable(name) {
            return Ok(None);
        }
        self.conn.first(
            "SELECT object FROM alias WHERE dialect = ?1 AND kind = ?2 AND name = ?3",
            &[Cell::Text(dialect.to_owned()), Cell::Text(kind.name().to_owned()), Cell::Text(name.to_owned())],
            |r| r.int(0).map(RawId::new),
        )
    }

    /// The names a dialect has for these objects.
    ///
    /// # Errors
    /// When the database fails.
    pub fn names_of(&mut self, dialect: &str, objects: &[RawId]) -> Result<Vec<(RawId, String)>, Error> {
        let condition = self.conn.flavour().is_in("object", 2);
        self.conn.all(
            &format!("SELECT object, name FROM alias WHERE dialect = ?1 AND {condition} ORDER BY object, name"),
            &[Cell::Text(dialect.to_owned()), Cell::Ints(objects.iter().map(|o| o.get()).collect())],
            |r| Ok((RawId::new(r.int(0)?), r.text(1)?.to_owned())),
        )
    }
}
