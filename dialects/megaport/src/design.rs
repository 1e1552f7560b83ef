//! Orders as they are sent, and what they mean to the core. A design is a list of products: ports, and cross connects under the
//! product they begin at. Members nobody knows are ignored: clients send several that mean nothing.

use meetme_app::{Error, circuits, ports::NewPort};
use meetme_base::{Invalid, Kind, Mbps, RawId, VlanId};
use meetme_model::{
    Labels, Life,
    fabric::{Circuit, End, Network, Port, Target},
    place::{Metro, Offer, Peering, Site},
    routing::Router,
};
use meetme_store::{Filter, Object, Resource as _, Tx};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{product, scene, scene::Scene, words};

/// One product of a design.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    #[serde(default)]
    pub product_uid: Option<String>,
    #[serde(default)]
    pub product_type: Option<String>,
    #[serde(default)]
    pub product_name: Option<String>,
    #[serde(default)]
    pub term: Option<i64>,
    #[serde(default)]
    pub port_speed: Option<i64>,
    #[serde(default)]
    pub location_id: Option<i64>,
    #[serde(default)]
    pub cost_centre: Option<String>,
    #[serde(default)]
    pub lag_port_count: Option<u8>,
    #[serde(default)]
    pub marketplace_visibility: Option<bool>,
    #[serde(default)]
    pub cross_connect_requested: Option<bool>,
    #[serde(default)]
    pub config: Option<PortConfig>,
    #[serde(default)]
    pub resource_tags: Vec<Tag>,
    #[serde(default)]
    pub aggregation_id: Option<i64>,
    #[serde(default)]
    pub associated_vxcs: Vec<Vxc>,
    #[serde(default)]
    pub associated_ixs: Vec<Value>,
}

/// What a port is told besides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortConfig {
    #[serde(default)]
    pub diversity_zone: Option<String>,
}

/// A label.
#[derive(Clone, Debug, Deserialize)]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

/// A cross connect.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vxc {
    pub product_name: String,
    pub rate_limit: i64,
    #[serde(default)]
    pub service_key: Option<String>,
    #[serde(default)]
    pub term: Option<i64>,
    #[serde(default)]
    pub shutdown: Option<bool>,
    #[serde(default)]
    pub cost_centre: Option<String>,
    #[serde(default)]
    pub a_end: SentEnd,
    pub b_end: SentEnd,
    #[serde(default)]
    pub resource_tags: Vec<Tag>,
    /// Where the provider's part stood before it moved into the end.
    #[serde(default)]
    pub partner_configs: Option<Value>,
}

/// An end of a cross connect.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentEnd {
    #[serde(default)]
    pub product_uid: Option<String>,
    #[serde(default)]
    pub vlan: Option<i64>,
    #[serde(default)]
    pub inner_vlan: Option<i64>,
    #[serde(default)]
    pub diversity_zone: Option<String>,
    #[serde(default)]
    pub partner_config: Option<Value>,
}

/// Reads a design in any of its forms: a list, `{networkDesign}`, or one product alone.
pub fn items(body: Value) -> Result<Vec<Item>, Invalid> {
    let list = match body {
        Value::Array(list) => list,
        Value::Object(mut map) if map.contains_key("networkDesign") => match map.remove("networkDesign") {
            Some(Value::Array(list)) => list,
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err(Invalid::format("networkDesign", "a list of products")),
        },
        one @ Value::Object(_) => vec![one],
        _ => return Err(Invalid::format("networkDesign", "a list of products")),
    };
    if list.is_empty() {
        return Err(Invalid::required("networkDesign"));
    }
    list.into_iter()
        .enumerate()
        .map(|(at, item)| {
            serde_json::from_value(item)
                .map_err(|e| Invalid::new(format!("{at}"), "format", format!("Product {at} cannot be read: {e}.")))
        })
        .collect()
}

/// Labels, in the order sent.
pub fn labels(tags: &[Tag]) -> Labels {
    tags.iter().map(|tag| (tag.key.clone(), Value::from(tag.value.as_str()))).collect()
}

/// A rate in Mbps.
pub fn rate(field: &str, sent: i64) -> Result<Mbps, Invalid> {
    Mbps::try_from(sent).map_err(|_| Invalid::range(field, Mbps::MIN, Mbps::MAX))
}

/// A port order as the core takes it.
pub fn port(tx: &mut Tx<'_>, owner: RawId, item: &Item) -> Result<NewPort, Error> {
    if item.aggregation_id.is_some_and(|id| id != 0) {
        return Err(Invalid::rule("aggregationId", "Ports are not added to a group that is there already.").into());
    }
    let location = item.location_id.ok_or_else(|| Invalid::required("locationId"))?;
    let site: Object<Site> = scene::by_number(tx, location)?
        .ok_or_else(|| Invalid::reference("locationId", format!("The location {location}")))?;
    let speed = item.port_speed.ok_or_else(|| Invalid::required("portSpeed"))?;
    let zone = item.config.as_ref().and_then(|c| c.diversity_zone.as_deref());
    Ok(NewPort {
        owner,
        name: item.product_name.clone().ok_or_else(|| Invalid::required("productName"))?,
        rate: rate("portSpeed", speed)?,
        site: site.id,
        zone: words::parse_zone(zone)?,
        term: words::parse_term(item.term)?,
        cost_centre: item.cost_centre.clone().filter(|t| !t.is_empty()),
        members: item.lag_port_count.unwrap_or(1).max(1),
        visible: item.marketplace_visibility.unwrap_or(false),
        cross_connect: item.cross_connect_requested.unwrap_or(false),
        labels: labels(&item.resource_tags),
        ext: Default::default(),
    })
}

/// What an end of a cross connect names.
enum Named {
    Port(Box<Object<Port>>),
    Network(Object<Network>),
    Offer(Object<Offer>),
}

fn named(tx: &mut Tx<'_>, text: &str, field: &'static str) -> Result<Named, Error> {
    let missing = || Error::from(Invalid::reference(field, format!("The product {text}")));
    let (kind, id): (Kind, RawId) = product::resolve(tx, text)?.ok_or_else(missing)?;
    let found = match kind {
        // Somebody else's port is looked at by the core, which knows who may end a circuit there.
        Port::KIND => tx.as_system(|tx| tx.find(id.of()))?.map(|port| Named::Port(Box::new(port))),
        Network::KIND => tx.find(id.of())?.map(Named::Network),
        Router::KIND => tx.one(&Filter::eq("router", id))?.map(Named::Network),
        Offer::KIND => tx.find(id.of())?.map(Named::Offer),
        _ => None,
    };
    found.ok_or_else(missing)
}

/// A cross connect as the core takes it: a circuit of one leg. `begins` is the product it was sent under.
pub fn vxc(tx: &mut Tx<'_>, owner: RawId, begins: Option<&str>, sent: &Vxc) -> Result<circuits::NewCircuit, Error> {
    if sent.service_key.as_deref().is_some_and(|key| !key.is_empty()) {
        return Err(Invalid::rule("serviceKey", "Service keys are not taken here.").into());
    }
    if sent.shutdown == Some(true) {
        return Err(Invalid::rule(
            "shutdown",
            "A cross connect is shut down when it is built, not when it is ordered.",
        )
        .into());
    }
    let from = sent.a_end.product_uid.as_deref().filter(|t| !t.is_empty()).or(begins);
    let a = named(tx, from.ok_or_else(|| Invalid::required("aEnd.productUid"))?, "aEnd.productUid")?;
    let to = sent.b_end.product_uid.as_deref().filter(|t| !t.is_empty());
    let z = named(tx, to.ok_or_else(|| Invalid::required("bEnd.productUid"))?, "bEnd.productUid")?;
    let mut circuit = Circuit::new(sent.product_name.clone(), rate("rateLimit", sent.rate_limit)?);
    circuit.life = Life {
        term: Some(words::parse_term(sent.term)?),
        cost_centre: sent.cost_centre.clone().filter(|t| !t.is_empty()),
        ..Life::default()
    };
    circuit.labels = labels(&sent.resource_tags);
    let mut leg =
        circuits::NewLeg { a: end(&a, &sent.a_end, "aEnd")?, z: end(&z, &sent.b_end, "bEnd")?, ..Default::default() };
    let buy = match (&a, &z) {
        (Named::Offer(_), _) => {
            return Err(Invalid::rule("aEnd.productUid", "A cross connect begins at a product of your own.").into());
        }
        (_, Named::Offer(offer)) => {
            let config = sent.b_end.partner_config.as_ref().or(sent.partner_configs.as_ref());
            leg.far = provider(offer.spec.far.as_deref(), config, &mut circuit)?;
            circuits::Buy::Offer(offer.id)
        }
        (Named::Port(port), _) | (_, Named::Port(port)) => circuits::Buy::Path(metro(tx, port)?),
        (Named::Network(_), Named::Network(_)) => {
            return Err(Invalid::rule(
                "bEnd.productUid",
                "Two networks are joined by a port or a provider between them.",
            )
            .into());
        }
    };
    Ok(circuits::NewCircuit { owner, circuit, buy, legs: vec![leg] })
}

fn metro(tx: &mut Tx<'_>, port: &Object<Port>) -> Result<Option<meetme_base::Id<Metro>>, Error> {
    let Some(site) = port.spec.site else { return Ok(None) };
    Ok(Scene::default().site(tx, site)?.map(|site| site.spec.metro))
}

fn end(at: &Named, sent: &SentEnd, field: &str) -> Result<End, Error> {
    let target = match at {
        Named::Port(port) => Target::Port(port.id),
        Named::Network(network) => Target::Network(network.id),
        Named::Offer(offer) => Target::Offer(offer.id),
    };
    let inner = match sent.inner_vlan {
        None | Some(0 | -1) => None,
        Some(n) => Some(VlanId::try_from(n).map_err(|bad| bad.under(field))?),
    };
    Ok(End {
        at: Some(target),
        tag: words::parse_vlan(sent.vlan).map_err(|bad| bad.under(field))?,
        inner,
        zone: words::parse_zone(sent.diversity_zone.as_deref())?,
        ..End::default()
    })
}

/// What the provider is told, and what of it the circuit itself keeps.
fn provider(far: Option<&str>, config: Option<&Value>, circuit: &mut Circuit) -> Result<Option<Value>, Error> {
    let Some(config) = config else { return Ok(None) };
    let text = |name: &str| config.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let number = |name: &str| config.get(name).and_then(Value::as_i64).filter(|n| *n != 0);
    let told = match far {
        Some("aws") => {
            circuit.peering = Some(match text("type") {
                None | Some("private") => Peering::Private,
                Some("public") => Peering::Public,
                Some("transit") => Peering::Transit,
                Some(other) => return Err(Invalid::choice("type", other).into()),
            });
            circuit.bgp.asn = number("amazonAsn").map(meetme_base::Asn::try_from).transpose()?;
            let form =
                if text("connectType").is_some_and(|t| t.eq_ignore_ascii_case("AWSHC")) { "connection" } else { "vif" };
            json!({
                "account": text("ownerAccount"), "form": form, "asn": number("asn"), "cloud_asn": number("amazonAsn"),
                "customer_address": text("customerIpAddress"), "amazon_address": text("amazonIpAddress"),
                "prefixes": text("prefixes"), "name": text("name"),
            })
        }
        Some("azure") => {
            let peers = config.get("peers").and_then(Value::as_array).cloned().unwrap_or_default();
            let peers: Vec<Value> = peers.iter().map(azure_peer).collect();
            json!({"service_key": text("serviceKey"), "peers": peers})
        }
        Some("google") => json!({"pairing_key": text("pairingKey")}),
        Some("oracle") => json!({"ocid": text("virtualCircuitId")}),
        Some("ibm") => json!({"account": text("account_id"), "asn": number("customer_asn"), "name": text("name")}),
        Some("alibaba") => json!({"owner": text("vbrOwnerId")}),
        Some("nutanix") => json!({"key": text("serviceKey")}),
        _ => return Ok(None),
    };
    Ok(Some(without_nulls(told)))
}

/// A peering of Azure. Its AS number comes as a text or as a number.
fn azure_peer(sent: &Value) -> Value {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let asn = sent.get("peer_asn").and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    without_nulls(json!({
        "type": text("type"), "asn": asn, "primary_subnet": text("primary_subnet"), "secondary_subnet": text("secondary_subnet"),
        "prefixes": text("prefixes"), "vlan": sent.get("vlan").and_then(Value::as_i64),
    }))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().filter(|(_, v)| !v.is_null()).collect::<serde_json::Map<_, _>>().into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_design_is_a_list_an_object_with_one_or_one_product() {
        let port = json!({"productType": "MEGAPORT", "productName": "P", "Unknown": 1});
        for body in [json!([port]), json!({"networkDesign": [port], "discountCodes": []}), port.clone()] {
            assert_eq!(items(body).unwrap()[0].product_name.as_deref(), Some("P"));
        }
        assert!(items(json!([])).is_err() && items(json!("x")).is_err());
        assert_eq!(items(json!([{"productName": 5}])).unwrap_err().code, "format");
    }

    #[test]
    fn a_provider_is_told_only_what_was_said() {
        let mut circuit = Circuit::new("C", Mbps::MIN);
        let config =
            json!({"connectType": "AWSHC", "type": "transit", "ownerAccount": "123456789012", "asn": 0, "name": ""});
        let told = provider(Some("aws"), Some(&config), &mut circuit).unwrap();
        assert_eq!(told, Some(json!({"account": "123456789012", "form": "connection"})));
        assert_eq!(circuit.peering, Some(Peering::Transit));
    }
}
