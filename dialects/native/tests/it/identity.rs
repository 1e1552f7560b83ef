use serde_json::{Value, json};

use crate::world::{World, both, one};

#[tokio::test]
async fn a_person_logs_in_and_out() {
    for world in both().await {
        let wrong = json!({"username": "root", "password": "wrong"});
        assert_eq!(world.send("POST /login", &[], &wrong).await.is(401).header("www-authenticate"), "Bearer");
        let right = json!({"username": "root", "password": "correct horse"});
        let session = world.send("POST /login", &[], &right).await.is(200).json();
        let token = session["token"].as_str().unwrap();
        let me = world.send("GET /whoami", &[("x-auth-token", token)], &Value::Null).await.is(200).json();
        assert_eq!(
            (&me["name"], &me["superuser"], &me["home"]),
            (&json!("root"), &json!(true), &json!(world.operator))
        );
        let fresh = world.send("POST /refresh", &[], &json!({"refresh": session["refresh"]})).await.is(200).json();
        world.by(fresh["token"].as_str().unwrap(), "GET /whoami", &Value::Null).await.is(200);
        world.send("POST /logout", &[("authorization", &format!("Token {token}"))], &Value::Null).await.is(204);
        world.by(token, "GET /whoami", &Value::Null).await.is(401);
    }
}

#[tokio::test]
async fn a_password_is_set_in_the_clear_and_never_seen_again() {
    let world = one().await;
    let ada = world.root("GET /user?username=ada", &Value::Null).await.json()["items"][0].clone();
    let at = format!("/user/{}", ada["id"]);
    let said =
        world.root(&format!("PATCH {at}"), &json!({"password_hash": {"$secret": "swordfish"}})).await.is(200).json();
    assert_eq!(said["spec"]["password_hash"], json!({"$sealed": true}));
    world.send("POST /login", &[], &json!({"username": "ada", "password": "swordfish"})).await.is(200);
    // A document read and sent back leaves the secret as it is.
    let mut spec = said["spec"].clone();
    spec["first_name"] = json!("Ada");
    world.root(&format!("PUT {at}"), &spec).await.is(200);
    world.send("POST /login", &[], &json!({"username": "ada", "password": "swordfish"})).await.is(200);
    let made_up = json!({"password_hash": {"$sealed": "$argon2id$v=19$"}});
    assert_eq!(world.root(&format!("PATCH {at}"), &made_up).await.is(422).error().1, "secret");
    let log = world.root("GET /changes?kind=user", &Value::Null).await;
    assert!(log.status == 200 && !String::from_utf8_lossy(&log.body).contains("argon2"));
}

#[tokio::test]
async fn nobody_gives_rights_they_do_not_have() {
    for world in both().await {
        let ada = world.customer.as_str();
        let user = world.by(ada, "GET /user?username=ada", &Value::Null).await.json()["items"][0].clone();
        let at = format!("PATCH /user/{}", user["id"]);
        world.by(ada, &at, &json!({"superuser": true})).await.is(403);
        world.by(ada, &at, &json!({"staff": true})).await.is(403);
        world.by(ada, &at, &json!({"home": world.operator})).await.is(422);
        world.by(ada, &at, &json!({"first_name": "Ada"})).await.is(200);

        // A helper who may look and make memberships, roles and keys, and nothing more.
        let grants = json!([{"kinds": ["*"], "verbs": ["see"]}, {"kinds": ["membership", "role", "key"], "verbs": ["see", "create", "change"]}]);
        let role = world.by(ada, "POST /role", &json!({"name": "helper", "grants": grants})).await.is(201).json();
        let bob =
            world.by(ada, "POST /user", &json!({"username": "bob", "home": world.customer_id})).await.is(201).json();
        let place = json!({"user": bob["id"], "scope": world.customer_id, "roles": [role["id"]]});
        let place = world.by(ada, "POST /membership", &place).await.is(201).json();
        let key = world.by(ada, "POST /key", &json!({"name": "bob", "owner": bob["id"]})).await.is(201).json();
        let bob_key = key["secret"].as_str().unwrap();

        let owner = world.by(ada, "GET /role?name=owner", &Value::Null).await.json()["items"][0]["id"].clone();
        let more = json!({"roles": [role["id"], owner]});
        let place = format!("PATCH /membership/{}", place["id"]);
        world.by(bob_key, &place, &more).await.is(403);
        world
            .by(bob_key, "POST /role", &json!({"name": "all", "grants": [{"kinds": ["*"], "verbs": ["*"]}]}))
            .await
            .is(403);
        world.by(bob_key, &format!("PATCH /role/{}", role["id"]), &json!({"name": "helpers"})).await.is(200);
        world.by(bob_key, "POST /key", &json!({"name": "ada's", "owner": user["id"]})).await.is(403);
        world.by(bob_key, "POST /key", &json!({"name": "organization's", "owner": world.customer_id})).await.is(403);
        // The administrator gives what they please on their own node.
        world.by(ada, &place, &more).await.is(200);
    }
}

#[tokio::test]
async fn a_key_with_limits_makes_no_key_without() {
    let world = one().await;
    let looker = world.root("GET /role?name=admin", &Value::Null).await.json()["items"][0]["id"].clone();
    let cut = world.root("POST /key", &json!({"name": "cut", "roles": [looker]})).await.is(201).json();
    let cut = cut["secret"].as_str().unwrap();
    world.by(cut, "GET /key", &Value::Null).await.is(200);
    world.by(cut, "POST /key", &json!({"name": "whole"})).await.is(403);
    let blind = world.root("POST /key", &json!({"name": "blind", "read_only": true})).await.is(201).json();
    world.by(blind["secret"].as_str().unwrap(), "POST /team", &json!({"name": "x"})).await.is(403);
}

/// A user of the customer with these grants and a key without limits; answers the user's id, the role's and the key.
pub async fn colleague(world: &World, name: &str, grants: Value) -> (Value, Value, Value) {
    let ada = world.customer.as_str();
    let role = world.by(ada, "POST /role", &json!({"name": name, "grants": grants})).await.is(201).json();
    let user = json!({"username": name, "home": world.customer_id});
    let user = world.by(ada, "POST /user", &user).await.is(201).json();
    let place = json!({"user": user["id"], "scope": world.customer_id, "roles": [role["id"]]});
    world.by(ada, "POST /membership", &place).await.is(201);
    let key = world.by(ada, "POST /key", &json!({"name": name, "owner": user["id"]})).await.is(201).json();
    (user["id"].clone(), role["id"].clone(), key)
}

async fn builtin(world: &World, name: &str) -> Value {
    world.root(&format!("GET /role?name={name}"), &Value::Null).await.json()["items"][0]["id"].clone()
}

#[tokio::test]
async fn a_key_never_has_more_than_its_maker() {
    for world in both().await {
        let grants = json!([
            {"kinds": ["*"], "verbs": ["see"]}, {"kinds": ["key"], "verbs": ["create", "change"]},
            // Some rows only: nothing that could be compared, so it is passed on as the role it is, or not at all.
            {"kinds": ["team"], "verbs": ["change"], "filter": {"field": "name", "op": "eq", "value": "x"}},
        ]);
        let (_, helper, key) = colleague(&world, "bob", grants).await;
        let (bob, owner) = (key["secret"].as_str().unwrap(), builtin(&world, "owner").await);
        let said = world.by(bob, "POST /key", &json!({"name": "all", "roles": [owner]})).await.is(403).json();
        assert_eq!(said["detail"], "You cannot give the right to * organization objects: you do not have it.");
        let cut = world.by(bob, "POST /key", &json!({"name": "cut", "roles": [helper]})).await.is(201).json();
        let at = format!("PATCH /key/{}", cut["id"]);
        world.by(bob, &at, &json!({"roles": [helper, owner]})).await.is(403);
        let cut = cut["secret"].as_str().unwrap();
        for wish in [json!({"roles": []}), json!({"objects": [], "name": "mine"})] {
            let said = world.by(cut, &at, &wish).await.is(403).json();
            assert_eq!(said["detail"], "A key with limits cannot do this.");
        }
        world.by(bob, &at, &json!({"roles": []})).await.is(200);
        let fixed = world.by(bob, &at, &json!({"public": "AbCdEfGhIjKlMnOpQr-_12"})).await;
        assert_eq!(fixed.is(422).error().0, "public");
    }
}

#[tokio::test]
async fn who_has_rights_elsewhere_is_not_acted_for() {
    for world in both().await {
        let (ada, see) = (world.customer.as_str(), json!([{"kinds": ["*"], "verbs": ["see"]}]));
        let (user, _, key) = colleague(&world, "bob", see).await;
        let other = world.root("POST /organization", &json!({"name": "Other"})).await.is(201).json();
        let place = json!({"user": user, "scope": other["id"], "roles": [builtin(&world, "owner").await]});
        world.root("POST /membership", &place).await.is(201);
        let made = json!({"name": "bob's", "owner": user});
        let said = world.by(ada, "POST /key", &made).await.is(403).json();
        assert_eq!(said["detail"], "This user has rights that you do not have.");
        let password = json!({"password_hash": {"$secret": "swordfish"}});
        world.by(ada, &format!("PATCH /user/{user}"), &password).await.is(403);
        // A key may be shut by the administrator of its owner's home, and is not opened again by them.
        let at = format!("PATCH /key/{}", key["id"]);
        world.by(ada, &at, &json!({"enabled": false})).await.is(200);
        world.by(ada, &at, &json!({"enabled": true})).await.is(403);
        world.root(&at, &json!({"enabled": true})).await.is(200);
        world.root("POST /key", &made).await.is(201);
    }
}

#[tokio::test]
async fn a_superusers_keys_are_their_own() {
    let world = one().await;
    let root = world.root("GET /user?username=root", &Value::Null).await.json()["items"][0]["id"].clone();
    let admin = json!({"username": "deputy", "home": world.operator});
    let admin = world.root("POST /user", &admin).await.is(201).json();
    let place = json!({"user": admin["id"], "scope": world.operator, "roles": [builtin(&world, "admin").await]});
    world.root("POST /membership", &place).await.is(201);
    let deputy = world.root("POST /key", &json!({"name": "d", "owner": admin["id"]})).await.is(201).json();
    let deputy = deputy["secret"].as_str().unwrap();
    let said = world.by(deputy, "POST /key", &json!({"name": "root's", "owner": root})).await.is(403).json();
    assert_eq!(said["detail"], "A superuser's keys are the superuser's own affair.");
    let keys = world.by(deputy, &format!("GET /key?owner={root}"), &Value::Null).await.json();
    let at = format!("PATCH /key/{}", keys["items"][0]["id"]);
    world.by(deputy, &at, &json!({"expires_at": null, "name": "x"})).await.is(403);
    // The operator's own keys are the administrators'.
    world.by(deputy, "POST /key", &json!({"name": "robot", "owner": world.operator})).await.is(201);
}

#[tokio::test]
async fn an_organization_hangs_below_its_parent() {
    for world in both().await {
        let child = world.by(&world.customer, "POST /organization", &json!({"name": "Child"})).await.is(201).json();
        assert_eq!((&child["spec"]["parent"], &child["tenant"]), (&json!(world.customer_id), &child["id"]));
        let second = json!({"name": "Second", "form": "operator"});
        assert_eq!(world.root("POST /organization", &second).await.is(422).error().0, "form");
        let team = world
            .by(
                &world.customer,
                &format!("POST /team?tenant={}", child["uid"].as_str().unwrap()),
                &json!({"name": "T"}),
            )
            .await;
        assert_eq!(team.is(201).json()["tenant"], child["id"]);
    }
}
