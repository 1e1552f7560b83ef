//! The change log as object changes.

use serde_json::{Value, json};

use crate::world::{self, World};

const AS: &str = "/api/peering/autonomous-systems/";
const LOG: &str = "/api/core/object-changes/";

#[tokio::test]
async fn every_write_leaves_a_line_with_what_was_and_what_is() {
    for w in world::both().await {
        let tag = w.make("extras/tags", json!({"name": "Core", "slug": "core"})).await;
        let id = w.make("peering/autonomous-systems", json!({"asn": 64500, "name": "Old", "tags": [tag]})).await;
        let said = w.tell(&format!("PATCH {AS}{id}/"), json!({"name": "New"})).await;
        let request = said.header("x-request-id").to_owned();
        w.tell(&format!("PATCH {AS}{id}/"), json!({"name": "New"})).await.is(200);
        let said = w.ask(&format!("GET {LOG}?request_id={request}")).await;
        assert_eq!(said.is(200).body["count"], 1, "{}: no difference, no line", w.make);
        let row = &said.body["results"][0];
        assert_eq!(row["action"], json!({"value": "update", "label": "Updated"}));
        assert_eq!((&row["prechange_data"]["name"], &row["postchange_data"]["name"]), (&json!("Old"), &json!("New")));
        assert_eq!(row["postchange_data"]["tags"], json!(["Core"]), "tags are dumped by name");
        assert_eq!(
            (&row["changed_object_type"], &row["changed_object_id"]),
            (&json!("peering.autonomoussystem"), &json!(id))
        );
        assert_eq!(row["changed_object"]["display"], "AS64500 - New");
        assert_eq!((&row["user"]["username"], &row["user_name"]), (&json!("ada"), &json!("ada")));
        assert_eq!(row["request_id"].as_str(), Some(request.as_str()));
        w.ask(&format!("DELETE {AS}{id}/")).await.is(204);
        let row = w.ask(&format!("GET {LOG}?action=delete")).await.body["results"][0].clone();
        assert_eq!((&row["changed_object"], &row["postchange_data"]), (&Value::Null, &Value::Null));
        assert_eq!(row["prechange_data"]["name"], "New");
    }
}

#[tokio::test]
async fn lines_are_found_by_who_what_and_when() {
    for w in world::both().await {
        found_by_who_what_and_when(&w).await;
    }
}

async fn found_by_who_what_and_when(w: &World) {
    let at = w.exchange().await;
    let user = w.owner.get();
    let all = w.ask(&format!("GET {LOG}")).await.body["count"].as_u64().unwrap();
    for (query, want) in [
        ("user=ada".to_owned(), 5),
        (format!("user_id={user}"), 5),
        ("changed_object_type_id=9".to_owned(), 1),
        ("changed_object_type_id=9&changed_object_type_id=10".to_owned(), 2),
        (format!("changed_object_id={}", at.exchange), 1),
        ("time_after=2020-01-01".to_owned(), all),
        ("time_before=2020-01-01".to_owned(), 0),
        ("action=update".to_owned(), 0),
        ("action=update&action=create&user=ada".to_owned(), 5),
        ("action__n=create".to_owned(), 0),
        ("user=ada&action__n=update&action__n=delete".to_owned(), 5),
        (format!("user_id__n={user}"), all - 5),
        ("user__n=ada".to_owned(), all - 5),
        (format!("changed_object_id__n={}&user=ada", at.exchange), 4),
        (format!("changed_object_id__gte={}&user=ada", at.exchange), 2),
        (format!("changed_object_id__lt={}&user=ada", at.exchange), 3),
        ("user=ada&changed_object_type_id__n=9&changed_object_type_id__n=10".to_owned(), 3),
        ("user_name=ada".to_owned(), 5),
        ("user_name=ADA".to_owned(), 0),
        ("user_name__ie=ADA".to_owned(), 5),
        ("user_name__n=ada".to_owned(), all - 5),
        ("user_name__isw=AD".to_owned(), 5),
        ("user_name__iew=DA&user_name__ic=d".to_owned(), 5),
        ("user_name__nic=A&user=ada".to_owned(), 0),
        ("object_repr__ic=some ix&user=ada".to_owned(), 1),
        ("object_repr__isw=some&user=ada".to_owned(), 1),
        ("object_repr__nisw=SOME&user=ada".to_owned(), 4),
        ("object_repr=Some IX".to_owned(), 1),
        ("q=edge1&user=ada".to_owned(), 1),
        ("q=EDGE&q=some&user=ada".to_owned(), 2),
        ("nothing__known=1&id__lte=0".to_owned(), 0),
    ] {
        let said = w.ask(&format!("GET {LOG}?{}", query.replace(' ', "%20"))).await;
        assert_eq!(said.is(200).body["count"], want, "{}: {query}", w.make);
    }
    for query in ["user=nobody", "action=bogus", "request_id=x", "changed_object_type_id=999", "time_after=x", "id=x"] {
        w.ask(&format!("GET {LOG}?{query}")).await.is(400);
    }
}

#[tokio::test]
async fn the_newest_line_comes_first() {
    let w = world::one().await;
    w.autonomous_system(1).await;
    w.autonomous_system(2).await;
    let ids = w.ask(&format!("GET {LOG}?limit=2")).await.ids();
    assert!(ids[0] > ids[1]);
}
