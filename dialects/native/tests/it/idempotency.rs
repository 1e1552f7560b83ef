use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, both};

async fn post(world: &World, token: &str, key: &str, path: &str, body: &Value) -> crate::world::Said {
    let bearer = format!("Bearer {token}");
    world.send(&format!("POST {path}"), &[("authorization", &bearer), ("idempotency-key", key)], body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_at_the_same_time_make_one_object() {
    for world in both().await {
        // Teams have unique names, tags of two requests do not: both ways of losing the race must end in the same answer.
        for (kind, body) in [("team", json!({"name": "One"})), ("role", json!({"name": "r", "grants": []}))] {
            let path = format!("/{kind}");
            let before = count(&world, kind).await;
            let all = join_all((0..12).map(|_| post(&world, &world.root, "k1", &path, &body))).await;
            // One key for two kinds is two requests: only the first kind is made.
            if kind == "team" {
                let first = all[0].is(201).json();
                assert!(all.iter().all(|said| said.is(201).json() == first), "{}", world.make);
                let replayed = all.iter().filter(|said| said.header("idempotent-replayed") == "true").count();
                assert_eq!((replayed, count(&world, kind).await), (11, before + 1), "{}", world.make);
            } else {
                assert!(all.iter().all(|said| said.is(422).error().1 == "reused"), "{}", world.make);
                assert_eq!(count(&world, kind).await, before);
            }
        }
    }
}

async fn count(world: &World, kind: &str) -> i64 {
    world.root(&format!("GET /{kind}?count=true"), &Value::Null).await.json()["count"].as_i64().unwrap()
}

#[tokio::test]
async fn a_key_is_good_for_one_body_and_one_caller() {
    for world in both().await {
        let body = json!({"name": "One"});
        post(&world, &world.root, "k", "/team", &body).await.is(201);
        let other = post(&world, &world.root, "k", "/team", &json!({"name": "Two"})).await;
        assert_eq!(other.is(422).error(), ("Idempotency-Key".to_owned(), "reused".to_owned()));
        let own = post(&world, &world.customer, "k", "/team", &body).await;
        assert_eq!((own.is(201).header("idempotent-replayed"), &own.json()["tenant"]), ("", &json!(world.customer_id)));
        post(&world, &world.root, "", "/team", &body).await.is(422);
    }
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    for world in both().await {
        post(&world, &world.root, "k", "/team", &json!({"name": ""})).await.is(422);
        post(&world, &world.root, "k", "/team", &json!({"name": "Good"})).await.is(201);
    }
}

#[tokio::test]
async fn a_secret_shown_once_is_shown_again_to_a_repeat_only() {
    for world in both().await {
        let body = json!({"name": "robot"});
        let first = post(&world, &world.root, "k", "/key", &body).await.is(201).json();
        let secret = first["secret"].as_str().unwrap().to_owned();
        assert_eq!(post(&world, &world.root, "k", "/key", &body).await.is(201).json(), first);
        world.by(&secret, "GET /whoami", &Value::Null).await.is(200);
        let read = world.root(&format!("GET /key/{}", first["id"]), &Value::Null).await.is(200).json();
        assert_eq!((read.get("secret"), &read["spec"]["hash"]), (None, &json!({"$sealed": true})));
    }
}
