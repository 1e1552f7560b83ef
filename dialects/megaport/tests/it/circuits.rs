//! The same circuits through this dialect and as other dialects order and read them.

use meetme_app::circuits::{self, Buy, NewCircuit, NewLeg};
use meetme_base::{Id, Mbps};
use meetme_model::{
    Phase,
    fabric::{Circuit, End, Network, Target},
};
use serde_json::{Value, json};

use crate::world::{World, on_each};

/// Orders a circuit from a network to the cloud, as a connection is ordered.
async fn connection(world: &World, network: Id<Network>, redundant: bool) {
    let (owner, metro) = (world.at.company.any(), world.at.metro);
    world
        .system(move |app, tx| {
            let circuit = Circuit { redundant, ..Circuit::new("Link", Mbps::try_from(500)?) };
            let a = End { at: Some(Target::Network(network)), ..End::default() };
            let leg = NewLeg { a, far: Some(json!({"account": "123456789012", "form": "vif"})), ..NewLeg::default() };
            let legs = vec![leg; if redundant { 2 } else { 1 }];
            let new = NewCircuit { owner, circuit, buy: Buy::Reach { far: "aws".to_owned(), metro }, legs };
            circuits::order(app, tx, &new).map(drop)
        })
        .await;
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|p| p["productName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_network_is_a_virtual_router_and_its_circuits_are_cross_connects() {
    on_each(async |world: World| {
        let (network, uid) = world.network("Core").await;
        connection(&world, network, false).await;
        let list = world.get("/v2/products").await.proves("v2.products");
        let router = &list[0];
        for (member, wanted) in [
            ("productType", json!("MCR2")),
            ("productUid", json!(uid)),
            ("virtual", json!(true)),
            ("locationId", json!(7)),
            ("portSpeed", json!(1000)),
            ("cancelable", json!(false)),
        ] {
            assert_eq!(router[member], wanted, "{member}");
        }
        assert_eq!(router["resources"]["virtual_router"]["mcrAsn"], 64_500);
        let vxc = &router["associatedVxcs"][0];
        assert_eq!(
            (&vxc["productName"], &vxc["rateLimit"], &vxc["aEnd"]["productUid"]),
            (&"Link".into(), &500.into(), &uid.as_str().into())
        );
        let face = &vxc["resources"]["csp_connection"][1];
        assert_eq!(face["connectType"], "VROUTER");
        assert_eq!(face["interfaces"][0]["bgpConnections"][0]["peerAsn"], 64_512);
        world.all_legs(Phase::Up).await;
        let one = world.get(&format!("/v2/product/{}", vxc["productUid"].as_str().unwrap())).await.proves("v2.product");
        assert_eq!((&one["provisioningStatus"], &one["liveDate"]), (&"LIVE".into(), &crate::world::NOW.0.into()));
        // It is read here and managed where it was made.
        world.call(&format!("POST /v3/product/{uid}/action/CANCEL_NOW"), Value::Null).await.refuses(400);
        world.call(&format!("PUT /v2/product/{uid}"), json!({"name": "x"})).await.refuses(400);
    })
    .await;
}

#[tokio::test]
async fn two_legs_are_two_cross_connects_and_neither_is_cancelled_alone() {
    on_each(async |world: World| {
        let (network, uid) = world.network("Core").await;
        connection(&world, network, true).await;
        world.all_legs(Phase::Up).await;
        let router = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        assert_eq!(names(&router["associatedVxcs"]), ["Link - Primary", "Link - Secondary"]);
        let uids: Vec<_> = router["associatedVxcs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v["productUid"].as_str().unwrap().to_owned())
            .collect();
        for (uid, other) in [(&uids[0], "Link - Secondary"), (&uids[1], "Link - Primary")] {
            for action in ["CANCEL", "CANCEL_NOW"] {
                let text =
                    world.call(&format!("POST /v3/product/{uid}/action/{action}"), Value::Null).await.refuses(400);
                assert!(text.contains(other), "{text}");
            }
        }
        // What is the circuit's changes on both.
        let change = json!({"name": "Line - Secondary", "costCentre": "9"});
        world.call(&format!("PUT /v2/product/vxc/{}", uids[1]), change).await.proves("v2.updateVxc");
        let router = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        assert_eq!(names(&router["associatedVxcs"]), ["Line - Primary", "Line - Secondary"]);
        assert_eq!(router["associatedVxcs"][0]["costCentre"], "9");
    })
    .await;
}

#[tokio::test]
async fn a_circuit_ordered_elsewhere_is_cancelled_here_and_stays_readable_for_a_while() {
    on_each(async |world: World| {
        let (network, uid) = world.network("Core").await;
        connection(&world, network, false).await;
        world.all_legs(Phase::Up).await;
        let router = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        let vxc = router["associatedVxcs"][0]["productUid"].as_str().unwrap().to_owned();
        let status =
            async || world.get(&format!("/v2/product/{vxc}")).await.proves("v2.product")["provisioningStatus"].clone();
        // The contract is by the month, so a cancellation is for its end and can be taken back.
        world
            .call(&format!("POST /v2/product/{vxc}/action/CANCEL?terminationDate=1784600000000"), Value::Null)
            .await
            .proves("v2.action");
        assert_eq!(status().await, "CANCELLED");
        world.call(&format!("POST /v3/product/{vxc}/action/UN_CANCEL"), Value::Null).await.proves("v3.action");
        assert_eq!(status().await, "LIVE");
        world.call(&format!("POST /v3/product/{vxc}/action/UN_CANCEL"), Value::Null).await.refuses(409);
        world
            .call(&format!("POST /v3/product/{vxc}/action/CANCEL_NOW"), json!({"comment": "done"}))
            .await
            .proves("v3.action");
        assert_eq!(status().await, "CANCELLED");
        let of = world.system(move |_, tx| circuits::of_network(tx, network)).await;
        assert_eq!(of[0].circuit.status.phase, Phase::Removing);
        let id = of[0].circuit.id;
        world.system(move |_, tx| circuits::bury(tx, id)).await;
        assert_eq!(status().await, "DECOMMISSIONED");
        let router = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        assert_eq!(router["associatedVxcs"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_cross_connect_bought_on_a_virtual_router_is_a_circuit_of_the_network() {
    on_each(async |world: World| {
        let (network, uid) = world.network("Core").await;
        let port = world.port(world.at.company, "P").await;
        let to_cloud = json!([{"productUid": uid, "associatedVxcs": [{
            "productName": "Cloud", "rateLimit": 50, "term": 1, "aEnd": {}, "bEnd": {"productUid": world.at.offer,
                "partnerConfig": {"connectType": "AWS", "type": "private", "ownerAccount": "123456789012"}}}]}]);
        world.call("POST /v3/networkdesign/buy", to_cloud).await.proves("v3.buy");
        let to_router = json!([{"productUid": port, "associatedVxcs": [{
            "productName": "Office", "rateLimit": 50, "term": 1, "aEnd": {"vlan": 200}, "bEnd": {"productUid": uid}}]}]);
        world.call("POST /v3/networkdesign/buy", to_router).await.proves("v3.buy");
        let of = world.system(move |_, tx| circuits::of_network(tx, network)).await;
        let seen: Vec<_> = of.iter().map(|w| (w.circuit.spec.name.as_str(), w.legs.len(), w.legs[0].spec.router.is_some())).collect();
        assert_eq!(seen, [("Cloud", 1, true), ("Office", 1, true)]);
        // It is listed under both of its ends.
        let list = world.get("/v2/products").await.proves("v2.products");
        assert_eq!((names(&list), names(&list[0]["associatedVxcs"])), (vec!["P", "Core"], vec!["Office"]));
        assert_eq!(names(&list[1]["associatedVxcs"]), ["Cloud", "Office"]);
    })
    .await;
}

/// A cross connect from a port of the company's own to another; their UUIDs and its.
async fn between_ports(world: &World) -> (String, String, String) {
    let (a, z) = (world.port(world.at.company, "A").await, world.port(world.at.company, "Z").await);
    let design = json!([{"productUid": a, "associatedVxcs": [{
        "productName": "Line", "rateLimit": 100, "term": 12, "aEnd": {"vlan": 10}, "bEnd": {"productUid": z, "vlan": 20}}]}]);
    let line = world.call("POST /v3/networkdesign/buy", design).await.proves("v3.buy");
    let vxc = line[0]["technicalServiceUid"].as_str().unwrap().to_owned();
    (a, z, vxc)
}

#[tokio::test]
async fn a_cross_connect_is_renamed_resized_retagged_and_tagged() {
    on_each(async |world: World| {
        let (_, _, vxc) = between_ports(&world).await;
        world.all_legs(Phase::Up).await;
        let change = json!({"name": "New", "rateLimit": 200, "costCentre": "x", "shutdown": false, "aEndVlan": 11, "bEndVlan": 20, "term": 24});
        let made = world.call(&format!("PUT /v3/product/vxc/{vxc}"), change).await.proves("v3.updateVxc");
        assert_eq!((&made["productName"], &made["rateLimit"], &made["contractTermMonths"]), (&"New".into(), &200.into(), &24.into()));
        assert_eq!((&made["aEnd"]["vlan"], &made["bEnd"]["vlan"]), (&11.into(), &20.into()));
        world.call(&format!("PUT /v2/product/vxc/{vxc}"), json!({"rateLimit": 10_001})).await.refuses(400);
        let text = world.call(&format!("PUT /v2/product/vxc/{vxc}"), json!({"term": 12})).await.refuses(409);
        assert_eq!(text, "Service term cannot be extended.");
        let named = world.call(&format!("PUT /v2/product/{vxc}"), json!({"name": "Newer", "ProductType": "vxc"})).await.proves("v2.updateProduct");
        assert_eq!(named["name"], "Newer");
        let tags = json!({"resourceTags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]});
        world.call(&format!("PUT /v2/product/{vxc}/tags"), tags.clone()).await.proves("v2.putTags");
        assert_eq!(world.get(&format!("/v2/product/{vxc}/tags")).await.proves("v2.getTags"), tags);
    })
    .await;
}

#[tokio::test]
async fn a_locked_product_refuses_every_change() {
    on_each(async |world: World| {
        let (a, _, vxc) = between_ports(&world).await;
        world.all_legs(Phase::Up).await;
        for (uid, path) in [(&a, "megaport"), (&vxc, "vxc")] {
            world.call(&format!("POST /v2/product/{uid}/lock"), Value::Null).await.proves("v2.lock");
            assert_eq!(world.get(&format!("/v2/product/{uid}")).await.proves("v2.product")["locked"], true);
            world.call(&format!("PUT /v2/product/{path}/{uid}"), json!({"name": "x"})).await.refuses(400);
            world.call(&format!("PUT /v2/product/{uid}/tags"), json!({"resourceTags": []})).await.refuses(400);
            world.call(&format!("POST /v3/product/{uid}/action/CANCEL_NOW"), Value::Null).await.refuses(400);
            world.call(&format!("DELETE /v2/product/{uid}/lock"), Value::Null).await.proves("v2.unlock");
        }
        let named = world
            .call(&format!("PUT /v2/product/megaport/{a}"), json!({"name": "x", "costCentre": "y"}))
            .await
            .proves("v2.updatePort");
        assert_eq!(named["serviceName"], "x");
    })
    .await;
}

#[tokio::test]
async fn a_port_takes_its_cross_connects_along_unless_told_to_be_safe() {
    on_each(async |world: World| {
        let (a, z, vxc) = between_ports(&world).await;
        world.all_legs(Phase::Up).await;
        let cancel = |query: &str| format!("POST /v3/product/{a}/action/CANCEL_NOW{query}");
        let text = world.call(&cancel("?safeDelete=true"), Value::Null).await.refuses(400);
        assert!(text.contains("Line"), "{text}");
        world.call(&format!("POST /v3/product/{z}/action/CANCEL"), Value::Null).await.proves("v3.action");
        let later = world.get(&format!("/v2/product/{z}")).await.proves("v2.product");
        let notice = later["terminateDate"].as_i64().unwrap() - crate::world::NOW.0;
        assert!(notice >= 30 * 24 * 3600 * 1000, "{notice}");
        world.call(&format!("POST /v3/product/{z}/action/UN_CANCEL"), Value::Null).await.proves("v3.action");
        assert_eq!(world.get(&format!("/v2/product/{z}")).await.proves("v2.product")["provisioningStatus"], "LIVE");
        world.call(&cancel(""), Value::Null).await.proves("v3.action");
        assert_eq!(
            world.get(&format!("/v2/product/{a}")).await.proves("v2.product")["provisioningStatus"],
            "CANCELLED"
        );
        assert_eq!(
            world.get(&format!("/v2/product/{vxc}")).await.proves("v2.product")["provisioningStatus"],
            "CANCELLED_PARENT"
        );
    })
    .await;
}

#[tokio::test]
async fn a_stranger_sees_nothing() {
    on_each(async |world: World| {
        let (a, _, vxc) = between_ports(&world).await;
        for uid in [a.as_str(), &vxc, &world.at.offer, "1", "nonsense"] {
            for line in [
                format!("GET /v2/product/{uid}"),
                format!("POST /v3/product/{uid}/action/CANCEL_NOW"),
                format!("POST /v2/product/{uid}/lock"),
            ] {
                world.call_as(&world.at.stranger_secret, &line, Value::Null).await.refuses(404);
            }
        }
        world.raw(&format!("GET /v2/product/{vxc}"), &[], "").await.refuses(401);
    })
    .await;
}
