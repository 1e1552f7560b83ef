//! The catalogue: blueprints and entities that people draw up themselves, and the kinds of the core shown beside them.
//!
//! Every kind of the core that a person can point at is a *system blueprint* `_kind`, read-only here; its rows are entities of it.
//! What users define is kept as [`meetme_model::catalog`] rows in the organization they belong to.

mod blueprints;
mod entities;
mod shape;
mod system;

pub use blueprints::{Target, by_id, create, find, list, remove, replace};
pub use entities::{
    EntityWish, Mode, Resolved, Writing, Written, count, entity, list_entities, names_of, remove_entity, write_entity,
};
pub use shape::check_values;
pub use system::{
    KINDS, identifier as system_identifier, is_system, kind_of, one as system_entity, rows as system_entities,
};
