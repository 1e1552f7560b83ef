//! Reading. Every statement here joins what the caller may see.

use std::{collections::HashMap, hash::BuildHasher};

use meetme_base::{Id, Kind, RawId, Time, Uid};

use crate::{
    AnyObject, Error, Filter, KindInfo, Object, Op, Order, Query, Resource, Tx, Value,
    conn::{Cell, Flavour, Row},
    kind::from_text,
    sql::{Compiler, ROW, WIDTH},
};

impl Tx<'_> {
    /// The row with this id.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none, it is of another kind, or the caller may not see it.
    pub fn get<R: Resource>(&mut self, id: Id<R>) -> Result<Object<R>, Error> {
        self.one::<R>(&Filter::eq("id", id))?.ok_or_else(|| Error::missing(R::KIND, id))
    }

    /// The row with this id, if there is one that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find<R: Resource>(&mut self, id: Id<R>) -> Result<Option<Object<R>>, Error> {
        self.one::<R>(&Filter::eq("id", id))
    }

    /// The row with this UUID.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none, it is of another kind, or the caller may not see it.
    pub fn by_uid<R: Resource>(&mut self, uid: Uid) -> Result<Object<R>, Error> {
        match self.id_of(uid)? {
            Some((kind, id)) if kind == R::KIND => self.find::<R>(id.of())?.ok_or_else(|| Error::missing(R::KIND, uid)),
            _ => Err(Error::missing(R::KIND, uid)),
        }
    }

    /// The first row, by id, that matches.
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn one<R: Resource>(&mut self, filter: &Filter) -> Result<Option<Object<R>>, Error> {
        let info = self.shared.registry.info(R::KIND)?;
        let (mut sql, mut compiler) = self.select(info, ROW, filter)?;
        sql.push_str(" LIMIT 1");
        let params = std::mem::take(&mut compiler.params);
        self.conn.first(&sql, &params, read_row::<R>)
    }

    /// The rows that match, in the order asked.
    ///
    /// # Errors
    /// When the filter or the order does not fit the kind.
    pub fn list<R: Resource>(&mut self, query: &Query) -> Result<Vec<Object<R>>, Error> {
        let mut out = Vec::with_capacity(query.limit.min(1000) as usize);
        self.rows::<R>(query, false, &mut |row| {
            out.push(read_row::<R>(row)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// A part of a list, and how many rows match in all. One statement where the count is not remembered.
    ///
    /// # Errors
    /// When the filter or the order does not fit the kind.
    pub fn page<R: Resource>(&mut self, query: &Query) -> Result<(u64, Vec<Object<R>>), Error> {
        if self.conn.flavour() == Flavour::Sqlite {
            let count = self.count::<R>(&query.filter)?;
            let beyond = query.offset >= count;
            return Ok((count, if beyond { Vec::new() } else { self.list(query)? }));
        }
        let (mut count, mut rows) = (0, Vec::with_capacity(query.limit.min(1000) as usize));
        self.rows::<R>(query, true, &mut |row| {
            count = self::count(row.int(COUNT)?);
            rows.push(read_row::<R>(row)?);
            Ok(())
        })?;
        // Behind the last row nothing comes back that could bring the count along.
        if rows.is_empty() && query.offset > 0 {
            count = self.count::<R>(&query.filter)?;
        }
        Ok((count, rows))
    }

    /// All rows that match, by id: for sets known to be small. Refuses to be surprised by a large one.
    ///
    /// # Errors
    /// When the filter does not fit the kind, or more than [`Query::MOST`] rows match.
    pub fn all<R: Resource>(&mut self, filter: Filter) -> Result<Vec<Object<R>>, Error> {
        let out = self.list::<R>(&Query::of(filter))?;
        if out.len() >= Query::MOST as usize {
            return Err(Error::Bug(format!("more than {} rows of {} were asked for at once", Query::MOST, R::KIND)));
        }
        Ok(out)
    }

    /// Calls `each` with the rows that match, in the order asked.
    ///
    /// # Errors
    /// When the filter or the order does not fit the kind, or `each` fails.
    pub fn each<R: Resource>(
        &mut self,
        query: &Query,
        mut each: impl FnMut(Object<R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.rows::<R>(query, false, &mut |row| each(read_row::<R>(row)?))
    }

    /// The rows of a list; with `counted`, each has in [`COUNT`] how many rows match in all.
    fn rows<R: Resource>(
        &mut self,
        query: &Query,
        counted: bool,
        each: &mut dyn FnMut(&dyn Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let info = self.shared.registry.info(R::KIND)?;
        let limit = Cell::Int(query.limit.into());
        let offset = Cell::Int(i64::try_from(query.offset).unwrap_or(i64::MAX));
        let (from, mut compiler) = match self.nodes(R::KIND, query) {
            Some(nodes) => self.merged(info, query, nodes)?,
            None => self.matching(info, &query.filter)?,
        };
        let mut count = String::new();
        if counted {
            // Inside it the rows have the same name, and are others.
            count.push_str(", (SELECT count(*)");
            compiler.from(&mut count, info, &query.filter)?;
            count.push(')');
        }
        let mut sql = format!("SELECT {ROW}{count}{from}");
        compiler.order(&mut sql, &query.order, info)?;
        let mut params = std::mem::take(&mut compiler.params);
        params.extend([limit, offset]);
        sql.push_str(&format!(" LIMIT ?{} OFFSET ?{}", params.len() - 1, params.len()));
        self.conn.query(&sql, &params, each)
    }

    /// The nodes to which the caller's sight of a kind is limited, where they are several and a part of a list in the kind's own order
    /// is asked for. PostgreSQL would sort the rows of all of them for it.
    fn nodes(&self, kind: Kind, query: &Query) -> Option<Vec<i64>> {
        let is_part = self.conn.flavour() == Flavour::Postgres && query.limit < Query::MOST;
        let is_own = query.order.iter().all(|order| order.path.0.len() == 1);
        let seen = if is_part && is_own { self.scope.rows(kind, "see") } else { return None };
        let Filter::Is(path, Op::In(list)) = &*seen else { return None };
        if path.0 != ["tenant"] || !(2..=NODES).contains(&list.len()) {
            return None;
        }
        let number = |value: &Value| match value.cell() {
            Cell::Int(node) => Some(node),
            _ => None,
        };
        list.iter().map(number).collect()
    }

    /// As [`Tx::matching`], for a part of a list: the first rows of each node, which come in the order of an index, are merged.
    fn merged<'a>(&'a self, info: &KindInfo, query: &Query, nodes: Vec<i64>) -> Result<(String, Compiler<'a>), Error> {
        let mut compiler = self.compiler(info, &query.filter)?;
        let most = i64::try_from(query.offset.saturating_add(query.limit.into())).unwrap_or(i64::MAX);
        compiler.params.extend([Cell::Ints(nodes), Cell::Int(most)]);
        let mut sql = format!(
            " FROM unnest(CAST(?1 AS BIGINT[])) AS node (id) CROSS JOIN LATERAL
             (SELECT a0.* FROM {} a0 WHERE (",
            info.table()
        );
        compiler.condition(&mut sql, &query.filter, info, "a0")?;
        // As a range and with the node in the order, so that only an index that begins with the node gives it: one without would be read
        // to its end for a node that has few rows.
        sql.push_str(") AND a0.tenant BETWEEN node.id AND node.id");
        let mut order = Vec::with_capacity(query.order.len() + 1);
        order.push(Order::up("tenant"));
        order.extend(query.order.iter().cloned());
        compiler.order(&mut sql, &order, info)?;
        // Not as a number: PostgreSQL guesses few rows in a range, and would sort them where it sees that more are wanted.
        sql.push_str(" LIMIT (SELECT CAST(?2 AS BIGINT))) a0");
        Ok((sql, compiler))
    }

    /// The rows with these ids that exist and that the caller may see.
    ///
    /// # Errors
    /// When the database fails.
    pub fn many<R: Resource>(
        &mut self,
        ids: impl IntoIterator<Item = Id<R>>,
    ) -> Result<HashMap<Id<R>, Object<R>>, Error> {
        let mut list: Vec<i64> = ids.into_iter().map(Id::get).collect();
        list.sort_unstable();
        list.dedup();
        let mut out = HashMap::with_capacity(list.len());
        out.extend(self.take_at_hand::<R>(&mut list)?.into_iter().map(|object| (object.id, object)));
        if list.is_empty() {
            return Ok(out);
        }
        let info = self.shared.registry.info(R::KIND)?;
        let filter = Filter::is_in("id", list.into_iter().map(Id::<R>::new));
        let (sql, mut compiler) = self.select(info, ROW, &filter)?;
        let params = std::mem::take(&mut compiler.params);
        self.conn.query(&sql, &params, &mut |row| {
            let object = read_row::<R>(row)?;
            out.insert(object.id, object);
            Ok(())
        })?;
        Ok(out)
    }

    /// How many rows match.
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn count<R: Resource>(&mut self, filter: &Filter) -> Result<u64, Error> {
        self.count_any(self.shared.registry.info(R::KIND)?, filter)
    }

    /// How many rows of a kind match. Counts are remembered until anything is written, because a
    /// page of a list costs microseconds and counting 20,000 rows a millisecond.
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn count_any(&mut self, kind: &KindInfo, filter: &Filter) -> Result<u64, Error> {
        let (sql, mut compiler) = self.select(kind, "count(*)", filter)?;
        let params = std::mem::take(&mut compiler.params);
        let print = self.shared.counts.hasher().hash_one((&sql, format!("{params:?}")));
        if !self.writable
            && let Some(n) = self.shared.counts.get(print, &self.epochs)
        {
            return Ok(n);
        }
        let n = self.conn.first(&sql, &params, |r| r.int(0))?.unwrap_or(0);
        let n = u64::try_from(n).unwrap_or(0);
        if !self.writable {
            self.shared.counts.put(print, &self.epochs, n);
        }
        Ok(n)
    }

    /// Whether any row matches.
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn exists<R: Resource>(&mut self, filter: &Filter) -> Result<bool, Error> {
        let info = self.shared.registry.info(R::KIND)?;
        let (mut sql, mut compiler) = self.select(info, "1", filter)?;
        sql.push_str(" LIMIT 1");
        let params = std::mem::take(&mut compiler.params);
        Ok(self.conn.first(&sql, &params, |_| Ok(()))?.is_some())
    }

    /// The ids of the rows that match, in ascending order: cheaper than the rows.
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn ids<R: Resource>(&mut self, filter: &Filter) -> Result<Vec<Id<R>>, Error> {
        let info = self.shared.registry.info(R::KIND)?;
        let (mut sql, mut compiler) = self.select(info, "a0.id", filter)?;
        sql.push_str(" ORDER BY a0.id");
        let params = std::mem::take(&mut compiler.params);
        self.conn.all(&sql, &params, |r| r.int(0).map(Id::new))
    }

    /// The ids of the rows that match, each by what one of their fields of whole numbers says: cheaper than the rows. Rows without a
    /// number are left out.
    ///
    /// # Errors
    /// When the filter does not fit the kind, or the field is no number.
    pub fn ids_by<R: Resource>(&mut self, field: &str, filter: &Filter) -> Result<HashMap<i64, Id<R>>, Error> {
        let info = self.shared.registry.info(R::KIND)?;
        let (column, _) = info
            .column(field)
            .filter(|(_, ty)| *ty == crate::FieldType::Int)
            .ok_or_else(|| Error::Bug(format!("{} has no number {field}", R::KIND)))?;
        let (mut sql, mut compiler) = self.select(info, &format!("a0.{column}, a0.id"), filter)?;
        sql.push_str(&format!(" AND a0.{column} IS NOT NULL"));
        let params = std::mem::take(&mut compiler.params);
        let rows = self.conn.all(&sql, &params, |r| Ok((r.int(0)?, Id::new(r.int(1)?))))?;
        Ok(rows.into_iter().collect())
    }

    /// Which rows name these targets by a reference of one, or hang on them (`tenant`): each target with a row's id, by id. Cheaper than
    /// the rows.
    ///
    /// # Errors
    /// Our own mistake, when the kind has no such reference or it is a list.
    pub fn naming<R: Resource>(
        &mut self,
        edge: &str,
        targets: impl IntoIterator<Item = RawId>,
    ) -> Result<Vec<(RawId, Id<R>)>, Error> {
        let info = self.shared.registry.info(R::KIND)?;
        let (column, _) = info
            .column(edge)
            .filter(|(_, ty)| *ty == crate::FieldType::Ref)
            .ok_or_else(|| Error::Bug(format!("{} has no reference {edge} of one", R::KIND)))?;
        let filter = Filter::is_in(edge, targets);
        let (mut sql, mut compiler) = self.select(info, &format!("a0.{column}, a0.id"), &filter)?;
        sql.push_str(" ORDER BY a0.id");
        let params = std::mem::take(&mut compiler.params);
        self.conn.all(&sql, &params, |r| Ok((RawId::new(r.int(0)?), Id::new(r.int(1)?))))
    }

    /// The kind of an object, whatever the caller may see of it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn kind_of(&mut self, id: RawId) -> Result<Option<Kind>, Error> {
        let name = self
            .conn
            .first("SELECT kind FROM object WHERE id = ?1", &[Cell::Int(id.get())], |r| r.text(0).map(str::to_owned))?;
        Ok(name.and_then(|n| self.shared.registry.kind(&n)).map(|k| k.kind))
    }

    /// The kind and id behind a UUID, whatever the caller may see of it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn id_of(&mut self, uid: Uid) -> Result<Option<(Kind, RawId)>, Error> {
        let found = self.conn.first(
            "SELECT kind, id FROM object WHERE uid = ?1",
            &[Cell::Blob(uid.bytes().to_vec())],
            |r| Ok((r.text(0)?.to_owned(), RawId::new(r.int(1)?))),
        )?;
        Ok(found.and_then(|(name, id)| self.shared.registry.kind(&name).map(|k| (k.kind, id))))
    }

    /// A row of any kind, as JSON.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none that the caller may see.
    pub fn get_any(&mut self, kind: &KindInfo, id: RawId) -> Result<AnyObject, Error> {
        kind.ops.get(self, id)
    }

    /// Rows of any kind, as JSON.
    ///
    /// # Errors
    /// When the filter or the order does not fit the kind.
    pub fn list_any(&mut self, kind: &KindInfo, query: &Query) -> Result<Vec<AnyObject>, Error> {
        kind.ops.list(self, query)
    }

    /// The objects that refer to `target` by a declared reference, whatever the caller may see: kind, id and the reference's name.
    /// At most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referrers(&mut self, target: RawId, limit: u32) -> Result<Vec<(Kind, RawId, String)>, Error> {
        let rows = self.conn.all(
            "SELECT o.kind, e.src, e.name FROM edge e JOIN object o ON o.id = e.src WHERE e.dst = ?1 ORDER BY e.src LIMIT ?2",
            &[Cell::Int(target.get()), Cell::Int(limit.into())],
            |r| Ok((r.text(0)?.to_owned(), RawId::new(r.int(1)?), r.text(2)?.to_owned())),
        )?;
        Ok(rows
            .into_iter()
            .filter_map(|(kind, id, name)| self.shared.registry.kind(&kind).map(|k| (k.kind, id, name)))
            .collect())
    }

    /// How many objects refer to each of these by a reference of this name, whatever the caller may see; no entry where none does.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referred(
        &mut self,
        edge: &str,
        targets: impl IntoIterator<Item = RawId>,
    ) -> Result<HashMap<RawId, u64>, Error> {
        let targets = Cell::Ints(targets.into_iter().map(RawId::get).collect());
        let condition = self.conn.flavour().is_in("dst", 2);
        let sql = format!("SELECT dst, count(*) FROM edge WHERE name = ?1 AND {condition} GROUP BY dst");
        let found = self
            .conn
            .all(&sql, &[Cell::Text(edge.to_owned()), targets], |r| Ok((RawId::new(r.int(0)?), count(r.int(1)?))))?;
        Ok(found.into_iter().collect())
    }

    /// What rows of a kind that match refer to by this reference: each target once, in ascending order. Rows that the caller may not
    /// see say nothing; whether it may see the targets is not asked.
    ///
    /// # Errors
    /// When the filter does not fit the kind.
    pub fn targets(&mut self, kind: &KindInfo, edge: &str, filter: &Filter) -> Result<Vec<RawId>, Error> {
        let (condition, mut compiler) = self.condition(kind, filter)?;
        let mut params = std::mem::take(&mut compiler.params);
        params.push(Cell::Text(edge.to_owned()));
        let sql = format!(
            "SELECT DISTINCT g0.dst FROM edge g0 JOIN {} a0 ON a0.id = g0.src WHERE g0.name = ?{} AND {condition}
             ORDER BY g0.dst",
            kind.table(),
            params.len()
        );
        self.conn.all(&sql, &params, |r| r.int(0).map(RawId::new))
    }

    /// What [`crate::Store::epoch`] was before this transaction could see anything: what is remembered under it is what this transaction
    /// reads. Nothing once the transaction has itself written to one of these kinds. On PostgreSQL a commit of this process that comes
    /// in between is counted early.
    pub fn epoch(&self, kinds: &[Kind]) -> Option<u64> {
        let of = || kinds.iter().filter_map(|kind| self.shared.registry.kind(kind.name()));
        if of().any(|kind| self.written.contains(&kind.index)) {
            return None;
        }
        let at = |index: usize| self.epochs.get(index).copied().unwrap_or_else(|| self.shared.epoch(index));
        Some(of().map(|kind| at(kind.index)).sum())
    }

    fn select<'a>(&'a self, kind: &KindInfo, columns: &str, filter: &Filter) -> Result<(String, Compiler<'a>), Error> {
        let (from, compiler) = self.matching(kind, filter)?;
        Ok((format!("SELECT {columns}{from}"), compiler))
    }

    /// The part of a statement that says which rows, from `FROM` on. They are called `a0`.
    fn matching<'a>(&'a self, kind: &KindInfo, filter: &Filter) -> Result<(String, Compiler<'a>), Error> {
        let mut compiler = self.compiler(kind, filter)?;
        let mut sql = String::new();
        compiler.from(&mut sql, kind, filter)?;
        Ok((sql, compiler))
    }

    /// What writes a statement about this filter, which must fit the kind.
    fn compiler<'a>(&'a self, kind: &KindInfo, filter: &Filter) -> Result<Compiler<'a>, Error> {
        filter.check(kind, &self.shared.registry)?;
        Ok(Compiler::new(&self.shared.registry, self.conn.flavour(), self.scope.as_ref()))
    }

    /// The condition for the rows called `a0`.
    pub(crate) fn condition<'a>(&'a self, kind: &KindInfo, filter: &Filter) -> Result<(String, Compiler<'a>), Error> {
        let mut compiler = self.compiler(kind, filter)?;
        let mut sql = "(".to_owned();
        compiler.condition(&mut sql, filter, kind, "a0")?;
        sql.push(')');
        compiler.seen(&mut sql, kind, "a0")?;
        Ok((sql, compiler))
    }
}

/// The most nodes whose rows are merged: each costs a way through an index.
const NODES: usize = 64;

/// Where a row of a page has the count: behind the columns of [`ROW`].
const COUNT: usize = WIDTH;

pub(crate) fn read_row<R: Resource>(row: &dyn Row) -> Result<Object<R>, Error> {
    Ok(Object {
        id: Id::new(row.int(0)?),
        uid: uid(row.blob(1)?)?,
        tenant: RawId::new(row.int(2)?),
        version: count(row.int(3)?),
        seen: count(row.int(4)?),
        created: Time(row.int(5)?),
        updated: Time(row.int(6)?),
        spec: from_text(row.text(7)?)?,
        status: from_text(row.text(8)?)?,
    })
}

pub(crate) fn uid(bytes: &[u8]) -> Result<Uid, Error> {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| Error::Bug("a stored UUID is not 16 bytes long".into()))?;
    Ok(Uid::from_bytes(bytes))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
