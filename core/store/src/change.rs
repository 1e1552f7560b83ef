//! The change log: what was written, by whom, in which request, before and after. It is outbox and watch stream in one.
//!
//! Readers that follow it get each change exactly once, and the changes of one object in their order. PostgreSQL hands out
//! sequence and transaction numbers before it commits, so the cursor is (transaction, sequence), only transactions below the
//! oldest that still runs are shown, and a transaction that comes to an object after one with a higher number is run again under a
//! new number. Roads not taken: the sequence number as the cursor, which loses changes under concurrent writers; the snapshot as
//! the cursor, which grows with the number of writers; a lock that makes all writers commit in turn.

use std::{fmt, str::FromStr};

use meetme_base::{Kind, RawId, Time, Uid};
use serde_json::Value as Json;

use crate::{
    AnyObject, Error, LineFilter, Object, Resource, Tx,
    conn::{Cell, Flavour, Rows},
    sealed::cut_sealed,
};

/// What happened to a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// It was made.
    Create,
    /// Its spec changed.
    Update,
    /// It was removed.
    Remove,
    /// Its status took a named step.
    Moved,
}

impl Verb {
    /// The stored word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::Moved => "moved",
        }
    }
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        [Self::Create, Self::Update, Self::Remove, Self::Moved]
            .into_iter()
            .find(|v| v.name() == text)
            .ok_or_else(|| Error::Bug(format!("{text} is no verb of the change log")))
    }
}

/// A named step of a status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// A fixed word such as `provisioning.101` or `phase.up`.
    pub code: String,
    /// One sentence for people.
    pub text: String,
}

impl Moved {
    /// A step.
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}

/// A place in the stream of changes: after this one. Opaque: it means something only to the store that gave it out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cursor {
    pub(crate) xid: i64,
    pub(crate) seq: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.xid, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (xid, seq) = s.split_once('-').ok_or(())?;
        Ok(Self { xid: xid.parse().map_err(|_| ())?, seq: seq.parse().map_err(|_| ())? })
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its number.
    pub seq: i64,
    /// Its place in the stream.
    pub cursor: Cursor,
    /// The kind of the row.
    pub kind: Kind,
    /// The row.
    pub id: RawId,
    /// The node the row hangs on.
    pub tenant: RawId,
    /// The version after the change.
    pub version: u64,
    /// What happened.
    pub verb: Verb,
    /// Who did it.
    pub actor: Option<RawId>,
    /// What they were called then.
    pub actor_name: String,
    /// Through which door.
    pub dialect: String,
    /// In which request.
    pub request: Uid,
    /// When.
    pub at: Time,
    /// What the row was called then.
    pub title: String,
    /// For [`Verb::Moved`]: the step's code.
    pub code: Option<String>,
    /// For [`Verb::Moved`]: the step's text.
    pub note: Option<String>,
    /// The spec before. Sealed values show only whether they differ.
    pub before: Option<Json>,
    /// The spec after. Sealed values show only whether they differ.
    pub after: Option<Json>,
}

/// Which lines of the log.
#[derive(Clone, Debug, Default)]
pub struct ChangeQuery {
    /// Only what was committed after this place, and only once nothing that belongs before it can still appear.
    pub after: Option<Cursor>,
    /// Only these kinds; all when empty.
    pub kinds: Vec<Kind>,
    /// Only these rows; all when empty.
    pub ids: Vec<RawId>,
    /// Only these verbs; all when empty.
    pub verbs: Vec<Verb>,
    /// Only the line with this number.
    pub seq: Option<i64>,
    /// Only of this request.
    pub request: Option<Uid>,
    /// Only by this user or key.
    pub actor: Option<RawId>,
    /// Only by somebody of this name.
    pub actor_name: Option<String>,
    /// Only lines that carry a code (steps that dialects show as events), or only those that do not.
    pub coded: Option<bool>,
    /// Only rows on this node or below it.
    pub below: Option<RawId>,
    /// Only from this moment on.
    pub since: Option<Time>,
    /// Only up to this moment.
    pub until: Option<Time>,
    /// All of these must hold too.
    pub also: Vec<LineFilter>,
    /// Newest first. Not together with `after`.
    pub newest: bool,
    /// At most this many.
    pub limit: u32,
    /// Leaving out this many first.
    pub offset: u64,
}

pub(crate) struct Entry {
    kind: Kind,
    id: RawId,
    tenant: RawId,
    version: u64,
    verb: Verb,
    title: String,
    moved: Option<Moved>,
    before: Option<String>,
    after: Option<String>,
}

impl Entry {
    pub fn of<R: Resource>(o: &Object<R>, verb: Verb) -> Self {
        Self {
            kind: R::KIND,
            id: o.id.any(),
            tenant: o.tenant,
            version: o.version,
            verb,
            title: o.spec.title(),
            moved: None,
            before: None,
            after: None,
        }
    }
    pub fn any(o: &AnyObject, verb: Verb) -> Self {
        Self {
            kind: o.kind,
            id: o.id,
            tenant: o.tenant,
            version: o.version,
            verb,
            title: o.title.clone(),
            moved: None,
            before: None,
            after: None,
        }
    }
    pub fn before(mut self, text: String) -> Self {
        self.before = Some(text);
        self
    }
    pub fn after(mut self, text: String) -> Self {
        self.after = Some(text);
        self
    }
    pub fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }
    pub fn moved(mut self, moved: Moved) -> Self {
        self.moved = Some(moved);
        self
    }
}

/// A document as the log keeps it: sealed values become a short print, so that a diff says "changed" and nothing more.
fn without_secrets(text: String) -> String {
    if !text.contains(meetme_base::Sealed::MARK) {
        return text;
    }
    let Ok(mut doc) = serde_json::from_str::<Json>(&text) else { return "null".to_owned() };
    cut_sealed(&mut doc, &|sealed| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        sealed.hash(&mut hasher);
        Json::String(format!("~{:08x}", hasher.finish() >> 32))
    });
    doc.to_string()
}

const INSERT_SQLITE: &str =
    "INSERT INTO change (xid, kind, id, tenant, version, verb, actor, actor_name, dialect, request, at, title, code, note, before,
     after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";

/// Refuses, by adding nothing, when the object's last change has a higher transaction number.
const INSERT_POSTGRES: &str =
    "INSERT INTO change (xid, kind, id, tenant, version, verb, actor, actor_name, dialect, request, at, title, code, note, before,
     after) SELECT CAST(?1 AS BIGINT), CAST(?2 AS TEXT), CAST(?3 AS BIGINT), CAST(?4 AS BIGINT), CAST(?5 AS BIGINT),
     CAST(?6 AS TEXT), CAST(?7 AS BIGINT), CAST(?8 AS TEXT), CAST(?9 AS TEXT), CAST(?10 AS BYTEA), CAST(?11 AS BIGINT),
     CAST(?12 AS TEXT), CAST(?13 AS TEXT), CAST(?14 AS TEXT), CAST(?15 AS TEXT), CAST(?16 AS TEXT)
     WHERE COALESCE((SELECT xid FROM change WHERE id = ?3 ORDER BY seq DESC LIMIT 1), 0) <= ?1";

impl Tx<'_> {
    /// The kind under which [`crate::Scope`] is asked for the lines of the log.
    pub const CHANGES: Kind = Kind::new("change");

    pub(crate) fn log(&mut self, e: Entry) -> Result<(), Error> {
        let xid = self.xid()?;
        let text = |t: Option<String>| t.map_or(Cell::Null, |t| Cell::Text(t.replace('\0', "")));
        let (code, note) = e.moved.map_or((None, None), |m| (Some(m.code), Some(m.text)));
        let params = [
            Cell::Int(xid),
            Cell::Text(e.kind.name().to_owned()),
            Cell::Int(e.id.get()),
            Cell::Int(e.tenant.get()),
            Cell::Int(i64::try_from(e.version).unwrap_or(i64::MAX)),
            Cell::Text(e.verb.name().to_owned()),
            self.context.actor.by.map_or(Cell::Null, |id| Cell::Int(id.get())),
            Cell::Text(self.context.actor.name.replace('\0', "")),
            Cell::Text(self.context.actor.dialect.to_owned()),
            Cell::Blob(self.context.request.bytes().to_vec()),
            Cell::Int(self.now.0),
            Cell::Text(e.title.replace('\0', "")),
            text(code),
            text(note),
            text(e.before.map(without_secrets)),
            text(e.after.map(without_secrets)),
        ];
        let sql = match self.conn.flavour() {
            Flavour::Sqlite => INSERT_SQLITE,
            Flavour::Postgres => INSERT_POSTGRES,
        };
        if self.conn.execute(sql, &params)? == 0 {
            self.conn.run_again();
            return Err(Error::Unavailable("a younger transaction was here before".to_owned()));
        }
        Ok(())
    }

    /// Writes many lines, a few statements for all. Lines of rows that were there before this transaction are `old`: an older
    /// transaction may not write behind a younger one, as in [`Tx::log`].
    pub(crate) fn log_many(&mut self, entries: Vec<Entry>, old: bool) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let xid = self.xid()?;
        if old && self.conn.flavour() == Flavour::Postgres {
            let ids = Cell::Ints(entries.iter().map(|e| e.id.get()).collect());
            let sql = "SELECT 1 FROM change WHERE id = ANY(?1) AND xid > ?2 LIMIT 1";
            if self.conn.first(sql, &[ids, Cell::Int(xid)], |_| Ok(()))?.is_some() {
                self.conn.run_again();
                return Err(Error::Unavailable("a younger transaction was here before".to_owned()));
            }
        }
        let shared = vec![
            Cell::Int(xid),
            self.context.actor.by.map_or(Cell::Null, |id| Cell::Int(id.get())),
            Cell::Text(self.context.actor.name.replace('\0', "")),
            Cell::Text(self.context.actor.dialect.to_owned()),
            Cell::Blob(self.context.request.bytes().to_vec()),
            Cell::Int(self.now.0),
        ];
        let plain = |t: Option<String>| t.map_or(Cell::Null, |t| Cell::Text(t.replace('\0', "")));
        let rows = entries.into_iter().map(|e| {
            vec![
                Cell::Text(e.kind.name().to_owned()),
                Cell::Int(e.id.get()),
                Cell::Int(e.tenant.get()),
                Cell::Int(i64::try_from(e.version).unwrap_or(i64::MAX)),
                Cell::Text(e.verb.name().to_owned()),
                Cell::Text(e.title.replace('\0', "")),
                plain(e.before.map(without_secrets)),
                plain(e.after.map(without_secrets)),
            ]
        });
        let statement = Rows {
            before: "INSERT INTO change (xid, actor, actor_name, dialect, request, at, kind, id, tenant, version, verb, title,
                     before, after) VALUES "
                .to_owned(),
            shared,
            marks: "?1, ?2, ?3, ?4, ?5, ?6, ",
            ..Rows::default()
        };
        self.conn.rows(&statement, rows.collect(), &mut |_| Ok(()))
    }

    /// The number of this transaction: rising in commit order on SQLite, where writers queue; the database's own on PostgreSQL.
    fn xid(&mut self) -> Result<i64, Error> {
        if let Some(xid) = self.xid {
            return Ok(xid);
        }
        let sql = match self.conn.flavour() {
            // Not the last line of the log: old lines are forgotten, perhaps all of them.
            Flavour::Sqlite => "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0) + 1",
            Flavour::Postgres => "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
        };
        let xid = self.conn.first(sql, &[], |r| r.int(0))?.unwrap_or(0) + self.shared.xid_offset();
        self.xid = Some(xid);
        Ok(xid)
    }
}
