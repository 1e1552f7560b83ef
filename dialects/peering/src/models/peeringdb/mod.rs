//! The copy of the public peering database, one model a file. Its rows go by that database's own numbers, have no addresses of their
//! own in this API, and are nested whole.

pub mod campus;
pub mod exchange;
pub mod exchange_facility;
pub mod facility;
pub mod hidden_peer;
pub mod ixlan;
pub mod ixlan_prefix;
pub mod network;
pub mod network_contact;
pub mod network_facility;
pub mod network_ixlan;
pub mod organization;
pub mod synchronisation;
mod words;

use meetme_model::mirror::Mirrored;
use meetme_store::Resource;

use crate::{
    json,
    model::{Field, Words},
};

/// Who may see a contact.
const VISIBLE: Words = &[("Private", "Private"), ("Users", "Users"), ("Public", "Public")];

impl<R: Resource> Field<R> {
    /// It is as the database has it: nobody writes it.
    #[must_use]
    pub const fn kept(mut self) -> Self {
        self.read_only = true;
        self
    }
    /// `visible`: who may see it.
    pub const fn visible(get: fn(&meetme_store::Object<R>) -> Option<&'static str>) -> Self {
        let mut field = Self::status(VISIBLE, get, |_, _| {}).kept();
        (field.name, field.core, field.ordered) = ("visible", "", false);
        field
    }
}

impl<R: Mirrored> Field<R> {
    /// `id`: the database's own number.
    pub const fn number() -> Self {
        Self::integer("id", "pdb_id", 1, i32::MAX as i64, |r| Some(r.spec.pdb_id()), |_, _| {}).kept()
    }
}

/// Who may see it, as one of the words; what is not known counts as private.
fn visible(word: &str) -> Option<&'static str> {
    Some(VISIBLE.iter().find(|(known, _)| *known == word).map_or("Private", |(known, _)| *known))
}

/// Words with commas between; null when there are none.
fn joined(out: &mut Vec<u8>, words: &[String]) {
    if words.is_empty() { json::null(out) } else { json::text(out, &words.join(",")) }
}
