//! An internet exchange: a shared fabric where many networks meet, somebody else's or the operator's own.

use meetme_base::{Asn, Id, Invalid, IpNet, Kind};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Admin, Ext, Nothing, check,
    edge::{self, ids, without},
    fabric::{Segment, check_network},
    ops::Tag,
    routing::{AutonomousSystem, Community, IxApi, Policy, SERVICE_WORDS},
};

/// An internet exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// Its name in addresses and in rendered configurations.
    pub slug: String,
    /// On, off or in maintenance; its links and sessions follow.
    #[serde(default)]
    pub admin: Admin,
    /// The AS of ours that peers there.
    pub local: Id<AutonomousSystem>,
    /// The number of its peering network in the public peering database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdb_lan: Option<i64>,
    /// The AS number of its route servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_server_asn: Option<Asn>,
    /// The networks its members have addresses in. Addresses are handed out from them when the exchange is the operator's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub subnets: Vec<IpNet>,
    /// What it runs on, such as `ethernet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// The segment that carries it, when the exchange is the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<Id<Segment>>,
    /// The interface through which its operator lets us see and change what we have there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ixapi: Option<Id<IxApi>>,
    /// Policies on what we accept there, after those of the session and of the AS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub import: Vec<Id<Policy>>,
    /// Policies on what we announce there, after those of the session and of the AS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub export: Vec<Id<Policy>>,
    /// Communities for its sessions.
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
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Exchange {
    /// An exchange with nothing said of it but its names and our AS there.
    pub fn new(name: impl Into<String>, slug: impl Into<String>, local: Id<AutonomousSystem>) -> Self {
        Self {
            name: name.into(),
            slug: slug.into(),
            admin: Admin::default(),
            local,
            pdb_lan: None,
            route_server_asn: None,
            subnets: Vec::new(),
            media: None,
            segment: None,
            ixapi: None,
            import: Vec::new(),
            export: Vec::new(),
            communities: Vec::new(),
            description: None,
            comments: String::new(),
            context: None,
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for Exchange {
    const KIND: Kind = Kind::new("exchange");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("admin", FieldType::Text, |s: &Self| s.admin.word().into()).words(SERVICE_WORDS),
        Field::new("pdb_lan", FieldType::Int, |s: &Self| s.pdb_lan.into()).indexed(),
        Field::new("route_server_asn", FieldType::Int, |s| s.route_server_asn.into()),
        Field::new("media", FieldType::Text, |s| s.media.clone().into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("comments", FieldType::Text, |s| s.comments.as_str().into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("local", &[AutonomousSystem::KIND], |s| Some(s.local.any())),
        Edge::refuse("segment", &[Segment::KIND], |s| s.segment.map(Id::any)),
        Edge::detach("ixapi", &[IxApi::KIND], |s| s.ixapi.map(Id::any), |s| s.ixapi = None),
        edge::import(|s| ids(&s.import), |s, id| without(&mut s.import, id)),
        edge::export(|s| ids(&s.export), |s, id| without(&mut s.export, id)),
        edge::communities(|s| ids(&s.communities), |s, id| without(&mut s.communities, id)),
        edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"], &["tenant", "slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::slug("slug", &self.slug, 100)?;
        super::service(self.admin)?;
        self.subnets.iter().enumerate().try_for_each(|(i, net)| check_network(&format!("subnets.{i}"), *net))?;
        check::length("media", self.media.as_deref().unwrap_or_default(), 128)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        super::context(self.context.as_ref())
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_is_a_network_and_not_a_host() {
        let with = |subnet: &str| -> Exchange {
            serde_json::from_value(serde_json::json!({"name": "X", "slug": "x", "local": 1, "subnets": [subnet]}))
                .unwrap()
        };
        assert_eq!(with("192.0.2.0/24").check(None), Ok(()));
        assert_eq!(with("192.0.2.1/24").check(None).unwrap_err().field, "subnets.0");
    }
}
