//! Each operation's good answer, against the contract.

use meetme_model::metal::{Health, Server, ServerStatus};
use meetme_store::{Filter, Tx};
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple, ssh_key};

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_catalogue_keeps_its_contract() {
    everywhere(async |world: World| {
        let plans = world.prove("list_plans", "/plans?include=available_in,available_in_metros", None).await;
        assert_eq!(plans["plans"][0]["available_in"][0]["code"], "sjc1");
        assert_eq!(plans["plans"][0]["pricing"]["hour"], 0.05);
        let systems = world.prove("list_operating_systems", "/operating-systems", None).await;
        assert_eq!(systems["operating_systems"][0]["slug"], "custom_ipxe");
        world.prove("list_facilities", "/facilities", None).await;
        let metros = world.prove("list_metros", "/locations/metros", None).await;
        world.prove("get_metro", &format!("/locations/metros/{}", id(&metros["metros"][0])), None).await;
        world.prove("get_metro", "/locations/metros/sv", None).await;
        let (project, organization) = (&world.project, &world.organization);
        world.prove("list_project_plans", &format!("/projects/{project}/plans"), None).await;
        world.prove("list_project_facilities", &format!("/projects/{project}/facilities"), None).await;
        world.prove("list_organization_plans", &format!("/organizations/{organization}/plans"), None).await;
        world.prove("list_organization_facilities", &format!("/organizations/{organization}/facilities"), None).await;
        let path = format!("/organizations/{organization}/operating-systems");
        world.prove("list_organization_operating_systems", &path, None).await;
        world.prove("get_capacity", "/capacity", None).await;
        world.prove("get_capacity_metros", "/capacity/metros", None).await;
        world.prove("get_organization_capacity", &format!("/organizations/{organization}/capacity"), None).await;
        let path = format!("/organizations/{organization}/capacity/metros");
        world.prove("get_organization_capacity_metros", &path, None).await;
        let ask = json!({"servers": [{"facility": "sjc1", "plan": "baremetal_0", "quantity": "10"}]});
        let answer = world.prove("check_capacity", "/capacity", Some(ask)).await;
        assert_eq!(
            answer["servers"][0],
            json!({"facility": "sjc1", "plan": "baremetal_0", "quantity": "10", "available": true})
        );
        let ask = json!({"servers": [{"facility": "any", "metro": "sv", "plan": "baremetal_0", "quantity": "12"}]});
        let answer = world.prove("check_capacity_metros", "/capacity/metros", Some(ask)).await;
        assert_eq!(answer["servers"][0]["available"], false);
    })
    .await;
}

#[tokio::test]
async fn people_and_their_keys_keep_their_contract() {
    everywhere(async |world: World| {
        let me = world.prove("get_current_user", "/user?include=emails,projects,memberships", None).await;
        assert_eq!((&me["email"], &me["emails"][0]["default"]), (&json!("alice@example.net"), &json!(true)));
        let me = world.prove("update_current_user", "/user", Some(json!({"first_name": "Alice"}))).await;
        assert_eq!(me["full_name"], "Alice");
        world.prove("list_users", "/users", None).await;
        world.prove("get_user", &format!("/users/{}", id(&me)), None).await;
        world.prove("get_user_customdata", &format!("/users/{}/customdata", id(&me)), None).await;
        let email = me["emails"][0]["href"].as_str().unwrap();
        world.prove("get_email", email, None).await;

        let key = json!({"label": "laptop", "key": ssh_key(1)});
        let made = world.prove("create_ssh_key", "/ssh-keys", Some(key)).await;
        assert_eq!(made["fingerprint"].as_str().unwrap().len(), 47);
        let path = format!("/ssh-keys/{}", id(&made));
        world.prove("get_ssh_key", &path, None).await;
        world.prove("update_ssh_key", &path, Some(json!({"label": "desktop"}))).await;
        world.prove("patch_ssh_key", &path, Some(json!({"label": "laptop"}))).await;
        let list = world.prove("list_ssh_keys", "/ssh-keys?search=LAP", None).await;
        assert_eq!(list["ssh_keys"].as_array().unwrap().len(), 1);
        world.prove("delete_ssh_key", &path, None).await;
        world.get(&path).await.is(404);

        let path = format!("/projects/{}/ssh-keys", world.project);
        let key = json!({"label": "shared", "key": ssh_key(2)});
        let made = world.prove("create_project_ssh_key", &path, Some(key.clone())).await;
        assert_eq!(made["owner"]["href"], format!("/projects/{}", world.project));
        world.post(&path, key).await.is(422);
        world.prove("list_project_ssh_keys", &path, None).await;

        let made = world.prove("create_user_api_key", "/user/api-keys", Some(json!({"description": "ci"}))).await;
        let token = made["token"].as_str().unwrap();
        world.send(token, http::Method::GET, "/projects", None).await.is(200);
        world.prove("list_user_api_keys", "/user/api-keys?search=ci", None).await;
        world.prove("delete_user_api_key", &format!("/user/api-keys/{}", id(&made)), None).await;
        let path = format!("/projects/{}/api-keys", world.project);
        let made = world.prove("create_project_api_key", &path, Some(json!({"read_only": true}))).await;
        let list = world.prove("list_project_api_keys", &path, None).await;
        assert_eq!(list["api_keys"][0]["token"], made["token"]);
        world.prove("delete_api_key", &format!("/api-keys/{}", id(&made)), None).await;
    })
    .await;
}

#[tokio::test]
async fn organizations_and_projects_keep_their_contract() {
    everywhere(async |world: World| {
        world.prove("list_organizations", "/organizations?include=projects", None).await;
        let new = json!({
            "name": "Branch", "description": "A branch.", "website": "https://example.net", "twitter": "branch",
            "customdata": "{\"a\": 1}",
        });
        let made = world.prove("create_organization", "/organizations", Some(new)).await;
        assert_eq!(made["customdata"], json!({"a": 1}));
        let path = format!("/organizations/{}", id(&made));
        world.prove("get_organization", &path, None).await;
        let changed = world.prove("update_organization", &path, Some(json!({"name": "Office", "twitter": null}))).await;
        assert_eq!((&changed["name"], &changed["twitter"]), (&json!("Office"), &json!("branch")));
        world.prove("patch_organization", &path, Some(json!({"name": "Branch"}))).await;
        world.prove("get_organization_customdata", &format!("{path}/customdata"), None).await;
        let project = format!("{path}/projects");
        let inner = world.prove("create_organization_project", &project, Some(json!({"name": "Inner"}))).await;
        assert_eq!(inner["organization"]["href"], path);
        world.prove("list_organization_projects", &project, None).await;
        world.prove("list_organization_devices", &format!("{path}/devices"), None).await;
        world.prove("list_organization_events", &format!("{path}/events"), None).await;
        world.delete(&path).await.is(422).says("below it");
        world.prove("delete_project", &format!("/projects/{}", id(&inner)), None).await;
        world.prove("delete_organization", &path, None).await;
        world.get(&path).await.is(404);

        let new = json!({"name": "Second", "customdata": {"b": 2}, "tags": ["x"]});
        let made = world.prove("create_project", "/projects", Some(new)).await;
        assert_eq!(made["organization"]["href"], format!("/organizations/{}", world.organization));
        let path = format!("/projects/{}", id(&made));
        world.prove("get_project", &format!("{path}?include=members,memberships,organization"), None).await;
        world.prove("update_project", &path, Some(json!({"name": "2nd", "backend_transfer_enabled": true}))).await;
        let changed = world.prove("patch_project", &path, Some(json!({"name": null}))).await;
        assert_eq!((&changed["name"], &changed["backend_transfer_enabled"]), (&json!("2nd"), &json!(true)));
        let data = world.prove("get_project_customdata", &format!("{path}/customdata"), None).await;
        assert_eq!(data, json!({"b": 2}));
        let projects = world.prove("list_projects", "/projects?per_page=1", None).await;
        assert_eq!((&projects["meta"]["total"], &projects["meta"]["last_page"]), (&json!(2), &json!(2)));
        let members = world.prove("list_project_memberships", &format!("{path}/memberships"), None).await;
        assert_eq!(members["memberships"][0]["roles"], json!(["owner"]));
        let member = members["memberships"][0]["href"].as_str().unwrap();
        world.prove("get_membership", member, None).await;
        world.prove("delete_membership", member, None).await;
    })
    .await;
}

#[tokio::test]
async fn devices_and_what_belongs_to_them_keep_their_contract() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let made = world.prove("create_device", &path, Some(simple("web1"))).await;
        let device = format!("/devices/{}", id(&made));
        world.prove("get_device", &device, None).await;
        world.prove("list_project_devices", &format!("{path}?per_page=100"), None).await;
        world.prove("update_device", &device, Some(json!({"hostname": "web2", "tags": ["a", "b"]}))).await;
        let changed = world.prove("patch_device", &device, Some(json!({"description": "A web server"}))).await;
        assert_eq!((&changed["hostname"], &changed["tags"]), (&json!("web2"), &json!(["a", "b"])));
        world.moved(&made, meetme_model::Phase::Up).await;
        world.prove("device_action", &format!("{device}/actions"), Some(json!({"type": "reboot"}))).await;
        world.prove("get_device_customdata", &format!("{device}/customdata"), None).await;
        world.prove("get_device_userdata", &format!("{device}/userdata"), None).await;
        let health = format!("{device}/diagnostics/health/rollup");
        world.get(&health).await.is(422).says("not known yet");
        world.system(feels_well).await;
        assert_eq!(world.prove("get_device_health", &health, None).await["health_rollup"], "ok");
        world.send(&world.stranger, http::Method::GET, &health, None).await.is(404);
        world.prove("list_device_ssh_keys", &format!("{device}/ssh-keys"), None).await;
        let list = world.prove("list_device_ips", &format!("{device}/ips"), None).await;
        world.prove("get_ip", list["ip_addresses"][0]["href"].as_str().unwrap(), None).await;
        let blocks = world.prove("list_project_ips", &format!("/projects/{}/ips", world.project), None).await;
        assert_eq!(blocks["ip_addresses"].as_array().unwrap().len(), 3);
        world.prove("get_port", made["network_ports"][0]["href"].as_str().unwrap(), None).await;
        let events = world.prove("list_device_events", &format!("{device}/events"), None).await;
        let types: Vec<_> = events["events"].as_array().unwrap().iter().map(|e| &e["type"]).collect();
        assert_eq!(types, ["power.200", "phase.up", "instance.queued"]);
        world.prove("get_event", events["events"][0]["href"].as_str().unwrap(), None).await;
        world.prove("list_project_events", &format!("/projects/{}/events", world.project), None).await;
        world.prove("list_events", "/events", None).await;

        let project = format!("/projects/{}", world.project);
        let config = json!({"deployment_type": "local", "asn": 65000, "md5": null, "use_case": null});
        world.prove("request_bgp_config", &format!("{project}/bgp-configs"), Some(config)).await;
        let sessions = format!("{device}/bgp/sessions");
        let made = world.prove("create_bgp_session", &format!("{sessions}?address_family=ipv4"), None).await;
        let session = format!("/bgp/sessions/{}", id(&made));
        world.prove("get_bgp_session", &session, None).await;
        let changed = world.prove("update_bgp_session", &session, Some(json!({"default_route": true}))).await;
        assert_eq!(changed["default_route"], true);
        let bare = world.send_text(&world.token, http::Method::PUT, &session, "false".to_owned()).await.is(200).body;
        assert_eq!(bare["default_route"], false);
        world.prove("list_device_bgp_sessions", &sessions, None).await;
        world.prove("list_project_bgp_sessions", &format!("{project}/bgp/sessions"), None).await;
        world.prove("get_bgp_config", &format!("{project}/bgp-config"), None).await;
        world.prove("list_device_bgp_neighbors", &format!("{device}/bgp/neighbors"), None).await;
        world.prove("delete_bgp_session", &session, None).await;
        world.prove("delete_device", &device, None).await;
    })
    .await;
}

/// Every server says so.
fn feels_well(tx: &mut Tx<'_>) -> Result<(), meetme_app::Error> {
    for mut server in tx.all::<Server>(Filter::All)? {
        let status = ServerStatus { health: Some(Health::Ok), ..server.status.clone() };
        tx.observe(&mut server, status, None)?;
    }
    Ok(())
}

#[tokio::test]
async fn ways_to_order_keep_their_contract() {
    everywhere(async |world: World| {
        let project = format!("/projects/{}", world.project);
        let versions = world.prove("list_operating_system_versions", "/operating-system-versions", None).await;
        assert_eq!(versions["operating_system_versions"][1]["version"], "16.04");

        let order = json!({"batches": [{
            "facility": ["sjc1", "any"], "plan": "baremetal_0", "operating_system": "ubuntu_16_04", "quantity": 3,
            "facility_diversity_level": 1, "hostname": "web{{index}}", "features": {"tpm": "preferred"},
        }]});
        let made = world.prove("create_device_batch", &format!("{project}/devices/batch"), Some(order)).await;
        let batch = format!("/batches/{}", id(&made["batches"][0]));
        crate::batches::carried_out(&world, &made["batches"][0]).await;
        let done = world.prove("get_batch", &batch, None).await;
        assert_eq!(done["devices"].as_array().unwrap().len(), 3);
        world.prove("list_project_batches", &format!("{project}/batches?include=devices"), None).await;
        let device = done["devices"][0]["href"].as_str().unwrap().to_owned();
        let document = world.prove("get_device_metadata", &format!("{device}/metadata"), None).await;
        assert_eq!(
            (&document["hostname"], &document["facility"], &document["metro"]),
            (&json!("web1"), &json!("sjc1"), &json!("sv"))
        );
        assert_eq!(document["network"]["interfaces"][1]["bond"], "bond0");
        assert_eq!(document["network"]["addresses"].as_array().unwrap().len(), 3);
        assert_eq!((&document["private_subnets"], &document["spot"]), (&json!(["10.0.0.0/8"]), &json!({})));
        world.prove("list_device_usages", &format!("{device}/usages"), None).await;
        world.prove("list_project_usages", &format!("{project}/usages"), None).await;
        let path = format!("{device}/bandwidth?from=1779990000&until=1780000000");
        let seen = world.prove("get_device_bandwidth", &path, None).await;
        assert_eq!(seen["bandwidth"].as_array().unwrap().len(), 2);
        world.prove("get_device_traffic", &format!("{device}/traffic?direction=inbound&interval=day"), None).await;
        let gone = json!({"remove_associated_instances": true});
        world.prove("delete_batch", &batch, Some(gone)).await;

        let reservation = crate::reservations::reserved(&world, "S9", true).await;
        world.prove("get_hardware_reservation", &format!("{reservation}?include=device,project"), None).await;
        let list = format!("{project}/hardware-reservations?state=spare");
        assert_eq!(world.prove("list_hardware_reservations", &list, None).await["meta"]["total"], 1);
        let active = json!({"description": "Now active"});
        world.prove("activate_hardware_reservation", &format!("{reservation}/activate"), Some(active)).await;
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let to = json!({"project_id": other["id"]});
        world.prove("move_hardware_reservation", &format!("{reservation}/move"), Some(to)).await;

        crate::spot::reprice(&world).await;
        world.prove("get_spot_prices", "/market/spot/prices", None).await;
        world.prove("get_spot_prices_metros", "/market/spot/prices/metros", None).await;
        let history = "/market/spot/prices/history?facility=sjc1&plan=baremetal_0&from=1779990000&until=1780001000";
        world.prove("get_spot_price_history", history, None).await;
        let template = json!({"plan": "baremetal_0", "operating_system": "ubuntu_16_04", "hostname": "spot"});
        let new = json!({
            "devices_min": 1, "devices_max": 2, "max_bid_price": 0.05, "end_at": "2026-06-01T00:00:00Z",
            "facilities": ["sjc1"], "instance_attributes": template,
        });
        let path = format!("{project}/spot-market-request");
        world.prove("create_spot_market_request_singular", &path, Some(new)).await;
        world.prove("list_spot_market_requests_singular", &path, None).await;
        let path = format!("{project}/spot-market-requests");
        let new = json!({"devices_max": 1, "max_bid_price": "0.05", "metro": "sv", "instance_parameters": template});
        let made = world.prove("create_spot_market_request", &path, Some(new)).await;
        assert_eq!((&made["facilities"], &made["metro"]["code"]), (&Value::Null, &json!("sv")));
        world.prove("list_spot_market_requests", &path, None).await;
        let one = format!("/spot-market-requests/{}", id(&made));
        world.prove("get_spot_market_request", &format!("{one}?include=devices,project,plan"), None).await;
        world.prove("delete_spot_market_request", &one, None).await;
    })
    .await;
}

#[test]
fn every_operation_of_the_table_is_in_the_contract_under_the_same_name() {
    let contract = meetme_contracts::of("packet").unwrap();
    for op in meetme_packet::dialect().ops {
        let promised = contract.operation(op.id).unwrap_or_else(|| panic!("{} is in no contract", op.id));
        assert_eq!((promised.method.as_str(), promised.path.as_str()), (op.method.as_str(), op.path), "{}", op.id);
        assert!(promised.success.contains(&op.success), "{}", op.id);
    }
}

#[test]
fn every_schema_a_row_names_is_in_the_document() {
    let document = meetme_http::openapi::document(&meetme_packet::dialect(), "http://localhost");
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}
