//! Routers that follow the devices of a NetBox.

use meetme_model::access::Grant;
use serde_json::{Value, json};

use crate::{
    contract::proven,
    world::{self, World},
};

const LINE: &str = "POST /api/devices/routers/update-from-netbox/";
const ID: &str = "devices_routers_update_from_netbox";

/// What NetBox tells of a device, as its webhooks do: more than is looked at.
fn told(event: &str, change: Value) -> Value {
    let mut data = json!({
        "id": 7, "url": "/api/dcim/devices/7/", "display": "edge7", "name": "edge7", "serial": "X1",
        "device_role": {"id": 1, "name": "Router", "slug": "router"},
        "platform": {"id": 3, "name": "Box", "slug": "box"},
        "status": {"value": "active", "label": "Active"},
        "local_context_data": {"networks": ["198.51.100.0/24"]},
        "tags": [{"id": 1, "name": "Peering", "slug": "peering", "color": "9e9e9e"}],
    });
    data.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({
        "event": event, "timestamp": "2026-11-26 03:00:00", "model": "device", "username": "ada",
        "request_id": "fdbca812-3142-4783-b364-2e2bd5c16c6a", "data": data, "snapshots": {"prechange": null},
    })
}

async fn routers(w: &World) -> Vec<Value> {
    w.ask("GET /api/devices/routers/?limit=0").await.is(200).body["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_device_makes_changes_and_removes_a_router() {
    for w in world::both().await {
        let platform = w.make("devices/platforms", json!({"name": "Box", "slug": "box"})).await;
        let local = w.make("peering/autonomous-systems", json!({"asn": 64999, "name": "Us", "affiliated": true})).await;
        let said = w.tell(LINE, told("created", json!({}))).await;
        proven(ID, &said, 201);
        let made = &routers(&w).await[0];
        for (field, wanted) in [
            ("netbox_device_id", json!(7)),
            ("name", json!("edge7")),
            ("hostname", json!("edge7")),
            ("local_context_data", json!({"networks": ["198.51.100.0/24"]})),
        ] {
            assert_eq!(made[field], wanted, "{field} {}", w.make);
        }
        assert_eq!((&made["platform"]["id"], &made["status"]["value"]), (&json!(platform), &json!("enabled")));
        assert_eq!(made["local_autonomous_system"]["id"], local);
        // It is told of again: the same router, with what is ours left as it is.
        let row = format!("/api/devices/routers/{}/", made["id"]);
        let ours = json!({"hostname": "edge7.example.net", "status": "maintenance", "comments": "Ours."});
        w.tell(&format!("PATCH {row}"), ours).await.is(200);
        let change = json!({"name": "edge8", "local_context_data": null, "platform": "box", "status": "active"});
        let said = w.tell(LINE, told("updated", change)).await;
        proven(ID, &said, 200);
        let now = w.ask(&format!("GET {row}")).await.is(200).body.clone();
        assert_eq!((&now["name"], &now["hostname"]), (&json!("edge8"), &json!("edge7.example.net")));
        assert_eq!((&now["status"]["value"], &now["comments"]), (&json!("maintenance"), &json!("Ours.")));
        assert_eq!(now["local_context_data"], json!({"networks": ["198.51.100.0/24"]}));
        w.tell(LINE, told("updated", json!({"name": "edge8", "status": {"value": "offline"}}))).await.is(200);
        assert_eq!(w.ask(&format!("GET {row}")).await.body["status"]["value"], "disabled");
        assert_eq!(routers(&w).await.len(), 1);
        // A device whose creation nobody told of is made by its change, at the former path too.
        let body = told("updated", json!({"id": 9, "name": "edge9"}));
        let said = w.tell("POST /api/peering/routers/update-from-netbox/", body).await;
        proven("seed_alias_devices_routers_update_from_netbox", &said, 201);
        proven(ID, &w.tell(LINE, told("deleted", json!({}))).await, 200);
        assert_eq!(routers(&w).await.iter().map(|r| r["name"].clone()).collect::<Vec<_>>(), ["edge9"]);
        w.tell(LINE, told("deleted", json!({}))).await.is(404);
        // It is in the log who did it.
        let log = w.ask("GET /api/core/object-changes/?changed_object_type_id=12&limit=0").await;
        assert!(log.is(200).body["count"].as_i64().is_some_and(|n| n >= 5), "{}", log.body);
    }
}

#[tokio::test]
async fn what_a_webhook_lacks_is_named_and_nothing_is_done() {
    let w = world::one().await;
    let required = json!(["This field is required."]);
    let said = w.tell(LINE, json!({})).await;
    said.is(400).says(json!({"event": required, "data": required}));
    let said = w.tell(LINE, json!({"event": "created", "data": {}})).await;
    said.is(400).says(json!({
        "name": required, "device_role": required, "platform": required, "status": required, "tags": required,
        "local_context_data": required, "id": required,
    }));
    for (body, field) in [
        (told("renamed", json!({})), "event"),
        (json!({"event": "created", "data": [1]}), "data"),
        (told("created", json!({"id": "7"})), "id"),
        (told("created", json!({"id": 0})), "id"),
        (told("created", json!({"name": null})), "name"),
        (told("created", json!({"tags": "peering"})), "tags"),
        (told("created", json!({"local_context_data": [1]})), "local_context_data"),
    ] {
        let said = w.tell(LINE, body).await;
        assert!(said.is(400).body.get(field).is_some(), "{field}: {}", said.body);
    }
    let said = w.tell(LINE, told("created", json!({}))).await;
    said.is(501).says(json!({"detail": "No platform has the slug box."}));
    w.tell(LINE, told("created", json!({"platform": null}))).await.is(501);
    let long = told("created", json!({"name": "x".repeat(129), "platform": {"slug": "box"}}));
    w.make("devices/platforms", json!({"name": "Box", "slug": "box"})).await;
    let said = w.tell(LINE, long).await;
    assert!(said.is(400).body.get("name").is_some(), "{}", said.body);
    assert_eq!(routers(&w).await, Vec::<Value>::new());
    // Two devices cannot be one router: names are.
    w.tell(LINE, told("created", json!({}))).await.is(201);
    let said = w.tell(LINE, told("created", json!({"id": 8}))).await;
    assert!(said.is(400).body.get("name").is_some(), "{}", said.body);
}

#[tokio::test]
async fn a_router_that_goes_with_its_device_leaves_its_connections_in_the_book() {
    let w = world::one().await;
    let at = w.exchange().await;
    w.tell(&format!("PATCH /api/devices/routers/{}/", at.at.router), json!({"netbox_device_id": 7})).await.is(200);
    w.tell(LINE, told("deleted", json!({}))).await.is(200);
    assert_eq!(routers(&w).await, Vec::<Value>::new());
    let left = w.ask(&format!("GET /api/net/connections/{}/", at.connection)).await;
    assert_eq!(left.is(200).body["router"], Value::Null);
}

#[tokio::test]
async fn who_may_not_make_change_and_remove_routers_tells_nothing_and_tenants_have_their_own() {
    let w = world::one().await;
    w.make("devices/platforms", json!({"name": "Box", "slug": "box"})).await;
    let grant = |verbs: &[&str]| Grant {
        kinds: vec!["*".to_owned()],
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..Grant::default()
    };
    for verbs in [&["see"][..], &["see", "create", "change"], &["see", "change", "remove"]] {
        let token = w.user(&verbs.concat(), vec![grant(verbs)]).await;
        w.by(&token, LINE, told("created", json!({}))).await.is(403);
    }
    w.tell(LINE, told("created", json!({}))).await.is(201);
    // The same number is another device of another tenant's NetBox, whose platforms are its own.
    let stranger = w.stranger().await;
    w.by(&stranger, LINE, told("deleted", json!({}))).await.is(404);
    w.by(&stranger, LINE, told("updated", json!({"name": "theirs"}))).await.is(501);
    assert_eq!(routers(&w).await[0]["name"], "edge7");
}
