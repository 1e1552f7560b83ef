//! The fields of every object, by the names templates know them under: those of the peering book's API, and what its
//! objects tell beside.

use meetme_base::{Id, IfAddr, RawId, Time};
use meetme_model::{
    Admin, BgpState, Peer, PeerStatus,
    mirror::{PdbFacility, PdbPort},
    ops::{Contact, Tag},
    routing::{
        AutonomousSystem, Bfd, Community, CommunityDirection, DirectSession, Exchange, ExchangeLink, ExchangeSession,
        PasswordForm, PeerGroup, Platform, Policy, PolicyDirection, Relationship, Router, Template,
    },
};
use meetme_store::{Object, Resource};
use meetme_template::{Address, Key, Model, Tree, Value, from_json};

use super::book::Book;
use crate::contexts;

/// Nothing, as templates see it.
fn none() -> Value {
    Value::from(())
}

fn text(text: Option<&str>) -> Value {
    text.unwrap_or_default().into()
}

fn interface(address: Option<IfAddr>) -> Value {
    address.map_or_else(none, |address| Address::interface(address.0).value())
}

fn moment(time: Time) -> Value {
    time.rfc3339_micros().into()
}

/// What every row tells of itself.
fn row<R: Resource>(row: &Object<R>, name: &str) -> Option<Value> {
    Some(match name {
        "id" | "pk" => row.id.get().into(),
        "created" => moment(row.created),
        "updated" => moment(row.updated),
        _ => return None,
    })
}

impl Book {
    fn context<R: Resource>(&self, row: &Object<R>, own: Option<&serde_json::Value>) -> Value {
        let assigned = self.beside.contexts.get(&row.id.any());
        contexts::whole(assigned, own).as_ref().map_or_else(none, from_json)
    }

    fn system(&self, s: &Object<AutonomousSystem>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        let known = |map: &std::collections::HashMap<RawId, serde_json::Value>| map.get(&s.id.any()).map(from_json);
        Some(match name {
            "asn" => spec.asn.get().into(),
            "name" => spec.name.as_str().into(),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "irr_as_set" => spec.as_set.as_deref().map_or_else(none, Value::from),
            "ipv6_max_prefixes" => spec.max6.into(),
            "ipv4_max_prefixes" => spec.max4.into(),
            "name_peeringdb_sync" => spec.sync.name.into(),
            "irr_as_set_peeringdb_sync" => spec.sync.as_set.into(),
            "ipv6_max_prefixes_peeringdb_sync" => spec.sync.max6.into(),
            "ipv4_max_prefixes_peeringdb_sync" => spec.sync.max4.into(),
            "prefixes" => known(&self.beside.prefixes).unwrap_or_else(none),
            "as_list" => known(&self.beside.as_lists).unwrap_or_else(|| Vec::<Value>::new().into()),
            "retrieve_prefixes" => spec.irr.want_prefixes.into(),
            "retrieve_as_list" => spec.irr.want_as_list.into(),
            "irr_sources_override" => spec.irr.sources.as_str().into(),
            "irr_ipv6_prefixes_args_override" => spec.irr.args6.as_str().into(),
            "irr_ipv4_prefixes_args_override" => spec.irr.args4.as_str().into(),
            "affiliated" => spec.ours.into(),
            "is_private" => matches!(spec.asn.get(), 0 | 23456 | 64496..=131_071 | 4_200_000_000..).into(),
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    fn exchange(&self, s: &Object<Exchange>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => spec.name.as_str().into(),
            "slug" => spec.slug.as_str().into(),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "status" => spec.admin.word().into(),
            "peeringdb_ixlan" => spec.pdb_lan.map_or_else(none, Value::from),
            "linked_to_peeringdb" => spec.pdb_lan.is_some().into(),
            "has_connected_routers" => self
                .exchanges
                .place(s.id)
                .is_some_and(|at| {
                    let links = self.ways.links_of_exchange.get(at).iter();
                    links.map(|at| self.links.row(*at)).any(|link| link.spec.router.is_some())
                })
                .into(),
            "peeringdb_prefixes" => {
                if let Some(known) = self.beside.prefixes.get(&s.id.any()) {
                    return Some(from_json(known));
                }
                let of = |v4: bool| {
                    let nets = spec.subnets.iter().filter(|net| net.addr().is_ipv4() == v4);
                    nets.map(|net| Value::from(net.to_string())).collect::<Vec<_>>()
                };
                Value::from_pairs([("ipv6", of(false)), ("ipv4", of(true))])
            }
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    fn group(&self, s: &Object<PeerGroup>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => spec.name.as_str().into(),
            "slug" => spec.slug.as_str().into(),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "status" => spec.admin.word().into(),
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    fn link(&self, s: &Object<ExchangeLink>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => self.link_name(s).into(),
            "status" => spec.admin.word().into(),
            "vlan" => spec.vlan.map_or_else(none, |vlan| vlan.get().into()),
            "mac_address" => spec.mac.map_or_else(none, |mac| mac.to_string().into()),
            "ipv6_address" => interface(spec.ip6),
            "ipv4_address" => interface(spec.ip4),
            "interface" => spec.interface.as_str().into(),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "peeringdb_netixlan" => spec.pdb_port.map_or_else(none, Value::from),
            "linked_to_peeringdb" => spec.pdb_port.is_some().into(),
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    /// `Some IX on edge1 ae4.20`, as far as it is known.
    fn link_name(&self, link: &Object<ExchangeLink>) -> String {
        let exchange = link.spec.exchange.and_then(|id| self.exchanges.find(id)).map(|e| e.spec.name.as_str());
        let router = link.spec.router.and_then(|id| self.routers.find(id)).map(|r| r.spec.name.as_str());
        let name = [exchange, router].into_iter().flatten().collect::<Vec<_>>().join(" on ");
        match (name.is_empty(), router.is_some() && !link.spec.interface.is_empty()) {
            (true, _) => link.spec.title(),
            (false, true) => format!("{name} {}", link.spec.interface),
            (false, false) => name,
        }
    }

    /// What sessions of both sorts tell.
    fn session<R: Resource<Status = PeerStatus>>(&self, s: &Object<R>, peer: &Peer, name: &str) -> Option<Value> {
        let status = &s.status;
        Some(match name {
            "service_reference" => peer.reference.as_deref().map_or_else(none, Value::from),
            "status" => peer.admin.word().into(),
            "enabled" => (peer.admin == Admin::Enabled).into(),
            "is_configured" => peer.admin.is_configured().into(),
            "password" => self.beside.passwords.get(&s.id.any()).map_or_else(none, |p| p.as_str().into()),
            // The platform's own spelling of a password is not made yet.
            "encrypted_password" => none(),
            "multihop_ttl" => peer.ttl.into(),
            "passive" => peer.passive.into(),
            "description" => text(peer.description.as_deref()),
            "comments" => peer.comments.as_str().into(),
            "bgp_state" => status.state.map_or_else(none, |state: BgpState| state.word().into()),
            "received_prefix_count" => status.received.into(),
            "accepted_prefix_count" => status.accepted.into(),
            "advertised_prefix_count" => status.advertised.into(),
            "last_established_state" => status.last_up.map_or_else(none, moment),
            "local_context_data" => peer.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, peer.context.as_ref()),
            _ => return row(s, name),
        })
    }

    fn across(&self, s: &Object<ExchangeSession>, name: &str) -> Option<Value> {
        let own = |four: Option<u32>, six: Option<u32>| {
            if s.spec.ip.is_ipv4() { four } else { six }.filter(|n| *n > 0).map_or_else(none, Value::from)
        };
        Some(match name {
            "ip_address" => Address::host(s.spec.ip).value(),
            "is_route_server" => s.spec.route_server.into(),
            "max_prefix" => own(s.spec.peer.max4, s.spec.peer.max6),
            _ => return self.session(s, &s.spec.peer, name),
        })
    }

    fn direct(&self, s: &Object<DirectSession>, name: &str) -> Option<Value> {
        let v4 = s.spec.ip.ip().is_ipv4();
        Some(match name {
            "ip_address" => interface(Some(s.spec.ip)),
            "local_ip_address" => {
                let link = s.spec.link.and_then(|id| self.links.find(id));
                let of_link = link.and_then(|link| if v4 { link.spec.ip4 } else { link.spec.ip6 });
                match (s.spec.local_ip.or(of_link), s.spec.locals.first()) {
                    (None, Some(local)) => Address::host(*local).value(),
                    (address, _) => interface(address),
                }
            }
            "max_prefix" => {
                let own = if v4 { s.spec.peer.max4 } else { s.spec.peer.max6 };
                own.filter(|n| *n > 0).map_or_else(none, Value::from)
            }
            _ => return self.session(s, &s.spec.peer, name),
        })
    }

    fn router(&self, s: &Object<Router>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => spec.name.as_str().into(),
            "hostname" => spec.hostname.as_str().into(),
            "status" => spec.admin.word().into(),
            "encrypt_passwords" => spec.encrypt.into(),
            "poll_bgp_sessions_state" => spec.poll.into(),
            "poll_bgp_sessions_last_updated" => s.status.polled_at.map_or_else(none, moment),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "router_id" => {
                let said = spec.context.as_ref().and_then(|c| c.get("router_id")).and_then(|v| v.as_str());
                said.map(str::to_owned).or_else(|| self.first_address(s)).map_or_else(none, Value::from)
            }
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    /// The first IPv4 address a router has at an exchange, which serves for a BGP identifier.
    fn first_address(&self, router: &Object<Router>) -> Option<String> {
        let own = || router.spec.hostname.parse::<std::net::Ipv4Addr>().ok().map(|ip| ip.to_string());
        let at = self.routers.place(router.id)?;
        let mut links: Vec<_> = self.ways.links_of_router.get(at).iter().map(|at| self.links.row(*at)).collect();
        links.sort_by_key(|link| link.id);
        own().or_else(|| links.iter().find_map(|link| link.spec.ip4).map(|ip| ip.ip().to_string()))
    }

    fn policy(&self, s: &Object<Policy>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => spec.name.as_str().into(),
            "slug" => spec.slug.as_str().into(),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "type" => match spec.direction {
                PolicyDirection::Import => "import-policy",
                PolicyDirection::Export => "export-policy",
                PolicyDirection::Both => "import-export-policy",
            }
            .into(),
            "weight" => spec.weight.into(),
            "address_family" => spec.family.into(),
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    fn community(&self, s: &Object<Community>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => spec.name.as_str().into(),
            "slug" => spec.slug.as_str().into(),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "value" => spec.value.as_str().into(),
            "kind" => spec.kind().map_or_else(none, |kind| kind.word().into()),
            "type" => spec.direction.map_or_else(none, |d: CommunityDirection| d.word().into()),
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }

    fn timers(&self, s: &Object<Bfd>, name: &str) -> Option<Value> {
        let spec = &s.spec;
        Some(match name {
            "name" => text(spec.name.as_deref()),
            "slug" => text(spec.slug.as_deref()),
            "description" => text(spec.description.as_deref()),
            "comments" => spec.comments.as_str().into(),
            "minimum_transmit_interval" => spec.tx_ms.into(),
            "minimum_receive_interval" => spec.rx_ms.into(),
            "detection_multiplier" => spec.multiplier.into(),
            "hold_time" => spec.hold_ms.into(),
            "local_context_data" => spec.context.as_ref().map_or_else(none, from_json),
            "config_context" => self.context(s, spec.context.as_ref()),
            _ => return row(s, name),
        })
    }
}

fn platform(s: &Object<Platform>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "slug" => spec.slug.as_str().into(),
        "description" => text(spec.description.as_deref()),
        "napalm_driver" => spec.driver.as_str().into(),
        "napalm_args" => spec.args.as_ref().map_or_else(none, from_json),
        "password_algorithm" => spec.password_form.map_or("", PasswordForm::word).into(),
        _ => return row(s, name),
    })
}

fn relationship(s: &Object<Relationship>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "slug" => spec.slug.as_str().into(),
        "color" => spec.colour.as_str().into(),
        "description" => text(spec.description.as_deref()),
        _ => return row(s, name),
    })
}

fn tag(s: &Object<Tag>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "slug" => spec.slug.as_str().into(),
        "color" => spec.colour.as_str().into(),
        "comments" | "description" => spec.description.as_str().into(),
        _ => return row(s, name),
    })
}

fn template(s: &Object<Template>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "description" => text(spec.description.as_deref()),
        "template" => spec.text.as_str().into(),
        "jinja2_trim" => spec.trim.into(),
        "jinja2_lstrip" => spec.lstrip.into(),
        "comments" => spec.comments.as_str().into(),
        _ => return row(s, name),
    })
}

fn contact(s: &Object<Contact>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "title" => spec.title.as_str().into(),
        "phone" => spec.phone.as_str().into(),
        "email" => spec.email.as_str().into(),
        "address" => spec.address.as_str().into(),
        "description" => text(spec.description.as_deref()),
        "comments" => spec.comments.as_str().into(),
        _ => return row(s, name),
    })
}

/// A port of a network in the public peering database, by that database's names.
fn port(s: &Object<PdbPort>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "id" | "pk" => spec.pdb_id.into(),
        "asn" => spec.asn.get().into(),
        "ixlan_id" => spec.ixlan_id.map_or_else(none, Value::from),
        "net_id" => spec.net_id.map_or_else(none, Value::from),
        "ipaddr4" => spec.ipaddr4.map_or_else(none, |ip| Address::host(ip.into()).value()),
        "ipaddr6" => spec.ipaddr6.map_or_else(none, |ip| Address::host(ip.into()).value()),
        "is_rs_peer" => spec.is_rs_peer.0.into(),
        "bfd_support" => spec.bfd_support.0.into(),
        "operational" => spec.operational.unwrap_or(true).into(),
        "speed" => spec.speed.0.into(),
        "notes" => spec.notes.as_str().into(),
        _ => return None,
    })
}

fn facility(s: &Object<PdbFacility>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "id" | "pk" => spec.pdb_id.into(),
        "name" => spec.name.as_str().into(),
        "aka" => spec.aka.as_str().into(),
        "website" => spec.website.as_str().into(),
        "address1" => spec.address1.as_str().into(),
        "address2" => spec.address2.as_str().into(),
        "city" => spec.city.as_str().into(),
        "state" => spec.state.as_str().into(),
        "zipcode" => spec.zipcode.as_str().into(),
        "country" => spec.country.as_str().into(),
        _ => return None,
    })
}

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
