//! The operations that are served, by the contract's names.

use meetme_http::{Op, QueryParam, Shape, openapi};

use crate::{accounts, auth, catalogue, connections, keys, networks, options};

/// The table.
pub fn table() -> Vec<Op> {
    let mut table = vec![
        Op::post("login", "/login").group("auth").verb(meetme_http::Verb::Act).open().run(auth::login),
        Op::post("loginWithRefreshToken", "/login/refresh")
            .group("auth")
            .verb(meetme_http::Verb::Act)
            .open()
            .run(auth::refresh),
        Op { id: "openApi", ..openapi::op("/openapi.json") },
    ];
    table.extend(access());
    table.extend(places());
    table.extend(fabric());
    table
}

fn access() -> Vec<Op> {
    let listed = vec![
        QueryParam::text("ids").repeated(),
        QueryParam::text("parentId"),
        QueryParam::text("name"),
        QueryParam::integer("limit"),
    ];
    vec![
        Op::get("findAllAccounts", "/accounts")
            .group("accounts")
            .query(listed)
            .gives(Shape::ListOf("Account"))
            .run(accounts::find_all),
        Op::post("createAccount", "/accounts")
            .group("accounts")
            .success(201)
            .takes(Shape::Named("Account"))
            .gives(Shape::Named("Account"))
            .run(accounts::create),
        Op::get("getAccount", "/accounts/{accountId}")
            .group("accounts")
            .gives(Shape::Named("Account"))
            .run(accounts::get),
        Op::put("updateAccount", "/accounts/{accountId}")
            .group("accounts")
            .takes(Shape::Named("Account"))
            .gives(Shape::Named("Account"))
            .run(accounts::update),
        Op::delete("deleteAccount", "/accounts/{accountId}").group("accounts").run(accounts::delete),
        Op::get("getAccountPermissions", "/accounts/{accountId}/permissions")
            .group("accounts")
            .gives(Shape::Named("Permissions"))
            .run(accounts::permissions),
        Op::get("findApiKeys", "/accounts/{accountId}/apikeys")
            .group("apikeys")
            .gives(Shape::ListOf("ApiKey"))
            .run(keys::find_keys),
        Op::post("createApiKey", "/accounts/{accountId}/apikeys")
            .group("apikeys")
            .success(201)
            .takes(Shape::Named("ApiKey"))
            .gives(Shape::Named("ApiKey"))
            .run(keys::create_key),
        Op::get("getApiKey", "/accounts/{accountId}/apikeys/{key}")
            .group("apikeys")
            .gives(Shape::Named("ApiKey"))
            .run(keys::get_key),
        Op::put("updateApiKey", "/accounts/{accountId}/apikeys/{key}")
            .group("apikeys")
            .takes(Shape::Named("ApiKey"))
            .gives(Shape::Named("ApiKey"))
            .run(keys::update_key),
        Op::delete("deleteApiKey", "/accounts/{accountId}/apikeys/{key}").group("apikeys").run(keys::delete_key),
        Op::get("findAllRoles", "/accounts/{accountId}/roles")
            .group("account roles")
            .gives(Shape::ListOf("Role"))
            .run(keys::find_roles),
        Op::get("getRole", "/accounts/{accountId}/roles/{roleId}")
            .group("account roles")
            .gives(Shape::Named("Role"))
            .run(keys::get_role),
        Op::get("findAccountMembers", "/accounts/{accountId}/members")
            .group("account members")
            .gives(Shape::ListOf("AccountMember"))
            .run(keys::find_members),
        Op::get("getAccountMember", "/accounts/{accountId}/members/{userId}")
            .group("account members")
            .gives(Shape::Named("AccountMember"))
            .run(keys::get_member),
    ]
}

fn places() -> Vec<Op> {
    vec![
        Op::get("findLocations", "/locations")
            .group("locations")
            .gives(Shape::ListOf("Location"))
            .run(catalogue::find_locations),
        Op::get("getLocation", "/locations/{locationId}")
            .group("locations")
            .gives(Shape::Named("Location"))
            .run(catalogue::get_location),
        Op::get("findFacilities", "/facilities")
            .group("facilities")
            .gives(Shape::ListOf("Facility"))
            .run(catalogue::find_facilities),
        Op::get("getFacility", "/facilities/{facilityId}")
            .group("facilities")
            .gives(Shape::Named("Facility"))
            .run(catalogue::get_facility),
        Op::get("getCloudRegions", "/cloudRegions")
            .group("cloud regions")
            .gives(Shape::ListOf("CloudRegion"))
            .run(catalogue::find_regions),
        Op::get("getCloudRegion", "/cloudRegions/{cloudRegionId}")
            .group("cloud regions")
            .gives(Shape::Named("CloudRegion"))
            .run(catalogue::get_region),
        Op::get("getAccountSupportedConnections", "/accounts/{accountId}/supportedConnections")
            .group("supported connections")
            .gives(Shape::ListOf("SupportedConnection"))
            .run(catalogue::find_supported),
        Op::get("getSupportedConnection", "/supportedConnections/{supportedConnectionId}")
            .group("supported connections")
            .gives(Shape::Named("SupportedConnection"))
            .run(catalogue::get_supported),
        Op::get("getOptions", "/options")
            .group("options")
            .query(vec![QueryParam::text("type").repeated()])
            .gives(Shape::Named("OptionsMap"))
            .run(options::find_all),
        Op::get("getOption", "/options/{type}").group("options").gives(Shape::ListOf("Option")).run(options::get),
    ]
}

fn fabric() -> Vec<Op> {
    vec![
        Op::get("findNetworks", "/accounts/{accountId}/networks")
            .group("networks")
            .gives(Shape::ListOf("Network"))
            .run(networks::find_all),
        Op::post("addNetwork", "/accounts/{accountId}/networks")
            .group("networks")
            .success(201)
            .takes(Shape::Named("Network"))
            .gives(Shape::Named("Network"))
            .run(networks::create),
        Op::get("getNetwork", "/networks/{networkId}")
            .group("networks")
            .gives(Shape::Named("Network"))
            .run(networks::get),
        Op::put("updateNetwork", "/networks/{networkId}")
            .group("networks")
            .takes(Shape::Named("Network"))
            .gives(Shape::Named("Network"))
            .run(networks::update),
        Op::delete("deleteNetwork", "/networks/{networkId}").group("networks").run(networks::delete),
        Op::get("findConnections", "/accounts/{accountId}/connections")
            .group("connections")
            .gives(Shape::ListOf("Connection"))
            .run(connections::of_account),
        Op::get("getConnections", "/networks/{networkId}/connections")
            .group("connections")
            .gives(Shape::ListOf("Connection"))
            .run(connections::of_network),
        Op::post("addConnection", "/networks/{networkId}/connections")
            .group("connections")
            .success(201)
            .takes(Shape::Named("Connection"))
            .gives(Shape::Named("Connection"))
            .run(connections::create),
        Op::get("getConnection", "/connections/{connectionId}")
            .group("connections")
            .gives(Shape::Named("Connection"))
            .run(connections::get),
        Op::put("updateConnection", "/connections/{connectionId}")
            .group("connections")
            .takes(Shape::Named("Connection"))
            .gives(Shape::Named("Connection"))
            .run(connections::update),
        Op::delete("deleteConnection", "/connections/{connectionId}")
            .group("connections")
            .gives(Shape::Named("Connection"))
            .run(connections::delete),
        Op::get("getGateway", "/gateways/{gatewayId}")
            .group("gateways")
            .gives(Shape::Named("Gateway"))
            .run(connections::gateway),
    ]
}
