//! The fields of every object, by the names templates know them under: those of the peering book's API, and what its
//! objects tell beside. How objects lead to each other is in [`super::tree`].

use meetme_base::{IfAddr, RawId, Time};
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
use meetme_template::{Address, Value, from_json};

use super::book::Book;
use crate::contexts;

/// Nothing, as templates see it.
pub(super) fn none() -> Value {
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
pub(super) fn row<R: Resource>(row: &Object<R>, name: &str) -> Option<Value> {
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

    pub(super) fn system(&self, s: &Object<AutonomousSystem>, name: &str) -> Option<Value> {
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

    pub(super) fn exchange(&self, s: &Object<Exchange>, name: &str) -> Option<Value> {
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

    pub(super) fn group(&self, s: &Object<PeerGroup>, name: &str) -> Option<Value> {
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

    pub(super) fn link(&self, s: &Object<ExchangeLink>, name: &str) -> Option<Value> {
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
    pub(super) fn link_name(&self, link: &Object<ExchangeLink>) -> String {
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
            "encrypted_password" => self.beside.spelled.get(&s.id.any()).map_or_else(none, |p| p.as_str().into()),
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

    pub(super) fn across(&self, s: &Object<ExchangeSession>, name: &str) -> Option<Value> {
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

    pub(super) fn direct(&self, s: &Object<DirectSession>, name: &str) -> Option<Value> {
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

    pub(super) fn router(&self, s: &Object<Router>, name: &str) -> Option<Value> {
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

    pub(super) fn policy(&self, s: &Object<Policy>, name: &str) -> Option<Value> {
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

    pub(super) fn community(&self, s: &Object<Community>, name: &str) -> Option<Value> {
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

    pub(super) fn timers(&self, s: &Object<Bfd>, name: &str) -> Option<Value> {
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

pub(super) fn platform(s: &Object<Platform>, name: &str) -> Option<Value> {
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

pub(super) fn relationship(s: &Object<Relationship>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "slug" => spec.slug.as_str().into(),
        "color" => spec.colour.as_str().into(),
        "description" => text(spec.description.as_deref()),
        _ => return row(s, name),
    })
}

pub(super) fn tag(s: &Object<Tag>, name: &str) -> Option<Value> {
    let spec = &s.spec;
    Some(match name {
        "name" => spec.name.as_str().into(),
        "slug" => spec.slug.as_str().into(),
        "color" => spec.colour.as_str().into(),
        "comments" | "description" => spec.description.as_str().into(),
        _ => return row(s, name),
    })
}

pub(super) fn template(s: &Object<Template>, name: &str) -> Option<Value> {
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

pub(super) fn contact(s: &Object<Contact>, name: &str) -> Option<Value> {
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
pub(super) fn port(s: &Object<PdbPort>, name: &str) -> Option<Value> {
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

pub(super) fn facility(s: &Object<PdbFacility>, name: &str) -> Option<Value> {
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
