//! How the objects of a book lead to each other: one to one, one to many, and by which names templates follow them.

use meetme_base::Id;
use meetme_model::{
    ops::Tag,
    routing::{AutonomousSystem, Bfd, Community, ExchangeLink, Policy, Router},
};
use meetme_store::Resource as _;
use meetme_template::{Key, Model, Tree, Value};

use super::{
    book::Book,
    fields::{contact, facility, none, platform, port, relationship, row, tag, template},
};

impl Tree for Book {
    fn plain(&self, key: Key, name: &str) -> Option<Value> {
        let at = key.at;
        match key.model {
            Model::AutonomousSystem => self.system(self.systems.row(at), name),
            Model::InternetExchange => self.exchange(self.exchanges.row(at), name),
            Model::BgpGroup => self.group(self.groups.row(at), name),
            Model::Connection => self.link(self.links.row(at), name),
            Model::InternetExchangePeeringSession => self.across(self.across.row(at), name),
            Model::DirectPeeringSession => self.direct(self.direct.row(at), name),
            Model::Router => self.router(self.routers.row(at), name),
            Model::RoutingPolicy => self.policy(self.policies.row(at), name),
            Model::Community => self.community(self.communities.row(at), name),
            Model::Bfd => self.timers(self.timers.row(at), name),
            Model::Platform => platform(self.platforms.row(at), name),
            Model::Relationship => relationship(self.relationships.row(at), name),
            Model::Tag => tag(self.tags.row(at), name),
            Model::Configuration => template(self.templates.row(at), name),
            Model::Contact => contact(self.contacts.row(at), name),
            Model::ContactAssignment => match name {
                "role" => {
                    let role = self.assignments.row(at).spec.role.and_then(|role| self.beside.roles.get(&role));
                    Some(role.map_or_else(none, |name| name.as_str().into()))
                }
                _ => row(self.assignments.row(at), name),
            },
            Model::NetworkIxLan => port(self.ports.row(at), name),
            Model::Facility => facility(self.facilities.row(at), name),
            _ => None,
        }
    }

    fn one(&self, key: Key, name: &str) -> Option<Option<Key>> {
        let system = |id: Option<Id<AutonomousSystem>>| {
            id.and_then(|id| self.systems.place(id)).map(|at| Key::new(Model::AutonomousSystem, at))
        };
        let router =
            |id: Option<Id<Router>>| id.and_then(|id| self.routers.place(id)).map(|at| Key::new(Model::Router, at));
        let timers = |id: Option<Id<Bfd>>| id.and_then(|id| self.timers.place(id)).map(|at| Key::new(Model::Bfd, at));
        let link = |id: Option<Id<ExchangeLink>>| {
            id.and_then(|id| self.links.place(id)).map(|at| Key::new(Model::Connection, at))
        };
        Some(match (key.model, name) {
            (Model::InternetExchange, "local_autonomous_system") => system(Some(self.exchanges.row(key.at).spec.local)),
            (Model::Connection, "internet_exchange_point") => {
                let id = self.links.row(key.at).spec.exchange;
                id.and_then(|id| self.exchanges.place(id)).map(|at| Key::new(Model::InternetExchange, at))
            }
            (Model::ContactAssignment, "contact") => {
                let at = self.contacts.place(self.assignments.row(key.at).spec.contact);
                at.map(|at| Key::new(Model::Contact, at))
            }
            (Model::Connection, "router") => router(self.links.row(key.at).spec.router),
            (Model::InternetExchangePeeringSession, name) => {
                let spec = &self.across.row(key.at).spec;
                match name {
                    "autonomous_system" => system(Some(spec.remote)),
                    "ixp_connection" => link(Some(spec.link)),
                    "bfd" => timers(spec.peer.bfd),
                    _ => return None,
                }
            }
            (Model::DirectPeeringSession, name) => {
                let spec = &self.direct.row(key.at).spec;
                match name {
                    "autonomous_system" => system(spec.remote),
                    "local_autonomous_system" => {
                        let of_router = || self.router_of(spec).and_then(|id| self.routers.find(id)?.spec.local);
                        system(spec.local.or_else(of_router))
                    }
                    "bgp_group" => {
                        spec.group.and_then(|id| self.groups.place(id)).map(|at| Key::new(Model::BgpGroup, at))
                    }
                    "relationship" => {
                        let at = spec.relationship.and_then(|id| self.relationships.place(id));
                        at.map(|at| Key::new(Model::Relationship, at))
                    }
                    "router" => router(self.router_of(spec)),
                    "connection" => link(spec.link),
                    "bfd" => timers(spec.peer.bfd),
                    _ => return None,
                }
            }
            (Model::Router, name) => {
                let spec = &self.routers.row(key.at).spec;
                match name {
                    "local_autonomous_system" => system(spec.local),
                    "platform" => {
                        let at = spec.platform.and_then(|id| self.platforms.place(id));
                        at.map(|at| Key::new(Model::Platform, at))
                    }
                    "configuration_template" => {
                        let at = spec.template.and_then(|id| self.templates.place(id));
                        at.map(|at| Key::new(Model::Configuration, at))
                    }
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    fn many(&self, key: Key, name: &str) -> Option<(Model, Vec<u32>)> {
        let at = key.at;
        if name == "tags" {
            return self.tags_of(key).map(|ids| (Model::Tag, self.tags.places(ids)));
        }
        if let Some(ids) = self.policies_of(key, name) {
            return Some((Model::RoutingPolicy, self.policies.places(ids)));
        }
        if name == "communities" {
            return self.communities_of(key).map(|ids| (Model::Community, self.communities.places(ids)));
        }
        let ways = &self.ways;
        let (model, list) = match (key.model, name) {
            (Model::AutonomousSystem, "direct_sessions") => {
                (Model::DirectPeeringSession, ways.direct_of_system.get(at))
            }
            (Model::BgpGroup, "direct_sessions") => (Model::DirectPeeringSession, ways.direct_of_group.get(at)),
            (Model::Router, "direct_sessions") => (Model::DirectPeeringSession, ways.direct_of_router.get(at)),
            (Model::AutonomousSystem, "ixp_sessions") => {
                (Model::InternetExchangePeeringSession, ways.across_of_system.get(at))
            }
            (Model::InternetExchange, "ixp_sessions") => {
                (Model::InternetExchangePeeringSession, ways.across_of_exchange.get(at))
            }
            (Model::Router, "ixp_sessions") => (Model::InternetExchangePeeringSession, ways.across_of_router.get(at)),
            (Model::InternetExchange, "connections") => (Model::Connection, ways.links_of_exchange.get(at)),
            (Model::Router, "connections") => (Model::Connection, ways.links_of_router.get(at)),
            (Model::AutonomousSystem, "netixlans") => (Model::NetworkIxLan, ways.ports_of_system.get(at)),
            (Model::AutonomousSystem, "contacts") => (Model::ContactAssignment, ways.contacts_of_system.get(at)),
            (Model::InternetExchange, "contacts") => (Model::ContactAssignment, ways.contacts_of_exchange.get(at)),
            (Model::AutonomousSystem, "facilities") => {
                let there = self.beside.facilities.get(&self.systems.row(at).spec.asn.get());
                let places = self.facilities.places(there.map(Vec::as_slice).unwrap_or_default());
                return Some((Model::Facility, places));
            }
            _ => return None,
        };
        Some((model, list.to_vec()))
    }

    fn fields(&self, model: Model) -> &'static [&'static str] {
        super::names::of(model)
    }

    fn id(&self, key: Key) -> i64 {
        let at = key.at;
        match key.model {
            Model::AutonomousSystem => self.systems.row(at).id.get(),
            Model::InternetExchange => self.exchanges.row(at).id.get(),
            Model::BgpGroup => self.groups.row(at).id.get(),
            Model::Connection => self.links.row(at).id.get(),
            Model::InternetExchangePeeringSession => self.across.row(at).id.get(),
            Model::DirectPeeringSession => self.direct.row(at).id.get(),
            Model::Router => self.routers.row(at).id.get(),
            Model::RoutingPolicy => self.policies.row(at).id.get(),
            Model::Community => self.communities.row(at).id.get(),
            Model::Bfd => self.timers.row(at).id.get(),
            Model::Platform => self.platforms.row(at).id.get(),
            Model::Relationship => self.relationships.row(at).id.get(),
            Model::Tag => self.tags.row(at).id.get(),
            Model::Configuration => self.templates.row(at).id.get(),
            Model::Contact => self.contacts.row(at).id.get(),
            Model::ContactAssignment => self.assignments.row(at).id.get(),
            Model::NetworkIxLan => self.ports.row(at).spec.pdb_id,
            Model::Facility => self.facilities.row(at).spec.pdb_id,
            _ => 0,
        }
    }

    fn title(&self, key: Key) -> String {
        let at = key.at;
        match key.model {
            Model::AutonomousSystem => self.systems.row(at).spec.title(),
            Model::InternetExchange => self.exchanges.row(at).spec.title(),
            Model::BgpGroup => self.groups.row(at).spec.title(),
            Model::Connection => self.link_name(self.links.row(at)),
            Model::InternetExchangePeeringSession => {
                let s = self.across.row(at);
                let exchange = self.links.find(s.spec.link).and_then(|link| self.exchanges.find(link.spec.exchange?));
                match exchange {
                    Some(exchange) => format!("{} - {}", exchange.spec.name, s.spec.title()),
                    None => s.spec.title(),
                }
            }
            Model::DirectPeeringSession => {
                let s = self.direct.row(at);
                match s.spec.relationship.and_then(|id| self.relationships.find(id)) {
                    Some(relationship) => format!("{} - {}", relationship.spec.name, s.spec.title()),
                    None => s.spec.title(),
                }
            }
            Model::Router => self.routers.row(at).spec.title(),
            Model::RoutingPolicy => self.policies.row(at).spec.title(),
            Model::Community => self.communities.row(at).spec.title(),
            Model::Bfd => self.timers.row(at).spec.title(),
            Model::Platform => self.platforms.row(at).spec.title(),
            Model::Relationship => self.relationships.row(at).spec.title(),
            Model::Tag => self.tags.row(at).spec.title(),
            Model::Configuration => self.templates.row(at).spec.title(),
            Model::Contact => self.contacts.row(at).spec.title(),
            Model::ContactAssignment => self.assignments.row(at).spec.title(),
            Model::NetworkIxLan => self.ports.row(at).spec.title(),
            Model::Facility => self.facilities.row(at).spec.name.0.clone(),
            _ => String::new(),
        }
    }

    fn count(&self, model: Model) -> u32 {
        let count = match model {
            Model::AutonomousSystem => self.systems.rows.len(),
            Model::InternetExchange => self.exchanges.rows.len(),
            Model::BgpGroup => self.groups.rows.len(),
            Model::Connection => self.links.rows.len(),
            Model::InternetExchangePeeringSession => self.across.rows.len(),
            Model::DirectPeeringSession => self.direct.rows.len(),
            Model::Router => self.routers.rows.len(),
            Model::RoutingPolicy => self.policies.rows.len(),
            Model::Community => self.communities.rows.len(),
            Model::Bfd => self.timers.rows.len(),
            Model::Platform => self.platforms.rows.len(),
            Model::Relationship => self.relationships.rows.len(),
            Model::Tag => self.tags.rows.len(),
            Model::Configuration => self.templates.rows.len(),
            Model::Contact => self.contacts.rows.len(),
            Model::ContactAssignment => self.assignments.rows.len(),
            Model::NetworkIxLan => self.ports.rows.len(),
            Model::Facility => self.facilities.rows.len(),
            _ => 0,
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Book {
    fn tags_of(&self, key: Key) -> Option<&[Id<Tag>]> {
        let at = key.at;
        Some(match key.model {
            Model::AutonomousSystem => &self.systems.row(at).spec.tags,
            Model::InternetExchange => &self.exchanges.row(at).spec.tags,
            Model::BgpGroup => &self.groups.row(at).spec.tags,
            Model::Connection => &self.links.row(at).spec.tags,
            Model::InternetExchangePeeringSession => &self.across.row(at).spec.tags,
            Model::DirectPeeringSession => &self.direct.row(at).spec.tags,
            Model::Router => &self.routers.row(at).spec.tags,
            Model::RoutingPolicy => &self.policies.row(at).spec.tags,
            Model::Community => &self.communities.row(at).spec.tags,
            Model::Bfd => &self.timers.row(at).spec.tags,
            Model::Platform => &self.platforms.row(at).spec.tags,
            Model::Relationship => &self.relationships.row(at).spec.tags,
            Model::Configuration => &self.templates.row(at).spec.tags,
            _ => return None,
        })
    }

    fn policies_of(&self, key: Key, name: &str) -> Option<&[Id<Policy>]> {
        let import = match name {
            "import_routing_policies" => true,
            "export_routing_policies" => false,
            _ => return None,
        };
        let at = key.at;
        let (of_import, of_export) = match key.model {
            Model::AutonomousSystem => (&self.systems.row(at).spec.import, &self.systems.row(at).spec.export),
            Model::InternetExchange => (&self.exchanges.row(at).spec.import, &self.exchanges.row(at).spec.export),
            Model::BgpGroup => (&self.groups.row(at).spec.import, &self.groups.row(at).spec.export),
            Model::InternetExchangePeeringSession => {
                (&self.across.row(at).spec.peer.import, &self.across.row(at).spec.peer.export)
            }
            Model::DirectPeeringSession => {
                (&self.direct.row(at).spec.peer.import, &self.direct.row(at).spec.peer.export)
            }
            _ => return None,
        };
        Some(if import { of_import } else { of_export })
    }

    fn communities_of(&self, key: Key) -> Option<&[Id<Community>]> {
        let at = key.at;
        Some(match key.model {
            Model::AutonomousSystem => &self.systems.row(at).spec.communities,
            Model::InternetExchange => &self.exchanges.row(at).spec.communities,
            Model::BgpGroup => &self.groups.row(at).spec.communities,
            Model::InternetExchangePeeringSession => &self.across.row(at).spec.peer.communities,
            Model::DirectPeeringSession => &self.direct.row(at).spec.peer.communities,
            Model::Router => &self.routers.row(at).spec.communities,
            Model::RoutingPolicy => &self.policies.row(at).spec.communities,
            _ => return None,
        })
    }
}
