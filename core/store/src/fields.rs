//! Rights to change some fields of a row and not others.
//!
//! What a caller may change at all is a filter like every other right. Where a right is limited to fields, the scope says so with
//! [`Fields`], and a change is compared member by member before it is written. A caller without such a limit pays nothing for it.

use std::{collections::BTreeSet, sync::Arc};

use meetme_base::Kind;
use serde_json::Value as Json;

use crate::{
    Error, Filter, Object, Resource, Tx,
    tx::{Facts, TypedFacts},
};

/// A right to change rows of a kind, perhaps only some of their fields.
#[derive(Clone, Debug)]
pub struct FieldRight {
    /// The rows.
    pub rows: Arc<Filter>,
    /// The members of the spec that may differ afterwards; all when absent.
    pub only: Option<Arc<[String]>>,
}

/// The rights to change rows of a kind, where some of them are limited to fields.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// A field may change if each of these has a right that lets it: what a caller may, and what its credential is cut to.
    pub all_of: Vec<Vec<FieldRight>>,
}

impl Fields {
    /// The rows of which every field may change.
    pub(crate) fn whole(&self) -> Filter {
        self.all_of.iter().fold(Filter::All, |out, rights| {
            let whole = rights.iter().filter(|right| right.only.is_none());
            out.and(whole.fold(Filter::Never, |some, right| some.or((*right.rows).clone())))
        })
    }
}

/// What may change of one row.
enum Let<'f> {
    All,
    These(BTreeSet<&'f str>),
}

impl Let<'_> {
    fn through(&self, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(field),
        }
    }
}

impl Tx<'_> {
    /// Asks whether the caller may turn a row into `spec`, as [`Tx::save`] does before it writes. For operations that write what follows
    /// from a change together with it, by rights of their own. With the spec it has, this asks whether the caller may change the row
    /// at all.
    ///
    /// # Errors
    /// [`Error::Denied`] when the row, before or after, is not the caller's to change; [`Error::DeniedField`] when a field is not.
    pub fn may_change<R: Resource>(&mut self, object: &Object<R>, spec: &R) -> Result<(), Error> {
        let info = self.registry().info(R::KIND)?;
        let (before, after) = (TypedFacts::of(info, object, &object.spec), TypedFacts::of(info, object, spec));
        for facts in [&before, &after] {
            if !self.permits("change", facts)? {
                return Err(Error::Denied { kind: R::KIND, verb: "change" });
            }
        }
        match self.scope.fields(R::KIND) {
            None => Ok(()),
            Some(fields) => {
                let changed = changed(&document(&object.spec)?, &document(spec)?);
                // A right counts for a change when it holds for the row before and after it, as for rows.
                self.let_through(&fields, &before, R::KIND, &changed)?;
                self.let_through(&fields, &after, R::KIND, &changed)
            }
        }
    }

    fn let_through(&mut self, fields: &Fields, facts: &dyn Facts, kind: Kind, changed: &[String]) -> Result<(), Error> {
        for rights in &fields.all_of {
            let may = self.as_system(|tx| tx.gather(rights, facts))?;
            if let Some(field) = changed.iter().find(|field| !may.through(field)) {
                return Err(Error::DeniedField { kind, field: field.clone() });
            }
        }
        Ok(())
    }

    fn gather<'f>(&mut self, rights: &'f [FieldRight], facts: &dyn Facts) -> Result<Let<'f>, Error> {
        let mut names = BTreeSet::new();
        for right in rights {
            if !self.matches(&right.rows, facts)? {
                continue;
            }
            let Some(only) = &right.only else { return Ok(Let::All) };
            names.extend(only.iter().map(String::as_str));
        }
        Ok(Let::These(names))
    }
}

fn document(spec: &impl serde::Serialize) -> Result<Json, Error> {
    serde_json::to_value(spec).map_err(|e| Error::Bug(format!("a document cannot be written: {e}")))
}

/// The names of the members that differ.
fn changed(before: &Json, after: &Json) -> Vec<String> {
    let (before, after) = (before.as_object(), after.as_object());
    let names: BTreeSet<&String> = before.into_iter().chain(after).flat_map(|map| map.keys()).collect();
    let differs = |name: &&String| before.and_then(|map| map.get(*name)) != after.and_then(|map| map.get(*name));
    names.into_iter().filter(differs).cloned().collect()
}
