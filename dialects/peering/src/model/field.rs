//! Fields, and the forms they have: how each is read, checked and written.

use meetme_app::Error;
use meetme_base::{RawId, Sealed, Time};
use meetme_store::{Object, Resource, Tx};
use serde_json::Value as Json;

use super::Draft;
use crate::{
    engine::AnyModel,
    scene::{Loaded, Scene},
};

/// One field.
pub struct Field<R: Resource> {
    /// Its name on the wire.
    pub name: &'static str,
    /// The path of the core that orders by it and complains about it; empty when there is none.
    pub core: &'static str,
    /// What people call it where that is not its name.
    pub label: &'static str,
    /// Whether a new row must have it.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether callers cannot write it.
    pub read_only: bool,
    /// Whether it is what was seen, not what is wished: it stays out of the change log.
    pub observed: bool,
    /// Whether lists can be ordered by it and rows be looked up by it.
    pub ordered: bool,
    /// Whether it tells how equipment is reached, which is not for everybody.
    pub guarded: bool,
    /// Whether it is none of the contract's: answers have it only where it is asked for by name.
    pub ours: bool,
    /// Whether it can be written and is never shown.
    pub write_only: bool,
    /// Its form.
    pub form: Form<R>,
}

/// Puts a moment into a row that is being written.
pub type SetMoment<R> = fn(&mut Draft<R>, Option<Time>);

/// Reads a value of a form of its own; the error of the inner result is the text of the refusal.
pub type SetOwn<R> = fn(&Scene, &mut Tx<'_>, &mut Draft<R>, &Json) -> Result<Result<(), String>, Error>;

/// Puts at hand what other rows say of these.
pub type Gather = fn(&mut Tx<'_>, &[RawId], &Scene, &mut Loaded) -> Result<(), Error>;

/// Tells other rows what was sent of this one, which is written already; the error of the inner result is the text of the refusal.
pub type SetBeside<R> = fn(&Scene, &mut Tx<'_>, &mut Object<R>, &Json) -> Result<Result<(), String>, Error>;

/// The words of a choice: wire word and label.
pub type Words = &'static [(&'static str, &'static str)];

/// The form of a field: how it is read and written. A form's checks are those of every field of that form.
pub enum Form<R: Resource> {
    /// The row's id.
    Id,
    /// The row's address in this API.
    Url,
    /// The row's address for people.
    Page,
    /// The display name.
    Display,
    /// When the row was made.
    Created,
    /// When it was last changed.
    Updated,
    /// Text.
    Text { most: usize, slug: bool, exact: bool, get: fn(&R) -> Option<&str>, set: fn(&mut R, Option<String>) },
    /// A whole number.
    Integer { low: i64, high: i64, get: fn(&Object<R>) -> Option<i64>, set: fn(&mut Draft<R>, Option<i64>) },
    /// A truth value.
    Flag { get: fn(&R) -> bool, set: fn(&mut R, bool) },
    /// Fixed words; `two` when they are read as value and label.
    Choice {
        words: Words,
        two: bool,
        get: fn(&Object<R>) -> Option<&'static str>,
        set: fn(&mut Draft<R>, Option<&'static str>),
    },
    /// A whole number among a few.
    Digit { of: &'static [(i64, &'static str)], get: fn(&R) -> i64, set: fn(&mut R, i64) },
    /// A value with a text form of its own, such as an address. The error of `set` is the text of the refusal.
    Parsed { get: fn(&R) -> Option<String>, set: fn(&mut R, Option<&str>) -> Result<(), String> },
    /// Another row.
    One { of: &'static dyn AnyModel, get: fn(&R) -> Option<RawId>, set: fn(&mut R, Option<RawId>) },
    /// Other rows; `described` when they may be given by attributes, otherwise by id alone.
    Many { of: &'static dyn AnyModel, described: bool, get: fn(&R) -> Vec<RawId>, set: fn(&mut R, Vec<RawId>) },
    /// Any JSON object.
    Json { get: fn(&R) -> Option<&Json>, set: fn(&mut R, Option<Json>) },
    /// A moment.
    Moment { get: fn(&Object<R>) -> Option<Time>, set: Option<SetMoment<R>> },
    /// A secret: readable only with the right to reveal it.
    Secret { most: usize, get: fn(&R) -> Option<&Sealed>, set: fn(&mut R, Option<Sealed>) },
    /// An object of any kind in its nested form: the core's word for what it is, and which.
    Object { sort: fn(&R) -> &str, get: fn(&R) -> RawId },
    /// A value of a form of its own: as JSON, without a scene as the change log has it; and how it is read.
    Own { kind: &'static str, show: fn(&R, Option<&Scene>) -> Json, set: SetOwn<R> },
    /// What other rows say of this one: put at hand, written, and, where callers may, told to those rows.
    Beside {
        kind: &'static str,
        gather: Gather,
        write: fn(&Object<R>, &Scene, &Loaded, &mut Vec<u8>),
        set: Option<SetBeside<R>>,
    },
    /// A computed value of this type, written by a function.
    Made { kind: &'static str, write: fn(&Object<R>, &Scene, &Loaded, &mut Vec<u8>) },
}

impl<R: Resource> Field<R> {
    /// The core's reference that the field shows, and the model it leads to.
    pub fn reference(&self) -> Option<(&'static str, &'static dyn AnyModel)> {
        let Form::One { of, .. } = self.form else { return None };
        self.core.split('.').next().filter(|edge| !edge.is_empty()).map(|edge| (edge, of))
    }
    const fn of(name: &'static str, core: &'static str, form: Form<R>) -> Self {
        Self {
            name,
            core,
            label: "",
            required: false,
            nullable: false,
            read_only: false,
            observed: false,
            ordered: !core.is_empty(),
            guarded: false,
            ours: false,
            write_only: false,
            form,
        }
    }
    const fn fixed(name: &'static str, core: &'static str, form: Form<R>) -> Self {
        Self { read_only: true, ..Self::of(name, core, form) }
    }
    /// `id`.
    pub const fn id() -> Self {
        Self::fixed("id", "id", Form::Id)
    }
    /// `url`.
    pub const fn url() -> Self {
        Self::fixed("url", "", Form::Url)
    }
    /// `display_url`.
    pub const fn page() -> Self {
        Self::fixed("display_url", "", Form::Page)
    }
    /// `display`.
    pub const fn display() -> Self {
        Self::fixed("display", "", Form::Display)
    }
    /// `created`.
    pub const fn created() -> Self {
        Self { nullable: true, ..Self::fixed("created", "created", Form::Created) }
    }
    /// `updated`.
    pub const fn updated() -> Self {
        Self { nullable: true, ..Self::fixed("updated", "updated", Form::Updated) }
    }
    /// Text that every row has.
    pub const fn text(
        name: &'static str,
        core: &'static str,
        most: usize,
        get: fn(&R) -> Option<&str>,
        set: fn(&mut R, Option<String>),
    ) -> Self {
        Self::of(name, core, Form::Text { most, slug: false, exact: false, get, set })
    }
    /// Text of any length of which every blank counts.
    pub const fn verbatim(
        name: &'static str,
        core: &'static str,
        get: fn(&R) -> Option<&str>,
        set: fn(&mut R, Option<String>),
    ) -> Self {
        Self::of(name, core, Form::Text { most: usize::MAX, slug: false, exact: true, get, set }).unordered()
    }
    /// Letters, digits, underscores and hyphens.
    pub const fn slug(get: fn(&R) -> Option<&str>, set: fn(&mut R, Option<String>)) -> Self {
        Self::of("slug", "slug", Form::Text { most: 100, slug: true, exact: false, get, set }).required()
    }
    /// A whole number.
    pub const fn integer(
        name: &'static str,
        core: &'static str,
        low: i64,
        high: i64,
        get: fn(&Object<R>) -> Option<i64>,
        set: fn(&mut Draft<R>, Option<i64>),
    ) -> Self {
        Self::of(name, core, Form::Integer { low, high, get, set })
    }
    /// A truth value.
    pub const fn flag(name: &'static str, core: &'static str, get: fn(&R) -> bool, set: fn(&mut R, bool)) -> Self {
        Self::of(name, core, Form::Flag { get, set })
    }
    /// Fixed words, read plainly.
    pub const fn choice(
        name: &'static str,
        core: &'static str,
        words: Words,
        get: fn(&Object<R>) -> Option<&'static str>,
        set: fn(&mut Draft<R>, Option<&'static str>),
    ) -> Self {
        Self::of(name, core, Form::Choice { words, two: false, get, set })
    }
    /// `status`: fixed words, read with their labels.
    pub const fn status(
        words: Words,
        get: fn(&Object<R>) -> Option<&'static str>,
        set: fn(&mut Draft<R>, Option<&'static str>),
    ) -> Self {
        Self::of("status", "admin", Form::Choice { words, two: true, get, set })
    }
    /// A whole number among a few.
    pub const fn digit(
        name: &'static str,
        core: &'static str,
        of: &'static [(i64, &'static str)],
        get: fn(&R) -> i64,
        set: fn(&mut R, i64),
    ) -> Self {
        Self::of(name, core, Form::Digit { of, get, set })
    }
    /// A value with a text form of its own.
    pub const fn parsed(
        name: &'static str,
        core: &'static str,
        get: fn(&R) -> Option<String>,
        set: fn(&mut R, Option<&str>) -> Result<(), String>,
    ) -> Self {
        Self::of(name, core, Form::Parsed { get, set })
    }
    /// Another row.
    pub const fn one(
        name: &'static str,
        core: &'static str,
        of: &'static dyn AnyModel,
        get: fn(&R) -> Option<RawId>,
        set: fn(&mut R, Option<RawId>),
    ) -> Self {
        Self::of(name, core, Form::One { of, get, set })
    }
    /// Other rows, written by id.
    pub const fn many(
        name: &'static str,
        core: &'static str,
        of: &'static dyn AnyModel,
        get: fn(&R) -> Vec<RawId>,
        set: fn(&mut R, Vec<RawId>),
    ) -> Self {
        Self::of(name, core, Form::Many { of, described: false, get, set })
    }
    /// `tags`, written by id or by attributes.
    pub const fn tags(get: fn(&R) -> Vec<RawId>, set: fn(&mut R, Vec<RawId>)) -> Self {
        Self::of("tags", "tags", Form::Many { of: &crate::models::tag::MODEL, described: true, get, set })
    }
    /// A JSON object or null.
    pub const fn json(
        name: &'static str,
        core: &'static str,
        get: fn(&R) -> Option<&Json>,
        set: fn(&mut R, Option<Json>),
    ) -> Self {
        Self { nullable: true, ..Self::of(name, core, Form::Json { get, set }) }
    }
    /// A moment.
    pub const fn moment(
        name: &'static str,
        core: &'static str,
        get: fn(&Object<R>) -> Option<Time>,
        set: Option<SetMoment<R>>,
    ) -> Self {
        Self { nullable: true, read_only: set.is_none(), ..Self::of(name, core, Form::Moment { get, set }) }
    }
    /// A secret or null.
    pub const fn secret(
        name: &'static str,
        core: &'static str,
        get: fn(&R) -> Option<&Sealed>,
        set: fn(&mut R, Option<Sealed>),
    ) -> Self {
        Self { nullable: true, ..Self::of(name, core, Form::Secret { most: 255, get, set }) }
    }
    /// An object of any kind, in its nested form.
    pub const fn object(name: &'static str, sort: fn(&R) -> &str, get: fn(&R) -> RawId) -> Self {
        Self::fixed(name, "", Form::Object { sort, get })
    }
    /// A computed value.
    pub const fn made(
        name: &'static str,
        kind: &'static str,
        write: fn(&Object<R>, &Scene, &Loaded, &mut Vec<u8>),
    ) -> Self {
        Self::fixed(name, "", Form::Made { kind, write })
    }
    /// A value of a form of its own.
    pub const fn own(
        name: &'static str,
        core: &'static str,
        kind: &'static str,
        show: fn(&R, Option<&Scene>) -> Json,
        set: SetOwn<R>,
    ) -> Self {
        Self::of(name, core, Form::Own { kind, show, set }).unordered()
    }
    /// What other rows say of this one.
    pub const fn beside(
        name: &'static str,
        kind: &'static str,
        gather: Gather,
        write: fn(&Object<R>, &Scene, &Loaded, &mut Vec<u8>),
        set: Option<SetBeside<R>>,
    ) -> Self {
        Self { read_only: set.is_none(), ..Self::of(name, "", Form::Beside { kind, gather, write, set }) }
    }
    /// A new row must have it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// It may be null.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
    /// It may not be null.
    #[must_use]
    pub const fn never_null(mut self) -> Self {
        self.nullable = false;
        self
    }
    /// How long the secret may be.
    #[must_use]
    pub const fn at_most(mut self, characters: usize) -> Self {
        if let Form::Secret { most, .. } = &mut self.form {
            *most = characters;
        }
        self
    }
    /// Callers cannot write it.
    #[must_use]
    pub const fn fixed_value(mut self) -> Self {
        self.read_only = true;
        self
    }
    /// It is none of the contract's: shown only to those who name it in `fields`.
    #[must_use]
    pub const fn ours(mut self) -> Self {
        self.ours = true;
        self
    }
    /// It is never shown.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }
    /// It is what was seen.
    #[must_use]
    pub const fn observed(mut self) -> Self {
        self.observed = true;
        self
    }
    /// The core has no column for it: lists cannot be ordered by it.
    #[must_use]
    pub const fn unordered(mut self) -> Self {
        self.ordered = false;
        self
    }
    /// Its words are read with their labels.
    #[must_use]
    pub const fn labelled(mut self) -> Self {
        if let Form::Choice { two, .. } = &mut self.form {
            *two = true;
        }
        self
    }
    /// Tells how equipment is reached.
    #[must_use]
    pub const fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }
    /// What people call it.
    #[must_use]
    pub const fn label(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }
    /// What people call it: in sentences as it is, in headings with a capital.
    pub fn called(&self) -> String {
        if self.label.is_empty() { self.name.replace('_', " ") } else { self.label.to_owned() }
    }
}
