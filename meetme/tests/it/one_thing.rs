//! The same thing is one thing, whichever door it came through.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Server, until};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_circuit_ordered_in_one_dialect_is_read_and_cancelled_in_the_other() {
    let server = Server::demo().await;
    let accounts = server.pureport("GET", "/accounts", None).await.is(200);
    let account = accounts[0]["id"].as_str().unwrap();
    let network = json!({"name": "Shared"});
    let network = server.pureport("POST", &format!("/accounts/{account}/networks"), Some(&network)).await.is(201);
    let network = network["href"].as_str().unwrap().to_owned();
    let wish = json!({
        "type": "AWS_DIRECT_CONNECT", "name": "to the cloud", "location": {"href": "/locations/us-ral"},
        "awsAccountId": "123456789012", "awsRegion": "us-east-1", "highAvailability": false, "speed": 200,
    });
    server.pureport("POST", &format!("{network}/connections"), Some(&wish)).await.is(201);
    let vxc = until(SOON, async || {
        let products = server.megaport("GET", "/v2/products", None).await.is(200);
        find_vxc(&products["data"], "to the cloud").filter(|v| v["provisioningStatus"] == "LIVE")
    })
    .await
    .unwrap_or_else(|| panic!("{}", server.said()));
    let uid = vxc["productUid"].as_str().unwrap();
    let product = server.megaport("GET", &format!("/v2/product/{uid}"), None).await.is(200)["data"].clone();
    assert_eq!((&product["productType"], &product["rateLimit"]), (&json!("VXC"), &json!(200)), "{product}");
    server.megaport("POST", &format!("/v3/product/{uid}/action/CANCEL_NOW"), Some(&json!({}))).await.is(200);
    let gone = until(SOON, async || {
        let list = server.pureport("GET", &format!("{network}/connections"), None).await.is(200);
        list.as_array().unwrap().is_empty().then_some(())
    });
    gone.await.unwrap_or_else(|| panic!("{}", server.said()));
}

#[tokio::test]
async fn a_connections_bgp_session_is_a_session_to_a_cloud_on_the_gateway() {
    let server = Server::demo().await;
    let accounts = server.pureport("GET", "/accounts", None).await.is(200);
    let account = accounts[0]["id"].as_str().unwrap();
    let network = json!({"name": "Clouds"});
    let network = server.pureport("POST", &format!("/accounts/{account}/networks"), Some(&network)).await.is(201);
    let wish = json!({
        "type": "AWS_DIRECT_CONNECT", "name": "to the cloud", "location": {"href": "/locations/us-ral"},
        "awsAccountId": "123456789012", "awsRegion": "us-east-1", "highAvailability": true, "speed": 200,
    });
    let connections = format!("{}/connections", network["href"].as_str().unwrap());
    server.pureport("POST", &connections, Some(&wish)).await.is(201);
    // The relationships are the operator's, and each is there once.
    let known = server.peering("GET", "/api/bgp/relationships/", None).await.is(200);
    let mut slugs: Vec<&str> =
        known["results"].as_array().unwrap().iter().map(|r| r["slug"].as_str().unwrap()).collect();
    slugs.sort_unstable();
    assert_eq!(slugs, ["cloud", "customer", "private-peering", "server", "transit-provider"]);
    let sessions = "/api/peering/direct-peering-sessions/?relationship=Cloud";
    let found = server.peering("GET", sessions, None).await.is(200);
    let first = &found["results"][0];
    assert_eq!((&found["count"], &first["relationship"]["slug"]), (&json!(2), &json!("cloud")), "{found}");
    assert!(first["display"].as_str().unwrap().starts_with("Cloud - AS64512 - IP "), "{first}");
    // A session like this is edited like any other.
    let change = json!({"relationship": {"slug": "transit-provider"}, "comments": "Seen."});
    let path = format!("/api/peering/direct-peering-sessions/{}/", first["id"]);
    let changed = server.peering("PATCH", &path, Some(&change)).await.is(200);
    assert_eq!(changed["relationship"]["slug"], "transit-provider", "{changed}");
}

/// A VXC of that name anywhere among the products.
fn find_vxc(data: &Value, name: &str) -> Option<Value> {
    match data {
        Value::Array(list) => list.iter().find_map(|v| find_vxc(v, name)),
        Value::Object(map) if map.get("productType") == Some(&json!("VXC")) => {
            map.get("productName").and_then(Value::as_str).filter(|n| n.starts_with(name)).map(|_| data.clone())
        }
        Value::Object(map) => map.values().find_map(|v| find_vxc(v, name)),
        _ => None,
    }
}

#[tokio::test]
async fn a_devices_bgp_session_is_a_session_on_its_sites_router_everywhere() {
    let server = Server::demo().await;
    let projects = server.packet("GET", "/projects", None).await.is(200);
    let project = projects["projects"][0]["id"].as_str().unwrap().to_owned();
    let config = json!({"deployment_type": "local", "asn": 65000, "md5": "secret1"});
    server.packet("POST", &format!("/projects/{project}/bgp-configs"), Some(&config)).await;
    let device =
        json!({"facility": "sjc1", "plan": "baremetal_0", "operating_system": "debian_12", "hostname": "speaker"});
    let device = server.packet("POST", &format!("/projects/{project}/devices"), Some(&device)).await.is(201);
    let id = device["id"].as_str().unwrap().to_owned();
    let active = until(SOON, async || {
        Some(server.packet("GET", &format!("/devices/{id}"), None).await.is(200)).filter(|d| d["state"] == "active")
    });
    active.await.unwrap_or_else(|| panic!("{}", server.said()));
    let session = json!({"address_family": "ipv4"});
    let session = server.packet("POST", &format!("/devices/{id}/bgp/sessions"), Some(&session)).await.is(201);
    let uid = session["id"].as_str().unwrap();

    let native = server.native("GET", &format!("/meetme/v1/direct_session/{uid}"), None).await.is(200);
    let number = native["id"].as_i64().unwrap();
    let peering = server.peering("GET", &format!("/api/peering/direct-peering-sessions/{number}/"), None).await.is(200);
    assert_eq!(
        (&peering["autonomous_system"]["asn"], &peering["status"]["value"]),
        (&json!(65000), &json!("enabled")),
        "{peering}"
    );
    assert_eq!(peering["relationship"]["slug"], "server", "{peering}");
    let catalogue = server.port("GET", &format!("/v1/blueprints/_direct_session/entities/{uid}"), None).await.is(200);
    assert_eq!(catalogue["entity"]["properties"]["asn"], 65000, "{catalogue}");
    server.port("GET", &format!("/v1/blueprints/_device/entities/{id}"), None).await.is(200);
    let established = until(SOON, async || {
        let read = server.packet("GET", &format!("/bgp/sessions/{uid}"), None).await.is(200);
        Some(read).filter(|s| s["status"] == "up")
    });
    established.await.unwrap_or_else(|| panic!("{}", server.said()));
    let events = server.packet("GET", &format!("/devices/{id}/events"), None).await.is(200);
    assert!(!events["events"].as_array().unwrap().is_empty());
    server.packet("DELETE", &format!("/bgp/sessions/{uid}"), None).await.is(204);
    server.peering("GET", &format!("/api/peering/direct-peering-sessions/{number}/"), None).await.is(404);
}

#[tokio::test]
async fn one_change_log_shows_as_object_changes_and_as_a_watch() {
    let server = Server::demo().await;
    let made =
        server.peering("POST", "/api/peering/autonomous-systems/", Some(&json!({"asn": 64599, "name": "Seen"}))).await;
    let request = made.headers["x-request-id"].to_str().unwrap().to_owned();
    let id = made.is(201)["id"].clone();
    let changes = server.peering("GET", &format!("/api/core/object-changes/?request_id={request}"), None).await.is(200);
    assert_eq!((&changes["count"], &changes["results"][0]["changed_object_id"]), (&json!(1), &id), "{changes}");
    let native = server.native("GET", &format!("/meetme/v1/autonomous_system/{id}"), None).await.is(200);
    assert_eq!(native["spec"]["name"], "Seen");
    let created =
        server.peering("GET", &format!("/api/peering/autonomous-systems/?created_by_request={request}"), None).await;
    assert_eq!(created.is(200)["count"], 1);
}
