//! A row together with what it refers to, in one statement: over a network each further statement costs more than the rows.
//!
//! What came along is only kept at hand; it is seen by whoever asks for it with the right to see everything of its kind, as
//! if it had been fetched then. Reading transactions see one state of the data, so it cannot have changed meanwhile.

use std::fmt::Write as _;

use meetme_base::{Id, Kind, RawId};

use crate::{
    Error, Filter, KindInfo, Object, Resource, Tx,
    conn::{Cell, Row},
    read::read_row,
    sql::ROW,
};

/// A row at hand, as it is stored.
pub(crate) struct Kept {
    kind: Kind,
    numbers: [i64; 6],
    uid: Vec<u8>,
    documents: [String; 2],
}

/// Where the numbers stand in [`ROW`], and the documents.
const NUMBERS: [usize; 6] = [0, 2, 3, 4, 5, 6];
const DOCUMENTS: [usize; 2] = [7, 8];

impl Kept {
    fn of(kind: Kind, row: &dyn Row) -> Result<Self, Error> {
        let mut numbers = [0; 6];
        for (number, at) in numbers.iter_mut().zip(NUMBERS) {
            *number = row.int(at)?;
        }
        let [spec, status] = DOCUMENTS.map(|at| row.text(at).map(str::to_owned));
        Ok(Self { kind, numbers, uid: row.blob(1)?.to_vec(), documents: [spec?, status?] })
    }
}

impl Row for Kept {
    fn is_null(&self, _: usize) -> bool {
        false
    }
    fn int(&self, i: usize) -> Result<i64, Error> {
        let at = NUMBERS.iter().position(|at| *at == i);
        at.map(|at| self.numbers[at]).ok_or_else(|| Error::Bug(format!("no number at {i}")))
    }
    fn text(&self, i: usize) -> Result<&str, Error> {
        let at = DOCUMENTS.iter().position(|at| *at == i);
        at.map(|at| self.documents[at].as_str()).ok_or_else(|| Error::Bug(format!("no text at {i}")))
    }
    fn blob(&self, _: usize) -> Result<&[u8], Error> {
        Ok(&self.uid)
    }
}

impl Tx<'_> {
    /// The row with this id, if it matches and the caller may see it. What it refers to along `paths` (names of references,
    /// `link.exchange`) is at hand then for [`Tx::many`]; a path that leads over a list, or over a reference to several kinds
    /// and on, brings nothing along. In a writing transaction this is [`Tx::one`].
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn find_along<R: Resource>(
        &mut self,
        id: Id<R>,
        filter: &Filter,
        paths: &[String],
    ) -> Result<Option<Object<R>>, Error> {
        let filter = Filter::eq("id", id).and(filter.clone());
        if self.writable || paths.is_empty() {
            return self.one(&filter);
        }
        let info = self.shared.registry.info(R::KIND)?;
        let (from, mut compiler) = self.matching(info, &filter)?;
        let params: Vec<Cell> = std::mem::take(&mut compiler.params);
        let mut sql = format!("SELECT {ROW}, 0{from}");
        let mut kinds = vec![R::KIND];
        for path in paths {
            for (kind, ids) in self.at_end(info, &from, path) {
                kinds.push(kind.kind);
                let (table, part) = (kind.table(), kinds.len() - 1);
                write!(sql, " UNION ALL SELECT {ROW}, {part} FROM {table} a0 WHERE a0.id IN ({ids})").ok();
            }
        }
        let (mut found, mut along) = (None, Vec::new());
        self.conn.query(&sql, &params, &mut |row| {
            match usize::try_from(row.int(PART)?).unwrap_or(0) {
                0 => found = Some(read_row::<R>(row)?),
                part => along.push(Kept::of(kinds[part], row)?),
            }
            Ok(())
        })?;
        self.at_hand.extend(along.into_iter().map(|kept| (RawId::new(kept.numbers[0]), kept)));
        Ok(found)
    }

    /// The kinds at the end of a path, each with the statement that tells the ids there.
    fn at_end(&self, kind: &KindInfo, from: &str, path: &str) -> Vec<(&KindInfo, String)> {
        let (mut kind, mut ids) = (kind, None::<String>);
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let Some(edge) = kind.edge(step).filter(|edge| !edge.many) else { return Vec::new() };
            let next = match &ids {
                None => format!("SELECT a0.e_{step}{from}"),
                Some(ids) => format!("SELECT a0.e_{step} FROM {} a0 WHERE a0.id IN ({ids})", kind.table()),
            };
            let kinds = edge.to.iter().filter_map(|to| self.shared.registry.kind(to.name()));
            if steps.peek().is_none() {
                return kinds.map(|kind| (kind, next.clone())).collect();
            }
            let [only] = edge.to else { return Vec::new() };
            let Some(on) = self.shared.registry.kind(only.name()) else { return Vec::new() };
            (kind, ids) = (on, Some(next));
        }
        Vec::new()
    }

    /// Takes from `ids` those that are at hand.
    pub(crate) fn take_at_hand<R: Resource>(&self, ids: &mut Vec<i64>) -> Result<Vec<Object<R>>, Error> {
        let mut out = Vec::new();
        if self.at_hand.is_empty() || *self.scope.rows(R::KIND, "see") != Filter::All {
            return Ok(out);
        }
        let mut bad = None;
        ids.retain(|id| match self.at_hand.get(&RawId::new(*id)).filter(|kept| kept.kind == R::KIND) {
            None => true,
            Some(kept) => {
                match read_row::<R>(kept) {
                    Ok(object) => out.push(object),
                    Err(error) => bad = Some(error),
                }
                false
            }
        });
        bad.map_or(Ok(out), Err)
    }
}

/// Where a row tells which part of the statement it comes from: behind the columns of [`ROW`].
const PART: usize = 9;
