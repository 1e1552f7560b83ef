//! Writing many rows of one kind: each is checked and kept as if it came alone, but a few statements write all of them. For what
//! comes by the ten thousand, such as the copy of a public register; over a network a statement for each row would cost more
//! than the rows.
//!
//! Road not taken: the databases' own bulk loaders, which know no checks, no log and no second kind of database.

use std::collections::{BTreeMap, HashMap, HashSet};

use meetme_base::{Id, Kind, RawId, Uid};

use crate::{
    Error, Filter, KindInfo, Object, Query, Resource, Tx, Verb,
    change::Entry,
    conn::{Cell, Flavour, Rows},
    kind::{Part, project},
    read::uid,
    search,
    tx::{TouchedRow, TypedFacts},
    write::{clash, live, text},
};

/// How many rows are read at once on their way out.
const PAGE: usize = 1000;

impl Tx<'_> {
    /// Makes many rows that hang on `tenant`, all or none; answers their ids in the order of the specs. The meaning is that of
    /// [`Tx::create`] for each.
    ///
    /// # Errors
    /// As [`Tx::create`]. A spec may not refer to another that is made with it, and rows of the tenant tree are made alone.
    pub fn create_many<R: Resource>(&mut self, tenant: RawId, specs: Vec<R>) -> Result<Vec<Id<R>>, Error> {
        self.must_write()?;
        if R::NODE {
            return Err(Error::Bug(format!("rows of {} are made one by one", R::KIND)));
        }
        if specs.is_empty() {
            return Ok(Vec::new());
        }
        let info = self.shared.registry.info(R::KIND)?;
        let (now, status) = (self.now, R::Status::default());
        specs.iter().try_for_each(|spec| spec.check(None))?;
        if *self.scope.rows(R::KIND, "create") != Filter::All {
            for spec in &specs {
                let id = RawId::new(0);
                let facts =
                    TypedFacts { info, tenant, id, version: 1, created: now, updated: now, spec, status: &status };
                if !self.permits("create", &facts)? {
                    return Err(Error::Denied { kind: R::KIND, verb: "create" });
                }
            }
        }
        self.must_stand(false, tenant)?;
        self.know(specs.iter().flat_map(targets))?;
        specs.iter().try_for_each(|spec| self.verify_targets(spec, None))?;
        let ids = self.whole(|tx| {
            let uids: Vec<Uid> = specs.iter().map(|_| Uid::random()).collect();
            let ids = tx.number::<R>(&uids)?;
            let mut entries = Vec::with_capacity(specs.len());
            let mut rows = Vec::with_capacity(specs.len());
            let mut edges = Vec::new();
            for ((spec, id), uid) in specs.iter().zip(&ids).zip(uids) {
                let spec_text = text(spec)?;
                let gone = spec.is_gone(&status);
                let mut row = vec![
                    Cell::Int(id.get()),
                    Cell::Blob(uid.bytes().to_vec()),
                    live(gone),
                    Cell::Text(spec_text.clone()),
                ];
                row.push(Cell::Text(text(&status)?));
                row.extend(project(spec, &status, Part::Both)?);
                rows.push(row);
                edges.extend(R::EDGES.iter().flat_map(|e| e.targets(spec).into_iter().map(|t| edge(*id, e.name, t))));
                if search::wanted::<R>() {
                    search::add(tx.conn, id.get(), &search::text_of(spec, &status))?;
                }
                if R::LOGGED {
                    let object = Object {
                        id: *id,
                        uid,
                        tenant,
                        version: 1,
                        seen: 0,
                        created: now,
                        updated: now,
                        spec: spec.clone(),
                        status: status.clone(),
                    };
                    entries.push(Entry::of(&object, Verb::Create).after(spec_text));
                }
            }
            tx.insert_rows(info, tenant, rows)?;
            tx.link_many(edges)?;
            tx.log_many(entries, false)?;
            Ok(ids)
        })?;
        for (spec, id) in specs.iter().zip(&ids) {
            self.touch::<R>(id.any(), None, Some(spec), false);
        }
        Ok(ids)
    }

    /// Replaces the specs of many rows, all or none, each if it still has the version that was read; answers how many were
    /// changed. Equal specs are passed over. The meaning is that of [`Tx::save`] for each.
    ///
    /// # Errors
    /// As [`Tx::save`].
    pub fn save_many<R: Resource>(&mut self, rows: Vec<(Object<R>, R)>) -> Result<u64, Error> {
        self.must_write()?;
        let info = self.shared.registry.info(R::KIND)?;
        let mut changed = Vec::with_capacity(rows.len());
        for (object, spec) in rows {
            self.may_change(&object, &spec)?;
            if spec != object.spec {
                spec.check(Some(&object.spec))?;
                changed.push((object, spec));
            }
        }
        if changed.is_empty() {
            return Ok(0);
        }
        let new = |(object, spec): &(Object<R>, R)| -> Vec<RawId> {
            let old: HashSet<RawId> = targets(&object.spec).collect();
            targets(spec).filter(|t| !old.contains(t)).collect()
        };
        self.know(changed.iter().flat_map(new))?;
        changed.iter().try_for_each(|(object, spec)| self.verify_targets(spec, Some(&object.spec)))?;
        let mut found: HashMap<i64, (u64, bool)> = HashMap::with_capacity(changed.len());
        let mut cells = Vec::with_capacity(changed.len());
        for (object, spec) in &changed {
            let version = i64::try_from(object.version).unwrap_or(i64::MAX);
            let mut row = vec![Cell::Int(object.id.get()), Cell::Int(version), Cell::Text(text(spec)?)];
            row.extend(project(spec, &object.status, Part::Spec)?);
            cells.push(row);
        }
        self.update_rows(info, cells, &mut found)?;
        if let Some((object, _)) = changed.iter().find(|(object, _)| !found.contains_key(&object.id.get())) {
            return Err(self.stale(info, object.id.any())?);
        }
        let many = changed.len() as u64;
        self.whole(|tx| {
            let mut entries = Vec::with_capacity(changed.len());
            for (mut object, spec) in changed {
                let (seen, was_live) = found.get(&object.id.get()).copied().unwrap_or_default();
                let before = std::mem::replace(&mut object.spec, spec);
                object.version += 1;
                tx.relink(object.id.any(), &before, &object.spec)?;
                if seen != object.seen {
                    object.status = tx.document(info, object.id.any(), "status")?;
                }
                tx.keep_live(info, object.id.any(), was_live, object.spec.is_gone(&object.status))?;
                if search::wanted::<R>() {
                    tx.reindex(object.id.any(), (&before, &object.status), (&object.spec, &object.status))?;
                }
                if R::LOGGED {
                    let entry = Entry::of(&object, Verb::Update).before(text(&before)?).after(text(&object.spec)?);
                    entries.push(entry);
                }
                tx.touch::<R>(object.id.any(), Some(&before), Some(&object.spec), false);
            }
            tx.log_many(entries, true)
        })?;
        Ok(many)
    }

    /// Removes many rows that nothing outside of them refers to; answers how many there were. Rows that are gone already are
    /// passed over. Unlike [`Tx::remove`] it takes nothing along and detaches nothing.
    ///
    /// # Errors
    /// [`Error::Referenced`] when another row refers to one of them; [`Error::Denied`].
    pub fn remove_many<R: Resource>(&mut self, ids: &[Id<R>]) -> Result<u64, Error> {
        self.must_write()?;
        if R::NODE {
            return Err(Error::Bug(format!("rows of {} are removed one by one", R::KIND)));
        }
        let info = self.shared.registry.info(R::KIND)?;
        let allowed = self.scope.rows(R::KIND, "remove");
        let mut sorted: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        sorted.sort_unstable();
        sorted.dedup();
        self.verified.clear();
        if self.conn.flavour() == Flavour::Postgres {
            self.lock_rows(BTreeMap::from([(R::KIND, sorted.clone())]))?;
        }
        self.unreferenced(&sorted)?;
        let mut gone = 0;
        for page in sorted.chunks(PAGE) {
            let these = Filter::is_in("id", page.iter().map(|id| Id::<R>::new(*id)));
            let rows = self.list::<R>(&Query::of(these))?;
            if *allowed != Filter::All {
                for row in &rows {
                    let facts = TypedFacts::of(info, row, &row.spec);
                    if !self.permits("remove", &facts)? {
                        return Err(Error::Denied { kind: R::KIND, verb: "remove" });
                    }
                }
            }
            gone += rows.len() as u64;
            self.whole(|tx| tx.remove_page(info, &rows))?;
        }
        Ok(gone)
    }

    fn remove_page<R: Resource>(&mut self, info: &KindInfo, rows: &[Object<R>]) -> Result<(), Error> {
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            if search::wanted::<R>() {
                search::delete(self.conn, row.id.get())?;
            }
            if R::LOGGED {
                entries.push(Entry::of(row, Verb::Remove).before(text(&row.spec)?));
            }
            if self.shared.registry.triggered(R::KIND) {
                let before: crate::registry::AnySpec = Some(std::sync::Arc::new(row.spec.clone()));
                self.touched.push(TouchedRow {
                    kind: R::KIND,
                    id: row.id.any(),
                    before,
                    after: None,
                    status_only: false,
                });
            }
        }
        self.log_many(entries, true)?;
        self.written.insert(info.index);
        let ids = Cell::Ints(rows.iter().map(|row| row.id.get()).collect());
        self.free(&ids)?;
        let table = info.table();
        let beside = [("edge", "src"), ("claim", "owner"), ("alias", "object"), ("sample", "object")];
        let tables = beside.into_iter().chain([(table.as_str(), "id"), ("object", "id")]);
        for (table, column) in tables {
            let condition = self.conn.flavour().is_in(column, 1);
            self.conn.execute(&format!("DELETE FROM {table} WHERE {condition}"), std::slice::from_ref(&ids))?;
        }
        Ok(())
    }

    /// Nothing but these objects themselves refers to them.
    fn unreferenced(&mut self, ids: &[i64]) -> Result<(), Error> {
        let inside: HashSet<i64> = ids.iter().copied().collect();
        let sql = format!("SELECT dst, src FROM edge WHERE {}", self.conn.flavour().is_in("dst", 1));
        let mut found: Option<(i64, u64)> = None;
        self.conn.query(&sql, &[Cell::Ints(ids.to_vec())], &mut |row| {
            if !inside.contains(&row.int(1)?) {
                let (target, count) = found.unwrap_or((row.int(0)?, 0));
                found = Some((target, count + 1));
            }
            Ok(())
        })?;
        match found {
            Some((target, count)) => Err(Error::Referenced { id: RawId::new(target), by: Vec::new(), count }),
            None => Ok(()),
        }
    }

    /// Learns the kinds of many objects at once, where seeing a kind needs no look at the row.
    fn know(&mut self, targets: impl Iterator<Item = RawId>) -> Result<(), Error> {
        let mut wanted: Vec<i64> = targets.filter(|t| !self.verified.contains_key(t)).map(Id::get).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        let sql = format!("SELECT id, kind FROM object WHERE {}", self.conn.flavour().is_in("id", 1));
        let found = self.conn.all(&sql, &[Cell::Ints(wanted)], |r| Ok((r.int(0)?, r.text(1)?.to_owned())))?;
        let mut open: HashMap<String, Option<Kind>> = HashMap::new();
        for (id, name) in found {
            let kind = *open.entry(name).or_insert_with_key(|name| {
                let kind = self.shared.registry.kind(name)?.kind;
                (*self.scope.rows(kind, "see") == Filter::All).then_some(kind)
            });
            self.verified.extend(kind.map(|kind| (RawId::new(id), kind)));
        }
        Ok(())
    }

    /// Gives out an id for each UUID, in their order.
    fn number<R: Resource>(&mut self, uids: &[Uid]) -> Result<Vec<Id<R>>, Error> {
        let rows = uids.iter().map(|uid| vec![Cell::Blob(uid.bytes().to_vec())]).collect();
        let mut known: HashMap<Uid, i64> = HashMap::with_capacity(uids.len());
        let statement = Rows {
            before: "INSERT INTO object (kind, uid) VALUES ".to_owned(),
            after: " RETURNING id, uid".to_owned(),
            shared: vec![Cell::Text(R::KIND.name().to_owned())],
            marks: "?1, ",
            ..Rows::default()
        };
        self.conn.rows(&statement, rows, &mut |row| {
            known.insert(uid(row.blob(1)?)?, row.int(0)?);
            Ok(())
        })?;
        let of = |uid| known.get(uid).map(|id| Id::new(*id)).ok_or_else(|| Error::Bug("no id came back".into()));
        uids.iter().map(of).collect()
    }

    /// Each row is id, UUID, the mark of the living, both documents, the projected columns.
    fn insert_rows(&mut self, info: &KindInfo, tenant: RawId, rows: Vec<Vec<Cell>>) -> Result<(), Error> {
        let names: String = info.columns(Part::Both).iter().map(|(name, _)| format!(", {name}")).collect();
        let statement = Rows {
            before: format!(
                "INSERT INTO {} (tenant, created, updated, version, seen, id, uid, live, spec, status{names}) VALUES ",
                info.table()
            ),
            shared: vec![Cell::Int(tenant.get()), Cell::Int(self.now.0)],
            marks: "?1, ?2, ?2, 1, 0, ",
            ..Rows::default()
        };
        self.conn.rows(&statement, rows, &mut |_| Ok(())).map_err(|e| clash(info, e))
    }

    /// Each row is id, version, document, the columns projected from it. `found` learns of the rows that had that version how far
    /// their status is and whether they count as living.
    fn update_rows(
        &mut self,
        info: &KindInfo,
        rows: Vec<Vec<Cell>>,
        found: &mut HashMap<i64, (u64, bool)>,
    ) -> Result<(), Error> {
        let (table, blob) = (info.table(), crate::schema::blob(self.conn.flavour()));
        let columns = info.columns(Part::Spec);
        let sets: String =
            columns.iter().enumerate().map(|(at, (name, _))| format!(", {name} = v.column{}", at + 4)).collect();
        let types = ["BIGINT", "BIGINT", "TEXT"].into_iter().chain(columns.iter().map(|(_, ty)| *ty));
        let types: Vec<&str> = types.map(|ty| if ty == "BLOB" { blob } else { ty }).collect();
        let statement = Rows {
            before: format!(
                "UPDATE {table} SET spec = v.column3, version = version + 1, updated = ?1{sets} FROM (VALUES "
            ),
            after: format!(
                ") AS v WHERE {table}.id = v.column1 AND {table}.version = v.column2 RETURNING id, seen, live"
            ),
            shared: vec![Cell::Int(self.now.0)],
            types,
            ..Rows::default()
        };
        self.conn
            .rows(&statement, rows, &mut |row| {
                found.insert(row.int(0)?, (u64::try_from(row.int(1)?).unwrap_or(0), !row.is_null(2)));
                Ok(())
            })
            .map_err(|e| clash(info, e))
    }

    fn link_many(&mut self, edges: Vec<Vec<Cell>>) -> Result<(), Error> {
        let statement = Rows {
            before: "INSERT INTO edge (src, name, dst) VALUES ".to_owned(),
            after: " ON CONFLICT DO NOTHING".to_owned(),
            ..Rows::default()
        };
        self.conn.rows(&statement, edges, &mut |_| Ok(()))
    }
}

fn edge<R>(src: Id<R>, name: &str, dst: RawId) -> Vec<Cell> {
    vec![Cell::Int(src.get()), Cell::Text(name.to_owned()), Cell::Int(dst.get())]
}

fn targets<R: Resource>(spec: &R) -> impl Iterator<Item = RawId> {
    R::EDGES.iter().flat_map(|edge| edge.targets(spec))
}
