//! The change log as object changes.

use serde_json::{Value, json};

use crate::world;

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
    let w = world::one().await;
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
    ] {
        let said = w.ask(&format!("GET {LOG}?{query}")).await;
        assert_eq!(said.is(200).body["count"], want, "{query}");
    }
    for query in ["user=nobody", "action=bogus", "request_id=x", "changed_object_type_id=999", "time_after=x", "id=x"] {
        w.ask(&format!("GET {LOG}?{query}")).await.is(400);
    }
}

#[tokio::test]
async fn lines_are_found_by_every_suffix() {
    for w in world::both().await {
        let at = w.exchange().await;
        w.tell(&format!("PATCH {AS}{}/", at.at.local), json!({"name": "Ours"})).await.is(200);
        let user = w.owner.get();
        let rows = w.ask(&format!("GET {LOG}?limit=0")).await.body["results"].as_array().unwrap().clone();
        let ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        let (first, last, ix) = (ids[ids.len() - 1], ids[0], at.exchange);
        for (query, want) in [
            (format!("id={first}&id={last}"), 2),
            (format!("id__n={first}&id__n={last}"), 6),
            (format!("id__lt={last}"), 7),
            (format!("id__gte={last}"), 1),
            (format!("id__gt={first}&id__lte={last}"), 7),
            (format!("changed_object_id__n={ix}"), 7),
            (format!("changed_object_id__lte={ix}&changed_object_id__gte={ix}"), 1),
            ("action__n=create".to_owned(), 1),
            ("action__n=create&action__n=update&action__n=delete".to_owned(), 0),
            ("changed_object_type_id__n=9".to_owned(), 7),
            (format!("user_id__n={user}"), 2),
            ("user__n=rea".to_owned(), 8),
            ("user=ada&user=rea".to_owned(), 6),
            ("user_name=ADA".to_owned(), 0),
            ("user_name__ie=ADA".to_owned(), 6),
            ("user_name__n=ada".to_owned(), 2),
            ("user_name__nie=Ada".to_owned(), 2),
            ("user_name__isw=A&user_name__iew=DA".to_owned(), 6),
            ("object_repr__ic=some+ix".to_owned(), 1),
            ("object_repr__nic=some+ix".to_owned(), 7),
            ("object_repr__nisw=some&object_repr__niew=1".to_owned(), 6),
            ("object_repr=Some+IX&object_repr=edge1".to_owned(), 2),
            ("object_repr__n=Some+IX&object_repr__n=edge1".to_owned(), 6),
            ("q=SOME+ix".to_owned(), 1),
            ("q=ada".to_owned(), 7),
            ("q=zz".to_owned(), 0),
        ] {
            let said = w.ask(&format!("GET {LOG}?{query}")).await;
            let titles: Vec<&Value> = rows.iter().map(|row| &row["display"]).collect();
            assert_eq!(said.is(200).body["count"], want, "{} {query} of {titles:?}", w.make);
        }
        for query in ["id__lt=x", "user__n=nobody", "action__n=bogus", "changed_object_type_id__n=999"] {
            let name = query.split('=').next().unwrap();
            assert!(w.ask(&format!("GET {LOG}?{query}")).await.is(400).body[name].is_array(), "{query}");
        }
    }
}

#[tokio::test]
async fn the_newest_line_comes_first() {
    let w = world::one().await;
    w.autonomous_system(1).await;
    w.autonomous_system(2).await;
    let ids = w.ask(&format!("GET {LOG}?limit=2")).await.ids();
    assert!(ids[0] > ids[1]);
    let ids = w.ask(&format!("GET {LOG}?limit=2&ordering=time")).await.ids();
    assert!(ids[0] < ids[1]);
}
