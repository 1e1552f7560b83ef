//! The change log: what was written, by whom, in which request, before and after. It is outbox and watch stream in one.
//!
//! Readers that follow it get each change exactly once, in the order of commits: PostgreSQL hands out sequence numbers before it
//! commits, so the cursor is (transaction, sequence) and only transactions below the horizon of running ones are shown.
//! Road not taken: the sequence number alone as the cursor, which loses changes under concurrent writers.

use std::{fmt, str::FromStr};

use meetme_base::{Kind, RawId, Time, Uid};
use serde_json::Value as Json;

use crate::{
    AnyObject, Error, Filter, Object, Resource, Tx,
    conn::{Cell, Flavour, Row},
    kind::cut_sealed,
    sql::Compiler,
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
    fn parse(text: &str) -> Result<Self, Error> {
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

/// A place in the stream of changes: after this one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cursor {
    xid: i64,
    seq: i64,
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
    /// Only what was committed after this place, in commit order, and only once no earlier commit can still appear.
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

const COLUMNS: &str = "a0.seq, a0.xid, a0.kind, a0.id, a0.tenant, a0.version, a0.verb, a0.actor, a0.actor_name, a0.dialect, \
                       a0.request, a0.at, a0.title, a0.code, a0.note, a0.before, a0.after";

impl Tx<'_> {
    /// The kind under which [`crate::Scope`] is asked for the lines of the log.
    pub const CHANGES: Kind = Kind::new("change");

    pub(crate) fn log(&mut self, e: Entry) -> Result<(), Error> {
        let xid = self.xid()?;
        let text = |t: Option<String>| t.map_or(Cell::Null, Cell::Text);
        let (code, note) = e.moved.map_or((None, None), |m| (Some(m.code), Some(m.text)));
        let params = [
            Cell::Int(xid),
            Cell::Text(e.kind.name().to_owned()),
            Cell::Int(e.id.get()),
            Cell::Int(e.tenant.get()),
            Cell::Int(i64::try_from(e.version).unwrap_or(i64::MAX)),
            Cell::Text(e.verb.name().to_owned()),
            self.context.actor.by.map_or(Cell::Null, |id| Cell::Int(id.get())),
            Cell::Text(self.context.actor.name.clone()),
            Cell::Text(self.context.actor.dialect.to_owned()),
            Cell::Blob(self.context.request.bytes().to_vec()),
            Cell::Int(self.now.0),
            Cell::Text(e.title.replace('\0', "")),
            text(code),
            text(note),
            text(e.before.map(without_secrets)),
            text(e.after.map(without_secrets)),
        ];
        self.conn.execute(
            "INSERT INTO change (xid, kind, id, tenant, version, verb, actor, actor_name, dialect, request, at, title, code, note,
             before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            &params,
        )?;
        Ok(())
    }

    /// The number of this transaction: rising in commit order on SQLite, where writers queue; the database's own on PostgreSQL.
    fn xid(&mut self) -> Result<i64, Error> {
        if let Some(xid) = self.xid {
            return Ok(xid);
        }
        let sql = match self.conn.flavour() {
            Flavour::Sqlite => "SELECT COALESCE(max(seq), 0) + 1 FROM change",
            Flavour::Postgres => "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)",
        };
        let xid = self.conn.first(sql, &[], |r| r.int(0))?.unwrap_or(0);
        self.xid = Some(xid);
        Ok(xid)
    }

    /// Lines of the log that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub fn changes(&mut self, query: &ChangeQuery) -> Result<Vec<Change>, Error> {
        let (mut sql, mut params) = self.change_sql(COLUMNS, query)?;
        sql.push_str(if query.after.is_some() {
            " ORDER BY a0.xid, a0.seq"
        } else if query.newest {
            " ORDER BY a0.seq DESC"
        } else {
            " ORDER BY a0.seq"
        });
        params.push(Cell::Int(query.limit.into()));
        params.push(Cell::Int(i64::try_from(query.offset).unwrap_or(i64::MAX)));
        sql.push_str(&format!(" LIMIT ?{} OFFSET ?{}", params.len() - 1, params.len()));
        let registry = &self.shared.registry;
        let mut out = Vec::new();
        self.conn.query(&sql, &params, &mut |row| {
            // A kind that this version no longer has cannot be shown.
            if let Some(kind) = registry.kind(row.text(2)?) {
                out.push(read(row, kind.kind)?);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// How many lines [`Tx::changes`] would find without its limit.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_changes(&mut self, query: &ChangeQuery) -> Result<u64, Error> {
        let (sql, params) = self.change_sql("count(*)", query)?;
        Ok(self.conn.first(&sql, &params, |r| r.int(0))?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }

    /// The end of the stream: following from here shows only what comes later.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_cursor(&mut self) -> Result<Cursor, Error> {
        let sql = match self.conn.flavour() {
            Flavour::Sqlite => "SELECT xid, seq FROM change ORDER BY xid DESC, seq DESC LIMIT 1",
            Flavour::Postgres => {
                "SELECT xid, seq FROM change
                 WHERE xid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)
                 ORDER BY xid DESC, seq DESC LIMIT 1"
            }
        };
        let found = self.conn.first(sql, &[], |r| Ok(Cursor { xid: r.int(0)?, seq: r.int(1)? }))?;
        Ok(found.unwrap_or_default())
    }

    fn change_sql(&self, columns: &str, q: &ChangeQuery) -> Result<(String, Vec<Cell>), Error> {
        let flavour = self.conn.flavour();
        let mut sql = format!("SELECT {columns} FROM change a0 WHERE (");
        let any = self.shared.registry.kinds().next().ok_or_else(|| Error::Bug("no kinds".into()))?;
        let mut compiler = Compiler::new(&self.shared.registry, flavour, self.scope.as_ref());
        let seen = self.scope.rows(Self::CHANGES, "see");
        compiler.condition(&mut sql, &seen, any, "a0")?;
        if let Some(node) = q.below {
            sql.push_str(") AND (");
            compiler.condition(&mut sql, &Filter::Below(node), any, "a0")?;
        }
        sql.push(')');
        let mut params = compiler.params;
        let add = |sql: &mut String, params: &mut Vec<Cell>, condition: &str, cell: Cell| {
            params.push(cell);
            sql.push_str(" AND ");
            sql.push_str(&condition.replace("??", &format!("?{}", params.len())));
        };
        if let Some(after) = q.after {
            add(&mut sql, &mut params, "a0.xid >= ??", Cell::Int(after.xid));
            let xid = params.len();
            add(&mut sql, &mut params, &format!("(a0.xid > ?{xid} OR a0.seq > ??)"), Cell::Int(after.seq));
            if flavour == Flavour::Postgres {
                sql.push_str(" AND a0.xid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)");
            }
        }
        if !q.kinds.is_empty() {
            let n = params.len() + 1;
            let names = q.kinds.iter().map(|k| k.name().to_owned()).collect();
            add(&mut sql, &mut params, &flavour.is_in("a0.kind", n), Cell::Texts(names));
        }
        if !q.ids.is_empty() {
            let n = params.len() + 1;
            let ids = q.ids.iter().map(|id| id.get()).collect();
            add(&mut sql, &mut params, &flavour.is_in("a0.id", n), Cell::Ints(ids));
        }
        if !q.verbs.is_empty() {
            let n = params.len() + 1;
            let verbs = q.verbs.iter().map(|v| v.name().to_owned()).collect();
            add(&mut sql, &mut params, &flavour.is_in("a0.verb", n), Cell::Texts(verbs));
        }
        if let Some(seq) = q.seq {
            add(&mut sql, &mut params, "a0.seq = ??", Cell::Int(seq));
        }
        if let Some(request) = q.request {
            add(&mut sql, &mut params, "a0.request = ??", Cell::Blob(request.bytes().to_vec()));
        }
        if let Some(actor) = q.actor {
            add(&mut sql, &mut params, "a0.actor = ??", Cell::Int(actor.get()));
        }
        if let Some(name) = &q.actor_name {
            add(&mut sql, &mut params, "a0.actor_name = ??", Cell::Text(name.replace('\0', "")));
        }
        if let Some(coded) = q.coded {
            sql.push_str(if coded { " AND a0.code IS NOT NULL" } else { " AND a0.code IS NULL" });
        }
        if let Some(since) = q.since {
            add(&mut sql, &mut params, "a0.at >= ??", Cell::Int(since.0));
        }
        if let Some(until) = q.until {
            add(&mut sql, &mut params, "a0.at <= ??", Cell::Int(until.0));
        }
        Ok((sql, params))
    }
}

fn read(row: &dyn Row, kind: Kind) -> Result<Change, Error> {
    let json = |text: Option<&str>| text.map(|t| serde_json::from_str(t).unwrap_or(Json::Null));
    let (seq, xid) = (row.int(0)?, row.int(1)?);
    Ok(Change {
        seq,
        cursor: Cursor { xid, seq },
        kind,
        id: RawId::new(row.int(3)?),
        tenant: RawId::new(row.int(4)?),
        version: u64::try_from(row.int(5)?).unwrap_or(0),
        verb: Verb::parse(row.text(6)?)?,
        actor: row.opt_int(7)?.map(RawId::new),
        actor_name: row.text(8)?.to_owned(),
        dialect: row.text(9)?.to_owned(),
        request: crate::read::uid(row.blob(10)?)?,
        at: Time(row.int(11)?),
        title: row.text(12)?.to_owned(),
        code: row.opt_text(13)?.map(str::to_owned),
        note: row.opt_text(14)?.map(str::to_owned),
        before: json(row.opt_text(15)?),
        after: json(row.opt_text(16)?),
    })
}
