//! What can be had where.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Link;

/// A point on the earth.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Geo {
    pub latitude: f64,
    pub longitude: f64,
}

/// A metro.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    pub id: String,
    pub href: String,
    pub name: String,
    pub geo_coordinates: Geo,
    pub location_links: Vec<LocationLink>,
}

/// A line to another metro.
#[derive(Clone, Debug, Serialize)]
pub struct LocationLink {
    pub location: Link,
    pub speed: u32,
}

/// A site.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facility {
    pub id: String,
    pub href: String,
    pub name: String,
    pub vendor: String,
    pub state: &'static str,
    pub address: PhysicalAddress,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub alt_ids: BTreeMap<String, String>,
}

/// A postal address.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhysicalAddress {
    pub street: String,
    pub city: String,
    pub state: String,
    pub postal_code: String,
    pub country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_coordinates: Option<Geo>,
}

/// A region of a cloud.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudRegion {
    pub id: String,
    pub href: String,
    pub provider: &'static str,
    pub provider_assigned_id: String,
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo_coordinates: Option<Geo>,
}

/// One thing that may be bought.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Supported {
    pub id: String,
    pub href: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub location: Link,
    pub speed: u32,
    pub high_availability: bool,
    pub peering_type: &'static str,
    pub pending: bool,
    pub requires_approval: bool,
    pub reachable_cloud_regions: Vec<Link>,
    pub groups: Vec<Link>,
    pub billing_product_ids: BTreeMap<String, String>,
    pub billing_plans: Vec<BillingPlan>,
}

/// What it costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingPlan {
    pub term: &'static str,
    pub billing_interval: &'static str,
    pub billing_long_haul: &'static str,
    /// Cents.
    pub amount: f64,
    /// Cents.
    pub setup_amount: f64,
}
