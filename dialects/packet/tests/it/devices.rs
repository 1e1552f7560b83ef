//! The life of a device, as clients see it.

use meetme_model::Phase;
use serde_json::{Value, json};

use crate::world::{World, everywhere};

async fn state(world: &World, device: &Value) -> String {
    let path = format!("/devices/{}", device["id"].as_str().unwrap());
    world.get(&path).await.is(200).body["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_device_shows_its_whole_way_and_how_far_it_is() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        assert_eq!((&device["state"], &device["provisioning_percentage"]), (&json!("queued"), &json!(0.0)));
        let codes = |d: &Value| -> Vec<String> {
            d["provisioning_events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["type"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(codes(&device).first().map(String::as_str), Some("provisioning.101"));
        assert_eq!(codes(&device).len(), 9);
        let network = device["provisioning_events"][1]["body"].as_str().unwrap();
        assert!(network.contains(device["ip_addresses"][0]["address"].as_str().unwrap()), "{network}");
        world.moved(&device, Phase::Building).await;
        assert_eq!(state(&world, &device).await, "provisioning");
        world.moved(&device, Phase::Up).await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        let active = world.get(&path).await.is(200).body;
        assert_eq!((&active["state"], &active["provisioning_percentage"]), (&json!("active"), &json!(100.0)));
        assert_eq!(codes(&active), codes(&device));
        assert_eq!(active["provisioning_events"][0]["id"], device["provisioning_events"][0]["id"]);
    })
    .await;
}

#[tokio::test]
async fn an_action_shows_at_once_and_fits_the_state() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}/actions", device["id"].as_str().unwrap());
        let act = async |what: &str| world.post(&path, json!({"type": what})).await;
        act("reboot").await.is(422).says("not ready");
        world.moved(&device, Phase::Up).await;
        act("power_on").await.is(422);
        act("dance").await.is(422).says("dance");
        for (what, while_at_it, then, after) in [
            ("reboot", "rebooting", Phase::Up, "active"),
            ("rescue", "rebooting", Phase::Up, "active"),
            ("power_off", "powering_off", Phase::Off, "inactive"),
        ] {
            act(what).await.is(202);
            assert_eq!(state(&world, &device).await, while_at_it);
            world.moved(&device, then).await;
            assert_eq!(state(&world, &device).await, after);
        }
        act("reboot").await.is(422).says("powered on");
        act("power_on").await.is(202);
        assert_eq!(state(&world, &device).await, "powering_on");
        world.moved(&device, Phase::Up).await;
        act("reinstall").await.is(202);
        assert_eq!(state(&world, &device).await, "reinstalling");
        let later = world.get(&format!("/metal/v1/devices/{}", device["id"].as_str().unwrap())).await.is(200).body;
        assert_eq!(later["ip_addresses"][0]["address"], device["ip_addresses"][0]["address"]);
    })
    .await;
}

#[tokio::test]
async fn strict_clients_of_the_later_address_see_no_word_they_do_not_know() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        world.moved(&device, Phase::Up).await;
        let id = device["id"].as_str().unwrap();
        world.post(&format!("/devices/{id}/actions"), json!({"type": "reboot"})).await.is(202);
        assert_eq!(world.get(&format!("/metal/v1/devices/{id}")).await.is(200).body["state"], "powering_on");
    })
    .await;
}

#[tokio::test]
async fn a_locked_device_is_renamed_and_neither_switched_nor_deleted() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        world.moved(&device, Phase::Up).await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        world.put(&path, json!({"locked": true})).await.is(200);
        world.put(&path, json!({"hostname": "web2", "tags": ["x"]})).await.is(200);
        for what in ["reboot", "power_off", "reinstall", "rescue"] {
            world.post(&format!("{path}/actions"), json!({"type": what})).await.is(422).says("locked");
        }
        world.delete(&path).await.is(422).says("locked");
        world.put(&path, json!({"locked": false})).await.is(200);
        world.delete(&path).await.is(204);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_device_leaves_the_list_at_once_and_is_missing_in_the_end() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        let delete = json!({"force_delete": false});
        world.send(&world.token, http::Method::DELETE, &path, Some(&delete)).await.is(204);
        let list = world.get(&format!("/projects/{}/devices", world.project)).await.is(200).body;
        assert_eq!(list["meta"]["total"], 0);
        assert_eq!(state(&world, &device).await, "deprovisioning");
        world.delete(&format!("/projects/{}", world.project)).await.is(422).says("devices");
        world.moved(&device, Phase::Gone).await;
        world.get(&path).await.is(404);
        world.delete(&path).await.is(404);
        world.delete(&format!("/projects/{}", world.project)).await.is(204);
        world.get(&format!("/projects/{}", world.project)).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn devices_are_found_by_what_is_known_of_them() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        world.device("db1").await;
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        world.put(&path, json!({"tags": ["blue"]})).await.is(200);
        let mac = device["network_ports"][1]["data"]["mac"].as_str().unwrap();
        let total = async |query: &str| {
            let path = format!("/projects/{}/devices?{query}", world.project);
            world.get(&path).await.is(200).body["meta"]["total"].as_u64().unwrap()
        };
        for (query, found) in [
            ("hostname=WEB", 1),
            ("search=db1", 1),
            ("tag=blue", 1),
            ("facility=sjc1", 2),
            ("facility=nowhere", 0),
            ("metro=sv", 2),
            ("metro=ny", 0),
            ("reserved=true", 0),
            ("has_termination_time=false", 2),
            (&format!("mac_address={mac}"), 1),
        ] {
            assert_eq!(total(query).await, found, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn events_tell_what_happened_newest_first() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        world.moved(&device, Phase::Up).await;
        let path = format!("/devices/{}/events", device["id"].as_str().unwrap());
        let events = world.get(&path).await.is(200).body;
        let types: Vec<_> = events["events"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["phase.up", "instance.queued"]);
        let queued = &events["events"][1];
        assert_eq!(queued["relationships"][0]["href"], format!("/devices/{}", device["id"].as_str().unwrap()));
        assert!(queued["modified_by"]["id"].is_string());
        let path = queued["href"].as_str().unwrap();
        assert_eq!(world.get(path).await.is(200).body["id"], queued["id"]);
        world.send(&world.stranger, http::Method::GET, path, None).await.is(404);
        let project = world.get(&format!("/projects/{}/events?per_page=100", world.project)).await.is(200).body;
        let kinds: Vec<_> = project["events"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
        assert!(kinds.contains(&"project.created") && kinds.contains(&"instance.queued"), "{kinds:?}");
    })
    .await;
}
