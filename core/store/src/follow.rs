//! Reading the change log: by question, and as a stream that is followed.

use std::sync::Arc;

use meetme_base::{Kind, RawId, Time};
use serde_json::Value as Json;

use crate::{
    Change, ChangeQuery, Cursor, Error, Filter, KindInfo, Tx, Verb,
    conn::{Cell, Flavour, Row},
    sql::Compiler,
};

const COLUMNS: &str = "a0.seq, a0.xid, a0.kind, a0.id, a0.tenant, a0.version, a0.verb, a0.actor, a0.actor_name, a0.dialect, \
                       a0.request, a0.at, a0.title, a0.code, a0.note, a0.before, a0.after";

impl Tx<'_> {
    /// The number below which every transaction has ended.
    fn horizon(&mut self) -> Result<i64, Error> {
        let sql = match self.conn.flavour() {
            Flavour::Sqlite => "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0) + 1",
            Flavour::Postgres => "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)",
        };
        Ok(self.conn.first(sql, &[], |r| r.int(0))?.unwrap_or(0) + self.shared.xid_offset())
    }

    /// Lines of the log that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub fn changes(&mut self, query: &ChangeQuery) -> Result<Vec<Change>, Error> {
        let horizon = if query.after.is_some() { Some(self.horizon()?) } else { None };
        self.lines(query, horizon)
    }

    /// Lines of the log after `query.after`, or from the beginning, and the place to go on from: further than the last line when
    /// what comes behind it did not match.
    ///
    /// # Errors
    /// When the database fails.
    pub fn follow(&mut self, query: &ChangeQuery) -> Result<(Vec<Change>, Cursor), Error> {
        let after = query.after.unwrap_or_default();
        let query = ChangeQuery { after: Some(after), ..query.clone() };
        let horizon = self.horizon()?;
        let lines = self.lines(&query, Some(horizon))?;
        let end = Cursor { xid: horizon - 1, seq: i64::MAX };
        let next = match lines.last() {
            Some(last) if lines.len() >= query.limit as usize => last.cursor,
            _ if query.limit == 0 => after,
            _ => end.max(after),
        };
        Ok((lines, next))
    }

    fn lines(&mut self, query: &ChangeQuery, horizon: Option<i64>) -> Result<Vec<Change>, Error> {
        let (mut sql, mut params) = self.change_sql(COLUMNS, query, horizon)?;
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
        let horizon = if query.after.is_some() { Some(self.horizon()?) } else { None };
        let (sql, params) = self.change_sql("count(*)", query, horizon)?;
        Ok(self.conn.first(&sql, &params, |r| r.int(0))?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }

    /// The end of the stream: following from here shows only what comes later.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_cursor(&mut self) -> Result<Cursor, Error> {
        Ok(Cursor { xid: self.horizon()? - 1, seq: i64::MAX })
    }

    /// Writes that the caller may see the line: the log on the row's node, and rows of the row's kind. What a right asks beyond
    /// node and id can only be asked of a row that still exists.
    fn seen_lines(&self, sql: &mut String, compiler: &mut Compiler<'_>, q: &ChangeQuery) -> Result<(), Error> {
        let registry = &self.shared.registry;
        let any = registry.kinds().next().ok_or_else(|| Error::Bug("no kinds".into()))?;
        compiler.right(sql, &self.scope.rows(Self::CHANGES, "see"), any, "a0")?;
        let mut groups: Vec<(Arc<Filter>, Vec<&KindInfo>)> = Vec::new();
        for info in registry.kinds().filter(|k| q.kinds.is_empty() || q.kinds.contains(&k.kind)) {
            let rows = self.scope.rows(info.kind, "see");
            match groups.iter_mut().find(|(known, _)| **known == *rows) {
                Some((_, kinds)) => kinds.push(info),
                None => groups.push((rows, vec![info])),
            }
        }
        if groups.iter().all(|(rows, _)| **rows == Filter::All) {
            return Ok(());
        }
        sql.push_str(" AND (1=0");
        for (rows, kinds) in groups {
            let names = kinds.iter().map(|k| k.kind.name().to_owned()).collect();
            sql.push_str(" OR (");
            compiler.is_one_of(sql, "a0.kind", names);
            sql.push_str(" AND (");
            if is_of_line(&rows) {
                compiler.right(sql, &rows, any, "a0")?;
            } else {
                sql.push_str("1=0");
                for info in kinds {
                    let b = compiler.alias();
                    sql.push_str(&format!(" OR a0.id IN (SELECT {b}.id FROM {} {b} WHERE ", info.table()));
                    compiler.right(sql, &rows, info, &b)?;
                    sql.push(')');
                }
            }
            sql.push_str("))");
        }
        sql.push(')');
        Ok(())
    }

    fn change_sql(&self, columns: &str, q: &ChangeQuery, horizon: Option<i64>) -> Result<(String, Vec<Cell>), Error> {
        let flavour = self.conn.flavour();
        let mut sql = format!("SELECT {columns} FROM change a0 WHERE ");
        let any = self.shared.registry.kinds().next().ok_or_else(|| Error::Bug("no kinds".into()))?;
        let mut compiler = Compiler::new(&self.shared.registry, flavour, self.scope.as_ref());
        self.seen_lines(&mut sql, &mut compiler, q)?;
        if let Some(node) = q.below {
            sql.push_str(" AND ");
            compiler.right(&mut sql, &Filter::Below(node), any, "a0")?;
        }
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
        }
        if let Some(horizon) = horizon {
            add(&mut sql, &mut params, "a0.xid < ??", Cell::Int(horizon));
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
        for filter in &q.also {
            filter.write(flavour, &mut sql, &mut params);
        }
        Ok((sql, params))
    }
}

/// Whether a right asks for nothing but what a line of the log tells of its row.
fn is_of_line(filter: &Filter) -> bool {
    match filter {
        Filter::All | Filter::Never | Filter::Below(_) | Filter::Above(_) => true,
        Filter::And(list) | Filter::Or(list) => list.iter().all(is_of_line),
        Filter::Not(inner) => is_of_line(inner),
        Filter::Is(path, _) => matches!(path.0.as_slice(), [name] if name == "id" || name == "tenant"),
        Filter::Text(_) => false,
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
