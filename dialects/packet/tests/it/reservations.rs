//! Servers that a project has for itself.

use http::Method;
use meetme_app::devices::reservations::{self, NewReservation};
use meetme_model::{Ext, Phase, Term, access::Project, metal::Server, place::Money};
use meetme_store::Filter;
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple};

/// The operator reserves a server for the project; answers the reservation's path.
pub async fn reserved(world: &World, serial: &'static str, spare: bool) -> String {
    let project = world.project.parse().unwrap();
    let uid = world
        .system(move |tx| {
            let project = tx.by_uid::<Project>(project)?.id;
            let server = tx.one::<Server>(&Filter::eq("serial", serial))?.unwrap().id;
            let new = NewReservation {
                server,
                spare,
                description: Some(format!("Server {serial}")),
                term: Term::Months(1),
                intervals: Some(12),
                rate: Some(Money { micros: 75_000_000, currency: "USD".into() }),
                remove_at: None,
                ext: Ext::new(),
            };
            Ok(reservations::reserve(tx, project, &new)?.uid)
        })
        .await;
    format!("/hardware-reservations/{uid}")
}

fn on(reservation: &str, hostname: &str) -> Value {
    let mut order = simple(hostname);
    order["hardware_reservation_id"] = reservation.rsplit('/').next().unwrap().into();
    order.as_object_mut().unwrap().remove("facility");
    order
}

#[tokio::test]
async fn a_reserved_server_is_for_its_project_alone() {
    everywhere(async |world: World| {
        for serial in ["S0", "S1"] {
            reserved(&world, serial, false).await;
        }
        let orders = format!("/projects/{}/devices", world.project);
        for n in 0..8 {
            world.post(&orders, simple(&format!("web{n}"))).await.is(201);
        }
        // Two are left, and they are nobody's who does not ask for them.
        world.post(&orders, simple("web8")).await.is(422).says("baremetal_0");
        let report = world.get("/capacity").await.is(200).body;
        assert_eq!(report["capacity"]["sjc1"]["baremetal_0"]["level"], "unavailable");
        let first = world.post(&orders, on("next-available", "own0")).await.is(201).body;
        let second = world.post(&orders, on("next-available", "own1")).await.is(201).body;
        assert_ne!(first["hardware_reservation"]["href"], second["hardware_reservation"]["href"]);
        world.post(&orders, on("next-available", "own2")).await.is(422).says("hardware reservations");
        let list = world.get(&format!("{orders}?reserved=true")).await.is(200).body;
        assert_eq!(list["meta"]["total"], 2);
        assert_eq!(world.get(&format!("{orders}?reserved=false")).await.is(200).body["meta"]["total"], 8);
    })
    .await;
}

#[tokio::test]
async fn a_reservation_is_provisionable_again_once_its_server_is_wiped() {
    everywhere(async |world: World| {
        let path = reserved(&world, "S3", false).await;
        let orders = format!("/projects/{}/devices", world.project);
        let made = world.post(&orders, on(&path, "own")).await.is(201).body;
        assert_eq!(made["hardware_reservation"]["href"], path);
        assert_eq!(made["facility"]["code"], "sjc1");
        let shown = world.get(&format!("{path}?include=device")).await.is(200).body;
        assert_eq!((&shown["provisionable"], &shown["device"]["hostname"]), (&json!(false), &json!("own")));
        world.post(&orders, on(&path, "other")).await.is(422).says("cannot be provisioned");
        world.delete(&format!("/devices/{}", made["id"].as_str().unwrap())).await.is(204);
        // It is wiped first.
        assert_eq!(world.get(&path).await.is(200).body["provisionable"], false);
        world.post(&orders, on(&path, "other")).await.is(422);
        world.moved(&made, Phase::Gone).await;
        let shown = world.get(&path).await.is(200).body;
        assert_eq!((&shown["provisionable"], &shown["device"]), (&json!(true), &Value::Null));
        // The server is still the project's own.
        let report = world.get("/capacity").await.is(200).body;
        assert_eq!(report["capacity"]["sjc1"]["baremetal_0"]["level"], "normal");
        for n in 0..9 {
            world.post(&orders, simple(&format!("web{n}"))).await.is(201);
        }
        world.post(&orders, simple("web9")).await.is(422);
        world.post(&orders, on(&path, "other")).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_reservation_fits_the_order_or_the_order_is_refused() {
    everywhere(async |world: World| {
        let path = reserved(&world, "S3", false).await;
        let orders = format!("/projects/{}/devices", world.project);
        let with = |changes: Value| {
            let mut order = on(&path, "own");
            order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            order
        };
        world.post(&orders, with(json!({"plan": "baremetal_1"}))).await.is(422).says("hardware_reservation_id");
        world.post(&orders, with(json!({"facility": "ewr1"}))).await.is(422).says("hardware_reservation_id");
        let spot = json!({"spot_instance": true, "spot_price_max": 1});
        world.post(&orders, with(spot)).await.is(422).says("spot_instance");
        let none = json!({"hardware_reservation_id": "00000000-0000-4000-8000-000000000000"});
        world.post(&orders, with(none)).await.is(422).says("hardware_reservation_id");
        // Of another project, it is as if it were not there.
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let there = format!("/projects/{}/devices", other["id"].as_str().unwrap());
        world.post(&there, on(&path, "own")).await.is(422).says("hardware_reservation_id");
        world.post(&orders, with(json!({"facility": ["ewr1", "any"]}))).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_reservation_moves_within_its_organization_while_nothing_is_on_it() {
    everywhere(async |world: World| {
        let path = reserved(&world, "S3", false).await;
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let other = other["id"].as_str().unwrap();
        let to = |project: &str| json!({ "project_id": project });
        let made = world.post(&format!("/projects/{}/devices", world.project), on(&path, "own")).await.is(201).body;
        world.post(&format!("{path}/move"), to(other)).await.is(422).says("wiped");
        world.delete(&format!("/devices/{}", made["id"].as_str().unwrap())).await.is(204);
        world.moved(&made, Phase::Gone).await;
        let foreign = world.send(&world.stranger, Method::POST, "/projects", Some(&json!({"name": "x"}))).await.is(201);
        world.post(&format!("{path}/move"), to(foreign.body["id"].as_str().unwrap())).await.is(422).says("project_id");
        world.post(&format!("{path}/move"), json!({})).await.is(422).says("project_id");
        let moved = world.post(&format!("{path}/move"), to(other)).await.is(201).body;
        assert_eq!(moved["project"]["href"], format!("/projects/{other}"));
        let lists = |project: &str| format!("/projects/{project}/hardware-reservations");
        assert_eq!(world.get(&lists(&world.project)).await.is(200).body["meta"]["total"], 0);
        assert_eq!(world.get(&lists(other)).await.is(200).body["meta"]["total"], 1);
        world.post(&format!("/projects/{other}/devices"), on("next-available", "own")).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_spare_is_made_active_once() {
    everywhere(async |world: World| {
        let path = reserved(&world, "S4", true).await;
        reserved(&world, "S5", false).await;
        let orders = format!("/projects/{}/devices", world.project);
        world.post(&orders, on(&path, "own")).await.is(422);
        let list = |query: &str| format!("/projects/{}/hardware-reservations?{query}", world.project);
        let total = async |query: &str| world.get(&list(query)).await.is(200).body["meta"]["total"].clone();
        assert_eq!(
            (total("").await, total("state=spare").await, total("state=active").await),
            (json!(2), json!(1), json!(1))
        );
        assert_eq!((total("provisionable=only").await, total("query=s4").await), (json!(1), json!(1)));
        let active = world.post(&format!("{path}/activate"), json!({"description": "In use"})).await.is(201).body;
        assert_eq!((&active["spare"], &active["provisionable"]), (&json!(false), &json!(true)));
        world.post(&format!("{path}/activate"), json!({})).await.is(422).says("active");
        assert_eq!(total("provisionable=only").await, 2);
        world.post(&orders, on(&path, "own")).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_broken_server_needs_service() {
    everywhere(async |world: World| {
        let path = reserved(&world, "S4", false).await;
        world
            .system(|tx| {
                let mut server = tx.one::<Server>(&Filter::eq("serial", "S4"))?.unwrap();
                let spec = Server { in_service: false, ..server.spec.clone() };
                Ok(tx.save(&mut server, spec)?)
            })
            .await;
        let shown = world.get(&path).await.is(200).body;
        assert_eq!((&shown["need_of_service"], &shown["provisionable"]), (&json!(true), &json!(false)));
        let list = format!("/projects/{}/hardware-reservations?state=need_of_service", world.project);
        assert_eq!(world.get(&list).await.is(200).body["meta"]["total"], 1);
        // Nine others are free; what is held and out of service is not counted for free.
        let report = world.post("/capacity", json!({"servers": [
            {"facility": "sjc1", "plan": "baremetal_0", "quantity": 9}, {"facility": "sjc1", "plan": "baremetal_0", "quantity": 10},
        ]}));
        let report = report.await.is(200).body;
        assert_eq!((&report["servers"][0]["available"], &report["servers"][1]["available"]), (&json!(true), &json!(false)));
    })
    .await;
}

#[tokio::test]
async fn a_stranger_does_not_learn_of_a_reservation() {
    everywhere(async |world: World| {
        let path = reserved(&world, "S4", true).await;
        world.send(&world.stranger, Method::GET, &path, None).await.is(404);
        let mine = world.send(&world.stranger, Method::POST, "/projects", Some(&json!({"name": "x"}))).await.is(201);
        let to = json!({"project_id": mine.body["id"]});
        world.send(&world.stranger, Method::POST, &format!("{path}/move"), Some(&to)).await.is(404);
        world.send(&world.stranger, Method::POST, &format!("{path}/activate"), None).await.is(404);
    })
    .await;
}
