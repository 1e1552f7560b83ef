//! The one rule of access: allowed = some grant of the caller names the kind and the verb, on a node of the tenant tree at or above
//! the row, and the grant's filter matches the row. A grant limited to fields is one to see rows and to change those fields of them.
//! A key can only narrow what its owner may.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use meetme_base::{Kind, RawId};
use meetme_model::access::{Form, Grant, Organization};
use meetme_store::{FieldRight, Fields, Filter, KindInfo, Reach, Scope, Store, Tx};

use crate::{Error, filter};

/// What access needs to know of the kinds.
pub struct Model {
    store: Store,
}

/// The kinds that together are an order: what is bought, built and billed.
const ORDER: &[&str] = &[
    "circuit",
    "leg",
    "port",
    "router",
    "exchange_link",
    "device",
    "volume",
    "block",
    "batch",
    "reservation",
    "spot_request",
];

impl Model {
    /// Over the kinds of a store.
    pub fn of(store: Store) -> Self {
        Self { store }
    }

    fn kind(&self, kind: &str) -> Option<&KindInfo> {
        self.store.registry().kind(kind)
    }

    /// Whether a grant speaks of a kind: by its name, by its area (`@fabric`), as part of an order (`@order`), or `*`.
    pub(crate) fn covers(&self, grant: &Grant, kind: &str) -> bool {
        let area = self.kind(kind).map(|k| k.area);
        grant.kinds.iter().any(|k| match k.strip_prefix('@') {
            None => k == "*" || k == kind,
            Some("order") => ORDER.contains(&kind),
            Some(group) => area == Some(group),
        })
    }
}

/// The rights of one subject, as the store asks for them.
pub struct Rights {
    model: Arc<Model>,
    /// Grants with the node they hold on and everything below it, in their order.
    grants: Vec<(Subtree, Grant)>,
    narrow: Option<Vec<(Subtree, Grant)>>,
    /// The nodes at or above the subject's own: catalogues kept there are open to it.
    above: Vec<RawId>,
    read_only: bool,
    /// When not empty, only these objects and what refers to them.
    objects: Vec<RawId>,
    known: RwLock<HashMap<(Kind, &'static str), Arc<Filter>>>,
    /// Whether any grant is limited to fields: if not, nobody looks further.
    by_field: bool,
    known_fields: RwLock<HashMap<Kind, Option<Arc<Fields>>>>,
}

/// A node of the tenant tree and, as long as they are few, all nodes below it.
#[derive(Clone)]
struct Subtree {
    top: RawId,
    nodes: Arc<[RawId]>,
}

impl Subtree {
    /// The most nodes that are listed one by one; beyond, the database walks the tree.
    const LISTED: usize = 200;

    fn rows(&self) -> Filter {
        if self.nodes.len() > Self::LISTED { Filter::Below(self.top) } else { on(&self.nodes) }
    }
}

/// Rows on one of these nodes.
fn on(nodes: &[RawId]) -> Filter {
    match nodes {
        [] => Filter::Never,
        [one] => Filter::eq("tenant", *one),
        many => Filter::is_in("tenant", many.iter().copied()),
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({} grants)", self.grants.len())
    }
}

/// What makes up a subject's rights.
pub(crate) struct Parts {
    /// Each grant with the node it holds on.
    pub grants: Vec<(RawId, Grant)>,
    /// When set, nothing beyond these grants either: the roles a key is limited to.
    pub narrow: Option<Vec<Grant>>,
    pub read_only: bool,
    pub objects: Vec<RawId>,
    pub home: RawId,
}

impl Rights {
    /// Works out the rights. The parts of the tenant tree they name are read now; whoever keeps the rights must make them anew when an
    /// organization or project appears.
    pub(crate) fn new(model: Arc<Model>, tx: &mut Tx<'_>, parts: Parts) -> Result<Self, Error> {
        let mut known: HashMap<RawId, Subtree> = HashMap::new();
        let mut grants = Vec::with_capacity(parts.grants.len());
        for (top, grant) in parts.grants {
            let tree = match known.entry(top) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(free) => free.insert(Subtree { top, nodes: tx.below(top)?.into() }),
            };
            grants.push((tree.clone(), grant));
        }
        let above = tx.above(parts.home)?;
        // A limit holds on every node the grants reach.
        let narrow = parts.narrow.map(|list| {
            known.values().flat_map(|tree| list.iter().map(|g| (tree.clone(), g.clone()))).collect::<Vec<_>>()
        });
        let by_field = grants.iter().chain(narrow.iter().flatten()).any(|(_, grant)| grant.fields.is_some());
        Ok(Self {
            model,
            by_field,
            known_fields: RwLock::default(),
            grants,
            narrow,
            above,
            read_only: parts.read_only,
            objects: parts.objects,
            known: RwLock::default(),
        })
    }

    fn work_out(&self, kind: Kind, verb: &'static str) -> Filter {
        if verb == "observe" || (self.read_only && verb != "see") {
            return Filter::Never;
        }
        let mut out = self.granted(&self.grants, kind, verb);
        if let Some(narrow) = &self.narrow {
            out = out.and(self.granted(narrow, kind, verb));
        }
        if verb == "see" && self.model.kind(kind.name()).is_some_and(|k| k.reach == Reach::Shared) {
            out = out.or(on(&self.above));
        }
        self.limit(kind, verb, out)
    }

    fn granted(&self, grants: &[(Subtree, Grant)], kind: Kind, verb: &'static str) -> Filter {
        self.rights(grants, kind, verb).fold(Filter::Never, |out, (rows, _)| out.or(rows))
    }

    /// The rows that each grant gives, and the grant.
    fn rights<'g>(
        &'g self,
        grants: &'g [(Subtree, Grant)],
        kind: Kind,
        verb: &'static str,
    ) -> impl Iterator<Item = (Filter, &'g Grant)> {
        let changes = kind == Tx::CHANGES;
        let speaks = move |grant: &Grant| {
            grant.verbs.iter().any(|v| v == "*" || v == verb || (verb == "see" && implies_see(v)))
                && (grant.fields.is_none() || Grant::BY_FIELD.contains(&verb))
                && (changes || self.model.covers(grant, kind.name()))
        };
        grants.iter().filter(move |(_, grant)| speaks(grant)).map(move |(tree, grant)| {
            let here = tree.rows();
            let narrowed = match &grant.filter {
                None => here,
                // The log has no fields to test a narrower grant against: such a grant opens none of it.
                Some(_) if changes => Filter::Never,
                Some(json) => {
                    match self.model.kind(kind.name()).map(|k| filter::parse(self.model.store.registry(), k, json)) {
                        Some(Ok(filter)) => here.and(filter),
                        // A grant that cannot be understood grants nothing.
                        _ => Filter::Never,
                    }
                }
            };
            (narrowed, grant)
        })
    }

    /// The rights to change, if any of them is limited to fields.
    fn work_out_fields(&self, kind: Kind) -> Option<Fields> {
        let layer = |grants: &[(Subtree, Grant)]| -> Vec<FieldRight> {
            let right = |(rows, grant): (Filter, &Grant)| FieldRight {
                rows: Arc::new(rows),
                only: grant.fields.as_deref().map(Arc::from),
            };
            self.rights(grants, kind, "change").map(right).collect()
        };
        let all_of: Vec<_> = std::iter::once(&self.grants).chain(&self.narrow).map(|grants| layer(grants)).collect();
        let limited = all_of.iter().flatten().any(|right| right.only.is_some());
        limited.then_some(Fields { all_of })
    }

    /// A key for single objects reaches those, what refers to them, and catalogues to read.
    fn limit(&self, kind: Kind, verb: &'static str, rows: Filter) -> Filter {
        let Some(about) = self.model.kind(kind.name()) else {
            return if self.objects.is_empty() { rows } else { Filter::Never };
        };
        if self.objects.is_empty() || (verb == "see" && about.reach == Reach::Shared) {
            return rows;
        }
        let mut near = Filter::is_in("id", self.objects.iter().copied());
        for edge in &about.edges {
            near = near.or(Filter::is_in(edge.name, self.objects.iter().copied()));
        }
        rows.and(near)
    }
}

/// Registering, changing or removing is impossible without seeing; other verbs say nothing of it.
fn implies_see(verb: &str) -> bool {
    matches!(verb, "create" | "change" | "remove")
}

impl Scope for Rights {
    fn rows(&self, kind: Kind, verb: &'static str) -> Arc<Filter> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&(kind, verb)) {
            return known.clone();
        }
        let rows = Arc::new(self.work_out(kind, verb));
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert((kind, verb), rows.clone());
        rows
    }

    fn fields(&self, kind: Kind) -> Option<Arc<Fields>> {
        if !self.by_field {
            return None;
        }
        if let Some(known) = self.known_fields.read().unwrap_or_else(PoisonError::into_inner).get(&kind) {
            return known.clone();
        }
        let fields = self.work_out_fields(kind).map(Arc::new);
        self.known_fields.write().unwrap_or_else(PoisonError::into_inner).insert(kind, fields.clone());
        fields
    }
}

/// The caller must have `verb` on `kind` for something that hangs on `node`.
///
/// # Errors
/// [`Error::Denied`], naming the verb.
pub fn require(tx: &mut Tx<'_>, kind: Kind, verb: &'static str, node: RawId) -> Result<(), Error> {
    if tx.may(kind, verb, node)? {
        return Ok(());
    }
    Err(Error::Denied(format!("You do not have the right to {verb} {kind} objects here.")))
}

/// The caller must have `verb` on `kind` on the operator's own node: what is decided for customers is decided there, and no right in
/// their own tree is enough.
///
/// # Errors
/// [`Error::Denied`].
pub fn require_operator(tx: &mut Tx<'_>, kind: Kind, verb: &'static str) -> Result<(), Error> {
    match operator(tx)? {
        Some(operator) => require(tx, kind, verb, operator),
        None => Ok(()),
    }
}

/// The operator's own node; none in an installation that has just been made.
///
/// # Errors
/// When the database fails.
pub fn operator(tx: &mut Tx<'_>) -> Result<Option<RawId>, Error> {
    let form = Filter::eq("form", Form::Operator.word());
    Ok(tx.as_system(|tx| tx.one::<Organization>(&form))?.map(|operator| operator.id.any()))
}
