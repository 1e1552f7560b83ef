//! The machines of the demo world: plans, images, and free servers at every site.

use std::collections::BTreeMap;

use meetme_app::{
    Error,
    devices::reservations::{self, NewReservation},
};
use meetme_base::{Id, MacAddr};
use meetme_model::{
    Ext, Term,
    access::Project,
    metal::{Nic, Server},
    ops::{Equipment, Family},
    place::{Image, Per, Plan, Price, Site},
};
use meetme_store::{Filter, Tx};
use serde_json::json;

use super::{
    access::People,
    place::{Places, spec},
};

/// Plan: slug, name, class, processor, memory in MiB, disks, network cards, price an hour in thousandths of a dollar.
type PlanRow = (&'static str, &'static str, &'static str, &'static str, u64, (u32, u64, &'static str), u32, i64);

const PLANS: &[PlanRow] = &[
    ("baremetal_0", "t1.small.x86", "t1.small.x86", "Intel Atom C2550 @ 2.4GHz", 8192, (1, 80, "SSD"), 2, 70),
    ("baremetal_1", "c1.small.x86", "c1.small.x86", "Intel Xeon E3-1240 v3 @ 3.4GHz", 32_768, (2, 120, "SSD"), 2, 400),
    ("baremetal_1e", "x1.small.x86", "x1.small.x86", "Intel Xeon E3-1578L @ 2.0GHz", 32_768, (1, 240, "SSD"), 2, 400),
    (
        "baremetal_2",
        "m1.xlarge.x86",
        "m1.xlarge.x86",
        "Intel Xeon E5-2650 v4 @ 2.2GHz",
        262_144,
        (6, 480, "SSD"),
        2,
        1700,
    ),
    (
        "baremetal_2a",
        "c1.large.arm",
        "c1.large.arm",
        "Cavium ThunderX CN8890 @ 2.0GHz",
        131_072,
        (1, 340, "SSD"),
        2,
        500,
    ),
    (
        "baremetal_2a2",
        "c1.large.arm.xda",
        "c1.large.arm.xda",
        "Cavium ThunderX CN8890 @ 2.0GHz",
        131_072,
        (1, 340, "SSD"),
        2,
        500,
    ),
    (
        "baremetal_3",
        "c1.xlarge.x86",
        "c1.xlarge.x86",
        "Intel Xeon E5-2640 v3 @ 2.6GHz",
        131_072,
        (1, 1600, "NVME"),
        2,
        1750,
    ),
    (
        "baremetal_s",
        "s1.large.x86",
        "s1.large.x86",
        "Intel Xeon E5-2620 v4 @ 2.1GHz",
        131_072,
        (12, 2000, "HDD"),
        2,
        1500,
    ),
];

/// The sites with every plan; the others have the edge plan alone.
const LARGE: &[&str] = &["ams1", "ewr1", "nrt1", "sjc1"];
const EDGE: &str = "baremetal_1e";
/// Free servers of a plan at a site. A batch of ten at one site can be bought.
const STOCK: u32 = 12;

/// Image: slug, name, distribution, version, login.
const IMAGES: &[(&str, &str, &str, &str, &str)] = &[
    ("ubuntu_22_04", "Ubuntu 22.04 LTS", "ubuntu", "22.04", "root"),
    ("ubuntu_16_04", "Ubuntu 16.04 LTS", "ubuntu", "16.04", "root"),
    ("ubuntu_14_04", "Ubuntu 14.04 LTS", "ubuntu", "14.04", "root"),
    ("debian_12", "Debian 12", "debian", "12", "root"),
    ("centos_7", "CentOS 7", "centos", "7", "root"),
    ("coreos_stable", "CoreOS (stable)", "coreos", "stable", "core"),
];

/// Makes plans, prices, images and servers.
pub fn make(tx: &mut Tx<'_>, people: &People, places: &Places) -> Result<(), Error> {
    let plans = plans(tx, people, places)?;
    for (slug, name, distro, version, login) in IMAGES {
        let image: Image = spec(json!({
            "slug": slug, "name": name, "distro": distro, "version": version, "login": login, "preinstall": true,
            "released": true, "default": *slug == "ubuntu_22_04", "plans": plans.values().collect::<Vec<_>>(),
        }))?;
        tx.create(people.operator, image)?;
    }
    for (slug, name) in [("storage_1", "Standard"), ("storage_2", "Performance")] {
        let plan: Plan = spec(json!({"slug": slug, "name": name, "line": "volume", "forms": ["on_demand"]}))?;
        tx.create(people.operator, plan)?;
    }
    let ipxe: Image = spec(json!({
        "slug": "custom_ipxe", "name": "Custom iPXE", "distro": "custom_ipxe", "version": "1", "released": true,
        "boot": "script", "plans": plans.values().collect::<Vec<_>>(),
    }))?;
    tx.create(people.operator, ipxe)?;
    let mut number = 0;
    for (slug, site) in &places.sites {
        let equipment =
            Equipment { site: Some(*site), ..Equipment::new(format!("servers-{slug}"), Family::Server, "sim", "") };
        let equipment = tx.create(people.operator, equipment)?.id;
        let leaves = leaves(tx, people, slug, *site)?;
        for (plan, id) in plans.iter().filter(|(plan, _)| **plan == EDGE || LARGE.contains(slug)) {
            for n in 0..STOCK {
                number += 1;
                let mut server = server(number, *id, *site, leaves)?;
                server.equipment = Some(equipment);
                server.rack = Some(format!("r{}", n / 4 + 1));
                if n == 0 && *plan != EDGE {
                    server.features = vec!["tpm".to_owned()];
                }
                tx.create(people.operator, server)?;
            }
        }
    }
    reserve(tx)
}

/// The first project has a server of its own.
fn reserve(tx: &mut Tx<'_>) -> Result<(), Error> {
    let project = tx.one::<Project>(&Filter::eq("name", "Project 1"))?;
    let server = tx.one::<Server>(&Filter::eq("plan.slug", "baremetal_2").and(Filter::eq("site.slug", "sjc1")))?;
    let (Some(project), Some(server)) = (project, server) else { return Ok(()) };
    let new = NewReservation {
        server: server.id,
        spare: false,
        description: Some("A server of one's own".to_owned()),
        term: Term::Months(1),
        intervals: Some(12),
        rate: None,
        remove_at: None,
        ext: Ext::new(),
    };
    reservations::reserve(tx, project.id, &new).map(drop)
}

/// The two switches of a site that each machine is patched to.
fn leaves(tx: &mut Tx<'_>, people: &People, slug: &str, site: Id<Site>) -> Result<[Id<Equipment>; 2], Error> {
    let mut leaf = |half: &str| -> Result<Id<Equipment>, Error> {
        let spec = Equipment::new(format!("leaf-{slug}-{half}"), Family::Switch, "sim", "");
        Ok(tx.create(people.operator, Equipment { site: Some(site), ..spec })?.id)
    };
    Ok([leaf("a")?, leaf("b")?])
}

fn server(number: u32, plan: Id<Plan>, site: Id<Site>, leaves: [Id<Equipment>; 2]) -> Result<Server, Error> {
    let serial = format!("DEMO{number:05}");
    let mut server = Server::new(serial, plan, site);
    for (card, leaf) in (0..2u8).zip(leaves) {
        // Locally administered addresses (IEEE 802, the second-lowest bit of the first octet).
        let [_, a, b, c] = number.to_be_bytes();
        server.nics.push(Nic {
            name: format!("eth{card}"),
            mac: MacAddr([0x02, card, 0, a, b, c]),
            switch: Some(leaf),
            interface: Some(format!("swp{number}")),
        });
    }
    Ok(server)
}

/// What the networks of the oldest plans cannot do.
fn network(slug: &str) -> Vec<&'static str> {
    match slug {
        "baremetal_0" | "baremetal_1" => vec![Plan::LAYER3_ONLY],
        "baremetal_1e" => vec![Plan::HYBRID_ONLY],
        _ => Vec::new(),
    }
}

fn plans(tx: &mut Tx<'_>, people: &People, places: &Places) -> Result<BTreeMap<&'static str, Id<Plan>>, Error> {
    let mut out = BTreeMap::new();
    let all: Vec<Id<Site>> = places.sites.values().copied().collect();
    let large: Vec<Id<Site>> = LARGE.iter().map(|slug| places.sites[slug]).collect();
    for (slug, name, class, cpu, memory_mib, (disks, size_gb, form), cards, price) in PLANS {
        let sold_at = if *slug == EDGE { &all } else { &large };
        let plan: Plan = spec(json!({
            "slug": slug, "name": name, "class": class, "line": "server", "description": format!("{name}: {cpu}"),
            "specs": {
                "cpus": [{"count": 1, "model": cpu}], "memory_mib": memory_mib,
                "drives": [{"count": disks, "size_gb": size_gb, "form": form}],
                "nics": [{"count": cards, "model": "10Gbps"}],
            },
            "forms": ["on_demand", "spot"], "sold_at": sold_at, "features": network(slug),
        }))?;
        let id = tx.create(people.operator, plan)?.id;
        let cost: Price = spec(json!({
            "of": id, "per": Per::Hour.word(), "amount": {"micros": price * 1000, "currency": "USD"}, "term": "hour",
            "from": meetme_base::Time(0),
        }))?;
        tx.create(people.operator, cost)?;
        out.insert(*slug, id);
    }
    Ok(out)
}
