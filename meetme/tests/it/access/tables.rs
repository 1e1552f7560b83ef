//! What the walk knows about the operations; the lists of exceptions should only shrink.

/// Operations anyone may call: dialect, method, path. A `*` at the end of a path stands for anything.
pub const OPEN: &[(&str, &str, &str)] = &[
    ("native", "GET", "/meetme/v1/openapi.json"),
    ("native", "POST", "/meetme/v1/login"),
    ("native", "POST", "/meetme/v1/refresh"),
    ("pureport", "POST", "/login"),
    ("pureport", "POST", "/login/refresh"),
    ("pureport", "GET", "/openapi.json"),
    ("megaport", "POST", "/login"),
    ("megaport", "POST", "/v2/login"),
    ("megaport", "POST", "/v3/login"),
    ("megaport", "POST", "/v2/login/{token}"),
    ("megaport", "POST", "/oauth2/token"),
    ("megaport", "POST", "/logout/{token}"),
    ("megaport", "GET", "/v2/logout/{token}"),
    ("port", "POST", "/v1/auth/access_token"),
    // What the API is.
    ("peering-manager", "*", "/api/schema/*"),
    ("peering-manager", "*", "/api/docs/"),
    ("peering-manager", "*", "/api/redoc/"),
    // The places are published.
    ("megaport", "GET", "/v2/locations"),
    ("megaport", "GET", "/v3/locations"),
    ("megaport", "GET", "/v2/networkRegions"),
];

/// Paths two dialects have: without any credential nothing says which of them is meant, and the other one answers.
pub const AMBIGUOUS: &[(&str, &str, &str)] =
    &[("packet", "GET", "/facilities"), ("packet", "GET", "/locations/metros")];

/// Operations that end the caller's own session; they come last.
pub const LAST: &[(&str, &str, &str)] = &[("native", "POST", "/meetme/v1/logout"), ("megaport", "GET", "/v2/logout")];

/// Operations on the operator's catalogue, which every customer may read.
pub const SHARED: &[(&str, &str, &str)] = &[
    ("native", "GET", "/meetme/v1/kinds/{kind}"),
    ("native", "GET", "/meetme/v1/role/{id}"),
    ("native", "GET", "/meetme/v1/region/{id}"),
    ("native", "GET", "/meetme/v1/metro/{id}"),
    ("native", "GET", "/meetme/v1/site/{id}"),
    ("native", "GET", "/meetme/v1/plan/{id}"),
    ("native", "GET", "/meetme/v1/image/{id}"),
    ("native", "GET", "/meetme/v1/offer/{id}"),
    ("native", "GET", "/meetme/v1/price/{id}"),
    ("native", "GET", "/meetme/v1/spot_price/{id}"),
    ("native", "GET", "/meetme/v1/platform/{id}"),
    ("native", "GET", "/meetme/v1/relationship/{id}"),
    ("pureport", "GET", "/locations/{locationId}"),
    ("pureport", "GET", "/facilities/{facilityId}"),
    ("pureport", "GET", "/cloudRegions/{cloudRegionId}"),
    ("pureport", "GET", "/supportedConnections/{supportedConnectionId}"),
    ("pureport", "GET", "/options/{type}"),
    ("peering-manager", "GET", "/api/devices/platforms/{id}/"),
    ("peering-manager", "GET", "/api/bgp/relationships/{id}/"),
    // What a form looks like is the same for ids that exist and ids that do not.
    ("peering-manager", "OPTIONS", "/api/*"),
    ("packet", "GET", "/locations/metros/{id}"),
    ("port", "GET", "/v1/blueprints/system/{identifier}/structure"),
];

/// Paths whose parameters nothing in the demo world fills.
pub const UNFILLED: &[&str] = &[
    // Files come by reading a source, for which the walk opens no directory.
    "native /meetme/v1/data_file/{id}",
    "native /meetme/v1/hidden_peer/{id}",
    "native /meetme/v1/invitation/{id}",
    "native /meetme/v1/irr_set/{id}",
    "native /meetme/v1/landing/{id}",
    "native /meetme/v1/pdb_campus/{id}",
    "native /meetme/v1/pdb_carrier/{id}",
    "native /meetme/v1/pdb_carrier_facility/{id}",
    "native /meetme/v1/pdb_contact/{id}",
    "native /meetme/v1/pdb_exchange/{id}",
    "native /meetme/v1/pdb_exchange_facility/{id}",
    "native /meetme/v1/pdb_facility/{id}",
    "native /meetme/v1/pdb_lan/{id}",
    "native /meetme/v1/pdb_network/{id}",
    "native /meetme/v1/pdb_network_facility/{id}",
    "native /meetme/v1/pdb_org/{id}",
    "native /meetme/v1/pdb_port/{id}",
    "native /meetme/v1/pdb_prefix/{id}",
    "native /meetme/v1/pdb_sync/{id}",
    "native /meetme/v1/pool/{id}",
    "native /meetme/v1/roa_chunk/{id}",
    "native /meetme/v1/roa_table/{id}",
    "native /meetme/v1/segment/{id}",
    "native /meetme/v1/server/{id}",
    "packet /invitations/{id}",
    "peering-manager /api/core/data-files/{id}/",
    "peering-manager /api/peeringdb/campuses/{id}/",
    "peering-manager /api/peeringdb/facilities/{id}/",
    "peering-manager /api/peeringdb/hidden-peers/{id}/",
    "peering-manager /api/peeringdb/internet-exchange-facilities/{id}/",
    "peering-manager /api/peeringdb/internet-exchanges/{id}/",
    "peering-manager /api/peeringdb/ixlan-prefixes/{id}/",
    "peering-manager /api/peeringdb/ixlans/{id}/",
    "peering-manager /api/peeringdb/network-contacts/{id}/",
    "peering-manager /api/peeringdb/network-facilities/{id}/",
    "peering-manager /api/peeringdb/network-ixlans/{id}/",
    "peering-manager /api/peeringdb/networks/{id}/",
    "peering-manager /api/peeringdb/organizations/{id}/",
    "peering-manager /api/peeringdb/synchronisations/{id}/",
];

/// Paths whose parameters are filled once sessions have come up, which may be before or after anybody looks.
pub const SOMETIMES: &[&str] = &["native /meetme/v1/session_event/{id}"];

/// Where a path's parameter comes from: dialect, the path before it, the list as `dialect:path`, and where the id is in the list.
/// A list of `=` makes the last column the value itself.
pub const SOURCES: &[(&str, &str, &str, &str)] = &[
    ("packet", "/organizations/", "packet:/organizations", "/organizations/0/id"),
    ("packet", "/projects/", "packet:/projects", "/projects/0/id"),
    ("packet", "/memberships/", "packet:/projects/{id}/memberships", "/memberships/0/id"),
    ("packet", "/users/", "packet:/users", "/users/0/id"),
    ("packet", "/emails/", "packet:/user?include=emails", "/emails/0/id"),
    ("packet", "/ssh-keys/", "packet:/ssh-keys", "/ssh_keys/0/id"),
    ("packet", "/user/api-keys/", "packet:/user/api-keys", "/api_keys/0/id"),
    ("packet", "/api-keys/", "packet:/projects/{id}/api-keys", "/api_keys/0/id"),
    ("packet", "/devices/", "packet:/projects/{id}/devices", "/devices/0/id"),
    ("packet", "/ips/", "packet:/projects/{id}/ips", "/ip_addresses/0/id"),
    ("packet", "/ports/", "packet:/projects/{id}/devices", "/devices/0/network_ports/0/id"),
    ("packet", "/bgp/sessions/", "packet:/projects/{id}/bgp/sessions", "/bgp_sessions/0/id"),
    ("packet", "/events/", "packet:/events", "/events/0/id"),
    ("packet", "/batches/", "packet:/projects/{id}/batches", "/batches/0/id"),
    ("packet", "/hardware-reservations/", "packet:/projects/{id}/hardware-reservations", "/hardware_reservations/0/id"),
    ("packet", "/spot-market-requests/", "packet:/projects/{id}/spot-market-requests", "/spot_market_requests/0/id"),
    ("packet", "/locations/metros/", "packet:/locations/metros", "/metros/0/id"),
    ("pureport", "/accounts/", "pureport:/accounts", "/0/id"),
    ("pureport", "/accounts/{accountId}/apikeys/", "pureport:/accounts/{accountId}/apikeys", "/0/key"),
    ("pureport", "/accounts/{accountId}/roles/", "pureport:/accounts/{accountId}/roles", "/0/id"),
    ("pureport", "/accounts/{accountId}/members/", "pureport:/accounts/{accountId}/members", "/0/user/id"),
    ("pureport", "/locations/", "pureport:/locations", "/0/id"),
    ("pureport", "/facilities/", "pureport:/facilities", "/0/id"),
    ("pureport", "/cloudRegions/", "pureport:/cloudRegions", "/0/id"),
    ("pureport", "/supportedConnections/", "pureport:/accounts/{accountId}/supportedConnections", "/0/id"),
    ("pureport", "/options/", "=", "IKEV1ESPDHGroup"),
    ("pureport", "/networks/", "pureport:/accounts/{accountId}/networks", "/0/id"),
    ("pureport", "/connections/", "pureport:/accounts/{accountId}/connections", "/0/id"),
    ("pureport", "/gateways/", "pureport:/accounts/{accountId}/connections", "/0/primaryGateway/id"),
    ("megaport", "/secure/party/company/", "native:/meetme/v1/organization", "/items/0/id"),
    ("megaport", "/v2/company/", "native:/meetme/v1/organization", "/items/0/uid"),
    ("megaport", "/v2/product/", "megaport:/v2/products", "/data/0/productUid"),
    ("megaport", "/v3/product/", "megaport:/v2/products", "/data/0/productUid"),
    ("megaport", "/v2/product/vxc/", "native:/meetme/v1/circuit", "/items/0/uid"),
    ("megaport", "/v3/product/vxc/", "native:/meetme/v1/circuit", "/items/0/uid"),
    ("megaport", "/v2/product/megaport/", "megaport:/v2/products", "/data/0/productUid"),
    ("megaport", "/v2/product/{productUid}/action/", "=", "CANCEL_NOW"),
    ("megaport", "/v3/product/{productUid}/action/", "=", "CANCEL_NOW"),
    ("megaport", "/v2/login/", "=", "0c4ab6a4-7f5b-4f7e-9a0e-000000000000"),
    ("megaport", "/logout/", "=", "0c4ab6a4-7f5b-4f7e-9a0e-000000000000"),
    ("megaport", "/v2/logout/", "=", "0c4ab6a4-7f5b-4f7e-9a0e-000000000000"),
    ("port", "/v1/blueprints/", "=", "service"),
    ("port", "/v1/blueprints/system/", "=", "_device"),
    ("port", "/v1/blueprints/{blueprint_identifier}/entities/", "=", "meetme"),
    ("peering-manager", "/api/peering/portal/network/", "=", "64510"),
    (
        "peering-manager",
        "/api/peering/portal/sessions/",
        "peering-manager:/api/peering/portal/sessions/list",
        "/items/0/session_id",
    ),
    ("native", "/meetme/v1/kinds/", "=", "router"),
];

/// Bodies of a kind that reach the door: dialect, method, the end of the path, the body. `ROLE` is a Pureport role's path.
pub const BODIES: &[(&str, &str, &str, &str)] = &[
    (
        "packet",
        "POST",
        "/devices",
        r#"{"facility": ["sjc1"], "plan": "baremetal_1", "operating_system": "ubuntu_22_04", "hostname": "x"}"#,
    ),
    (
        "packet",
        "POST",
        "/devices/batch",
        r#"{"batches": [{"facility": "sjc1", "plan": "baremetal_1", "operating_system": "ubuntu_22_04", "quantity": 2}]}"#,
    ),
    (
        "packet",
        "POST",
        "/spot-market-request",
        r#"{"max_bid_price": 1, "facilities": ["sjc1"], "instance_parameters": {"plan": "baremetal_1", "operating_system": "ubuntu_22_04"}}"#,
    ),
    (
        "packet",
        "POST",
        "/spot-market-requests",
        r#"{"max_bid_price": 1, "facilities": ["sjc1"], "instance_parameters": {"plan": "baremetal_1", "operating_system": "ubuntu_22_04"}}"#,
    ),
    ("packet", "POST", "/{id}/move", r#"{"project_id": "x"}"#),
    ("packet", "POST", "/bgp-configs", r#"{"deployment_type": "local", "asn": 65000}"#),
    ("packet", "POST", "/bgp/sessions", r#"{"address_family": "ipv4"}"#),
    ("packet", "POST", "/api-keys", r#"{"description": "x"}"#),
    ("packet", "POST", "/{id}/projects", r#"{"name": "x"}"#),
    ("packet", "POST", "/{id}/actions", r#"{"type": "power_off"}"#),
    (
        "packet",
        "POST",
        "/ssh-keys",
        r#"{"label": "x", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4i x"}"#,
    ),
    ("pureport", "POST", "/apikeys", r#"{"name": "x", "roles": [{"href": "ROLE"}]}"#),
    ("pureport", "POST", "/networks", r#"{"name": "x"}"#),
    (
        "pureport",
        "POST",
        "/connections",
        r#"{"type": "AWS_DIRECT_CONNECT", "location": {"id": "us-ral"}, "awsAccountId": "123456789", "awsRegion": "us-east-1", "speed": 100}"#,
    ),
    ("megaport", "PUT", "/{productUid}/tags", r#"{"resourceTags": [{"key": "a", "value": "b"}]}"#),
    ("megaport", "PUT", "", r#"{"name": "x"}"#),
    ("port", "POST", "/entities", r#"{"identifier": "x", "properties": {}}"#),
    ("port", "POST", "/entities/bulk", r#"{"entities": [{"identifier": "x", "properties": {}}]}"#),
    ("port", "POST", "/bulk/entities/delete", r#"{"entities": ["meetme"]}"#),
    ("port", "POST", "/bulk/entities", r#"{"entities": [{"identifier": "x", "properties": {}}]}"#),
];
