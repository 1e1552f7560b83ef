//! A virtual cross connect: one leg of a circuit, with the circuit's commercial fields.

use meetme_app::{Error, circuits::Whole};
use meetme_model::{LifeStatus, Phase, Wanted, fabric::Leg};
use meetme_store::{Object, Tx};
use serde_json::{Map, Value, json};

use super::csp;
use crate::{end, scene::Scene};

/// The name of a leg: its circuit's, with the side where there are two.
pub fn name(whole: &Whole, leg: &Object<Leg>) -> String {
    let name = &whole.circuit.spec.name;
    match (whole.circuit.spec.redundant, leg.spec.side) {
        (false, _) => name.clone(),
        (true, 2) => format!("{name} - Secondary"),
        (true, _) => format!("{name} - Primary"),
    }
}

/// The name of the other leg of a circuit that has two.
pub fn other_name(whole: &Whole, leg: &Object<Leg>) -> Option<String> {
    whole.legs.iter().find(|other| other.id != leg.id).map(|other| name(whole, other))
}

/// Where a leg stands. A cancellation for a later date is the circuit's; everything else was seen of the leg.
fn life(whole: &Whole, leg: &Object<Leg>) -> LifeStatus {
    let mut life = leg.status.life.clone();
    if whole.circuit.status.phase == Phase::Ending {
        life.phase = Phase::Ending;
    }
    life.ready_at = life.ready_at.or(whole.circuit.status.ready_at);
    life
}

/// A leg.
pub fn vxc(tx: &mut Tx<'_>, scene: &mut Scene, whole: &Whole, leg: &Object<Leg>) -> Result<Value, Error> {
    let circuit = &whole.circuit;
    let spec = &circuit.spec;
    let (company, company_name) = scene.company_names(tx, circuit.tenant)?;
    let a = end::show(tx, scene, &leg.spec.a, leg.spec.router)?;
    let z = end::show(tx, scene, &leg.spec.z, leg.spec.router)?;
    let is_off = leg.spec.off || spec.life.wanted == Wanted::Off;
    let is_asking = circuit.status.phase == Phase::Asking;
    let name = name(whole, leg);
    let mut out = Map::new();
    super::life(&mut out, circuit.created, &spec.life, &life(whole, leg));
    let own = json!({
        "productId": leg.id.get(),
        "productUid": leg.uid,
        "nServiceId": leg.id.get(),
        "productName": name,
        "productType": "VXC",
        "rateLimit": spec.rate.get(),
        "distanceBand": if a["locationDetail"]["metro"] == z["locationDetail"]["metro"] { "METRO" } else { "ZONE" },
        "usageAlgorithm": "NOT_POST_PAID",
        "resources": {
            "interface": [],
            "virtual_router": null,
            "csp_connection": csp::connections(tx, scene, whole, leg)?,
            "vll": {
                "a_vlan": a["vlan"],
                "b_vlan": z["vlan"],
                "description": spec.description.clone().unwrap_or_default(),
                "id": leg.id.get(),
                "name": name,
                "rate_limit_mbps": spec.rate.get(),
                "resource_name": "vll",
                "resource_type": "vll",
                "shutdown": is_off,
            },
        },
        "vxcApproval": is_asking.then(|| json!({
            "status": "PENDING",
            "message": "The owner of the other end has to agree.",
            "uid": leg.uid,
            "type": "NEW",
            "newSpeed": spec.rate.get(),
        })),
        "aEnd": a,
        "bEnd": z,
        "shutdown": is_off,
        "companyUid": company,
        "companyName": company_name,
        "attributeTags": {},
        "cancelable": whole.legs.len() < 2,
    });
    if let Value::Object(own) = own {
        out.extend(own);
    }
    Ok(out.into())
}
