//! Removing: what goes along, what lets go, what refuses. All of it is known, and on PostgreSQL locked, before the first row is
//! touched.

use std::collections::{BTreeMap, BTreeSet};

use meetme_base::{Id, Kind, RawId};

use crate::{
    Error, Filter, KindInfo, OnDelete, Resource, Scope, Tx, Verb,
    change::Entry,
    conn::{Cell, Flavour},
    search,
    tx::TouchedRow,
};

/// How many objects one removal may take along before it is taken for a mistake.
const CASCADE_MOST: usize = 100_000;
/// How many of the objects that refuse are named.
const NAMED: usize = 10;

/// What a removal does.
#[derive(Default)]
struct Plan {
    /// What goes, in the order found: an owner before what it owns.
    order: Vec<(Kind, RawId)>,
    set: BTreeSet<RawId>,
    /// What must only let go: the row, its reference, the target.
    loose: Vec<(Kind, RawId, String, RawId)>,
    refuse: Vec<(Kind, RawId)>,
}

impl Tx<'_> {
    /// Removes a row: with everything that cascades from it, detaching what is loosely tied to it. A node of the tenant tree goes
    /// only when nothing hangs on it but what goes along.
    ///
    /// # Errors
    /// [`Error::Referenced`] when an object outside the removal refuses; [`Error::Missing`], [`Error::Denied`].
    pub fn remove<R: Resource>(&mut self, id: Id<R>) -> Result<(), Error> {
        let info = self.shared.registry.info(R::KIND)?;
        self.remove_any(info, id.any())
    }

    /// Forgets at most `most` rows, the oldest first, of a kind that is kept for a while only: in one stroke, without a line in the
    /// log. The kind must be one that refers to nothing and wakes nobody; nothing may refer to its rows.
    ///
    /// # Errors
    /// [`Error::Bug`] for any other kind.
    pub fn forget<R: Resource>(&mut self, filter: &Filter, most: u32) -> Result<u64, Error> {
        self.must_write()?;
        let info = self.shared.registry.info(R::KIND)?;
        let plain = !R::LOGGED && !R::NODE && R::EDGES.is_empty() && !self.shared.registry.triggered(R::KIND);
        if !plain || info.fields.iter().any(|f| f.searchable) {
            return Err(Error::Bug(format!("rows of {} cannot be forgotten in one stroke", R::KIND)));
        }
        let mut ids = self.ids::<R>(filter)?;
        ids.truncate(most as usize);
        if ids.is_empty() {
            return Ok(0);
        }
        let count = ids.len() as u64;
        let ids = Cell::Ints(ids.into_iter().map(Id::get).collect());
        self.whole(|tx| {
            for table in [info.table(), "object".to_owned()] {
                let condition = tx.conn.flavour().is_in("id", 1);
                tx.conn.execute(&format!("DELETE FROM {table} WHERE {condition}"), std::slice::from_ref(&ids))?;
            }
            Ok(())
        })?;
        self.written.insert(info.index);
        Ok(count)
    }

    /// Removes a row of any kind; as [`Tx::remove`].
    ///
    /// # Errors
    /// As [`Tx::remove`].
    pub fn remove_any(&mut self, kind: &KindInfo, id: RawId) -> Result<(), Error> {
        self.must_write()?;
        let root = kind.ops.get(self, id)?;
        let caller = self.scope.clone();
        let allowed = caller.rows(kind.kind, "remove");
        // What was found to exist may be among what goes.
        self.verified.clear();
        self.nodes.clear();
        self.as_system(|tx| {
            if !tx.holds(&allowed, &root)? {
                return Err(Error::Denied { kind: kind.kind, verb: "remove" });
            }
            let plan = tx.plan_removal(kind.kind, id)?;
            if !plan.refuse.is_empty() {
                return Err(tx.referenced(id, &plan.refuse, caller.as_ref())?);
            }
            tx.whole(|tx| tx.carry_out(&plan))
        })
    }

    /// Plans until everything in the plan is locked: others may add and take away references until then.
    fn plan_removal(&mut self, kind: Kind, root: RawId) -> Result<Plan, Error> {
        let mut locked: BTreeSet<RawId> = BTreeSet::new();
        loop {
            let plan = self.look(kind, root)?;
            if self.conn.flavour() == Flavour::Sqlite {
                return Ok(plan);
            }
            let loose = plan.loose.iter().map(|(kind, id, ..)| (*kind, *id));
            let mut by_kind: BTreeMap<Kind, Vec<i64>> = BTreeMap::new();
            for (kind, id) in plan.order.iter().copied().chain(loose) {
                if locked.insert(id) {
                    by_kind.entry(kind).or_default().push(id.get());
                }
            }
            if by_kind.is_empty() {
                return Ok(plan);
            }
            self.lock_rows(by_kind)?;
        }
    }

    pub(crate) fn lock_rows(&mut self, by_kind: BTreeMap<Kind, Vec<i64>>) -> Result<(), Error> {
        let mut all: Vec<i64> = by_kind.values().flatten().copied().collect();
        all.sort_unstable();
        let flavour = self.conn.flavour();
        let mut lock = |table: &str, id: &str, ids: Vec<i64>| {
            let condition = flavour.is_in(id, 1);
            let sql = format!("SELECT {id} FROM {table} WHERE {condition} ORDER BY {id} FOR UPDATE");
            self.conn.all(&sql, &[Cell::Ints(ids)], |_| Ok(())).map(|_| ())
        };
        // New references to an object wait for its row here, new rows on a node for its row in the tree.
        lock("object", "id", all.clone())?;
        lock("tenancy", "node", all)?;
        for (kind, ids) in by_kind {
            lock(&format!("k_{}", kind.name()), "id", ids)?;
        }
        Ok(())
    }

    /// Follows the references backwards, a level at a time.
    fn look(&mut self, kind: Kind, root: RawId) -> Result<Plan, Error> {
        let mut plan = Plan { order: vec![(kind, root)], set: BTreeSet::from([root]), ..Plan::default() };
        let mut done = 0;
        while done < plan.order.len() {
            let level: Vec<i64> = plan.order[done..].iter().map(|(_, id)| id.get()).collect();
            done = plan.order.len();
            for (src_kind, src, name, target) in self.pointing_at(level)? {
                let info = self.shared.registry.kind(&src_kind).ok_or_else(|| {
                    Error::Bug(format!("{target} is referred to by a {src_kind}, a kind this version does not know"))
                })?;
                match info.edge(&name).map(|e| e.on_delete) {
                    Some(OnDelete::Cascade) => {
                        if plan.set.insert(src) {
                            plan.order.push((info.kind, src));
                        }
                    }
                    Some(OnDelete::Detach) => plan.loose.push((info.kind, src, name, target)),
                    Some(OnDelete::Refuse) | None => plan.refuse.push((info.kind, src)),
                }
            }
            if plan.set.len() > CASCADE_MOST {
                return Err(Error::Bug(format!("removing {root} would take more than {CASCADE_MOST} objects along")));
            }
        }
        self.hanging(&mut plan)?;
        plan.loose.retain(|(_, src, ..)| !plan.set.contains(src));
        plan.refuse.retain(|(_, src)| !plan.set.contains(src));
        plan.refuse.sort_unstable();
        plan.refuse.dedup();
        Ok(plan)
    }

    fn pointing_at(&mut self, targets: Vec<i64>) -> Result<Vec<(String, RawId, String, RawId)>, Error> {
        let condition = self.conn.flavour().is_in("e.dst", 1);
        let sql = format!(
            "SELECT o.kind, e.src, e.name, e.dst FROM edge e JOIN object o ON o.id = e.src
             WHERE {condition} ORDER BY e.src, e.name, e.dst"
        );
        self.conn.all(&sql, &[Cell::Ints(targets)], |r| {
            Ok((r.text(0)?.to_owned(), RawId::new(r.int(1)?), r.text(2)?.to_owned(), RawId::new(r.int(3)?)))
        })
    }

    /// What hangs on the nodes that go, and the nodes below them, refuses: it would belong to nobody.
    fn hanging(&mut self, plan: &mut Plan) -> Result<(), Error> {
        let registry = &self.shared.registry;
        let mut nodes = Vec::new();
        for (kind, id) in &plan.order {
            if registry.info(*kind)?.node {
                nodes.push(id.get());
            }
        }
        if nodes.is_empty() {
            return Ok(());
        }
        let nodes = [Cell::Ints(nodes)];
        let flavour = self.conn.flavour();
        let below = format!("SELECT DISTINCT node FROM tenancy WHERE {}", flavour.is_in("above", 1));
        for node in self.conn.all(&below, &nodes, |r| r.int(0).map(RawId::new))? {
            if let Some(kind) = self.kind_of(node)? {
                plan.refuse.push((kind, node));
            }
        }
        let on_node = flavour.is_in("tenant", 1);
        for info in registry.kinds() {
            let sql = format!("SELECT id FROM {} WHERE {on_node}", info.table());
            let rows = self.conn.all(&sql, &nodes, |r| r.int(0).map(RawId::new))?;
            plan.refuse.extend(rows.into_iter().map(|id| (info.kind, id)));
        }
        Ok(())
    }

    /// The error that names who refuses, as far as the caller may see them.
    fn referenced(&mut self, id: RawId, refuse: &[(Kind, RawId)], caller: &dyn Scope) -> Result<Error, Error> {
        let mut by = Vec::new();
        for (kind, src) in refuse.iter().take(NAMED * 10) {
            let object = self.shared.registry.info(*kind)?.ops.get(self, *src)?;
            if self.holds(&caller.rows(*kind, "see"), &object)? {
                by.push((*kind, *src, object.title));
            }
            if by.len() == NAMED {
                break;
            }
        }
        Ok(Error::Referenced { id, by, count: refuse.len() as u64 })
    }

    fn carry_out(&mut self, plan: &Plan) -> Result<(), Error> {
        for (kind, src, name, target) in &plan.loose {
            self.shared.registry.info(*kind)?.ops.detach(self, *src, name, *target)?;
        }
        for (kind, id) in plan.order.iter().rev() {
            self.take_leave(*kind, *id)?;
        }
        let ids = Cell::Ints(plan.set.iter().map(|id| id.get()).collect());
        self.free(&ids)?;
        let kinds: BTreeSet<Kind> = plan.order.iter().map(|(kind, _)| *kind).collect();
        let tables = kinds.iter().map(|kind| (format!("k_{}", kind.name()), "id"));
        let beside = [("edge", "src"), ("claim", "owner"), ("alias", "object"), ("sample", "object")];
        let beside = beside.map(|(t, c)| (t.to_owned(), c));
        for (table, column) in beside.into_iter().chain(tables).chain([("object".to_owned(), "id")]) {
            let condition = self.conn.flavour().is_in(column, 1);
            self.conn.execute(&format!("DELETE FROM {table} WHERE {condition}"), std::slice::from_ref(&ids))?;
        }
        Ok(())
    }

    /// The log and the index of one row that goes; the rows themselves go in sets.
    fn take_leave(&mut self, kind: Kind, id: RawId) -> Result<(), Error> {
        let info = self.shared.registry.info(kind)?;
        let (object, text, spec) = info.ops.last(self, id)?;
        if info.fields.iter().any(|f| f.searchable) {
            search::delete(self.conn, id.get())?;
        }
        if info.node {
            self.uproot(id)?;
        }
        if info.ops.is_logged() {
            self.log(Entry::any(&object, Verb::Remove).before(text))?;
        }
        if self.shared.registry.triggered(kind) {
            self.touched.push(TouchedRow { kind, id, before: Some(spec), after: None, status_only: false });
        }
        self.written.insert(info.index);
        Ok(())
    }
}
