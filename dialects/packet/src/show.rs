//! Drawing: rows become JSON, with links to what they belong to, or with the whole of it where that is wanted.
//!
//! A kind says once how one row of it looks and what it is related to ([`Shown`]); links, `include` and `exclude` follow from that.
//! Everything is drawn in sets: a list of a thousand devices asks for all their addresses once.

use std::collections::{HashMap, HashSet};

use meetme_app::{App, Error, Subject};
use meetme_base::{Kind, RawId, Time, Uid};
use meetme_store::{EdgeMode, Filter, Object, Query, Resource, Tx};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    text::{Drawn, Text, Writer},
    wants::Wants,
};

/// What drawing needs.
pub struct Show<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// The core, for secrets that may be read again.
    pub app: &'a App,
    /// Who asks.
    pub subject: &'a Subject,
    /// What links begin with.
    pub base: &'static str,
    /// Links to rows that were looked at for this answer, and are not hidden.
    pub known: Drawn,
}

impl<'a, 'c> Show<'a, 'c> {
    /// For one answer.
    pub fn new(tx: &'a mut Tx<'c>, app: &'a App, subject: &'a Subject, base: &'static str) -> Self {
        Self { tx, app, subject, base, known: Drawn::new() }
    }
}

/// A kind that this dialect shows.
pub trait Shown: Resource {
    /// The name of its schema.
    const NAME: &'static str;
    /// Where its rows are found; `None` for rows that have no path of their own.
    const PATH: Option<&'static str>;
    /// What it is related to.
    const RELATIONS: &'static [Relation<Self>];
    /// Its own fields, without relations and link.
    type Wire: Serialize + JsonSchema;
    /// Whether a row is shown no more, as if it were not there: a tombstone, or what this dialect never names again once it was
    /// deleted.
    fn is_hidden(row: &Object<Self>) -> bool {
        row.spec.is_gone(&row.status)
    }
    /// The fields of these rows, in their order.
    ///
    /// # Errors
    /// When the store fails.
    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Self::Wire>, Error>;
}

/// What is found behind a relation: pairs of a row and its target.
type Back<R> = fn(&mut Tx<'_>, &[Object<R>]) -> Result<Vec<(RawId, RawId)>, Error>;

/// A relation of a kind. To add one is one line in the kind's table.
pub struct Relation<R: Resource> {
    name: &'static str,
    to: &'static [Kind],
    many: bool,
    null: bool,
    whole: bool,
    find: Find<R>,
}

enum Find<R: Resource> {
    One(fn(&R) -> Option<RawId>),
    Many(fn(&R) -> Vec<RawId>),
    Back(Back<R>),
}

impl<R: Resource> Relation<R> {
    const fn new(name: &'static str, to: &'static [Kind], many: bool, find: Find<R>) -> Self {
        Self { name, to, many, null: false, whole: false, find }
    }
    /// To one row, or none, that the spec names.
    pub const fn one(name: &'static str, to: &'static [Kind], find: fn(&R) -> Option<RawId>) -> Self {
        Self::new(name, to, false, Find::One(find))
    }
    /// To the rows the spec names.
    pub const fn many(name: &'static str, to: &'static [Kind], find: fn(&R) -> Vec<RawId>) -> Self {
        Self::new(name, to, true, Find::Many(find))
    }
    /// To the rows that name this one; mostly by [`referring`].
    pub const fn back(name: &'static str, to: &'static [Kind], find: Back<R>) -> Self {
        Self::new(name, to, true, Find::Back(find))
    }
    /// Of the rows that name this one there is at most one.
    #[must_use]
    pub const fn single(mut self) -> Self {
        self.many = false;
        self
    }
    /// It is spelled out even when nobody asks for that.
    #[must_use]
    pub const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }
    /// Where there is no target it is null; it is left out otherwise.
    #[must_use]
    pub const fn or_null(mut self) -> Self {
        self.null = true;
        self
    }
    /// Whether it names rows of the kind that its own row was reached from.
    fn leads_back(&self, from: Option<Kind>) -> bool {
        self.many && matches!(self.find, Find::Back(_)) && from.is_some_and(|kind| self.to.contains(&kind))
    }
}

/// The rows of kind `T` that name one of these rows by `edge` (or hang on it, by `tenant`): pairs of the named and the naming. Some may
/// be hidden; those are not drawn.
///
/// # Errors
/// When the store fails.
pub fn referring<R: Resource, T: Resource>(
    tx: &mut Tx<'_>,
    objects: &[Object<R>],
    edge: &'static str,
) -> Result<Vec<(RawId, RawId)>, Error> {
    let is_list = T::EDGES.iter().any(|e| e.name == edge && matches!(e.mode, EdgeMode::Many { .. }));
    if !is_list {
        let named = tx.naming::<T>(edge, objects.iter().map(|o| o.id.any()))?;
        return Ok(named.into_iter().map(|(target, row)| (target, row.any())).collect());
    }
    Ok(rows_referring::<R, T>(tx, objects, edge)?.into_iter().map(|(named, row)| (named, row.id.any())).collect())
}

/// As [`referring`], with the whole rows.
///
/// # Errors
/// When the store fails.
pub fn rows_referring<R: Resource, T: Resource>(
    tx: &mut Tx<'_>,
    objects: &[Object<R>],
    edge: &'static str,
) -> Result<Vec<(RawId, Object<T>)>, Error> {
    let ids: HashSet<RawId> = objects.iter().map(|o| o.id.any()).collect();
    let rows = tx.list::<T>(&Query::of(Filter::is_in(edge, ids.iter().copied())))?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| !row.spec.is_gone(&row.status)) {
        let targets = match T::EDGES.iter().find(|e| e.name == edge).map(|e| &e.mode) {
            None => vec![row.tenant],
            Some(EdgeMode::One { get, .. }) => get(&row.spec).into_iter().collect(),
            Some(EdgeMode::Many { get, .. }) => get(&row.spec),
        };
        out.extend(targets.into_iter().filter(|t| ids.contains(t)).map(|t| (t, row.clone())));
    }
    Ok(out)
}

/// How rows of a kind are spelled out: which, with what, and from rows of which kind they were reached.
type Whole = fn(&mut Show<'_, '_>, &[RawId], &Wants, Option<Kind>) -> Result<Drawn, Error>;

/// A kind that is shown, its type erased.
pub struct Entry {
    /// The kind.
    pub kind: Kind,
    /// The name of its schema.
    pub name: &'static str,
    whole: Whole,
    links: fn(&mut Show<'_, '_>, &[RawId]) -> Result<Drawn, Error>,
    schema: fn(&mut SchemaGenerator) -> Value,
}

impl Entry {
    /// The entry of a kind.
    pub const fn of<R: Shown>() -> Self {
        Self { kind: R::KIND, name: R::NAME, whole: whole::<R>, links: links::<R>, schema: schema::<R> }
    }
    /// Its schema: its fields, its link and its relations.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        (self.schema)(generator)
    }
}

impl Show<'_, '_> {
    /// Rows of one kind, spelled out.
    ///
    /// # Errors
    /// When the store fails.
    pub fn whole(&mut self, kind: Kind, ids: &[RawId], wants: &Wants) -> Result<Drawn, Error> {
        (entry(kind)?.whole)(self, ids, wants, None)
    }

    /// Rows of some kinds that rows of the kind `from` are related to, spelled out or as links.
    fn fetch(
        &mut self,
        kinds: &'static [Kind],
        ids: &[RawId],
        wants: Option<&Wants>,
        from: Kind,
    ) -> Result<Drawn, Error> {
        let mut out = Drawn::new();
        for kind in kinds {
            let mut of_kind = ids.to_vec();
            if kinds.len() > 1 {
                of_kind.clear();
                for id in ids {
                    if self.tx.kind_of(*id)? == Some(*kind) {
                        of_kind.push(*id);
                    }
                }
            }
            if of_kind.is_empty() {
                continue;
            }
            let entry = entry(*kind)?;
            out.extend(match wants {
                Some(wants) => (entry.whole)(self, &of_kind, wants, Some(from))?,
                None => (entry.links)(self, &of_kind)?,
            });
        }
        Ok(out)
    }

    /// The link to a row.
    pub fn href<R: Shown>(&self, uid: Uid) -> String {
        match R::PATH {
            Some(path) => format!("{}{path}/{uid}", self.base),
            None => format!("#{uid}"),
        }
    }
}

fn entry(kind: Kind) -> Result<&'static Entry, Error> {
    let found = crate::resource::SHOWN.iter().find(|e| e.kind == kind);
    found.ok_or_else(|| Error::Bug(format!("{kind} is related to something and not shown itself")))
}

fn living<R: Shown>(show: &mut Show<'_, '_>, ids: &[RawId]) -> Result<Vec<Object<R>>, Error> {
    let rows = show.tx.many(ids.iter().map(|id| id.of::<R>()))?;
    let mut rows: Vec<_> = rows.into_values().filter(|row| !R::is_hidden(row)).collect();
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

fn links<R: Shown>(show: &mut Show<'_, '_>, ids: &[RawId]) -> Result<Drawn, Error> {
    let mut out = Drawn::with_capacity(ids.len());
    let mut left = Vec::new();
    for id in ids {
        match show.known.get(id) {
            Some(link) => drop(out.insert(*id, link.clone())),
            None => left.push(*id),
        }
    }
    if !left.is_empty() {
        let rows = living::<R>(show, &left)?;
        out.extend(know(show, &rows));
    }
    Ok(out)
}

/// Keeps the links to these rows at hand, and gives them.
fn know<R: Shown>(show: &mut Show<'_, '_>, rows: &[Object<R>]) -> Drawn {
    let links: Drawn = rows.iter().map(|row| (row.id.any(), Text::link(&show.href::<R>(row.uid)))).collect();
    show.known.extend(links.iter().map(|(id, link)| (*id, link.clone())));
    links
}

/// Rows that were reached `from` rows of another kind do not name all rows of that kind again unless they are asked to: a list of a
/// thousand devices with their project spelled out would name a million devices.
fn whole<R: Shown>(show: &mut Show<'_, '_>, ids: &[RawId], wants: &Wants, from: Option<Kind>) -> Result<Drawn, Error> {
    let rows = living::<R>(show, ids)?;
    know(show, &rows);
    let wires = R::draw(show, &rows)?;
    let mut drawn = wires.iter().map(Writer::with).collect::<Result<Vec<_>, _>>()?;
    for relation in R::RELATIONS {
        let is_whole = wants.is_whole(relation.name, relation.whole);
        if !is_whole && relation.leads_back(from) {
            continue;
        }
        let targets = targets(show, relation, &rows)?;
        let mut all: Vec<RawId> = targets.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        let below = is_whole.then(|| wants.below(relation.name));
        let found = show.fetch(relation.to, &all, below.as_ref(), R::KIND)?;
        for (writer, targets) in drawn.iter_mut().zip(targets) {
            let mut values = targets.iter().filter_map(|id| found.get(id));
            if relation.many {
                writer.put_list(relation.name, values);
            } else if let Some(value) = values.next() {
                writer.put(relation.name, value);
            } else if relation.null {
                writer.put(relation.name, &Text::of(&())?);
            }
        }
    }
    rows.iter()
        .zip(drawn)
        .map(|(row, mut writer)| {
            writer.put("href", &Text::of(&show.href::<R>(row.uid))?);
            Ok((row.id.any(), writer.finish().into()))
        })
        .collect()
}

/// The targets of each row, in the relation's order.
fn targets<R: Shown>(
    show: &mut Show<'_, '_>,
    relation: &Relation<R>,
    rows: &[Object<R>],
) -> Result<Vec<Vec<RawId>>, Error> {
    Ok(match relation.find {
        Find::One(find) => rows.iter().map(|row| find(&row.spec).into_iter().collect()).collect(),
        Find::Many(find) => rows.iter().map(|row| find(&row.spec)).collect(),
        Find::Back(_) if rows.is_empty() => Vec::new(),
        Find::Back(find) => {
            let mut by: HashMap<RawId, Vec<RawId>> = HashMap::new();
            for (row, target) in find(show.tx, rows)? {
                by.entry(row).or_default().push(target);
            }
            rows.iter().map(|row| by.remove(&row.id.any()).unwrap_or_default()).collect()
        }
    })
}

fn schema<R: Shown>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = R::Wire::json_schema(generator).to_value();
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    let link = json!({
        "type": "object", "required": ["href"], "properties": { "href": { "type": "string" } }
    });
    schema["properties"]["href"] = json!({ "type": "string" });
    for relation in R::RELATIONS {
        let mut either = vec![link.clone()];
        let named = crate::resource::SHOWN.iter().filter(|e| relation.to.contains(&e.kind));
        either.extend(named.map(|e| json!({ "$ref": format!("#/components/schemas/{}", e.name) })));
        if relation.null {
            either.push(json!({ "type": "null" }));
        }
        let one = json!({ "anyOf": either });
        schema["properties"][relation.name] =
            if relation.many { json!({ "type": "array", "items": one }) } else { one };
    }
    schema
}

/// A moment as this dialect writes it: to the second, in UTC.
pub fn at(time: Time) -> String {
    time.rfc3339_seconds()
}
