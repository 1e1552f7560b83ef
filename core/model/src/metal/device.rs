//! A machine, or a virtual appliance, that somebody ordered. The hardware under it is a [`Server`](super::Server).

use meetme_base::{Id, Invalid, Kind, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MachineSaid, MachineTold, Power, Reservation, Server, SpotRequest};
use crate::{
    Ext, Labels, Life, LifeStatus, Phase, Wanted,
    access::SshKey,
    check,
    edge::{self, ids, without},
    fabric::Block,
    ops::Tag,
    place::{Image, Money, Plan, Site},
};

/// An ordered machine. Wishes about its place were settled when it was ordered: `site` is the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Its host name.
    pub hostname: String,
    /// Its name for people; the host name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is made of.
    #[serde(default)]
    pub form: DeviceForm,
    /// The wish about its life. `off` is a machine without power.
    #[serde(default)]
    pub life: Life,
    /// What its hardware must have, in single words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// What the machine reads when it first starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userdata: Option<String>,
    /// The script it starts from when its image is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipxe_url: Option<String>,
    /// Whether it starts from the script every time, not only the first.
    #[serde(default)]
    pub always_pxe: bool,
    /// How its disks are divided; the image's own way when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<serde_json::Value>,
    /// Whether its network may no longer be changed.
    #[serde(default)]
    pub network_frozen: bool,
    /// How often a restart was asked for. Controllers make the machine catch up with the number.
    #[serde(default)]
    pub restarts: u32,
    /// How often an installation was asked for after the first. Controllers make the machine catch up with the number.
    #[serde(default)]
    pub reinstalls: u32,
    /// Whether its next restart goes into a system in memory, from which what is on its disks can be mended.
    #[serde(default)]
    pub rescue: bool,
    /// Whether an installation leaves alone the disks that are not the system's own.
    #[serde(default)]
    pub keep_disks: bool,
    /// The addresses that were asked for with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address_wishes: Vec<AddressWish>,
    /// What the maker of a virtual appliance wants to be told; each maker has a form of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<serde_json::Value>,
    /// The part of it that must not be shown: licence keys and first passwords, as one sealed JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_secrets: Option<Sealed>,
    /// Its size.
    pub plan: Id<Plan>,
    /// What runs on it.
    pub image: Id<Image>,
    /// Where it stands.
    pub site: Id<Site>,
    /// The hardware it got; absent until there is some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Id<Server>>,
    /// The reservation whose server it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Id<Reservation>>,
    /// What it is on the spot market; at the usual price when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,
    /// The request that ordered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Id<SpotRequest>>,
    /// The keys whose owners may log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Id<SshKey>>,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a device is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceForm {
    /// A machine of its own.
    #[default]
    Metal,
    /// A virtual appliance on a host.
    Virtual,
}

impl DeviceForm {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["metal", "virtual"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// A machine's standing on the spot market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spot {
    /// The most that is paid for an hour of it. Once the price is above this, it ends.
    pub max: Money,
}

/// An address that was asked for together with a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddressWish {
    /// 4 or 6.
    pub family: u8,
    /// Whether it is reached from everywhere.
    pub public: bool,
    /// The length of the network wanted; the usual one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u8>,
    /// The blocks it may be taken from; any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Id<Block>>,
}

/// A step of a machine's way to its owner. The whole list is there from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceStep {
    /// A fixed word.
    pub code: String,
    /// One sentence a customer can read.
    pub text: String,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// The password a machine was first given. It is forgotten after a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RootPassword {
    /// The password.
    pub value: Sealed,
    /// When it is forgotten.
    pub until: Time,
}

/// What was seen of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeviceStatus {
    /// Its life.
    #[serde(flatten)]
    pub life: LifeStatus,
    /// The steps of the present installation, done ones first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<DeviceStep>,
    /// Whether it has power; absent until somebody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// The password it was first given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_password: Option<RootPassword>,
    /// How many of the restarts asked for have been made.
    pub restarts: u32,
    /// How many of the installations asked for after the first have been made.
    pub reinstalls: u32,
    /// What its server's interfaces had counted when they were last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// When the machine last said that it has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_home_at: Option<Time>,
    /// What its machine was told last, where the machine's equipment does not remember it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<MachineTold>,
    /// What its machine said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<MachineSaid>,
}

/// What the interfaces of a server had counted at a moment. Counters begin anew when a server is started without power before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traffic {
    /// Bytes that came in.
    pub inbound: u64,
    /// Bytes that went out.
    pub outbound: u64,
    /// When.
    pub at: Time,
}

impl Traffic {
    /// The name of the series of bytes that came in.
    pub const INBOUND: &'static str = "traffic.in";
    /// The name of the series of bytes that went out.
    pub const OUTBOUND: &'static str = "traffic.out";
}

impl Device {
    /// A machine with that size, image and place, wanted up, with nothing said about its details.
    pub fn new(hostname: impl Into<String>, plan: Id<Plan>, image: Id<Image>, site: Id<Site>) -> Self {
        Self {
            hostname: hostname.into(),
            name: None,
            description: None,
            form: DeviceForm::Metal,
            life: Life::default(),
            features: Vec::new(),
            userdata: None,
            ipxe_url: None,
            always_pxe: false,
            layout: None,
            network_frozen: false,
            restarts: 0,
            reinstalls: 0,
            rescue: false,
            keep_disks: false,
            address_wishes: Vec::new(),
            vendor: None,
            vendor_secrets: None,
            plan,
            image,
            site,
            server: None,
            reservation: None,
            spot: None,
            request: None,
            keys: Vec::new(),
            tags: Vec::new(),
            labels: Labels::new(),
            ext: Ext::new(),
        }
    }

    fn check_fixed(&self, before: &Self) -> Result<(), Invalid> {
        let fixed = |field: &str| Err(Invalid::rule(field, "This cannot be changed once the device is ordered."));
        if before.form != self.form {
            return fixed("form");
        }
        if before.plan != self.plan {
            return fixed("plan");
        }
        if before.site != self.site {
            return fixed("site");
        }
        // A smaller number would be a restart that never happened.
        check::range("restarts", self.restarts, before.restarts, u32::MAX)?;
        check::range("reinstalls", self.reinstalls, before.reinstalls, u32::MAX)
    }
}

/// The text is a host name (RFC 1123 section 2.1): labels of letters, digits and inner hyphens, joined by dots.
///
/// # Errors
/// Names the field.
pub fn check_hostname(field: &str, text: &str) -> Result<(), Invalid> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 253 && text.split('.').all(label) { Ok(()) } else { Err(Invalid::format(field, "a host name")) }
}

impl AddressWish {
    fn check(&self, at: usize) -> Result<(), Invalid> {
        let longest = match self.family {
            4 => 32,
            6 => 128,
            other => return Err(Invalid::choice(format!("address_wishes.{at}.family"), other)),
        };
        self.length.map_or(Ok(()), |length| check::range(&format!("address_wishes.{at}.length"), length, 1, longest))
    }
}

impl Resource for Device {
    const KIND: Kind = Kind::new("device");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("hostname", FieldType::Text, |s: &Self| s.hostname.as_str().into()).indexed().searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.clone().into()).searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("form", FieldType::Text, |s: &Self| s.form.word().into()).words(DeviceForm::WORDS),
        Field::new("features", FieldType::Texts, |s| s.features.clone().into()),
        Field::new("network_frozen", FieldType::Bool, |s| s.network_frozen.into()),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::new("gone_at", FieldType::Time, |s| s.life.gone_at.into()),
        Field::new("spot", FieldType::Bool, |s| s.spot.is_some().into()),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
        Field::status("power", FieldType::Text, |s: &Self::Status| s.power.map(Power::word).into()).words(Power::WORDS),
        Field::status("ready_at", FieldType::Time, |s: &Self::Status| s.life.ready_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("plan", &[Plan::KIND], |s| Some(s.plan.any())),
        Edge::refuse("image", &[Image::KIND], |s| Some(s.image.any())),
        Edge::refuse("site", &[Site::KIND], |s| Some(s.site.any())),
        Edge::refuse("server", &[Server::KIND], |s| s.server.map(Id::any)),
        Edge::detach("reservation", &[Reservation::KIND], |s| s.reservation.map(Id::any), |s| s.reservation = None),
        Edge::detach("request", &[SpotRequest::KIND], |s| s.request.map(Id::any), |s| s.request = None),
        Edge::many("keys", &[SshKey::KIND], OnDelete::Detach, |s| ids(&s.keys), |s, id| without(&mut s.keys, id)),
        Edge::many(
            "blocks",
            &[Block::KIND],
            OnDelete::Detach,
            |s| s.address_wishes.iter().flat_map(|w| w.blocks.iter().map(|i| i.any())).collect(),
            |s, id| s.address_wishes.iter_mut().for_each(|w| w.blocks.retain(|i| i.any() != id)),
        ),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    // The newest first, as every list of devices is shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "created"]];
    type Status = DeviceStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check_hostname("hostname", &self.hostname)?;
        check::length("name", self.name.as_deref().unwrap_or_default(), 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        // 64 KiB is what machines of every distribution still read.
        check::length("userdata", self.userdata.as_deref().unwrap_or_default(), 65_536)?;
        if self.ipxe_url.as_deref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(Invalid::format("ipxe_url", "an http or https URL"));
        }
        if self.form == DeviceForm::Metal && (self.vendor.is_some() || self.vendor_secrets.is_some()) {
            return Err(Invalid::rule("vendor", "Only a virtual appliance is configured in its maker's form."));
        }
        if let Some(spot) = &self.spot {
            spot.max.check("spot.max")?;
        }
        self.address_wishes.iter().enumerate().try_for_each(|(i, wish)| wish.check(i))?;
        before.map_or(Ok(()), |before| self.check_fixed(before))
    }

    fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.hostname.clone())
    }

    fn is_gone(&self, status: &DeviceStatus) -> bool {
        status.life.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(hostname: &str) -> Device {
        Device::new(hostname, Id::new(1), Id::new(2), Id::new(3))
    }

    #[test]
    fn a_host_name_has_labels_without_outer_hyphens() {
        for good in ["a", "edge-1", "1.example.net"] {
            assert!(device(good).check(None).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a..b", "a_b", "a b", &"a".repeat(64)] {
            assert_eq!(device(bad).check(None).map_err(|e| e.field), Err("hostname".into()), "{bad}");
        }
    }

    #[test]
    fn a_device_keeps_its_plan_and_counts_restarts_upwards() {
        let before = Device { restarts: 2, ..device("a") };
        assert!(Device { restarts: 3, image: Id::new(9), ..before.clone() }.check(Some(&before)).is_ok());
        let field = |after: Device| after.check(Some(&before)).unwrap_err().field;
        assert_eq!(field(Device { plan: Id::new(9), ..before.clone() }), "plan");
        assert_eq!(field(Device { restarts: 1, ..before.clone() }), "restarts");
    }

    #[test]
    fn an_address_is_asked_for_in_a_known_family() {
        let wish = |family, length| AddressWish { family, public: true, length, blocks: vec![Id::new(7)] };
        let check = |wish| Device { address_wishes: vec![wish], ..device("a") }.check(None).map_err(|e| e.field);
        assert_eq!(check(wish(6, Some(127))), Ok(()));
        assert_eq!(check(wish(4, Some(33))), Err("address_wishes.0.length".into()));
        assert_eq!(check(wish(5, None)), Err("address_wishes.0.family".into()));
    }

    #[test]
    fn a_status_is_flat_and_reads_back() {
        let life = LifeStatus::default().moved(Phase::Building, Some("install"), Time(5));
        let status = DeviceStatus { life, restarts: 1, ..DeviceStatus::default() };
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!((&json["phase"], &json["step"]), (&"building".into(), &"install".into()));
        assert_eq!(serde_json::from_value::<DeviceStatus>(json).unwrap(), status);
    }
}
