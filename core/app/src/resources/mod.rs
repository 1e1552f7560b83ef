//! Every kind through one door: what happens when a row of *some* kind is made, changed or removed by a caller who speaks of kinds
//! and fields rather than of orders. The native API uses it, and so does whatever else shows all kinds alike.
//!
//! Most kinds need no more than the store's own rules. Those with a policy have a row in [`hooks`] that leads to their operation, so
//! that a rule holds whichever door is used. A kind that is ordered, built and taken down (it has a phase) and has no row is refused
//! here: a row that no operation has claimed room for would be half a thing.
//!
//! Road not taken: letting callers write any spec and repairing it afterwards in a trigger. A repaired wish is not the caller's wish.

pub(crate) mod access;
mod asked;
pub mod commits;
mod fabric;
pub mod follow;
mod inbound;
mod metal;
mod mirror;
pub(crate) mod observed;
mod ops;
mod peering;
mod shape;

use meetme_base::{Invalid, Kind, RawId, Secret, Uid};
use meetme_model::{
    access::{Organization, Project},
    fabric::Pool,
    metal::Server,
    place::{Offer, Price},
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

pub use inbound::{Inbound, inbound};

use crate::{App, Caller, Error};

/// Who asks, and the core to ask.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// The core.
    pub app: &'a App,
    /// Who asks.
    pub caller: &'a Caller,
}

/// A row just made.
pub struct Made {
    /// The row.
    pub object: AnyObject,
    /// A secret that is shown this once.
    pub secret: Option<Secret<String>>,
}

impl From<AnyObject> for Made {
    fn from(object: AnyObject) -> Self {
        Self { object, secret: None }
    }
}

/// Makes a row of a kind: on this node, or where the operation says when none is named.
pub type Creator = fn(By<'_>, &mut Tx<'_>, &KindInfo, Option<RawId>, Json) -> Result<Made, Error>;
/// Gives a row a new spec.
pub type Replacer = fn(By<'_>, &mut Tx<'_>, &KindInfo, &AnyObject, Json) -> Result<AnyObject, Error>;
/// Takes a row away.
pub type Remover = fn(By<'_>, &mut Tx<'_>, &KindInfo, &AnyObject) -> Result<(), Error>;

/// How rows of a kind come into being.
#[derive(Clone, Copy)]
pub enum Create {
    /// As the caller wrote them.
    Plain,
    /// Not here; the sentence says where.
    Refused(&'static str),
    /// By an operation.
    By(Creator),
    /// By an operation that takes something else than the kind's spec: the schema of what it takes.
    Taking(fn() -> Json, Creator),
}

/// How rows of a kind change.
#[derive(Clone, Copy)]
pub enum Replace {
    /// As the caller wrote them.
    Plain,
    /// Only what is there for people: names, notes, labels. The sentence says how the rest changes.
    Words(&'static str),
    /// Not here; the sentence says where.
    Refused(&'static str),
    /// By an operation.
    By(Replacer),
}

/// How rows of a kind go.
#[derive(Clone, Copy)]
pub enum Remove {
    /// At once.
    Plain,
    /// Not here; the sentence says where.
    Refused(&'static str),
    /// By an operation.
    By(Remover),
}

/// What a kind does with the three wishes.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// On a new row.
    pub create: Create,
    /// On a change.
    pub replace: Replace,
    /// On a removal.
    pub remove: Remove,
}

impl Hooks {
    /// The store's own rules are all there is.
    pub const PLAIN: Self = Self { create: Create::Plain, replace: Replace::Plain, remove: Remove::Plain };
    /// Ordered, built and taken down by operations of its own.
    const ORDERED: Self = Self {
        create: Create::Refused(
            "It is ordered, which claims room and starts the building; it cannot be written as a row.",
        ),
        replace: Replace::Words("Only its name, notes and labels change here; the rest changes by an order."),
        remove: Remove::Refused("It is taken down by a cancellation; its row goes when nothing of it is left."),
    };
}

/// The fields of [`Replace::Words`].
const WORDS: &[&str] = &["name", "title", "description", "notes", "comments", "labels", "tags", "nickname"];

/// The kinds with a policy of their own, by area. An area's operations join here.
const TABLES: &[&[(Kind, Hooks)]] =
    &[access::HOOKS, asked::HOOKS, fabric::HOOKS, metal::HOOKS, observed::HOOKS, ops::HOOKS, peering::HOOKS];

/// What a kind does with wishes.
pub fn hooks(kind: &KindInfo) -> Hooks {
    if let Some(hooks) = mirror::hooks(kind.kind) {
        return hooks;
    }
    let own = TABLES.iter().copied().flatten().find(|(name, _)| *name == kind.kind).map(|(_, hooks)| *hooks);
    own.unwrap_or(if has_life(kind) { Hooks::ORDERED } else { Hooks::PLAIN })
}

/// Whether things of the kind are ordered, built and taken down.
fn has_life(kind: &KindInfo) -> bool {
    kind.field("phase").is_some_and(|field| field.of_status)
}

/// The schema of what makes a row of the kind.
pub fn creation_schema(kind: &KindInfo) -> Json {
    match hooks(kind).create {
        Create::Taking(schema, _) => schema(),
        _ => kind.schemas().0,
    }
}

fn refused(kind: &KindInfo, why: &'static str) -> Error {
    Error::conflict("by_operation", format!("{}: {why}", kind.kind.name().replace('_', " ")))
}

/// Reads a spec whose form was checked; what is still wrong is a value.
fn read<T: DeserializeOwned>(spec: &Json) -> Result<T, Error> {
    T::deserialize(spec).map_err(|e| {
        let text = e.to_string();
        let field = text.split('`').nth(1).unwrap_or_default().to_owned();
        Invalid::new(field, "format", format!("{text}.")).into()
    })
}

/// The first member that differs and is not among these is refused.
fn only(old: &AnyObject, spec: &Json, names: &[&str], why: &str) -> Result<(), Error> {
    match changed(&old.spec, spec).find(|name| !names.contains(name)) {
        Some(name) => Err(Invalid::rule(name, why).into()),
        None => Ok(()),
    }
}

/// Kinds that operations take from on behalf of every customer: who could add to them could sell to others.
const SUPPLY: &[Kind] = &[Server::KIND, Pool::KIND, Offer::KIND, Price::KIND];

/// Supply is made by those who may make it on the operator's own node.
fn require_supplier(tx: &mut Tx<'_>, kind: &KindInfo) -> Result<(), Error> {
    if !SUPPLY.contains(&kind.kind) {
        return Ok(());
    }
    crate::access::require_operator(tx, kind.kind, "create")
}

/// Makes a row. `tenant` is the node it hangs on; without one it is the caller's organization, or what the operation says.
///
/// # Errors
/// When the caller may not, a value is refused, or the kind is made by an operation of its own.
pub fn create(by: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    match hooks(kind).create {
        Create::Refused(why) => Err(refused(kind, why)),
        Create::Plain => {
            let tenant = tenant.unwrap_or(by.caller.home().any());
            require_supplier(tx, kind)?;
            shape::check(kind, &spec)?;
            Ok(tx.create_any(kind, tenant, spec)?.into())
        }
        Create::By(run) => {
            shape::check(kind, &spec)?;
            run(by, tx, kind, tenant, spec)
        }
        Create::Taking(_, run) => run(by, tx, kind, tenant, spec),
    }
}

/// Gives a row a new spec; with `version`, only if it still has that one. Marks of sealed values stand for the values kept.
///
/// # Errors
/// [`Error::Stale`]; when the caller may not, a value is refused, or the kind changes by an operation of its own.
pub fn replace(
    by: By<'_>,
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    id: RawId,
    version: Option<u64>,
    spec: Json,
) -> Result<AnyObject, Error> {
    let old = current(tx, kind, id, version)?;
    shape::check(kind, &spec)?;
    match hooks(kind).replace {
        Replace::Refused(why) => Err(refused(kind, why)),
        Replace::Words(why) => {
            only(&old, &spec, WORDS, why)?;
            Ok(tx.replace_any(kind, id, Some(old.version), spec)?)
        }
        Replace::Plain => Ok(tx.replace_any(kind, id, Some(old.version), spec)?),
        Replace::By(run) => run(by, tx, kind, &old, spec),
    }
}

/// Changes what `patch` names (RFC 7396: null takes out, objects are merged, all else replaces); as [`replace`].
///
/// # Errors
/// As [`replace`].
pub fn patch(
    by: By<'_>,
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    id: RawId,
    version: Option<u64>,
    patch: &Json,
) -> Result<AnyObject, Error> {
    let old = current(tx, kind, id, version)?;
    if !patch.is_object() {
        return Err(Invalid::new("", "type", "A patch is an object.").into());
    }
    let mut spec = old.spec.clone();
    merge(&mut spec, patch);
    replace(by, tx, kind, id, Some(old.version), spec)
}

/// Takes a row away; with `version`, only if it still has that one.
///
/// # Errors
/// [`Error::Stale`]; when the caller may not, other objects refuse, or the kind goes by an operation of its own.
pub fn remove(by: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, id: RawId, version: Option<u64>) -> Result<(), Error> {
    let old = current(tx, kind, id, version)?;
    match hooks(kind).remove {
        Remove::Refused(why) => Err(refused(kind, why)),
        Remove::Plain => Ok(tx.remove_any(kind, id)?),
        Remove::By(run) => run(by, tx, kind, &old),
    }
}

/// The id of the row that a caller calls by number or by UUID.
///
/// # Errors
/// [`Error::Missing`] when it names nothing of this kind. Whether the caller may see the row is asked when it is read.
pub fn resolve(tx: &mut Tx<'_>, kind: &KindInfo, name: &str) -> Result<RawId, Error> {
    if let Ok(id) = name.parse::<i64>() {
        return Ok(RawId::new(id));
    }
    let found = match name.parse::<Uid>() {
        Ok(uid) => tx.id_of(uid)?,
        Err(_) => None,
    };
    match found {
        Some((of, id)) if of == kind.kind => Ok(id),
        _ => Err(Error::missing(kind.kind, name)),
    }
}

/// The node of the tenant tree that a caller calls by number or by UUID.
///
/// # Errors
/// [`Error::Invalid`] when it is no organization or project that the caller can see.
pub fn node(tx: &mut Tx<'_>, name: &str) -> Result<RawId, Error> {
    for kind in [Organization::KIND, Project::KIND] {
        let Some(info) = tx.registry().kind(kind.name()) else { continue };
        match resolve(tx, info, name).and_then(|id| Ok(tx.get_any(info, id)?)) {
            Ok(found) => return Ok(found.id),
            Err(Error::Missing { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Err(Invalid::reference("tenant", format!("The organization or project {name}")).into())
}

fn current(tx: &mut Tx<'_>, kind: &KindInfo, id: RawId, version: Option<u64>) -> Result<AnyObject, Error> {
    let old = tx.get_any(kind, id)?;
    match version {
        Some(version) if version != old.version => Err(Error::Stale { version: old.version }),
        _ => Ok(old),
    }
}

/// The names of the members that differ.
fn changed<'a>(before: &'a Json, after: &'a Json) -> impl Iterator<Item = &'a str> {
    let (before, after) = (before.as_object(), after.as_object());
    let names = before.into_iter().chain(after).flat_map(|map| map.keys());
    names.filter(move |name| before.and_then(|m| m.get(*name)) != after.and_then(|m| m.get(*name))).map(String::as_str)
}

fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    // A sealed value is one value, however it is written: members of another form are not mixed into it.
    if !target.is_object() || shape::is_secret(target) || shape::is_secret(&Json::Object(patch.clone())) {
        *target = Json::Object(serde_json::Map::new());
    }
    let Some(map) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            map.shift_remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Json::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn a_patch_is_merged_as_the_standard_says() {
        for (original, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut out = original;
            merge(&mut out, &patch);
            assert_eq!(out, result, "{patch}");
        }
    }

    #[test]
    fn a_new_secret_takes_the_place_of_the_mark() {
        let mut out = json!({"password": {"$sealed": true}});
        merge(&mut out, &json!({"password": {"$sealed": "1abc"}}));
        assert_eq!(out, json!({"password": {"$sealed": "1abc"}}));
    }
}
