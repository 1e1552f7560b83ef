//! Rights that are limited to fields.

use serde_json::{Value, json};

use crate::{
    identity::colleague,
    world::{Said, World, both, one},
};

/// A role with these grants, and the secret of a user who has it.
async fn user(world: &World, name: &str, grants: Value) -> (Value, String) {
    let (_, role, key) = colleague(world, name, grants).await;
    (role, key["secret"].as_str().unwrap().to_owned())
}

/// It was refused, for this field.
#[track_caller]
fn refused(said: &Said, field: &str) {
    let detail = said.is(403).json()["detail"].clone();
    assert_eq!(detail, format!("You do not have the right to change {field} of team objects here."));
}

#[tokio::test]
async fn a_change_touches_only_the_fields_it_may() {
    for world in both().await {
        let grants = json!([
            {"kinds": ["*"], "verbs": ["see"]},
            {"kinds": ["team"], "verbs": ["change"], "fields": ["description"]},
            {"kinds": ["team"], "verbs": ["change"], "fields": ["slug"],
             "filter": {"field": "name", "op": "eq", "value": "open"}},
        ]);
        let (_, writer) = user(&world, "writer", grants).await;
        let mut at = Vec::new();
        for name in ["open", "shut"] {
            let team = json!({"name": name, "description": "before"});
            let team = world.by(&world.customer, "POST /team", &team).await.is(201).json();
            at.push(format!("/team/{}", team["id"]));
        }
        for path in &at {
            let patch = format!("PATCH {path}");
            world.by(&writer, &patch, &json!({"description": "after"})).await.is(200);
            refused(&world.by(&writer, &patch, &json!({"description": null, "name": "x"})).await, "name");
            let whole = json!({"name": "y", "description": "z"});
            refused(&world.by(&writer, &format!("PUT {path}"), &whole).await, "name");
            world.by(&writer, &format!("DELETE {path}"), &Value::Null).await.is(403);
        }
        // The grants that hold for a row add up, and only those.
        world.by(&writer, &format!("PATCH {}", at[0]), &json!({"slug": "o", "description": "d"})).await.is(200);
        refused(&world.by(&writer, &format!("PATCH {}", at[1]), &json!({"slug": "s"})).await, "slug");
        world.by(&writer, "POST /team", &json!({"name": "new"})).await.is(403);
        let kept = world.by(&writer, &format!("GET {}", at[1]), &Value::Null).await.is(200).json();
        assert_eq!(kept["spec"], json!({"name": "shut", "description": "after"}));
    }
}

#[tokio::test]
async fn a_key_is_cut_to_the_fields_of_its_roles() {
    for world in both().await {
        let grants = json!([{"kinds": ["team"], "verbs": ["see", "change"], "fields": ["description"]}]);
        let (role, writer) = user(&world, "writer", grants).await;
        let team = world.by(&world.customer, "POST /team", &json!({"name": "t"})).await.is(201).json();
        let patch = format!("PATCH /team/{}", team["id"]);
        // The owner's own key, cut to the role; and one of the organization that has no more than the role.
        for owner in [Value::Null, json!(world.customer_id)] {
            let mut wish = json!({"name": "cut", "roles": [role]});
            if !owner.is_null() {
                wish["owner"] = owner;
            }
            let key = world.by(&world.customer, "POST /key", &wish).await.is(201).json();
            let key = key["secret"].as_str().unwrap();
            refused(&world.by(key, &patch, &json!({"name": "x"})).await, "name");
            world.by(key, &patch, &json!({"description": "d"})).await.is(200);
        }
        world.by(&world.customer, &patch, &json!({"name": "whole"})).await.is(200);
        // Who has a part does not give the whole.
        let all = json!({"name": "all", "grants": [{"kinds": ["team"], "verbs": ["change"]}]});
        world.by(&writer, "POST /role", &all).await.is(403);
    }
}

#[tokio::test]
async fn a_grant_names_fields_that_there_are() {
    let world = one().await;
    let role = |verbs: Value, fields: Value| json!({"name": "r", "grants": [{"kinds": ["team"], "verbs": verbs, "fields": fields}]});
    for (wish, field) in [
        (role(json!(["change"]), json!(["discription"])), "grants.0.fields"),
        (role(json!(["change", "remove"]), json!(["name"])), "grants.0.verbs"),
        (role(json!(["*"]), json!(["name"])), "grants.0.verbs"),
    ] {
        assert_eq!(world.root("POST /role", &wish).await.is(422).error().0, field);
    }
    world.root("POST /role", &role(json!(["change"]), json!(["name"]))).await.is(201);
}
