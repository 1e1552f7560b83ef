//! Reserving blocks, assigning parts of them to devices, and giving both back.

use std::collections::BTreeSet;

use http::Method;
use ipnet::IpNet;
use meetme_app::resources::{self, By};
use meetme_base::Uid;
use meetme_model::fabric::Block;
use meetme_store::Resource as _;
use serde_json::{Value, json};

use crate::world::{World, everywhere};

async fn reserve(world: &World, wish: Value) -> Value {
    let mut order = json!({"type": "public_ipv4", "quantity": 4, "facility": "sjc1"});
    order.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
    world.post(&format!("/projects/{}/ips", world.project), order).await.is(201).body
}

fn path(of: &str, what: &Value) -> String {
    format!("/{of}/{}", what["id"].as_str().unwrap())
}

fn network(block: &Value) -> IpNet {
    format!("{}/{}", block["network"].as_str().unwrap(), block["cidr"]).parse().unwrap()
}

#[tokio::test]
async fn addresses_keep_their_contract() {
    everywhere(async |world: World| {
        let project = format!("/projects/{}", world.project);
        let order = json!({
            "type": "public_ipv4", "quantity": 4, "facility": "sjc1", "comments": null, "details": "For the web",
            "customdata": "{\"a\": 1}", "tags": ["web"],
        });
        let block = world.prove("request_project_ips", &format!("{project}/ips"), Some(order)).await;
        assert_eq!(
            (&block["cidr"], &block["state"], &block["type"]),
            (&json!(30), &json!("created"), &json!("public_ipv4"))
        );
        assert_eq!((&block["details"], &block["tags"]), (&json!("For the web"), &json!(["web"])));
        let own = format!("/ips/{}", block["id"].as_str().unwrap());
        assert_eq!(world.prove("get_ip_customdata", &format!("{own}/customdata"), None).await, json!({"a": 1}));
        let data = format!("{project}{own}/customdata");
        assert_eq!(world.prove("get_ip_reservation_customdata", &data, None).await, json!({"a": 1}));
        let patch = json!({"tags": ["x"], "details": "Moved", "customdata": {"b": 2}});
        let patched = world.prove("patch_ip", &own, Some(patch)).await;
        assert_eq!((&patched["tags"], &patched["details"]), (&json!(["x"]), &json!("Moved")));
        assert_eq!(patched["customdata"], json!({"b": 2}));
        let free = world.prove("list_ip_available", &format!("{own}/available?cidr=31"), None).await;
        assert_eq!(free["available"].as_array().unwrap().len(), 2);

        let device = world.device("web1").await;
        let ips = format!("{}/ips", path("devices", &device));
        let wish = json!({"address": free["available"][1], "manageable": true, "customdata": {"c": 3}});
        let made = world.prove("create_device_ip", &ips, Some(wish)).await;
        assert_eq!(format!("{}/{}", made["address"].as_str().unwrap(), made["cidr"]), free["available"][1]);
        assert_eq!(
            (&made["management"], &made["manageable"], &made["state"]),
            (&json!(false), &json!(true), &json!("active"))
        );
        assert_eq!(made["assigned_to"]["href"], path("devices", &device));
        assert_eq!(made["parent_block"]["href"], own);
        let data = format!("{ips}/{}/customdata", made["id"].as_str().unwrap());
        assert_eq!(world.prove("get_ip_assignment_customdata", &data, None).await, json!({"c": 3}));
        let other = world.device("web2").await;
        world.get(&data.replace(device["id"].as_str().unwrap(), other["id"].as_str().unwrap())).await.is(404);
        world.prove("get_ip", made["href"].as_str().unwrap(), None).await;
        world.prove("delete_ip", made["href"].as_str().unwrap(), None).await;
        world.get(made["href"].as_str().unwrap()).await.is(404);
        world.delete(made["href"].as_str().unwrap()).await.is(404);
        world.prove("list_global_bgp_ranges", &format!("{project}/global-bgp-ranges"), None).await;
        world.prove("discover_bgp", &format!("/bgp/discover/{}", world.project), None).await;
    })
    .await;
}

#[tokio::test]
async fn a_part_is_held_by_one_device_and_a_block_in_use_is_not_given_back() {
    everywhere(async |world: World| {
        let (first, second) = (world.device("web1").await, world.device("web2").await);
        let block = reserve(&world, json!({})).await;
        let own = path("ips", &block);
        let address = network(&block).hosts().last().unwrap().to_string();
        let assign = async |device: &Value, address: &str| {
            world.post(&format!("{}/ips", path("devices", device)), json!({"address": address})).await
        };
        let held = assign(&first, &address).await.is(201).body;
        assert_eq!((&held["address"], &held["cidr"]), (&json!(address), &json!(32)));
        assign(&second, &address).await.is(422).says("assigned already");
        // A part that lies around it is taken as well.
        assign(&second, &network(&block).to_string()).await.is(422).says("assigned already");
        assign(&second, "203.0.113.1").await.is(422).says("no reservation");
        assign(&second, "not an address").await.is(422).says("address");
        assign(&second, &format!("{address}/30")).await.is(422).says("address");
        let free = world.get(&format!("{own}/available?cidr=32")).await.is(200).body;
        assert_eq!(free["available"].as_array().unwrap().len(), 3);
        assert!(!free["available"].as_array().unwrap().contains(&json!(format!("{address}/32"))));
        world.delete(&own).await.is(422).says("still assigned");
        let shown = world.get(&format!("{own}?include=assignments")).await.is(200).body;
        assert_eq!(shown["assignments"][0]["id"], held["id"]);
        let seen = world.get(&path("devices", &first)).await.is(200).body;
        assert!(seen["ip_addresses"].as_array().unwrap().iter().any(|a| a["id"] == held["id"]));
        world.delete(&path("ips", &held)).await.is(204);
        assign(&second, &address).await.is(201);
        world.moved(&second, meetme_model::Phase::Gone).await;
        world.delete(&own).await.is(204);
        world.get(&own).await.is(404);
        world.delete(&own).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn what_came_with_a_device_stays_with_it() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let address = &device["ip_addresses"][0];
        world.delete(&path("ips", address)).await.is(422).says("management");
        world.delete(address["parent_block"]["href"].as_str().unwrap()).await.is(422).says("goes with them");
        let private = world.get(&format!("/projects/{}/ips?types=private_ipv4", world.project)).await.is(200).body;
        let inside = network(&private["ip_addresses"][0]).hosts().nth(40).unwrap().to_string();
        let ips = format!("{}/ips", path("devices", &device));
        world.post(&ips, json!({"address": inside})).await.is(422).says("no reservation");
    })
    .await;
}

#[tokio::test]
async fn a_device_made_with_a_reservation_is_routed_and_gives_it_back_when_it_goes() {
    everywhere(async |world: World| {
        let block = reserve(&world, json!({})).await;
        let far = reserve(&world, json!({"facility": "ewr1"})).await;
        let order = |block: &Value| {
            let wish = json!({"address_family": 4, "public": true, "cidr": 32, "ip_reservations": [block["id"]]});
            json!({
                "facility": "sjc1", "plan": "baremetal_0", "operating_system": "ubuntu_16_04", "ip_addresses": [wish],
            })
        };
        let devices = format!("/projects/{}/devices", world.project);
        world.post(&devices, order(&far)).await.is(422).says("another place");
        let made = world.post(&devices, order(&block)).await.is(201).body;
        let own = &made["ip_addresses"][0];
        assert_eq!((&own["parent_block"]["href"], &own["management"]), (&block["href"], &json!(true)));
        assert_eq!(made["network_ports"][0]["network_type"], "layer3");
        world.delete(&path("ips", &block)).await.is(422).says("still assigned");
        world.moved(&made, meetme_model::Phase::Gone).await;
        world.delete(&path("ips", &block)).await.is(204);
    })
    .await;
}

#[tokio::test]
async fn blocks_are_for_their_place_and_global_ones_for_every_place() {
    everywhere(async |world: World| {
        let order = json!({"facility": "ewr1", "plan": "baremetal_0", "operating_system": "ubuntu_16_04"});
        let far = world.post(&format!("/projects/{}/devices", world.project), order).await.is(201).body;
        let near = world.device("web1").await;
        let assign = async |device: &Value, block: &Value| {
            let wish = json!({"address": block["network"]});
            world.post(&format!("{}/ips", path("devices", device)), wish).await
        };
        let here = reserve(&world, json!({})).await;
        assign(&far, &here).await.is(422).says("another place");
        assign(&near, &here).await.is(201);
        let metro = reserve(&world, json!({"facility": null, "metro": "sv", "type": "private_ipv4"})).await;
        assert_eq!((&metro["facility"], &metro["public"]), (&Value::Null, &json!(false)));
        assert_eq!(metro["metro"]["href"].as_str().map(|h| h.starts_with("/locations/metros/")), Some(true));
        assign(&far, &metro).await.is(422).says("another place");
        assign(&near, &metro).await.is(201);
        let global = reserve(&world, json!({"facility": null, "type": "global_ipv4"})).await;
        assert_eq!((&global["type"], &global["global_ip"]), (&json!("global_ipv4"), &json!(true)));
        let held = assign(&far, &global).await.is(201).body;
        assert_eq!(held["global_ip"], true);
        let six = reserve(&world, json!({"type": "public_ipv6", "quantity": 2})).await;
        assert_eq!((&six["cidr"], &six["address_family"]), (&json!(63), &json!(6)));
        let held = assign(&near, &six).await.is(201).body;
        assert_eq!(held["cidr"], 128);
        let path = format!("/projects/{}/ips", world.project);
        let wish = |wish: Value| (path.clone(), wish);
        for (path, order) in [
            wish(json!({"type": "public_ipv4", "quantity": 4})),
            wish(json!({"type": "public_ipv4", "quantity": 3, "facility": "sjc1"})),
            wish(json!({"type": "public_ipv4", "quantity": 0, "facility": "sjc1"})),
            wish(json!({"type": "public_ipv4", "quantity": -4, "facility": "sjc1"})),
            wish(json!({"type": "public_ipv4", "quantity": 512, "facility": "sjc1"})),
            wish(json!({"type": "public_ipv4", "facility": "sjc1"})),
            wish(json!({"type": "public_ipv4", "quantity": 4, "facility": "nowhere"})),
            wish(json!({"type": "public_ipv5", "quantity": 4, "facility": "sjc1"})),
            wish(json!({"quantity": 4, "facility": "sjc1"})),
        ] {
            world.post(&path, order).await.is(422);
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_says_everything_in_the_query_is_understood() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let ask = format!("/projects/{}/ips?type=public_ipv4&quantity=4&metro=sv", world.project);
        let block = world.send(&world.token, Method::POST, &ask, None).await.is(201).body;
        let address = network(&block).network();
        let ips = path("devices", &device) + &format!("/ips?address={address}%2F32&manageable=False&customdata=");
        let made = world.send(&world.token, Method::POST, &ips, None).await.is(201).body;
        assert_eq!((&made["address"], &made["manageable"]), (&json!(address.to_string()), &json!(false)));
        // And the one that sends a body with a GET.
        let own = format!("{}/available", path("ips", &block));
        let free = world.send(&world.token, Method::GET, &own, Some(&json!({"cidr": 31}))).await.is(200).body;
        assert_eq!(free["available"].as_array().unwrap().len(), 1);
        world.get(&own).await.is(422).says("cidr");
        world.get(&format!("{own}?cidr=24")).await.is(422).says("cidr");
        world.get(&format!("{own}?cidr=33")).await.is(422).says("cidr");
    })
    .await;
}

/// The operator's answer, through the door of kinds and fields.
async fn answer(world: &World, token: &str, block: &Value, answer: &str) -> Result<(), meetme_app::Error> {
    let (caller, app) = (world.caller(token).await, world.app.clone());
    let (uid, patch): (Uid, _) = (block["id"].as_str().unwrap().parse().unwrap(), json!({"answer": answer}));
    let as_caller = caller.clone();
    let done = world.app.write(&caller, move |tx| {
        let kind = tx.registry().kind(Block::KIND.name()).unwrap();
        let id = tx.by_uid::<Block>(uid)?.id.any();
        resources::patch(By { app: &app, caller: &as_caller }, tx, kind, id, None, &patch).map(drop)
    });
    done.await
}

#[tokio::test]
async fn more_than_the_quota_waits_for_the_operator() {
    everywhere(async |world: World| {
        let large = reserve(&world, json!({"quantity": 32})).await;
        assert_eq!((&large["state"], &large["cidr"], &large["network"]), (&json!("pending"), &json!(0), &json!("")));
        let project = format!("/projects/{}/ips", world.project);
        let mut wish = json!({"type": "public_ipv4", "quantity": 32, "facility": "sjc1"});
        wish["fail_on_approval_required"] = true.into();
        world.post(&project, wish).await.is(422).says("approval");
        let before = world.get(&project).await.is(200).body["ip_addresses"].as_array().unwrap().len();
        assert_eq!(before, 1);
        // Nobody answers themselves.
        assert!(matches!(answer(&world, &world.token, &large, "yes").await, Err(meetme_app::Error::Denied(_))));
        answer(&world, &world.operator, &large, "no").await.unwrap();
        assert_eq!(world.get(&path("ips", &large)).await.is(200).body["state"], "denied");
        answer(&world, &world.operator, &large, "yes").await.unwrap();
        let given = world.get(&path("ips", &large)).await.is(200).body;
        assert_eq!((&given["state"], &given["cidr"]), (&json!("created"), &json!(27)));
        assert!(answer(&world, &world.operator, &large, "no").await.is_err());
        // 32 of 64 are used; two more of 16 each, and it is full.
        for state in ["created", "created", "pending"] {
            assert_eq!(reserve(&world, json!({"quantity": 16})).await["state"], state);
        }
        let last = reserve(&world, json!({"quantity": 1})).await;
        assert_eq!(last["state"], "pending");
        world.delete(&path("ips", &last)).await.is(204);
        // Another kind of address has a quota of its own.
        assert_eq!(reserve(&world, json!({"type": "private_ipv4", "quantity": 16})).await["state"], "created");
    })
    .await;
}

#[tokio::test]
async fn a_quota_of_the_operators_is_the_limit() {
    everywhere(async |world: World| {
        let (operator, customer) = (world.caller(&world.operator).await, world.caller(&world.token).await);
        let project: Uid = world.project.parse().unwrap();
        for (caller, may) in [(customer, false), (operator, true)] {
            let (app, as_caller) = (world.app.clone(), caller.clone());
            let made = world.app.write(&caller, move |tx| {
                let scope = tx.by_uid::<meetme_model::access::Project>(project)?.id;
                let kind = tx.registry().kind("quota").unwrap();
                let spec = json!({"what": "reserved_public4", "limit": 8, "scope": scope});
                resources::create(By { app: &app, caller: &as_caller }, tx, kind, None, spec).map(drop)
            });
            assert_eq!(made.await.is_ok(), may);
        }
        assert_eq!(reserve(&world, json!({"quantity": 8})).await["state"], "created");
        assert_eq!(reserve(&world, json!({"quantity": 1})).await["state"], "pending");
    })
    .await;
}

#[tokio::test]
async fn many_at_once_never_share_an_address_and_never_pass_the_quota() {
    everywhere(async |world: World| {
        let ask = format!("/projects/{}/ips", world.project);
        let orders = (0..64).map(|_| {
            let order = json!({"type": "public_ipv4", "quantity": 2, "facility": "sjc1"});
            world.post(&ask, order)
        });
        let made = futures_util::future::join_all(orders).await;
        let nets: Vec<IpNet> = made.iter().filter(|a| a.body["state"] == "created").map(|a| network(&a.body)).collect();
        assert!(made.iter().all(|a| a.status == 201));
        assert_eq!(nets.len(), 32);
        assert_eq!(nets.iter().collect::<BTreeSet<_>>().len(), 32);

        let device = world.device("web1").await;
        let ips = format!("{}/ips", path("devices", &device));
        let same = (0..64).map(|_| world.post(&ips, json!({"address": nets[0].network()})));
        let answers = futures_util::future::join_all(same).await;
        assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
        assert!(answers.iter().all(|a| a.status == 201 || a.status == 422));
    })
    .await;
}

#[tokio::test]
async fn a_frozen_network_and_a_device_that_goes_take_no_addresses() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let ips = format!("{}/ips", path("devices", &device));
        let block = reserve(&world, json!({})).await;
        world.put(&path("devices", &device), json!({"network_frozen": true})).await.is(200);
        world.post(&ips, json!({"address": block["network"]})).await.is(422).says("frozen");
        world.put(&path("devices", &device), json!({"network_frozen": false})).await.is(200);
        let held = world.post(&ips, json!({"address": block["network"]})).await.is(201).body;
        world.put(&path("devices", &device), json!({"network_frozen": true})).await.is(200);
        world.delete(&path("ips", &held)).await.is(422).says("frozen");
        world.put(&path("devices", &device), json!({"network_frozen": false})).await.is(200);
        world.delete(&path("devices", &device)).await.is(204);
        world.post(&ips, json!({"address": block["network"]})).await.is(422).says("removed");
    })
    .await;
}

#[tokio::test]
async fn strangers_and_readers_change_no_addresses() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let block = reserve(&world, json!({})).await;
        let ips = format!("{}/ips", path("devices", &device));
        let held = world.post(&ips, json!({"address": block["network"]})).await.is(201).body;
        let reader = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let reader = reader["token"].as_str().unwrap();
        let project = format!("/projects/{}/ips", world.project);
        let order = json!({"type": "public_ipv4", "quantity": 1, "facility": "sjc1"});
        for (method, path, body) in [
            (Method::POST, project, Some(order)),
            (Method::POST, ips, Some(json!({"address": block["network"]}))),
            (Method::PATCH, path("ips", &block), Some(json!({"details": "x"}))),
            (Method::DELETE, path("ips", &held), None),
            (Method::DELETE, path("ips", &block), None),
            (Method::POST, format!("/bgp/discover/{}", world.project), None),
        ] {
            world.send(&world.stranger, method.clone(), &path, body.as_ref()).await.is(404);
            world.send(reader, method, &path, body.as_ref()).await.is(403);
        }
        // Who holds what in a block is for those who see the block.
        let free = format!("{}/available?cidr=32", path("ips", &block));
        world.send(&world.stranger, Method::GET, &free, None).await.is(404);
        world.send(reader, Method::GET, &free, None).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn a_project_that_speaks_globally_announces_what_it_has_reserved() {
    everywhere(async |world: World| {
        let project = format!("/projects/{}", world.project);
        let block = reserve(&world, json!({})).await;
        let ranges = async || {
            let all = world.get(&format!("{project}/global-bgp-ranges")).await.is(200).body;
            all["global_bgp_ranges"].as_array().unwrap().clone()
        };
        let global = json!({"deployment_type": "global", "asn": 64496, "use_case": "Anycast"});
        world.post(&format!("{project}/bgp-configs"), global).await.is(204);
        assert_eq!(ranges().await, Vec::<Value>::new());
        let own: Uid = world.project.parse().unwrap();
        let say = async |token: &str, patch: Value| {
            let (caller, app) = (world.caller(token).await, world.app.clone());
            let as_caller = caller.clone();
            let done = world.app.write(&caller, move |tx| {
                let id = tx.by_uid::<meetme_model::access::Project>(own)?.id;
                let config = meetme_app::bgp::config(tx, id)?.unwrap();
                let kind = tx.registry().kind("bgp_config").unwrap();
                resources::patch(By { app: &app, caller: &as_caller }, tx, kind, config.id.any(), None, &patch)
                    .map(drop)
            });
            done.await
        };
        for patch in [json!({"answer": "yes"}), json!({"max_prefix": 1000})] {
            assert!(matches!(say(&world.token, patch).await, Err(meetme_app::Error::Denied(_))));
        }
        say(&world.operator, json!({"answer": "yes"})).await.unwrap();
        let list = ranges().await;
        assert_eq!((list.len(), &list[0]["range"]), (1, &json!(network(&block).to_string())));
        let config = world.get(&format!("{project}/bgp-config")).await.is(200).body;
        assert_eq!((&config["status"], &config["ranges"][0]["id"]), (&json!("enabled"), &block["id"]));
        // What was agreed for one number is not agreed for another.
        let other = json!({"deployment_type": "global", "asn": 64497, "use_case": "Anycast"});
        world.post(&format!("{project}/bgp-configs"), other).await.is(204);
        assert_eq!(world.get(&format!("{project}/bgp-config")).await.is(200).body["status"], "requested");
    })
    .await;
}
