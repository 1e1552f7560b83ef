//! Made-up kinds with one of everything.

use std::net::IpAddr;

use meetme_base::{IfAddr, Invalid, Kind, RawId, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Registry, Resource, TriggerOn, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub fn registry() -> Registry {
    Registry::new()
        .with::<Org>()
        .with::<Site>()
        .with::<Device>()
        .with::<Cable>()
        .with::<Vault>()
        .with::<Mirror>()
        .trigger::<Device>(TriggerOn::Spec, "sites", |_, device| {
            let sites = [device.before, device.after].into_iter().flatten().filter_map(|d| d.site);
            Ok(sites.collect())
        })
        .trigger::<Device>(TriggerOn::Status, "watchers", |_, device| Ok(vec![device.id]))
        .trigger::<Vault>(TriggerOn::Spec, "vaults", |_, vault| {
            Ok(vault.before.or(vault.after).and_then(|v| v.at).into_iter().collect())
        })
}

/// The status of kinds that have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// A node of the tenant tree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Org {
    pub name: String,
}

impl Org {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

impl Resource for Org {
    const KIND: Kind = Kind::new("org");
    const AREA: &'static str = "access";
    const NODE: bool = true;
    const FIELDS: &'static [Field<Self>] =
        &[Field::<Self>::new("name", FieldType::Text, |o| o.name.as_str().into()).searchable()];
    type Status = Nothing;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        self.name.clone()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    pub name: String,
    #[serde(default)]
    pub floor: Option<i64>,
    #[serde(default)]
    pub label: Option<String>,
}

impl Site {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl Resource for Site {
    const KIND: Kind = Kind::new("site");
    const AREA: &'static str = "place";
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("name", FieldType::Text, |s| s.name.as_str().into()).indexed().searchable(),
        Field::<Self>::new("floor", FieldType::Int, |s| s.floor.into()),
        Field::<Self>::new("label", FieldType::Text, |s| s.label.clone().into()),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        if self.name == "nowhere" { Err(Invalid::choice("name", "nowhere")) } else { Ok(()) }
    }
    fn title(&self) -> String {
        format!("site {}", self.name)
    }
}

/// A kind with a field of every type, a status and references.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Device {
    pub name: String,
    pub label: Option<String>,
    pub size: Option<i64>,
    pub on: Option<bool>,
    pub ip: Option<IpAddr>,
    pub net: Option<IfAddr>,
    pub since: Option<Time>,
    pub tags: Vec<String>,
    /// Refuses that its site goes.
    pub site: Option<RawId>,
    /// Goes with it.
    pub host: Option<RawId>,
    /// Lets go.
    pub spare: Option<RawId>,
    /// A list that lets go.
    pub peers: Vec<RawId>,
    /// Of more than one kind.
    pub near: Option<RawId>,
    pub closed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceStatus {
    pub state: String,
    pub load: Option<i64>,
    #[serde(default)]
    pub lost: bool,
}

impl Resource for Device {
    const KIND: Kind = Kind::new("device");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("name", FieldType::Text, |d| d.name.as_str().into()).searchable(),
        Field::<Self>::new("label", FieldType::Text, |d| d.label.clone().into()).searchable(),
        Field::<Self>::new("size", FieldType::Int, |d| d.size.into()).indexed(),
        Field::<Self>::new("on", FieldType::Bool, |d| d.on.into()),
        Field::<Self>::new("ip", FieldType::Ip, |d| d.ip.into()),
        Field::<Self>::new("net", FieldType::Net, |d| d.net.into()),
        Field::<Self>::new("since", FieldType::Time, |d| d.since.into()),
        Field::<Self>::new("tags", FieldType::Texts, |d| d.tags.clone().into()).searchable(),
        Field::<Self>::status("state", FieldType::Text, |s| s.state.as_str().into()).searchable(),
        Field::<Self>::status("load", FieldType::Int, |s| s.load.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("site", &[Site::KIND], |d| d.site),
        Edge::cascade("host", &[Device::KIND], |d| d.host),
        Edge::detach("spare", &[Device::KIND], |d| d.spare, |d| d.spare = None),
        Edge::many(
            "peers",
            &[Device::KIND],
            OnDelete::Detach,
            |d| d.peers.clone(),
            |d, id| d.peers.retain(|p| *p != id),
        ),
        Edge::detach("near", &[Site::KIND, Device::KIND], |d| d.near, |d| d.near = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["site", "name"], &["ip"]];
    type Status = DeviceStatus;
    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        let shrinks = before.is_some_and(|b| b.size > self.size && self.size.is_some());
        if shrinks { Err(Invalid::rule("size", "A device cannot shrink.")) } else { Ok(()) }
    }
    fn title(&self) -> String {
        format!("device {}", self.name)
    }
    fn is_gone(&self, status: &DeviceStatus) -> bool {
        self.closed || status.lost
    }
}

/// Lists that refuse and cascade.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cable {
    pub name: String,
    pub via: Vec<RawId>,
    pub ends: Vec<RawId>,
}

impl Resource for Cable {
    const KIND: Kind = Kind::new("cable");
    const AREA: &'static str = "fabric";
    const FIELDS: &'static [Field<Self>] = &[Field::<Self>::new("name", FieldType::Text, |c| c.name.as_str().into())];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::many("via", &[Site::KIND], OnDelete::Refuse, |c| c.via.clone(), |_, _| {}),
        Edge::many("ends", &[Device::KIND], OnDelete::Cascade, |c| c.ends.clone(), |_, _| {}),
    ];
    type Status = Nothing;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        format!("cable {}", self.name)
    }
}

/// Something with a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vault {
    pub name: String,
    pub secret: Sealed,
    pub at: Option<RawId>,
}

impl Vault {
    pub fn with(name: &str, secret: &str, at: Option<RawId>) -> Self {
        Self { name: name.to_owned(), secret: Sealed { text: secret.to_owned() }, at }
    }
}

impl Resource for Vault {
    const KIND: Kind = Kind::new("vault");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[Field::<Self>::new("name", FieldType::Text, |v| v.name.as_str().into())];
    const EDGES: &'static [Edge<Self>] = &[Edge::refuse("at", &[Site::KIND], |v| v.at)];
    type Status = Nothing;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        self.name.clone()
    }
}

/// A kind that the log does not tell of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mirror {
    pub n: i64,
}

impl Resource for Mirror {
    const KIND: Kind = Kind::new("mirror");
    const AREA: &'static str = "ops";
    const LOGGED: bool = false;
    const FIELDS: &'static [Field<Self>] = &[Field::<Self>::new("n", FieldType::Int, |m| Value::Int(m.n)).indexed()];
    type Status = Nothing;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        self.n.to_string()
    }
}
