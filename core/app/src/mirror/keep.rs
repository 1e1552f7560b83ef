//! Keeping what was fetched of one type: compared with what is kept already, so that only what differs is written.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
};

use meetme_base::{RawId, Time};
use meetme_model::mirror::Mirrored;
use meetme_store::{Error as Stored, Filter, Object, Query, Tx};

use super::{named, operator};
use crate::Error;

/// How many rows are tried together: where one of them is refused, the others are tried again without it.
const TOGETHER: usize = 1000;
/// How many rows are compared at once: each is copied until it is written.
const PAGE: usize = 5_000;
/// How many lines about rows that were passed over are kept.
const LINES: usize = 200;

/// What was fetched of a type, ready to be kept.
pub trait Batch: Send + Sync + Any {
    /// Keeps it, in one transaction with every right: new rows, rows that differ, rows that are gone. Rows that refer to what is
    /// not there are passed over; those of them that changed after `recent` may only have come too early.
    ///
    /// # Errors
    /// When the database fails, or the installation has no operator.
    fn keep(&self, tx: &mut Tx<'_>, recent: Time) -> Result<Kept, Error>;
    /// How many rows are there, how many are gone, how many could not be read.
    fn counts(&self) -> (usize, usize, usize);
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many rows came.
    pub made: u64,
    /// How many rows changed.
    pub changed: u64,
    /// How many rows went.
    pub removed: u64,
    /// How many rows were passed over.
    pub refused: u64,
    /// Why, for the first of them.
    pub lines: Vec<String>,
    /// Since when rows should be asked for once more, because some may only have come too early.
    pub again: Option<Time>,
}

impl Kept {
    fn refuse(&mut self, line: String) {
        self.refused += 1;
        if self.lines.len() < LINES {
            self.lines.push(line);
        }
    }
}

/// The rows of an answer.
pub(super) struct Fetched<R> {
    pub rows: Vec<R>,
    pub gone: Vec<i64>,
    /// How many could not be read, and why the first of them could not.
    bad: (u64, Vec<String>),
}

impl<R> Default for Fetched<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), gone: Vec::new(), bad: (0, Vec::new()) }
    }
}

impl<R> Fetched<R> {
    pub fn refuse(&mut self, line: String) {
        self.bad.0 += 1;
        if self.bad.1.len() < LINES {
            self.bad.1.push(line);
        }
    }
}

impl<R: Mirrored> Batch for Fetched<R> {
    fn keep(&self, tx: &mut Tx<'_>, recent: Time) -> Result<Kept, Error> {
        let operator = operator(tx)?.any();
        tx.as_system(|tx| {
            let mut kept = Kept { refused: self.bad.0, lines: self.bad.1.clone(), ..Kept::default() };
            let empty = !tx.exists::<R>(&Filter::All)?;
            let (mut made, mut saved) = (0, 0);
            let create = &mut |tx: &mut Tx<'_>, rows: &[R]| {
                made += tx.create_many(operator, rows.to_vec())?.len() as u64;
                Ok(())
            };
            let save = &mut |tx: &mut Tx<'_>, rows: &[(Object<R>, R)]| {
                saved += tx.save_many(rows.to_vec())?;
                Ok(())
            };
            for page in self.rows.chunks(PAGE) {
                let rows = referring(tx, page, recent, &mut kept)?;
                let (new, changed) = if empty { (rows, Vec::new()) } else { compare(tx, rows)? };
                for rows in new.chunks(TOGETHER) {
                    each_good(tx, rows, create, &mut |row, e| kept.refuse(line(row, &e)))?;
                }
                for rows in changed.chunks(TOGETHER) {
                    each_good(tx, rows, save, &mut |(_, row), e| kept.refuse(line(row, &e)))?;
                }
            }
            (kept.made, kept.changed) = (made, saved);
            let gone = tx.ids_by::<R>("pdb_id", &Filter::is_in("pdb_id", self.gone.iter().copied()))?;
            for id in gone.into_values() {
                // It may have gone along with another.
                match tx.remove(id) {
                    Ok(()) => kept.removed += 1,
                    Err(Stored::Missing { .. }) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            Ok(kept)
        })
    }

    fn counts(&self) -> (usize, usize, usize) {
        (self.rows.len(), self.gone.len(), usize::try_from(self.bad.0).unwrap_or(usize::MAX))
    }
}

/// These rows with their references to ours. One that needs what is not there is passed over.
fn referring<R: Mirrored>(tx: &mut Tx<'_>, rows: &[R], recent: Time, kept: &mut Kept) -> Result<Vec<R>, Error> {
    let mut rows = rows.to_vec();
    let mut wanted: BTreeMap<&'static str, Vec<i64>> = BTreeMap::new();
    for reference in rows.iter_mut().flat_map(R::references) {
        wanted.entry(reference.to).or_default().extend(reference.number);
    }
    let mut known: HashMap<&'static str, HashMap<i64, RawId>> = HashMap::new();
    for (to, mut numbers) in wanted {
        numbers.sort_unstable();
        numbers.dedup();
        known.insert(to, (named(to)?.known)(tx, numbers)?);
    }
    rows.retain_mut(|row| {
        let mut missing = None;
        for reference in row.references() {
            let found = reference.number.and_then(|number| known.get(reference.to)?.get(&number).copied());
            *reference.row = found;
            if found.is_none() && reference.needed {
                missing = Some((reference.to, reference.number));
            }
        }
        let Some((to, number)) = missing else { return true };
        let number = number.map_or("none".to_owned(), |number| number.to_string());
        kept.refuse(format!("{} {}: there is no {to} {number} here", R::TYPE, row.pdb_id()));
        if let Some(at) = row.pdb_updated().filter(|at| *at >= recent) {
            kept.again = Some(kept.again.map_or(at, |earlier| earlier.min(at)));
        }
        false
    });
    Ok(rows)
}

/// Rows that are new, and rows that differ from what is kept, with that.
type Compared<R> = (Vec<R>, Vec<(Object<R>, R)>);

/// Which rows are new, and which differ from what is kept.
fn compare<R: Mirrored>(tx: &mut Tx<'_>, rows: Vec<R>) -> Result<Compared<R>, Error> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    let numbers = Filter::is_in("pdb_id", rows.iter().map(R::pdb_id));
    let mut old: HashMap<i64, Object<R>> = HashMap::with_capacity(rows.len());
    tx.each::<R>(&Query::of(numbers), |row| {
        old.insert(row.spec.pdb_id(), row);
        Ok(())
    })?;
    for row in rows {
        match old.remove(&row.pdb_id()) {
            None => new.push(row),
            Some(object) if object.spec != row => changed.push((object, row)),
            Some(_) => {}
        }
    }
    Ok((new, changed))
}

/// Writes some rows.
type Write<'a, T> = dyn FnMut(&mut Tx<'_>, &[T]) -> Result<(), Stored> + 'a;

/// Writes rows together. Where one is refused the halves are tried alone, down to the row itself, which `bad` is told of.
fn each_good<T>(
    tx: &mut Tx<'_>,
    rows: &[T],
    write: &mut Write<'_, T>,
    bad: &mut dyn FnMut(&T, Stored),
) -> Result<(), Error> {
    match tx.attempt(|tx| write(tx, rows)) {
        Ok(()) => Ok(()),
        Err(e @ (Stored::Invalid(_) | Stored::Exists { .. })) => {
            if let [one] = rows {
                bad(one, e);
                return Ok(());
            }
            let (left, right) = rows.split_at(rows.len() / 2);
            each_good(tx, left, write, bad)?;
            each_good(tx, right, write, bad)
        }
        Err(e) => Err(e.into()),
    }
}

fn line<R: Mirrored>(row: &R, error: &Stored) -> String {
    format!("{} {}: {error}", R::TYPE, row.pdb_id())
}
