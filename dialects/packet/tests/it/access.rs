//! Who may do what.

use http::Method;
use meetme_app::identity::{self, Giver, NewKey};
use meetme_model::access::{Grant, Membership, Organization, Role, User};
use meetme_store::Filter;
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
        // A key that may only read must neither make nor find out one that may write.
        let listed = world.send(token, Method::GET, "/user/api-keys", None).await.is(200).body;
        assert!(listed["api_keys"].as_array().unwrap().iter().all(|key| key.get("token").is_none()), "{listed}");
        assert_eq!(world.get("/user/api-keys").await.is(200).body["api_keys"][1]["token"], token);
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
async fn a_token_never_has_more_than_its_maker() {
    everywhere(async |world: World| {
        let (organization, app) = (world.organization.parse().unwrap(), world.app.clone());
        // A clerk who may look and make keys, and a key of the owner's that is cut to as much.
        let made = world.system(move |tx| {
            let node = tx.by_uid::<Organization>(organization)?.id;
            let grant = |kind: &str, verb: &str| Grant {
                kinds: vec![kind.to_owned()],
                verbs: vec![verb.to_owned()],
                ..Grant::default()
            };
            let grants = vec![grant("*", "see"), grant("key", "create")];
            let role = tx.create(node.any(), Role { name: "clerk".into(), grants, ..Role::default() })?.id;
            let clerk = tx.create(node.any(), User::new("clerk", node))?.id;
            let place = Membership { user: clerk, scope: node.any(), roles: vec![role], title: None };
            tx.create(node.any(), place)?;
            let owner = tx.one::<User>(&Filter::eq("username", "alice"))?.unwrap().id;
            let new = |roles| NewKey { name: "k".into(), roles, ..NewKey::default() };
            let clerks = identity::create_key(&app, tx, Giver::System, clerk.any(), &new(Vec::new()))?;
            let cut = identity::create_key(&app, tx, Giver::System, owner.any(), &new(vec![role]))?;
            Ok((clerks.secret.expose().clone(), cut.secret.expose().clone()))
        });
        let (clerk, cut) = made.await;
        let (mine, wish) = ("/user/api-keys", json!({"description": "x"}));
        let projects = format!("/projects/{}/api-keys", world.project);
        let answer = world.send(&cut, Method::POST, mine, Some(&wish)).await.is(403);
        answer.says("A key with limits cannot do this.");
        world.send(&cut, Method::POST, &projects, Some(&wish)).await.is(403);
        // A project's key may do everything in the project, which the clerk may not.
        let answer = world.send(&clerk, Method::POST, &projects, Some(&wish)).await.is(403);
        answer.says("Only an administrator makes keys of others.");
        world.send(&clerk, Method::POST, mine, Some(&wish)).await.is(201);
        // A project's own key is the project's administrator.
        let robot = world.post(&projects, json!({})).await.is(201).body;
        let listed = world.send(&clerk, Method::GET, &projects, None).await.is(200).body;
        assert_eq!((listed["api_keys"].as_array().unwrap().len(), listed["api_keys"][0].get("token")), (1, None));
        world.send(robot["token"].as_str().unwrap(), Method::POST, &projects, Some(&wish)).await.is(201);
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
