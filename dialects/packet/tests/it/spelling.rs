//! Paths, inputs and headers as the clients send and want them.

use http::Method;
use meetme_model::Phase;
use serde_json::json;

use crate::world::{World, everywhere, ssh_key};

#[tokio::test]
async fn slashes_and_prefixes_do_not_matter() {
    everywhere(async |world: World| {
        for path in ["//capacity", "/projects/", "/metal/v1/metal/v1/projects?page=1", "//metal/v1//projects//"] {
            world.get(path).await.is(200);
        }
    })
    .await;
}

#[tokio::test]
async fn inputs_are_taken_from_the_query_when_the_body_is_empty() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        let put = format!("{path}?hostname=web2&locked=True&tags=");
        let drawn = world.send(&world.token, Method::PUT, &put, None).await.is(200).body;
        assert_eq!((&drawn["hostname"], &drawn["locked"]), (&json!("web2"), &json!(true)));
        world.put(&format!("{path}?hostname=web9"), json!({"hostname": "web3", "locked": 0})).await.is(200);
        assert_eq!(world.get(&path).await.body["hostname"], "web3");
        world.moved(&device, Phase::Up).await;
        world.send(&world.token, Method::POST, &format!("{path}/actions?type=reboot"), None).await.is(202);
        let key = ssh_key(3).replace(' ', "%20").replace('+', "%2B");
        let post = format!("/ssh-keys?label=laptop&key={key}");
        world.send(&world.token, Method::POST, &post, None).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_change_full_of_nulls_changes_what_is_not_null() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        world.put(&path, json!({"description": "A", "tags": ["x"], "customdata": {"k": [1]}})).await.is(200);
        let body = json!({"hostname": null, "description": null, "tags": null, "customdata": null, "userdata": "u"});
        let drawn = world.send(&world.token, Method::PATCH, &path, Some(&body)).await.is(200).body;
        assert_eq!((&drawn["description"], &drawn["tags"]), (&json!("A"), &json!(["x"])));
        assert_eq!((&drawn["customdata"], &drawn["userdata"]), (&json!({"k": [1]}), &json!("u")));
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_the_headers_clients_look_at() {
    everywhere(async |world: World| {
        for path in ["/projects", "/devices/00000000-0000-4000-8000-000000000000", "/nothing"] {
            let answer = world.get(path).await;
            assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
            assert!(answer.headers.contains_key("x-request-id"), "{path}");
        }
        let missing = world.get("/devices/not-a-uuid").await.is(404).body;
        assert_eq!(missing, json!({"errors": ["Not found"], "error": "Not found"}));
    })
    .await;
}

#[tokio::test]
async fn times_are_written_to_the_second_and_ids_are_of_version_4() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        assert_eq!(device["created_at"], "2026-05-28T20:26:40Z");
        let id = device["id"].as_str().unwrap();
        assert_eq!((id.as_bytes()[14], device["short_id"].as_str()), (b'4', Some(&id[..8])));
        assert!(device["iqn"].as_str().unwrap().starts_with("iqn.2026-05.net.packet:device."));
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_with_links_to_their_neighbours() {
    everywhere(async |world: World| {
        for name in ["a", "b", "c"] {
            world.device(name).await;
        }
        let path = format!("/projects/{}/devices?per_page=2", world.project);
        let first = world.get(&path).await.is(200).body;
        assert!(first["meta"]["previous"].is_null());
        let next = world.get(first["meta"]["next"]["href"].as_str().unwrap()).await.is(200).body;
        assert_eq!((next["devices"].as_array().unwrap().len(), &next["meta"]["next"]), (1, &json!(null)));
        assert_eq!(next["meta"]["total"], 3);
        world.get("/projects?page=0").await.is(422);
    })
    .await;
}

#[tokio::test]
async fn what_is_reached_from_a_list_does_not_name_all_of_the_list_again() {
    everywhere(async |world: World| {
        let device = world.device("a").await["id"].as_str().unwrap().to_owned();
        let path = format!("/projects/{}/devices?include=project", world.project);
        let project = world.get(&path).await.is(200).body["devices"][0]["project"].clone();
        assert!(project["name"].is_string() && project["organization"]["href"].is_string(), "{project}");
        assert!(project.get("devices").is_none(), "{project}");
        let asked = world.get(&format!("{path}.devices")).await.is(200).body["devices"][0]["project"].clone();
        assert_eq!(asked["devices"][0]["id"], device.as_str());
        // By itself it names them.
        let whole = world.get(&format!("/projects/{}", world.project)).await.is(200).body;
        assert_eq!(whole["devices"], json!([{ "href": format!("/devices/{device}") }]));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_json_is_said_to_be_none() {
    everywhere(async |world: World| {
        let answer = world.send_text(&world.token, Method::POST, "/projects", "{\"name\":".to_owned()).await;
        answer.is(422).says("not valid JSON");
        world.post("/projects", json!({})).await.is(422).says("name");
        world.post("/projects", json!([])).await.is(422);
    })
    .await;
}
