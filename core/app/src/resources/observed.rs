//! Kinds that nobody writes: what was seen of the world outside, kept by the server itself.

use meetme_base::{Kind, RawId};
use meetme_model::routing::{IrrSet, RoaChunk, RoaTable, SessionEvent};
use meetme_store::{Filter, Resource as _, Tx};

use super::{Create, Hooks, Remove, Replace};
use crate::Error;

/// The kinds that can only be read.
pub(super) const HOOKS: &[(Kind, Hooks)] =
    &[(IrrSet::KIND, SEEN), (SessionEvent::KIND, SEEN), (RoaTable::KIND, SEEN), (RoaChunk::KIND, SEEN)];

/// What was seen is read, and goes by itself.
const SEEN: Hooks = Hooks {
    create: Create::Refused("The server keeps what it sees by itself."),
    replace: Replace::Refused("The server keeps what it sees by itself."),
    remove: Remove::Refused("It goes by itself when nothing needs it any more."),
};

/// How many rows of a history go in one stroke.
const STROKE: u32 = 10_000;

/// Forgets what was seen on behalf of a node that is about to go.
pub(crate) fn forget(tx: &mut Tx<'_>, node: RawId) -> Result<(), Error> {
    let here = Filter::eq("tenant", node);
    while tx.forget::<SessionEvent>(&here, STROKE)? > 0 {}
    for id in tx.ids::<IrrSet>(&here)? {
        tx.remove(id)?;
    }
    Ok(())
}
