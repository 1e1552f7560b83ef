//! The spot market.

use http::Method;
use meetme_app::devices::spot;
use meetme_model::{
    metal::{Device, SpotRequest},
    place::Plan,
};
use meetme_store::{Filter, Object};
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple};

/// Does what the market's controller does.
pub async fn reprice(world: &World) {
    world
        .system(|tx| {
            for plan in tx.ids::<Plan>(&Filter::All)? {
                spot::reprice(tx, plan)?;
            }
            Ok(())
        })
        .await;
}

/// Does what the controller of requests does, until it has nothing more to do.
async fn keep(world: &World, request: &Value) -> spot::Kept {
    let uid = request["id"].as_str().unwrap().parse().unwrap();
    world
        .system(move |tx| {
            for _ in 0..20 {
                let mut row: Object<SpotRequest> = tx.by_uid(uid)?;
                match spot::keep(tx, &mut row)? {
                    spot::Kept::More => {}
                    other => return Ok(other),
                }
            }
            Ok(spot::Kept::More)
        })
        .await
}

async fn price(world: &World) -> f64 {
    let all = world.get("/market/spot/prices").await.is(200).body;
    all["spot_market_prices"]["sjc1"]["baremetal_0"]["price"].as_f64().unwrap()
}

fn bid(hostname: &str, most: f64) -> Value {
    let mut order = simple(hostname);
    order["spot_instance"] = true.into();
    order["spot_price_max"] = most.into();
    order
}

#[tokio::test]
async fn the_price_follows_what_is_taken() {
    everywhere(async |world: World| {
        assert_eq!(world.get("/market/spot/prices").await.is(200).body["spot_market_prices"], json!({}));
        reprice(&world).await;
        // A fifth of the usual five cents while everything is free.
        assert_eq!(price(&world).await, 0.01);
        for n in 0..5 {
            world.device(&format!("web{n}")).await;
        }
        reprice(&world).await;
        assert_eq!(price(&world).await, 0.02);
        let here = "/market/spot/prices?facility=sjc1&plan=baremetal_0";
        let one = world.get(here).await.is(200).body;
        assert_eq!(one["spot_market_prices"], json!({"sjc1": {"baremetal_0": {"price": 0.02}}}));
        let metros = world.get("/market/spot/prices/metros?metro=sv").await.is(200).body;
        assert_eq!(metros["spot_market_prices"], json!({"sv": {"baremetal_0": {"price": 0.02}}}));
        let history = "/market/spot/prices/history?facility=sjc1&plan=baremetal_0&from=1779999000&until=1780001000";
        let points = world.get(history).await.is(200).body["prices_history"]["datapoints"].clone();
        assert_eq!(points, json!([[0.02, 1_780_000_000 / 60 * 60]]));
        world.get("/market/spot/prices/history?plan=baremetal_0&from=1&until=2").await.is(422).says("facility");
        world.get("/market/spot/prices/history?facility=sjc1&plan=baremetal_0&until=2").await.is(422).says("from");
    })
    .await;
}

#[tokio::test]
async fn a_bid_is_taken_when_it_covers_the_price_and_servers_are_left_for_others() {
    everywhere(async |world: World| {
        let orders = format!("/projects/{}/devices", world.project);
        world.post(&orders, bid("spot0", 0.05)).await.is(422).says("market");
        reprice(&world).await;
        world.post(&orders, bid("spot0", 0.009)).await.is(422).says("0.009");
        let none = world.post(
            &orders,
            json!({"spot_instance": true, "facility": "sjc1", "plan": "baremetal_0",
            "operating_system": "ubuntu_16_04"}),
        );
        none.await.is(422).says("spot_price_max");
        for n in 0..9 {
            let made = world.post(&orders, bid(&format!("spot{n}"), 1.0)).await.is(201).body;
            assert_eq!((&made["spot_instance"], &made["spot_price_max"]), (&json!(true), &json!(1.0)));
            reprice(&world).await;
        }
        // The last one is kept for whoever pays the usual price.
        world.post(&orders, bid("spot9", 1.0)).await.is(422).says("spot market");
        world.post(&orders, simple("web")).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn who_is_outbid_goes_after_two_minutes_unless_the_usual_price_is_paid() {
    everywhere(async |world: World| {
        reprice(&world).await;
        let orders = format!("/projects/{}/devices", world.project);
        let low = world.post(&orders, bid("low", 0.015)).await.is(201).body;
        let other = world.post(&orders, bid("other", 0.015)).await.is(201).body;
        let high = world.post(&orders, bid("high", 0.05)).await.is(201).body;
        for n in 0..5 {
            world.device(&format!("web{n}")).await;
        }
        reprice(&world).await;
        let ends = async |device: &Value| {
            let path = format!("/devices/{}", device["id"].as_str().unwrap());
            world.get(&path).await.is(200).body["termination_time"].clone()
        };
        // The clock of these tests stands still.
        assert_eq!(ends(&low).await, "2026-05-28T20:28:40Z");
        assert_eq!(ends(&high).await, Value::Null);
        let path = format!("/devices/{}/metadata", low["id"].as_str().unwrap());
        let document = world.get(&path).await.is(200).body;
        assert_eq!(document["spot"]["termination_time"], "2026-05-28T20:28:40Z");
        let path = format!("/devices/{}", other["id"].as_str().unwrap());
        let kept = world.put(&path, json!({"spot_instance": false})).await.is(200).body;
        assert_eq!((&kept["spot_instance"], &kept["termination_time"]), (&json!(false), &Value::Null));
        world.put(&path, json!({"spot_instance": true})).await.is(422).says("spot_instance");
    })
    .await;
}

fn request(min: u16, max: u16, most: f64) -> Value {
    json!({
        "devices_min": min, "devices_max": max, "max_bid_price": most, "facilities": ["sjc1"],
        "instance_parameters": {"plan": "baremetal_0", "operating_system": "ubuntu_16_04", "hostname": "spot{{index}}"},
    })
}

#[tokio::test]
async fn a_request_has_as_many_devices_as_price_and_supply_allow() {
    everywhere(async |world: World| {
        reprice(&world).await;
        let path = format!("/projects/{}/spot-market-requests", world.project);
        let made = world.post(&path, request(2, 12, 0.05)).await.is(201).body;
        let shown = format!("/spot-market-requests/{}?include=devices", made["id"].as_str().unwrap());
        let devices = async || world.get(&shown).await.is(200).body["devices"].as_array().unwrap().clone();
        assert!(devices().await.is_empty());
        assert!(matches!(keep(&world, &made).await, spot::Kept::Short(_)));
        // Nine of ten: one is kept.
        let all = devices().await;
        assert_eq!((all.len(), &all[8]["hostname"], &all[8]["spot_price_max"]), (9, &json!("spot9"), &json!(0.05)));
        // A better bid for more than there is pushes the price over what the first one pays.
        let better = world.post(&path, request(1, 9, 0.1)).await.is(201).body;
        reprice(&world).await;
        assert!(price(&world).await > 0.05);
        assert!(devices().await.iter().all(|d| d["termination_time"].is_string()));
        assert!(matches!(keep(&world, &better).await, spot::Kept::Short(_)), "nothing is free before it is wiped");
        for device in devices().await {
            world.moved(&device, meetme_model::Phase::Gone).await;
        }
        reprice(&world).await;
        assert_eq!(keep(&world, &better).await, spot::Kept::Whole);
        assert!(matches!(keep(&world, &made).await, spot::Kept::Short(_)));
        assert!(devices().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_request_begins_with_no_fewer_than_its_fewest() {
    everywhere(async |world: World| {
        reprice(&world).await;
        let path = format!("/projects/{}/spot-market-request", world.project);
        let made = world.post(&path, request(10, 12, 0.05)).await.is(201).body;
        assert!(matches!(keep(&world, &made).await, spot::Kept::Short(_)));
        let list = world.get(&format!("/projects/{}/devices", world.project)).await.is(200).body;
        assert_eq!(list["meta"]["total"], 0);
        let low = world.post(&path, request(1, 1, 0.001)).await.is(201).body;
        let spot::Kept::Short(why) = keep(&world, &low).await else { panic!("a bid below the price got a device") };
        assert!(why.contains("0.001"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn a_request_ends_with_its_devices_or_without() {
    everywhere(async |world: World| {
        reprice(&world).await;
        let path = format!("/projects/{}/spot-market-requests", world.project);
        let living = async || {
            let list = world.get(&format!("/projects/{}/devices", world.project)).await.is(200).body;
            list["meta"]["total"].as_u64().unwrap()
        };
        let mut ending = request(1, 2, 0.05);
        ending["end_at"] = "2026-06-01T00:00:00Z".into();
        let first = world.post(&path, ending).await.is(201).body;
        assert_eq!(keep(&world, &first).await, spot::Kept::Whole);
        let list = world.get(&format!("/projects/{}/devices", world.project)).await.is(200).body;
        assert_eq!(list["devices"][0]["termination_time"], "2026-06-01T00:00:00Z");
        let one = format!("/spot-market-requests/{}", first["id"].as_str().unwrap());
        world.delete(&one).await.is(204);
        world.get(&one).await.is(404);
        assert_eq!(living().await, 2);
        let second = world.post(&path, request(1, 2, 0.05)).await.is(201).body;
        assert_eq!(keep(&world, &second).await, spot::Kept::Whole);
        assert_eq!(living().await, 4);
        let one = format!("/spot-market-requests/{}", second["id"].as_str().unwrap());
        let force = json!({"force_termination": true});
        world.send(&world.token, Method::DELETE, &one, Some(&force)).await.is(204);
        assert_eq!(living().await, 2);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_at_once() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/spot-market-requests", world.project);
        let with = |name: &str, value: Value| {
            let mut one = request(1, 2, 0.05);
            one[name] = value;
            one
        };
        for (name, value) in [
            ("devices_max", json!(0)),
            ("devices_max", json!(101)),
            ("devices_min", json!(3)),
            ("max_bid_price", json!(null)),
            ("max_bid_price", json!("much")),
            ("max_bid_price", json!(0)),
            ("end_at", json!("2020-01-01T00:00:00Z")),
            ("instance_parameters", json!(null)),
            ("instance_parameters", json!("x")),
        ] {
            world.post(&path, with(name, value)).await.is(422).says(name);
        }
        world.post(&path, with("facilities", json!(["nowhere"]))).await.is(422).says("facility");
        let made = world.post(&path, request(1, 2, 0.05)).await.is(201).body;
        let one = format!("/spot-market-requests/{}", made["id"].as_str().unwrap());
        world.send(&world.stranger, Method::GET, &one, None).await.is(404);
        world.send(&world.stranger, Method::DELETE, &one, None).await.is(404);
        world.send(&world.stranger, Method::GET, &path, None).await.is(404);
        world.send(&world.stranger, Method::POST, &path, Some(&request(1, 2, 0.05))).await.is(404);
        let devices = world.system(|tx| Ok(tx.count::<Device>(&Filter::All)?)).await;
        assert_eq!(devices, 0);
    })
    .await;
}
