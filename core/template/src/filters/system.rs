//! Filters about autonomous systems: where they are, what they announce, whom to write to.
//!
//! What the public peering database knows is part of the tree where somebody put it there; where it is not, what depends on
//! it is empty.

use std::collections::{BTreeSet, HashSet};

use minijinja::{Error, State, value::Value};

use super::{Given, entity, pay, session::targets, wrong};
use crate::{Address, Entity, Key, Model, Rows};

/// The exchanges at which an AS and ours speak with each other; of a router, those it is linked to.
pub(super) fn ixps(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let of = entity(value, "an autonomous system")?;
    if of.key.model == Model::Router {
        given.done()?;
        let links = of.many("connections").ok_or_else(|| wrong("the router has no connections"))?;
        return Ok(targets(&links, Model::InternetExchange, "internet_exchange_point"));
    }
    let other = given.take("other").ok_or_else(|| wrong("ixps wants one of our autonomous systems"))?;
    given.done()?;
    let other = entity(&other, "an autonomous system")?.key;
    let rows = of.many("ixp_sessions").ok_or_else(|| wrong("the value is not an autonomous system"))?;
    pay(state, rows.at.len())?;
    let mut at: Vec<u32> = Vec::new();
    for a in &rows.at {
        let link = rows.tree.one(Key::new(rows.model, *a), "ixp_connection").flatten();
        let ixp = link.and_then(|link| rows.tree.one(link, "internet_exchange_point").flatten());
        let Some(ixp) = ixp else { continue };
        if rows.tree.one(ixp, "local_autonomous_system").flatten() == Some(other) {
            at.push(ixp.at);
        }
    }
    at.sort_unstable();
    at.dedup();
    Ok(Rows::value(&rows.tree, Model::InternetExchange, at))
}

/// The peering networks at which the public database has an AS or a network.
fn lans(of: &Entity) -> HashSet<i64> {
    let rows = of.many("netixlans");
    let lan = |e: Entity| e.tree.plain(e.key, "ixlan_id").and_then(|v| v.as_i64());
    rows.iter().flat_map(Rows::entities).filter_map(lan).collect()
}

/// Our exchanges at which both are present, and whose AS there is ours of the two.
fn shared(a: &Entity, b: &Entity) -> Vec<Key> {
    let (ours, theirs) = if b.key.model == Model::AutonomousSystem { (b, a) } else { (a, b) };
    let present: HashSet<i64> = lans(theirs);
    let all = (0..ours.tree.count(Model::InternetExchange)).map(|at| Key::new(Model::InternetExchange, at));
    let is = |key: &Key| {
        let lan = ours.tree.plain(*key, "peeringdb_ixlan").and_then(|v| v.as_i64());
        ours.tree.one(*key, "local_autonomous_system").flatten() == Some(ours.key)
            && lan.is_some_and(|lan| present.contains(&lan))
    };
    all.filter(is).collect()
}

fn two(value: &Value, given: &mut Given, name: &str) -> Result<(Entity, Entity), Error> {
    let of = entity(value, "an autonomous system")?.clone();
    let other = given.take("other").ok_or_else(|| wrong(format!("{name} wants another autonomous system")))?;
    let other = entity(&other, "an autonomous system")?.clone();
    if ![&of, &other].iter().any(|e| e.key.model == Model::AutonomousSystem) {
        return Err(wrong("one of the values must be an autonomous system"));
    }
    Ok((of, other))
}

pub(super) fn shared_ixps(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (of, other) = two(value, &mut given, "shared_ixps")?;
    given.done()?;
    pay(state, of.tree.count(Model::InternetExchange) as usize)?;
    let at = shared(&of, &other).into_iter().map(|key| key.at).collect();
    Ok(Rows::value(&of.tree, Model::InternetExchange, at))
}

pub(super) fn shared_facilities(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (of, other) = two(value, &mut given, "shared_facilities")?;
    given.done()?;
    let at = |e: &Entity| e.many("facilities").map(|rows| rows.at).unwrap_or_default();
    let theirs: HashSet<u32> = at(&other).into_iter().collect();
    let both = at(&of).into_iter().filter(|a| theirs.contains(a)).collect();
    Ok(Rows::value(&of.tree, Model::Facility, both))
}

/// Where an AS is present beside us with an address to which there is no session yet.
pub(super) fn missing_sessions(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let (of, other) = two(value, &mut given, "missing_sessions")?;
    let ixp = given.take("ixp");
    given.done()?;
    let none = || Ok(Rows::value(&of.tree, Model::NetworkIxLan, Vec::new()));
    if of.key == other.key {
        return none();
    }
    let lan = |key: Key| of.tree.plain(key, "peeringdb_ixlan").and_then(|v| v.as_i64());
    let lans: HashSet<i64> = match &ixp {
        Some(ixp) => lan(entity(ixp, "an exchange")?.key).into_iter().collect(),
        None => shared(&of, &other).into_iter().filter_map(lan).collect(),
    };
    let Some(presences) = of.many("netixlans") else { return none() };
    let sessions = of.many("ixp_sessions");
    pay(state, presences.at.len() + sessions.as_ref().map_or(0, |rows| rows.at.len()))?;
    let ixp = ixp.as_ref().and_then(Entity::of).map(|e| e.key);
    let is_there = |session: &Entity| match ixp {
        Some(ixp) => {
            let link = session.tree.one(session.key, "ixp_connection").flatten();
            link.and_then(|link| session.tree.one(link, "internet_exchange_point").flatten()) == Some(ixp)
        }
        None => true,
    };
    let address = |e: &Entity, name: &str| Address::of(&e.tree.plain(e.key, name)?).map(|a| a.ip);
    let known: HashSet<_> =
        sessions.iter().flat_map(Rows::entities).filter(is_there).filter_map(|s| address(&s, "ip_address")).collect();
    let is_missing = |e: &Entity| {
        let lan = e.tree.plain(e.key, "ixlan_id").and_then(|v| v.as_i64());
        let new = |name: &str| address(e, name).is_some_and(|ip| !known.contains(&ip));
        lan.is_some_and(|lan| lans.contains(&lan)) && (new("ipaddr6") || new("ipaddr4"))
    };
    let at = presences.entities().filter(is_missing).map(|e| e.key.at).collect();
    Ok(presences.with(at))
}

pub(super) fn prefix_list(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let family = given.family()?;
    given.done()?;
    let of = entity(value, "an autonomous system or an exchange")?;
    let name = match of.key.model {
        Model::AutonomousSystem => "prefixes",
        Model::InternetExchange => "peeringdb_prefixes",
        _ => return Err(wrong("the value has no prefixes")),
    };
    let all = of.field(name).filter(|v| !v.is_none());
    let part = |name: &str| {
        let part = all.as_ref().and_then(|all| all.get_attr(name).ok()).filter(|v| !v.is_undefined());
        part.unwrap_or_else(|| Vec::<Value>::new().into())
    };
    Ok(match family {
        Some(6) => part("ipv6"),
        Some(_) => part("ipv4"),
        None => Value::from_pairs([("ipv6", part("ipv6")), ("ipv4", part("ipv4"))]),
    })
}

pub(super) fn as_list(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    given.take("family");
    given.done()?;
    let of = entity(value, "an autonomous system")?;
    if of.key.model != Model::AutonomousSystem {
        return Err(wrong("the value has no AS list"));
    }
    let list = of.field("as_list").filter(|v| !v.is_none());
    Ok(list.unwrap_or_else(|| Vec::<Value>::new().into()))
}

/// The names of AS-SETs in a text, without the registries they are from.
fn as_sets(asn: &str, text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return vec![format!("AS{asn}")];
    }
    let mut seen = BTreeSet::new();
    let parts = text.split(|c: char| matches!(c, '/' | ',' | '&') || c.is_whitespace()).filter(|p| !p.is_empty());
    let mut out = Vec::new();
    for part in parts {
        // A source is one upper-case word before one or two colons; colons further on belong to the name.
        let name = match part.split_once(':') {
            Some((source, rest)) if is_source(source, rest) => rest.trim_start_matches(':'),
            _ => part,
        };
        let name = name.strip_prefix("ipv4:").or_else(|| name.strip_prefix("ipv6:")).unwrap_or(name);
        if !name.is_empty() && seen.insert(name.to_owned()) {
            out.push(name.to_owned());
        }
    }
    out
}

/// `RIPE::AS-X` has a source, `AS64500:AS-X` is a name of its own (RFC 2622 section 5).
fn is_source(word: &str, rest: &str) -> bool {
    let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    let is_as = word.strip_prefix("AS").is_some_and(|n| n.starts_with('-') || n.bytes().all(|b| b.is_ascii_digit()));
    is_word && !is_as && !rest.is_empty()
}

pub(super) fn strip_irr_sources(_: &State<'_, '_>, value: &Value, given: Given) -> Result<Value, Error> {
    given.done()?;
    let found = match Entity::of(value) {
        Some(of) if of.key.model == Model::AutonomousSystem => {
            let asn = of.field("asn").unwrap_or_default().to_string();
            as_sets(&asn, &of.word("irr_as_set").unwrap_or_default())
        }
        Some(_) => return Err(wrong("the value has no AS-SET")),
        None => as_sets("0", value.as_str().ok_or_else(|| wrong("the value has no AS-SET"))?),
    };
    Ok(found.into())
}

pub(super) fn relationships(state: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let local = given.take("local_autonomous_system");
    given.done()?;
    let of = entity(value, "an autonomous system")?;
    let mut rows = match of.key.model {
        Model::AutonomousSystem => of.many("direct_sessions"),
        _ => None,
    }
    .ok_or_else(|| wrong("the value has no relationships"))?;
    pay(state, rows.at.len())?;
    if let Some(local) = local {
        let local = entity(&local, "an autonomous system")?.key;
        let is =
            |at: &u32| rows.tree.one(Key::new(rows.model, *at), "local_autonomous_system").flatten() == Some(local);
        rows.at = rows.at.iter().copied().filter(is).collect();
    }
    Ok(targets(&rows, Model::Relationship, "relationship"))
}

pub(super) fn contact(_: &State<'_, '_>, value: &Value, mut given: Given) -> Result<Value, Error> {
    let role = given.text("role")?.ok_or_else(|| wrong("contact wants the name of a role"))?.to_lowercase();
    let name = given.text("field")?.unwrap_or_default();
    given.done()?;
    let mut of = entity(value, "an object with contacts")?.clone();
    if of.key.model.is_session() {
        of = of.one("autonomous_system").ok_or_else(|| wrong("the session has no autonomous system"))?;
    }
    if !matches!(of.key.model, Model::AutonomousSystem | Model::InternetExchange) {
        return Err(wrong(format!("{} has no contacts", of.key.model.word())));
    }
    let assigned = of.many("contacts");
    let is = |e: &Entity| e.word("role").is_some_and(|r| r.to_lowercase() == role);
    let found = assigned.iter().flat_map(Rows::entities).find(is).and_then(|e| e.one("contact"));
    Ok(match found {
        None => Value::from(()),
        Some(contact) if name.is_empty() => Entity::value(&contact.tree, contact.key),
        Some(contact) => contact.field(&name).ok_or_else(|| wrong(format!("a contact has no {name}")))?,
    })
}
