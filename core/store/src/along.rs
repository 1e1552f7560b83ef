//! A row together with what it refers to, in one statement: over a network each further statement costs more than the rows.
//!
//! What came along is only kept at hand; it is seen by whoever asks for it with the right to see everything of its kind, as
//! if it had been fetched then. Reading transactions see one state of the data, so it cannot have changed meanwhile.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use meetme_base::{Id, Kind, RawId};

use crate::{
    Error, Filter, KindInfo, Object, Registry, Resource, Tx,
    conn::Row,
    read::{read_row, uid},
    sql::{ROW, WIDTH, write},
};

/// A row at hand, as it is stored.
pub(crate) struct Kept {
    kind: Kind,
    numbers: [i64; 6],
    uid: [u8; 16],
    /// Both documents, one behind the other.
    documents: String,
    /// Where the second begins.
    middle: usize,
}

/// Where the numbers stand in [`ROW`], then the UUID and the documents.
const NUMBERS: [usize; 6] = [0, 2, 3, 4, 5, 6];
const UID: usize = 1;
const SPEC: usize = 7;
const STATUS: usize = 8;

impl Kept {
    /// Reads it from the columns that begin at `from`.
    fn of(kind: Kind, row: &dyn Row, from: usize) -> Result<Self, Error> {
        let mut numbers = [0; 6];
        for (number, at) in numbers.iter_mut().zip(NUMBERS) {
            *number = row.int(from + at)?;
        }
        let (spec, status) = (row.text(from + SPEC)?, row.text(from + STATUS)?);
        let uid = *uid(row.blob(from + UID)?)?.bytes();
        Ok(Self { kind, numbers, uid, documents: [spec, status].concat(), middle: spec.len() })
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
        match i {
            SPEC => Ok(&self.documents[..self.middle]),
            STATUS => Ok(&self.documents[self.middle..]),
            _ => Err(Error::Bug(format!("no text at {i}"))),
        }
    }
    fn blob(&self, _: usize) -> Result<&[u8], Error> {
        Ok(&self.uid)
    }
}

/// The part of a statement that depends on a kind and its paths alone: written once, used for every row.
pub(crate) struct Plan {
    columns: String,
    tables: String,
    /// The kinds that are joined, in the order of their columns.
    kinds: Vec<Kind>,
}

/// The plans of one kind, each with its paths.
type PlansOfKind = Vec<(Vec<String>, Arc<Plan>)>;

/// The plans made so far.
#[derive(Default)]
pub(crate) struct Plans {
    known: RwLock<HashMap<Kind, PlansOfKind>>,
}

impl Plans {
    /// The most of one kind: callers choose among fields, and so among paths.
    const MOST: usize = 32;

    fn of(&self, registry: &Registry, kind: &KindInfo, paths: &[String]) -> Arc<Plan> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&kind.kind).and_then(|list| list.iter().find(|(those, _)| those == paths));
        if let Some((_, plan)) = found {
            return plan.clone();
        }
        drop(known);
        let plan = Arc::new(Plan::of(registry, kind, paths));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let list = known.entry(kind.kind).or_default();
        if list.len() >= Self::MOST {
            list.clear();
        }
        list.push((paths.to_vec(), plan.clone()));
        plan
    }
}

/// A table that is joined: the path that leads to it, the kind it holds, and what it is called in the statement.
struct Joined<'k> {
    path: &'k str,
    kind: &'k KindInfo,
    name: String,
}

impl Plan {
    fn of(registry: &Registry, info: &KindInfo, paths: &[String]) -> Self {
        let mut joined: Vec<Joined<'_>> = Vec::with_capacity(paths.len());
        let (mut columns, mut tables) = (ROW.to_owned(), format!("{} a0", info.table()));
        for path in paths {
            let (before, step) = path.rsplit_once('.').unwrap_or(("", path));
            let from = if before.is_empty() { Some((info, "a0")) } else { only(&joined, before) };
            let Some((kind, from)) = from else { continue };
            let Some(edge) = kind.edge(step).filter(|edge| !edge.many) else { continue };
            let from = from.to_owned();
            for kind in edge.to.iter().filter_map(|to| registry.kind(to.name())) {
                let name = format!("j{}", joined.len());
                let table = kind.table();
                write(&mut tables, format_args!(" LEFT JOIN {table} {name} ON {name}.id = {from}.e_{step}"));
                write(&mut columns, format_args!(", {}", ROW.replace("a0.", &format!("{name}."))));
                joined.push(Joined { path, kind, name });
            }
        }
        Self { columns, tables, kinds: joined.iter().map(|join| join.kind.kind).collect() }
    }
}

impl Tx<'_> {
    /// The row with this id, if it matches and the caller may see it. What it refers to along `paths` (names of references,
    /// `link.exchange`; a path comes after those it begins with) is at hand then for [`Tx::many`]. A path over a list brings
    /// nothing along, nor does one that goes on behind a reference to several kinds. In a writing transaction this is
    /// [`Tx::one`].
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
        let (condition, mut compiler) = self.condition(info, &filter)?;
        let params = std::mem::take(&mut compiler.params);
        let plan = self.shared.plans.of(&self.shared.registry, info, paths);
        let sql = ["SELECT ", &plan.columns, " FROM ", &plan.tables, " WHERE ", &condition].concat();
        let (mut found, mut along) = (None, Vec::with_capacity(plan.kinds.len()));
        self.conn.query(&sql, &params, &mut |row| {
            found = Some(read_row::<R>(row)?);
            for (n, kind) in plan.kinds.iter().enumerate() {
                let from = (n + 1) * WIDTH;
                if !row.is_null(from) {
                    along.push(Kept::of(*kind, row, from)?);
                }
            }
            Ok(())
        })?;
        self.at_hand.extend(along.into_iter().map(|kept| (RawId::new(kept.numbers[0]), kept)));
        Ok(found)
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

/// The one table that a path leads to.
fn only<'j>(joined: &'j [Joined<'_>], path: &str) -> Option<(&'j KindInfo, &'j str)> {
    let mut at = joined.iter().filter(|join| join.path == path);
    let one = at.next()?;
    at.next().is_none().then_some((one.kind, one.name.as_str()))
}
