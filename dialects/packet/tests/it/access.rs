//! Who may do what.

use http::Method;
use serde_json::json;

use crate::world::{World, everywhere, simple};

#[tokio::test]
async fn without_a_good_token_nobody_gets_in() {
    everywhere(async |world: World| {
        let answer = world.send("", Method::GET, "/projects", None).await.is(401);
        assert!(answer.body["error"].is_string() && answer.body["errors"].is_array());
        world.send(&"0".repeat(40), Method::GET, "/projects", None).await.is(401);
    })
    .await;
}

#[tokio::test]
async fn a_token_for_reading_reads_only() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        let made = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let token = made["token"].as_str().unwrap();
        world.send(token, Method::GET, &path, None).await.is(200);
        let order = format!("/projects/{}/devices", world.project);
        world.send(token, Method::POST, &order, Some(&simple("web2"))).await.is(403);
        world.send(token, Method::PUT, &path, Some(&json!({"hostname": "x"}))).await.is(403);
        world.send(token, Method::PUT, &path, Some(&json!({"tags": ["x"]}))).await.is(403);
        world.send(token, Method::DELETE, &path, None).await.is(403);
        world.send(token, Method::POST, &format!("{path}/actions"), Some(&json!({"type": "reboot"}))).await.is(403);
        world.send(token, Method::POST, &format!("{path}/bgp/sessions?address_family=ipv4"), None).await.is(403);
        world.send(token, Method::POST, "/projects", Some(&json!({"name": "x"}))).await.is(403);
        world.send(token, Method::DELETE, &format!("/projects/{}", world.project), None).await.is(403);
        // A key that may only read must not make one that may write.
        world.send(token, Method::POST, "/user/api-keys", Some(&json!({}))).await.is(403);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_yours_does_not_exist() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let device = format!("/devices/{}", device["id"].as_str().unwrap());
        let project = format!("/projects/{}", world.project);
        for path in [
            device.clone(),
            format!("{device}/ips"),
            format!("{device}/events"),
            format!("{device}/bgp/sessions"),
            project.clone(),
            format!("{project}/devices"),
            format!("{project}/ssh-keys"),
            format!("{project}/bgp-config"),
            format!("/organizations/{}", world.organization),
        ] {
            world.send(&world.stranger, Method::GET, &path, None).await.is(404);
        }
        world.send(&world.stranger, Method::DELETE, &device, None).await.is(404);
        world.send(&world.stranger, Method::PUT, &device, Some(&json!({"hostname": "x"}))).await.is(404);
        let order = format!("{project}/devices");
        world.send(&world.stranger, Method::POST, &order, Some(&simple("x"))).await.is(404);
        let list = world.send(&world.stranger, Method::GET, "/projects", None).await.is(200);
        assert_eq!(list.body["meta"]["total"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_projects_key_works_in_its_project_only_and_is_nobodys() {
    everywhere(async |world: World| {
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let keys = format!("/projects/{}/api-keys", world.project);
        let made = world.post(&keys, json!({"description": "robot"})).await.is(201).body;
        let token = made["token"].as_str().unwrap();
        let order = format!("/projects/{}/devices", world.project);
        world.send(token, Method::POST, &order, Some(&simple("web1"))).await.is(201);
        world.send(token, Method::GET, &format!("/projects/{}", other["id"].as_str().unwrap()), None).await.is(404);
        world.send(token, Method::GET, "/user", None).await.is(403);
    })
    .await;
}

#[tokio::test]
async fn servers_stay_the_operators_secret() {
    everywhere(async |world: World| {
        let caller = world.caller(&world.token).await;
        let seen = world.app.read(&caller, |tx| Ok(tx.ids::<meetme_model::metal::Server>(&meetme_store::Filter::All)?));
        assert!(seen.await.unwrap().is_empty());
        assert_eq!(world.device("web1").await["location"]["rack"], "R1");
    })
    .await;
}
