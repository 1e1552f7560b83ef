//! Validating and buying.

use serde_json::{Value, json};

use crate::world::{World, on_each};

fn port(name: &str) -> Value {
    json!([{"productName": name, "term": 12, "productType": "MEGAPORT", "portSpeed": 10000, "locationId": 7, "virtual": false,
            "market": "AU", "costCentre": "77", "marketplaceVisibility": false, "config": {"diversityZone": "blue"},
            "resourceTags": [{"key": "team", "value": "net"}], "ProductID": "x"}])
}

fn vxc(from: &str, to: &str, vlan: i64) -> Value {
    json!([{"productUid": from, "associatedVxcs": [{
        "productName": "Cloud", "rateLimit": 100, "term": 1, "shutdown": false, "costCentre": "",
        "aEnd": {"vlan": vlan, "vNicIndex": 0},
        "bEnd": {"productUid": to, "vNicIndex": 0, "partnerConfig": {
            "connectType": "AWS", "type": "private", "ownerAccount": "123456789012", "asn": 65001, "amazonAsn": 64513}},
    }]}])
}

#[tokio::test]
async fn a_port_is_validated_bought_and_read_back() {
    on_each(async |world: World| {
        for (path, operation) in
            [("/v2/networkdesign/validate", "v2.validate"), ("/v3/networkdesign/validate", "v3.validate")]
        {
            let answer = world.call(&format!("POST {path}"), port("P")).await;
            assert_eq!(answer.body["message"], "Validation passed");
            // Monthly prices are kept for a term of a month only.
            assert_eq!(answer.proves(operation)[0]["price"]["monthlyRate"], 0.0);
        }
        let mut monthly = port("P");
        monthly[0]["term"] = 1.into();
        let line = world.call("POST /v3/networkdesign/validate", monthly).await.proves("v3.validate");
        assert_eq!((&line[0]["price"]["monthlyRate"], &line[0]["price"]["currency"]), (&500.0.into(), &"AUD".into()));
        assert_eq!(world.get("/v2/products").await.proves("v2.products"), json!([]), "validating keeps nothing");
        let line = world
            .call("POST /v4/networkdesign/buy", json!({"networkDesign": port("P"), "discountCodes": []}))
            .await
            .proves("v4.buy");
        let uid = line[0]["technicalServiceUid"].as_str().unwrap();
        let bought = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        for (member, wanted) in [
            ("productType", json!("MEGAPORT")),
            ("productName", json!("P")),
            ("provisioningStatus", json!("DEPLOYABLE")),
            ("portSpeed", json!(10000)),
            ("locationId", json!(7)),
            ("costCentre", json!("77")),
            ("diversityZone", json!("blue")),
            ("contractTermMonths", json!(12)),
            ("associatedVxcs", json!([])),
        ] {
            assert_eq!(bought[member], wanted, "{member}");
        }
        let by_number = world.get(&format!("/v2/product/{}", bought["productId"])).await.proves("v2.product");
        assert_eq!(by_number, bought);
    })
    .await;
}

#[tokio::test]
async fn the_ports_of_a_group_know_each_other() {
    on_each(async |world: World| {
        let mut group = port("L");
        group[0]["lagPortCount"] = 2.into();
        let lines = world.call("POST /v3/networkdesign/buy", group).await.proves("v3.buy");
        assert_eq!(lines.as_array().unwrap().len(), 2);
        let list = world.get("/v2/products").await.proves("v2.products");
        assert_eq!((&list[0]["lagPrimary"], &list[1]["lagPrimary"]), (&true.into(), &false.into()));
        assert!(list[0]["aggregationId"] != 0 && list[0]["aggregationId"] == list[1]["aggregationId"]);
        // Cross connects end on the first, and the first goes last.
        let (first, second) = (list[0]["productUid"].as_str().unwrap(), list[1]["productUid"].as_str().unwrap());
        world.call("POST /v3/networkdesign/buy", vxc(second, &world.at.offer, 100)).await.refuses(400);
        world.call("POST /v3/networkdesign/buy", vxc(first, &world.at.offer, 100)).await.is(200);
        world.call(&format!("POST /v3/product/{first}/action/CANCEL_NOW"), Value::Null).await.refuses(400);
    })
    .await;
}

#[tokio::test]
async fn a_cross_connect_from_a_port_to_a_cloud_keeps_what_was_ordered() {
    on_each(async |world: World| {
        let from = world.port(world.at.company, "P").await;
        let line =
            world.call("POST /v3/networkdesign/validate", vxc(&from, &world.at.offer, 100)).await.proves("v3.validate");
        assert_eq!(line[0]["price"]["monthlyRate"], 12.5);
        let line = world.call("POST /v2/networkdesign/buy", vxc(&from, &world.at.offer, 100)).await.proves("v2.buy");
        let uid = line[0]["vxcJTechnicalServiceUid"].as_str().unwrap();
        let made = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        assert_eq!((&made["aEnd"]["productUid"], &made["aEnd"]["vlan"]), (&from.as_str().into(), &100.into()));
        assert_eq!(
            (&made["bEnd"]["productUid"], &made["bEnd"]["locationId"]),
            (&world.at.offer.as_str().into(), &7.into())
        );
        let csp = &made["resources"]["csp_connection"][0];
        assert_eq!(
            (&csp["connectType"], &csp["ownerAccount"], &csp["asn"]),
            (&"AWS".into(), &"123456789012".into(), &65001.into())
        );
        let list = world.get("/v2/products").await.proves("v2.products");
        assert_eq!(list[0]["associatedVxcs"][0], made);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_with_a_reason() {
    on_each(async |world: World| {
        let from = world.port(world.at.company, "P").await;
        let foreign = world.port(world.at.stranger, "F").await;
        let buy = async |design: Value| world.call("POST /v3/networkdesign/buy", design).await;
        buy(vxc(&from, &world.at.offer, 100)).await.is(200);
        let text = buy(vxc(&from, &world.at.offer, 100)).await.refuses(400);
        assert!(text.contains("VLAN 100 not available"), "{text}");
        for vlan in [1, 4094, 4095, -2] {
            buy(vxc(&from, &world.at.offer, vlan)).await.refuses(400);
        }
        let mut fast = vxc(&from, &world.at.offer, 101);
        fast[0]["associatedVxcs"][0]["rateLimit"] = 10_001.into();
        buy(fast).await.refuses(400);
        let mut shut = vxc(&from, &world.at.offer, 101);
        shut[0]["associatedVxcs"][0]["shutdown"] = true.into();
        buy(shut).await.refuses(400);
        buy(vxc(&foreign, &world.at.offer, 102)).await.refuses(400);
        buy(vxc(&from, &foreign, 102)).await.refuses(400);
        buy(vxc(&world.at.offer, &from, 102)).await.refuses(400);
        buy(vxc(&from, "7e0d2f53-0000-4000-8000-000000000000", 102)).await.refuses(400);
        let mut wrong = port("P");
        wrong[0]["portSpeed"] = 100_000.into();
        buy(wrong).await.refuses(400);
        let mut nowhere = port("P");
        nowhere[0]["locationId"] = 8_000_000.into();
        buy(nowhere).await.refuses(400);
        for (member, value) in
            [("term", json!(13)), ("config", json!({"diversityZone": "green"})), ("productType", json!("IX"))]
        {
            let mut other = port("P");
            other[0][member] = value;
            buy(other).await.refuses(400);
        }
        buy(json!([])).await.refuses(400);
        world.call("POST /v3/networkdesign/buy", json!("x")).await.refuses(400);
        // A design is bought whole or not at all.
        let mut both = port("Q");
        both.as_array_mut().unwrap().extend(vxc(&from, &world.at.offer, 100).as_array().unwrap().clone());
        buy(both).await.refuses(400);
        let list = world.get("/v2/products").await.proves("v2.products");
        assert_eq!(list.as_array().unwrap().len(), 1);
        // Who may only look buys nothing.
        let second = world.port(world.at.second, "S").await;
        let context = world
            .system({
                let id = world.at.second;
                move |_, tx| Ok(tx.get(id)?.uid.to_string())
            })
            .await;
        let headers = [("x-auth-token", world.token.as_str()), ("x-call-context", &context)];
        let body = vxc(&second, &world.at.offer, 0).to_string();
        world.raw("POST /v3/networkdesign/buy", &headers, &body).await.refuses(403);
    })
    .await;
}

#[tokio::test]
async fn a_cross_connect_to_another_companys_port_waits_for_its_owner() {
    on_each(async |world: World| {
        let (from, to) = (world.port(world.at.company, "P").await, world.port(world.at.stranger, "T").await);
        let shown = to.clone();
        world
            .system(move |_, tx| {
                let mut port = tx.by_uid::<meetme_model::fabric::Port>(shown.parse().unwrap())?;
                let spec = meetme_model::fabric::Port { visible: true, ..port.spec.clone() };
                Ok(tx.save(&mut port, spec)?)
            })
            .await;
        let mut design = vxc(&from, &to, 0);
        design[0]["associatedVxcs"][0]["bEnd"] = json!({"productUid": to, "vlan": 300});
        let line = world.call("POST /v3/networkdesign/buy", design).await.proves("v3.buy");
        let uid = line[0]["technicalServiceUid"].as_str().unwrap();
        let made = world.get(&format!("/v2/product/{uid}")).await.proves("v2.product");
        assert_eq!(
            (&made["provisioningStatus"], &made["vxcApproval"]["status"]),
            (&"ON_HOLD".into(), &"PENDING".into())
        );
        assert_eq!((&made["aEnd"]["vlan"], &made["bEnd"]["vlan"]), (&2.into(), &300.into()));
        // The owner of the other end sees it there.
        let seen = world
            .call_as(&world.at.stranger_secret, &format!("GET /v2/product/{uid}"), Value::Null)
            .await
            .proves("v2.product");
        assert_eq!(seen["productUid"], uid);
        let list =
            world.call_as(&world.at.stranger_secret, "GET /v2/products", Value::Null).await.proves("v2.products");
        assert_eq!(list[0]["associatedVxcs"][0]["productUid"], uid);
    })
    .await;
}
