//! The copy of the public peering database: read by everybody, written by the synchronisation alone.

use meetme_base::Kind;
use meetme_model::mirror::PdbSync;
use meetme_store::Resource as _;

use super::{Create, Hooks, Remove, Replace};
use crate::mirror::TYPES;

const WHY: &str = "It is a copy of the public peering database, which only a synchronisation writes.";

/// What a kind of the copy does with wishes; `None` for other kinds.
pub(super) fn hooks(kind: Kind) -> Option<Hooks> {
    let copied = kind == PdbSync::KIND || TYPES.iter().any(|each| each.kind == kind);
    copied.then_some(Hooks {
        create: Create::Refused(WHY),
        replace: Replace::Refused(WHY),
        remove: Remove::Refused(WHY),
    })
}
