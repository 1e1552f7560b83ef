//! Connections: one shape that holds the members of every type; each type uses its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BillingPlan, Gateway, Link, Tags};

/// A connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Connection {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_availability: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_term: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub billing_plan: Option<BillingPlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_internal_routes: Option<bool>,
    #[serde(rename = "customerASN", skip_serializing_if = "Option::is_none")]
    pub customer_asn: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_networks: Option<Vec<CustomerNetwork>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<Nat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peering: Option<Peering>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_password_configuration: Option<BgpPasswords>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_maximum_prefix: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_alert_percent: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_restart_interval: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bfd: Option<Bfd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_account_id: Option<String>,
    #[serde(alias = "awgRegion", skip_serializing_if = "Option::is_none")]
    pub aws_region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_region: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_services: Option<Vec<Link>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_services_prefix_whitelist: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_pairing_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_pairing_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_ocid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_ocid: Option<String>,
    #[serde(rename = "serviceUUID", skip_serializing_if = "Option::is_none")]
    pub service_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metro_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_primary_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_secondary_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_vlan: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_vlan: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_port: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_port: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_customer_vlan: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_customer_vlan: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub primary_gateway: Option<Gateway>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub secondary_gateway: Option<Gateway>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub active_at: Option<String>,
}

/// A rate in megabits per second. Written as a number; the older words `MBPS_100` and `GBPS_1` are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "u32")]
pub struct Speed(pub u32);

impl From<Speed> for u32 {
    fn from(speed: Speed) -> Self {
        speed.0
    }
}

impl TryFrom<Value> for Speed {
    type Error = String;
    fn try_from(sent: Value) -> Result<Self, String> {
        let number = match &sent {
            Value::Number(n) => n.as_u64(),
            Value::String(text) => text
                .strip_prefix("MBPS_")
                .and_then(|n| n.parse().ok())
                .or_else(|| text.strip_prefix("GBPS_").and_then(|n| n.parse::<u64>().ok()?.checked_mul(1000)))
                .or_else(|| text.parse().ok()),
            _ => None,
        };
        let speed = number.and_then(|n| u32::try_from(n).ok());
        speed.map(Self).ok_or_else(|| "must be a speed in Mbps".to_owned())
    }
}

/// A network of the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerNetwork {
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Address translation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Nat {
    pub enabled: Option<bool>,
    pub mappings: Option<Vec<NatMapping>>,
    #[serde(skip_deserializing)]
    pub blocks: Vec<String>,
    #[serde(skip_deserializing)]
    pub pnat_cidr: String,
}

/// One translation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NatMapping {
    pub native_cidr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat_cidr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub block: Option<String>,
}

/// How a cloud is reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Peering {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(rename = "primaryPureportBgpIP", skip_serializing_if = "Option::is_none")]
    pub primary_ours: Option<String>,
    #[serde(rename = "primaryRemoteBgpIP", skip_serializing_if = "Option::is_none")]
    pub primary_theirs: Option<String>,
    #[serde(rename = "secondaryPureportBgpIP", skip_serializing_if = "Option::is_none")]
    pub secondary_ours: Option<String>,
    #[serde(rename = "secondaryRemoteBgpIP", skip_serializing_if = "Option::is_none")]
    pub secondary_theirs: Option<String>,
}

/// Passwords of BGP sessions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BgpPasswords {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(rename = "primaryBGPPassword", skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    #[serde(rename = "secondaryBGPPassword", skip_serializing_if = "Option::is_none")]
    pub secondary: Option<String>,
}

/// Bidirectional forwarding detection.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Bfd {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transmit_interval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_interval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detect_multiplier: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_and_its_older_words_are_understood() {
        for (sent, wanted) in
            [("100", Some(100)), ("\"MBPS_100\"", Some(100)), ("\"GBPS_1\"", Some(1000)), ("\"fast\"", None)]
        {
            assert_eq!(serde_json::from_str::<Speed>(sent).ok().map(|s| s.0), wanted, "{sent}");
        }
        assert_eq!(serde_json::to_string(&Speed(100)).unwrap(), "100");
    }

    #[test]
    fn the_misspelt_region_and_explicit_nulls_are_read() {
        let sent: Connection =
            serde_json::from_str(r#"{"awgRegion": "us-east-1", "name": null, "nat": null, "highAvailability": null}"#)
                .unwrap();
        assert_eq!((sent.aws_region.as_deref(), sent.name), (Some("us-east-1"), None));
    }
}
