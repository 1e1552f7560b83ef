//! Webhooks: how they are written, and what they tell.

use meetme_app::{
    Error,
    hooks::{self, Heard, Voice},
};
use meetme_base::Id;
use meetme_model::ops::Hook;
use meetme_store::Context;
use serde_json::{Value, json};

use crate::world::{self, World};

const HOOKS: &str = "/api/extras/webhooks/";

fn new() -> Value {
    json!({
        "name": "To chat", "content_types": ["peering.autonomoussystem", "devices.configuration"], "type_create": true,
        "type_update": true, "type_delete": true, "payload_url": "https://hooks.example.net/x", "secret": "hunter2",
    })
}

/// Everything that a hook hears of from its beginning on, once it is so much: the log shows nothing while a transaction of anybody may
/// still add something before it, on PostgreSQL of another test too.
async fn told(w: &World, id: i64, count: usize) -> Vec<Value> {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let told = shown(w, id).await;
        if told.len() >= count || std::time::Instant::now() > end {
            return told;
        }
        tokio::task::yield_now().await;
    }
}

async fn shown(w: &World, id: i64) -> Vec<Value> {
    let app = w.app.clone();
    let read = w.app.store().read::<_, Error, _>(Context::system(), move |tx| {
        let hook = tx.get(Id::<Hook>::new(id))?;
        let voices: Vec<Box<dyn Voice>> = vec![Box::new(meetme_peering::Spoken::new(app.clone()))];
        let mut place = hooks::beginning(tx, &hook)?;
        let mut out = Vec::new();
        loop {
            match hooks::next(tx, &hook, place, &voices)? {
                Heard::Told { said, next, .. } => {
                    out.push(said);
                    place = next;
                }
                Heard::Nothing { .. } => return Ok(out),
            }
        }
    });
    read.await.unwrap()
}

#[tokio::test]
async fn a_hook_tells_what_was_made_changed_and_removed() {
    for w in world::both().await {
        let id = w.make("extras/webhooks", new()).await;
        let made = w.autonomous_system(64500).await;
        let path = format!("/api/peering/autonomous-systems/{made}/");
        let said = w.tell(&format!("PATCH {path}"), json!({"name": "New", "local_context_data": {"a": 1}})).await;
        let request = said.header("x-request-id").to_owned();
        w.ask(&format!("DELETE {path}")).await.is(204);
        w.make("devices/configurations", json!({"name": "T", "template": "x"})).await;
        // Of these nobody asked to hear.
        w.make("bgp/communities", json!({"name": "C", "slug": "c", "value": "64500:1"})).await;
        let told = told(&w, id, 4).await;
        let events: Vec<_> = told.iter().map(|one| (&one["event"], &one["model"])).collect();
        let (system, template) = (json!("autonomoussystem"), json!("configuration"));
        let (create, update, delete) = (json!("create"), json!("update"), json!("delete"));
        assert_eq!(
            events,
            [(&create, &system), (&update, &system), (&delete, &system), (&create, &template)],
            "{}",
            w.make
        );
        let changed = &told[1];
        assert_eq!((&changed["username"], &changed["request_id"]), (&json!("ada"), &json!(request)));
        assert_eq!((&changed["data"]["asn"], &changed["data"]["name"]), (&json!(64500), &json!("New")));
        // Nobody asked at any address, so links have none.
        assert_eq!(changed["data"]["url"], json!(path));
        assert_eq!(changed["snapshots"]["prechange"]["name"], "Network 64500");
        assert_eq!(changed["snapshots"]["postchange"]["name"], "New");
        // The row is gone, and was told as it was then.
        assert_eq!(
            (&told[0]["data"]["name"], &told[0]["snapshots"]["prechange"]),
            (&json!("Network 64500"), &Value::Null)
        );
        assert_eq!((&told[2]["data"]["name"], &told[2]["snapshots"]["postchange"]), (&json!("New"), &Value::Null));
        let names: Vec<&String> = told[1]["data"].as_object().unwrap().keys().collect();
        assert!(names.contains(&&"prefixes".to_owned()), "the whole form: {names:?}");
    }
}

#[tokio::test]
async fn a_session_that_comes_up_is_an_event_of_ours() {
    for w in world::both().await {
        let mut hook = new();
        hook["content_types"] = json!(["peering.internetexchangepeeringsession"]);
        (hook["type_create"], hook["type_update"], hook["type_delete"]) = (json!(false), json!(false), json!(false));
        hook["type_state"] = json!(true);
        hook["conditions"] = json!({"and": [{"attr": "bgp_state", "value": "established"}]});
        let id = w.make("extras/webhooks", hook).await;
        let at = w.exchange().await;
        let session = w.session(&at, 64500, "192.0.2.1").await;
        let path = format!("PATCH /api/peering/internet-exchange-peering-sessions/{session}/");
        let secret = json!({"password": "hunter2", "bgp_state": "active"});
        w.tell(&path, secret).await.is(200);
        w.tell(&path, json!({"bgp_state": "established"})).await.is(200);
        w.tell(&path, json!({"received_prefix_count": 7})).await.is(200);
        let told = told(&w, id, 1).await;
        // The session was active before, which the condition does not let through.
        assert_eq!(told.len(), 1, "{}: {told:?}", w.make);
        let last = &told[0];
        assert_eq!((&last["event"], &last["code"]), (&json!("state"), &json!("bgp.established")));
        assert_eq!(last["message"], "AS64500 - IP 192.0.2.1 went from active to established.");
        assert_eq!(last["data"]["password"], Value::Null, "secrets are not told");
        assert!(!json!(told).to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_hook_hears_of_its_own_organization_and_what_its_maker_may_see() {
    let w = world::one().await;
    let stranger = w.stranger().await;
    let id = w.make("extras/webhooks", new()).await;
    let body = json!({"asn": 64500, "name": "Theirs"});
    w.by(&stranger, "POST /api/peering/autonomous-systems/", body).await.is(201);
    assert_eq!(told(&w, id, 0).await, Vec::<Value>::new());
    for line in [format!("GET {HOOKS}{id}/"), format!("DELETE {HOOKS}{id}/")] {
        w.by(&stranger, &line, Value::Null).await.is(404);
    }
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let grant =
        |kinds, verbs| meetme_model::access::Grant { kinds: words(kinds), verbs: words(verbs), ..Default::default() };
    let narrow = w.user("narrow", vec![grant("hook", "see create change"), grant("template", "see")]).await;
    let mut own = new();
    (own["name"], own["payload_url"]) = (json!("More"), json!("https://hooks.example.net/more"));
    w.by(&narrow, &format!("POST {HOOKS}"), own.clone()).await.is(403);
    (own["name"], own["content_types"], own["payload_url"]) =
        (json!("Own"), json!(["devices.configuration"]), json!("https://hooks.example.net/own"));
    let made = w.by(&narrow, &format!("POST {HOOKS}"), own).await;
    let path = format!("PATCH {HOOKS}{}/", made.is(201).body["id"]);
    w.by(&narrow, &path, json!({"content_types": ["peering.autonomoussystem"]})).await.is(403);
    w.by(&narrow, &path, json!({"enabled": false})).await.is(200);
    w.send(&format!("POST {HOOKS}"), &[], "{}").await.is(403);
}

#[tokio::test]
async fn a_hook_that_makes_no_sense_is_refused() {
    let w = world::one().await;
    let post = format!("POST {HOOKS}");
    for (change, field) in [
        (json!({"content_types": []}), "content_types"),
        (json!({"content_types": ["peering.nothing"]}), "content_types"),
        (json!({"content_types": "peering.autonomoussystem"}), "content_types"),
        (json!({"payload_url": "ftp://x/"}), "payload_url"),
        (json!({"http_method": "BREW"}), "http_method"),
        (json!({"additional_headers": "no colon"}), "additional_headers"),
        (json!({"body_template": "{% for %}"}), "body_template"),
        (json!({"conditions": {"attr": "x"}}), "conditions"),
        (json!({"conditions": {"attr": "x", "op": "regex", "value": "("}}), "conditions"),
        (json!({"type_create": false, "type_update": false, "type_delete": false}), "non_field_errors"),
    ] {
        let mut body = new();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let said = w.tell(&post, body).await;
        assert!(said.is(400).body[field].is_array(), "{change}: {}", said.body);
    }
    w.tell(&post, new()).await.is(201);
    let mut again = new();
    again["name"] = json!("Another");
    let text = "The fields payload_url, type_create, type_update, type_delete must make a unique set.";
    w.tell(&post, again).await.is(400).says(json!({"non_field_errors": [text]}));
}

#[tokio::test]
async fn a_secret_is_shown_to_those_who_may_see_it_and_kept_when_it_was_not() {
    let w = world::one().await;
    let id = w.make("extras/webhooks", new()).await;
    let path = format!("{HOOKS}{id}/");
    assert_eq!(w.ask(&format!("GET {path}")).await.body["secret"], "hunter2");
    assert_eq!(w.by(&w.reader, &format!("GET {path}"), Value::Null).await.is(200).body["secret"], "");
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let grant =
        |kinds, verbs| meetme_model::access::Grant { kinds: words(kinds), verbs: words(verbs), ..Default::default() };
    let editor = w.user("editor", vec![grant("*", "see"), grant("hook", "change")]).await;
    let mut whole = w.by(&editor, &format!("GET {path}"), Value::Null).await.body.clone();
    whole["enabled"] = json!(false);
    w.by(&editor, &format!("PUT {path}"), whole).await.is(200);
    assert_eq!(w.ask(&format!("GET {path}")).await.body["secret"], "hunter2");
    w.tell(&format!("PATCH {path}"), json!({"secret": ""})).await.is(200);
    assert_eq!(w.ask(&format!("GET {path}")).await.body["secret"], "");
    let log = w.ask(&format!("GET /api/core/object-changes/?changed_object_id={id}")).await;
    assert!(!log.is(200).body.to_string().contains("hunter2"));
    // How it goes is shown to those who ask for it.
    let state = w.ask(&format!("GET {path}?fields=last_delivery")).await;
    assert_eq!(state.body["last_delivery"]["delivered"], 0);
}
