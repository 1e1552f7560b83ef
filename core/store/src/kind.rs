//! A kind with its type erased: the data that descriptors show, and the doors that work on JSON.

use std::{any::Any, marker::PhantomData, sync::Arc};

use meetme_base::{Kind, RawId, Time, Uid};
use serde_json::Value as Json;

use crate::{
    Error, FieldType, Object, OnDelete, Query, Reach, Resource, Tx, Value,
    conn::Cell,
    resource::{EdgeMode, Get},
    sealed::{cut_sealed, restore_sealed},
};

/// What is known of a kind at run time.
pub struct KindInfo {
    /// Its name.
    pub kind: Kind,
    /// Its area of the model.
    pub area: &'static str,
    /// Who sees its rows.
    pub reach: Reach,
    /// Its fields.
    pub fields: Vec<FieldInfo>,
    /// Its references.
    pub edges: Vec<EdgeInfo>,
    /// Its unique sets.
    pub unique: &'static [&'static [&'static str]],
    /// Its further indexes.
    pub indexes: &'static [&'static [&'static str]],
    /// Whether its rows are nodes of the tenant tree.
    pub node: bool,
    /// Its position in the registry.
    pub(crate) index: usize,
    pub(crate) ops: Box<dyn KindOps>,
}

/// A field, described.
#[derive(Clone, Debug)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: FieldType,
    /// Whether it has an index of its own.
    pub indexed: bool,
    /// Whether a text search finds it.
    pub searchable: bool,
    /// The words it is limited to.
    pub words: &'static [&'static str],
    /// Whether it belongs to the status.
    pub of_status: bool,
    /// Whether it is kept out of descriptions, answers and the filters that callers write.
    pub hidden: bool,
}

/// A reference, described.
#[derive(Clone, Debug)]
pub struct EdgeInfo {
    /// Its name.
    pub name: &'static str,
    /// The kinds it may point to; empty means any.
    pub to: &'static [Kind],
    /// What a removal of the target does.
    pub on_delete: OnDelete,
    /// Whether it is a list.
    pub many: bool,
}

impl KindInfo {
    pub(crate) fn of<R: Resource>(index: usize) -> Self {
        Self {
            kind: R::KIND,
            area: R::AREA,
            reach: R::REACH,
            fields: R::FIELDS
                .iter()
                .map(|f| FieldInfo {
                    name: f.name,
                    ty: f.ty,
                    indexed: f.indexed,
                    searchable: f.searchable,
                    words: f.words,
                    of_status: matches!(f.get, Get::Status(_)),
                    hidden: f.hidden,
                })
                .collect(),
            edges: R::EDGES
                .iter()
                .map(|e| EdgeInfo {
                    name: e.name,
                    to: e.to,
                    on_delete: e.on_delete,
                    many: matches!(e.mode, EdgeMode::Many { .. }),
                })
                .collect(),
            unique: R::UNIQUE,
            indexes: R::INDEXES,
            node: R::NODE,
            index,
            ops: Box::new(Typed::<R>(PhantomData)),
        }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&FieldInfo> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The fields that descriptions show.
    pub fn shown_fields(&self) -> impl Iterator<Item = &FieldInfo> {
        self.fields.iter().filter(|f| !f.hidden)
    }

    /// The reference of that name.
    pub fn edge(&self, name: &str) -> Option<&EdgeInfo> {
        self.edges.iter().find(|e| e.name == name)
    }

    /// The JSON schemas of spec and status.
    pub fn schemas(&self) -> (Json, Json) {
        self.ops.schemas()
    }

    /// The name of the kind's table.
    pub(crate) fn table(&self) -> String {
        format!("k_{}", self.kind.name())
    }

    /// The column of a field, an edge to one, or a built-in column.
    pub(crate) fn column(&self, name: &str) -> Option<(String, FieldType)> {
        match name {
            "id" | "tenant" => Some((name.to_owned(), FieldType::Ref)),
            "created" | "updated" => Some((name.to_owned(), FieldType::Time)),
            "version" => Some((name.to_owned(), FieldType::Int)),
            _ => match self.field(name) {
                Some(f) => Some((format!("f_{name}"), f.ty)),
                None => self.edge(name).filter(|e| !e.many).map(|_| (format!("e_{name}"), FieldType::Ref)),
            },
        }
    }

    /// The projected columns with their SQL types, in the order of [`project`].
    pub(crate) fn columns(&self, part: Part) -> Vec<(String, &'static str)> {
        let mut out = Vec::new();
        for f in self.fields.iter().filter(|f| part.has(f.of_status)) {
            let sql = match f.ty {
                FieldType::Bool | FieldType::Int | FieldType::Time | FieldType::Ref => "BIGINT",
                FieldType::Text | FieldType::Texts => "TEXT",
                FieldType::Ip | FieldType::Net => "BLOB",
            };
            out.push((format!("f_{}", f.name), sql));
            if f.ty == FieldType::Text {
                out.push((format!("c_{}", f.name), sql));
            }
        }
        if part.has(false) {
            out.extend(self.edges.iter().filter(|e| !e.many).map(|e| (format!("e_{}", e.name), "BIGINT")));
        }
        out
    }
}

/// Which document's columns are meant: a write of one document never touches the columns of the other, which somebody else
/// may be writing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Both,
    Spec,
    Status,
}

impl Part {
    fn has(self, of_status: bool) -> bool {
        self == Self::Both || (self == Self::Status) == of_status
    }
}

/// One row of any kind, as JSON.
#[derive(Clone, Debug)]
pub struct AnyObject {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: RawId,
    /// Its UUID.
    pub uid: Uid,
    /// The node it hangs on.
    pub tenant: RawId,
    /// The version of its spec.
    pub version: u64,
    /// The version of its status.
    pub seen: u64,
    /// When it was made.
    pub created: Time,
    /// When its spec last changed.
    pub updated: Time,
    /// How a person would call it.
    pub title: String,
    /// Its spec. Sealed values are cut to a mark.
    pub spec: Json,
    /// Its status. Sealed values are cut to a mark.
    pub status: Json,
    /// Name, value, and whether it is hidden.
    pub(crate) fields: Vec<(&'static str, Value, bool)>,
    pub(crate) edges: Vec<(&'static str, Vec<RawId>)>,
}

impl AnyObject {
    /// The value of a declared field that may be shown.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(n, _, hidden)| *n == name && !hidden).map(|(_, v, _)| v)
    }
    /// The value of any declared field.
    pub(crate) fn any_value(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(n, _, _)| *n == name).map(|(_, v, _)| v)
    }
    /// The targets of a declared reference.
    pub fn targets(&self, edge: &str) -> &[RawId] {
        self.edges.iter().find(|(n, _)| *n == edge).map_or(&[], |(_, t)| t)
    }
}

/// The doors of a kind that work without its type.
pub(crate) trait KindOps: Send + Sync {
    fn schemas(&self) -> (Json, Json);
    fn get(&self, tx: &mut Tx<'_>, id: RawId) -> Result<AnyObject, Error>;
    fn list(&self, tx: &mut Tx<'_>, query: &Query) -> Result<Vec<AnyObject>, Error>;
    fn create(&self, tx: &mut Tx<'_>, tenant: RawId, spec: Json) -> Result<AnyObject, Error>;
    fn replace(&self, tx: &mut Tx<'_>, id: RawId, version: Option<u64>, spec: Json) -> Result<AnyObject, Error>;
    fn detach(&self, tx: &mut Tx<'_>, src: RawId, edge: &str, dst: RawId) -> Result<(), Error>;
    /// What is derived from a stored row, for a re-projection.
    fn project(&self, spec: &str, status: &str) -> Result<Derived, Error>;
    /// A row that is about to go: as shown, its whole spec as text, and its spec for triggers.
    fn last(&self, tx: &mut Tx<'_>, id: RawId) -> Result<(AnyObject, String, Arc<dyn Any + Send + Sync>), Error>;
    /// Whether writes go into the change log.
    fn is_logged(&self) -> bool;
}

/// Everything that is kept beside the documents of a row and can be rebuilt from them.
pub(crate) struct Derived {
    pub cells: Vec<Cell>,
    pub text: String,
    pub gone: bool,
    pub edges: Vec<(&'static str, Vec<RawId>)>,
}

struct Typed<R>(PhantomData<fn() -> R>);

impl<R: Resource> KindOps for Typed<R> {
    fn schemas(&self) -> (Json, Json) {
        (schemars::schema_for!(R).to_value(), schemars::schema_for!(R::Status).to_value())
    }

    fn get(&self, tx: &mut Tx<'_>, id: RawId) -> Result<AnyObject, Error> {
        tx.get::<R>(id.of()).map(|o| erase(&o))
    }

    fn list(&self, tx: &mut Tx<'_>, query: &Query) -> Result<Vec<AnyObject>, Error> {
        Ok(tx.list::<R>(query)?.iter().map(erase).collect())
    }

    fn create(&self, tx: &mut Tx<'_>, tenant: RawId, spec: Json) -> Result<AnyObject, Error> {
        let spec = decode::<R>(spec)?;
        tx.create(tenant, spec).map(|o| erase(&o))
    }

    fn replace(&self, tx: &mut Tx<'_>, id: RawId, version: Option<u64>, spec: Json) -> Result<AnyObject, Error> {
        let mut object = tx.get::<R>(id.of())?;
        if version.is_some_and(|v| v != object.version) {
            return Err(Error::Stale { version: object.version });
        }
        let spec = decode::<R>(restore_sealed(spec, &object.spec)?)?;
        tx.save(&mut object, spec)?;
        Ok(erase(&object))
    }

    fn detach(&self, tx: &mut Tx<'_>, src: RawId, edge: &str, dst: RawId) -> Result<(), Error> {
        let mut object = tx.get::<R>(src.of())?;
        let mut spec = object.spec.clone();
        for e in R::EDGES.iter().filter(|e| e.name == edge) {
            match e.mode {
                EdgeMode::One { clear, .. } => clear(&mut spec),
                EdgeMode::Many { remove, .. } => remove(&mut spec, dst),
            }
        }
        tx.save(&mut object, spec)
    }

    fn project(&self, spec: &str, status: &str) -> Result<Derived, Error> {
        let spec: R = from_text(spec)?;
        let status: R::Status = from_text(status)?;
        Ok(Derived {
            cells: project(&spec, &status, Part::Both)?,
            text: crate::search::text_of(&spec, &status),
            gone: spec.is_gone(&status),
            edges: R::EDGES.iter().map(|e| (e.name, e.targets(&spec))).collect(),
        })
    }

    fn last(&self, tx: &mut Tx<'_>, id: RawId) -> Result<(AnyObject, String, Arc<dyn Any + Send + Sync>), Error> {
        let object = tx.get::<R>(id.of())?;
        let text = serde_json::to_string(&object.spec).map_err(|e| Error::Bug(e.to_string()))?;
        Ok((erase(&object), text, Arc::new(object.spec)))
    }

    fn is_logged(&self) -> bool {
        R::LOGGED
    }
}

/// Reads a stored document; a failure is a bug or a damaged database.
pub(crate) fn from_text<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::Bug(format!("a stored document cannot be read: {e}")))
}

/// Reads a spec that a caller sent; a failure names the field as far as serde tells.
pub(crate) fn decode<R: Resource>(spec: Json) -> Result<R, Error> {
    serde_json::from_value(spec).map_err(|e| {
        let text = e.to_string();
        let field = text.split('`').nth(1).unwrap_or_default().to_owned();
        Error::Invalid(meetme_base::Invalid::new(field, "format", format!("{text}.")))
    })
}

/// The longest text, in bytes, of a field with an index: what PostgreSQL still takes when two such stand in one.
const INDEXED: usize = 1200;

/// Refuses what only one of the databases could keep.
fn storable<R: Resource>(name: &str, indexed: bool, value: &Value) -> Result<(), Error> {
    let texts = match value {
        Value::Text(s) => std::slice::from_ref(s),
        Value::Texts(list) => list.as_slice(),
        _ => return Ok(()),
    };
    if texts.iter().any(|s| s.contains('\0')) {
        return Err(meetme_base::Invalid::format(name, "text without null characters").into());
    }
    let long = matches!(value, Value::Text(s) if s.len() > INDEXED);
    if long && (indexed || R::UNIQUE.iter().chain(R::INDEXES).any(|set| set.contains(&name))) {
        return Err(meetme_base::Invalid::format(name, format!("text of at most {INDEXED} bytes")).into());
    }
    Ok(())
}

/// The projected cells of a row, in the order of [`KindInfo::columns`].
pub(crate) fn project<R: Resource>(spec: &R, status: &R::Status, part: Part) -> Result<Vec<Cell>, Error> {
    let mut out = Vec::with_capacity(R::FIELDS.len() * 2 + R::EDGES.len());
    for f in R::FIELDS.iter().filter(|f| part.has(matches!(f.get, Get::Status(_)))) {
        let value = f.value(spec, status);
        storable::<R>(f.name, f.indexed, &value)?;
        let folded = match (&value, f.ty) {
            (Value::Text(s), FieldType::Text) => Some(Cell::Text(crate::fold(s))),
            (_, FieldType::Text) => Some(Cell::Null),
            _ => None,
        };
        debug_assert!(value == Value::Null || value.fits(f.ty) || matches!(value, Value::Texts(_)), "{}", f.name);
        out.push(value.cell());
        out.extend(folded);
    }
    for e in R::EDGES.iter().filter(|_| part.has(false)) {
        if let EdgeMode::One { get, .. } = e.mode {
            out.push(get(spec).map_or(Cell::Null, |id| Cell::Int(id.get())));
        }
    }
    Ok(out)
}

/// Shows a row without its type. Sealed values are cut to `{"$sealed": true}`.
pub(crate) fn erase<R: Resource>(o: &Object<R>) -> AnyObject {
    let mut spec = serde_json::to_value(&o.spec).unwrap_or_default();
    let mut status = serde_json::to_value(&o.status).unwrap_or_default();
    cut_sealed(&mut spec, &|_| Json::Bool(true));
    cut_sealed(&mut status, &|_| Json::Bool(true));
    AnyObject {
        kind: R::KIND,
        id: o.id.any(),
        uid: o.uid,
        tenant: o.tenant,
        version: o.version,
        seen: o.seen,
        created: o.created,
        updated: o.updated,
        title: o.spec.title(),
        spec,
        status,
        fields: R::FIELDS.iter().map(|f| (f.name, f.value(&o.spec, &o.status), f.hidden)).collect(),
        edges: R::EDGES.iter().map(|e| (e.name, e.targets(&o.spec))).collect(),
    }
}
