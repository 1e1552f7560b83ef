//! The change log as a caller may see it: on their own nodes, and of those kinds only that they may see there. The store joins the
//! nodes to every question; what a right on *one* kind says nothing of, the lines of *other* kinds, is left out here.

use std::collections::{BTreeMap, BTreeSet};

use meetme_base::{Kind, RawId};
use meetme_store::{AnyObject, Change, ChangeQuery, Cursor, Filter, KindInfo, Query, Tx, Verb};

use crate::{Caller, Error};

/// A part of the stream of changes.
pub struct Part {
    /// What the caller may see of it.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub cursor: Cursor,
    /// How many lines were looked at, seen or not.
    pub read: usize,
}

/// Lines of the log.
///
/// # Errors
/// When the database fails.
pub fn changes(tx: &mut Tx<'_>, caller: &Caller, query: &ChangeQuery) -> Result<Part, Error> {
    let mut query = query.clone();
    let visible = |kind: Kind| *caller.scope.rows(kind, "see") != Filter::Never;
    let start = query.after.unwrap_or_default();
    let asked: Vec<Kind> =
        if query.kinds.is_empty() { tx.registry().kinds().map(|k| k.kind).collect() } else { query.kinds.clone() };
    query.kinds = asked.iter().copied().filter(|kind| visible(*kind)).collect();
    if query.kinds.is_empty() {
        return Ok(Part { changes: Vec::new(), cursor: start, read: 0 });
    }
    let lines = tx.changes(&query)?;
    let (read, cursor) = (lines.len(), lines.last().map_or(start, |last| last.cursor));
    let mut known: BTreeMap<(Kind, RawId), bool> = BTreeMap::new();
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        let seen = match known.get(&(line.kind, line.tenant)) {
            Some(seen) => *seen,
            None => {
                let seen = tx.may(line.kind, "see", line.tenant)?;
                known.insert((line.kind, line.tenant), seen);
                seen
            }
        };
        if seen {
            out.push(line);
        }
    }
    Ok(Part { changes: out, cursor, read })
}

/// The rows behind these changes as they are now, as far as they match: what a follower of a filter still has to do with.
///
/// # Errors
/// When the filter does not fit the kind.
pub fn matching(
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    changes: &[Change],
    filter: &Filter,
) -> Result<BTreeMap<RawId, AnyObject>, Error> {
    let ids: BTreeSet<RawId> = changes.iter().filter(|c| c.verb != Verb::Remove).map(|c| c.id).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let filter = filter.clone().and(Filter::is_in("id", ids));
    Ok(tx.list_any(kind, &Query::of(filter))?.into_iter().map(|object| (object.id, object)).collect())
}
