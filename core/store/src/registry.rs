//! The list of kinds a store keeps, and which controllers wake when a row of a kind changes.

use std::{any::Any, collections::HashMap, sync::Arc};

use meetme_base::{Kind, RawId};

use crate::{Error, KindInfo, Resource, Tx};

/// The kinds, in the order they were added, and the triggers.
#[derive(Default)]
pub struct Registry {
    kinds: Vec<KindInfo>,
    by_name: HashMap<&'static str, usize>,
    pub(crate) triggers: Vec<Trigger>,
}

/// What of a row wakes a controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TriggerOn {
    /// Its spec was made, changed or removed.
    Spec,
    /// Also its status changed.
    Status,
}

/// A row that changed in this transaction: its spec before and after, `None` where it did not exist.
pub struct Touched<'a, R> {
    /// The row.
    pub id: RawId,
    /// Its spec before.
    pub before: Option<&'a R>,
    /// Its spec after.
    pub after: Option<&'a R>,
}

pub(crate) type AnySpec = Option<Arc<dyn Any + Send + Sync>>;
type Targets = dyn Fn(&mut Tx<'_>, RawId, &AnySpec, &AnySpec) -> Result<Vec<RawId>, Error> + Send + Sync;

pub(crate) struct Trigger {
    pub kind: Kind,
    pub controller: &'static str,
    pub on: TriggerOn,
    pub targets: Box<Targets>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind.
    ///
    /// # Panics
    /// When two kinds have one name: a mistake in the program.
    #[must_use]
    pub fn with<R: Resource>(mut self) -> Self {
        let index = self.kinds.len();
        assert!(self.by_name.insert(R::KIND.name(), index).is_none(), "two kinds are called {}", R::KIND);
        self.kinds.push(KindInfo::of::<R>(index));
        self
    }

    /// Wakes `controller` for the ids that `targets` answers, at the end of every transaction that touched a row of `R`.
    #[must_use]
    pub fn trigger<R: Resource>(
        mut self,
        on: TriggerOn,
        controller: &'static str,
        targets: fn(&mut Tx<'_>, &Touched<'_, R>) -> Result<Vec<RawId>, Error>,
    ) -> Self {
        self.triggers.push(Trigger {
            kind: R::KIND,
            controller,
            on,
            targets: Box::new(move |tx, id, before, after| {
                let before = before.as_deref().and_then(|a| a.downcast_ref::<R>());
                let after = after.as_deref().and_then(|a| a.downcast_ref::<R>());
                targets(tx, &Touched { id, before, after })
            }),
        });
        self
    }

    /// All kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &KindInfo> {
        self.kinds.iter()
    }

    /// The kind of that name.
    pub fn kind(&self, name: &str) -> Option<&KindInfo> {
        self.by_name.get(name).map(|i| &self.kinds[*i])
    }

    /// The type at the end of a path that begins at `kind`; the first one when references on the way may lead to several kinds. For
    /// paths that callers write: a hidden field does not exist for them.
    pub fn type_at(&self, kind: &KindInfo, path: &crate::Path) -> Option<crate::FieldType> {
        let last = path.0.last()?;
        if self.kinds.iter().any(|k| k.field(last).is_some_and(|f| f.hidden)) {
            return None;
        }
        crate::filter::ends(kind, self, path).ok()?.first().copied()
    }

    pub(crate) fn info(&self, kind: Kind) -> Result<&KindInfo, Error> {
        self.kind(kind.name()).ok_or_else(|| Error::Bug(format!("the kind {kind} is not registered")))
    }

    pub(crate) fn triggered(&self, kind: Kind) -> bool {
        self.triggers.iter().any(|t| t.kind == kind)
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }
}
