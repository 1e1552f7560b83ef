//! A port.

use meetme_app::Error;
use meetme_model::fabric::Port;
use meetme_store::{Object, Tx};
use serde_json::{Map, Value, json};

use crate::{scene::Scene, words};

/// A port with the cross connects on it.
pub fn port(tx: &mut Tx<'_>, scene: &mut Scene, port: &Object<Port>, vxcs: Vec<Value>) -> Result<Value, Error> {
    let spec = &port.spec;
    let (company, company_name) = scene.company_names(tx, port.tenant)?;
    let detail = scene.detail(tx, spec.site)?;
    let site = match spec.site {
        Some(site) => scene.site(tx, site)?,
        None => None,
    };
    let up = i32::from(port.status.up);
    let demarcation = spec.patch.as_ref().map(|p| format!("{} {:?}", p.panel, p.positions)).unwrap_or_default();
    let media = spec.media.clone().unwrap_or_default();
    // The ports of a group are known to each other by the number of the first.
    let group = if spec.bonded { spec.leader.unwrap_or(port.id).get() } else { 0 };
    let mut out = Map::new();
    super::life(&mut out, port.created, &spec.life, &port.status.life);
    let own = json!({
        "productId": port.id.get(),
        "productUid": port.uid,
        "productName": spec.name,
        "productType": "MEGAPORT",
        "portSpeed": spec.rate.get(),
        "market": scene.market(tx, spec.site)?,
        "locationId": scene.number(tx, spec.site)?,
        "usageAlgorithm": "NOT_POST_PAID",
        "marketplaceVisibility": spec.visible,
        "vxcpermitted": spec.leader.is_none(),
        "vxcAutoApproval": spec.auto_approve,
        "lagPrimary": spec.bonded && spec.leader.is_none(),
        "lagId": group,
        "aggregationId": group,
        "companyUid": company,
        "companyName": company_name,
        "attributeTags": {"terminatedServiceDetails": {
            "location": {
                "id": scene.number(tx, spec.site)?,
                "name": site.as_ref().map_or("", |s| s.spec.name.as_str()),
                "site_code": site.as_ref().map_or("", |s| s.spec.slug.as_str()),
            },
            "interface": {
                "resource_type": "interface",
                "demarcation": demarcation,
                "loa_template": "",
                "media": media,
                "port_speed": spec.rate.get(),
                "resource_name": "interface",
                "up": up,
                "shutdown": false,
            },
            "device": "",
        }},
        "virtual": false,
        "buyoutPort": false,
        "cancelable": true,
        "diversityZone": words::zone(spec.zone),
        "resources": {"interface": {
            "demarcation": demarcation,
            "description": spec.description.clone().unwrap_or_default(),
            "id": port.id.get(),
            "loa_template": "",
            "media": media,
            "name": spec.interface.clone().unwrap_or_default(),
            "port_speed": spec.rate.get(),
            "resource_name": "interface",
            "resource_type": "interface",
            "up": up,
        }},
        "locationDetail": detail,
        "associatedVxcs": vxcs,
        "associatedIxs": [],
    });
    if let Value::Object(own) = own {
        out.extend(own);
    }
    Ok(out.into())
}
