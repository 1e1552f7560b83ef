//! What templates see of the book: rows of every kind that is named, each read once, and the ways between them.
//!
//! The rows of a kind stand in the order its lists have, so the place of a row is also its rank.

use std::{cmp::Ordering, collections::HashMap, fmt, hash::Hash};

use meetme_base::{Asn, Id, RawId};
use meetme_model::{
    mirror::{PdbFacility, PdbPort},
    ops::{Contact, ContactAssignment, ContactRole, Tag},
    routing::{
        AutonomousSystem, Bfd, Community, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Platform,
        Policy, Relationship, Router, Template,
    },
};
use meetme_store::{Object, Resource};
use serde_json::{Map, Value as Json};

/// The rows of one kind.
pub(super) struct Table<R: Resource> {
    pub rows: Vec<Object<R>>,
    at: HashMap<Id<R>, u32>,
}

impl<R: Resource> Default for Table<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), at: HashMap::new() }
    }
}

impl<R: Resource> Table<R>
where
    Id<R>: Hash + Eq + Copy,
{
    /// Adds rows that are not there yet.
    pub fn add(&mut self, rows: impl IntoIterator<Item = Object<R>>) {
        for row in rows {
            if let std::collections::hash_map::Entry::Vacant(place) = self.at.entry(row.id) {
                place.insert(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
                self.rows.push(row);
            }
        }
    }
    pub fn has(&self, id: Id<R>) -> bool {
        self.at.contains_key(&id)
    }
    /// The place of a row.
    pub fn place(&self, id: Id<R>) -> Option<u32> {
        self.at.get(&id).copied()
    }
    pub fn places(&self, ids: &[Id<R>]) -> Vec<u32> {
        ids.iter().filter_map(|id| self.place(*id)).collect()
    }
    pub fn row(&self, at: u32) -> &Object<R> {
        &self.rows[at as usize]
    }
    pub fn find(&self, id: Id<R>) -> Option<&Object<R>> {
        self.place(id).map(|at| self.row(at))
    }
    /// Puts the rows into the order of their lists.
    fn sort(&mut self, by: impl Fn(&Object<R>, &Object<R>) -> Ordering) {
        self.rows.sort_by(|a, b| by(a, b).then(a.id.cmp(&b.id)));
        self.at = (0..).zip(&self.rows).map(|(at, row)| (row.id, at)).collect();
    }
}

/// Where other rows lead to a row: for each place of a table the places of another.
#[derive(Default)]
pub(super) struct Back(Vec<Vec<u32>>);

impl Back {
    fn of(size: usize, pairs: impl Iterator<Item = (Option<u32>, u32)>) -> Self {
        let mut out = vec![Vec::new(); size];
        for (to, from) in pairs {
            if let Some(list) = to.and_then(|to| out.get_mut(to as usize)) {
                list.push(from);
            }
        }
        Self(out)
    }
    pub fn get(&self, at: u32) -> &[u32] {
        self.0.get(at as usize).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What is known of rows beside the rows themselves.
#[derive(Default)]
pub(super) struct Beside {
    /// The passwords of sessions, in the clear or masked.
    pub passwords: HashMap<RawId, String>,
    /// The same as their routers' platforms spell them, where somebody had them spelled.
    pub spelled: HashMap<RawId, String>,
    /// Shared data for templates that is assigned to a row; the row's own stands over it.
    pub contexts: HashMap<RawId, Map<String, Json>>,
    /// The names of roles.
    pub roles: HashMap<Id<ContactRole>, String>,
    /// The facilities the public peering database has an AS number in.
    pub facilities: HashMap<u32, Vec<Id<PdbFacility>>>,
    /// Prefixes of autonomous systems and exchanges: `{"ipv6": [...], "ipv4": [...]}`.
    pub prefixes: HashMap<RawId, Json>,
    /// The numbers behind the AS-SETs of autonomous systems.
    pub as_lists: HashMap<RawId, Json>,
}

/// Everything a template may see.
#[derive(Default)]
pub(super) struct Book {
    pub systems: Table<AutonomousSystem>,
    pub groups: Table<PeerGroup>,
    pub exchanges: Table<Exchange>,
    pub links: Table<ExchangeLink>,
    pub routers: Table<Router>,
    pub direct: Table<DirectSession>,
    pub across: Table<ExchangeSession>,
    pub policies: Table<Policy>,
    pub communities: Table<Community>,
    pub timers: Table<Bfd>,
    pub relationships: Table<Relationship>,
    pub platforms: Table<Platform>,
    pub templates: Table<Template>,
    pub tags: Table<Tag>,
    pub contacts: Table<Contact>,
    pub assignments: Table<ContactAssignment>,
    /// Ports of networks at our exchanges in the public peering database.
    pub ports: Table<PdbPort>,
    pub facilities: Table<PdbFacility>,
    pub beside: Beside,
    /// The router to which direct sessions belong that name none: those of legs and devices.
    pub home: Option<Id<Router>>,
    pub ways: Ways,
}

/// The ways back.
#[derive(Default)]
pub(super) struct Ways {
    pub direct_of_system: Back,
    pub across_of_system: Back,
    pub direct_of_group: Back,
    pub direct_of_router: Back,
    pub across_of_router: Back,
    pub across_of_exchange: Back,
    pub links_of_router: Back,
    pub links_of_exchange: Back,
    pub ports_of_system: Back,
    pub contacts_of_system: Back,
    pub contacts_of_exchange: Back,
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("direct", &self.direct.rows.len())
            .field("across", &self.across.rows.len())
            .finish()
    }
}

impl Book {
    /// The router a direct session belongs to.
    pub fn router_of(&self, session: &DirectSession) -> Option<Id<Router>> {
        let of_link = || session.link.and_then(|link| self.links.find(link)).and_then(|link| link.spec.router);
        session.router.or_else(of_link).or(self.home)
    }

    /// How many rows there are.
    pub fn size(&self) -> usize {
        self.direct.rows.len()
            + self.across.rows.len()
            + self.systems.rows.len()
            + self.links.rows.len()
            + self.policies.rows.len()
            + self.communities.rows.len()
    }

    /// Puts every table into its order and finds the ways back. Nothing is added after this.
    pub fn close(&mut self) {
        self.systems.sort(|a, b| a.spec.asn.cmp(&b.spec.asn));
        self.groups.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.exchanges.sort(|a, b| (a.spec.local, &a.spec.name).cmp(&(b.spec.local, &b.spec.name)));
        self.routers.sort(|a, b| (a.spec.local, &a.spec.name).cmp(&(b.spec.local, &b.spec.name)));
        let exchanges = &self.exchanges;
        let at = |link: &Object<ExchangeLink>| link.spec.exchange.and_then(|id| exchanges.place(id));
        let mut links = std::mem::take(&mut self.links);
        links.sort(|a, b| (at(a), a.spec.router).cmp(&(at(b), b.spec.router)));
        self.links = links;
        self.across.sort(|a, b| {
            let key = |s: &Object<ExchangeSession>| (s.spec.peer.asn, s.spec.link, s.spec.ip);
            a.spec.peer.reference.cmp(&b.spec.peer.reference).then_with(|| key(a).cmp(&key(b)))
        });
        self.direct.sort(|a, b| {
            let key = |s: &Object<DirectSession>| (s.spec.local, s.spec.peer.asn, s.spec.ip);
            a.spec.peer.reference.cmp(&b.spec.peer.reference).then_with(|| key(a).cmp(&key(b)))
        });
        self.policies.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.communities.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.timers.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.relationships.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.platforms.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.templates.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.tags.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.assignments.sort(|a, b| a.id.cmp(&b.id));
        self.contacts.sort(|a, b| a.spec.name.cmp(&b.spec.name));
        self.ports.sort(|a, b| a.spec.pdb_id.cmp(&b.spec.pdb_id));
        self.facilities.sort(|a, b| a.spec.name.0.cmp(&b.spec.name.0));
        self.ways = self.ways();
    }

    fn ways(&self) -> Ways {
        let direct = || (0..).zip(&self.direct.rows);
        let across = || (0..).zip(&self.across.rows);
        let links = || (0..).zip(&self.links.rows);
        let link_of = |s: &Object<ExchangeSession>| self.links.find(s.spec.link);
        let router = |id: Option<Id<Router>>| id.and_then(|id| self.routers.place(id));
        let exchange = |link: &Object<ExchangeLink>| link.spec.exchange.and_then(|id| self.exchanges.place(id));
        let systems = self.systems.rows.len();
        let of_number: HashMap<Asn, u32> =
            (0..).zip(&self.systems.rows).map(|(at, system)| (system.spec.asn, at)).collect();
        let assigned = || (0..).zip(&self.assignments.rows);
        Ways {
            direct_of_system: Back::of(
                systems,
                direct().map(|(at, s)| (s.spec.remote.and_then(|id| self.systems.place(id)), at)),
            ),
            across_of_system: Back::of(systems, across().map(|(at, s)| (self.systems.place(s.spec.remote), at))),
            direct_of_group: Back::of(
                self.groups.rows.len(),
                direct().map(|(at, s)| (s.spec.group.and_then(|id| self.groups.place(id)), at)),
            ),
            direct_of_router: Back::of(
                self.routers.rows.len(),
                direct().map(|(at, s)| (router(self.router_of(&s.spec)), at)),
            ),
            across_of_router: Back::of(
                self.routers.rows.len(),
                across().map(|(at, s)| (link_of(s).and_then(|link| router(link.spec.router)), at)),
            ),
            across_of_exchange: Back::of(
                self.exchanges.rows.len(),
                across().map(|(at, s)| (link_of(s).and_then(exchange), at)),
            ),
            links_of_router: Back::of(self.routers.rows.len(), links().map(|(at, l)| (router(l.spec.router), at))),
            ports_of_system: Back::of(
                systems,
                (0..).zip(&self.ports.rows).map(|(at, port)| (of_number.get(&port.spec.asn).copied(), at)),
            ),
            contacts_of_system: Back::of(
                systems,
                assigned().map(|(at, a)| (self.systems.place(a.spec.object.of()), at)),
            ),
            contacts_of_exchange: Back::of(
                self.exchanges.rows.len(),
                assigned().map(|(at, a)| (self.exchanges.place(a.spec.object.of()), at)),
            ),
            links_of_exchange: Back::of(self.exchanges.rows.len(), links().map(|(at, l)| (exchange(l), at))),
        }
    }
}
