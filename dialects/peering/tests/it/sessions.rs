//! Sessions: what they take over from others, what they hide, and what is seen of them.

use serde_json::{Value, json};

use crate::world;

const AS: &str = "/api/peering/autonomous-systems/";
const SESSIONS: &str = "/api/peering/internet-exchange-peering-sessions/";
const DIRECT: &str = "/api/peering/direct-peering-sessions/";

#[tokio::test]
async fn a_password_is_shown_only_to_who_may_reveal_it() {
    for w in world::both().await {
        let at = w.exchange().await;
        let id = w.session(&at, 64500, "192.0.2.143").await;
        let line = format!("{SESSIONS}{id}/");
        w.tell(&format!("PATCH {line}"), json!({"password": "hunter2"})).await.is(200);
        assert_eq!(w.ask(&format!("GET {line}")).await.body["password"], "hunter2");
        let said = w.by(&w.reader, &format!("GET {line}"), Value::Null).await;
        assert_eq!(said.is(200).body["password"], Value::Null);
        let log = w.ask("GET /api/core/object-changes/").await;
        assert!(!log.bytes.windows(7).any(|bytes| bytes == b"hunter2"));
        w.tell(&format!("PATCH {line}"), json!({"password": null})).await.is(200);
        assert_eq!(w.ask(&format!("GET {line}")).await.body["password"], Value::Null);
    }
}

#[tokio::test]
async fn the_same_password_again_is_no_change() {
    let w = world::one().await;
    let at = w.exchange().await;
    let line = format!("PATCH {SESSIONS}{}/", w.session(&at, 64500, "192.0.2.143").await);
    w.tell(&line, json!({"password": "hunter2"})).await.is(200);
    let before = w.ask("GET /api/core/object-changes/").await.body["count"].clone();
    w.tell(&line, json!({"password": "hunter2"})).await.is(200);
    assert_eq!(w.ask("GET /api/core/object-changes/").await.body["count"], before);
}

#[tokio::test]
async fn what_is_seen_of_a_session_can_be_noted_without_a_line_in_the_log() {
    for w in world::both().await {
        let at = w.exchange().await;
        let line = format!("{SESSIONS}{}/", w.session(&at, 64500, "192.0.2.143").await);
        let before = w.ask("GET /api/core/object-changes/").await.body["count"].clone();
        let seen = json!({"bgp_state": "established", "received_prefix_count": 12, "advertised_prefix_count": 3});
        let said = w.tell(&format!("PATCH {line}"), seen).await;
        assert_eq!(
            (&said.is(200).body["bgp_state"], &said.body["received_prefix_count"]),
            (&json!("established"), &json!(12))
        );
        assert_eq!(w.ask(&format!("GET {line}")).await.body["advertised_prefix_count"], 3);
        assert_eq!(w.ask("GET /api/core/object-changes/").await.body["count"], before, "{}", w.make);
    }
}

#[tokio::test]
async fn a_session_follows_the_number_of_its_as() {
    for w in world::both().await {
        let at = w.exchange().await;
        let id = w.session(&at, 64500, "192.0.2.143").await;
        let peer = w.ask(&format!("GET {SESSIONS}{id}/")).await.body["autonomous_system"]["id"].clone();
        w.tell(&format!("PATCH {AS}{peer}/"), json!({"asn": 64777})).await.is(200);
        let said = w.ask(&format!("GET {SESSIONS}{id}/")).await;
        assert_eq!(said.body["display"], "Some IX - AS64777 - IP 192.0.2.143", "{}", w.make);
    }
}

#[tokio::test]
async fn a_direct_session_keeps_to_its_subnet_and_its_family() {
    let w = world::one().await;
    let local = w.autonomous_system(64999).await;
    let peer = w.autonomous_system(64500).await;
    let relationship = w.make("bgp/relationships", json!({"name": "Transit", "slug": "transit"})).await;
    let policy = json!({"name": "Six", "slug": "six", "address_family": 6});
    let policy = w.make("peering/routing-policies", policy).await;
    let body = |ip: &str, ttl: u8, policies: Value| {
        json!({
            "local_autonomous_system": local, "local_ip_address": "198.51.100.1/30", "autonomous_system": peer,
            "ip_address": ip, "multihop_ttl": ttl, "relationship": relationship, "import_routing_policies": policies,
        })
    };
    for (ip, ttl, policies, field) in [
        ("198.51.100.0/30", 1, json!([]), "ip_address"),
        ("198.51.100.1/30", 1, json!([]), "ip_address"),
        ("198.51.100.6/30", 1, json!([]), "ip_address"),
        ("198.51.100.2/30", 1, json!([policy]), "import_routing_policies"),
        ("198.51.100.2/30", 0, json!([]), "multihop_ttl"),
    ] {
        let said = w.tell(&format!("POST {DIRECT}"), body(ip, ttl, policies)).await;
        assert!(said.is(400).body[field].is_array(), "{ip}: {}", said.body);
    }
    let said = w.tell(&format!("POST {DIRECT}"), body("198.51.100.6/30", 2, json!([]))).await;
    assert_eq!(said.is(201).body["display"], "Transit - AS64500 - IP 198.51.100.6/30");
    w.ask(&format!("DELETE /api/bgp/relationships/{relationship}/")).await.is(409);
}

#[tokio::test]
async fn a_relationship_is_ones_own_before_it_is_the_operators() {
    let w = world::one().await;
    let local = w.autonomous_system(64999).await;
    let peer = w.autonomous_system(64500).await;
    let body = |slug: &str, n: u8| {
        json!({
            "local_autonomous_system": local, "local_ip_address": "198.51.100.1/24", "autonomous_system": peer,
            "ip_address": format!("198.51.100.{n}/24"), "relationship": {"slug": slug},
        })
    };
    let known = w.ask("GET /api/bgp/relationships/?slug=customer").await;
    let operators = known.is(200).body["results"][0]["id"].clone();
    let said = w.tell(&format!("POST {DIRECT}"), body("customer", 2)).await;
    assert_eq!(said.is(201).body["relationship"]["id"], operators);
    let own = w.make("bgp/relationships", json!({"name": "Customer", "slug": "customer"})).await;
    let said = w.tell(&format!("POST {DIRECT}"), body("customer", 3)).await;
    assert_eq!(said.is(201).body["relationship"]["id"], own);
    let said = w.tell(&format!("POST {DIRECT}"), body("cloud", 4)).await;
    assert_eq!(said.is(201).body["relationship"]["slug"], "cloud");
    let mine = format!("PATCH /api/bgp/relationships/{operators}/");
    w.tell(&mine, json!({"name": "Mine"})).await.is(403);
}

#[tokio::test]
async fn removing_an_as_removes_its_sessions() {
    for w in world::both().await {
        let at = w.exchange().await;
        let id = w.session(&at, 64500, "192.0.2.143").await;
        let peer = w.ask(&format!("GET {SESSIONS}{id}/")).await.body["autonomous_system"]["id"].clone();
        w.ask(&format!("DELETE {AS}{peer}/")).await.is(204);
        w.ask(&format!("GET {SESSIONS}{id}/")).await.is(404);
        w.ask(&format!("DELETE {AS}{}/", at.at.local)).await.is(409);
    }
}
