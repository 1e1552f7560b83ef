//! Writing connections: what lists need is looked up once for all of them.

use std::collections::HashMap;

use meetme_app::{App, Error, access, circuits::Whole};
use meetme_base::{Id, IpNet, Uid};
use meetme_model::{
    fabric::{Leg, Network, Port, Target},
    place::{Metro, Offer, Region},
    routing::DirectSession,
};
use meetme_store::{Object, Resource as _, Tx};
use serde_json::Value;

use crate::{
    DIALECT, catalogue, convert,
    ids::{CONNECTION, GATEWAY, NETWORK, Names, PORT},
    wire::{self, Link},
};

/// What is needed to write some circuits.
pub struct Writer {
    names: Names,
    networks: HashMap<Id<Network>, Object<Network>>,
    metros: HashMap<Id<Metro>, Object<Metro>>,
    offers: HashMap<Id<Offer>, Object<Offer>>,
    regions: HashMap<Id<Region>, Object<Region>>,
    ports: HashMap<Id<Port>, Object<Port>>,
    passwords: HashMap<Id<DirectSession>, String>,
}

impl Writer {
    /// Looks up what is needed.
    pub fn of(app: &App, tx: &mut Tx<'_>, list: &[Whole]) -> Result<Self, Error> {
        let circuits = || list.iter().map(|whole| &whole.circuit.spec);
        let mut passwords = HashMap::new();
        for whole in list {
            let may_read = access::require(tx, DirectSession::KIND, "reveal", whole.circuit.tenant).is_ok();
            for session in whole.sessions.iter().filter(|_| may_read) {
                if let Some(sealed) = &session.spec.peer.password {
                    passwords.insert(session.id, app.sealer().open(sealed)?.expose().clone());
                }
            }
        }
        let ports: Vec<Id<Port>> = list.iter().flat_map(|w| &w.legs).filter_map(|leg| port_of(&leg.spec)).collect();
        // Whoever sees a circuit knows where it runs and what it was bought as.
        let (networks, metros, offers, regions, ports) = tx.as_system(|tx| {
            Ok::<_, Error>((
                tx.many(circuits().filter_map(|c| c.network))?,
                tx.many(circuits().filter_map(|c| c.metro))?,
                tx.many(circuits().filter_map(|c| c.offer))?,
                tx.many(circuits().filter_map(|c| c.region))?,
                tx.many(ports)?,
            ))
        })?;
        let objects = list.iter().flat_map(|w| w.legs.iter().map(|l| l.id.any()).chain([w.circuit.id.any()]));
        let others = networks.keys().map(|id| id.any()).chain(ports.keys().map(|id| id.any()));
        let names = Names::of(tx, objects.chain(others))?;
        Ok(Self { names, networks, metros, offers, regions, ports, passwords })
    }

    /// The type of a circuit here; none when there is no word for what it reaches.
    fn kind(&self, whole: &Whole) -> Option<&'static str> {
        let leg = whole.legs.first()?;
        if port_of(&leg.spec).is_some() {
            return Some("PORT");
        }
        let far = self.offers.get(&whole.circuit.spec.offer?)?.spec.far.as_deref()?;
        convert::kind(far)
    }

    fn link<T: meetme_store::Resource>(&self, form: crate::ids::Form, id: Id<T>, uid: Uid, title: &str) -> Link {
        form.link(&self.names.id(form, id, uid), title)
    }

    /// A connection; none when the dialect has no word for it.
    pub fn connection(&self, whole: &Whole) -> Option<wire::Connection> {
        let kind = self.kind(whole)?;
        let (circuit, spec) = (&whole.circuit, &whole.circuit.spec);
        let id = self.names.id(CONNECTION, circuit.id, circuit.uid);
        let own = spec.ext.get(DIALECT);
        let gateway = |side| whole.leg(side).map(|leg| self.gateway(whole, leg));
        let mut out = wire::Connection {
            kind: Some(kind.to_owned()),
            href: Some(CONNECTION.href(&id)),
            id: Some(id),
            name: Some(spec.name.clone()),
            description: spec.description.clone(),
            state: Some(convert::connection_state(&circuit.status)),
            error_code: convert::failure(&circuit.status, false),
            error_message: circuit.status.reason.as_ref().map(|r| r.text.clone()),
            speed: Some(wire::Speed(convert::speed(spec.rate))),
            high_availability: Some(spec.redundant),
            billing_term: Some(convert::term(spec.life.term).to_owned()),
            location: spec.metro.and_then(|id| self.metros.get(&id)).map(catalogue::location_link),
            network: spec
                .network
                .and_then(|id| self.networks.get(&id))
                .map(|n| self.link(NETWORK, n.id, n.uid, &n.spec.name)),
            tags: Some(wire::tags(&spec.labels)),
            advertise_internal_routes: Some(spec.advertise_internal),
            customer_asn: spec.bgp.asn.map(|asn| i64::from(asn.get())),
            customer_networks: Some(spec.nearby.iter().map(customer_network).collect()),
            nat: Some(nat(&spec.nat)),
            bgp_maximum_prefix: spec.bgp.max_prefix.map(i64::from),
            bgp_alert_percent: spec.bgp.alert_percent.map(i64::from),
            bgp_restart_interval: spec.bgp.restart_minutes.map(i64::from),
            bgp_password_configuration: Some(self.passwords(whole)),
            bfd: spec.bgp.bfd.map(|t| wire::Bfd {
                transmit_interval: Some(t.tx_ms),
                receive_interval: Some(t.rx_ms),
                detect_multiplier: Some(u32::from(t.multiplier)),
            }),
            primary_gateway: gateway(1),
            secondary_gateway: gateway(2),
            created_at: Some(convert::time(circuit.created)),
            active_at: circuit.status.ready_at.map(convert::time),
            ..wire::Connection::default()
        };
        if kind != "PORT" {
            let vlan = |side| whole.leg(side).and_then(|leg| leg.spec.z.vlan).map(|v| i64::from(v.get()));
            (out.primary_vlan, out.secondary_vlan) = (vlan(1), vlan(2));
        }
        self.particular(kind, whole, own, &mut out);
        Some(out)
    }

    /// The members of one type.
    fn particular(&self, kind: &str, whole: &Whole, own: Option<&Value>, out: &mut wire::Connection) {
        let spec = &whole.circuit.spec;
        let told = |side: u8, member: &str| -> Option<String> {
            let text = whole.leg(side)?.spec.far.as_ref()?.get(member)?.as_str()?;
            Some(text.to_owned())
        };
        let region = spec.region.and_then(|id| self.regions.get(&id));
        let peering = || {
            let ips = |side| {
                let link = whole.leg(side).and_then(|leg| leg.spec.a.faces.first()).and_then(|face| face.link);
                (link.and_then(|l| l.our_interface()), link.and_then(|l| l.their_interface()))
            };
            let mut peering =
                wire::Peering { kind: Some(convert::peering(spec.peering).to_owned()), ..Default::default() };
            if kind == "ORACLE_FAST_CONNECT" {
                let text = |ip: Option<meetme_base::IfAddr>| ip.map(|ip| ip.to_string());
                (peering.primary_ours, peering.primary_theirs) = (text(ips(1).0), text(ips(1).1));
                (peering.secondary_ours, peering.secondary_theirs) = (text(ips(2).0), text(ips(2).1));
            }
            Some(peering)
        };
        match kind {
            "AWS_DIRECT_CONNECT" => {
                out.aws_account_id = told(1, "account");
                out.aws_region = region.map(|r| r.spec.code.clone());
                out.cloud_region = region.map(catalogue::region_link);
                out.cloud_services = Some(Vec::new());
                out.cloud_services_prefix_whitelist =
                    Some(spec.prefixes_allowed.iter().map(ToString::to_string).collect());
                out.peering = peering();
            }
            "AZURE_EXPRESS_ROUTE" => {
                out.service_key = told(1, "service_key");
                out.peering = peering();
            }
            "GOOGLE_CLOUD_INTERCONNECT" => {
                (out.primary_pairing_key, out.secondary_pairing_key) = (told(1, "pairing_key"), told(2, "pairing_key"));
            }
            "ORACLE_FAST_CONNECT" => {
                (out.primary_ocid, out.secondary_ocid) = (told(1, "ocid"), told(2, "ocid"));
                out.cloud_region = region.map(catalogue::region_link);
                out.peering = peering();
            }
            "PACKET_FABRIC" => {
                (out.customer_primary_id, out.customer_secondary_id) = (told(1, "customer"), told(2, "customer"));
                out.customer = convert::from_ext(own, "customer");
                out.cloud_region = region.map(catalogue::region_link);
                out.peering = peering();
            }
            "EQUINIX_CLOUD_EXCHANGE" => {
                (out.service_uuid, out.metro_code) = (told(1, "service"), told(1, "metro"));
                out.peering = peering();
            }
            "PORT" => {
                let port = |side| {
                    let leg = whole.leg(side)?;
                    let port = self.ports.get(&port_of(&leg.spec)?)?;
                    Some(self.link(PORT, port.id, port.uid, &port.spec.name))
                };
                let vlan = |side| whole.leg(side).map(|leg| leg.spec.z.vlan.map_or(0, |v| i64::from(v.get())));
                (out.primary_port, out.secondary_port) = (port(1), port(2));
                (out.primary_customer_vlan, out.secondary_customer_vlan) = (vlan(1), vlan(2));
            }
            _ => out.peering = peering(),
        }
    }

    fn passwords(&self, whole: &Whole) -> wire::BgpPasswords {
        let of = |side| whole.leg(side).and_then(|leg| self.passwords.get(&whole.session(leg.id)?.id).cloned());
        wire::BgpPasswords { enabled: Some(whole.circuit.spec.bgp.passwords), primary: of(1), secondary: of(2) }
    }

    /// A gateway.
    pub fn gateway(&self, whole: &Whole, leg: &Object<Leg>) -> wire::Gateway {
        let id = GATEWAY.id(leg.uid);
        let (domain, side) = if leg.spec.side == 2 { ("SECONDARY", "Secondary") } else { ("PRIMARY", "Primary") };
        let connection = &whole.circuit;
        wire::Gateway {
            kind: "STANDARD",
            href: GATEWAY.href(&id),
            id,
            name: format!("{} - {side}", connection.spec.name),
            description: String::new(),
            availability_domain: domain,
            state: convert::gateway_state(&leg.status.life),
            error_code: convert::failure(&leg.status.life, true),
            error_message: leg.status.life.reason.as_ref().map(|r| r.text.clone()),
            connection: self.link(CONNECTION, connection.id, connection.uid, &connection.spec.name),
            remote_id: leg.status.remote_id.clone(),
            version: leg.status.version.clone(),
            vlan: leg.spec.z.vlan.map(|v| v.get()),
            link_state: match leg.status.link {
                Some(meetme_model::fabric::LinkState::Up) => "UP",
                Some(meetme_model::fabric::LinkState::Down) => "DOWN",
                Some(meetme_model::fabric::LinkState::Pending) | None => "PENDING",
            },
            bgp_config: self.bgp(whole, leg),
        }
    }

    fn bgp(&self, whole: &Whole, leg: &Object<Leg>) -> wire::BgpConfig {
        let session = whole.session(leg.id);
        let network = whole.circuit.spec.network.and_then(|id| self.networks.get(&id));
        let link = leg.spec.a.faces.first().and_then(|face| face.link);
        let ip = |interface: Option<meetme_base::IfAddr>| interface.map(|ip| ip.to_string()).unwrap_or_default();
        wire::BgpConfig {
            our_asn: session.and_then(|s| s.spec.local_asn).or(network.map(|n| n.spec.asn)).map_or(0, |asn| asn.get()),
            customer_asn: session.map_or(0, |s| s.spec.peer.asn.get()),
            our_ip: ip(link.and_then(|l| l.our_interface())),
            customer_ip: ip(link.and_then(|l| l.their_interface())),
            subnet: link.map(|l| l.subnet.to_string()).unwrap_or_default(),
            password: session.and_then(|s| self.passwords.get(&s.id)).cloned(),
            public_nat_ip: whole.circuit.spec.nat.outbound.map(|net: IpNet| net.addr().to_string()),
            state: convert::bgp_state(session.map(|s| &s.status)),
        }
    }
}

/// The port at a leg's far end.
fn port_of(leg: &Leg) -> Option<Id<Port>> {
    match leg.z.at {
        Some(Target::Port(id)) => Some(id),
        _ => None,
    }
}

fn customer_network(nearby: &meetme_model::fabric::Nearby) -> wire::CustomerNetwork {
    wire::CustomerNetwork { name: nearby.name.clone(), address: nearby.prefix.to_string() }
}

fn nat(nat: &meetme_model::fabric::Nat) -> wire::Nat {
    let mapping = |map: &meetme_model::fabric::NatMap| wire::NatMapping {
        native_cidr: map.native.to_string(),
        nat_cidr: map.nat.map(|net| net.to_string()),
        block: map.block.map(|net| net.to_string()),
    };
    wire::Nat {
        enabled: Some(nat.enabled),
        mappings: Some(nat.maps.iter().map(mapping).collect()),
        blocks: nat.blocks.iter().map(ToString::to_string).collect(),
        pnat_cidr: nat.outbound.map(|net| net.to_string()).unwrap_or_default(),
    }
}
