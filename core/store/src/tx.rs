//! A transaction: the one thing operations are written against. It is made from a caller's scope, so that no read and no
//! write can forget to ask what the caller may see and do.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, LazyLock},
};

use meetme_base::{Kind, RawId, Time, Uid};

use crate::{
    Context, Error, Fields, Filter, KindInfo, Op, Registry, Value, conn::Conn, registry::AnySpec, store::Shared,
};

/// What a caller may see and do, as filters on rows.
pub trait Scope: fmt::Debug + Send + Sync {
    /// The rows of `kind` that the caller may do `verb` to. `see` is joined to every read; `create` must match the new row,
    /// `change` the row before and after, `remove` the row; `observe` is asked before a status is written.
    fn rows(&self, kind: Kind, verb: &'static str) -> Arc<Filter>;

    /// The rights behind `rows(kind, "change")`, where any of them is limited to fields; asked on every change. `None`, as for almost
    /// everybody, means that what may be changed may be changed whole.
    fn fields(&self, _kind: Kind) -> Option<Arc<Fields>> {
        None
    }
}

/// The scope of the system itself: controllers, start-up, and steps of an operation that go beyond the caller's own rights.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

static ALL: LazyLock<Arc<Filter>> = LazyLock::new(|| Arc::new(Filter::All));

impl Scope for Everything {
    fn rows(&self, _: Kind, _: &'static str) -> Arc<Filter> {
        ALL.clone()
    }
}

/// Who acts, for the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user or key, if it is one.
    pub by: Option<RawId>,
    /// What to call them.
    pub name: String,
    /// The door they came through: a dialect's name, `system`, `cli`.
    pub dialect: &'static str,
}

impl Actor {
    /// Meetme itself.
    pub fn system() -> Self {
        Self { by: None, name: "system".to_owned(), dialect: "system" }
    }
}

pub(crate) struct TouchedRow {
    pub kind: Kind,
    pub id: RawId,
    pub before: AnySpec,
    pub after: AnySpec,
    pub status_only: bool,
}

/// An open transaction. All its reads see one state of the data; its writes are kept together or not at all.
pub struct Tx<'c> {
    pub(crate) conn: &'c mut dyn Conn,
    pub(crate) shared: &'c Shared,
    pub(crate) context: &'c Context,
    pub(crate) scope: Arc<dyn Scope>,
    pub(crate) now: Time,
    pub(crate) writable: bool,
    /// Objects found to exist and to be visible in this scope, with their kind.
    pub(crate) verified: HashMap<RawId, Kind>,
    /// Nodes of the tenant tree found to exist.
    pub(crate) nodes: HashSet<RawId>,
    pub(crate) touched: Vec<TouchedRow>,
    /// The kinds written to, by position in the registry.
    pub(crate) written: HashSet<usize>,
    pub(crate) worked: bool,
    pub(crate) xid: Option<i64>,
    /// Rows that came along with others, see [`Tx::find_along`].
    pub(crate) at_hand: HashMap<RawId, crate::along::Kept>,
    /// The epochs as they stood before this transaction could see anything.
    pub(crate) epochs: Vec<u64>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(
        conn: &'c mut dyn Conn,
        shared: &'c Shared,
        context: &'c Context,
        writable: bool,
        epochs: Vec<u64>,
    ) -> Self {
        Self {
            conn,
            shared,
            context,
            scope: context.scope.clone(),
            now: shared.clock.now(),
            writable,
            verified: HashMap::new(),
            nodes: HashSet::new(),
            touched: Vec::new(),
            written: HashSet::new(),
            worked: false,
            xid: None,
            at_hand: HashMap::new(),
            epochs,
        }
    }

    /// The moment this transaction takes for now.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The id of the request this transaction serves.
    pub fn request(&self) -> Uid {
        self.context.request
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.context.actor
    }

    /// The kinds.
    pub fn registry(&self) -> &'c Registry {
        &self.shared.registry
    }

    /// Runs a step with every right: what an operation does on the caller's behalf beyond the caller's own rows, such as
    /// taking an address from the operator's pool. Keep the step small and its inputs checked.
    pub fn as_system<T>(&mut self, step: impl FnOnce(&mut Self) -> T) -> T {
        let scope = std::mem::replace(&mut self.scope, Arc::new(Everything));
        // What the system may see says nothing of what the caller may.
        let verified = std::mem::take(&mut self.verified);
        let out = step(self);
        self.scope = scope;
        self.verified = verified;
        out
    }

    /// Runs a step that may fail without taking the whole operation along: what it wrote is undone, and the operation may go on.
    /// Without this, a failed write dooms its operation on both databases.
    ///
    /// # Errors
    /// Those of the step.
    pub fn attempt<T, E: From<Error>>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.must_write()?;
        let (touched, verified, written) = (self.touched.len(), self.verified.clone(), self.written.clone());
        let earlier = self.conn.doomed().take();
        self.conn.batch("SAVEPOINT attempt")?;
        let mut out = step(self);
        if out.is_ok()
            && let Some(why) = self.conn.doomed().take()
        {
            out = Err(Error::Bug(format!("an attempt went on after a failed write: {why}")).into());
        }
        if out.is_err() {
            self.conn.batch("ROLLBACK TO attempt")?;
            self.touched.truncate(touched);
            self.verified = verified;
            self.nodes.clear();
            self.written = written;
        }
        self.conn.batch("RELEASE attempt")?;
        *self.conn.doomed() = earlier;
        out
    }

    /// Whether the caller may do `verb` to a row with these facts.
    pub(crate) fn permits(&mut self, verb: &'static str, facts: &dyn Facts) -> Result<bool, Error> {
        let rows = self.scope.rows(facts.info().kind, verb);
        // A right speaks of the rows themselves, not of what the caller sees of what they refer to.
        self.as_system(|tx| tx.matches(&rows, facts))
    }

    /// Whether the filter holds for a row, decided in memory.
    pub(crate) fn matches(&mut self, filter: &Filter, facts: &dyn Facts) -> Result<bool, Error> {
        Ok(match filter {
            Filter::All => true,
            Filter::Never => false,
            Filter::And(list) => {
                for f in list {
                    if !self.matches(f, facts)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Or(list) => {
                for f in list {
                    if self.matches(f, facts)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::Not(inner) => !self.matches(inner, facts)?,
            Filter::Text(text) => crate::search::matches(text, &facts.text()),
            Filter::Below(node) => self.is_below(facts.tenant(), *node)?,
            Filter::Above(node) => self.is_below(*node, facts.tenant())?,
            Filter::Is(path, op) => self.reaches(&path.0, op, facts)?,
        })
    }

    fn reaches(&mut self, path: &[String], op: &Op, facts: &dyn Facts) -> Result<bool, Error> {
        let Some((name, rest)) = path.split_first() else { return Ok(false) };
        if rest.is_empty() {
            if let Some(value) = facts.value(name) {
                return Ok(op.holds(&value));
            }
            let targets = facts.targets(name).unwrap_or_default();
            return Ok(match op {
                Op::Empty(want) => targets.is_empty() == *want,
                _ => targets.iter().any(|t| op.holds(&Value::Ref(t.get()))),
            });
        }
        for target in facts.targets(name).unwrap_or_default() {
            let Some(kind) = self.kind_of(target)? else { continue };
            let info = self.shared.registry.info(kind)?;
            match info.ops.get(self, target) {
                Ok(object) => {
                    let next = AnyFacts { info, object: &object };
                    if crate::filter::ends(info, self.registry(), &crate::Path(rest.to_vec())).is_ok()
                        && self.reaches(rest, op, &next)?
                    {
                        return Ok(true);
                    }
                }
                Err(Error::Missing { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(false)
    }

    /// Whether the filter holds for an object, decided in memory with the same meaning as in SQL.
    ///
    /// # Errors
    /// When a reference on the way cannot be read.
    pub fn holds(&mut self, filter: &Filter, object: &crate::AnyObject) -> Result<bool, Error> {
        let info = self.shared.registry.info(object.kind)?;
        self.matches(filter, &AnyFacts { info, object })
    }
}

/// What a filter can ask of one row.
pub(crate) trait Facts {
    fn info(&self) -> &KindInfo;
    fn tenant(&self) -> RawId;
    /// A field, a reference to one, or a built-in column; `None` when there is no such thing.
    fn value(&self, name: &str) -> Option<Value>;
    fn targets(&self, edge: &str) -> Option<Vec<RawId>>;
    fn text(&self) -> String;
}

struct AnyFacts<'a> {
    info: &'a KindInfo,
    object: &'a crate::AnyObject,
}

impl Facts for AnyFacts<'_> {
    fn info(&self) -> &KindInfo {
        self.info
    }
    fn tenant(&self) -> RawId {
        self.object.tenant
    }
    fn value(&self, name: &str) -> Option<Value> {
        match name {
            "id" => Some(self.object.id.into()),
            "tenant" => Some(self.object.tenant.into()),
            "created" => Some(self.object.created.into()),
            "updated" => Some(self.object.updated.into()),
            "version" => i64::try_from(self.object.version).ok().map(Value::Int),
            _ => self.object.any_value(name).cloned().or_else(|| {
                let edge = self.info.edge(name).filter(|e| !e.many)?;
                Some(self.object.targets(edge.name).first().copied().into())
            }),
        }
    }
    fn targets(&self, edge: &str) -> Option<Vec<RawId>> {
        self.info.edge(edge).map(|e| self.object.targets(e.name).to_vec())
    }
    fn text(&self) -> String {
        let searched = self.info.fields.iter().filter(|f| f.searchable);
        crate::search::join(searched.filter_map(|f| self.object.value(f.name).cloned()))
    }
}

pub(crate) struct TypedFacts<'a, R: crate::Resource> {
    pub info: &'a KindInfo,
    pub tenant: RawId,
    pub id: RawId,
    pub version: u64,
    pub created: Time,
    pub updated: Time,
    pub spec: &'a R,
    pub status: &'a R::Status,
}

impl<'a, R: crate::Resource> TypedFacts<'a, R> {
    /// Those of a stored row, or of one that has its place but another spec.
    pub fn of(info: &'a KindInfo, object: &'a crate::Object<R>, spec: &'a R) -> Self {
        Self {
            info,
            tenant: object.tenant,
            id: object.id.any(),
            version: object.version,
            created: object.created,
            updated: object.updated,
            spec,
            status: &object.status,
        }
    }
}

impl<R: crate::Resource> Facts for TypedFacts<'_, R> {
    fn info(&self) -> &KindInfo {
        self.info
    }
    fn tenant(&self) -> RawId {
        self.tenant
    }
    fn value(&self, name: &str) -> Option<Value> {
        match name {
            "id" => Some(self.id.into()),
            "tenant" => Some(self.tenant.into()),
            "created" => Some(self.created.into()),
            "updated" => Some(self.updated.into()),
            "version" => i64::try_from(self.version).ok().map(Value::Int),
            _ => R::FIELDS.iter().find(|f| f.name == name).map(|f| f.value(self.spec, self.status)).or_else(|| {
                match R::EDGES.iter().find(|e| e.name == name)?.mode {
                    crate::EdgeMode::One { get, .. } => Some(get(self.spec).into()),
                    crate::EdgeMode::Many { .. } => None,
                }
            }),
        }
    }
    fn targets(&self, edge: &str) -> Option<Vec<RawId>> {
        R::EDGES.iter().find(|e| e.name == edge).map(|e| e.targets(self.spec))
    }
    fn text(&self) -> String {
        crate::search::text_of(self.spec, self.status)
    }
}
