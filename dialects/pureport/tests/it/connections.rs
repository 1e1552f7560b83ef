//! Connections: what is allotted, echoed, changed and refused.

use meetme_model::Phase;
use serde_json::{Value, json};

use crate::{networks::bury, world::on_each};

/// Two gateways in two domains, each with its own VLAN, link subnet and session.
#[tokio::test]
async fn a_redundant_connection_has_two_gateways_that_share_nothing() {
    on_each(async |world| {
        let network = world.network("n").await;
        let made = world.order(&network, json!({"highAvailability": true, "name": "x"})).await.is(201);
        let (one, two) = (&made.body["primaryGateway"], &made.body["secondaryGateway"]);
        assert_eq!((&one["name"], &two["name"]), (&json!("x - Primary"), &json!("x - Secondary")));
        assert_eq!((&one["availabilityDomain"], &two["availabilityDomain"]), (&json!("PRIMARY"), &json!("SECONDARY")));
        let bgp = &one["bgpConfig"];
        assert_eq!(bgp["peeringSubnet"], "169.254.1.0/30");
        assert_eq!((&bgp["pureportIP"], &bgp["customerIP"]), (&json!("169.254.1.1/30"), &json!("169.254.1.2/30")));
        assert_eq!((&bgp["pureportASN"], &bgp["customerASN"]), (&json!(394_351), &json!(64_512)));
        assert_eq!(bgp["state"], "PENDING");
        let passwords: Vec<&Value> = vec![&one["bgpConfig"]["password"], &two["bgpConfig"]["password"]];
        assert!(passwords.iter().all(|p| p.as_str().is_some_and(|p| p.len() == 24)) && passwords[0] != passwords[1]);
        let gateway =
            world.get(&format!("/gateways/{}", one["id"].as_str().unwrap())).await.is(200).proves("getGateway");
        assert_eq!(gateway.body["connection"]["id"], made.body["id"]);
    })
    .await;
}

#[tokio::test]
async fn what_one_connection_has_the_next_does_not_get_until_it_is_gone() {
    on_each(async |world| {
        let network = world.network("n").await;
        let vlan_and_subnet = |made: &Value| {
            let gateway = &made["primaryGateway"];
            (gateway["vlan"].as_i64().unwrap(), gateway["bgpConfig"]["peeringSubnet"].as_str().unwrap().to_owned())
        };
        // Both gateways are used in turn, so every second order meets what the first one holds.
        let mut held = Vec::new();
        for name in ["a", "b", "c"] {
            held.push(world.order(&network, json!({"name": name})).await.is(201));
        }
        assert_eq!(vlan_and_subnet(&held[0].body), (2, "169.254.1.0/30".to_owned()));
        let all: std::collections::BTreeSet<_> = held.iter().map(|h| vlan_and_subnet(&h.body)).collect();
        assert!(all.contains(&(3, "169.254.1.4/30".to_owned())));
        world.delete(&format!("/connections/{}", held[0].text("id"))).await.is(200);
        bury(&world).await;
        let next = world.order(&network, json!({"name": "d"})).await.is(201);
        assert_eq!(vlan_and_subnet(&next.body), (2, "169.254.1.0/30".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_vlan_is_taken_as_sent_and_only_once_on_a_gateway() {
    on_each(async |world| {
        let network = world.network("n").await;
        let both = json!({"highAvailability": true, "primaryVlan": 100, "secondaryVlan": 200});
        let made = world.order(&network, both.clone()).await.is(201);
        assert_eq!((&made.body["primaryVlan"], &made.body["secondaryVlan"]), (&json!(100), &json!(200)));
        assert_eq!(made.body["primaryGateway"]["vlan"], 100);
        world.order(&network, both).await.refuses(409, "VLAN_IN_USE");
        world.order(&network, json!({"primaryVlan": 4095})).await.refuses(422, "INVALID_VLAN_RANGE");
        world.order(&network, json!({"primaryVlan": 4094})).await.refuses(422, "INVALID_VLAN_RANGE");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_sold_is_refused() {
    on_each(async |world| {
        let network = world.network("n").await;
        world.order(&network, json!({"speed": 1000})).await.refuses(422, "CONNECTION_CONFIGURATION_NOT_SUPPORTED");
        world
            .order(&network, json!({"type": "SITE_IPSEC_VPN"}))
            .await
            .refuses(422, "CONNECTION_CONFIGURATION_NOT_SUPPORTED");
        world.order(&network, json!({"speed": 123})).await.refuses(422, "VALIDATION_ERROR");
        world.order(&network, json!({"awsRegion": "us-nowhere-1"})).await.refuses(422, "INVALID_AWS_REGION");
        let reach = json!({"awsRegion": "us-west-1"});
        world.order(&network, reach).await.refuses(422, "CONNECTION_CONFIGURATION_NOT_SUPPORTED");
        world.order(&network, json!({"location": {"href": "/locations/x"}})).await.refuses(422, "INVALID_LINK");
        world.order(&network, json!({"awsAccountId": "x"})).await.refuses(422, "VALIDATION_ERROR");
        world.order(&network, json!({"awsAccountId": null})).await.refuses(400, "BAD_REQUEST_MISSING_PARAMETER");
        let list = world.get(&format!("/networks/{network}/connections")).await.is(200);
        assert_eq!(list.body, json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_providers_key_serves_one_connection() {
    on_each(async |world| {
        let network = world.network("n").await;
        let azure = json!({"type": "AZURE_EXPRESS_ROUTE", "serviceKey": "3166c9a8-1275-4e7b-bad2-0dc6db0c6e02",
            "awsAccountId": null, "awsRegion": null, "highAvailability": true});
        let made = world.order(&network, azure.clone()).await.is(201).proves("addConnection");
        assert_eq!(made.body["primaryGateway"]["bgpConfig"]["customerASN"], 12_076);
        world.order(&network, azure.clone()).await.refuses(409, "EXPRESS_ROUTE_SERVICE_KEY_ALREADY_IN_USE");
        world.delete(&format!("/connections/{}", made.text("id"))).await.is(200);
        bury(&world).await;
        world.order(&network, azure).await.is(201);
        let google =
            json!({"type": "GOOGLE_CLOUD_INTERCONNECT", "primaryPairingKey": "a/us-east1/1", "customerASN": 64_999});
        let made = world.order(&network, google).await.is(201).proves("addConnection");
        assert_eq!(
            (&made.body["customerASN"], &made.body["primaryGateway"]["bgpConfig"]["customerASN"]),
            (&json!(64_999), &json!(64_999))
        );
        let bad = json!({"type": "GOOGLE_CLOUD_INTERCONNECT", "primaryPairingKey": "nonsense"});
        world.order(&network, bad).await.refuses(422, "INVALID_GOOGLE_PAIRING_KEY");
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_comes_back() {
    on_each(async |world| {
        let network = world.network("n").await;
        let sent = json!({
            "name": "My Connection", "description": "words", "tags": {"Env": "dev"}, "customerASN": 65_001,
            "customerNetworks": [{"name": "office", "address": "10.1.0.0/16"}], "peering": {"type": "PRIVATE"},
            "bgpPasswordConfiguration": {"enabled": true, "primaryBGPPassword": "hunter2hunter2"},
            "bgpMaximumPrefix": 100, "nat": {"enabled": true, "mappings": [{"nativeCidr": "10.1.2.0/24"}]},
            "cloudRegion": {"href": "/cloudRegions/aws-us-east-1"}, "bfd": {"transmitInterval": 300, "receiveInterval": 300, "detectMultiplier": 3},
        });
        let made = world.order(&network, sent.clone()).await.is(201).proves("addConnection");
        for member in ["name", "description", "tags", "customerASN", "customerNetworks", "peering", "bgpMaximumPrefix", "bfd"] {
            assert_eq!(made.body[member], sent[member], "{member}");
        }
        assert_eq!(made.body["primaryGateway"]["bgpConfig"]["password"], "hunter2hunter2");
        assert_eq!(made.body["nat"]["mappings"][0]["natCidr"], "100.64.0.0/24");
        assert_eq!(made.body["cloudRegion"]["href"], "/cloudRegions/aws-us-east-1");
        let read = world.get(&format!("/connections/{}", made.text("id"))).await.is(200).proves("getConnection");
        assert_eq!(Value::from("WAITING_TO_PROVISION"), read.body["state"]);
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_changed_when_it_is_built() {
    on_each(async |world| {
        let network = world.network("n").await;
        let made = world.order(&network, json!({})).await.is(201);
        let path = format!("/connections/{}", made.text("id"));
        let asn = json!({"customerASN": 65_010});
        world.put(&path, asn.clone()).await.refuses(409, "CONNECTION_UPDATE_STATE_CONFLICT");
        world.reach(Phase::Up).await;
        let saved = world.put(&path, asn).await.is(200).proves("updateConnection");
        assert_eq!(saved.body["primaryGateway"]["bgpConfig"]["customerASN"], 65_010);

        // The whole object as it was read changes nothing.
        let whole = world.get(&path).await.body;
        assert_eq!(world.put(&path, whole.clone()).await.is(200).body, whole);
        let vlan = world.put(&path, json!({"primaryVlan": 77})).await.is(200);
        assert_eq!(vlan.body["primaryGateway"]["vlan"], 77);
        world.put(&path, json!({"speed": 500})).await.refuses(409, "AWS_CONNECTION_SPEED_IMMUTABLE");
        world.put(&path, json!({"highAvailability": true})).await.refuses(422, "MODIFICATION_NOT_ALLOWED");
        world.put(&path, json!({"peering": {"type": "PUBLIC"}})).await.refuses(422, "PEERING_TYPE_CHANGE_NOT_ALLOWED");
        world.put(&path, json!({"billingTerm": "ONE_YEAR"})).await.is(200);
        world
            .put(&path, json!({"billingTerm": "HOURLY"}))
            .await
            .refuses(409, "CONNECTION_BILLING_TERM_CHANGE_NOT_ALLOWED");
        let off = world.put(&path, json!({"bgpPasswordConfiguration": {"enabled": false}})).await.is(200);
        assert_eq!(off.body["primaryGateway"]["bgpConfig"]["password"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_speed_is_changed_where_the_provider_can() {
    on_each(async |world| {
        let network = world.network("n").await;
        let azure = json!({"type": "AZURE_EXPRESS_ROUTE", "serviceKey": "k", "peering": {"type": "private"}});
        let path = format!("/connections/{}", world.order(&network, azure).await.is(201).text("id"));
        world.reach(Phase::Up).await;
        assert_eq!(world.put(&path, json!({"speed": 1000})).await.is(200).body["speed"], 1000);
        world.put(&path, json!({"speed": 500})).await.refuses(422, "CONNECTION_CONFIGURATION_NOT_SUPPORTED");
    })
    .await;
}

#[tokio::test]
async fn a_connection_to_a_port_uses_the_customers_vlan() {
    on_each(async |world| {
        let network = world.network("n").await;
        let port = json!({"type": "PORT", "primaryPort": {"href": format!("/ports/{}", world.port)}, "primaryCustomerVlan": 55,
            "customerASN": 65_020, "speed": 300});
        let made = world.order(&network, port.clone()).await.is(201).proves("addConnection");
        assert_eq!((&made.body["primaryCustomerVlan"], &made.body["primaryPort"]["id"]), (&json!(55), &json!(world.port)));
        world.order(&network, port).await.refuses(409, "VLAN_IN_USE");
        let untagged = json!({"type": "PORT", "primaryPort": {"href": world.port}, "primaryCustomerVlan": 0});
        world.order(&network, untagged).await.refuses(409, "VLAN_IN_USE");
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_removed_and_its_answer_is_the_connection() {
    on_each(async |world| {
        let network = world.network("n").await;
        let id = world.order(&network, json!({"name": null})).await.is(201);
        assert_eq!(id.text("name"), "aws-direct-connect-us-ral");
        let path = format!("/connections/{}", id.text("id"));
        let gone = world.send("DELETE", &path, Some(&world.token), "null").await.is(200).proves("deleteConnection");
        assert_eq!(gone.text("state"), "DELETING");
        world.delete(&path).await.refuses(409, "CONNECTION_DELETE_STATE_CONFLICT");
        world.get(&format!("/networks/{network}/connections")).await.is(200).proves("getConnections");
        bury(&world).await;
        world.get(&path).await.refuses(404, "NOT_FOUND");
        let list = world.get(&format!("/accounts/{}/connections", world.customer.account)).await.is(200);
        assert_eq!(list.proves("findConnections").body, json!([]));
    })
    .await;
}
