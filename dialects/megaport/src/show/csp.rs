//! What a leg's ends are told besides their VLANs: the provider's side of it, and the interfaces of a router.

use meetme_app::{Error, circuits::Whole};
use meetme_model::{
    BgpState,
    fabric::{End, Face, Leg},
};
use meetme_store::{Object, Tx};
use serde_json::{Value, json};

use crate::{scene::Scene, words};

/// The connections of a leg: one for the provider, one for each routed end.
pub fn connections(tx: &mut Tx<'_>, scene: &mut Scene, whole: &Whole, leg: &Object<Leg>) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    let offer = match whole.circuit.spec.offer {
        Some(offer) => scene.offer(tx, offer)?,
        None => None,
    };
    if let Some(offer) = offer {
        out.extend(provider(whole, leg, offer.spec.far.as_deref()));
    }
    for (end, name) in [(&leg.spec.a, "a_csp_connection"), (&leg.spec.z, "b_csp_connection")] {
        if end.at.is_some_and(|at| at.is_routed()) {
            let attached = scene.attached(tx, end.at, leg.spec.router)?;
            out.push(routed(whole, leg, end, name, &attached.name));
        }
    }
    Ok(out)
}

fn provider(whole: &Whole, leg: &Object<Leg>, far: Option<&str>) -> Option<Value> {
    let told = |member: &str| leg.spec.far.as_ref().and_then(|f| f.get(member)).cloned();
    let text = |member: &str| told(member).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let number = |member: &str| told(member).and_then(|v| v.as_i64()).unwrap_or(0);
    let rate = whole.circuit.spec.rate.get();
    let vlan = words::vlan(leg.spec.z.tag, leg.spec.z.vlan);
    let name = "b_csp_connection";
    let kind = "csp_connection";
    let peering = whole.circuit.spec.peering.map_or("private", |p| p.word());
    Some(match far? {
        "aws" if text("form") == "connection" => json!({
            "connectType": "AWSHC", "resource_name": name, "resource_type": kind, "bandwidth": rate, "name": text("name"),
            "ownerAccount": text("account"), "bandwidths": [rate], "connectionId": leg.status.remote_id.clone().unwrap_or_default(),
            "type": peering,
        }),
        "aws" => json!({
            "connectType": "AWS", "resource_name": name, "resource_type": kind, "vlan": vlan, "account": text("account"),
            "amazon_address": text("amazon_address"), "amazonIpAddress": text("amazon_address"), "asn": number("asn"),
            "amazonAsn": number("cloud_asn"), "authKey": "", "customer_address": text("customer_address"),
            "customerIpAddress": text("customer_address"), "id": leg.id.get(), "name": text("name"),
            "ownerAccount": text("account"), "peerAsn": number("asn"), "type": peering,
            "vif_id": leg.status.remote_id.clone().unwrap_or_default(),
        }),
        "azure" => json!({
            "connectType": "AZURE", "resource_name": name, "resource_type": kind, "bandwidth": rate, "managed": false,
            "megaports": [], "ports": [], "service_key": text("service_key"), "vlan": vlan, "peers": peers(told("peers")),
        }),
        "google" => json!({
            "connectType": "GOOGLE", "resource_name": name, "resource_type": kind, "bandwidth": rate, "bandwidths": [rate],
            "megaports": [], "ports": [], "csp_name": text("pairing_key"), "pairingKey": text("pairing_key"),
        }),
        "oracle" => json!({
            "connectType": "ORACLE", "resource_name": name, "resource_type": kind, "csp_name": text("ocid"), "bandwidth": rate,
            "megaports": [], "ports": [], "virtualCircuitId": text("ocid"),
        }),
        // Of the others clients read nothing but the type.
        _ => return None,
    })
}

/// The peerings of an Azure circuit in the form they are read back.
fn peers(told: Option<Value>) -> Vec<Value> {
    let list = told.and_then(|v| v.as_array().cloned()).unwrap_or_default();
    list.into_iter()
        .map(|peer| {
            let text = |member: &str| peer.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
            json!({
                "type": text("type"), "peer_asn": peer.get("asn").and_then(Value::as_i64).unwrap_or(0),
                "primary_subnet": text("primary_subnet"), "secondary_subnet": text("secondary_subnet"),
                "prefixes": text("prefixes"), "shared_key": "",
                "vlan": peer.get("vlan").and_then(Value::as_i64).unwrap_or(0),
            })
        })
        .collect()
}

fn routed(whole: &Whole, leg: &Object<Leg>, end: &End, resource: &str, router: &str) -> Value {
    let interfaces: Vec<Value> =
        end.faces.iter().enumerate().map(|(at, face)| interface(whole, leg, face, at)).collect();
    let addresses: Vec<Value> =
        interfaces.iter().filter_map(|i| i["ipAddresses"].as_array().cloned()).flatten().collect();
    json!({
        "connectType": "VROUTER", "resource_name": resource, "resource_type": "csp_connection",
        "vlan": words::vlan(end.tag, end.vlan), "interfaces": interfaces, "ip_addresses": addresses, "virtualRouterName": router,
    })
}

fn interface(whole: &Whole, leg: &Object<Leg>, face: &Face, at: usize) -> Value {
    let own = face.link.and_then(|link| link.our_interface());
    let addresses: Vec<String> = own.into_iter().chain(face.addresses.iter().copied()).map(|a| a.to_string()).collect();
    let routes: Vec<Value> = face
        .routes
        .iter()
        .map(|route| {
            json!({"prefix": route.prefix.to_string(), "description": route.text.clone().unwrap_or_default(), "nextHop": route.next_hop.to_string()})
        })
        .collect();
    let sessions =
        whole.sessions.iter().filter(|s| s.spec.leg == Some(leg.id) && usize::from(s.spec.face.unwrap_or(0)) == at);
    let bgp: Vec<Value> = sessions
        .map(|session| {
            json!({
                "peerAsn": session.spec.peer.asn.get(),
                "localAsn": session.spec.local_asn.map(|asn| asn.get()),
                "localIpAddress": session.spec.local_ip.map(|ip| ip.ip().to_string()).unwrap_or_default(),
                "peerIpAddress": session.spec.ip.ip().to_string(),
                "shutdown": session.spec.peer.admin != meetme_model::Admin::Enabled,
                "bfdEnabled": session.spec.peer.bfd.is_some() || whole.circuit.spec.bgp.bfd.is_some(),
                "description": session.spec.peer.description.clone().unwrap_or_default(),
                "up": session.status.state == Some(BgpState::Established),
            })
        })
        .collect();
    let bfd = whole.circuit.spec.bgp.bfd.map_or_else(
        || json!({}),
        |t| json!({"txInterval": t.tx_ms, "rxInterval": t.rx_ms, "multiplier": t.multiplier}),
    );
    json!({
        "ipAddresses": addresses,
        "ipRoutes": routes,
        "bgpConnections": bgp,
        "natIpAddresses": face.nat.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "bfd": bfd,
    })
}
