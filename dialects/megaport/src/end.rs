//! The ends of a circuit.

use meetme_app::Error;
use meetme_base::Id;
use meetme_model::{fabric::End, routing::Router};
use meetme_store::Tx;
use serde_json::{Value, json};

use crate::{scene::Scene, words};

/// An end as a product shows it.
pub fn show(tx: &mut Tx<'_>, scene: &mut Scene, end: &End, router: Option<Id<Router>>) -> Result<Value, Error> {
    let attached = scene.attached(tx, end.at, router)?;
    let detail = scene.detail(tx, attached.site)?;
    Ok(json!({
        "ownerUid": attached.owner,
        "productUid": attached.uid,
        "productName": attached.name,
        "locationId": scene.number(tx, attached.site)?,
        "location": detail.get("name").and_then(Value::as_str).unwrap_or_default(),
        "vlan": words::vlan(end.tag, end.vlan),
        "innerVlan": end.inner.map_or(0, |vlan| vlan.get()),
        "vNicIndex": end.nic.unwrap_or(0),
        "secondaryName": "",
        "locationDetail": detail,
    }))
}
