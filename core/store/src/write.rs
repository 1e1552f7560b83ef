//! Writing: create, save, remove, and what controllers observed. Each write checks the caller's rights, the kind's own rules and
//! every reference, keeps the projection, and leaves a row in the change log.

use std::{any::Any, collections::BTreeSet, sync::Arc};

use meetme_base::{Id, Invalid, Kind, RawId, Uid};
use serde_json::Value as Json;

use crate::{
    AnyObject, Error, KindInfo, Object, OnDelete, Resource, Tx, Verb,
    change::{Entry, Moved},
    conn::Cell,
    kind::{Part, erase, project},
    search,
    tx::{TouchedRow, TypedFacts},
};

/// How many objects one removal may take along before it is taken for a mistake.
const CASCADE_MOST: usize = 100_000;

impl Tx<'_> {
    /// Makes a row that hangs on `tenant`. For kinds that are nodes of the tenant tree, `tenant` is the parent node (0 for the
    /// root) and the new row hangs on itself.
    ///
    /// # Errors
    /// When the caller may not, a value or reference is refused, or a unique set is taken.
    pub fn create<R: Resource>(&mut self, tenant: RawId, spec: R) -> Result<Object<R>, Error> {
        self.create_as(tenant, Uid::random(), spec, R::Status::default())
    }

    /// Like [`Tx::create`] with a UUID and a first status decided by the operation.
    ///
    /// # Errors
    /// As [`Tx::create`].
    pub fn create_as<R: Resource>(
        &mut self,
        tenant: RawId,
        uid: Uid,
        spec: R,
        status: R::Status,
    ) -> Result<Object<R>, Error> {
        self.must_write()?;
        spec.check(None)?;
        let info = self.shared.registry.info(R::KIND)?;
        let now = self.now;
        let facts = TypedFacts {
            info,
            tenant,
            id: RawId::new(0),
            version: 1,
            created: now,
            updated: now,
            spec: &spec,
            status: &status,
        };
        if !self.permits("create", &facts)? {
            return Err(Error::Denied { kind: R::KIND, verb: "create" });
        }
        self.verify_targets(&spec, None)?;
        let id = self
            .conn
            .first(
                "INSERT INTO object (uid, kind) VALUES (?1, ?2) RETURNING id",
                &[Cell::Blob(uid.bytes().to_vec()), Cell::Text(R::KIND.name().to_owned())],
                |r| r.int(0),
            )?
            .ok_or_else(|| Error::Bug("no id came back".into()))?;
        let tenant = if R::NODE {
            self.plant(RawId::new(id), Some(tenant).filter(|t| t.get() != 0))?;
            RawId::new(id)
        } else {
            tenant
        };
        let object =
            Object { id: Id::new(id), uid, tenant, version: 1, seen: 0, created: now, updated: now, spec, status };
        let (spec_text, status_text) = texts(&object)?;
        let cells = project(&object.spec, &object.status, Part::Both)?;
        let mut names = String::new();
        let mut marks = String::new();
        for (i, (name, _)) in info.columns(Part::Both).iter().enumerate() {
            names.push_str(&format!("{name}, "));
            marks.push_str(&format!("?{}, ", i + 8));
        }
        let sql = format!(
            "INSERT INTO {} (id, uid, tenant, version, seen, created, updated, live, {names}spec, status)
             VALUES (?1, ?2, ?3, 1, 0, ?4, ?4, ?7, {marks}?5, ?6)",
            info.table()
        );
        let mut params = vec![
            Cell::Int(id),
            Cell::Blob(uid.bytes().to_vec()),
            Cell::Int(tenant.get()),
            Cell::Int(now.0),
            Cell::Text(spec_text.clone()),
            Cell::Text(status_text),
            live(&object),
        ];
        params.extend(cells);
        self.conn.execute(&sql, &params).map_err(|e| clash(info, e))?;
        for edge in R::EDGES {
            for target in edge.targets(&object.spec) {
                self.link(object.id.any(), edge.name, target)?;
            }
        }
        if search::wanted::<R>() {
            search::put(self, id, &search::text_of(&object.spec, &object.status))?;
        }
        if R::LOGGED {
            self.log(Entry::of(&object, Verb::Create).after(spec_text))?;
        }
        self.touch::<R>(object.id.any(), None, Some(&object.spec), false);
        Ok(object)
    }

    /// Replaces the spec of a row, if it still has the version that `object` holds. Saving an equal spec does nothing.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else was faster; else as [`Tx::create`].
    pub fn save<R: Resource>(&mut self, object: &mut Object<R>, spec: R) -> Result<(), Error> {
        self.must_write()?;
        if spec == object.spec {
            return Ok(());
        }
        spec.check(Some(&object.spec))?;
        let info = self.shared.registry.info(R::KIND)?;
        for facts in [&object.spec, &spec] {
            let facts = TypedFacts {
                info,
                tenant: object.tenant,
                id: object.id.any(),
                version: object.version,
                created: object.created,
                updated: object.updated,
                spec: facts,
                status: &object.status,
            };
            if !self.permits("change", &facts)? {
                return Err(Error::Denied { kind: R::KIND, verb: "change" });
            }
        }
        self.verify_targets(&spec, Some(&object.spec))?;
        let before = std::mem::replace(&mut object.spec, spec);
        let (text, _) = texts(object)?;
        match self.write_row(info, object, Part::Spec, text.clone()) {
            Ok(0) => {
                object.spec = before;
                return Err(self.stale(info, object.id.any())?);
            }
            Ok(_) => {}
            Err(e) => {
                object.spec = before;
                return Err(e);
            }
        }
        object.version += 1;
        object.updated = self.now;
        for edge in R::EDGES {
            let (old, new) = (edge.targets(&before), edge.targets(&object.spec));
            for gone in old.iter().filter(|t| !new.contains(t)) {
                self.conn.execute(
                    "DELETE FROM edge WHERE src = ?1 AND name = ?2 AND dst = ?3",
                    &[Cell::Int(object.id.get()), Cell::Text(edge.name.to_owned()), Cell::Int(gone.get())],
                )?;
            }
            for added in new.iter().filter(|t| !old.contains(t)) {
                self.link(object.id.any(), edge.name, *added)?;
            }
        }
        if search::wanted::<R>() {
            let (old, new) = (search::text_of(&before, &object.status), search::text_of(&object.spec, &object.status));
            if old != new {
                search::put(self, object.id.get(), &new)?;
            }
        }
        if R::LOGGED {
            let old = serde_json::to_string(&before).map_err(|e| Error::Bug(e.to_string()))?;
            self.log(Entry::of(object, Verb::Update).before(old).after(text))?;
        }
        self.touch::<R>(object.id.any(), Some(&before), Some(&object.spec), false);
        Ok(())
    }

    /// Writes what was observed. Only a scope that may `observe` can: controllers, never an API. A change worth a line in the log
    /// (a phase, a named step) brings its `moved`; counters and polls bring none.
    ///
    /// # Errors
    /// [`Error::Stale`] when the status was written by somebody else meanwhile.
    pub fn observe<R: Resource>(
        &mut self,
        object: &mut Object<R>,
        status: R::Status,
        moved: Option<Moved>,
    ) -> Result<(), Error> {
        self.must_write()?;
        if status == object.status && moved.is_none() {
            return Ok(());
        }
        let info = self.shared.registry.info(R::KIND)?;
        if *self.scope.rows(R::KIND, "observe") == crate::Filter::Never {
            return Err(Error::Denied { kind: R::KIND, verb: "observe" });
        }
        let before = std::mem::replace(&mut object.status, status);
        let (_, text) = texts(object)?;
        let n = self.write_row(info, object, Part::Status, text)?;
        if n == 0 {
            object.status = before;
            return Err(self.stale(info, object.id.any())?);
        }
        object.seen += 1;
        if let Some(moved) = moved {
            self.log(Entry::of(object, Verb::Moved).moved(moved))?;
        }
        let spec = object.spec.clone();
        self.touch::<R>(object.id.any(), Some(&spec), Some(&spec), true);
        Ok(())
    }

    /// Removes a row: with everything that cascades from it, detaching what is loosely tied to it.
    ///
    /// # Errors
    /// [`Error::Referenced`] when an object outside the removal refuses; [`Error::Missing`], [`Error::Denied`].
    pub fn remove<R: Resource>(&mut self, id: Id<R>) -> Result<(), Error> {
        let info = self.shared.registry.info(R::KIND)?;
        self.remove_any(info, id.any())
    }

    /// Removes a row of any kind; as [`Tx::remove`].
    ///
    /// # Errors
    /// As [`Tx::remove`].
    pub fn remove_any(&mut self, kind: &KindInfo, id: RawId) -> Result<(), Error> {
        self.must_write()?;
        let root = kind.ops.get(self, id)?;
        let allowed = self.scope.rows(kind.kind, "remove");
        if !self.holds(&allowed, &root)? {
            return Err(Error::Denied { kind: kind.kind, verb: "remove" });
        }
        self.as_system(|tx| tx.remove_set(kind.kind, id))
    }

    fn remove_set(&mut self, kind: Kind, root: RawId) -> Result<(), Error> {
        // What goes along, in the order found; what must only let go; what refuses.
        let mut order: Vec<(Kind, RawId)> = vec![(kind, root)];
        let mut set: BTreeSet<RawId> = BTreeSet::from([root]);
        let mut loose: Vec<(Kind, RawId, String, RawId)> = Vec::new();
        let mut refuse: Vec<(Kind, RawId)> = Vec::new();
        let mut next = 0;
        while let Some((_, target)) = order.get(next).copied() {
            next += 1;
            for (src_kind, src, name) in self.referrers(target, u32::MAX)? {
                let info = self.shared.registry.info(src_kind)?;
                match info.edge(&name).map(|e| e.on_delete) {
                    Some(OnDelete::Cascade) => {
                        if set.insert(src) {
                            order.push((src_kind, src));
                        }
                        if set.len() > CASCADE_MOST {
                            return Err(Error::Bug(format!(
                                "removing {root} would take more than {CASCADE_MOST} objects along"
                            )));
                        }
                    }
                    Some(OnDelete::Detach) => loose.push((src_kind, src, name, target)),
                    Some(OnDelete::Refuse) | None => refuse.push((src_kind, src)),
                }
            }
        }
        refuse.retain(|(_, src)| !set.contains(src));
        refuse.sort_unstable();
        refuse.dedup();
        if !refuse.is_empty() {
            let count = refuse.len() as u64;
            let mut by = Vec::new();
            for (src_kind, src) in refuse.into_iter().take(10) {
                let info = self.shared.registry.info(src_kind)?;
                by.push((src_kind, src, info.ops.get(self, src)?.title));
            }
            return Err(Error::Referenced { id: root, by, count });
        }
        for (src_kind, src, name, target) in loose {
            if !set.contains(&src) {
                self.shared.registry.info(src_kind)?.ops.detach(self, src, &name, target)?;
            }
        }
        for (kind, id) in order.iter().rev() {
            self.erase_row(*kind, *id)?;
        }
        let ids = Cell::Ints(order.iter().map(|(_, id)| id.get()).collect());
        for (table, column) in [("edge", "src"), ("claim", "owner"), ("alias", "object")] {
            let condition = self.conn.flavour().is_in(column, 1);
            if table == "claim" {
                self.free(&ids)?;
            }
            self.conn.execute(&format!("DELETE FROM {table} WHERE {condition}"), std::slice::from_ref(&ids))?;
        }
        for (kind, _) in order.iter().rev() {
            let table = self.shared.registry.info(*kind)?.table();
            let condition = self.conn.flavour().is_in("id", 1);
            self.conn.execute(&format!("DELETE FROM {table} WHERE {condition}"), std::slice::from_ref(&ids))?;
        }
        let condition = self.conn.flavour().is_in("id", 1);
        self.conn.execute(&format!("DELETE FROM object WHERE {condition}"), &[ids])?;
        Ok(())
    }

    /// The log and the index of one row that goes; the rows themselves go in sets.
    fn erase_row(&mut self, kind: Kind, id: RawId) -> Result<(), Error> {
        let info = self.shared.registry.info(kind)?;
        let object = info.ops.get(self, id)?;
        if info.fields.iter().any(|f| f.searchable) {
            search::delete(self, id.get())?;
        }
        if info.node {
            self.uproot(id)?;
        }
        let text = object.spec.to_string();
        self.log(Entry::any(&object, Verb::Remove).before(text))?;
        let before = if self.shared.registry.triggered(kind) { info.ops.parse_any(object.spec).ok() } else { None };
        self.touched.push(TouchedRow { kind, id, before, after: None, status_only: false });
        self.written.insert(info.index);
        Ok(())
    }

    /// Makes a row of any kind from JSON; as [`Tx::create`].
    ///
    /// # Errors
    /// As [`Tx::create`]; also when the JSON does not have the kind's shape.
    pub fn create_any(&mut self, kind: &KindInfo, tenant: RawId, spec: Json) -> Result<AnyObject, Error> {
        kind.ops.create(self, tenant, spec)
    }

    /// Replaces the spec of a row of any kind; as [`Tx::save`]. With `version`, only if the row still has it.
    ///
    /// # Errors
    /// As [`Tx::save`]; also when the JSON does not have the kind's shape.
    pub fn replace_any(
        &mut self,
        kind: &KindInfo,
        id: RawId,
        version: Option<u64>,
        spec: Json,
    ) -> Result<AnyObject, Error> {
        kind.ops.replace(self, id, version, spec)
    }

    /// Shows a typed row as JSON, secrets cut.
    pub fn erased<R: Resource>(object: &Object<R>) -> AnyObject {
        erase(object)
    }

    fn must_write(&self) -> Result<(), Error> {
        if self.writable { Ok(()) } else { Err(Error::Bug("a write inside a reading transaction".into())) }
    }

    /// Writes one document and its columns if its counter still stands where the caller saw it; answers the rows written.
    fn write_row<R: Resource>(
        &mut self,
        info: &KindInfo,
        object: &Object<R>,
        part: Part,
        text: String,
    ) -> Result<u64, Error> {
        let (document, counter, held, extra, last) = match part {
            Part::Status => ("status", "seen", object.seen, "live", live(object)),
            _ => ("spec", "version", object.version, "updated", Cell::Int(self.now.0)),
        };
        let mut sets = String::new();
        for (i, (name, _)) in info.columns(part).iter().enumerate() {
            sets.push_str(&format!(", {name} = ?{}", i + 5));
        }
        let sql = format!(
            "UPDATE {} SET {document} = ?2, {counter} = {counter} + 1, {extra} = ?4{sets}
             WHERE id = ?1 AND {counter} = ?3",
            info.table()
        );
        let mut params = vec![
            Cell::Int(object.id.get()),
            Cell::Text(text),
            Cell::Int(i64::try_from(held).unwrap_or(i64::MAX)),
            last,
        ];
        params.extend(project(&object.spec, &object.status, part)?);
        self.conn.execute(&sql, &params).map_err(|e| clash(info, e))
    }

    /// The error for a lost race: the version now, or that the row is gone.
    fn stale(&mut self, info: &KindInfo, id: RawId) -> Result<Error, Error> {
        let version = self.conn.first(
            &format!("SELECT version FROM {} WHERE id = ?1", info.table()),
            &[Cell::Int(id.get())],
            |r| r.int(0),
        )?;
        Ok(match version {
            Some(v) => Error::Stale { version: u64::try_from(v).unwrap_or(0) },
            None => Error::missing(info.kind, id),
        })
    }

    fn link(&mut self, src: RawId, name: &str, dst: RawId) -> Result<(), Error> {
        self.conn.execute(
            "INSERT INTO edge (src, name, dst) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            &[Cell::Int(src.get()), Cell::Text(name.to_owned()), Cell::Int(dst.get())],
        )?;
        Ok(())
    }

    /// Every new reference must name an object that exists, of a kind the edge allows, that the caller may see.
    fn verify_targets<R: Resource>(&mut self, spec: &R, before: Option<&R>) -> Result<(), Error> {
        for edge in R::EDGES {
            let old = before.map(|b| edge.targets(b)).unwrap_or_default();
            for target in edge.targets(spec) {
                if old.contains(&target) || self.verified.contains(&target) {
                    continue;
                }
                let bad = || Error::Invalid(Invalid::reference(edge.name, format!("The object {target}")));
                let kind = self.kind_of(target)?.ok_or_else(bad)?;
                if !edge.to.is_empty() && !edge.to.contains(&kind) {
                    return Err(bad());
                }
                if *self.scope.rows(kind, "see") != crate::Filter::All {
                    let info = self.shared.registry.info(kind)?;
                    match info.ops.get(self, target) {
                        Ok(_) => {}
                        Err(Error::Missing { .. }) => return Err(bad()),
                        Err(e) => return Err(e),
                    }
                }
                self.verified.insert(target);
            }
        }
        Ok(())
    }

    fn touch<R: Resource>(&mut self, id: RawId, before: Option<&R>, after: Option<&R>, status_only: bool) {
        if let Ok(info) = self.shared.registry.info(R::KIND) {
            self.written.insert(info.index);
        }
        if self.shared.registry.triggered(R::KIND) {
            let keep = |spec: Option<&R>| spec.map(|s| Arc::new(s.clone()) as Arc<dyn Any + Send + Sync>);
            self.touched.push(TouchedRow { kind: R::KIND, id, before: keep(before), after: keep(after), status_only });
        }
    }
}

fn texts<R: Resource>(object: &Object<R>) -> Result<(String, String), Error> {
    let bug = |e: serde_json::Error| Error::Bug(format!("{} cannot be written: {e}", R::KIND));
    Ok((serde_json::to_string(&object.spec).map_err(bug)?, serde_json::to_string(&object.status).map_err(bug)?))
}

fn live<R: Resource>(object: &Object<R>) -> Cell {
    if object.spec.is_gone(&object.status) { Cell::Null } else { Cell::Int(1) }
}

/// Turns a broken unique index, which the backends report by its name, into the fields it stands for.
fn clash(info: &KindInfo, error: Error) -> Error {
    let Error::Exists { kind: _, clash, fields } = error else { return error };
    let name = fields.first().cloned().unwrap_or_default();
    let set = info.unique.iter().find(|set| name == format!("u_{}_{}", info.kind, set.join("_")));
    let Some(set) = set else { return Error::Exists { kind: info.kind, clash, fields } };
    let fields: Vec<String> = set.iter().filter(|f| **f != "tenant").map(|f| (*f).to_owned()).collect();
    let what = format!("{} with this {}", info.kind.name().replace('_', " "), fields.join(", "));
    let field = fields.last().cloned().unwrap_or_default();
    Error::Exists { kind: info.kind, clash: Invalid::unique(field, what), fields }
}
