use serde_json::{Value, json};

use crate::kit::World;

fn service() -> Value {
    json!({"identifier": "service", "title": "Service", "icon": "Cloud", "schema": {"properties": {
        "tier": {"type": "string", "enum": ["gold", "iron"], "enumColors": {"gold": "gold"}},
        "size": {"type": "number", "default": 3}, "link": {"type": "string", "format": "url"},
    }, "required": ["tier"]}, "relations": {}})
}

async fn with_service(world: &World) {
    world.call("POST", "/v1/blueprints", service()).await.proves("create_blueprint", 201);
}

#[tokio::test]
async fn a_blueprint_is_made_read_changed_and_removed_and_echoes_what_was_written() {
    for world in World::all().await {
        with_service(&world).await;
        let read = world.call("GET", "/v1/blueprints/service", json!(null)).await.proves("get_blueprint", 200);
        assert_eq!(read["blueprint"]["schema"], service()["schema"]);
        assert_eq!(read["blueprint"].get("description"), None);
        world.call("POST", "/v1/blueprints", service()).await.is(409);
        let host = json!({"identifier": "host", "title": "Host", "schema": {"properties": {}}, "relations": {
            "runs": {"target": "service", "many": true, "required": false}, "stands_at": {"target": "_site", "many": false, "required": false},
        }});
        let made = world.call("POST", "/v1/blueprints", host).await.is(201);
        assert_eq!(made["blueprint"]["relations"]["stands_at"]["target"], "_site");
        let patch = json!({"schema": {"properties": {"owner": {"type": "string"}}}});
        let patched = world.call("PATCH", "/v1/blueprints/service", patch).await.proves("update_blueprint", 200);
        assert_eq!(patched["blueprint"]["schema"]["properties"].as_object().unwrap().len(), 4);
        let other = json!({"schema": {"properties": {"size": {"type": "string"}}}});
        world.call("PATCH", "/v1/blueprints/service", other).await.is(422);
        world.call("PUT", "/v1/blueprints/service", service()).await.proves("replace_blueprint", 200);
        world.call("DELETE", "/v1/blueprints/service", json!(null)).await.is(409);
        world.call("DELETE", "/v1/blueprints/host", json!(null)).await.proves("delete_blueprint", 200);
        world.call("DELETE", "/v1/blueprints/service", json!(null)).await.is(200);
        world.call("GET", "/v1/blueprints/service", json!(null)).await.is(404);
        let list = world.call("GET", "/v1/blueprints/", json!(null)).await.proves("list_blueprints", 200);
        assert!(list["blueprints"].as_array().unwrap().iter().any(|b| b["identifier"] == "_router"));
        world
            .call("GET", "/v1/blueprints/system/_router/structure", json!(null))
            .await
            .proves("get_system_blueprint_structure", 200);
    }
}

#[tokio::test]
async fn an_entity_is_created_upserted_merged_replaced_and_removed() {
    let path = "/v1/blueprints/service/entities";
    for world in World::all().await {
        with_service(&world).await;
        let new = json!({"identifier": "a/b", "title": "A", "properties": {"tier": "gold"}});
        let made = world.call("POST", &format!("{path}/"), new.clone()).await.proves("create_entity", 201);
        assert_eq!((&made["entity"]["properties"]["size"], &made["entity"]["identifier"]), (&json!(3), &json!("a/b")));
        assert_eq!(world.call("POST", path, new).await.is(409)["error"], "identifier_taken");
        let one = format!("{path}/a%2Fb");
        world.call("GET", &one, json!(null)).await.proves("get_entity", 200);
        let merged = json!({"identifier": "a/b", "properties": {"link": "https://meetme.example"}});
        let merged = world.call("POST", &format!("{path}?upsert=true&merge=true&run_id="), merged).await.is(200);
        assert_eq!(merged["entity"]["properties"]["tier"], "gold");
        let replaced = json!({"identifier": "a/b", "properties": {"tier": "iron"}});
        let replaced = world.call("POST", &format!("{path}?upsert=true"), replaced).await.is(200);
        assert_eq!(replaced["entity"]["properties"], json!({"tier": "iron"}));
        let patched = world.call("PATCH", &one, json!({"properties": {"size": 9}})).await.proves("update_entity", 200);
        assert_eq!(patched["entity"]["properties"], json!({"tier": "iron", "size": 9}));
        world.call("PUT", &one, json!({"properties": {"tier": "gold"}})).await.proves("replace_entity", 200);
        world.call("GET", path, json!(null)).await.proves("list_entities", 200);
        let count = world.call("GET", "/v1/blueprints/service/entities-count", json!(null)).await;
        assert_eq!(count.proves("count_entities", 200)["count"], 1);
        world.call("DELETE", "/v1/blueprints/service", json!(null)).await.is(409);
        world.call("DELETE", &one, json!(null)).await.proves("delete_entity", 200);
        world.call("DELETE", &one, json!(null)).await.is(404);
    }
}

#[tokio::test]
async fn values_that_do_not_fit_the_blueprint_are_refused_by_name_and_nothing_is_kept() {
    let path = "/v1/blueprints/service/entities";
    for world in World::all().await {
        with_service(&world).await;
        for (properties, field) in [
            (json!({"tier": "tin"}), "properties.tier"),
            (json!({"tier": "gold", "link": "nowhere"}), "properties.link"),
            (json!({}), "properties"),
            (json!({"tier": "gold", "other": 1}), "properties"),
        ] {
            let told = world.call("POST", path, json!({"identifier": "x", "properties": properties})).await.is(422);
            assert_eq!(told["details"][0]["field"], field, "{told}");
        }
        world.call("POST", path, json!({"identifier": "with space", "properties": {"tier": "gold"}})).await.is(422);
        let trial = json!({"identifier": "x", "properties": {"tier": "gold"}});
        world.call("POST", &format!("{path}?validation_only=true"), trial).await.is(201);
        world.call("GET", &format!("{path}/x"), json!(null)).await.is(404);
    }
}

#[tokio::test]
async fn relations_lead_to_entities_and_what_is_needed_cannot_go_first() {
    for world in World::all().await {
        with_service(&world).await;
        let host = json!({"identifier": "host", "title": "Host", "schema": {"properties": {}}, "relations": {
            "runs": {"target": "service", "many": true, "required": false},
            "main": {"target": "service", "many": false, "required": true},
        }});
        world.call("POST", "/v1/blueprints", host).await.is(201);
        let new = json!({"identifier": "h", "relations": {"main": "s1", "runs": ["s1", "s2"]}});
        assert_eq!(world.call("POST", "/v1/blueprints/host/entities", new.clone()).await.is(404)["error"], "not_found");
        for name in ["s1", "s2"] {
            let service = json!({"identifier": name, "properties": {"tier": "gold"}});
            world.call("POST", "/v1/blueprints/service/entities", service).await.is(201);
        }
        let made = world.call("POST", "/v1/blueprints/host/entities", new).await.is(201);
        assert_eq!(made["entity"]["relations"], json!({"runs": ["s1", "s2"], "main": "s1"}));
        world.call("DELETE", "/v1/blueprints/service/entities/s2", json!(null)).await.is(200);
        let read = world.call("GET", "/v1/blueprints/host/entities/h", json!(null)).await.is(200);
        assert_eq!(read["entity"]["relations"]["runs"], json!(["s1"]));
        world.call("DELETE", "/v1/blueprints/service/entities/s1", json!(null)).await.is(409);
        world.call("DELETE", "/v1/blueprints/service/entities/s1?delete_dependents=true", json!(null)).await.is(200);
        world.call("GET", "/v1/blueprints/host/entities/h", json!(null)).await.is(404);
        let bare = json!({"identifier": "h", "relations": {"main": "s9"}});
        let path = "/v1/blueprints/host/entities?create_missing_related_entities=true";
        world.call("POST", path, bare).await.is(201);
        world.call("GET", "/v1/blueprints/service/entities/s9", json!(null)).await.is(200);
    }
}

#[tokio::test]
async fn bulk_calls_tell_of_each_entity() {
    let path = "/v1/blueprints/service/entities/bulk?upsert=true";
    for world in World::all().await {
        with_service(&world).await;
        let bulk = json!({"entities": [{"identifier": "a", "properties": {"tier": "gold"}}, {"identifier": "b", "properties": {}}]});
        let some = world.call("POST", path, bulk).await.proves("bulk_upsert_entities", 207);
        assert_eq!((&some["entities"][0]["index"], &some["errors"][0]["identifier"]), (&json!(0), &json!("b")));
        world.call("POST", path, json!({"entities": []})).await.is(422);
        let gone = json!({"entities": ["a", "nobody"]});
        let gone = world.call("POST", "/v1/blueprints/service/bulk/entities/delete", gone).await;
        assert_eq!(gone.proves("bulk_delete_entities", 200)["deletedEntities"], json!(["a"]));
    }
}

#[tokio::test]
async fn rows_of_the_core_are_read_only_entities_of_system_blueprints() {
    for world in World::all().await {
        let list = world.call("GET", "/v1/blueprints/_user/entities", json!(null)).await.proves("list_entities", 200);
        let user = list["entities"][0].clone();
        assert_eq!((&user["blueprint"], &user["properties"]["username"]), (&json!("_user"), &json!("ada")));
        assert!(!list.to_string().contains("argon2"));
        let one = format!("/v1/blueprints/_user/entities/{}", user["identifier"].as_str().unwrap());
        world.call("GET", &one, json!(null)).await.is(200);
        world.call("DELETE", &one, json!(null)).await.is(422);
        world.call("POST", "/v1/blueprints/_user/entities", json!({"identifier": "x"})).await.is(422);
    }
}
