//! An autonomous system we know: our own, a peer's, a customer's. It hangs in the book of whoever runs the routers.

use meetme_base::{Asn, Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Nothing, check,
    edge::{self, ids, without},
    ops::Tag,
    routing::{Community, IrrSet, Policy},
};

/// An autonomous system (RFC 1930).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AutonomousSystem {
    /// Its number.
    pub asn: Asn,
    /// Its name.
    pub name: String,
    /// The name of its AS-SET, perhaps with a source (`RIPE::AS-EXAMPLE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_set: Option<String>,
    /// The most IPv4 prefixes to accept from it; 0 is no limit.
    #[serde(default)]
    pub max4: u32,
    /// The most IPv6 prefixes to accept from it; 0 is no limit.
    #[serde(default)]
    pub max6: u32,
    /// Which of the fields above follow the public peering database.
    #[serde(default)]
    pub sync: Sync,
    /// How a routing registry is asked about it.
    #[serde(default, skip_serializing_if = "Irr::is_default")]
    pub irr: Irr,
    /// Whether it is ours.
    #[serde(default)]
    pub ours: bool,
    /// Policies on what we accept from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub import: Vec<Id<Policy>>,
    /// Policies on what we announce to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub export: Vec<Id<Policy>>,
    /// Communities for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<Id<Community>>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Data for templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

/// Which fields of an AS follow the public peering database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sync {
    /// The name.
    pub name: bool,
    /// The AS-SET.
    pub as_set: bool,
    /// The IPv4 prefix limit.
    pub max4: bool,
    /// The IPv6 prefix limit.
    pub max6: bool,
}

impl Default for Sync {
    fn default() -> Self {
        Self { name: true, as_set: true, max4: true, max6: true }
    }
}

/// What is asked of the routing registries about an AS, and where that differs from the installation's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Irr {
    /// Whether its prefixes are kept here.
    pub want_prefixes: bool,
    /// Whether the numbers behind its AS-SET are kept here.
    pub want_as_list: bool,
    /// The registries to ask, separated by commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sources: String,
    /// Further arguments when IPv4 prefixes are asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub args4: String,
    /// Further arguments when IPv6 prefixes are asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub args6: String,
}

impl Default for Irr {
    fn default() -> Self {
        Self {
            want_prefixes: true,
            want_as_list: true,
            sources: String::new(),
            args4: String::new(),
            args6: String::new(),
        }
    }
}

impl Irr {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// They go to a program's command line, so only those that can do no other harm are taken.
    fn check(&self) -> Result<(), Invalid> {
        let of = |field: &str, checked: Result<(), Invalid>| checked.map_err(|e| e.under(field));
        of("irr.sources", IrrSet::sources(&self.sources))?;
        of("irr.args4", IrrSet::args(&self.args4).map(drop))?;
        of("irr.args6", IrrSet::args(&self.args6).map(drop))
    }
}

impl AutonomousSystem {
    /// An AS with nothing said of it but its number and its name.
    pub fn new(asn: Asn, name: impl Into<String>) -> Self {
        Self {
            asn,
            name: name.into(),
            as_set: None,
            max4: 0,
            max6: 0,
            sync: Sync::default(),
            irr: Irr::default(),
            ours: false,
            import: Vec::new(),
            export: Vec::new(),
            communities: Vec::new(),
            description: None,
            comments: String::new(),
            context: None,
            tags: Vec::new(),
        }
    }
}

impl Resource for AutonomousSystem {
    const KIND: Kind = Kind::new("autonomous_system");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("asn", FieldType::Int, |s: &Self| s.asn.into()).indexed().searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("as_set", FieldType::Text, |s: &Self| s.as_set.clone().into()).searchable(),
        Field::new("max4", FieldType::Int, |s| s.max4.into()),
        Field::new("max6", FieldType::Int, |s| s.max6.into()),
        Field::new("sync_name", FieldType::Bool, |s| s.sync.name.into()),
        Field::new("sync_as_set", FieldType::Bool, |s| s.sync.as_set.into()),
        Field::new("sync_max4", FieldType::Bool, |s| s.sync.max4.into()),
        Field::new("sync_max6", FieldType::Bool, |s| s.sync.max6.into()),
        Field::new("ours", FieldType::Bool, |s| s.ours.into()),
        Field::new("description", FieldType::Text, |s| s.description.clone().into()),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        edge::import(|s| ids(&s.import), |s, id| without(&mut s.import, id)),
        edge::export(|s| ids(&s.export), |s, id| without(&mut s.export, id)),
        edge::communities(|s| ids(&s.communities), |s, id| without(&mut s.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "asn"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("as_set", self.as_set.as_deref().unwrap_or_default(), 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        check::range("max4", self.max4, 0, i32::MAX.unsigned_abs())?;
        check::range("max6", self.max6, 0, i32::MAX.unsigned_abs())?;
        // What was written before there was this check stays writable as a whole.
        if before.is_none_or(|b| b.irr != self.irr) {
            self.irr.check()?;
        }
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        format!("AS{} - {}", self.asn, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_for_the_registries_do_no_harm() {
        let of = |irr| AutonomousSystem { irr, ..AutonomousSystem::new(Asn::MIN, "A") };
        let good = Irr { sources: "RIPE,RADB".into(), args4: "-A -R 24".into(), ..Irr::default() };
        assert_eq!(of(good).check(None), Ok(()));
        let bad = of(Irr { args6: "-h evil.example".into(), ..Irr::default() });
        assert_eq!(bad.check(None).unwrap_err().field, "irr.args6");
        assert_eq!(bad.check(Some(&bad)), Ok(()), "what stands already may stay");
    }
}
