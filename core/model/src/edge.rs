//! The lists of references that many kinds have, each with its name, its targets and what a removal of a target does, so
//! that the same word means the same on every kind. A kind says only where the list is: [`ids`] reads it, [`without`] takes
//! one out.

use meetme_base::{Id, RawId};
use meetme_store::{Edge, OnDelete, Resource};

use crate::{
    access::Role,
    ops::Tag,
    routing::{Community, Policy},
};

/// What an edge of many asks: the targets of a list.
pub fn ids<T>(list: &[Id<T>]) -> Vec<RawId> {
    list.iter().map(|i| i.any()).collect()
}

/// What an edge of many does when a target goes: the list without it, its order kept.
pub fn without<T>(list: &mut Vec<Id<T>>, id: RawId) {
    list.retain(|i| i.any() != id);
}

/// Tags, which go without a word.
pub const fn tags<R: Resource>(get: fn(&R) -> Vec<RawId>, remove: fn(&mut R, RawId)) -> Edge<R> {
    Edge::many("tags", &[Tag::KIND], OnDelete::Detach, get, remove)
}

/// Policies on what is accepted.
pub const fn import<R: Resource>(get: fn(&R) -> Vec<RawId>, remove: fn(&mut R, RawId)) -> Edge<R> {
    Edge::many("import", &[Policy::KIND], OnDelete::Detach, get, remove)
}

/// Policies on what is announced.
pub const fn export<R: Resource>(get: fn(&R) -> Vec<RawId>, remove: fn(&mut R, RawId)) -> Edge<R> {
    Edge::many("export", &[Policy::KIND], OnDelete::Detach, get, remove)
}

/// Communities that are set on routes.
pub const fn communities<R: Resource>(get: fn(&R) -> Vec<RawId>, remove: fn(&mut R, RawId)) -> Edge<R> {
    Edge::many("communities", &[Community::KIND], OnDelete::Detach, get, remove)
}

/// The roles that somebody has: one that is in use stays.
pub const fn roles<R: Resource>(get: fn(&R) -> Vec<RawId>, remove: fn(&mut R, RawId)) -> Edge<R> {
    Edge::many("roles", &[Role::KIND], OnDelete::Refuse, get, remove)
}
