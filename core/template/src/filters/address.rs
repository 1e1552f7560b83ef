//! Filters for addresses, and for what depends on a session's family.

use minijinja::{
    Error, State,
    value::{Value, ValueKind},
};

use super::{Given, entity, items, wrong};
use crate::{Address, Entity, Model, Rows};

fn of_version(value: &Value, version: u8) -> Value {
    match Address::of(value).filter(|address| address.version() == version) {
        Some(address) => address.value(),
        None => Value::from(()),
    }
}

pub(super) fn ipv4(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    Ok(of_version(value, 4))
}

pub(super) fn ipv6(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    Ok(of_version(value, 6))
}

/// The address of a session's peer.
pub(crate) fn peer(session: &Entity) -> Option<Address> {
    Address::of(&session.tree.plain(session.key, "ip_address")?)
}

fn bare(value: &Value) -> Result<Value, Error> {
    let address = match Entity::of(value) {
        Some(session) if session.key.model.is_session() => peer(session),
        Some(_) => None,
        None => Address::of(value),
    };
    let address = address.ok_or_else(|| wrong(format!("{value} is not an address and not a session")))?;
    Ok(address.ip.to_string().into())
}

pub(super) fn ip(state: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let is_list = Rows::of(value).is_some() || matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if is_list {
        return Ok(items(state, value)?.iter().map(bare).collect::<Result<Vec<_>, _>>()?.into());
    }
    bare(value)
}

fn session(value: &Value) -> Result<&Entity, Error> {
    let entity = entity(value, "a BGP session")?;
    if entity.key.model.is_session() { Ok(entity) } else { Err(wrong("the value is not a BGP session")) }
}

pub(super) fn ip_version(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let address = peer(session(value)?).ok_or_else(|| wrong("the session has no address"))?;
    Ok(address.version().into())
}

pub(super) fn max_prefix(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let session = session(value)?;
    // A session's own limit stands before its AS's.
    if let Some(own) = session.tree.plain(session.key, "max_prefix").filter(|own| !own.is_none()) {
        return Ok(own);
    }
    let is_v6 = peer(session).is_some_and(|address| address.version() == 6);
    let name = if is_v6 { "ipv6_max_prefixes" } else { "ipv4_max_prefixes" };
    Ok(session.one("autonomous_system").and_then(|system| system.field(name)).unwrap_or(Value::from(())))
}

pub(super) fn mac(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let format = given.text("format")?.unwrap_or_default();
    given.done()?;
    let text = match Entity::of(value) {
        Some(entity) => entity.word("mac_address"),
        None => value.as_str().map(str::to_owned),
    };
    let digits: String = text.unwrap_or_default().chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong("the value is not a valid MAC address"));
    }
    let digits = digits.to_ascii_lowercase();
    let grouped = |size: usize, mark: &str| -> String {
        let starts = (0..digits.len()).step_by(size);
        starts.map(|at| &digits[at..at + size]).collect::<Vec<_>>().join(mark)
    };
    Ok(match format.as_str() {
        "cisco" => grouped(4, "."),
        "bare" => digits.clone(),
        _ => grouped(2, ":"),
    }
    .into())
}

pub(super) fn local_ips(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let family = given.family()?;
    given.done()?;
    let Some(entity) = Entity::of(value) else { return Ok(Value::from(())) };
    let nothing = || Value::from(());
    let own = |link: &Entity, version: u8| {
        let name = if version == 6 { "ipv6_address" } else { "ipv4_address" };
        link.field(name).filter(|address| !address.is_none())
    };
    Ok(match entity.key.model {
        Model::DirectPeeringSession => entity.field("local_ip_address").unwrap_or_else(nothing),
        Model::InternetExchangePeeringSession => {
            let version = peer(entity).map_or(4, Address::version);
            entity.one("ixp_connection").and_then(|link| own(&link, version)).unwrap_or_else(nothing)
        }
        Model::InternetExchange | Model::Router => {
            let links = entity.many("connections").map(|rows| rows.entities().collect::<Vec<_>>()).unwrap_or_default();
            let versions = [4, 6].into_iter().filter(|v| family.is_none_or(|f| f == *v));
            let versions: Vec<u8> = versions.collect();
            links.iter().flat_map(|link| versions.iter().filter_map(|v| own(link, *v))).collect::<Vec<_>>().into()
        }
        Model::BgpGroup => {
            let sessions = entity.many("direct_sessions").map(|r| r.entities().collect::<Vec<_>>()).unwrap_or_default();
            let fits = |address: &Value| {
                !address.is_none() && family.is_none_or(|f| Address::of(address).is_some_and(|a| a.version() == f))
            };
            let locals = sessions.iter().filter_map(|s| s.field("local_ip_address")).filter(fits);
            let mut locals: Vec<Value> = locals.collect();
            locals.sort();
            locals.dedup();
            locals.into()
        }
        _ => nothing(),
    })
}
