//! What devices used.

use meetme_app::devices::usage;
use meetme_base::{Time, Uid};
use meetme_model::{
    Phase,
    metal::{Device, Traffic},
};
use meetme_store::Object;
use serde_json::{Value, json};

use crate::world::{World, everywhere};

/// The moment at which the clock of these tests stands.
const NOW: i64 = 1_780_000_000;

/// Does what the controller does with two readings, so many seconds apart, the second of them now.
async fn counted(world: &World, device: &Value, seconds: i64, inbound: u64, outbound: u64) {
    let uid: Uid = device["id"].as_str().unwrap().parse().unwrap();
    world
        .system(move |tx| {
            let row: Object<Device> = tx.by_uid(uid)?;
            let now = tx.now();
            let before = Traffic { inbound: 1000, outbound: 5000, at: now.plus_seconds(-seconds) };
            let after = Traffic { inbound: 1000 + inbound, outbound, at: now };
            assert_eq!(usage::read(tx, row.id.any(), None, before)?, before);
            usage::read(tx, row.id.any(), Some(before), after)
        })
        .await;
}

#[tokio::test]
async fn bandwidth_is_what_the_interfaces_counted_and_null_where_nobody_counted() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        // Ten minutes; the outbound counter began anew, so what it says is what came since.
        counted(&world, &device, 600, 7_500_000, 600).await;
        let path = format!("/devices/{}/bandwidth", device["id"].as_str().unwrap());
        let asked = format!("{path}?from={}&until={}", NOW - 1200, NOW);
        let series = world.get(&asked).await.is(200).body["bandwidth"].clone();
        assert_eq!((&series[0]["target"], &series[1]["target"]), (&json!("inbound"), &json!("outbound")));
        let points = series[0]["datapoints"].as_array().unwrap();
        assert_eq!(points.len(), 21);
        assert_eq!(points[0][0], Value::Null);
        // 7,500,000 bytes in 600 seconds are 100,000 bits a second.
        assert_eq!(points[15], json!([100_000, (NOW - 1200) / 60 * 60 + 15 * 60]));
        let sum: i64 = points.iter().filter_map(|p| p[0].as_i64()).sum();
        assert!((sum * 60 / 8 - 7_500_000).abs() < 1000, "{sum}");
        world.get(&path).await.is(422).says("from");
        world.get(&format!("{path}?from=5&until=4")).await.is(422);
        world.get(&format!("{path}?from=x&until=4")).await.is(422).says("from");
        world.get(&format!("{path}?from=0&until={NOW}")).await.is(422);
        world.send(&world.stranger, http::Method::GET, &asked, None).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn traffic_is_summed_by_interval() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        counted(&world, &device, 600, 7_500_000, 600).await;
        let path = format!("/devices/{}/traffic", device["id"].as_str().unwrap());
        let traffic = async |query: &str| world.get(&format!("{path}?{query}")).await.is(200).body["traffic"].clone();
        let sum = |traffic: &Value| -> i64 {
            traffic["datapoints"].as_array().unwrap().iter().map(|p| p[0].as_i64().unwrap()).sum()
        };
        for interval in ["minute", "hour", "day", "week", "month", "year", "hour_of_day", "day_of_week"] {
            let frame = format!("timeframe[started_at]={}&timeframe[ended_at]={NOW}", NOW - 7200);
            let inbound = traffic(&format!("direction=inbound&interval={interval}&{frame}")).await;
            assert_eq!(sum(&inbound), 7_500_000, "{interval}");
            let outbound = traffic(&format!("direction=outbound&interval={interval}&{frame}")).await;
            assert_eq!(sum(&outbound), 600, "{interval}");
        }
        let hours = traffic("direction=inbound&interval=hour_of_day").await;
        assert_eq!(hours["datapoints"], json!([[7_500_000, 20]]));
        // Long before there was anything.
        assert_eq!(traffic("direction=inbound&started_at=1&ended_at=86401").await["datapoints"], json!([]));
        for (query, says) in [
            ("direction=sideways", "direction"),
            ("", "direction"),
            ("direction=inbound&interval=blink", "interval"),
            ("direction=inbound&bucket=internal", "bucket"),
            ("direction=inbound&interval=minute&started_at=1&ended_at=1000000", "interval"),
        ] {
            world.get(&format!("{path}?{query}")).await.is(422).says(says);
        }
    })
    .await;
}

#[tokio::test]
async fn usage_is_hours_at_the_price_that_held() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        world.device("queued").await;
        world.moved(&device, Phase::Up).await;
        let uid: Uid = device["id"].as_str().unwrap().parse().unwrap();
        world
            .system(move |tx| {
                let mut row: Object<Device> = tx.by_uid(uid)?;
                let mut status = row.status.clone();
                status.life.ready_at = Some(Time((NOW - 9000) * 1000));
                Ok(tx.observe(&mut row, status, None)?)
            })
            .await;
        let used = world.get(&format!("/projects/{}/usages", world.project)).await.is(200).body["usages"].clone();
        assert_eq!(used.as_array().unwrap().len(), 1, "what is not ready is not used");
        // Two hours and a half are three that were begun.
        assert_eq!(
            (&used[0]["quantity"], &used[0]["price"], &used[0]["unit"]),
            (&json!("3"), &json!("0.05"), &json!("hour"))
        );
        assert_eq!(used[0]["total"], "0.15");
        let path = format!("/devices/{}/usages", device["id"].as_str().unwrap());
        let hour = format!("{path}?created[after]={}&created[before]={}", NOW - 3600, NOW);
        assert_eq!(world.get(&hour).await.is(200).body["usages"][0]["quantity"], "1");
        let before = format!("{path}?created[after]={}&created[before]={}", NOW - 90_000, NOW - 80_000);
        assert_eq!(world.get(&before).await.is(200).body["usages"], json!([]));
        world.moved(&device, Phase::Gone).await;
        // A device that is gone was used all the same.
        let used = world.get(&format!("/projects/{}/usages", world.project)).await.is(200).body["usages"].clone();
        assert_eq!(used[0]["quantity"], "3");
        world.send(&world.stranger, http::Method::GET, &path, None).await.is(404);
    })
    .await;
}
