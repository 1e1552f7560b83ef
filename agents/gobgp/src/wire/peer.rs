//! Neighbours: what they are configured as, and their state.

use prost::Message;
use serde::{Deserialize, Serialize};

use super::{Family, PolicyAssignment};

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
