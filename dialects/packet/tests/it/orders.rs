//! Ordering devices: places, servers, addresses.

use std::collections::BTreeSet;

use ipnet::IpNet;
use meetme_model::Phase;
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple, ssh_key};

fn with(changes: Value) -> Value {
    let mut order = simple("web1");
    order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    order
}

fn networks(device: &Value) -> Vec<IpNet> {
    let list = device["ip_addresses"].as_array().unwrap();
    list.iter().map(|a| format!("{}/{}", a["network"].as_str().unwrap(), a["cidr"]).parse().unwrap()).collect()
}

#[tokio::test]
async fn everybodys_keys_go_in_where_none_is_named() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/ssh-keys", world.project);
        world.post(&path, json!({"label": "shared", "key": ssh_key(3)})).await.is(201);
        world.post("/ssh-keys", json!({"label": "mine", "key": ssh_key(4)})).await.is(201);
        let orders = format!("/projects/{}/devices", world.project);
        let (absent, empty) = (json!({}), json!({"user_ssh_keys": [], "project_ssh_keys": []}));
        for (wish, keys) in [(absent, 2), (empty, 2), (json!({"no_ssh_keys": true}), 0)] {
            let mut order = simple("web");
            order.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
            let made = world.post(&orders, order).await.is(201).body;
            assert_eq!(made["ssh_keys"].as_array().unwrap().len(), keys, "{wish}");
        }
    })
    .await;
}

#[tokio::test]
async fn ten_servers_are_ten_devices_and_the_eleventh_waits_for_one_to_go() {
    everywhere(async |world: World| {
        let level = async || {
            let report = world.get("/capacity").await.is(200).body;
            report["capacity"]["sjc1"]["baremetal_0"]["level"].as_str().unwrap().to_owned()
        };
        let mut all = Vec::new();
        for n in 0..10 {
            assert_eq!(level().await, if n < 9 { "normal" } else { "limited" });
            all.push(world.device(&format!("web{n}")).await);
        }
        assert_eq!(level().await, "unavailable");
        let path = format!("/projects/{}/devices", world.project);
        world.post(&path, simple("web10")).await.is(422).says("baremetal_0");
        let device = format!("/devices/{}", all[3]["id"].as_str().unwrap());
        world.delete(&device).await.is(204);
        // The server is not free before it is wiped.
        world.post(&path, simple("web10")).await.is(422);
        world.moved(&all[3], Phase::Gone).await;
        world.get(&device).await.is(404);
        world.post(&path, simple("web10")).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn addresses_never_overlap_and_come_back() {
    everywhere(async |world: World| {
        let mut seen: Vec<IpNet> = Vec::new();
        let mut devices = Vec::new();
        for n in 0..10 {
            let device = world.device(&format!("web{n}")).await;
            let own = networks(&device);
            assert_eq!(own.iter().map(IpNet::prefix_len).collect::<BTreeSet<_>>(), BTreeSet::from([31, 127]));
            for net in own {
                assert!(seen.iter().all(|s| !s.contains(&net) && !net.contains(s)), "{net} in {seen:?}");
                seen.push(net);
            }
            devices.push(device);
        }
        for device in &devices {
            world.moved(device, Phase::Gone).await;
        }
        assert_eq!(networks(&world.device("again").await), networks(&devices[0]));
    })
    .await;
}

#[tokio::test]
async fn addresses_are_cut_from_blocks_of_the_project() {
    everywhere(async |world: World| {
        world.device("web1").await;
        let device = world.device("web2").await;
        let path = format!("/projects/{}/ips?include=assignments", world.project);
        let blocks = world.get(&path).await.is(200).body["ip_addresses"].as_array().unwrap().clone();
        let mut forms: Vec<_> =
            blocks.iter().map(|b| format!("{} /{}", b["type"].as_str().unwrap(), b["cidr"])).collect();
        forms.sort();
        assert_eq!(forms, ["private_ipv4 /25", "public_ipv4 /31", "public_ipv4 /31", "public_ipv6 /56"]);
        assert!(blocks.iter().all(|b| b["management"] == true && b["facility"]["code"] == "sjc1"));
        for address in device["ip_addresses"].as_array().unwrap() {
            let block = blocks.iter().find(|b| b["href"] == address["parent_block"]["href"]).unwrap();
            assert!(block["assignments"].as_array().unwrap().iter().any(|a| a["id"] == address["id"]));
            assert_ne!(address["gateway"], address["address"]);
            assert_eq!(address["gateway"], address["network"]);
        }
    })
    .await;
}

#[tokio::test]
async fn two_projects_have_blocks_of_their_own() {
    everywhere(async |world: World| {
        let first = world.device("web1").await;
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let path = format!("/projects/{}/devices", other["id"].as_str().unwrap());
        let second = world.post(&path, simple("web1")).await.is(201).body;
        let blocks = |d: &Value| -> BTreeSet<String> {
            let list = d["ip_addresses"].as_array().unwrap().iter();
            list.map(|a| a["parent_block"]["network"].to_string()).collect()
        };
        assert!(blocks(&first).is_disjoint(&blocks(&second)));
    })
    .await;
}

#[tokio::test]
async fn places_are_tried_in_their_order() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let at = async |place: Value| {
            let made = world.post(&path, with(json!({"facility": place}))).await.is(201).body;
            made["facility"]["code"].as_str().unwrap().to_owned()
        };
        // Most room is at sjc1; ewr1 has one server, and then none.
        assert_eq!(at(json!("any")).await, "sjc1");
        assert_eq!(at(json!(["ewr1", "sjc1"])).await, "ewr1");
        assert_eq!(at(json!(["ewr1", "sjc1"])).await, "sjc1");
        assert_eq!(at(json!(["ewr1", "any"])).await, "sjc1");
        world.post(&path, with(json!({"facility": "ewr1"}))).await.is(422).says("ewr1");
        let made = world.post(&path, with(json!({"facility": null, "metro": "sv"}))).await.is(201).body;
        assert_eq!(made["metro"]["code"], "sv");
        world.post(&path, with(json!({"facility": "nowhere"}))).await.is(422).says("facility");
        world.post(&path, with(json!({"facility": null}))).await.is(422).says("facility");
    })
    .await;
}

#[tokio::test]
async fn a_required_feature_is_had_and_a_preferred_one_if_there_is_any() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let order = |features: Value| with(json!({"plan": "baremetal_1", "features": features}));
        world.post(&path, order(json!({"gpu": "required"}))).await.is(422);
        let first = world.post(&path, order(json!({"tpm": "preferred"}))).await.is(201).body;
        world.post(&path, order(json!(["tpm"]))).await.is(422);
        world.post(&path, order(json!({"tpm": "preferred"}))).await.is(201);
        world.moved(&first, Phase::Gone).await;
        world.post(&path, order(json!(["tpm"]))).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn plain_servers_are_given_first() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        world.post(&path, with(json!({"plan": "baremetal_1"}))).await.is(201);
        let tpm = with(json!({"plan": "baremetal_1", "features": ["tpm"]}));
        world.post(&path, tpm).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn the_seeds_whole_order_is_taken_as_written() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let key = world.post("/ssh-keys", json!({"label": "k", "key": ssh_key(1)})).await.is(201).body;
        let order = json!({
            "facility": "sjc1", "plan": "baremetal_0", "hostname": "server-1.example.net", "description": "The first.",
            "billing_cycle": "monthly", "operating_system": "ubuntu_16_04", "always_pxe": false, "ipxe_script_url": "",
            "userdata": "#!/bin/sh", "locked": true, "customdata": "{}", "spot_instance": false, "spot_price_max": -1,
            "termination_time": "2026-12-24T00:00:00Z", "tags": ["one", "two words"], "project_ssh_keys": [],
            "user_ssh_keys": [key["id"]], "features": {}, "public_ipv4_subnet_size": 29.0, "project_id": world.project,
        });
        let made = world.post(&path, order).await.is(201).body;
        assert_eq!((&made["billing_cycle"], &made["tags"]), (&json!("monthly"), &json!(["one", "two words"])));
        assert_eq!((&made["locked"], &made["termination_time"]), (&json!(true), &json!("2026-12-24T00:00:00Z")));
        assert_eq!(made["ssh_keys"], json!([{"href": format!("/ssh-keys/{}", key["id"].as_str().unwrap())}]));
        assert!(networks(&made).iter().any(|net| net.prefix_len() == 29));
    })
    .await;
}

#[tokio::test]
async fn clients_odd_spellings_of_an_order_are_understood() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let order = json!({
            "facility": ["sjc1"], "plan": "baremetal_0", "operating_system": "ubuntu_16_04", "features": {}, "tags": {},
            "userdata": "", "spot_price_max": "0.2", "include": "project",
        });
        let made = world.post(&path, order).await.is(201).body;
        assert_eq!(made["hostname"], format!("{}.packethost.net", made["short_id"].as_str().unwrap()));
        assert_eq!((&made["billing_cycle"], &made["project"]["name"]), (&json!("hourly"), &json!("First")));
    })
    .await;
}

#[tokio::test]
async fn addresses_are_given_as_asked() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let wishes = json!([{"address_family": 4, "public": false}, {"address_family": 4, "public": true, "cidr": 30}]);
        let made = world.post(&path, with(json!({"ip_addresses": wishes}))).await.is(201).body;
        assert_eq!(networks(&made).iter().map(IpNet::prefix_len).collect::<Vec<_>>(), [31, 30]);
        let wish = |wish: Value| with(json!({"ip_addresses": [wish]}));
        world.post(&path, wish(json!({"address_family": 5}))).await.is(422).says("ip_addresses.0");
        world.post(&path, wish(json!({"address_family": 6, "public": false}))).await.is(422);
        world.post(&path, with(json!({"public_ipv4_subnet_size": 24}))).await.is(422).says("public_ipv4_subnet_size");
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_refused_leaves_nothing_behind() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        for bad in [
            json!({"hostname": "not a name"}),
            json!({"plan": "none"}),
            json!({"operating_system": "none"}),
            json!({"operating_system": "custom_ipxe"}),
            json!({"billing_cycle": "weekly"}),
            json!({"termination_time": "2020-01-01T00:00:00Z"}),
            json!({"spot_instance": true}),
            json!({"hardware_reservation_id": "next-available"}),
            json!({"user_ssh_keys": ["00000000-0000-4000-8000-000000000000"]}),
        ] {
            world.post(&path, with(bad)).await.is(422);
        }
        let script = json!({"operating_system": "custom_ipxe", "userdata": "#!ipxe\nshell"});
        let made = world.post(&path, with(script)).await.is(201).body;
        assert_eq!(made["provisioning_events"].as_array().unwrap().len(), 4);
        let blocks = world.get(&format!("/projects/{}/ips", world.project)).await.is(200).body;
        assert_eq!(blocks["ip_addresses"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn sixty_four_orders_at_once_get_exactly_the_last_ten_servers() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices", world.project);
        let orders = (0..64).map(|n| {
            let (path, body, world) = (&path, simple(&format!("web{n}")), &world);
            async move { world.post(path, body).await }
        });
        let answers = futures_util::future::join_all(orders).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 201);
        for answer in refused {
            answer.is(422).says("baremetal_0");
        }
        let made: Vec<Value> = made.into_iter().map(|a| a.body).collect();
        assert_eq!(made.len(), 10);
        let mut seen: Vec<IpNet> = Vec::new();
        for net in made.iter().flat_map(networks) {
            assert!(seen.iter().all(|s| !s.contains(&net) && !net.contains(s)), "{net} is in two devices");
            seen.push(net);
        }
        assert_eq!(seen.len(), 30);
        let macs: BTreeSet<String> = made.iter().map(|d| d["network_ports"][1]["data"]["mac"].to_string()).collect();
        assert_eq!(macs.len(), 10);
    })
    .await;
}
