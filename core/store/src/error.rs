//! What the store can refuse.

use meetme_base::{Invalid, Kind, RawId};

/// Why the store refused, named after what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such object, or not one the caller may see.
    #[error("no {kind} {name}")]
    Missing {
        /// The kind that was looked for.
        kind: Kind,
        /// How it was named.
        name: String,
    },
    /// The value cannot be accepted.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A unique set of fields is taken.
    #[error("{clash}")]
    Exists {
        /// The kind that must be unique.
        kind: Kind,
        /// The fields of the set and a sentence.
        clash: Invalid,
        /// The names of the fields in the set.
        fields: Vec<String>,
    },
    /// The caller may see the object but not do this to it.
    #[error("not permitted: {verb} {kind}")]
    Denied {
        /// The kind.
        kind: Kind,
        /// The verb that is missing.
        verb: &'static str,
    },
    /// The caller may change the object, but not this of it.
    #[error("not permitted: change {field} of {kind}")]
    DeniedField {
        /// The kind.
        kind: Kind,
        /// The member of the spec.
        field: String,
    },
    /// Other objects refuse to lose this one.
    #[error("{count} objects refer to it")]
    Referenced {
        /// The object that was to be removed.
        id: RawId,
        /// Up to ten of the objects.
        by: Vec<(Kind, RawId, String)>,
        /// How many there are.
        count: u64,
    },
    /// A pool has nothing left that fits.
    #[error("nothing left in {pool}")]
    Exhausted {
        /// The pool's name.
        pool: String,
    },
    /// The object's version is not the one the caller holds.
    #[error("stale: the version is now {version}")]
    Stale {
        /// The version it has now.
        version: u64,
    },
    /// The database does not answer, or is too busy; try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A mistake of ours, or a database that was changed behind our back.
    #[error("{0}")]
    Bug(String),
}

impl Error {
    /// A [`Error::Missing`] for an id.
    pub fn missing(kind: Kind, name: impl ToString) -> Self {
        Self::Missing { kind, name: name.to_string() }
    }
}
