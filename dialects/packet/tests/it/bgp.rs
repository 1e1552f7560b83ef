//! BGP of devices, here and in the book of whoever runs the router.

use meetme_base::Uid;
use meetme_model::routing::{AutonomousSystem, DirectSession, Router};
use meetme_store::Filter;
use serde_json::{Value, json};

use crate::world::{World, everywhere};

async fn allow(world: &World) {
    let path = format!("/projects/{}/bgp-configs", world.project);
    world.post(&path, json!({"deployment_type": "local", "asn": 65000, "md5": "secret"})).await.is(204);
}

#[tokio::test]
async fn a_local_configuration_works_at_once_and_a_global_one_waits() {
    everywhere(async |world: World| {
        let project = format!("/projects/{}", world.project);
        world.get(&format!("{project}/bgp-config")).await.is(404);
        allow(&world).await;
        let config = world.get(&format!("{project}/bgp-config")).await.is(200).body;
        assert_eq!(
            (&config["status"], &config["md5"], &config["max_prefix"]),
            (&json!("enabled"), &json!("secret"), &json!(10))
        );
        let global = json!({"deployment_type": "global", "asn": 64496, "use_case": "Anycast"});
        let path = format!("{project}/bgp-configs");
        world.post(&path, global).await.is(204);
        assert_eq!(world.get(&format!("{project}/bgp-config")).await.body["status"], "requested");
        world.post(&path, json!({"deployment_type": "local", "asn": 64496})).await.is(422).says("asn");
        world.post(&path, json!({"deployment_type": "global", "asn": 65000})).await.is(422).says("asn");
    })
    .await;
}

#[tokio::test]
async fn a_session_needs_the_projects_permission_and_is_opened_once_per_family() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}/bgp/sessions", device["id"].as_str().unwrap());
        world.post(&path, json!({"address_family": "ipv4"})).await.is(422).says("not enabled");
        allow(&world).await;
        let session = world.post(&path, json!({"address_family": "ipv4", "default_route": true})).await.is(201).body;
        assert_eq!((&session["status"], &session["default_route"]), (&json!("unknown"), &json!(true)));
        world.post(&path, json!({"address_family": "ipv4"})).await.is(422);
        world.post(&path, json!({"address_family": "ipv6"})).await.is(201);
        world.post(&path, json!({"address_family": "ipx"})).await.is(422);
        let neighbors = format!("/devices/{}/bgp/neighbors", device["id"].as_str().unwrap());
        let list = world.get(&neighbors).await.is(200).body;
        let first = &list["bgp_neighbors"][0];
        let private = device["ip_addresses"].as_array().unwrap().iter().find(|a| a["public"] == false).unwrap();
        assert_eq!((&first["customer_as"], &first["peer_as"]), (&json!(65000), &json!(65530)));
        assert_eq!((&first["customer_ip"], &first["md5_password"]), (&private["address"], &json!("secret")));
        assert_eq!(first["peer_ips"], json!(["169.254.255.1", "169.254.255.2"]));
        assert_eq!(list["bgp_neighbors"][1]["address_family"], 6);
    })
    .await;
}

#[tokio::test]
async fn a_session_stands_on_the_operators_router_and_in_its_book() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        allow(&world).await;
        let path = format!("/devices/{}/bgp/sessions?address_family=ipv4", device["id"].as_str().unwrap());
        let session = world.post(&path, Value::Null).await.is(201).body;
        let uid: Uid = session["id"].as_str().unwrap().parse().unwrap();
        let operator = world.caller(&world.operator).await;
        let seen = world.app.read(&operator, move |tx| {
            let session = tx.by_uid::<DirectSession>(uid)?;
            let router = tx.get::<Router>(session.spec.router.unwrap())?;
            let theirs = tx.get::<AutonomousSystem>(session.spec.remote.unwrap())?;
            let ours = tx.get::<AutonomousSystem>(session.spec.local.unwrap())?;
            assert!(theirs.tenant == router.tenant && ours.spec.ours && !theirs.spec.ours);
            Ok((router.spec.name, ours.spec.asn.get(), theirs.spec.asn.get(), session.spec.peer.max4))
        });
        assert_eq!(seen.await.unwrap(), ("edge1".to_owned(), 65530, 65000, Some(10)));
        let customer = world.caller(&world.token).await;
        let rows = world.app.read(&customer, |tx| Ok(tx.ids::<AutonomousSystem>(&Filter::All)?));
        assert!(rows.await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn sessions_go_with_their_device() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        allow(&world).await;
        let path = format!("/devices/{}/bgp/sessions", device["id"].as_str().unwrap());
        let session = world.post(&path, json!({"address_family": "ipv4"})).await.is(201).body;
        let path = format!("/bgp/sessions/{}", session["id"].as_str().unwrap());
        world.get(&path).await.is(200);
        world.moved(&device, meetme_model::Phase::Gone).await;
        world.get(&path).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn a_site_without_a_router_has_no_sessions() {
    everywhere(async |world: World| {
        allow(&world).await;
        let order = json!({"facility": "ewr1", "plan": "baremetal_0", "operating_system": "ubuntu_16_04"});
        let device = world.post(&format!("/projects/{}/devices", world.project), order).await.is(201).body;
        let path = format!("/devices/{}/bgp/sessions", device["id"].as_str().unwrap());
        world.post(&path, json!({"address_family": "ipv4"})).await.is(422).says("router");
    })
    .await;
}
