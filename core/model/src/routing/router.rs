//! Whatever speaks BGP and gets a rendered configuration: a box in a rack, a router somebody ordered as a service, a gateway
//! that translates addresses.

use std::net::IpAddr;

use meetme_base::{Asn, Id, Invalid, Kind, Mbps, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Admin, Ext, Labels, Life, LifeStatus, Phase, Wanted, check,
    edge::{self, ids, without},
    ops::{DataSource, Equipment, Publishes, Tag},
    place::{Site, Zone},
    routing::{AutonomousSystem, Community, Platform, SERVICE_WORDS, Template},
};

/// A router.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Router {
    /// Its name.
    pub name: String,
    /// The name or address under which it is reached.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// What it is made of.
    pub flavour: Flavour,
    /// On, off or in maintenance; its links and sessions follow.
    pub admin: Admin,
    /// The make of its software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Id<Platform>>,
    /// The template of its configuration; without one its agent renders the whole by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Id<Template>>,
    /// The file that its rendered configuration is written to when somebody asks for that.
    #[serde(skip_serializing_if = "Publishes::is_default")]
    pub publishes: Publishes,
    /// The AS it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<Id<AutonomousSystem>>,
    /// Communities for all its sessions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<Id<Community>>,
    /// The equipment behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Id<Equipment>>,
    /// Its number in the inventory of devices that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<i64>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Id<Site>>,
    /// The zone of the site it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// How the platform's driver gets in.
    #[serde(skip_serializing_if = "Driver::is_default")]
    pub driver: Driver,
    /// Whether session passwords are written in its platform's own form.
    pub encrypt: bool,
    /// Whether its sessions are polled.
    pub poll: bool,
    /// The AS number it speaks with, when it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<Asn>,
    /// The rate ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Mbps>,
    /// How many tunnels were ordered with it: 0, 10, 20 or 30.
    pub tunnels: u8,
    /// How many translated sessions were ordered with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// Whether BGP sessions on it begin switched off.
    pub bgp_off_by_default: bool,
    /// Whether its term is renewed when it ends.
    pub auto_renew: bool,
    /// The wish about its life.
    pub life: Life,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Data for templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// Labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a router is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// A box of its own, which somebody looks after.
    #[default]
    Hardware,
    /// A service ordered here; it owns exactly one network.
    Cloud,
    /// A service ordered here that also translates addresses.
    Nat,
}

/// How the driver of a router's platform gets in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Driver {
    /// The name to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// How many seconds to wait for an answer; 0 for the driver's own patience.
    pub timeout: u32,
    /// Further arguments for the driver; they go before the platform's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<serde_json::Value>,
}

impl Driver {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Flavour {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["hardware", "cloud", "nat"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Whether it is a service that is ordered, built and taken down here.
    pub const fn is_ordered(self) -> bool {
        !matches!(self, Self::Hardware)
    }
}

/// What was seen of a router.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RouterStatus {
    /// What is known of its life, when it was ordered.
    #[serde(flatten)]
    pub life: LifeStatus,
    /// When its sessions were last polled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polled_at: Option<Time>,
    /// In what it differs from what it should be, in words; absent when it does not, or nobody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// Neighbours it was seen to have that are not ours: configured by somebody else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<Stranger>,
}

/// A neighbour of a router that was configured by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Stranger {
    /// Its address.
    pub ip: IpAddr,
    /// Its AS number.
    pub asn: Asn,
}

impl RouterStatus {
    /// The most strangers that are kept.
    pub const STRANGERS: usize = 2000;
}

impl Resource for Router {
    const KIND: Kind = Kind::new("router");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("hardware_name", FieldType::Text, |s: &Self| {
            (!s.flavour.is_ordered()).then_some(s.name.as_str()).into()
        })
        .hidden(),
        Field::new("hostname", FieldType::Text, |s: &Self| s.hostname.as_str().into()).indexed().searchable(),
        Field::new("flavour", FieldType::Text, |s: &Self| s.flavour.word().into()).words(Flavour::WORDS),
        Field::new("admin", FieldType::Text, |s: &Self| s.admin.word().into()).words(SERVICE_WORDS),
        Field::new("zone", FieldType::Text, |s: &Self| s.zone.map(Zone::word).into()).words(Zone::WORDS),
        Field::new("encrypt", FieldType::Bool, |s| s.encrypt.into()),
        Field::new("poll", FieldType::Bool, |s| s.poll.into()),
        Field::new("asn", FieldType::Int, |s| s.asn.into()),
        Field::new("inventory", FieldType::Int, |s: &Self| s.inventory.into()).indexed(),
        Field::new("rate", FieldType::Int, |s| s.rate.into()),
        Field::new("tunnels", FieldType::Int, |s| s.tunnels.into()),
        Field::new("sessions", FieldType::Int, |s| s.sessions.into()),
        Field::new("bgp_off_by_default", FieldType::Bool, |s| s.bgp_off_by_default.into()),
        Field::new("auto_renew", FieldType::Bool, |s| s.auto_renew.into()),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s: &Self| s.life.gone_at.into()).indexed(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
        Field::status("polled_at", FieldType::Time, |s: &Self::Status| s.polled_at.into()),
        Field::status("has_drift", FieldType::Bool, |s: &Self::Status| s.drift.is_some().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("platform", &[Platform::KIND], |s| s.platform.map(Id::any)),
        Edge::detach("template", &[Template::KIND], |s| s.template.map(Id::any), |s| s.template = None),
        Edge::detach(
            "publishes",
            &[DataSource::KIND],
            |s| s.publishes.source.map(Id::any),
            |s| s.publishes = Publishes::default(),
        ),
        Edge::refuse("local", &[AutonomousSystem::KIND], |s| s.local.map(Id::any)),
        Edge::detach("equipment", &[Equipment::KIND], |s| s.equipment.map(Id::any), |s| s.equipment = None),
        Edge::refuse("site", &[Site::KIND], |s| s.site.map(Id::any)),
        edge::communities(|s| ids(&s.communities), |s, id| without(&mut s.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    // Ordered routers may share names; boxes may not.
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "hardware_name"]];
    // The order in which router lists are shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "local", "name"]];
    type Status = RouterStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 128)?;
        check::length("hostname", &self.hostname, 256)?;
        if before.is_some_and(|b| b.flavour != self.flavour) {
            return Err(Invalid::rule("flavour", "A router cannot become another sort of router."));
        }
        super::service(self.admin)?;
        self.publishes.check()?;
        if self.flavour.is_ordered() {
            self.asn.ok_or_else(|| Invalid::required("asn"))?;
            self.rate.ok_or_else(|| Invalid::required("rate"))?;
        } else if self.hostname.is_empty() {
            return Err(Invalid::required("hostname"));
        }
        if !matches!(self.tunnels, 0 | 10 | 20 | 30) {
            return Err(Invalid::choice("tunnels", self.tunnels));
        }
        if self.sessions.is_some() && self.flavour != Flavour::Nat {
            return Err(Invalid::rule("sessions", "Only a router that translates addresses has a number of sessions."));
        }
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        self.name.clone()
    }

    fn is_gone(&self, status: &RouterStatus) -> bool {
        status.life.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> Router {
        Router {
            name: "R".into(),
            flavour: Flavour::Cloud,
            asn: Asn::try_from(64500).ok(),
            rate: Mbps::try_from(1000).ok(),
            ..Router::default()
        }
    }

    #[test]
    fn a_box_needs_a_host_name_and_an_ordered_router_an_asn_and_a_rate() {
        let hardware = Router { name: "R".into(), ..Router::default() };
        assert_eq!(hardware.check(None).unwrap_err(), Invalid::required("hostname"));
        assert_eq!(Router { hostname: "r.example.net".into(), ..hardware }.check(None), Ok(()));
        assert_eq!(cloud().check(None), Ok(()));
        assert_eq!(Router { asn: None, ..cloud() }.check(None).unwrap_err(), Invalid::required("asn"));
        assert_eq!(Router { rate: None, ..cloud() }.check(None).unwrap_err(), Invalid::required("rate"));
    }

    #[test]
    fn tunnels_come_in_tens() {
        assert_eq!(Router { tunnels: 30, ..cloud() }.check(None), Ok(()));
        assert_eq!(Router { tunnels: 15, ..cloud() }.check(None).unwrap_err().field, "tunnels");
    }

    #[test]
    fn a_router_keeps_its_flavour() {
        let nat = Router { flavour: Flavour::Nat, ..cloud() };
        assert_eq!(nat.check(Some(&cloud())).unwrap_err().field, "flavour");
    }
}
