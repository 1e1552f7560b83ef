//! Who is let in, and what is said to the others: always 403.

use meetme_app::identity::NewKey;
use meetme_base::Time;
use meetme_model::access::Grant;
use serde_json::{Value, json};

use crate::world;

const AS: &str = "/api/peering/autonomous-systems/";
const FORBIDDEN: &str = "You do not have permission to perform this action.";

#[tokio::test]
async fn nobody_reads_without_a_good_token() {
    let w = world::one().await;
    for (header, says) in [
        ("", "Authentication credentials were not provided."),
        ("Bearer 0123456789012345678901234567890123456789", "Authentication credentials were not provided."),
        ("Token 0123456789012345678901234567890123456789", "Invalid token"),
        ("Token", "Invalid token"),
    ] {
        let headers: &[(&str, &str)] = if header.is_empty() { &[] } else { &[("authorization", header)] };
        for line in [format!("GET {AS}"), "GET /api/".to_owned(), format!("POST {AS}")] {
            let said = w.send(&line, headers, "").await;
            said.is(403).says(json!({"detail": says}));
            assert!(!said.headers.contains_key("www-authenticate"));
        }
    }
}

#[tokio::test]
async fn a_token_ends_and_is_bound_to_addresses() {
    let w = world::one().await;
    let expires_at = Some(Time(1_790_000_000_123).plus_seconds(60));
    let brief = w.key(NewKey { name: "brief".into(), expires_at, ..NewKey::default() }).await;
    w.by(&brief, &format!("GET {AS}"), Value::Null).await.is(200);
    w.clock.step_seconds(61);
    let said = w.by(&brief, &format!("GET {AS}"), Value::Null).await;
    said.is(403).says(json!({"detail": "Token expired"}));
    let far = vec!["192.0.2.0/24".parse().unwrap()];
    let far = w.key(NewKey { name: "far".into(), allowed_ips: far, ..NewKey::default() }).await;
    let said = w.by(&far, &format!("GET {AS}"), Value::Null).await;
    let text = "Source IP 127.0.0.1 is not permitted to authenticate using this token.";
    said.is(403).says(json!({"detail": text}));
}

#[tokio::test]
async fn a_read_only_token_writes_nothing_by_any_verb() {
    let w = world::one().await;
    let id = w.autonomous_system(64500).await;
    let limited = w.key(NewKey { name: "look".into(), read_only: true, ..NewKey::default() }).await;
    for token in [&limited, &w.reader] {
        w.by(token, &format!("GET {AS}{id}/"), Value::Null).await.is(200);
        for line in [
            format!("POST {AS}"),
            format!("PUT {AS}"),
            format!("PATCH {AS}"),
            format!("DELETE {AS}"),
            format!("PUT {AS}{id}/"),
            format!("PATCH {AS}{id}/"),
            format!("DELETE {AS}{id}/"),
        ] {
            // Refused before the body is looked at: this one is no JSON at all.
            let said = w.by(token, &line, json!([{"id": id}])).await;
            said.is(403).says(json!({"detail": FORBIDDEN}));
        }
    }
    w.ask(&format!("GET {AS}{id}/")).await.is(200);
}

#[tokio::test]
async fn a_token_for_some_fields_changes_no_others_one_by_one_or_in_bulk() {
    for w in world::both().await {
        let (one, two) = (w.autonomous_system(64500).await, w.autonomous_system(64501).await);
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let grant = |kinds, verbs, fields: Option<&str>| Grant {
            kinds: words(kinds),
            verbs: words(verbs),
            fields: fields.map(words),
            filter: None,
        };
        let grants = vec![grant("*", "see", None), grant("autonomous_system", "change", Some("comments name"))];
        let writer = w.user("writer", grants).await;
        let note = |id: i64| json!({"id": id, "comments": "seen"});
        w.by(&writer, &format!("PATCH {AS}{one}/"), json!({"comments": "c"})).await.is(200);
        let said = w.by(&writer, &format!("PATCH {AS}{one}/"), json!({"description": "d"})).await;
        said.is(403).says(json!({"detail": FORBIDDEN}));
        // One row of a list that may not be changed keeps all of them.
        let mixed = json!([note(one), {"id": two, "comments": "seen", "irr_as_set": "AS-X"}]);
        w.by(&writer, &format!("PATCH {AS}"), mixed).await.is(403);
        assert_eq!(w.ask(&format!("GET {AS}{one}/")).await.body["comments"], "c");
        w.by(&writer, &format!("PATCH {AS}"), json!([note(one), note(two)])).await.is(200);
        w.by(&writer, &format!("POST {AS}"), json!({"asn": 64502, "name": "n"})).await.is(403);
        w.by(&writer, &format!("DELETE {AS}"), json!([{"id": one}])).await.is(403);
    }
}
