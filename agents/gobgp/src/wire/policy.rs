//! Sets, policies made of them, and the tables that go through these.

use prost::Message;
use serde::{Deserialize, Serialize};

use super::Family;
use crate::words;

/// A network and the lengths its parts may have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Prefix {
    #[prost(string, tag = "1")]
    pub ip_prefix: String,
    #[prost(uint32, tag = "2")]
    pub mask_length_min: u32,
    #[prost(uint32, tag = "3")]
    pub mask_length_max: u32,
}

/// A named set that conditions refer to.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DefinedSet {
    #[prost(int32, tag = "1")]
    #[serde(rename = "type", with = "words::defined")]
    pub defined_type: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, repeated, tag = "3")]
    pub list: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    #[serde(with = "words::prefixes")]
    pub prefixes: Vec<Prefix>,
}

/// Numbers of `defined_type`.
pub mod defined {
    pub const PREFIX: i32 = 0;
    pub const NEIGHBOR: i32 = 1;
    pub const AS_PATH: i32 = 3;
    pub const COMMUNITY: i32 = 4;
    pub const EXT_COMMUNITY: i32 = 5;
    pub const LARGE_COMMUNITY: i32 = 6;
}

#[derive(Clone, PartialEq, Message)]
pub struct ListDefinedSet {
    #[prost(int32, tag = "1")]
    pub defined_type: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct DefinedSetAnswer {
    #[prost(message, optional, tag = "1")]
    pub defined_set: Option<DefinedSet>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchSet {
    #[prost(int32, tag = "1")]
    #[serde(with = "words::matching")]
    pub r#type: i32,
    #[prost(string, tag = "2")]
    pub name: String,
}

/// Numbers of `MatchSet::type`.
pub mod matching {
    pub const ANY: i32 = 0;
    pub const ALL: i32 = 1;
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsPathLength {
    #[prost(int32, tag = "1")]
    #[serde(with = "words::length")]
    pub r#type: i32,
    #[prost(uint32, tag = "2")]
    pub length: u32,
}

/// The number of `AsPathLength::type` for "that long or longer".
pub const AT_LEAST: i32 = 1;

/// Numbers of `Conditions::route_type`.
pub mod route_type {
    pub const INTERNAL: i32 = 1;
    pub const EXTERNAL: i32 = 2;
    pub const LOCAL: i32 = 3;
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    #[prost(message, optional, tag = "1")]
    pub prefix_set: Option<MatchSet>,
    #[prost(message, optional, tag = "2")]
    pub neighbor_set: Option<MatchSet>,
    #[prost(message, optional, tag = "3")]
    pub as_path_length: Option<AsPathLength>,
    #[prost(message, optional, tag = "4")]
    pub as_path_set: Option<MatchSet>,
    #[prost(message, optional, tag = "5")]
    pub community_set: Option<MatchSet>,
    #[prost(message, optional, tag = "6")]
    pub ext_community_set: Option<MatchSet>,
    #[prost(int32, tag = "7")]
    pub rpki_result: i32,
    #[prost(int32, tag = "8")]
    #[serde(with = "words::route_type")]
    pub route_type: i32,
    #[prost(message, optional, tag = "9")]
    pub large_community_set: Option<MatchSet>,
    #[prost(string, repeated, tag = "10")]
    pub next_hop_in_list: Vec<String>,
    #[prost(message, repeated, tag = "11")]
    pub afi_safi_in: Vec<Family>,
}

/// Numbers of `RouteAction`.
pub mod action {
    pub const NONE: i32 = 0;
    pub const ACCEPT: i32 = 1;
    pub const REJECT: i32 = 2;
}

/// Type 0 adds communities.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommunityAction {
    #[prost(int32, tag = "1")]
    #[serde(with = "words::community")]
    pub r#type: i32,
    #[prost(string, repeated, tag = "2")]
    pub communities: Vec<String>,
}

/// Type 0 changes the value, 1 replaces it.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MedAction {
    #[prost(int32, tag = "1")]
    #[serde(with = "words::med")]
    pub r#type: i32,
    #[prost(int64, tag = "2")]
    pub value: i64,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsPrependAction {
    #[prost(uint32, tag = "1")]
    pub asn: u32,
    #[prost(uint32, tag = "2")]
    pub repeat: u32,
    #[prost(bool, tag = "3")]
    pub use_left_most: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NexthopAction {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(bool, tag = "2")]
    #[serde(rename = "self")]
    pub own: bool,
    #[prost(bool, tag = "3")]
    pub unchanged: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalPrefAction {
    #[prost(uint32, tag = "1")]
    pub value: u32,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actions {
    #[prost(int32, tag = "1")]
    #[serde(with = "words::action")]
    pub route_action: i32,
    #[prost(message, optional, tag = "2")]
    pub community: Option<CommunityAction>,
    #[prost(message, optional, tag = "3")]
    pub med: Option<MedAction>,
    #[prost(message, optional, tag = "4")]
    pub as_prepend: Option<AsPrependAction>,
    #[prost(message, optional, tag = "5")]
    pub ext_community: Option<CommunityAction>,
    #[prost(message, optional, tag = "6")]
    pub nexthop: Option<NexthopAction>,
    #[prost(message, optional, tag = "7")]
    pub local_pref: Option<LocalPrefAction>,
    #[prost(message, optional, tag = "8")]
    pub large_community: Option<CommunityAction>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Statement {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub conditions: Option<Conditions>,
    #[prost(message, optional, tag = "3")]
    pub actions: Option<Actions>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, repeated, tag = "2")]
    pub statements: Vec<Statement>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AddPolicy {
    #[prost(message, optional, tag = "1")]
    pub policy: Option<Policy>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PolicyAnswer {
    #[prost(message, optional, tag = "1")]
    pub policy: Option<Policy>,
}

/// All sets and policies at once.
#[derive(Clone, PartialEq, Message)]
pub struct SetPolicies {
    #[prost(message, repeated, tag = "1")]
    pub defined_sets: Vec<DefinedSet>,
    #[prost(message, repeated, tag = "2")]
    pub policies: Vec<Policy>,
}

/// Which policies a table goes through: the daemon's (`global`) or that of a route server's client, named by its address.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyAssignment {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int32, tag = "2")]
    #[serde(with = "words::direction")]
    pub direction: i32,
    #[prost(message, repeated, tag = "4")]
    #[serde(with = "words::names")]
    pub policies: Vec<Policy>,
    #[prost(int32, tag = "5")]
    #[serde(with = "words::action")]
    pub default_action: i32,
}

/// Numbers of `PolicyAssignment::direction`.
pub mod direction {
    pub const IMPORT: i32 = 1;
    pub const EXPORT: i32 = 2;
}

#[derive(Clone, PartialEq, Message)]
pub struct Assign {
    #[prost(message, optional, tag = "1")]
    pub assignment: Option<PolicyAssignment>,
}
