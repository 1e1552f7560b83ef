//! Many rows at once: all of them or none.

use serde_json::json;

use crate::world;

const AS: &str = "/api/peering/autonomous-systems/";

#[tokio::test]
async fn one_bad_row_keeps_all_from_being_made() {
    for w in world::both().await {
        let rows = json!([{"asn": 1, "name": "A"}, {"asn": 0, "name": "B"}, {"asn": 3, "name": "C"}]);
        let said = w.tell(&format!("POST {AS}"), rows).await;
        said.is(400).says(json!([{}, {"asn": ["Ensure this value is greater than or equal to 1."]}, {}]));
        assert_eq!(w.ask(&format!("GET {AS}")).await.body["count"], 0, "{}", w.make);
    }
}

#[tokio::test]
async fn rows_that_clash_with_each_other_are_refused_at_the_second() {
    for w in world::both().await {
        let rows = json!([{"asn": 7, "name": "A"}, {"asn": 8, "name": "B"}, {"asn": 7, "name": "C"}]);
        let said = w.tell(&format!("POST {AS}"), rows).await;
        said.is(400).says(json!([{}, {}, {"asn": ["autonomous system with this ASN already exists."]}]));
        assert_eq!(w.ask(&format!("GET {AS}")).await.body["count"], 0, "{}", w.make);
    }
}

#[tokio::test]
async fn one_bad_row_keeps_all_from_being_changed() {
    for w in world::both().await {
        let (a, b) = (w.autonomous_system(10).await, w.autonomous_system(11).await);
        let rows = json!([{"id": a, "name": "New"}, {"id": b, "asn": 10}]);
        let said = w.tell(&format!("PATCH {AS}"), rows).await;
        said.is(400).says(json!([{}, {"asn": ["autonomous system with this ASN already exists."]}]));
        assert_eq!(w.ask(&format!("GET {AS}{a}/")).await.body["name"], "Network 10", "{}", w.make);
    }
}

#[tokio::test]
async fn a_removal_that_one_row_refuses_removes_none() {
    for w in world::both().await {
        let at = w.router().await;
        let free = w.make("devices/platforms", json!({"name": "Free", "slug": "free"})).await;
        let said = w.tell("DELETE /api/devices/platforms/", json!([{"id": free}, {"id": at.platform}])).await;
        said.is(409);
        w.ask(&format!("GET /api/devices/platforms/{free}/")).await.is(200);
    }
}

#[tokio::test]
async fn a_list_is_a_list_and_its_rows_have_ids() {
    let w = world::one().await;
    let text = "Expected a list of items but got type \"dict\".";
    w.tell(&format!("PATCH {AS}"), json!({"id": 1})).await.is(400).says(json!({"non_field_errors": [text]}));
    let said = w.tell(&format!("DELETE {AS}"), json!([{"asn": 1}])).await;
    said.is(400).says(json!([{"id": ["This field is required."]}]));
    w.tell(&format!("POST {AS}"), json!([])).await.is(201).says(json!([]));
}

#[tokio::test]
async fn the_answer_is_in_the_models_order() {
    let w = world::one().await;
    let (late, early) = (w.autonomous_system(20).await, w.autonomous_system(10).await);
    let said =
        w.tell(&format!("PATCH {AS}"), json!([{"id": late, "comments": "x"}, {"id": early, "comments": "x"}])).await;
    let order: Vec<_> = said.is(200).body.as_array().unwrap().iter().map(|row| row["asn"].clone()).collect();
    assert_eq!(order, [10, 20]);
}

#[tokio::test]
async fn removing_an_as_and_its_session_in_one_list_is_no_error() {
    let w = world::one().await;
    let at = w.exchange().await;
    let session = w.session(&at, 64500, "192.0.2.143").await;
    let body = w.ask(&format!("GET /api/peering/internet-exchange-peering-sessions/{session}/")).await.body;
    let peer = body["autonomous_system"]["id"].as_i64().unwrap();
    w.tell(&format!("DELETE {AS}"), json!([{"id": peer}, {"id": peer}])).await.is(204);
    w.ask(&format!("GET /api/peering/internet-exchange-peering-sessions/{session}/")).await.is(404);
}
