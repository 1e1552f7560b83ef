//! What is known of rows beside the rows: shared data for templates, contacts, and what the public peering database and the routing
//! registries say. All but the first are read only for templates that ask for them.

use std::collections::{BTreeSet, HashMap};

use meetme_base::{NetRange, RawId};
use meetme_model::{
    mirror::{PdbFacility, PdbLan, PdbNetwork, PdbNetworkFacility, PdbPort, PdbPrefix},
    ops::{ContactAssignment, ContactRole},
    routing::IrrQuestion,
};
use meetme_store::{Filter, Object, Resource, Tx};
use serde_json::{Value as Json, json};

use super::book::Book;
use crate::{App, Error, contexts, irr};

/// What the texts of a template and of those it may include ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wants {
    contacts: bool,
    presences: bool,
    facilities: bool,
    prefixes: bool,
    registered: bool,
}

impl Wants {
    /// By the words in a text; a word in a comment costs a statement and nothing else.
    pub fn of(text: &str) -> Self {
        Self {
            contacts: text.contains("contact"),
            presences: ["missing_sessions", "shared_ixps", "netixlans"].iter().any(|word| text.contains(word)),
            facilities: text.contains("facilities"),
            prefixes: text.contains("prefix_list") || text.contains("peeringdb_prefixes"),
            registered: ["prefix_list", "as_list", ".prefixes"].iter().any(|word| text.contains(word)),
        }
    }
    pub fn or(self, other: Self) -> Self {
        Self {
            contacts: self.contacts || other.contacts,
            presences: self.presences || other.presences,
            facilities: self.facilities || other.facilities,
            prefixes: self.prefixes || other.prefixes,
            registered: self.registered || other.registered,
        }
    }
}

/// Reads it for the rows in the book.
pub(super) fn read(app: &App, tx: &mut Tx<'_>, book: &mut Book, wants: Wants) -> Result<(), Error> {
    data(app, tx, book)?;
    if wants.contacts {
        contacts(tx, book)?;
    }
    let asns: BTreeSet<i64> = book.systems.rows.iter().map(|s| s.spec.asn.get().into()).collect();
    let lans: BTreeSet<i64> = book.exchanges.rows.iter().filter_map(|e| e.spec.pdb_lan).collect();
    if wants.presences && !asns.is_empty() && !lans.is_empty() {
        let at = Filter::is_in("asn", asns.clone()).and(Filter::is_in("ixlan.pdb_id", lans.clone()));
        book.ports.add(tx.all::<PdbPort>(at)?);
    }
    if wants.facilities && !asns.is_empty() {
        facilities(tx, book, asns)?;
    }
    if wants.prefixes && !lans.is_empty() {
        prefixes(tx, book, lans)?;
    }
    if wants.registered {
        registered(tx, book)?;
    }
    Ok(())
}

/// Data assigned to rows, under their own.
fn data(app: &App, tx: &mut Tx<'_>, book: &mut Book) -> Result<(), Error> {
    fn ids<R: Resource>(rows: &[Object<R>]) -> impl Iterator<Item = RawId> + '_ {
        rows.iter().map(|row| row.id.any())
    }
    let all: Vec<RawId> = ids(&book.systems.rows)
        .chain(ids(&book.groups.rows))
        .chain(ids(&book.exchanges.rows))
        .chain(ids(&book.links.rows))
        .chain(ids(&book.routers.rows))
        .chain(ids(&book.direct.rows))
        .chain(ids(&book.across.rows))
        .chain(ids(&book.policies.rows))
        .chain(ids(&book.communities.rows))
        .chain(ids(&book.timers.rows))
        .collect();
    book.beside.contexts = contexts::assigned(app, tx, all)?;
    Ok(())
}

fn contacts(tx: &mut Tx<'_>, book: &mut Book) -> Result<(), Error> {
    let systems = book.systems.rows.iter().map(|s| s.id.any());
    let objects: BTreeSet<RawId> = systems.chain(book.exchanges.rows.iter().map(|e| e.id.any())).collect();
    if objects.is_empty() {
        return Ok(());
    }
    let rows = tx.all::<ContactAssignment>(Filter::is_in("object", objects))?;
    let roles = tx.many::<ContactRole>(rows.iter().filter_map(|row| row.spec.role))?;
    let people = tx.many(rows.iter().map(|row| row.spec.contact))?;
    book.beside.roles = roles.into_iter().map(|(id, role)| (id, role.spec.name)).collect();
    book.contacts.add(people.into_values());
    book.assignments.add(rows);
    Ok(())
}

fn facilities(tx: &mut Tx<'_>, book: &mut Book, asns: BTreeSet<i64>) -> Result<(), Error> {
    let networks = tx.all::<PdbNetwork>(Filter::is_in("asn", asns))?;
    if networks.is_empty() {
        return Ok(());
    }
    let number: HashMap<RawId, u32> = networks.iter().map(|n| (n.id.any(), n.spec.asn.get())).collect();
    let there = tx.all::<PdbNetworkFacility>(Filter::is_in("net", number.keys().copied()))?;
    let facilities = there.iter().filter_map(|row| row.spec.fac).map(RawId::of::<PdbFacility>);
    book.facilities.add(tx.many(facilities)?.into_values());
    for row in there {
        let asn = row.spec.net.and_then(|net| number.get(&net));
        if let (Some(asn), Some(facility)) = (asn, row.spec.fac) {
            book.beside.facilities.entry(*asn).or_default().push(facility.of());
        }
    }
    Ok(())
}

/// What the routing registries say of the systems, in the form of `bgpq4`.
fn registered(tx: &mut Tx<'_>, book: &mut Book) -> Result<(), Error> {
    let systems: Vec<_> = book.systems.rows.iter().map(|system| (system.id, system.spec.asn)).collect();
    let ids: Vec<_> = systems.iter().map(|(id, _)| *id).collect();
    let kinds = [IrrQuestion::Prefixes4, IrrQuestion::Prefixes6, IrrQuestion::Numbers];
    let mut known = irr::of_systems(tx, &ids, &kinds)?;
    for (id, own) in systems {
        let Some(known) = known.remove(&id) else { continue };
        let list =
            |ranges: Option<Vec<NetRange>>| ranges.unwrap_or_default().into_iter().map(range).collect::<Vec<_>>();
        book.beside.as_lists.insert(id.any(), json!(known.members(own)));
        let families = json!({"ipv6": list(known.prefixes6), "ipv4": list(known.prefixes4)});
        book.beside.prefixes.insert(id.any(), families);
    }
    Ok(())
}

fn range(range: NetRange) -> Json {
    if range.is_exact() {
        return json!({"prefix": range.network(), "exact": true});
    }
    let (low, high) = (range.shortest(), range.longest());
    json!({"prefix": range.network(), "exact": false, "greater-equal": low, "less-equal": high})
}

/// The prefixes of our exchanges' peering networks.
fn prefixes(tx: &mut Tx<'_>, book: &mut Book, lans: BTreeSet<i64>) -> Result<(), Error> {
    let known = tx.all::<PdbLan>(Filter::is_in("pdb_id", lans))?;
    let number: HashMap<RawId, i64> = known.iter().map(|lan| (lan.id.any(), lan.spec.pdb_id)).collect();
    if number.is_empty() {
        return Ok(());
    }
    let mut found: HashMap<i64, (Vec<String>, Vec<String>)> = HashMap::new();
    for row in tx.all::<PdbPrefix>(Filter::is_in("ixlan", number.keys().copied()))? {
        let Some(lan) = row.spec.ixlan.and_then(|lan| number.get(&lan)) else { continue };
        let (six, four) = found.entry(*lan).or_default();
        let list = if row.spec.prefix.addr().is_ipv4() { four } else { six };
        list.push(row.spec.prefix.to_string());
    }
    for exchange in &book.exchanges.rows {
        if let Some((six, four)) = exchange.spec.pdb_lan.and_then(|lan| found.get(&lan)) {
            book.beside.prefixes.insert(exchange.id.any(), json!({"ipv6": six, "ipv4": four}));
        }
    }
    Ok(())
}
