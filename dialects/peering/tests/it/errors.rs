//! What is said to whoever sends something wrong.

use serde_json::{Value, json};

use crate::world::{self, World};

const AS: &str = "/api/peering/autonomous-systems/";
const SESSIONS: &str = "/api/peering/internet-exchange-peering-sessions/";

async fn refused(w: &World, line: &str, body: Value, says: Value) {
    w.tell(line, body).await.is(400).says(says);
}

#[tokio::test]
async fn a_wrong_value_is_named_with_its_field() {
    let w = world::one().await;
    let post = format!("POST {AS}");
    refused(&w, &post, json!({}), json!({"asn": ["This field is required."], "name": ["This field is required."]}))
        .await;
    refused(
        &w,
        &post,
        json!({"asn": "x", "name": null}),
        json!({
            "asn": ["A valid biginteger is required."], "name": ["This field may not be null."],
        }),
    )
    .await;
    refused(
        &w,
        &post,
        json!({"asn": 0, "name": " "}),
        json!({
            "asn": ["Ensure this value is greater than or equal to 1."], "name": ["This field may not be blank."],
        }),
    )
    .await;
    refused(
        &w,
        &post,
        json!({"asn": 1, "name": "x".repeat(201), "affiliated": "perhaps"}),
        json!({
            "name": ["Ensure this field has no more than 200 characters."], "affiliated": ["Must be a valid boolean."],
        }),
    )
    .await;
    refused(
        &w,
        &post,
        json!("text"),
        json!({
            "non_field_errors": ["Invalid data. Expected a dictionary, but got str."],
        }),
    )
    .await;
}

#[tokio::test]
async fn a_value_that_is_taken_is_refused() {
    for w in world::both().await {
        let local = w.autonomous_system(64500).await;
        let taken = json!({"asn": ["autonomous system with this ASN already exists."]});
        refused(&w, &format!("POST {AS}"), json!({"asn": 64500, "name": "Again"}), taken).await;
        let ix = json!({"name": "X", "slug": "x", "local_autonomous_system": local});
        w.make("peering/internet-exchanges", ix.clone()).await;
        refused(
            &w,
            "POST /api/peering/internet-exchanges/",
            ix,
            json!({
                "name": ["internet exchange with this name already exists."],
                "slug": ["internet exchange with this slug already exists."],
            }),
        )
        .await;
    }
}

#[tokio::test]
async fn a_session_is_unique_by_connection_and_address() {
    for w in world::both().await {
        let at = w.exchange().await;
        w.session(&at, 64500, "192.0.2.143").await;
        let body = json!({
            "autonomous_system": {"asn": 64500}, "ixp_connection": at.connection, "ip_address": "192.0.2.143/24",
        });
        let text = "The fields ixp_connection, ip_address must make a unique set.";
        refused(&w, &format!("POST {SESSIONS}"), body, json!({"non_field_errors": [text]})).await;
    }
}

#[tokio::test]
async fn a_reference_must_name_exactly_one_row() {
    let w = world::one().await;
    let at = w.exchange().await;
    let said = |value: Value| {
        let connection = at.connection;
        let body = json!({"autonomous_system": value, "ixp_connection": connection, "ip_address": "192.0.2.2"});
        let w = &w;
        async move { w.tell(&format!("POST {SESSIONS}"), body).await.is(400).body["autonomous_system"][0].clone() }
    };
    assert_eq!(said(json!(999_999)).await, "Related object not found using the provided numeric ID: 999999");
    assert_eq!(
        said(json!({"name": "x"})).await,
        "Related object not found using the provided attributes: {'name': 'x'}"
    );
    assert_eq!(
        said(json!("abc")).await,
        "Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized \
         value: abc"
    );
    let text = said(json!({"nosuch": 1})).await;
    let text = text.as_str().unwrap();
    assert!(text.starts_with("Cannot resolve keyword 'nosuch' into field. Choices are: affiliated, asn, "), "{text}");
    for n in [1, 2] {
        w.tell(&format!("POST {AS}"), json!({"asn": n, "name": "Twin"})).await.is(201);
    }
    assert_eq!(said(json!({"name": "Twin"})).await, "Multiple objects match the provided attributes: {'name': 'Twin'}");
}

#[tokio::test]
async fn a_reference_may_be_given_by_nested_attributes_or_as_text() {
    let w = world::one().await;
    let at = w.exchange().await;
    let peer = w.autonomous_system(64500).await;
    let body = json!({
        "autonomous_system": peer.to_string(),
        "ixp_connection": {"internet_exchange_point": {"name": "Some IX"}, "vlan": 666},
        "ip_address": "192.0.2.143",
    });
    let said = w.tell(&format!("POST {SESSIONS}"), body).await;
    assert_eq!(said.is(201).body["ixp_connection"]["id"], at.connection);
    assert_eq!(said.body["display"], "Some IX - AS64500 - IP 192.0.2.143");
}

#[tokio::test]
async fn choices_are_plain_words() {
    let w = world::one().await;
    let at = w.exchange().await;
    let line = format!("PATCH /api/peering/internet-exchanges/{}/", at.exchange);
    refused(&w, &line, json!({"status": "bogus"}), json!({"status": ["bogus is not a valid choice."]})).await;
    let text = "Value must be passed directly (e.g. \"foo\": 123); do not use a dictionary or list.";
    refused(&w, &line, json!({"status": {"value": "enabled"}}), json!({"status": [text]})).await;
    let policy = json!({"name": "P", "slug": "p", "type": "bogus", "address_family": 5});
    refused(
        &w,
        "POST /api/peering/routing-policies/",
        policy,
        json!({
            "type": ["\"bogus\" is not a valid choice."], "address_family": ["\"5\" is not a valid choice."],
        }),
    )
    .await;
}

#[tokio::test]
async fn lists_of_policies_and_communities_take_ids_only() {
    let w = world::one().await;
    let line = format!("POST {AS}");
    refused(
        &w,
        &line,
        json!({"asn": 1, "name": "A", "communities": [9]}),
        json!({
            "communities": ["Invalid pk \"9\" - object does not exist."],
        }),
    )
    .await;
    refused(
        &w,
        &line,
        json!({"asn": 1, "name": "A", "communities": [{"slug": "x"}], "tags": 7}),
        json!({
            "communities": ["Incorrect type. Expected pk value, received dict."],
            "tags": ["Expected a list of items but got type \"int\"."],
        }),
    )
    .await;
}

#[tokio::test]
async fn what_the_core_refuses_is_named_in_the_words_of_this_dialect() {
    let w = world::one().await;
    let said = w.tell("POST /api/bgp/communities/", json!({"name": "C", "slug": "c", "value": "blackhole"})).await;
    assert!(said.is(400).body["value"][0].as_str().unwrap().contains("community"), "{}", said.body);
    let said = w.tell("POST /api/bgp/relationships/", json!({"name": "C", "slug": "c", "color": "red"})).await;
    assert!(said.is(400).body["color"].is_array(), "{}", said.body);
    let said = w.tell("POST /api/bgp/communities/", json!({"name": "C", "slug": "a b", "value": "1:1"})).await;
    said.is(400).says(json!({
        "slug": ["Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens."],
    }));
    let at = w.exchange().await;
    let line = format!("PATCH /api/net/connections/{}/", at.connection);
    refused(
        &w,
        &line,
        json!({"ipv4_address": "zz", "mac_address": "zz"}),
        json!({
            "mac_address": ["Invalid MAC address."],
            "ipv4_address": ["'zz' does not appear to be an IPv4 or IPv6 interface"],
        }),
    )
    .await;
}

#[tokio::test]
async fn a_row_that_is_needed_cannot_be_removed() {
    for w in world::both().await {
        let at = w.router().await;
        let line = format!("DELETE /api/devices/platforms/{}/", at.platform);
        let text = format!("unable to delete object. 1 dependent objects were found: edge1 ({})", at.router);
        w.ask(&line).await.is(409).says(json!({"detail": text}));
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_with_the_models_name() {
    let w = world::one().await;
    let says = json!({"detail": "No AutonomousSystem matches the given query."});
    w.ask(&format!("GET {AS}999999/")).await.is(404).says(says.clone());
    w.ask(&format!("GET {AS}x/")).await.is(404).says(says.clone());
    w.tell(&format!("PATCH {AS}999999/"), json!({})).await.is(404).says(says);
    let text = "No ObjectChange matches the given query.";
    w.ask("GET /api/core/object-changes/999999/").await.is(404).says(json!({"detail": text}));
    w.ask("GET /api/nosuch/").await.is(404).says(json!({"detail": "Not found."}));
}

#[tokio::test]
async fn methods_types_and_syntax_are_refused_in_the_references_words() {
    let w = world::one().await;
    let said = w.tell("POST /api/status/", json!({})).await;
    said.is(405).says(json!({"detail": "Method \"POST\" not allowed."}));
    let said = w.tell("POST /api/core/object-changes/", json!({})).await;
    said.is(405).says(json!({"detail": "Method \"POST\" not allowed."}));
    let token = format!("Token {}", w.token);
    let head = |media| [("authorization", token.as_str()), ("content-type", media)];
    let post = format!("POST {AS}");
    let said = w.send(&post, &head("text/plain"), "x").await;
    said.is(415).says(json!({"detail": "Unsupported media type \"text/plain\" in request."}));
    let said = w.send(&post, &head("application/json"), "{").await;
    assert!(said.is(400).body["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{}", said.body);
    let said =
        w.send(&post, &head("application/x-www-form-urlencoded"), "asn=64500&name=By+form&affiliated=true").await;
    assert_eq!(said.is(201).body["display"], "AS64500 - By form");
    assert_eq!(said.body["affiliated"], true);
}
