//! What a kind of resource declares. Everything generic (columns, filters, orders, API descriptions, forms) is derived from
//! these values at run time; there is no macro to step through.

use meetme_base::{Id, Invalid, Kind, RawId, Time, Uid};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{FieldType, Value};

/// A kind: a struct kept as one JSON document.
///
/// The struct is the *spec*: what somebody wished plus what an operation decided for it. [`Resource::Status`] is what
/// controllers saw of the world; no API writes it.
pub trait Resource: Serialize + DeserializeOwned + JsonSchema + Clone + PartialEq + Send + Sync + 'static {
    /// The stable name.
    const KIND: Kind;
    /// The area of the model it belongs to: `access`, `place`, `fabric`, `routing`, `metal`, `catalog`, `ops`, `mirror`.
    const AREA: &'static str;
    /// Who sees rows of this kind without a special grant.
    const REACH: Reach = Reach::Own;
    /// Fields that can be filtered, ordered and searched; each becomes a column.
    const FIELDS: &'static [Field<Self>];
    /// References to other objects.
    const EDGES: &'static [Edge<Self>] = &[];
    /// Sets of fields, edges or `tenant` that no two living rows may share. A row with a null in the set is outside it.
    const UNIQUE: &'static [&'static [&'static str]] = &[];
    /// Further indexes, each a list of columns in order: the default orders of lists belong here.
    const INDEXES: &'static [&'static [&'static str]] = &[];
    /// Whether each row is a node of the tenant tree (organizations and projects).
    const NODE: bool = false;
    /// Whether writes go into the change log. False only for mirrors of other people's data and for sessions.
    const LOGGED: bool = true;

    /// What was observed. Use `()`-like empty structs where nothing is.
    type Status: Serialize + DeserializeOwned + JsonSchema + Default + Clone + PartialEq + Send + Sync + 'static;

    /// Whether the values are good together, and may follow `before`. Pure: no store, no clock, no network.
    ///
    /// # Errors
    /// The first value that cannot be accepted.
    fn check(&self, before: Option<&Self>) -> Result<(), Invalid>;

    /// How a person would call it.
    fn title(&self) -> String;

    /// Whether the row is a tombstone: readable by its id, but free of unique keys.
    fn is_gone(&self, _status: &Self::Status) -> bool {
        false
    }
}

/// Who sees rows of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// The tenant that owns the row, and every tenant above it.
    Own,
    /// Also every tenant below the owner: catalogues.
    Shared,
}

/// A declared field.
pub struct Field<R: Resource> {
    /// The name in filters, orders and columns.
    pub name: &'static str,
    /// Its type.
    pub ty: FieldType,
    /// Where the value comes from.
    pub(crate) get: Get<R>,
    /// Whether it has an index of its own.
    pub indexed: bool,
    /// Whether its text is found by a text search.
    pub searchable: bool,
    /// The words it is limited to, when it is an enumeration.
    pub words: &'static [&'static str],
    /// Whether it is a column of our own that no description and no answer shows: the print of a secret, a folded name.
    pub hidden: bool,
}

pub(crate) enum Get<R: Resource> {
    Spec(fn(&R) -> Value),
    Status(fn(&R::Status) -> Value),
}

impl<R: Resource> Field<R> {
    /// A field of the spec.
    pub const fn new(name: &'static str, ty: FieldType, get: fn(&R) -> Value) -> Self {
        Self { name, ty, get: Get::Spec(get), indexed: false, searchable: false, words: &[], hidden: false }
    }
    /// A field of the status.
    pub const fn status(name: &'static str, ty: FieldType, get: fn(&R::Status) -> Value) -> Self {
        Self { name, ty, get: Get::Status(get), indexed: false, searchable: false, words: &[], hidden: false }
    }
    /// Gives it an index.
    #[must_use]
    pub const fn indexed(mut self) -> Self {
        self.indexed = true;
        self
    }
    /// Puts its text into the full-text index.
    #[must_use]
    pub const fn searchable(mut self) -> Self {
        self.searchable = true;
        self
    }
    /// Keeps it out of descriptions, answers and the filters that callers write.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
    /// Limits it to an enumeration, for descriptors.
    #[must_use]
    pub const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
    /// The value in this row.
    pub fn value(&self, spec: &R, status: &R::Status) -> Value {
        match self.get {
            Get::Spec(get) => get(spec),
            Get::Status(get) => get(status),
        }
    }
}

/// What happens to the row that holds a reference when the row it refers to is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnDelete {
    /// The removal is refused.
    Refuse,
    /// The referring row is removed too.
    Cascade,
    /// The reference is taken out of the referring row.
    Detach,
}

/// A declared reference.
pub struct Edge<R: Resource> {
    /// The name in filters and columns.
    pub name: &'static str,
    /// The kinds it may point to; empty means any.
    pub to: &'static [Kind],
    /// What a removal of the target does.
    pub on_delete: OnDelete,
    /// How it is read and taken out.
    pub mode: EdgeMode<R>,
}

/// How an edge is read from a spec, and taken out of it.
pub enum EdgeMode<R: Resource> {
    /// At most one target; becomes a column.
    One {
        /// Reads the target.
        get: fn(&R) -> Option<RawId>,
        /// Takes it out (only called for [`OnDelete::Detach`]).
        clear: fn(&mut R),
    },
    /// A list of targets, order kept in the document.
    Many {
        /// Reads the targets.
        get: fn(&R) -> Vec<RawId>,
        /// Takes one out.
        remove: fn(&mut R, RawId),
    },
}

fn keep<R>(_: &mut R) {}

impl<R: Resource> Edge<R> {
    /// A reference whose target cannot be removed while it stands.
    pub const fn refuse(name: &'static str, to: &'static [Kind], get: fn(&R) -> Option<RawId>) -> Self {
        Self { name, to, on_delete: OnDelete::Refuse, mode: EdgeMode::One { get, clear: keep } }
    }
    /// A reference to an owner: this row goes with it.
    pub const fn cascade(name: &'static str, to: &'static [Kind], get: fn(&R) -> Option<RawId>) -> Self {
        Self { name, to, on_delete: OnDelete::Cascade, mode: EdgeMode::One { get, clear: keep } }
    }
    /// A loose reference: emptied when the target goes.
    pub const fn detach(
        name: &'static str,
        to: &'static [Kind],
        get: fn(&R) -> Option<RawId>,
        clear: fn(&mut R),
    ) -> Self {
        Self { name, to, on_delete: OnDelete::Detach, mode: EdgeMode::One { get, clear } }
    }
    /// A list of references.
    pub const fn many(
        name: &'static str,
        to: &'static [Kind],
        on_delete: OnDelete,
        get: fn(&R) -> Vec<RawId>,
        remove: fn(&mut R, RawId),
    ) -> Self {
        Self { name, to, on_delete, mode: EdgeMode::Many { get, remove } }
    }
    /// The targets in this spec.
    pub fn targets(&self, spec: &R) -> Vec<RawId> {
        match self.mode {
            EdgeMode::One { get, .. } => get(spec).into_iter().collect(),
            EdgeMode::Many { get, .. } => get(spec),
        }
    }
}

/// One stored row of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<R: Resource> {
    /// Its id.
    pub id: Id<R>,
    /// Its UUID.
    pub uid: Uid,
    /// The node of the tenant tree it hangs on.
    pub tenant: RawId,
    /// Counts the changes of the spec, from 1.
    pub version: u64,
    /// Counts the changes of the status, from 0.
    pub seen: u64,
    /// When it was made.
    pub created: Time,
    /// When its spec last changed.
    pub updated: Time,
    /// What is wished.
    pub spec: R,
    /// What was observed.
    pub status: R::Status,
}
