//! What a model of this dialect is: a table of fields over one kind of the core. Reading, writing, filtering, describing and
//! the change log are all derived from the table at run time; adding a model is adding one file with such a table.

mod field;

use meetme_app::{Error, mirror, peering::Ruled};
use meetme_base::{Kind, RawId};
use meetme_store::{Filter, Object, Order, Resource, Tx};

pub use field::{Field, Form, Words};

use crate::{
    engine::AnyModel,
    scene::{Loaded, Scene},
};

/// What there is to know of a model beside its fields.
pub struct About {
    /// Its name, as error texts have it: `AutonomousSystem`.
    pub name: &'static str,
    /// Its name in sentences: `autonomous system`.
    pub verbose: &'static str,
    /// The application it belongs to, the first part of its path.
    pub app: &'static str,
    /// The collection, the second part of its path.
    pub path: &'static str,
    /// Paths it had in former releases, from `/api/` on.
    pub old: &'static [&'static str],
    /// Its number among content types; never changed, never given twice.
    pub number: i64,
    /// The kind of the core behind it.
    pub kind: Kind,
    /// The fields of the nested form, which is also the brief one.
    pub brief: &'static [&'static str],
    /// The default order, as paths of the core; `-` before one turns it round.
    pub order: &'static [&'static str],
    /// What its lists can be filtered by, beside what every list can.
    pub filters: &'static [Sieve],
    /// Core fields that clash or complain under a name that is no field's own: core name, field name.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Whether callers may only read it.
    pub read_only: bool,
    /// Whether its rows can have tags.
    pub tagged: bool,
    /// Which rows of the kind it shows.
    pub only: fn() -> Filter,
    /// What `q` means.
    pub search: fn(&str) -> Filter,
}

impl About {
    /// `app.model`, as content types are spelled.
    pub fn content_type(&self) -> String {
        format!("{}.{}", self.app, self.name.to_ascii_lowercase())
    }
    /// The core's field by which callers call its rows: copies of the public peering database's go by its own numbers.
    pub fn key(&self) -> &'static str {
        if self.is_copy() { "pdb_id" } else { "id" }
    }
    /// Whether its rows are copies of the public peering database's.
    pub fn is_copy(&self) -> bool {
        mirror::TYPES.iter().any(|each| each.kind == self.kind)
    }
    /// The common beginning of its operations' ids.
    pub fn operation(&self) -> String {
        format!("{}_{}", self.app, self.path.replace('-', "_"))
    }
    /// The order lists have unless told otherwise.
    pub fn default_order(&self) -> Vec<Order> {
        let order = |path: &&'static str| match path.strip_prefix('-') {
            Some(path) => Order::down(path),
            None => Order::up(*path),
        };
        self.order.iter().map(order).collect()
    }
}

/// All rows of a kind.
pub fn everything() -> Filter {
    Filter::All
}

/// A parameter that filters a list.
pub struct Sieve {
    /// Its name.
    pub name: &'static str,
    /// How its values are read.
    pub how: How,
}

/// How the values of a filter are read, and what in the core they are compared with.
pub enum How {
    /// A text field.
    Text(&'static str),
    /// A field of whole numbers.
    Number(&'static str),
    /// A moment.
    Moment(&'static str),
    /// A truth value.
    Flag(&'static str),
    /// Fixed words: wire word and the core's.
    Choice(&'static str, &'static [(&'static str, &'static str)]),
    /// A whole number among a few.
    Digit(&'static str, &'static [i64]),
    /// What an object is, by the name or the number of its content type: a path to the core's word for it.
    Type(&'static str),
    /// Another row: the path to compare, the kind it is of, and the field of that kind which the value names.
    Row(&'static str, Kind, &'static str),
    /// A rule of its own. The error is the text of the refusal.
    Rule(fn(&[&str]) -> Result<Filter, String>),
    /// A rule of its own that has to look: the values with the parameter's suffix. The error of the inner result is the text of the
    /// refusal.
    Asked(&'static [&'static str], Look),
}

/// A filter's rule that has to look.
pub type Look = fn(&mut Tx<'_>, &Scene, &str, &[&str]) -> Result<Result<Filter, String>, Error>;

impl Sieve {
    /// A filter.
    pub const fn new(name: &'static str, how: How) -> Self {
        Self { name, how }
    }
}

/// A row while it is being written.
pub struct Draft<R: Resource> {
    /// The spec as it will be.
    pub spec: R,
    /// The state as somebody says it is.
    pub status: R::Status,
}

/// A model: a table over a kind.
pub struct Model<R: Ruled> {
    /// Its names and lists.
    pub about: About,
    /// Its fields, in the order they are written.
    pub fields: &'static [Field<R>],
    /// What the display name needs of other rows.
    pub needs: &'static [Need<R>],
    /// The display name.
    pub display: fn(&Object<R>, &Loaded) -> String,
    /// A spec that required fields are then put into; `None` when the model is read only.
    pub fresh: Option<fn() -> R>,
}

/// Rows of another model that must be at hand.
pub struct Need<R> {
    /// The model.
    pub of: &'static dyn AnyModel,
    /// The core's reference to it.
    pub edge: &'static str,
    /// Which row.
    pub get: fn(&R) -> Option<RawId>,
}
