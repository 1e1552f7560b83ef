//! The words of the public peering database that lists are filtered by: the wire's are the database's own.

use crate::model::Words;

/// How much of the world a network covers.
pub const SCOPES: Words = &[
    ("Not Disclosed", "Not Disclosed"),
    ("Regional", "Regional"),
    ("North America", "North America"),
    ("Asia Pacific", "Asia Pacific"),
    ("Europe", "Europe"),
    ("South America", "South America"),
    ("Africa", "Africa"),
    ("Australia", "Australia"),
    ("Middle East", "Middle East"),
    ("Global", "Global"),
];

/// How much traffic it has.
pub const TRAFFIC: Words = &[
    ("0-20Mbps", "0-20Mbps"),
    ("20-100Mbps", "20-100Mbps"),
    ("100-1000Mbps", "100-1000Mbps"),
    ("1-5Gbps", "1-5Gbps"),
    ("5-10Gbps", "5-10Gbps"),
    ("10-20Gbps", "10-20Gbps"),
    ("20-50Gbps", "20-50Gbps"),
    ("50-100Gbps", "50-100Gbps"),
    ("100-200Gbps", "100-200Gbps"),
    ("200-300Gbps", "200-300Gbps"),
    ("300-500Gbps", "300-500Gbps"),
    ("500-1000Gbps", "500-1000Gbps"),
    ("1-5Tbps", "1-5Tbps"),
    ("5-10Tbps", "5-10Tbps"),
    ("10-20Tbps", "10-20Tbps"),
    ("20-50Tbps", "20-50Tbps"),
    ("50-100Tbps", "50-100Tbps"),
    ("100+Tbps", "100+Tbps"),
];

/// What it does.
pub const TYPES: Words = &[
    ("Not Disclosed", "Not Disclosed"),
    ("NSP", "NSP"),
    ("Content", "Content"),
    ("Cable/DSL/ISP", "Cable/DSL/ISP"),
    ("Enterprise", "Enterprise"),
    ("Educational/Research", "Educational/Research"),
    ("Non-Profit", "Non-Profit"),
    ("Route Server", "Route Server"),
    ("Network Services", "Network Services"),
    ("Route Collector", "Route Collector"),
    ("Government", "Government"),
];

/// Whether it wants a contract.
pub const CONTRACTS: Words =
    &[("Not Required", "Not Required"), ("Private Only", "Private Only"), ("Required", "Required")];

/// How open it is.
pub const POLICIES: Words =
    &[("Open", "Open"), ("Selective", "Selective"), ("Restrictive", "Restrictive"), ("No", "No")];

/// Where it wants to meet.
pub const LOCATIONS: Words = &[
    ("Not Required", "Not Required"),
    ("Preferred", "Preferred"),
    ("Required - US", "Required - US"),
    ("Required - EU", "Required - EU"),
    ("Required - International", "Required - International"),
];

/// What a contact is for.
pub const ROLES: Words = &[
    ("Abuse", "Abuse"),
    ("Maintenance", "Maintenance"),
    ("Policy", "Policy"),
    ("Technical", "Technical"),
    ("NOC", "NOC"),
    ("Public Relations", "Public Relations"),
    ("Sales", "Sales"),
];
