//! Ports of devices and the virtual networks on them.

use http::Method;
use meetme_model::{
    Phase,
    fabric::{Landing, PortMode},
    metal::Device,
};
use meetme_store::{Filter, Object};
use serde_json::{Value, json};

use crate::world::{World, everywhere, order_of};

/// A device whose network can do everything, with its ports by name.
pub async fn device(world: &World, plan: &str, hostname: &str) -> Value {
    let path = format!("/projects/{}/devices", world.project);
    world.post(&path, order_of(plan, hostname)).await.is(201).body
}

fn port<'d>(device: &'d Value, name: &str) -> &'d str {
    let ports = device["network_ports"].as_array().unwrap();
    ports.iter().find(|p| p["name"] == name).unwrap()["href"].as_str().unwrap()
}

async fn vlan(world: &World, wish: Value) -> Value {
    let mut new = json!({"metro": "sv"});
    new.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
    world.post(&format!("/projects/{}/virtual-networks", world.project), new).await.is(201).body
}

/// What clients make of a device: the library's own words, and the ports' word.
async fn modes(world: &World, device: &Value) -> (String, String) {
    let device = world.get(&format!("/devices/{}", device["id"].as_str().unwrap())).await.is(200).body;
    (derived(&device), device["network_ports"][0]["network_type"].as_str().unwrap().to_owned())
}

/// The mode as a client library works it out from bonds, interfaces and addresses; it has no word for segments on a routed bond.
fn derived(device: &Value) -> String {
    let ports = device["network_ports"].as_array().unwrap();
    let bonded = |form: &str| -> Vec<bool> {
        ports.iter().filter(|p| p["type"] == form).map(|p| p["data"]["bonded"].as_bool().unwrap()).collect()
    };
    let (bonds, nics) = (bonded("NetworkBondPort"), bonded("NetworkPort"));
    let management = device["ip_addresses"].as_array().unwrap().iter().any(|a| a["management"] == true);
    let word = match (bonds.iter().all(|b| *b), nics.iter().all(|b| *b)) {
        (true, true) if management => "layer3",
        (true, true) => "layer2-bonded",
        (true, false) => "hybrid",
        _ => "layer2-individual",
    };
    word.to_owned()
}

#[tokio::test]
async fn ports_keep_their_contract() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let (bond, eth1) = (port(&made, "bond0"), port(&made, "eth1"));
        let (first, second) = (vlan(&world, json!({})).await, vlan(&world, json!({})).await);
        let vnid = |vlan: &Value| Some(json!({"vnid": vlan["id"]}));
        let answer =
            world.prove("disbond_port", &format!("{eth1}/disbond"), Some(json!({"bulk_disable": false}))).await;
        assert_eq!((&answer["data"]["bonded"], &answer["network_type"]), (&json!(false), &json!("hybrid")));
        assert_eq!(answer["bond"], Value::Null);
        let answer = world.prove("assign_port", &format!("{eth1}/assign"), vnid(&first)).await;
        assert_eq!(answer["virtual_networks"], json!([{"href": first["href"]}]));
        world.post(&format!("{eth1}/native-vlan"), json!({"vnid": first["id"]})).await.is(422).says("at least two");
        // The number instead of the id.
        world.post(&format!("{eth1}/assign"), json!({"vnid": second["vxlan"].to_string()})).await.is(200);
        let answer = world
            .prove("assign_native_vlan", &format!("{eth1}/native-vlan?vnid={}", second["id"].as_str().unwrap()), None)
            .await;
        assert_eq!(answer["native_virtual_network"]["href"], second["href"]);
        let list = world.prove("list_port_vlan_assignments", &format!("{eth1}/vlan-assignments"), None).await;
        assert_eq!((&list["meta"]["total"], &list["vlan_assignments"][1]["native"]), (&json!(2), &json!(true)));
        let one = format!("{eth1}/vlan-assignments/{}", list["vlan_assignments"][0]["id"].as_str().unwrap());
        let one = world.prove("get_port_vlan_assignment", &one, None).await;
        assert_eq!((&one["vlan"], &one["state"]), (&first["vxlan"], &json!("assigned")));
        let whole = world.prove("get_port", &format!("{eth1}?include=virtual_networks"), None).await;
        assert_eq!(whole["virtual_networks"][0]["vxlan"], first["vxlan"]);
        let seen = world.prove("get_virtual_network", first["href"].as_str().unwrap(), None).await;
        assert_eq!(seen["instances"], json!([{"href": made["href"]}]));
        let answer = world.prove("remove_native_vlan", &format!("{eth1}/native-vlan"), None).await;
        assert_eq!(answer["native_virtual_network"], Value::Null);
        world.prove("unassign_port", &format!("{eth1}/unassign"), vnid(&first)).await;
        let wrong = world.post(&format!("{eth1}/unassign"), json!({"vnid": first["id"]})).await.is(422);
        // One client takes this for done by these words.
        let text = wrong.body["errors"][0].as_str().unwrap();
        assert!(text.starts_with("Virtual network") && text.ends_with("not assigned"), "{text}");

        let changes = json!({"vlan_assignments": [
            {"vlan": second["id"], "state": "unassigned"}, {"vlan": first["vxlan"].to_string(), "state": "assigned"},
        ]});
        let batches = format!("{eth1}/vlan-assignments/batches");
        let batch = world.prove("create_port_vlan_batch", &batches, Some(changes)).await;
        assert_eq!((&batch["quantity"], &batch["state"]), (&json!(2), &json!("in_progress")));
        world.landings(Phase::Up).await;
        let path = format!("{batches}/{}", batch["id"].as_str().unwrap());
        let batch = world.prove("get_port_vlan_batch", &path, None).await;
        assert_eq!(batch["state"], "completed");
        let all = world.prove("list_port_vlan_batches", &batches, None).await;
        assert_eq!(all["batches"][0]["id"], batch["id"]);
        world.get(&path.replace(eth1, bond)).await.is(404);

        world.post(&format!("{eth1}/unassign"), json!({"vnid": first["id"]})).await.is(200);
        let answer = world.prove("bond_port", &format!("{eth1}/bond"), Some(json!({"bulk_enable": false}))).await;
        assert_eq!((&answer["data"]["bonded"], &answer["network_type"]), (&json!(true), &json!("layer3")));
        let answer = world.prove("convert_port_layer2", &format!("{bond}/convert/layer-2"), None).await;
        assert_eq!(answer["network_type"], "layer2-bonded");
        let ips = json!([
            {"address_family": 4, "public": true}, {"address_family": 4, "public": false},
            {"address_family": 6, "public": true},
        ]);
        let ask = Some(json!({"request_ips": ips}));
        let answer = world.prove("convert_port_layer3", &format!("{bond}/convert/layer-3"), ask).await;
        assert_eq!(answer["network_type"], "layer3");
        let again = world.get(made["href"].as_str().unwrap()).await.is(200).body;
        assert_eq!(again["ip_addresses"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn virtual_networks_keep_their_contract() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/virtual-networks", world.project);
        let new =
            json!({"project_id": world.project, "description": "One", "metro": "sv", "vxlan": null, "tags": ["a"]});
        let made = world.prove("create_virtual_network", &path, Some(new)).await;
        assert_eq!((&made["vxlan"], &made["metro_code"], &made["tags"]), (&json!(1000), &json!("sv"), &json!(["a"])));
        assert_eq!(made["assigned_to"]["href"], format!("/projects/{}", world.project));
        let site = vlan(&world, json!({"metro": null, "facility": "sjc1"})).await;
        assert_eq!((&site["vxlan"], &site["facility_code"]), (&json!(1001), &json!("sjc1")));
        assert!(site["facility"]["href"].is_string());
        let own = made["href"].as_str().unwrap();
        let changed =
            world.prove("update_virtual_network", own, Some(json!({"description": "Two", "tags": ["b"]}))).await;
        assert_eq!((&changed["description"], &changed["tags"]), (&json!("Two"), &json!(["b"])));
        let list = world.prove("list_virtual_networks", &path, None).await;
        assert_eq!(list["virtual_networks"].as_array().unwrap().len(), 2);
        let count = async |query: &str| {
            let list = world.get(&format!("{path}?{query}")).await.is(200).body;
            list["virtual_networks"].as_array().unwrap().len()
        };
        assert_eq!((count("metro=sv").await, count("facility=sjc1").await, count("metro=ny").await), (2, 1, 0));
        assert_eq!(count("page=2&per_page=1").await, 1);
        world.prove("delete_virtual_network", own, None).await;
        world.get(own).await.is(404);
        world.delete(own).await.is(404);
        assert_eq!(count("").await, 1);
        for bad in [
            json!({"vxlan": 1}),
            json!({"vxlan": 4000}),
            json!({"vxlan": -1}),
            json!({"metro": "sv", "vxlan": "many"}),
            json!({"metro": "nowhere"}),
            json!({}),
            json!({"metro": "sv", "vxlan": 1001}),
        ] {
            world.post(&path, bad).await.is(422);
        }
        assert_eq!(vlan(&world, json!({"vxlan": 3999})).await["vxlan"], 3999);
        assert_eq!(vlan(&world, json!({"metro": "ny"})).await["vxlan"], 1000);
    })
    .await;
}

#[tokio::test]
async fn many_at_once_never_get_one_vlan_twice() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/virtual-networks", world.project);
        let orders = (0..64).map(|_| world.post(&path, json!({"metro": "sv"})));
        let made = futures_util::future::join_all(orders).await;
        let mut numbers: Vec<u64> = made.into_iter().map(|a| a.is(201).body["vxlan"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1000..1064).collect::<Vec<_>>());
        let same = (0..64).map(|_| world.post(&path, json!({"metro": "sv", "vxlan": 77})));
        let answers = futures_util::future::join_all(same).await;
        assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
        assert!(answers.iter().all(|a| a.status == 201 || a.status == 422));
    })
    .await;
}

#[tokio::test]
async fn the_modes_are_reached_as_clients_reach_them() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let (bond, eth0, eth1) = (port(&made, "bond0"), port(&made, "eth0"), port(&made, "eth1"));
        let at = async |path: String, body: Value| world.post(&path, body).await.is(200).body;
        let is = async |word: &str| {
            let (derived, told) = modes(&world, &made).await;
            assert_eq!(
                (told.as_str(), derived.as_str()),
                (word, if word == "hybrid-bonded" { "layer3" } else { word })
            );
        };
        let lan = vlan(&world, json!({})).await;
        let vnid = || json!({"vnid": lan["id"]});
        is("layer3").await;
        // Bonding what is bonded is no change.
        at(format!("{bond}/bond"), json!({"bulk_enable": false})).await;
        at(format!("{bond}/assign"), vnid()).await;
        is("hybrid-bonded").await;
        world.post(&format!("{eth1}/disbond"), json!({})).await.is(422).says("still assigned");
        world.post(&format!("{bond}/convert/layer-3"), json!({})).await.is(422).says("still assigned");
        at(format!("{bond}/convert/layer-2"), json!({})).await;
        is("layer2-bonded").await;
        world.post(&format!("{bond}/disbond"), json!({"bulk_disable": true})).await.is(422).says("still assigned");
        world.post(&format!("{eth1}/disbond"), json!({})).await.is(422);
        at(format!("{bond}/unassign"), vnid()).await;
        world.post(&format!("{eth1}/assign"), vnid()).await.is(422).says("in a bond");
        at(format!("{bond}/disbond"), json!({"bulk_disable": true})).await;
        is("layer2-individual").await;
        world.post(&format!("{bond}/assign"), vnid()).await.is(422).says("not in force");
        at(format!("{eth0}/assign"), vnid()).await;
        at(format!("{eth1}/assign"), vnid()).await;
        world.post(&format!("{bond}/bond"), json!({"bulk_enable": true})).await.is(422).says("still assigned");
        at(format!("{eth0}/unassign"), vnid()).await;
        at(format!("{eth1}/unassign"), vnid()).await;
        at(format!("{bond}/bond"), json!({"bulk_enable": true})).await;
        is("layer2-bonded").await;
        let wishes = json!({"request_ips": [{"address_family": 4, "public": true}]});
        let done = world.post(&format!("{bond}/convert/layer-3"), wishes).await.is(200).body;
        assert_eq!(done["network_type"], "layer3");
        is("layer3").await;
        at(format!("{eth1}/disbond"), json!({})).await;
        is("hybrid").await;
        world.post(&format!("{eth0}/disbond"), json!({})).await.is(422).says("last");
        world.post(&format!("{bond}/assign"), vnid()).await.is(422).says("out of it");
        // Straight to layer 2 with a segment on it, from where an interface is out.
        at(format!("{bond}/convert/layer-2"), vnid()).await;
        is("layer2-bonded").await;
        at(format!("{bond}/unassign"), vnid()).await;
        // And from layer 3 straight to individual, as one client does it.
        at(format!("{bond}/convert/layer-3"), json!({})).await;
        at(format!("{bond}/disbond"), json!({"bulk_disable": false})).await;
        is("layer2-individual").await;
        at(format!("{bond}/convert/layer-2"), json!({})).await;
        is("layer2-individual").await;
        world.post(&format!("{eth0}/convert/layer-2"), json!({})).await.is(422).says("no bond");
        world.post(&format!("{eth0}/convert/layer-3"), json!({})).await.is(422).says("no bond");
        let six = json!({"request_ips": [{"address_family": 6, "public": false}]});
        world.post(&format!("{bond}/convert/layer-3"), six).await.is(422).says("request_ips");
        is("layer2-individual").await;
    })
    .await;
}

#[tokio::test]
async fn what_needs_layer_3_keeps_it() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let bond = port(&made, "bond0");
        let block = json!({"type": "public_ipv4", "quantity": 1, "facility": "sjc1"});
        let block = world.post(&format!("/projects/{}/ips", world.project), block).await.is(201).body;
        let ips = format!("{}/ips", made["href"].as_str().unwrap());
        let held = world.post(&ips, json!({"address": block["network"]})).await.is(201).body;
        world.post(&format!("{bond}/convert/layer-2"), json!({})).await.is(422).says("reservations");
        world.post(&format!("{bond}/disbond"), json!({})).await.is(422).says("reservations");
        assert_eq!(modes(&world, &made).await.1, "layer3");
        world.delete(held["href"].as_str().unwrap()).await.is(204);
        let config = json!({"deployment_type": "local", "asn": 65000});
        world.post(&format!("/projects/{}/bgp-configs", world.project), config).await.is(204);
        let sessions = format!("{}/bgp/sessions", made["href"].as_str().unwrap());
        let session = world.post(&sessions, json!({"address_family": "ipv4"})).await.is(201).body;
        world.post(&format!("{bond}/convert/layer-2"), json!({})).await.is(422).says("BGP");
        world.delete(session["href"].as_str().unwrap()).await.is(204);
        world.post(&format!("{bond}/convert/layer-2"), json!({})).await.is(200);
        world.post(&ips, json!({"address": block["network"]})).await.is(422).says("layer 3");
    })
    .await;
}

#[tokio::test]
async fn plans_say_what_their_networks_can_do() {
    everywhere(async |world: World| {
        let lan = vlan(&world, json!({})).await;
        let vnid = || json!({"vnid": lan["id"]});
        let old = device(&world, "layer3_plan", "old").await;
        for (path, body) in [
            (format!("{}/assign", port(&old, "bond0")), vnid()),
            (format!("{}/disbond", port(&old, "eth1")), json!({})),
            (format!("{}/convert/layer-2", port(&old, "bond0")), json!({})),
        ] {
            world.post(&path, body).await.is(422).says("layer 3 networks only");
        }
        let edge = device(&world, "hybrid_plan", "edge").await;
        assert_eq!(modes(&world, &edge).await, ("hybrid".to_owned(), "hybrid".to_owned()));
        world.post(&format!("{}/assign", port(&edge, "eth1")), vnid()).await.is(200);
        for (path, body) in [
            (format!("{}/bond", port(&edge, "eth1")), json!({})),
            (format!("{}/convert/layer-2", port(&edge, "bond0")), json!({})),
            (format!("{}/disbond", port(&edge, "eth0")), json!({})),
        ] {
            world.post(&path, body).await.is(422).says("stays hybrid");
        }
    })
    .await;
}

#[tokio::test]
async fn a_device_with_four_interfaces_has_two_bonds() {
    everywhere(async |world: World| {
        let made = device(&world, "four_plan", "big").await;
        let lan = vlan(&world, json!({})).await;
        // As a client makes it hybrid: everything odd is taken out.
        for name in ["eth1", "eth3"] {
            world.post(&format!("{}/disbond", port(&made, name)), json!({})).await.is(200);
        }
        assert_eq!(modes(&world, &made).await, ("hybrid".to_owned(), "hybrid".to_owned()));
        world.post(&format!("{}/assign", port(&made, "eth3")), json!({"vnid": lan["id"]})).await.is(200);
        world.post(&format!("{}/convert/layer-3", port(&made, "bond1")), json!({})).await.is(422).says("first bond");
        world.post(&format!("{}/unassign", port(&made, "eth3")), json!({"vnid": lan["id"]})).await.is(200);
        for name in ["bond0", "bond1"] {
            world.post(&format!("{}/convert/layer-2", port(&made, name)), json!({})).await.is(200);
            world.post(&format!("{}/disbond", port(&made, name)), json!({"bulk_disable": true})).await.is(200);
        }
        let word = "layer2-individual".to_owned();
        assert_eq!(modes(&world, &made).await, (word.clone(), word));
    })
    .await;
}

/// Everything the store holds of a device's network.
async fn picture(world: &World, device: &Value) -> String {
    let uid = device["id"].as_str().unwrap().parse().unwrap();
    let seen = world.system(move |tx| {
        let device: Object<Device> = tx.by_uid(uid)?;
        let mut out = Vec::new();
        for port in tx.all::<meetme_model::fabric::Port>(Filter::eq("device", device.id))? {
            out.push(format!("{} {} {:?} {:?}", port.spec.name, port.spec.bonded, port.spec.mode, port.spec.native));
        }
        for address in tx.all::<meetme_model::fabric::Address>(Filter::eq("device", device.id))? {
            out.push(address.spec.ip.to_string());
        }
        for landing in tx.all::<Landing>(Filter::eq("port.device", device.id))? {
            out.push(format!("{:?} {:?}", landing.spec, landing.status));
        }
        Ok(out.join("\n"))
    });
    seen.await
}

/// Numbers that are the same in every run: a linear congruential generator with Knuth's constants.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test]
async fn whatever_is_called_in_whatever_order_clients_see_the_mode_there_is_and_nothing_is_half_done() {
    everywhere(async |world: World| {
        let lans = [vlan(&world, json!({})).await, vlan(&world, json!({})).await, vlan(&world, json!({})).await];
        let (mut reached, mut refused) = (std::collections::BTreeSet::new(), 0);
        for (seed, plan) in [(1, "baremetal_2"), (2, "baremetal_2"), (3, "four_plan")] {
            let made = device(&world, plan, &format!("d{seed}")).await;
            let ports: Vec<&str> =
                made["network_ports"].as_array().unwrap().iter().map(|p| p["href"].as_str().unwrap()).collect();
            let mut dice = Dice(seed);
            for _ in 0..100 {
                let mut port = ports[dice.roll(ports.len())].to_owned();
                let mut lan = json!({"vnid": lans[dice.roll(3)]["id"]});
                let bulk = dice.roll(2) == 0;
                let (method, call, body) = match dice.roll(13) {
                    0 => (Method::POST, "disbond", json!({"bulk_disable": bulk})),
                    1 => (Method::POST, "bond", json!({"bulk_enable": bulk})),
                    2 => (Method::POST, "convert/layer-2", if bulk { lan } else { json!({}) }),
                    3..=5 => {
                        // Only the first bond can be.
                        port = if bulk { ports[0].to_owned() } else { port };
                        (Method::POST, "convert/layer-3", json!({}))
                    }
                    6 | 7 => (Method::POST, "assign", lan),
                    8..=10 => {
                        // Mostly one that is there.
                        let now = world.get(made["href"].as_str().unwrap()).await.is(200).body;
                        let now = now["network_ports"].as_array().unwrap();
                        if let Some(used) = now.iter().find(|p| p["virtual_networks"] != json!([])) {
                            port = used["href"].as_str().unwrap().to_owned();
                            let own = used["virtual_networks"][0]["href"].as_str().unwrap();
                            lan = json!({"vnid": own.rsplit('/').next().unwrap()});
                        }
                        (Method::POST, "unassign", lan)
                    }
                    11 => (Method::POST, "native-vlan", lan),
                    _ => (Method::DELETE, "native-vlan", json!({})),
                };
                let before = picture(&world, &made).await;
                let answer = world.send(&world.token, method, &format!("{port}/{call}"), Some(&body)).await;
                assert!(matches!(answer.status, 200 | 422), "{call}: {} {}", answer.status, answer.body);
                if answer.status == 422 {
                    refused += 1;
                    assert_eq!(picture(&world, &made).await, before, "{call} {}", answer.body);
                }
                let (derived, told) = modes(&world, &made).await;
                let told_as = if told == "hybrid-bonded" { "layer3" } else { told.as_str() };
                assert_eq!(derived, told_as, "after {call}");
                assert!(PortMode::parse(&told).is_some());
                reached.insert(told);
            }
        }
        assert!(reached.len() == PortMode::WORDS.len() && refused > 30, "{reached:?} {refused}");
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_cannot_be_done_whole_is_not_done() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let eth1 = port(&made, "eth1");
        world.post(&format!("{eth1}/disbond"), json!({})).await.is(200);
        let (first, second) = (vlan(&world, json!({})).await, vlan(&world, json!({})).await);
        let batches = format!("{eth1}/vlan-assignments/batches");
        let ask = async |list: Value| world.post(&batches, json!({"vlan_assignments": list})).await;
        ask(json!([{"vlan": first["id"]}, {"vlan": second["id"], "state": "unassigned"}]))
            .await
            .is(422)
            .says("not assigned");
        ask(json!([{"vlan": first["id"]}, {"vlan": "4000"}])).await.is(422).says("vlan_assignments.1.vlan");
        ask(json!([{"vlan": first["id"], "state": "perhaps"}])).await.is(422).says("vlan_assignments.0.state");
        ask(json!([])).await.is(422);
        world.post(&batches, json!({})).await.is(422).says("vlan_assignments");
        let list = world.get(&format!("{eth1}/vlan-assignments")).await.is(200).body;
        assert_eq!(
            (&list["meta"]["total"], world.get(&batches).await.is(200).body["meta"]["total"].clone()),
            (&json!(0), json!(0))
        );
        ask(json!([{"vlan": first["id"]}, {"vlan": second["id"], "native": true}])).await.is(201);
        let seen = world.get(eth1).await.is(200).body;
        assert_eq!(seen["native_virtual_network"]["href"], second["href"]);
        // Naming one again changes nothing but whether it is native.
        ask(json!([{"vlan": second["id"], "native": false}])).await.is(201);
        assert_eq!(world.get(eth1).await.is(200).body["native_virtual_network"], Value::Null);
        ask(json!([{"vlan": first["id"], "native": true}])).await.is(201);
        // The native one goes, and with it its being native.
        ask(json!([{"vlan": first["id"], "state": "unassigned"}])).await.is(201);
        let seen = world.get(eth1).await.is(200).body;
        assert_eq!(
            (&seen["native_virtual_network"], seen["virtual_networks"].as_array().unwrap().len()),
            (&Value::Null, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn a_network_in_use_stays_and_goes_with_its_last_device() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let lan = vlan(&world, json!({})).await;
        let (bond, own) = (port(&made, "bond0"), lan["href"].as_str().unwrap());
        world.post(&format!("{bond}/assign"), json!({"vnid": lan["id"]})).await.is(200);
        world.post(&format!("{bond}/assign"), json!({"vnid": lan["id"]})).await.is(422).says("already");
        world.delete(own).await.is(422).says("still attached");
        // Off and on again while the equipment is still taking it off.
        world.post(&format!("{bond}/unassign"), json!({"vnid": lan["id"]})).await.is(200);
        let list = world.get(&format!("{bond}/vlan-assignments")).await.is(200).body;
        assert_eq!(list["vlan_assignments"][0]["state"], "unassigning");
        world.post(&format!("{bond}/assign"), json!({"vnid": lan["id"]})).await.is(200);
        let list = world.get(&format!("{bond}/vlan-assignments")).await.is(200).body;
        assert_eq!((&list["meta"]["total"], &list["vlan_assignments"][0]["state"]), (&json!(1), &json!("assigned")));
        world.delete(made["href"].as_str().unwrap()).await.is(204);
        assert_eq!(world.get(own).await.is(200).body["instances"], json!([]));
        world.post(&format!("{bond}/assign"), json!({"vnid": lan["id"]})).await.is(422).says("removed");
        world.delete(own).await.is(204);
        world.get(own).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn networks_of_others_and_of_other_places_go_on_no_port() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let assign = format!("{}/assign", port(&made, "bond0"));
        let far = vlan(&world, json!({"metro": "ny"})).await;
        world.post(&assign, json!({"vnid": far["id"]})).await.is(422).says("another place");
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let path = format!("/projects/{}/virtual-networks", other["id"].as_str().unwrap());
        let foreign = world.post(&path, json!({"metro": "sv"})).await.is(201).body;
        world.post(&assign, json!({"vnid": foreign["id"]})).await.is(422).says("vnid");
        world.post(&assign, json!({"vnid": "not a network"})).await.is(422).says("vnid");
        world.post(&assign, json!({"vnid": "1999"})).await.is(422).says("vnid");
        world.post(&assign, json!({})).await.is(422).says("vnid");
        let lan = vlan(&world, json!({})).await;
        world.put(made["href"].as_str().unwrap(), json!({"network_frozen": true})).await.is(200);
        world.post(&assign, json!({"vnid": lan["id"]})).await.is(422).says("frozen");
        world.put(made["href"].as_str().unwrap(), json!({"network_frozen": false})).await.is(200);
        let reader = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let reader = reader["token"].as_str().unwrap();
        let bond = port(&made, "bond0");
        let own = lan["href"].as_str().unwrap();
        let ask = json!({"vnid": lan["id"]});
        for (method, path, body) in [
            (Method::POST, assign, Some(ask.clone())),
            (Method::POST, format!("{bond}/unassign"), Some(ask.clone())),
            (Method::POST, format!("{bond}/disbond"), None),
            (Method::POST, format!("{bond}/bond"), None),
            (Method::POST, format!("{bond}/convert/layer-2"), None),
            (Method::POST, format!("{bond}/convert/layer-3"), None),
            (Method::DELETE, format!("{bond}/native-vlan"), None),
            (Method::DELETE, own.to_owned(), None),
            (Method::PUT, own.to_owned(), Some(json!({"description": "x"}))),
            (Method::POST, format!("/projects/{}/virtual-networks", world.project), Some(json!({"metro": "sv"}))),
        ] {
            world.send(&world.stranger, method.clone(), &path, body.as_ref()).await.is(404);
            world.send(reader, method, &path, body.as_ref()).await.is(403);
        }
        for path in [format!("{bond}/vlan-assignments"), format!("{bond}/vlan-assignments/batches"), own.to_owned()] {
            world.send(&world.stranger, Method::GET, &path, None).await.is(404);
        }
    })
    .await;
}

#[tokio::test]
async fn two_who_change_one_network_at_once_are_told_one_after_the_other() {
    everywhere(async |world: World| {
        let made = device(&world, "baremetal_2", "web1").await;
        let (bond, eth1) = (port(&made, "bond0"), port(&made, "eth1"));
        let lan = vlan(&world, json!({})).await;
        for _ in 0..4 {
            let out = format!("{eth1}/disbond");
            let (a, b) = (format!("{bond}/assign"), json!({"vnid": lan["id"]}));
            let (left, right) = futures_util::future::join(world.post(&out, json!({})), world.post(&a, b)).await;
            // Only one of the two can be: a bond with an interface out of it takes no network.
            assert_eq!(
                [left.status, right.status].iter().filter(|s| **s == 200).count(),
                1,
                "{} {}",
                left.body,
                right.body
            );
            let (derived, told) = modes(&world, &made).await;
            assert_eq!(derived, if told == "hybrid-bonded" { "layer3".to_owned() } else { told });
            if right.status == 200 {
                world.post(&format!("{bond}/unassign"), json!({"vnid": lan["id"]})).await.is(200);
            } else {
                world.post(&format!("{eth1}/bond"), json!({})).await.is(200);
            }
        }
    })
    .await;
}
