//! Gateways: the legs of connections.

use serde::Serialize;

use super::Link;

/// A gateway.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: String,
    pub href: String,
    pub name: String,
    pub description: String,
    pub availability_domain: &'static str,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    pub connection: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    pub link_state: &'static str,
    pub bgp_config: BgpConfig,
}

/// The BGP session of a gateway.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BgpConfig {
    #[serde(rename = "pureportASN")]
    pub our_asn: u32,
    #[serde(rename = "customerASN")]
    pub customer_asn: u32,
    #[serde(rename = "pureportIP")]
    pub our_ip: String,
    #[serde(rename = "customerIP")]
    pub customer_ip: String,
    #[serde(rename = "peeringSubnet")]
    pub subnet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(rename = "publicNatIp", skip_serializing_if = "Option::is_none")]
    pub public_nat_ip: Option<String>,
    pub state: &'static str,
}
