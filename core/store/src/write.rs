//! Writing: create, save, and what controllers observed. Each write checks the caller's rights, the kind's own rules and
//! every reference, keeps the projection, and leaves a row in the change log.

use std::{any::Any, sync::Arc};

use meetme_base::{Id, Invalid, Kind, RawId, Uid};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::{
    AnyObject, Error, KindInfo, Object, Resource, Tx, Verb,
    change::{Entry, Moved},
    conn::{Cell, Flavour, Row},
    kind::{Part, erase, from_text, project},
    schema::index_name,
    search,
    tx::{TouchedRow, TypedFacts},
};

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
        self.must_stand(R::NODE, tenant)?;
        self.verify_targets(&spec, None)?;
        self.insert(info, tenant, uid, spec, status)
    }

    fn insert<R: Resource>(
        &mut self,
        info: &KindInfo,
        tenant: RawId,
        uid: Uid,
        spec: R,
        status: R::Status,
    ) -> Result<Object<R>, Error> {
        let now = self.now;
        let mut object =
            Object { id: Id::new(0), uid, tenant, version: 1, seen: 0, created: now, updated: now, spec, status };
        let spec_text = text(&object.spec)?;
        let cells = project(&object.spec, &object.status, Part::Both)?;
        let id = self
            .conn
            .first(
                "INSERT INTO object (uid, kind) VALUES (?1, ?2) RETURNING id",
                &[Cell::Blob(uid.bytes().to_vec()), Cell::Text(R::KIND.name().to_owned())],
                |r| r.int(0),
            )
            .map_err(|e| taken::<R>(uid, e))?
            .ok_or_else(|| Error::Bug("no id came back".into()))?;
        object.id = Id::new(id);
        self.whole(|tx| {
            if R::NODE {
                tx.plant(object.id.any(), Some(tenant).filter(|t| t.get() != 0))?;
                object.tenant = object.id.any();
            }
            tx.insert_row(info, &object, spec_text.clone(), cells)?;
            for edge in R::EDGES {
                for target in edge.targets(&object.spec) {
                    tx.link(object.id.any(), edge.name, target)?;
                }
            }
            if search::wanted::<R>() {
                search::add(tx.conn, id, &search::text_of(&object.spec, &object.status))?;
            }
            if R::LOGGED {
                tx.log(Entry::of(&object, Verb::Create).after(spec_text))?;
            }
            Ok(())
        })?;
        self.touch::<R>(object.id.any(), None, Some(&object.spec), false);
        Ok(object)
    }

    fn insert_row<R: Resource>(
        &mut self,
        info: &KindInfo,
        object: &Object<R>,
        spec: String,
        cells: Vec<Cell>,
    ) -> Result<(), Error> {
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
            Cell::Int(object.id.get()),
            Cell::Blob(object.uid.bytes().to_vec()),
            Cell::Int(object.tenant.get()),
            Cell::Int(object.created.0),
            Cell::Text(spec),
            Cell::Text(text(&object.status)?),
            live(object.spec.is_gone(&object.status)),
        ];
        params.extend(cells);
        self.conn.execute(&sql, &params).map_err(|e| clash(info, e))?;
        Ok(())
    }

    /// Replaces the spec of a row, if it still has the version that `object` holds. Saving an equal spec does nothing.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else was faster; else as [`Tx::create`].
    pub fn save<R: Resource>(&mut self, object: &mut Object<R>, spec: R) -> Result<(), Error> {
        self.must_write()?;
        let info = self.shared.registry.info(R::KIND)?;
        // Asked first, so that whoever may not change a row learns it also from a change that would be none.
        self.may_change(object, &spec)?;
        if spec == object.spec {
            return Ok(());
        }
        spec.check(Some(&object.spec))?;
        self.verify_targets(&spec, Some(&object.spec))?;
        let before = std::mem::replace(&mut object.spec, spec);
        let spec_text = text(&object.spec)?;
        let wrote = self.write_row(info, object, Part::Spec, spec_text.clone());
        let Some(now) = wrote.inspect_err(|_| object.spec.clone_from(&before))? else {
            object.spec = before;
            return Err(self.stale(info, object.id.any())?);
        };
        object.version += 1;
        object.updated = self.now;
        self.whole(|tx| {
            tx.relink(object.id.any(), &before, &object.spec)?;
            // The status may have moved since the caller read it.
            let fresh =
                if now.beside == object.seen { None } else { Some(tx.document(info, object.id.any(), "status")?) };
            let status = fresh.as_ref().unwrap_or(&object.status);
            tx.keep_live(info, object.id.any(), now.live, object.spec.is_gone(status))?;
            if search::wanted::<R>() {
                tx.reindex(object.id.any(), (&before, status), (&object.spec, status))?;
            }
            if R::LOGGED {
                tx.log(Entry::of(object, Verb::Update).before(text(&before)?).after(spec_text))?;
            }
            Ok(())
        })?;
        self.touch::<R>(object.id.any(), Some(&before), Some(&object.spec), false);
        Ok(())
    }

    /// Hangs a row on another node of the tenant tree, as it is. The caller needs the right to change it where it hangs, and to make
    /// one like it where it shall hang. For kinds that are no nodes themselves.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::Stale`] when somebody else was faster; when there is no such node.
    pub fn rehang<R: Resource>(&mut self, object: &mut Object<R>, tenant: RawId) -> Result<(), Error> {
        self.must_write()?;
        if R::NODE {
            return Err(Error::Bug(format!("{} is a node of the tree itself", R::KIND)));
        }
        if tenant == object.tenant {
            return Ok(());
        }
        let info = self.shared.registry.info(R::KIND)?;
        for (verb, node) in [("change", object.tenant), ("create", tenant)] {
            let facts = TypedFacts { tenant: node, ..TypedFacts::of(info, object, &object.spec) };
            if !self.permits(verb, &facts)? {
                return Err(Error::Denied { kind: R::KIND, verb });
            }
        }
        self.must_stand(false, tenant)?;
        let sql = format!(
            "UPDATE {} SET tenant = ?2, version = version + 1, updated = ?3 WHERE id = ?1 AND version = ?4",
            info.table()
        );
        let held = Cell::Int(i64::try_from(object.version).unwrap_or(i64::MAX));
        let cells = [Cell::Int(object.id.get()), Cell::Int(tenant.get()), Cell::Int(self.now.0), held];
        if self.conn.execute(&sql, &cells).map_err(|e| clash(info, e))? != 1 {
            return Err(self.stale(info, object.id.any())?);
        }
        (object.tenant, object.updated) = (tenant, self.now);
        object.version += 1;
        self.whole(|tx| {
            if R::LOGGED {
                let spec = text(&object.spec)?;
                tx.log(Entry::of(object, Verb::Update).before(spec.clone()).after(spec))?;
            }
            Ok(())
        })?;
        self.touch::<R>(object.id.any(), Some(&object.spec), Some(&object.spec), false);
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
        let facts = TypedFacts::of(info, object, &object.spec);
        if !self.permits("observe", &facts)? {
            return Err(Error::Denied { kind: R::KIND, verb: "observe" });
        }
        let before = std::mem::replace(&mut object.status, status);
        let status_text = text(&object.status)?;
        let wrote = self.write_row(info, object, Part::Status, status_text);
        let Some(now) = wrote.inspect_err(|_| object.status.clone_from(&before))? else {
            object.status = before;
            return Err(self.stale(info, object.id.any())?);
        };
        object.seen += 1;
        self.whole(|tx| {
            // The spec may have changed since the caller read it.
            let fresh =
                if now.beside == object.version { None } else { Some(tx.document(info, object.id.any(), "spec")?) };
            let spec = fresh.as_ref().unwrap_or(&object.spec);
            tx.keep_live(info, object.id.any(), now.live, spec.is_gone(&object.status))?;
            if info.fields.iter().any(|f| f.searchable && f.of_status) {
                tx.reindex(object.id.any(), (spec, &before), (spec, &object.status))?;
            }
            if R::LOGGED
                && let Some(moved) = moved
            {
                tx.log(Entry::of(object, Verb::Moved).version(now.beside).moved(moved))?;
            }
            tx.touch::<R>(object.id.any(), Some(spec), Some(spec), true);
            Ok(())
        })
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

    /// Reads a spec that a caller sent for this row: the marks of sealed values stand for the values kept.
    ///
    /// # Errors
    /// When the JSON does not have the kind's shape.
    pub fn sent_for<R: Resource>(object: &Object<R>, spec: Json) -> Result<R, Error> {
        crate::kind::decode(crate::sealed::restore_sealed(spec, &object.spec)?)
    }

    /// Shows a typed row as JSON, secrets cut.
    pub fn erased<R: Resource>(object: &Object<R>) -> AnyObject {
        erase(object)
    }

    pub(crate) fn must_write(&self) -> Result<(), Error> {
        if self.writable { Ok(()) } else { Err(Error::Bug("a write inside a reading transaction".into())) }
    }

    /// Runs a step whose statements must be kept together: when it fails, the transaction can no longer be kept, even if the
    /// operation makes light of the error.
    pub(crate) fn whole<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let out = step(self);
        if let Err(e) = &out {
            self.conn.doomed().get_or_insert_with(|| e.to_string());
        }
        out
    }

    /// The node that a new row hangs on must exist, and go on existing until the row does. 0 is above all nodes.
    pub(crate) fn must_stand(&mut self, is_node: bool, tenant: RawId) -> Result<(), Error> {
        if (is_node && tenant.get() == 0) || self.nodes.contains(&tenant) {
            return Ok(());
        }
        let lock = if self.conn.flavour() == Flavour::Postgres { " FOR KEY SHARE" } else { "" };
        let sql = format!("SELECT 1 FROM tenancy WHERE node = ?1 AND above = ?1{lock}");
        let found = self.conn.first(&sql, &[Cell::Int(tenant.get())], |_| Ok(()))?;
        found.ok_or_else(|| Error::Invalid(Invalid::reference("tenant", format!("The node {tenant}"))))?;
        self.nodes.insert(tenant);
        Ok(())
    }

    /// Writes one document and its columns if its counter still stands where the caller saw it; answers what else the row says
    /// now, or nothing when the counter has moved.
    fn write_row<R: Resource>(
        &mut self,
        info: &KindInfo,
        object: &Object<R>,
        part: Part,
        text: String,
    ) -> Result<Option<RowNow>, Error> {
        let (document, counter, held, beside) = match part {
            Part::Status => ("status", "seen", object.seen, "version"),
            _ => ("spec", "version", object.version, "seen"),
        };
        let mut sets = String::new();
        let mut params =
            vec![Cell::Int(object.id.get()), Cell::Text(text), Cell::Int(i64::try_from(held).unwrap_or(i64::MAX))];
        if part == Part::Spec {
            sets.push_str(", updated = ?4");
            params.push(Cell::Int(self.now.0));
        }
        for (name, _) in info.columns(part) {
            params.push(Cell::Null);
            sets.push_str(&format!(", {name} = ?{}", params.len()));
        }
        let cells = project(&object.spec, &object.status, part)?;
        let first = params.len() - cells.len();
        params.splice(first.., cells);
        let sql = format!(
            "UPDATE {} SET {document} = ?2, {counter} = {counter} + 1{sets}
             WHERE id = ?1 AND {counter} = ?3 RETURNING {beside}, live",
            info.table()
        );
        let read = |r: &dyn Row| Ok(RowNow { beside: u64::try_from(r.int(0)?).unwrap_or(0), live: !r.is_null(1) });
        self.conn.first(&sql, &params, read).map_err(|e| clash(info, e))
    }

    /// Whether a row is a tombstone depends on both documents, so the mark is written apart from either, and only when it turns.
    pub(crate) fn keep_live(&mut self, info: &KindInfo, id: RawId, is_live: bool, is_gone: bool) -> Result<(), Error> {
        if is_live != is_gone {
            return Ok(());
        }
        let sql = format!("UPDATE {} SET live = ?2 WHERE id = ?1", info.table());
        self.conn.execute(&sql, &[Cell::Int(id.get()), live(is_gone)]).map_err(|e| clash(info, e))?;
        Ok(())
    }

    /// A document of a row as it stands now.
    pub(crate) fn document<T: DeserializeOwned>(
        &mut self,
        info: &KindInfo,
        id: RawId,
        column: &str,
    ) -> Result<T, Error> {
        let sql = format!("SELECT {column} FROM {} WHERE id = ?1", info.table());
        let found = self.conn.first(&sql, &[Cell::Int(id.get())], |r| from_text(r.text(0)?))?;
        found.ok_or_else(|| Error::missing(info.kind, id))
    }

    pub(crate) fn reindex<R: Resource>(
        &mut self,
        id: RawId,
        (old, was): (&R, &R::Status),
        (new, is): (&R, &R::Status),
    ) -> Result<(), Error> {
        let text = search::text_of(new, is);
        if text == search::text_of(old, was) { Ok(()) } else { search::put(self.conn, id.get(), &text) }
    }

    /// Takes away and adds what changed between two specs.
    pub(crate) fn relink<R: Resource>(&mut self, src: RawId, before: &R, after: &R) -> Result<(), Error> {
        for edge in R::EDGES {
            let (old, new) = (edge.targets(before), edge.targets(after));
            for gone in old.iter().filter(|t| !new.contains(t)) {
                self.conn.execute(
                    "DELETE FROM edge WHERE src = ?1 AND name = ?2 AND dst = ?3",
                    &[Cell::Int(src.get()), Cell::Text(edge.name.to_owned()), Cell::Int(gone.get())],
                )?;
            }
            for added in new.iter().filter(|t| !old.contains(t)) {
                self.link(src, edge.name, *added)?;
            }
        }
        Ok(())
    }

    /// The error for a lost race: the version now, or that the row is gone. Who lost it to a transaction that came between their own
    /// look and their write is run again from the beginning, where the database allows that to happen; who came with an old row stays late.
    pub(crate) fn stale(&mut self, info: &KindInfo, id: RawId) -> Result<Error, Error> {
        self.conn.run_again_holding(&info.table(), id.get());
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
    pub(crate) fn verify_targets<R: Resource>(&mut self, spec: &R, before: Option<&R>) -> Result<(), Error> {
        for edge in R::EDGES {
            let old = before.map(|b| edge.targets(b)).unwrap_or_default();
            for target in edge.targets(spec) {
                if old.contains(&target) {
                    continue;
                }
                let bad = || Error::Invalid(Invalid::reference(edge.name, format!("The object {target}")));
                let kind = self.visible(target)?.ok_or_else(bad)?;
                if !edge.to.is_empty() && !edge.to.contains(&kind) {
                    return Err(bad());
                }
            }
        }
        Ok(())
    }

    /// The kind of an object, if it exists and the caller may see it.
    fn visible(&mut self, id: RawId) -> Result<Option<Kind>, Error> {
        if let Some(kind) = self.verified.get(&id) {
            return Ok(Some(*kind));
        }
        let Some(kind) = self.kind_of(id)? else { return Ok(None) };
        let info = self.shared.registry.info(kind)?;
        if *self.scope.rows(kind, "see") != crate::Filter::All {
            match info.ops.get(self, id) {
                Ok(_) => {}
                Err(Error::Missing { .. }) => return Ok(None),
                Err(e) => return Err(e),
            }
        }
        self.verified.insert(id, kind);
        Ok(Some(kind))
    }

    pub(crate) fn touch<R: Resource>(&mut self, id: RawId, before: Option<&R>, after: Option<&R>, status_only: bool) {
        if let Ok(info) = self.shared.registry.info(R::KIND) {
            self.written.insert(info.index);
        }
        if self.shared.registry.triggered(R::KIND) {
            let keep = |spec: Option<&R>| spec.map(|s| Arc::new(s.clone()) as Arc<dyn Any + Send + Sync>);
            self.touched.push(TouchedRow { kind: R::KIND, id, before: keep(before), after: keep(after), status_only });
        }
    }
}

/// What a row says beside the document just written: the other document's counter, and whether it counts as living.
struct RowNow {
    beside: u64,
    live: bool,
}

pub(crate) fn text(document: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(document).map_err(|e| Error::Bug(format!("a document cannot be written: {e}")))
}

pub(crate) fn live(is_gone: bool) -> Cell {
    if is_gone { Cell::Null } else { Cell::Int(1) }
}

/// The error for a UUID that another object has.
pub(crate) fn taken<R: Resource>(uid: Uid, error: Error) -> Error {
    let Error::Exists { .. } = error else { return error };
    let clash = Invalid::unique("uid", format!("An object with the id {uid}"));
    Error::Exists { kind: R::KIND, clash, fields: vec!["uid".to_owned()] }
}

/// Turns a broken unique index, which the backends report by its name, into the fields it stands for.
pub(crate) fn clash(info: &KindInfo, error: Error) -> Error {
    let Error::Exists { kind: _, clash, fields } = error else { return error };
    let name = fields.first().cloned().unwrap_or_default();
    let set = info.unique.iter().find(|set| name == index_name('u', info, set));
    let Some(set) = set else { return Error::Exists { kind: info.kind, clash, fields } };
    let fields: Vec<String> = set.iter().filter(|f| **f != "tenant").map(|f| (*f).to_owned()).collect();
    let what = format!("{} with this {}", info.kind.name().replace('_', " "), fields.join(", "));
    let field = fields.last().cloned().unwrap_or_default();
    Error::Exists { kind: info.kind, clash: Invalid::unique(field, what), fields }
}
