//! The messages of gobgpd's gRPC interface (package `apipb`, gobgpd 3), as far as this agent speaks them.
//!
//! They are declared by hand, so that nobody needs a compiler of protocol files to build this. Numbers and names are those of the
//! interface; fields that are left out are skipped when read. The same types are what a configuration is kept and shown as, so
//! everything that is no state can be written as text.

use prost::Message;
use serde::{Deserialize, Serialize};

use crate::words;

/// Nothing to say.
#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

/// The daemon as a whole.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Global {
    /// Zero in a daemon that has not been started.
    #[prost(uint32, tag = "1")]
    pub asn: u32,
    #[prost(string, tag = "2")]
    pub router_id: String,
    /// Not part of what is compared: how the process listens is its settings' business.
    #[prost(int32, tag = "3")]
    #[serde(skip)]
    pub listen_port: i32,
    #[prost(string, repeated, tag = "4")]
    #[serde(skip)]
    pub listen_addresses: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StartBgp {
    #[prost(message, optional, tag = "1")]
    pub global: Option<Global>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetBgp {
    #[prost(message, optional, tag = "1")]
    pub global: Option<Global>,
}

/// An address family: `afi` 1 is IPv4, 2 is IPv6; `safi` 1 is unicast.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Family {
    #[prost(int32, tag = "1")]
    pub afi: i32,
    #[prost(int32, tag = "2")]
    pub safi: i32,
}

impl Family {
    /// Unicast of the family that an address belongs to.
    pub fn of(is_ipv4: bool) -> Self {
        Self { afi: if is_ipv4 { 1 } else { 2 }, safi: 1 }
    }
}

/// A neighbour: what it is configured as, and its state.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peer {
    #[prost(message, optional, tag = "1")]
    pub apply_policy: Option<ApplyPolicy>,
    #[prost(message, optional, tag = "2")]
    pub conf: Option<PeerConf>,
    #[prost(message, optional, tag = "3")]
    pub ebgp_multihop: Option<Multihop>,
    #[prost(message, optional, tag = "4")]
    pub route_reflector: Option<RouteReflector>,
    #[prost(message, optional, tag = "5")]
    #[serde(skip)]
    pub state: Option<PeerState>,
    #[prost(message, optional, tag = "6")]
    pub timers: Option<Timers>,
    #[prost(message, optional, tag = "7")]
    pub transport: Option<Transport>,
    #[prost(message, optional, tag = "8")]
    pub route_server: Option<RouteServer>,
    #[prost(message, optional, tag = "9")]
    pub graceful_restart: Option<GracefulRestart>,
    #[prost(message, repeated, tag = "10")]
    pub afi_safis: Vec<AfiSafi>,
    #[prost(message, optional, tag = "11")]
    pub ttl_security: Option<TtlSecurity>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApplyPolicy {
    #[prost(message, optional, tag = "2")]
    pub export_policy: Option<PolicyAssignment>,
    #[prost(message, optional, tag = "3")]
    pub import_policy: Option<PolicyAssignment>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeerConf {
    #[prost(string, tag = "1")]
    pub auth_password: String,
    #[prost(string, tag = "2")]
    pub description: String,
    #[prost(uint32, tag = "3")]
    pub local_asn: u32,
    #[prost(string, tag = "4")]
    pub neighbor_address: String,
    #[prost(uint32, tag = "5")]
    pub peer_asn: u32,
    #[prost(string, tag = "6")]
    pub peer_group: String,
    /// 0 inside an autonomous system, 1 between two; follows from the numbers.
    #[prost(int32, tag = "7")]
    #[serde(skip)]
    pub r#type: i32,
    #[prost(int32, tag = "8")]
    pub remove_private: i32,
    #[prost(string, tag = "11")]
    pub neighbor_interface: String,
    #[prost(string, tag = "12")]
    pub vrf: String,
    #[prost(uint32, tag = "13")]
    pub allow_own_asn: u32,
    #[prost(bool, tag = "14")]
    pub replace_peer_asn: bool,
    #[prost(bool, tag = "15")]
    pub admin_down: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Multihop {
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    #[prost(uint32, tag = "2")]
    pub multihop_ttl: u32,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TtlSecurity {
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    #[prost(uint32, tag = "2")]
    pub ttl_min: u32,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteReflector {
    #[prost(bool, tag = "1")]
    pub route_reflector_client: bool,
    #[prost(string, tag = "2")]
    pub route_reflector_cluster_id: String,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteServer {
    #[prost(bool, tag = "1")]
    pub route_server_client: bool,
    #[prost(bool, tag = "2")]
    pub secondary_route: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    #[prost(message, optional, tag = "1")]
    pub config: Option<TimersConfig>,
    #[prost(message, optional, tag = "2")]
    #[serde(skip)]
    pub state: Option<TimersState>,
}

/// In seconds.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimersConfig {
    #[prost(uint64, tag = "1")]
    pub connect_retry: u64,
    #[prost(uint64, tag = "2")]
    pub hold_time: u64,
    #[prost(uint64, tag = "3")]
    pub keepalive_interval: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct TimersState {
    #[prost(message, optional, tag = "6")]
    pub uptime: Option<Timestamp>,
    #[prost(message, optional, tag = "7")]
    pub downtime: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transport {
    /// While a session is up this is the address it really has, whatever was asked for.
    #[prost(string, tag = "1")]
    pub local_address: String,
    #[prost(uint32, tag = "2")]
    pub local_port: u32,
    #[prost(bool, tag = "4")]
    pub passive_mode: bool,
    #[prost(uint32, tag = "6")]
    pub remote_port: u32,
    #[prost(string, tag = "8")]
    pub bind_interface: String,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GracefulRestart {
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    #[prost(uint32, tag = "2")]
    pub restart_time: u32,
    #[prost(bool, tag = "3")]
    pub helper_only: bool,
    #[prost(uint32, tag = "4")]
    pub deferral_time: u32,
    #[prost(bool, tag = "5")]
    pub notification_enabled: bool,
    #[prost(bool, tag = "6")]
    pub longlived_enabled: bool,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AfiSafi {
    #[prost(message, optional, tag = "2")]
    pub config: Option<AfiSafiConfig>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip)]
    pub state: Option<AfiSafiState>,
    #[prost(message, optional, tag = "7")]
    pub prefix_limits: Option<PrefixLimit>,
    #[prost(message, optional, tag = "10")]
    pub add_paths: Option<AddPaths>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AfiSafiConfig {
    #[prost(message, optional, tag = "1")]
    pub family: Option<Family>,
    #[prost(bool, tag = "2")]
    pub enabled: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct AfiSafiState {
    #[prost(uint64, tag = "3")]
    pub received: u64,
    #[prost(uint64, tag = "5")]
    pub advertised: u64,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrefixLimit {
    #[prost(message, optional, tag = "1")]
    pub family: Option<Family>,
    #[prost(uint32, tag = "2")]
    pub max_prefixes: u32,
    #[prost(uint32, tag = "3")]
    pub shutdown_threshold_pct: u32,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddPaths {
    #[prost(message, optional, tag = "1")]
    pub config: Option<AddPathsConfig>,
}

#[derive(Clone, PartialEq, Message, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddPathsConfig {
    #[prost(bool, tag = "1")]
    pub receive: bool,
    #[prost(uint32, tag = "2")]
    pub send_max: u32,
}

/// Numbers of `session_state` and `admin_state`.
pub mod state {
    pub const CONNECT: i32 = 2;
    pub const ACTIVE: i32 = 3;
    pub const OPENSENT: i32 = 4;
    pub const OPENCONFIRM: i32 = 5;
    pub const ESTABLISHED: i32 = 6;
    /// Switched off, by its configuration or by hand.
    pub const DOWN: i32 = 1;
    /// Switched off by the daemon, because the peer sent too much.
    pub const PREFIXES: i32 = 2;
}

#[derive(Clone, PartialEq, Message)]
pub struct PeerState {
    #[prost(message, optional, tag = "4")]
    pub messages: Option<Messages>,
    #[prost(int32, tag = "13")]
    pub session_state: i32,
    #[prost(int32, tag = "15")]
    pub admin_state: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Messages {
    #[prost(message, optional, tag = "1")]
    pub received: Option<MessageCounts>,
    #[prost(message, optional, tag = "2")]
    pub sent: Option<MessageCounts>,
}

#[derive(Clone, PartialEq, Message)]
pub struct MessageCounts {
    #[prost(uint64, tag = "1")]
    pub notification: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct PeerRequest {
    #[prost(message, optional, tag = "1")]
    pub peer: Option<Peer>,
}

/// What `DeletePeer`, `EnablePeer` and `DisablePeer` ask for.
#[derive(Clone, PartialEq, Message)]
pub struct AddressRequest {
    #[prost(string, tag = "1")]
    pub address: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ListPeer {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(bool, tag = "2")]
    pub enable_advertised: bool,
}

/// Direction 0 is in, 1 out, 2 both.
#[derive(Clone, PartialEq, Message)]
pub struct ResetPeer {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(bool, tag = "3")]
    pub soft: bool,
    #[prost(int32, tag = "4")]
    pub direction: i32,
}

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

/// A message of a named type inside another.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct IpAddressPrefix {
    #[prost(uint32, tag = "1")]
    pub prefix_len: u32,
    #[prost(string, tag = "2")]
    pub prefix: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct OriginAttribute {
    #[prost(uint32, tag = "1")]
    pub origin: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct NextHopAttribute {
    #[prost(string, tag = "1")]
    pub next_hop: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct MpReachNlriAttribute {
    #[prost(message, optional, tag = "1")]
    pub family: Option<Family>,
    #[prost(string, repeated, tag = "2")]
    pub next_hops: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    pub nlris: Vec<Any>,
}

/// A route.
#[derive(Clone, PartialEq, Message)]
pub struct Path {
    #[prost(message, optional, tag = "1")]
    pub nlri: Option<Any>,
    #[prost(message, repeated, tag = "2")]
    pub pattrs: Vec<Any>,
    #[prost(message, optional, tag = "9")]
    pub family: Option<Family>,
    #[prost(bool, tag = "12")]
    pub filtered: bool,
    /// The peer a route is from; `<nil>` for one that the daemon announces itself.
    #[prost(string, tag = "15")]
    pub neighbor_ip: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Destination {
    #[prost(string, tag = "1")]
    pub prefix: String,
    #[prost(message, repeated, tag = "2")]
    pub paths: Vec<Path>,
}

/// Numbers of tables.
pub mod table {
    pub const GLOBAL: i32 = 0;
    pub const ADJ_IN: i32 = 2;
    pub const ADJ_OUT: i32 = 3;
}

#[derive(Clone, PartialEq, Message)]
pub struct AddPath {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub path: Option<Path>,
}

#[derive(Clone, PartialEq, Message)]
pub struct DeletePath {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub family: Option<Family>,
    #[prost(message, optional, tag = "4")]
    pub path: Option<Path>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LookupPrefix {
    #[prost(string, tag = "1")]
    pub prefix: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ListPath {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, optional, tag = "3")]
    pub family: Option<Family>,
    #[prost(message, repeated, tag = "4")]
    pub prefixes: Vec<LookupPrefix>,
    #[prost(bool, tag = "6")]
    pub enable_filtered: bool,
    /// Leaves out the attributes in words, which are most of an answer.
    #[prost(bool, tag = "9")]
    pub enable_only_binary: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct PathAnswer {
    #[prost(message, optional, tag = "1")]
    pub destination: Option<Destination>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetTable {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(message, optional, tag = "2")]
    pub family: Option<Family>,
    #[prost(string, tag = "3")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct TableAnswer {
    #[prost(uint64, tag = "2")]
    pub num_path: u64,
}
