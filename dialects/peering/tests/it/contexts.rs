//! Shared data for templates, merged into what each object shows.

use meetme_app::identity;
use meetme_model::access::Grant;
use serde_json::{Value, json};

use crate::world::{self, World};

const AS: &str = "/api/peering/autonomous-systems/";
const ASSIGNMENTS: &str = "/api/extras/config-context-assignments/";

async fn context(w: &World, name: &str, data: Value) -> i64 {
    w.make("extras/config-contexts", json!({"name": name, "data": data})).await
}

async fn assign(w: &World, context: i64, kind: &str, object: i64, weight: Value) -> i64 {
    let mut body = json!({"config_context": context, "content_type": kind, "object_id": object});
    if !weight.is_null() {
        body["weight"] = weight;
    }
    w.make("extras/config-context-assignments", body).await
}

async fn shown(w: &World, path: &str) -> Value {
    w.ask(&format!("GET {path}")).await.is(200).body["config_context"].clone()
}

#[tokio::test]
async fn the_heavier_lies_over_the_lighter_and_the_objects_own_over_all() {
    for w in world::both().await {
        let own = json!({"snmp": {"community": "own"}});
        let body = json!({"asn": 64500, "name": "N", "local_context_data": own});
        let peer = w.make("peering/autonomous-systems", body).await;
        let path = format!("{AS}{peer}/");
        assert_eq!(shown(&w, &path).await, own, "{}", w.make);
        let heavy = json!({"ntp": ["b"], "snmp": {"location": "heavy", "community": "x"}});
        let heavy = context(&w, "Heavy", heavy).await;
        let light = json!({"ntp": ["a", "z"], "snmp": {"location": "light", "contact": "noc"}, "mtu": 1500});
        let light = context(&w, "Light", light).await;
        let kind = "peering.autonomoussystem";
        let by_default = assign(&w, heavy, kind, peer, Value::Null).await;
        assert_eq!(w.ask(&format!("GET {ASSIGNMENTS}{by_default}/")).await.body["weight"], 1000);
        assign(&w, light, kind, peer, json!(10)).await;
        let want = json!({
            "ntp": ["b"], "snmp": {"location": "heavy", "contact": "noc", "community": "own"}, "mtu": 1500,
        });
        assert_eq!(shown(&w, &path).await, want, "{}", w.make);
        let list = w.ask(&format!("GET {AS}")).await;
        assert_eq!(list.body["results"][0]["config_context"], want);
        // Every answer of a write shows it too.
        let said = w.tell(&format!("PATCH {path}"), json!({"local_context_data": null})).await;
        assert_eq!(said.is(200).body["config_context"]["snmp"]["community"], "x");
        w.tell(&format!("PATCH /api/extras/config-contexts/{heavy}/"), json!({"data": {"ntp": []}})).await.is(200);
        assert_eq!(shown(&w, &path).await["ntp"], json!([]), "a change of shared data shows at once");
        w.ask(&format!("DELETE {ASSIGNMENTS}{by_default}/")).await.is(204);
        assert_eq!(shown(&w, &path).await["ntp"], json!(["a", "z"]));
        w.ask(&format!("DELETE /api/extras/config-contexts/{light}/")).await.is(204);
        assert_eq!(shown(&w, &path).await, Value::Null, "{}: null when there is nothing", w.make);
    }
}

#[tokio::test]
async fn every_model_that_has_data_shows_what_is_assigned() {
    for w in world::both().await {
        let at = w.exchange().await;
        let session = w.session(&at, 64500, "192.0.2.143").await;
        let community = w.make("bgp/communities", json!({"name": "Own", "slug": "own", "value": "64999:1"})).await;
        let policy = json!({"name": "In", "slug": "in", "type": "import-policy"});
        let policy = w.make("peering/routing-policies", policy).await;
        let bfd = w.make("net/bfd", json!({"name": "Fast", "slug": "fast"})).await;
        let group = w.make("peering/bgp-groups", json!({"name": "G", "slug": "g"})).await;
        let relationship = w.make("bgp/relationships", json!({"name": "T", "slug": "t"})).await;
        let direct = json!({
            "local_autonomous_system": at.at.local, "autonomous_system": {"asn": 64500}, "relationship": relationship,
            "ip_address": "198.51.100.2/30",
        });
        let direct = w.make("peering/direct-peering-sessions", direct).await;
        let shared = context(&w, "Shared", json!({"x": 1})).await;
        for (path, kind, id) in [
            ("peering/autonomous-systems", "peering.autonomoussystem", at.at.local),
            ("devices/routers", "devices.router", at.at.router),
            ("peering/internet-exchanges", "peering.internetexchange", at.exchange),
            ("net/connections", "net.connection", at.connection),
            ("net/bfd", "net.bfd", bfd),
            ("bgp/communities", "bgp.community", community),
            ("peering/routing-policies", "peering.routingpolicy", policy),
            ("peering/bgp-groups", "peering.bgpgroup", group),
            ("peering/direct-peering-sessions", "peering.directpeeringsession", direct),
            ("peering/internet-exchange-peering-sessions", "peering.internetexchangepeeringsession", session),
        ] {
            assert_eq!(shown(&w, &format!("/api/{path}/{id}/")).await, Value::Null, "{}", w.make);
            assign(&w, shared, kind, id, Value::Null).await;
            assert_eq!(shown(&w, &format!("/api/{path}/{id}/")).await, json!({"x": 1}), "{} {kind}", w.make);
        }
        let body = json!({"config_context": shared, "content_type": "bgp.relationship", "object_id": relationship});
        let said = w.tell(&format!("POST {ASSIGNMENTS}"), body).await;
        said.is(400).says(json!({"content_type": ["Objects of this type have no config context."]}));
    }
}

#[tokio::test]
async fn a_list_reads_what_is_assigned_once_for_all_its_rows() {
    for w in world::both().await {
        let rows: Vec<Value> = (1..=60).map(|n| json!({"asn": n, "name": format!("N{n}")})).collect();
        let made = w.tell(&format!("POST {AS}"), rows.into()).await;
        let ids: Vec<i64> = made.is(201).body.as_array().unwrap().iter().map(|r| r["id"].as_i64().unwrap()).collect();
        let (a, b) = (context(&w, "A", json!({"a": 1})).await, context(&w, "B", json!({"b": 2})).await);
        assign(&w, a, "peering.autonomoussystem", ids[0], Value::Null).await;
        assign(&w, b, "peering.autonomoussystem", ids[0], Value::Null).await;
        assign(&w, b, "peering.autonomoussystem", ids[59], Value::Null).await;
        let list = w.ask(&format!("GET {AS}?limit=0&fields=config_context")).await.body["results"].clone();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 60);
        let some: Vec<&Value> = list.iter().filter(|row| !row["config_context"].is_null()).collect();
        let want = [json!({"a": 1, "b": 2}), json!({"b": 2})].map(|c| json!({"config_context": c}));
        assert_eq!(some, want.iter().collect::<Vec<_>>(), "{}", w.make);
    }
}

#[tokio::test]
async fn who_may_not_assign_where_an_object_is_may_not_assign_to_it() {
    for w in world::both().await {
        let peer = w.autonomous_system(64500).await;
        let shared = context(&w, "Shared", json!({"x": 1})).await;
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let grant = |kinds, verbs| Grant { kinds: words(kinds), verbs: words(verbs), ..Grant::default() };
        let body = json!({"config_context": shared, "content_type": "peering.autonomoussystem", "object_id": peer});
        let reader = w.user("only_reads", vec![grant("*", "see")]).await;
        w.by(&reader, &format!("POST {ASSIGNMENTS}"), body.clone()).await.is(403);
        let writer = w.user("assigns", vec![grant("*", "see"), grant("config_context_assignment", "create")]).await;
        w.by(&writer, &format!("POST {ASSIGNMENTS}"), body).await.is(201);
        assert_eq!(shown(&w, &format!("{AS}{peer}/")).await, json!({"x": 1}), "{}", w.make);
    }
}

#[tokio::test]
async fn who_reads_an_open_book_sees_what_objects_say_themselves() {
    let w = world::one().await;
    let body = json!({"asn": 64500, "name": "N", "local_context_data": {"own": 1}});
    let peer = w.make("peering/autonomous-systems", body).await;
    let shared = context(&w, "Shared", json!({"key": "shared"})).await;
    assign(&w, shared, "peering.autonomoussystem", peer, Value::Null).await;
    identity::open_book(&w.app, "Customer").await.unwrap();
    let said = w.send(&format!("GET {AS}{peer}/"), &[], "").await;
    assert_eq!(said.is(200).body["config_context"], json!({"own": 1}));
    for path in ["extras/config-contexts", "messaging/contacts", "extras/journal-entries", "extras/ix-api"] {
        assert_eq!(w.send(&format!("GET /api/{path}/"), &[], "").await.body["count"], 0, "{path}");
    }
}
