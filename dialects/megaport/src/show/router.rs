//! An MCR2: an ordered router, or a network that no router owns, which is one that nobody had to order.

use meetme_app::{Error, circuits::Whole};
use meetme_model::{Life, LifeStatus, fabric::Network, place::Zone, routing::Router};
use meetme_store::{Object, Tx};
use serde_json::{Map, Value, json};

use crate::{scene::Scene, words};

/// The speeds there are.
pub const SPEEDS: &[u32] = &[1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 400_000];

/// What the two sorts have in common.
struct Parts<'a> {
    id: i64,
    uid: String,
    name: &'a str,
    tenant: meetme_base::RawId,
    created: meetme_base::Time,
    life: &'a Life,
    seen: &'a LifeStatus,
    speed: u32,
    asn: u32,
    site: Option<meetme_base::Id<meetme_model::place::Site>>,
    zone: Option<Zone>,
    is_virtual: bool,
}

/// An ordered router with the cross connects on it.
pub fn router(tx: &mut Tx<'_>, scene: &mut Scene, router: &Object<Router>, vxcs: Vec<Value>) -> Result<Value, Error> {
    let parts = Parts {
        id: router.id.get(),
        uid: router.uid.to_string(),
        name: &router.spec.name,
        tenant: router.tenant,
        created: router.created,
        life: &router.spec.life,
        seen: &router.status.life,
        speed: router.spec.rate.map_or(0, |rate| rate.get()),
        asn: router.spec.asn.map_or(0, |asn| asn.get()),
        site: router.spec.site,
        zone: router.spec.zone,
        is_virtual: false,
    };
    show(tx, scene, &parts, vxcs)
}

/// A network with its circuits' legs: as fast as the least MCR that could carry them all, and where its first leg is.
pub fn network(
    tx: &mut Tx<'_>,
    scene: &mut Scene,
    network: &Object<Network>,
    circuits: &[Whole],
    vxcs: Vec<Value>,
) -> Result<Value, Error> {
    let carried: u32 = circuits.iter().map(|whole| whole.circuit.spec.rate.get()).fold(0, u32::saturating_add);
    let placed = circuits.iter().flat_map(|whole| &whole.legs).find_map(|leg| leg.spec.router);
    let site = match placed {
        Some(router) => scene.router(tx, router)?.and_then(|r| r.spec.site),
        None => None,
    };
    let parts = Parts {
        id: network.id.get(),
        uid: network.uid.to_string(),
        name: &network.spec.name,
        tenant: network.tenant,
        created: network.created,
        life: &network.spec.life,
        seen: &network.status,
        speed: SPEEDS.iter().copied().find(|speed| *speed >= carried).unwrap_or(carried),
        asn: network.spec.asn.get(),
        site,
        zone: None,
        is_virtual: true,
    };
    show(tx, scene, &parts, vxcs)
}

fn show(tx: &mut Tx<'_>, scene: &mut Scene, parts: &Parts<'_>, vxcs: Vec<Value>) -> Result<Value, Error> {
    let (company, company_name) = scene.company_names(tx, parts.tenant)?;
    let up = i32::from(parts.seen.phase.is_built());
    let mut out = Map::new();
    super::life(&mut out, parts.created, parts.life, parts.seen);
    let own = json!({
        "productId": parts.id,
        "productUid": parts.uid,
        "productName": parts.name,
        "productType": "MCR2",
        "portSpeed": parts.speed,
        "market": scene.market(tx, parts.site)?,
        "locationId": scene.number(tx, parts.site)?,
        "usageAlgorithm": "NOT_POST_PAID",
        "marketplaceVisibility": false,
        "vxcpermitted": true,
        "vxcAutoApproval": false,
        "lagPrimary": false,
        "lagId": 0,
        "aggregationId": 0,
        "companyUid": company,
        "companyName": company_name,
        "attributeTags": {},
        "virtual": parts.is_virtual,
        "buyoutPort": false,
        "cancelable": !parts.is_virtual,
        "resources": {
            "interface": {
                "demarcation": "", "description": "", "id": parts.id, "loa_template": "", "media": "VIRTUAL",
                "name": parts.name, "port_speed": parts.speed, "resource_name": "interface", "resource_type": "interface", "up": up,
            },
            "virtual_router": {
                "id": parts.id, "mcrAsn": parts.asn, "name": parts.name, "resource_name": "virtual_router",
                "resource_type": "virtual_router", "speed": parts.speed, "bgpShutdownDefault": false,
            },
        },
        "diversityZone": words::zone(parts.zone),
        "locationDetail": scene.detail(tx, parts.site)?,
        "associatedVxcs": vxcs,
        "associatedIxs": [],
    });
    if let Value::Object(own) = own {
        out.extend(own);
    }
    Ok(out.into())
}
