//! Users, groups with permissions, and tokens.

use serde_json::{Value, json};

use crate::world::{self, World};

const AS: &str = "/api/peering/autonomous-systems/";
const FORBIDDEN: &str = "You do not have permission to perform this action.";

/// A new user of the customer, and a token that the owner made for the user.
async fn login(w: &World, name: &str) -> (i64, String) {
    let user = w.make("users/users", json!({"username": name, "password": "a long password"})).await;
    let said = w.tell("POST /api/users/tokens/", json!({"user": user})).await;
    (user, said.is(201).body["key"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_new_user_reads_the_book_and_a_group_lets_more() {
    for w in world::both().await {
        let id = w.autonomous_system(64500).await;
        let (user, token) = login(&w, "grace").await;
        w.by(&token, &format!("GET {AS}{id}/"), Value::Null).await.is(200);
        let new = json!({"asn": 64501, "name": "B"});
        w.by(&token, &format!("POST {AS}"), new.clone()).await.is(403).says(json!({"detail": FORBIDDEN}));
        let permissions = json!(["peering.add_autonomoussystem", "peering.change_autonomoussystem"]);
        let group = w.make("users/groups", json!({"name": "NOC", "permissions": permissions})).await;
        let said = w.ask(&format!("GET /api/users/groups/{group}/?fields=name,permissions,user_count")).await;
        said.says(json!({"name": "NOC", "user_count": 0, "permissions": permissions}));
        let said = w.tell(&format!("PATCH /api/users/users/{user}/"), json!({"groups": [group]})).await;
        assert_eq!(said.is(200).body["groups"][0]["name"], "NOC");
        w.by(&token, &format!("POST {AS}"), new).await.is(201);
        assert_eq!(w.ask("GET /api/users/users/?group=NOC").await.ids(), [user]);
        assert_eq!(w.ask(&format!("GET /api/users/users/?group_id={group}")).await.ids(), [user]);
        w.ask("GET /api/users/users/?group=None").await.is(400);
        w.by(&token, &format!("DELETE {AS}{id}/"), Value::Null).await.is(403);
        // Taken from the group, taken from its members.
        let fewer = json!({"permissions": ["peering.change_autonomoussystem"]});
        w.tell(&format!("PATCH /api/users/groups/{group}/"), fewer).await.is(200);
        w.by(&token, &format!("POST {AS}"), json!({"asn": 64502, "name": "C"})).await.is(403);
        w.by(&token, &format!("PATCH {AS}{id}/"), json!({"name": "D"})).await.is(200);
        w.tell(&format!("PATCH /api/users/users/{user}/"), json!({"groups": []})).await.is(200);
        w.by(&token, &format!("PATCH {AS}{id}/"), json!({"name": "E"})).await.is(403);
        w.ask(&format!("DELETE /api/users/groups/{group}/")).await.is(204);
        w.tell("POST /api/users/groups/", json!({"name": "X", "permissions": ["no.such"]})).await.is(400);
    }
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    for w in world::both().await {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let grant = |kinds, verbs| meetme_model::access::Grant {
            kinds: words(kinds),
            verbs: words(verbs),
            ..Default::default()
        };
        let clerk = vec![grant("@routing @ops", "see"), grant("user team key membership", "see create change remove")];
        let clerk = w.user("clerk", clerk).await;
        // What every login may is theirs to give, and no more.
        let user = json!({"username": "grace", "password": "a long password"});
        let said = w.by(&clerk, "POST /api/users/users/", user).await;
        let user = said.is(201).body["id"].clone();
        let more = json!({"name": "More", "permissions": ["peering.add_autonomoussystem"]});
        w.by(&clerk, "POST /api/users/groups/", more.clone()).await.is(403);
        assert_eq!(w.ask("GET /api/users/groups/?name=More").await.body["count"], 0, "all or none");
        let group = w.make("users/groups", more).await;
        // Whoever adds a member gives what the group gives.
        let path = format!("PATCH /api/users/users/{user}/");
        w.by(&clerk, &path, json!({"groups": [group]})).await.is(403);
        w.by(&clerk, &format!("PATCH /api/users/groups/{group}/"), json!({"users": [user]})).await.is(403);
        w.by(&clerk, &path, json!({"is_staff": true})).await.is(403);
        w.by(&clerk, &path, json!({"first_name": "Grace"})).await.is(200);
        // The owner's password and tokens would be the owner's rights.
        let owner = format!("PATCH /api/users/users/{}/", w.owner.get());
        w.by(&clerk, &owner, json!({"password": "another password"})).await.is(403);
        w.by(&clerk, "POST /api/users/tokens/", json!({"user": w.owner.get()})).await.is(403);
        w.by(&clerk, &format!("DELETE /api/users/groups/{group}/"), Value::Null).await.is(204);
    }
}

#[tokio::test]
async fn a_password_is_taken_and_never_shown() {
    let w = world::one().await;
    let said = w.tell("POST /api/users/users/", json!({"username": "grace", "password": "a long password"})).await;
    let id = said.is(201).body["id"].clone();
    assert_eq!(said.body.get("password"), None);
    assert_eq!(
        w.ask(&format!("GET /api/users/users/{id}/?fields=password,username")).await.body,
        json!({"username": "grace"})
    );
    let log = w.ask(&format!("GET /api/core/object-changes/?changed_object_id={id}")).await;
    assert!(!log.is(200).body.to_string().contains("password"), "{}", log.body);
    let secret = meetme_base::Secret::new("a long password".to_owned());
    let user = meetme_app::identity::login(&w.app, "grace", secret, None, None).await.unwrap();
    assert_eq!(json!(user.id.get()), id);
    for (bad, text) in [
        (json!(""), "This field may not be blank."),
        (json!({"hash": "$argon2id$"}), "This field may not be null."),
        (json!("x".repeat(129)), "Ensure this field has no more than 128 characters."),
    ] {
        let said = w.tell("POST /api/users/users/", json!({"username": "x", "password": bad})).await;
        said.is(400).says(json!({"password": [text]}));
    }
    w.tell("POST /api/users/users/", json!({"username": "y"})).await.is(400);
    let taken = json!({"username": "GRACE", "password": "a long password"});
    assert!(w.tell("POST /api/users/users/", taken).await.is(400).body["username"].is_array());
    let stranger = w.stranger().await;
    w.by(&stranger, &format!("GET /api/users/users/{id}/"), Value::Null).await.is(404);
    w.by(&stranger, &format!("DELETE /api/users/users/{id}/"), Value::Null).await.is(404);
}

#[tokio::test]
async fn a_token_is_shown_once_and_can_be_cut_down() {
    for w in world::both().await {
        let one = w.autonomous_system(64500).await;
        let two = w.autonomous_system(64501).await;
        let wish = json!({
            "description": "ci", "write_enabled": false, "allowed_ips": ["127.0.0.0/8"], "expires": "2030-01-01T00:00:00Z",
        });
        let said = w.tell("POST /api/users/tokens/", wish).await;
        let (id, key) = (said.is(201).body["id"].clone(), said.body["key"].as_str().unwrap().to_owned());
        assert_eq!((key.len(), &said.body["user"]["username"]), (40, &json!("ada")));
        assert_eq!(said.body["allowed_ips"], json!(["127.0.0.0/8"]));
        let again = w.ask(&format!("GET /api/users/tokens/{id}/")).await;
        assert_eq!((&again.is(200).body["key"], &again.body["description"]), (&Value::Null, &json!("ci")));
        assert!(!w.ask("GET /api/users/tokens/").await.body.to_string().contains(&key));
        w.by(&key, &format!("GET {AS}{one}/"), Value::Null).await.is(200);
        w.by(&key, &format!("PATCH {AS}{one}/"), json!({"name": "x"})).await.is(403).says(json!({"detail": FORBIDDEN}));
        // A token that was cut down makes no whole one.
        w.by(&key, "POST /api/users/tokens/", json!({})).await.is(403);
        w.tell(&format!("PATCH /api/users/tokens/{id}/"), json!({"write_enabled": true})).await.is(200);
        w.by(&key, &format!("PATCH {AS}{one}/"), json!({"name": "x"})).await.is(200);
        w.tell(&format!("PATCH /api/users/tokens/{id}/"), json!({"objects": [two]})).await.is(200);
        w.by(&key, &format!("GET {AS}{one}/"), Value::Null).await.is(404);
        w.by(&key, &format!("PATCH {AS}{two}/"), json!({"name": "y"})).await.is(200);
        w.ask(&format!("DELETE /api/users/tokens/{id}/")).await.is(204);
        let gone = w.by(&key, &format!("GET {AS}{two}/"), Value::Null).await;
        gone.is(403).says(json!({"detail": "Invalid token"}));
        let many = w.tell("POST /api/users/tokens/", json!([{"description": "a"}, {"description": "b"}])).await;
        let keys: Vec<&Value> = many.is(201).body.as_array().unwrap().iter().map(|row| &row["key"]).collect();
        assert!(keys.len() == 2 && keys[0] != keys[1] && keys[0].is_string());
        for bad in [json!({"allowed_ips": ["x"]}), json!({"objects": [999_999]}), json!({"user": 999_999})] {
            w.tell("POST /api/users/tokens/", bad).await.is(400);
        }
        let stranger = w.stranger().await;
        let theirs = many.body[0]["id"].clone();
        w.by(&stranger, &format!("GET /api/users/tokens/{theirs}/"), Value::Null).await.is(404);
        w.by(&stranger, &format!("DELETE /api/users/tokens/{theirs}/"), Value::Null).await.is(404);
        w.send("GET /api/users/tokens/", &[], "").await.is(403);
    }
}
