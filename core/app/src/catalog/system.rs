//! The kinds of the core as blueprints and entities.

use meetme_base::{Kind, Uid};
use meetme_store::{AnyObject, Filter, KindInfo, Order, Query, Registry, Tx, Value};

use crate::Error;

/// The kinds that are shown, by area or name.
pub const KINDS: &[&str] = &[
    "@fabric",
    "@place",
    "router",
    "autonomous_system",
    "exchange",
    "exchange_link",
    "direct_session",
    "exchange_session",
    "device",
    "server",
    "project",
    "organization",
    "user",
    "team",
];

/// The most rows of one kind that are shown at once.
const MOST: u32 = 20_000;

/// Whether a blueprint's identifier means a kind of the core.
pub fn is_system(identifier: &str) -> bool {
    identifier.starts_with('_')
}

/// The kind behind a system blueprint's identifier.
pub fn kind_of<'r>(registry: &'r Registry, identifier: &str) -> Option<&'r KindInfo> {
    registry.kind(identifier.strip_prefix('_')?).filter(|k| shown(k))
}

/// Whether a kind is shown in the catalogue.
pub(super) fn shown(kind: &KindInfo) -> bool {
    KINDS.iter().any(|k| *k == kind.kind.name() || k.strip_prefix('@') == Some(kind.area))
}

/// How an object of the core is called in the catalogue: its slug where it has one, `AS` and its number for an autonomous system,
/// the e-mail address for a user, the name for a team, else its UUID.
pub fn identifier(object: &AnyObject) -> String {
    let text = |field: &str| match object.value(field) {
        Some(Value::Text(s)) if !s.is_empty() => Some(s.clone()),
        _ => None,
    };
    let named = match object.kind.name() {
        "autonomous_system" => match object.value("asn") {
            Some(Value::Int(n)) => Some(format!("AS{n}")),
            _ => None,
        },
        "user" => text("email"),
        "team" => text("name").filter(|n| !n.contains(' ')),
        _ => text("slug"),
    };
    named.unwrap_or_else(|| object.uid.to_string())
}

/// Rows of a kind that the caller may see, by id.
///
/// # Errors
/// When the database fails.
pub fn rows(tx: &mut Tx<'_>, kind: &KindInfo) -> Result<Vec<AnyObject>, Error> {
    let query = Query::of(Filter::All).order([Order::up("id")]).page(MOST, 0);
    Ok(tx.list_any(kind, &query)?)
}

/// The row of a kind that the catalogue calls by this identifier.
///
/// # Errors
/// [`Error::Missing`] when there is none that the caller may see.
pub fn one(tx: &mut Tx<'_>, kind: &KindInfo, name: &str) -> Result<AnyObject, Error> {
    let missing = || Error::missing(Kind::new("entity"), name);
    let mut filters = Vec::new();
    if let Ok(uid) = name.parse::<Uid>()
        && let Some((found, id)) = tx.id_of(uid)?
        && found == kind.kind
    {
        filters.push(Filter::eq("id", id));
    }
    if kind.kind.name() == "autonomous_system"
        && let Some(n) = name.strip_prefix("AS").and_then(|n| n.parse::<i64>().ok())
    {
        filters.push(Filter::eq("asn", n));
    }
    let by = match kind.kind.name() {
        "user" => "email",
        "team" => "name",
        _ => "slug",
    };
    if kind.field(by).is_some() {
        filters.push(Filter::eq(by, name));
    }
    if filters.is_empty() {
        return Err(missing());
    }
    let found = tx.list_any(kind, &Query::of(Filter::Or(filters)).page(2, 0))?;
    found.into_iter().find(|o| identifier(o) == name || o.uid.to_string() == name).ok_or_else(missing)
}
