//! Metal gateways.

use meetme_model::Phase;
use serde_json::{Value, json};

use crate::world::{World, everywhere, order_of};

async fn vlan(world: &World) -> Value {
    let path = format!("/projects/{}/virtual-networks", world.project);
    world.post(&path, json!({"metro": "sv"})).await.is(201).body
}

async fn block(world: &World, quantity: u8) -> Value {
    let wish = json!({"type": "public_ipv4", "quantity": quantity, "metro": "sv"});
    world.post(&format!("/projects/{}/ips", world.project), wish).await.is(201).body
}

#[tokio::test]
async fn gateways_keep_their_contract() {
    everywhere(async |world: World| {
        let (lan, block) = (vlan(&world).await, block(&world, 8).await);
        let path = format!("/projects/{}/metal-gateways", world.project);
        let new = json!({"virtual_network_id": lan["id"], "ip_reservation_id": block["id"]});
        let made = world.prove("create_metal_gateway", &path, Some(new.clone())).await;
        assert_eq!((&made["state"], &made["virtual_network"]["href"]), (&json!("ready"), &lan["href"]));
        assert_eq!(
            (&made["ip_reservation"]["href"], &made["ip_reservation"]["type"]),
            (&block["href"], &json!("public_ipv4"))
        );
        world.post(&path, new).await.is(422).says("already");
        let own = made["href"].as_str().unwrap();
        world.prove("get_metal_gateway", &format!("{own}?include=virtual_network,ip_reservation"), None).await;
        let list = world.prove("list_metal_gateways", &path, None).await;
        assert_eq!(list["meta"]["total"], 1);
        let seen = world.get(lan["href"].as_str().unwrap()).await.is(200).body;
        assert_eq!(seen["metal_gateways"], json!([{"href": own}]));
        // Its addresses are its own, and its network stays.
        world.delete(block["href"].as_str().unwrap()).await.is(422).says("gateway");
        let free = format!("{}/available?cidr=32", block["href"].as_str().unwrap());
        assert_eq!(world.get(&free).await.is(200).body["available"], json!([]));
        world.delete(lan["href"].as_str().unwrap()).await.is(422).says("attached");

        let order = format!("/projects/{}/devices", world.project);
        let device = world.post(&order, order_of("baremetal_2", "web1")).await.is(201).body;
        let bond = device["network_ports"][0]["href"].as_str().unwrap();
        world.landings(Phase::Up).await;
        world.post(&format!("{bond}/assign"), json!({"vnid": lan["id"]})).await.is(200);
        assert_eq!(world.get(own).await.is(200).body["state"], "ready");
        world.landings(Phase::Up).await;
        assert_eq!(world.get(own).await.is(200).body["state"], "active");
        world.post(&format!("{bond}/unassign"), json!({"vnid": lan["id"]})).await.is(200);

        let going = world.prove("delete_metal_gateway", own, None).await;
        assert_eq!(going["state"], "deleting");
        world.delete(own).await.is(202);
        world.buried().await;
        world.get(own).await.is(404);
        assert_eq!(world.get(&path).await.is(200).body["meta"]["total"], 0);
        world.delete(block["href"].as_str().unwrap()).await.is(204);
        world.delete(lan["href"].as_str().unwrap()).await.is(204);
        let lan = vlan(&world).await;
        let path = format!("{}/internet-gateways", lan["href"].as_str().unwrap());
        let made = world.prove("create_internet_gateway", &path, Some(json!({"length": 29}))).await;
        assert!(made["id"].is_string());
        world.post(&path, json!({})).await.is(422).says("already");
        let own = format!("/metal-gateways/{}", made["id"].as_str().unwrap());
        let block = world.get(&format!("{own}?include=ip_reservation")).await.is(200).body["ip_reservation"].clone();
        assert_eq!(block["cidr"], 29);
        world.delete(&own).await.is(202);
        world.buried().await;
        // A block that came with the gateway goes with it.
        world.get(block["href"].as_str().unwrap()).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn a_private_gateway_brings_its_addresses_and_takes_them_along() {
    everywhere(async |world: World| {
        let lan = vlan(&world).await;
        let path = format!("/projects/{}/metal-gateways", world.project);
        let ask = async |size: Value| {
            world.post(&path, json!({"virtual_network_id": lan["id"], "private_ipv4_subnet_size": size})).await
        };
        for bad in [json!(0), json!(7), json!(4), json!(512), json!(-8)] {
            ask(bad).await.is(422).says("private_ipv4_subnet_size");
        }
        let made = ask(json!(8)).await.is(201).body;
        let shown = format!("{}?include=ip_reservation", made["href"].as_str().unwrap());
        let block = world.get(&shown).await.is(200).body["ip_reservation"].clone();
        assert_eq!((&block["type"], &block["cidr"]), (&json!("private_ipv4"), &json!(29)));
        world.delete(made["href"].as_str().unwrap()).await.is(202);
        world.buried().await;
        world.get(block["href"].as_str().unwrap()).await.is(404);
        ask(json!(8)).await.is(201);

        // A project in which all that was ordered is gone can go, with the network its gateways led into.
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let own = other["href"].as_str().unwrap();
        let lan = json!({"metro": "sv"});
        let lan = world.post(&format!("{own}/virtual-networks"), lan).await.is(201).body;
        let wish = json!({"virtual_network_id": lan["id"], "private_ipv4_subnet_size": 8});
        let made = world.post(&format!("{own}/metal-gateways"), wish).await.is(201).body;
        world.delete(own).await.is(422).says("still there");
        world.delete(made["href"].as_str().unwrap()).await.is(202);
        world.buried().await;
        world.delete(own).await.is(422).says("VLAN 1000");
        world.delete(lan["href"].as_str().unwrap()).await.is(204);
        world.buried().await;
        world.delete(own).await.is(204);
    })
    .await;
}

#[tokio::test]
async fn a_gateway_takes_no_addresses_that_are_in_use_elsewhere_or_of_others() {
    everywhere(async |world: World| {
        let lan = vlan(&world).await;
        let path = format!("/projects/{}/metal-gateways", world.project);
        let with = async |block: &Value| {
            world.post(&path, json!({"virtual_network_id": lan["id"], "ip_reservation_id": block["id"]})).await
        };
        let used = block(&world, 4).await;
        let device = world.device("web1").await;
        let ips = format!("{}/ips", device["href"].as_str().unwrap());
        world.post(&ips, json!({"address": used["network"]})).await.is(201);
        with(&used).await.is(422).says("in use");
        with(&block(&world, 1).await).await.is(422).says("no room");
        let far = json!({"type": "public_ipv4", "quantity": 4, "facility": "ewr1"});
        let far = world.post(&format!("/projects/{}/ips", world.project), far).await.is(201).body;
        with(&far).await.is(422).says("another place");
        with(&json!({"id": "none"})).await.is(422).says("ip_reservation_id");
        world.post(&path, json!({"virtual_network_id": lan["id"]})).await.is(422).says("ip_reservation_id");
        world.post(&path, json!({"ip_reservation_id": used["id"]})).await.is(422).says("virtual_network_id");
        let management = device["ip_addresses"][0]["parent_block"]["href"].as_str().unwrap();
        let id = management.rsplit('/').next().unwrap();
        with(&json!({"id": id})).await.is(422).says("reservation");
        // Nothing of all that is left behind.
        assert_eq!(world.get(&path).await.is(200).body["meta"]["total"], 0);
        let free = block(&world, 4).await;
        let new = json!({"virtual_network_id": lan["id"], "ip_reservation_id": free["id"]});
        let reader = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let reader = reader["token"].as_str().unwrap();
        let internet = format!("{}/internet-gateways", lan["href"].as_str().unwrap());
        for (path, body) in [(&path, &new), (&internet, &json!({}))] {
            world.send(&world.stranger, http::Method::POST, path, Some(body)).await.is(404);
            world.send(reader, http::Method::POST, path, Some(body)).await.is(403);
        }
        let made = with(&free).await.is(201).body;
        let own = made["href"].as_str().unwrap();
        for method in [http::Method::GET, http::Method::DELETE] {
            world.send(&world.stranger, method, own, None).await.is(404);
        }
        world.send(reader, http::Method::DELETE, own, None).await.is(403);
    })
    .await;
}

#[tokio::test]
async fn many_gateways_at_once_are_one_for_each_network() {
    everywhere(async |world: World| {
        let lan = vlan(&world).await;
        let path = format!("/projects/{}/metal-gateways", world.project);
        let ask = json!({"virtual_network_id": lan["id"], "private_ipv4_subnet_size": 8});
        let orders = (0..16).map(|_| world.post(&path, ask.clone()));
        let answers = futures_util::future::join_all(orders).await;
        assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
        assert!(answers.iter().all(|a| a.status == 201 || a.status == 422));
    })
    .await;
}
