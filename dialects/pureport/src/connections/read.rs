//! Reading orders and changes of connections into the core's words. What the oldest and the terse clients leave out gets the value
//! they rely on: billed by the hour, one gateway, a name made of type and place, a password on each BGP session.

use meetme_app::{
    Error,
    circuits::{Buy, CircuitChange, NewCircuit, NewLeg, Whole},
};
use meetme_base::{Id, IfAddr, Invalid, IpNet, Secret};
use meetme_model::{
    Life, Term,
    fabric::{
        BgpRules, Circuit, End, Face, Link, Nat, NatMap, Nearby, Network, Port, Routing, Target, Timers, VlanTag,
    },
    place::{Metro, Peering, Region},
};
use meetme_store::{Object, Tx};
use serde_json::{Value, json};

use crate::{
    catalogue, convert,
    ids::{PORT, bad_link},
    wire::{self, Connection},
};

/// The longest name.
const LONGEST: usize = 64;

/// Reads an order.
///
/// # Errors
/// On a type that is not sold here, and on every value that cannot be read.
pub fn order(tx: &mut Tx<'_>, network: &Object<Network>, sent: &Connection) -> Result<NewCircuit, Error> {
    let kind = sent.kind.as_deref().ok_or_else(|| Invalid::required("type"))?;
    let far = convert::far(kind);
    if far.is_none() && kind != "PORT" {
        return Err(Invalid::new("type", "offer", format!("{kind} is not sold here.")).into());
    }
    let location = sent.location.as_ref().ok_or_else(|| Invalid::required("location"))?;
    let metro = catalogue::find_metro(tx, location.target())?.ok_or_else(|| bad_link("location", location.target()))?;
    let speed = sent.speed.ok_or_else(|| Invalid::required("speed"))?;
    let term = sent.billing_term.as_deref().map_or(Ok(Term::Hour), convert::read_term)?;
    let redundant = sent.high_availability.unwrap_or(false);
    if sent.cloud_services.as_ref().is_some_and(|list| !list.is_empty()) {
        return Err(bad_link("cloudServices", "that cloud service"));
    }
    let name = sent.name.clone().filter(|n| !n.trim().is_empty()).unwrap_or_else(|| default_name(kind, &metro));
    let circuit = Circuit {
        name,
        description: sent.description.clone().filter(|t| !t.is_empty()),
        rate: convert::rate(speed.0)?,
        redundant,
        peering: peering(far, sent)?,
        network: Some(network.id),
        offer: None,
        region: region(tx, far, sent)?.map(|r| r.id),
        metro: Some(metro.id),
        long_haul: Default::default(),
        advertise_internal: sent.advertise_internal_routes.unwrap_or(false),
        nearby: Vec::new(),
        nat: Nat::default(),
        bgp: BgpRules { passwords: true, ..BgpRules::default() },
        prefixes_allowed: Vec::new(),
        life: Life { term: Some(term), ..Life::default() },
        labels: sent.tags.clone().map(wire::labels).unwrap_or_default(),
        tags: Vec::new(),
        ext: Default::default(),
    };
    let mut circuit = rules(sent, circuit)?;
    convert::into_ext(&mut circuit.ext, "customer", sent.customer.as_ref());
    let mut legs = Vec::new();
    for side in 1..=if redundant { 2 } else { 1 } {
        legs.push(leg(tx, network.id, kind, side, sent)?);
    }
    let buy = match far {
        Some(far) => Buy::Reach { far: far.to_owned(), metro: metro.id },
        None => Buy::Path(Some(metro.id)),
    };
    Ok(NewCircuit { owner: network.tenant, circuit, buy, legs })
}

fn default_name(kind: &str, metro: &Object<Metro>) -> String {
    let name = format!("{}-{}", kind.to_ascii_lowercase().replace('_', "-"), metro.spec.slug);
    name.chars().take(LONGEST).collect()
}

/// What of a cloud is reached; private where nothing is said.
fn peering(far: Option<&str>, sent: &Connection) -> Result<Option<Peering>, Error> {
    let word = sent.peering.as_ref().and_then(|p| p.kind.as_deref()).filter(|w| !w.is_empty());
    match (word, far) {
        (Some(word), Some(_)) => Ok(Some(convert::read_peering(word)?)),
        (None, Some(_)) => Ok(Some(Peering::Private)),
        (_, None) => Ok(None),
    }
}

fn region(tx: &mut Tx<'_>, far: Option<&str>, sent: &Connection) -> Result<Option<Object<Region>>, Error> {
    let Some(provider) = far else { return Ok(None) };
    if let Some(link) = sent.cloud_region.as_ref().filter(|l| !l.target().is_empty()) {
        let found = catalogue::find_region(tx, link.target())?;
        let found = found.filter(|r| r.spec.provider == provider || provider == "packetfabric");
        return found.map(Some).ok_or_else(|| bad_link("cloudRegion", link.target()));
    }
    let Some(code) = sent.aws_region.as_deref().filter(|c| !c.is_empty() && provider == "aws") else { return Ok(None) };
    let found = catalogue::find_region(tx, &format!("aws-{code}"))?;
    found.map(Some).ok_or_else(|| Invalid::choice("awsRegion", code).into())
}

/// The rules that orders and changes have in common, where they were sent.
fn rules(sent: &Connection, mut circuit: Circuit) -> Result<Circuit, Error> {
    if let Some(name) = sent.name.as_deref().filter(|n| !n.trim().is_empty()) {
        meetme_model::check::name("name", name, LONGEST)?;
        name.clone_into(&mut circuit.name);
    }
    if let Some(on) = sent.advertise_internal_routes {
        circuit.advertise_internal = on;
    }
    let bgp = &mut circuit.bgp;
    bgp.asn = convert::asn("customerASN", sent.customer_asn)?.or(bgp.asn);
    bgp.max_prefix = number("bgpMaximumPrefix", sent.bgp_maximum_prefix)?.or(bgp.max_prefix);
    bgp.alert_percent = number("bgpAlertPercent", sent.bgp_alert_percent)?.or(bgp.alert_percent);
    bgp.restart_minutes = number("bgpRestartInterval", sent.bgp_restart_interval)?.or(bgp.restart_minutes);
    if let Some(bfd) = &sent.bfd {
        bgp.bfd = Some(Timers {
            tx_ms: bfd.transmit_interval.unwrap_or(300),
            rx_ms: bfd.receive_interval.unwrap_or(300),
            multiplier: u8::try_from(bfd.detect_multiplier.unwrap_or(3))
                .map_err(|_| Invalid::range("bfd.detectMultiplier", 2, 255))?,
        });
    }
    if let Some(enabled) = sent.bgp_password_configuration.as_ref().and_then(|c| c.enabled) {
        bgp.passwords = enabled;
    }
    if let Some(list) = &sent.customer_networks {
        let nearby = |n: &wire::CustomerNetwork| -> Result<Nearby, Invalid> {
            Ok(Nearby { name: n.name.clone(), prefix: convert::net("customerNetworks.address", &n.address)? })
        };
        circuit.nearby = list.iter().map(nearby).collect::<Result<_, _>>()?;
    }
    if let Some(list) = &sent.cloud_services_prefix_whitelist {
        let net = |text: &String| convert::net("cloudServicesPrefixWhitelist", text);
        circuit.prefixes_allowed = list.iter().map(net).collect::<Result<_, _>>()?;
    }
    if let Some(nat) = &sent.nat {
        circuit.nat = wished_nat(nat, &circuit.nat)?;
    }
    Ok(circuit)
}

fn number<T: TryFrom<i64>>(field: &str, sent: Option<i64>) -> Result<Option<T>, Invalid> {
    sent.map(|n| T::try_from(n).map_err(|_| Invalid::new(field, "range", "This number is out of range."))).transpose()
}

/// The translation that is wished; what was allotted stays with networks that stay.
fn wished_nat(sent: &wire::Nat, before: &Nat) -> Result<Nat, Invalid> {
    let Some(true) = sent.enabled else { return Ok(Nat::default()) };
    let mut maps = Vec::new();
    for mapping in sent.mappings.iter().flatten() {
        let native = convert::net("nat.mappings.nativeCidr", &mapping.native_cidr)?;
        let chosen = mapping.nat_cidr.as_deref().filter(|t| !t.is_empty());
        let chosen = chosen.map(|text| convert::net("nat.mappings.natCidr", text)).transpose()?;
        let kept = before.maps.iter().find(|m| m.native == native);
        let nat = chosen.or(kept.and_then(|m| m.nat));
        maps.push(NatMap { native, nat, block: kept.filter(|k| k.nat == nat).and_then(|k| k.block) });
    }
    Ok(Nat { enabled: true, maps, blocks: before.blocks.clone(), outbound: before.outbound })
}

/// One leg of an order.
fn leg(tx: &mut Tx<'_>, network: Id<Network>, kind: &str, side: u8, sent: &Connection) -> Result<NewLeg, Error> {
    let of = |first: &Option<String>, second: &Option<String>| if side == 2 { second.clone() } else { first.clone() };
    let mut a = End { at: Some(Target::Network(network)), ..End::default() };
    if let Some(link) = addresses(side, sent.peering.as_ref())? {
        a.faces.push(Face { link: Some(link), ..Face::default() });
    }
    let vlan = if side == 2 { sent.secondary_vlan } else { sent.primary_vlan };
    let field = if side == 2 { "secondaryVlan" } else { "primaryVlan" };
    let mut z = End { tag: convert::tag(field, vlan)?, ..End::default() };
    let name = |first: &str, second: &str| if side == 2 { second.to_owned() } else { first.to_owned() };
    let needed = |member: &str, wire: String, value: Option<String>| -> Result<Value, Error> {
        let value = value.filter(|v| !v.is_empty()).ok_or_else(|| Invalid::required(wire))?;
        Ok(json!({ member: value }))
    };
    let far = match kind {
        "AWS_DIRECT_CONNECT" => Some(json!({ "account": account(sent)?, "form": "vif" })),
        "AZURE_EXPRESS_ROUTE" => Some(needed("service_key", "serviceKey".to_owned(), sent.service_key.clone())?),
        "GOOGLE_CLOUD_INTERCONNECT" => {
            let key = of(&sent.primary_pairing_key, &sent.secondary_pairing_key);
            Some(needed("pairing_key", name("primaryPairingKey", "secondaryPairingKey"), key)?)
        }
        "ORACLE_FAST_CONNECT" => {
            let key = of(&sent.primary_ocid, &sent.secondary_ocid);
            Some(needed("ocid", name("primaryOcid", "secondaryOcid"), key)?)
        }
        "PACKET_FABRIC" => {
            let key = of(&sent.customer_primary_id, &sent.customer_secondary_id);
            Some(needed("customer", name("customerPrimaryId", "customerSecondaryId"), key)?)
        }
        "EQUINIX_CLOUD_EXCHANGE" => {
            let mut told = needed("service", "serviceUUID".to_owned(), sent.service_uuid.clone())?;
            if let Some(metro) = &sent.metro_code {
                told["metro"] = metro.as_str().into();
            }
            Some(told)
        }
        "PORT" => {
            let link = if side == 2 { &sent.secondary_port } else { &sent.primary_port };
            let field = name("primaryPort", "secondaryPort");
            let link = link.as_ref().ok_or_else(|| Invalid::required(field.as_str()))?;
            z.at = Some(Target::Port(PORT.follow::<Port>(tx, &field, link)?.id));
            let vlan = if side == 2 { sent.secondary_customer_vlan } else { sent.primary_customer_vlan };
            let field = name("primaryCustomerVlan", "secondaryCustomerVlan");
            z.tag = convert::tag(&field, Some(vlan.ok_or_else(|| Invalid::required(field.as_str()))?))?;
            None
        }
        _ => None,
    };
    Ok(NewLeg { a, z, far, routing: Routing::Bgp, password: password(side, sent), psk: None })
}

/// The cloud account: up to 12 digits; leading zeros were left out in old examples.
fn account(sent: &Connection) -> Result<String, Invalid> {
    let text = sent.aws_account_id.as_deref().map(str::trim).filter(|t| !t.is_empty());
    let text = text.ok_or_else(|| Invalid::required("awsAccountId"))?;
    if text.len() > 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Invalid::format("awsAccountId", "an account number of 12 digits"));
    }
    Ok(format!("{text:0>12}"))
}

fn password(side: u8, sent: &Connection) -> Option<Secret<String>> {
    let config = sent.bgp_password_configuration.as_ref().filter(|c| c.enabled != Some(false))?;
    let text = if side == 2 { &config.secondary } else { &config.primary };
    text.clone().filter(|t| !t.is_empty()).map(Secret::new)
}

/// The addresses of a leg's BGP session, where the customer chose them.
fn addresses(side: u8, peering: Option<&wire::Peering>) -> Result<Option<Link>, Invalid> {
    let Some(peering) = peering else { return Ok(None) };
    let (ours, theirs) = if side == 2 {
        (&peering.secondary_ours, &peering.secondary_theirs)
    } else {
        (&peering.primary_ours, &peering.primary_theirs)
    };
    let (Some(ours), Some(theirs)) = (ours.as_deref(), theirs.as_deref()) else { return Ok(None) };
    let read = |text: &str| -> Result<IfAddr, Invalid> {
        let text = if text.contains('/') { text.to_owned() } else { format!("{text}/30") };
        text.parse().map_err(|_| Invalid::format("peering", "an address such as 169.254.1.1/30"))
    };
    let (ours, theirs) = (read(ours)?, read(theirs)?);
    let subnet: IpNet = ours.network();
    Ok(Some(Link { subnet, ours: ours.ip(), theirs: Some(theirs.ip()), shared: None }))
}

/// A change that was read.
pub struct Edit {
    circuit: Circuit,
    tags: Vec<Option<VlanTag>>,
    passwords: Vec<Option<Secret<String>>>,
}

impl Edit {
    /// Puts it into what the core changes.
    pub fn apply(self, change: &mut CircuitChange) {
        change.circuit = self.circuit;
        for ((leg, tag), password) in change.legs.iter_mut().zip(self.tags).zip(self.passwords) {
            if let Some(tag) = tag {
                leg.leg.z.tag = tag;
                leg.leg.z.vlan = None;
            }
            leg.password = password;
        }
    }
}

/// Reads a change: the whole object, of which some was fixed when it was ordered.
///
/// # Errors
/// With code `immutable` when something fixed is to be another, and on every value that cannot be read.
pub fn change(whole: &Whole, before: &Connection, sent: &Connection) -> Result<Edit, Error> {
    fixed(before, sent)?;
    let mut circuit = rules(sent, whole.circuit.spec.clone())?;
    if let Some(text) = &sent.description {
        circuit.description = Some(text.clone()).filter(|t| !t.is_empty());
    }
    if let Some(tags) = &sent.tags {
        circuit.labels = wire::labels(tags.clone());
    }
    // A rate or term without a word of its own is shown as another one, which does not ask for a change when it comes back.
    if let Some(speed) = sent.speed.filter(|s| Some(*s) != before.speed) {
        circuit.rate = convert::rate(speed.0)?;
    }
    if let Some(word) = sent.billing_term.as_deref().filter(|w| Some(*w) != before.billing_term.as_deref()) {
        circuit.life.term = Some(convert::read_term(word)?);
    }
    let is_port = before.kind.as_deref() == Some("PORT");
    let mut edit = Edit { circuit, tags: Vec::new(), passwords: Vec::new() };
    for leg in &whole.legs {
        let second = leg.spec.side == 2;
        let (field, wished, shown) = match (is_port, second) {
            (false, false) => ("primaryVlan", sent.primary_vlan, before.primary_vlan),
            (false, true) => ("secondaryVlan", sent.secondary_vlan, before.secondary_vlan),
            (true, false) => ("primaryCustomerVlan", sent.primary_customer_vlan, before.primary_customer_vlan),
            (true, true) => ("secondaryCustomerVlan", sent.secondary_customer_vlan, before.secondary_customer_vlan),
        };
        edit.tags.push(match wished.filter(|_| wished != shown) {
            Some(_) => Some(convert::tag(field, wished)?),
            None => None,
        });
        let had = before
            .bgp_password_configuration
            .as_ref()
            .and_then(|c| if second { c.secondary.clone() } else { c.primary.clone() });
        let new = password(leg.spec.side, sent).filter(|p| Some(p.expose()) != had.as_ref());
        edit.passwords.push(new);
    }
    Ok(edit)
}

/// What was fixed when the connection was ordered.
fn fixed(before: &Connection, sent: &Connection) -> Result<(), Invalid> {
    let text =
        |a: &Option<String>, b: &Option<String>| b.as_ref().is_none_or(|b| b.is_empty() || Some(b) == a.as_ref());
    let link = |a: &Option<wire::Link>, b: &Option<wire::Link>| match (a, b) {
        (_, None) => true,
        (Some(a), Some(b)) => a.target() == b.target(),
        (None, Some(b)) => b.target().is_empty(),
    };
    let padded = sent.aws_account_id.as_ref().map(|text| format!("{text:0>12}"));
    let word = |c: &Connection| c.peering.as_ref().and_then(|p| p.kind.as_ref()).map(|w| w.to_ascii_uppercase());
    let checks = [
        ("type", text(&before.kind, &sent.kind)),
        ("location", link(&before.location, &sent.location)),
        ("network", link(&before.network, &sent.network)),
        ("highAvailability", sent.high_availability.is_none_or(|h| Some(h) == before.high_availability)),
        ("awsAccountId", text(&before.aws_account_id, &padded)),
        ("awsRegion", text(&before.aws_region, &sent.aws_region)),
        ("cloudRegion", link(&before.cloud_region, &sent.cloud_region)),
        ("serviceKey", text(&before.service_key, &sent.service_key)),
        ("primaryPairingKey", text(&before.primary_pairing_key, &sent.primary_pairing_key)),
        ("secondaryPairingKey", text(&before.secondary_pairing_key, &sent.secondary_pairing_key)),
        ("primaryOcid", text(&before.primary_ocid, &sent.primary_ocid)),
        ("secondaryOcid", text(&before.secondary_ocid, &sent.secondary_ocid)),
        ("primaryPort", link(&before.primary_port, &sent.primary_port)),
        ("secondaryPort", link(&before.secondary_port, &sent.secondary_port)),
        ("peering", word(sent).is_none() || word(before).is_none() || word(sent) == word(before)),
    ];
    match checks.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((field, _)) => Err(Invalid::new(field, "immutable", "This was fixed when the connection was ordered.")),
    }
}
