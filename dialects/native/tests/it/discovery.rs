//! Asking what stands behind a management controller.

use serde_json::{Value, json};

use crate::world::both;

#[tokio::test]
async fn a_discovery_is_asked_for_by_who_may_act_on_a_servers_equipment() {
    for world in both().await {
        let metro = json!({"slug": "us-ral", "name": "Raleigh", "country": "US"});
        let metro = world.root("POST /metro", &metro).await.is(201).json();
        let site = json!({"slug": "ral9", "name": "Raleigh 9", "metro": metro["id"]});
        let site = world.root("POST /site", &site).await.is(201).json();
        let bmc = json!({"name": "bmc1", "family": "server", "make": "redfish", "address": "https://192.0.2.1"});
        let bmc = world.root("POST /equipment", &bmc).await.is(201).json();
        let at = format!("POST /equipment/{}/discover", bmc["id"]);
        let said = world.root(&at, &json!({})).await;
        assert_eq!(said.status, 422, "it stands nowhere");
        world.root(&format!("PATCH /equipment/{}", bmc["id"]), &json!({"site": site["id"]})).await.is(200);
        assert_eq!(world.root(&at, &json!({"plna": 1})).await.status, 422);
        assert_eq!(world.root(&at, &json!({"plan": "99999999"})).await.status, 404);
        let job = world.root(&at, &Value::Null).await.is(202).json();
        assert_eq!((&job["spec"]["what"], &job["spec"]["subject"]), (&json!("server.discover"), &bmc["id"]));
        let stranger = world.by(&world.customer, &at, &json!({})).await;
        assert_eq!((stranger.status, world.send(&at, &[], &json!({})).await.status), (404, 401), "{}", world.make);
        let router = json!({"name": "r1", "family": "router", "make": "sim", "site": site["id"]});
        let router = world.root("POST /equipment", &router).await.is(201).json();
        assert_eq!(world.root(&format!("POST /equipment/{}/discover", router["id"]), &json!({})).await.status, 422);
    }
}
