//! Several devices ordered together.

use std::{collections::BTreeSet, net::Ipv4Addr};

use http::Method;
use meetme_app::devices::batches;
use meetme_base::Uid;
use meetme_model::{access::Project, metal::Batch};
use meetme_store::Object;
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple};

/// Asks for one batch: a simple order with these changes.
async fn ask(world: &World, changes: Value) -> Value {
    let path = format!("/projects/{}/devices/batch", world.project);
    let mut order = simple("web");
    order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let made = world.post(&path, json!({"batches": [order]})).await.is(201).body;
    assert_eq!(made["batches"][0]["state"], "queued");
    assert_eq!(made["batches"][0]["devices"], json!([]));
    made["batches"][0].clone()
}

/// Does what the controller of batches does, and answers the batch then.
pub async fn carried_out(world: &World, batch: &Value) -> Value {
    let uid = batch["id"].as_str().unwrap().parse().unwrap();
    world
        .system(move |tx| {
            let mut row: Object<Batch> = tx.by_uid(uid)?;
            batches::begin(tx, &mut row)?;
            batches::carry_out(tx, &mut row)
        })
        .await;
    world.get(&format!("/batches/{}?include=devices", batch["id"].as_str().unwrap())).await.is(200).body
}

fn codes(batch: &Value) -> Vec<&str> {
    batch["devices"].as_array().unwrap().iter().map(|d| d["facility"]["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_batch_is_answered_at_once_and_filled_in_later() {
    everywhere(async |world: World| {
        let batch = ask(&world, json!({"quantity": 10, "hostname": "web{{index}}.example.net"})).await;
        let done = carried_out(&world, &batch).await;
        assert_eq!((&done["state"], &done["error_messages"]), (&json!("completed"), &json!([])));
        let names: Vec<&str> =
            done["devices"].as_array().unwrap().iter().map(|d| d["hostname"].as_str().unwrap()).collect();
        assert_eq!((names.len(), names[0], names[9]), (10, "web1.example.net", "web10.example.net"));
        let macs: BTreeSet<String> =
            done["devices"].as_array().unwrap().iter().map(|d| d["network_ports"].to_string()).collect();
        assert_eq!(macs.len(), 10);
        // Done again, it stays as it is.
        assert_eq!(carried_out(&world, &batch).await["devices"].as_array().unwrap().len(), 10);
        let list = world.get(&format!("/projects/{}/devices?per_page=100", world.project)).await.is(200).body;
        assert_eq!(list["meta"]["total"], 10);
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_cannot_be_whole_orders_nothing_and_says_why() {
    everywhere(async |world: World| {
        let batch = ask(&world, json!({"quantity": 11})).await;
        let done = carried_out(&world, &batch).await;
        assert_eq!((&done["state"], &done["devices"]), (&json!("failed"), &json!([])));
        assert!(done["error_messages"][0].as_str().unwrap().contains("baremetal_0"), "{done}");
        let list = world.get(&format!("/projects/{}/devices", world.project)).await.is(200).body;
        assert_eq!(list["meta"]["total"], 0);
        // Addresses for four are left: the batch breaks off in the middle, and what it had is given back.
        let owner: Uid = world.project.parse().unwrap();
        let first = i64::from(u32::from(Ipv4Addr::new(192, 0, 2, 8)));
        world
            .system(move |tx| {
                let owner = tx.by_uid::<Project>(owner)?.id.any();
                Ok(tx.claim_exact("addresses.public", first, 248, owner)?)
            })
            .await;
        let done = carried_out(&world, &ask(&world, json!({"quantity": 10})).await).await;
        assert_eq!(done["state"], "failed");
        assert!(done["error_messages"][0].as_str().unwrap().contains("addresses"), "{done}");
        world.system(move |tx| Ok(tx.release("addresses.public", first)?)).await;
        let batch = ask(&world, json!({"quantity": 10})).await;
        assert_eq!(carried_out(&world, &batch).await["state"], "completed");
    })
    .await;
}

#[tokio::test]
async fn diversity_says_over_how_many_facilities_devices_may_be_spread() {
    everywhere(async |world: World| {
        // Ten are at sjc1 and one at ewr1.
        let one =
            json!({"facility": null, "facilities": ["ewr1", "any"], "facility_diversity_level": 1, "quantity": 2});
        let batch = ask(&world, one).await;
        assert_eq!(codes(&carried_out(&world, &batch).await), ["sjc1", "sjc1"]);
        let two = json!({"facility": ["ewr1", "any"], "facility_diversity_level": 2, "quantity": 2});
        let batch = ask(&world, two).await;
        assert_eq!(codes(&carried_out(&world, &batch).await), ["ewr1", "sjc1"]);
        let most = json!({"facility": "any", "facility_diversity_level": 1, "quantity": 8});
        let batch = ask(&world, most).await;
        assert_eq!(carried_out(&world, &batch).await["state"], "failed");
    })
    .await;
}

#[tokio::test]
async fn names_are_listed_and_features_are_had() {
    everywhere(async |world: World| {
        let order = json!({"hostname": null, "hostnames": ["a", "b"], "plan": "baremetal_1", "features": ["tpm"]});
        let batch = ask(&world, order).await;
        assert_eq!(batch["quantity"], 2);
        // There is one with that feature.
        assert_eq!(carried_out(&world, &batch).await["state"], "failed");
        let batch =
            ask(&world, json!({"hostnames": ["a", "b"], "plan": "baremetal_1", "features": {"tpm": "preferred"}}))
                .await;
        let done = carried_out(&world, &batch).await;
        assert_eq!((&done["devices"][0]["hostname"], &done["devices"][1]["hostname"]), (&json!("a"), &json!("b")));
    })
    .await;
}

#[tokio::test]
async fn a_batch_goes_alone_or_with_its_devices() {
    everywhere(async |world: World| {
        for flag in ["", "?remove_associated_instances=true"] {
            let batch = ask(&world, json!({"quantity": 2, "tags": ["batch"]})).await;
            carried_out(&world, &batch).await;
            let path = format!("/batches/{}", batch["id"].as_str().unwrap());
            world.delete(&format!("{path}{flag}")).await.is(204);
            world.get(&path).await.is(404);
            world.delete(&path).await.is(404);
            let list = world.get(&format!("/projects/{}/devices", world.project)).await.is(200).body;
            assert_eq!(list["meta"]["total"], 2, "those of the first batch live on, those of the second are going");
        }
        let locked = ask(&world, json!({"quantity": 1, "locked": true})).await;
        carried_out(&world, &locked).await;
        let path = format!("/batches/{}?remove_associated_instances=true", locked["id"].as_str().unwrap());
        world.delete(&path).await.is(422).says("locked");
        world.get(&path).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_said_at_once_and_nothing_is_kept() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/devices/batch", world.project);
        let batch = |changes: Value| {
            let mut order = simple("web");
            order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            json!({"batches": [simple("good"), order]})
        };
        for (changes, says) in [
            (json!({"quantity": 0}), "quantity"),
            (json!({"quantity": 101}), "quantity"),
            (json!({"quantity": 70_000}), "quantity"),
            (json!({"quantity": 2, "hostnames": ["a"]}), "hostnames"),
            (json!({"hostname": "not a name"}), "hostname"),
            (json!({"plan": "none"}), "batches.1.plan"),
            (json!({"facility": "nowhere"}), "facility"),
            (json!({"facility_diversity_level": -1}), "facility_diversity_level"),
        ] {
            world.post(&path, batch(changes)).await.is(422).says(says);
        }
        world.post(&path, json!({})).await.is(422).says("batches");
        world.post(&path, json!({"batches": []})).await.is(422).says("batches");
        let many: Vec<Value> = (0..11).map(|_| simple("web")).collect();
        world.post(&path, json!({"batches": many})).await.is(422).says("batches");
        let list = world.get(&format!("/projects/{}/batches", world.project)).await.is(200).body;
        assert_eq!(list["batches"], json!([]));
        let batch = ask(&world, json!({})).await;
        let one = format!("/batches/{}", batch["id"].as_str().unwrap());
        let list = format!("/projects/{}/batches", world.project);
        for (method, path) in [(Method::GET, &one), (Method::DELETE, &one), (Method::GET, &list)] {
            world.send(&world.stranger, method, path, None).await.is(404);
        }
    })
    .await;
}
