//! What a device reads about itself, in this dialect's form. One document for the API's `/devices/{id}/metadata` and for the service
//! that machines ask by their source address.

use meetme_app::devices::Facts;
use meetme_model::{
    fabric::{Address, Block, BlockReach, Port, Shape},
    metal::Volume,
};
use meetme_store::Object;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    ext,
    resource::{Own, code_of_metro, code_of_site, iqn, specs, state},
    show::at,
};

/// Where a machine finds the services it talks to, as whole URLs. What is absent is left out of the document.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    /// The service that answers with this document.
    pub api: Option<String>,
    /// Where the machine says that it has started.
    pub phone_home: Option<String>,
    /// Where the machine says how it is.
    pub user_state: Option<String>,
}

/// The document.
#[derive(Debug, Serialize)]
pub struct Metadata {
    id: String,
    hostname: String,
    iqn: String,
    operating_system: Value,
    plan: String,
    reserved: bool,
    class: String,
    facility: String,
    metro: String,
    private_subnets: Vec<String>,
    tags: Vec<String>,
    ssh_keys: Vec<String>,
    storage: Value,
    network: Network,
    customdata: Value,
    specs: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    switch_short_id: Option<String>,
    state: &'static str,
    volumes: Vec<Value>,
    spot: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_home_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_state_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct Network {
    bonding: Value,
    interfaces: Vec<Value>,
    addresses: Vec<Value>,
}

/// Writes the document of a machine.
pub fn document(facts: &Facts, doors: &Doors) -> Metadata {
    let (spec, image, plan) = (&facts.device.spec, &facts.image.spec, &facts.plan.spec);
    let own: Own = ext::get(&spec.ext);
    Metadata {
        id: facts.device.uid.to_string(),
        hostname: spec.hostname.clone(),
        iqn: iqn(&facts.device),
        operating_system: json!({
            "slug": image.slug, "distro": image.distro, "version": image.version,
            "license_activation": { "state": if image.licensed { "licensed" } else { "unlicensed" } },
            "image_tag": null,
        }),
        plan: plan.slug.clone(),
        reserved: spec.reservation.is_some(),
        class: plan.class.clone().unwrap_or_else(|| plan.slug.clone()),
        facility: code_of_site(&facts.site.spec),
        metro: code_of_metro(&facts.metro.spec),
        private_subnets: facts.private_networks.iter().map(ToString::to_string).collect(),
        tags: facts.tags.clone(),
        ssh_keys: facts.keys.clone(),
        storage: spec.layout.clone().unwrap_or_else(|| json!({})),
        network: network(facts),
        customdata: ext::custom(own.customdata.as_ref()),
        specs: specs(&plan.specs, &plan.features),
        switch_short_id: facts.switch.as_ref().map(|switch| switch.uid.short()),
        state: state(&facts.device, ""),
        volumes: facts.volumes.iter().map(volume).collect(),
        spot: spot(facts),
        api_url: doors.api.clone(),
        phone_home_url: doors.phone_home.clone(),
        user_state_url: doors.user_state.clone(),
    }
}

/// Empty as long as nothing ends; a machine that was outbid reads here when it goes.
fn spot(facts: &Facts) -> Value {
    match (&facts.device.spec.spot, facts.device.spec.life.gone_at) {
        (Some(_), Some(end)) => json!({ "termination_time": at(end) }),
        _ => json!({}),
    }
}

fn network(facts: &Facts) -> Network {
    let bond = |port: &Port| facts.ports.iter().find(|p| Some(p.id) == port.leader && port.bonded);
    let interfaces = facts.ports.iter().map(|p| &p.spec).filter(|p| p.shape == Shape::Nic).map(|port| {
        json!({
            "name": port.name, "mac": port.mac.map(|mac| mac.to_string()), "bond": bond(port).map(|b| b.spec.name.clone()),
        })
    });
    Network {
        // 802.3ad, in the numbers of Linux' bonding driver.
        bonding: json!({ "mode": 4 }),
        interfaces: interfaces.collect(),
        addresses: facts.addresses.iter().map(|(a, block)| address(a, block)).collect(),
    }
}

/// What a machine needs to use a volume. Its size is a text here, and a number everywhere else.
fn volume(row: &Object<Volume>) -> Value {
    json!({
        "name": row.spec.name, "iqn": row.status.iqn, "ips": row.status.portals,
        "capacity": { "size": row.spec.size_gb.to_string(), "unit": "gb" },
    })
}

fn address(row: &Object<Address>, block: &Object<Block>) -> Value {
    let (spec, net) = (&row.spec, row.spec.ip.0);
    let parent = block.spec.prefix.map(|prefix| {
        json!({
            "network": prefix.network().to_string(), "netmask": prefix.netmask().to_string(),
            "cidr": prefix.prefix_len(), "href": format!("/ips/{}", block.uid),
        })
    });
    json!({
        "id": row.uid.to_string(),
        "href": format!("/ips/{}", row.uid),
        "address_family": if net.addr().is_ipv4() { 4 } else { 6 },
        "netmask": net.netmask().to_string(),
        "created_at": at(row.created),
        "public": spec.public,
        "cidr": net.prefix_len(),
        "management": spec.management,
        "enabled": true,
        "global_ip": block.spec.reach == BlockReach::Global,
        "network": net.network().to_string(),
        "address": net.addr().to_string(),
        "gateway": spec.gateway.unwrap_or(net.addr()).to_string(),
        "parent_block": parent,
    })
}
