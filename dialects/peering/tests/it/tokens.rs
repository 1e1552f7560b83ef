//! Who is let in, and what is said to the others: always 403.

use meetme_app::identity::NewKey;
use meetme_base::Time;
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
