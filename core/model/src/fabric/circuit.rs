//! A circuit: what is ordered and paid. Where it runs is told by its legs: one, or two when it is redundant.

use meetme_base::{Asn, Id, Invalid, IpNet, Kind, Mbps};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    fabric::{Network, check_network, same_family},
    ops::Tag,
    place::{LongHaul, Metro, Offer, Peering, Region},
};

/// A circuit between two places, clouds, ports or networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Circuit {
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The rate of each leg.
    pub rate: Mbps,
    /// Whether it has two legs, in two zones. Fixed when it is ordered.
    #[serde(default)]
    pub redundant: bool,
    /// What of a cloud it reaches. Fixed when it is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering: Option<Peering>,
    /// The routed domain that one of its ends lies in; the circuit goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Id<Network>>,
    /// What was ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Id<Offer>>,
    /// The region of the cloud it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Id<Region>>,
    /// Where it is handed over to us, when no port says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metro: Option<Id<Metro>>,
    /// How distance between metros is paid for.
    #[serde(default)]
    pub long_haul: LongHaul,
    /// Whether the other circuits' routes in its network are announced over it.
    #[serde(default)]
    pub advertise_internal: bool,
    /// The customer's networks behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearby: Vec<Nearby>,
    /// Address translation.
    #[serde(default)]
    pub nat: Nat,
    /// What its BGP sessions have in common.
    #[serde(default)]
    pub bgp: BgpRules,
    /// The only prefixes accepted over it; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub prefixes_allowed: Vec<IpNet>,
    /// The wish about its life.
    #[serde(default)]
    pub life: Life,
    /// Labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// A network of the customer behind a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nearby {
    /// How the customer calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The network.
    #[schemars(with = "String")]
    pub prefix: IpNet,
}

/// Translation of the customer's addresses on a circuit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Nat {
    /// Whether addresses are translated.
    pub enabled: bool,
    /// Network by network, what becomes what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<NatMap>,
    /// The blocks that translated networks are taken from; allotted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub blocks: Vec<IpNet>,
    /// What everything without a map of its own is hidden behind; allotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub outbound: Option<IpNet>,
}

/// One translation, address by address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NatMap {
    /// The customer's network.
    #[schemars(with = "String")]
    pub native: IpNet,
    /// What it becomes, a network of the same length; allotted when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub nat: Option<IpNet>,
    /// The block that was taken from; allotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub block: Option<IpNet>,
}

/// What the BGP sessions of a circuit have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BgpRules {
    /// The far side's AS number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<Asn>,
    /// The most prefixes accepted, 10..=4000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_prefix: Option<u32>,
    /// At how many per cent of that the owner is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_percent: Option<u8>,
    /// After how many minutes a session that had too many prefixes is tried again, 1..=10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_minutes: Option<u8>,
    /// Whether sessions have passwords; made up where none is given.
    pub passwords: bool,
    /// Bidirectional forwarding detection; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bfd: Option<Timers>,
}

/// Timers of bidirectional forwarding detection (RFC 5880), by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timers {
    /// The least interval between packets we send, in milliseconds.
    pub tx_ms: u32,
    /// The least interval between packets we accept, in milliseconds.
    pub rx_ms: u32,
    /// How many packets may be lost before the path counts as down.
    pub multiplier: u8,
}

impl Timers {
    /// Whether the values are good, under `field`.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        check::range(&format!("{field}.tx_ms"), self.tx_ms, 10, 60_000)?;
        check::range(&format!("{field}.rx_ms"), self.rx_ms, 10, 60_000)?;
        check::range(&format!("{field}.multiplier"), self.multiplier, 2, 255)
    }
}

impl BgpRules {
    fn check(&self) -> Result<(), Invalid> {
        self.max_prefix.map_or(Ok(()), |n| check::range("bgp.max_prefix", n, 10, 4000))?;
        self.alert_percent.map_or(Ok(()), |n| check::range("bgp.alert_percent", n, 0, 100))?;
        self.restart_minutes.map_or(Ok(()), |n| check::range("bgp.restart_minutes", n, 1, 10))?;
        self.bfd.map_or(Ok(()), |t| t.check("bgp.bfd"))
    }
}

impl Nat {
    fn check(&self) -> Result<(), Invalid> {
        for (i, map) in self.maps.iter().enumerate() {
            let native = format!("nat.maps.{i}.native");
            check_network(&native, map.native)?;
            if self.maps[..i].iter().any(|m| overlap(m.native, map.native)) {
                return Err(Invalid::rule(native, "The native networks of two maps overlap."));
            }
            let Some(nat) = map.nat else { continue };
            let field = format!("nat.maps.{i}.nat");
            check_network(&field, nat)?;
            if !same_family(nat, map.native) || nat.prefix_len() != map.native.prefix_len() {
                return Err(Invalid::rule(field, "A network is translated to one of the same family and length."));
            }
            if self.maps[..i].iter().filter_map(|m| m.nat).any(|n| overlap(n, nat)) {
                return Err(Invalid::rule(field, "The translated networks of two maps overlap."));
            }
        }
        Ok(())
    }
}

fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

impl Circuit {
    /// A circuit with one leg and nothing said of it but its name and its rate.
    pub fn new(name: impl Into<String>, rate: Mbps) -> Self {
        Self {
            name: name.into(),
            description: None,
            rate,
            redundant: false,
            peering: None,
            network: None,
            offer: None,
            region: None,
            metro: None,
            long_haul: LongHaul::default(),
            advertise_internal: false,
            nearby: Vec::new(),
            nat: Nat::default(),
            bgp: BgpRules::default(),
            prefixes_allowed: Vec::new(),
            life: Life::default(),
            labels: Labels::new(),
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Circuit {
    const KIND: Kind = Kind::new("circuit");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("rate", FieldType::Int, |s| s.rate.into()),
        Field::new("redundant", FieldType::Bool, |s| s.redundant.into()),
        Field::new("peering", FieldType::Text, |s: &Self| s.peering.map(Peering::word).into()).words(Peering::WORDS),
        Field::new("long_haul", FieldType::Text, |s: &Self| s.long_haul.word().into()).words(LongHaul::WORDS),
        Field::new("asn", FieldType::Int, |s| s.bgp.asn.into()),
        Field::new("nat", FieldType::Bool, |s| s.nat.enabled.into()),
        Field::new("cost_centre", FieldType::Text, |s: &Self| s.life.cost_centre.clone().into()).searchable(),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.phase.word().into()).indexed().words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("network", &[Network::KIND], |s| s.network.map(Id::any)),
        Edge::refuse("offer", &[Offer::KIND], |s| s.offer.map(Id::any)),
        Edge::refuse("region", &[Region::KIND], |s| s.region.map(Id::any)),
        Edge::refuse("metro", &[Metro::KIND], |s| s.metro.map(Id::any)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    type Status = LifeStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        if let Some(before) = before {
            if before.redundant != self.redundant {
                return Err(Invalid::rule("redundant", "A circuit keeps the number of its legs."));
            }
            if before.peering != self.peering {
                return Err(Invalid::rule("peering", "The peering of a circuit cannot be changed."));
            }
        }
        for (i, nearby) in self.nearby.iter().enumerate() {
            check::length(&format!("nearby.{i}.name"), nearby.name.as_deref().unwrap_or_default(), 255)?;
            check_network(&format!("nearby.{i}.prefix"), nearby.prefix)?;
        }
        for (i, prefix) in self.prefixes_allowed.iter().enumerate() {
            check_network(&format!("prefixes_allowed.{i}"), *prefix)?;
        }
        self.nat.check()?;
        self.bgp.check()
    }

    fn title(&self) -> String {
        self.name.clone()
    }

    fn is_gone(&self, status: &LifeStatus) -> bool {
        status.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circuit(extra: serde_json::Value) -> Circuit {
        let mut spec = serde_json::json!({"name": "C", "rate": 50});
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value(spec).unwrap()
    }

    fn complaint(extra: serde_json::Value) -> Option<String> {
        circuit(extra).check(None).err().map(|e| e.field)
    }

    #[test]
    fn a_circuit_keeps_its_legs_and_its_peering() {
        let one = circuit(serde_json::json!({"peering": "private"}));
        let two = circuit(serde_json::json!({"peering": "private", "redundant": true}));
        let public = circuit(serde_json::json!({"peering": "public"}));
        assert_eq!(two.check(Some(&one)).unwrap_err().field, "redundant");
        assert_eq!(public.check(Some(&one)).unwrap_err().field, "peering");
    }

    #[test]
    fn a_network_is_translated_to_one_of_its_own_size() {
        let maps = |list: serde_json::Value| complaint(serde_json::json!({"nat": {"enabled": true, "maps": list}}));
        assert_eq!(maps(serde_json::json!([{"native": "10.1.0.0/24", "nat": "192.0.2.0/24"}])), None);
        assert_eq!(
            maps(serde_json::json!([{"native": "10.1.0.0/24", "nat": "192.0.2.0/25"}])).as_deref(),
            Some("nat.maps.0.nat")
        );
        assert_eq!(
            maps(serde_json::json!([{"native": "10.1.0.0/24"}, {"native": "10.1.0.0/16"}])).as_deref(),
            Some("nat.maps.1.native")
        );
    }

    #[test]
    fn rules_of_bgp_are_within_their_bounds() {
        for (rules, field) in [
            (serde_json::json!({"max_prefix": 9}), "bgp.max_prefix"),
            (serde_json::json!({"alert_percent": 101}), "bgp.alert_percent"),
            (serde_json::json!({"restart_minutes": 11}), "bgp.restart_minutes"),
            (serde_json::json!({"bfd": {"tx_ms": 9, "rx_ms": 300, "multiplier": 3}}), "bgp.bfd.tx_ms"),
        ] {
            assert_eq!(complaint(serde_json::json!({"bgp": rules})).as_deref(), Some(field));
        }
    }
}
