//! Every operation of the table, tried by who may not: each is refused before anything of the body is looked at.

use http::Method;
use meetme_http::{Auth, Op};
use serde_json::json;

use crate::world;

/// The table, with an id in every path.
fn operations() -> Vec<(Op, String)> {
    let ops = meetme_peering::dialect().ops;
    assert!(ops.len() > 150, "{}", ops.len());
    ops.into_iter().map(|op| (op.clone(), format!("{} {}", op.method, op.path.replace("{id}", "1")))).collect()
}

#[tokio::test]
async fn nobody_gets_in_but_where_everybody_may() {
    let w = world::one().await;
    let open: Vec<&str> =
        operations().iter().filter(|(op, _)| op.auth != Auth::Required).map(|(op, _)| op.path).collect();
    let pages = |path: &&str| path.starts_with("/api/schema/") || ["/api/docs/", "/api/redoc/"].contains(path);
    assert!(open.iter().all(|path| pages(path)), "{open:?}");
    for (op, line) in operations() {
        let nobody = w.send(&line, &[], "{").await;
        if op.auth != Auth::Required {
            assert_eq!(nobody.status, 200, "{line}");
            continue;
        }
        nobody.is(403).says(json!({"detail": "Authentication credentials were not provided."}));
        let wrong = w.send(&line, &[("authorization", &format!("Token {}", "0".repeat(40)))], "{").await;
        wrong.is(403).says(json!({"detail": "Invalid token"}));
        // Another scheme is none.
        let bearer = w.send(&line, &[("authorization", &format!("Bearer {}", w.token))], "{").await;
        bearer.is(403).says(json!({"detail": "Authentication credentials were not provided."}));
    }
}

#[tokio::test]
async fn who_may_only_read_writes_nothing() {
    let w = world::one().await;
    let token = format!("Token {}", w.reader);
    for (op, line) in operations() {
        let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&op.method);
        // What somebody prefers is their own.
        if !writes || op.id.starts_with("users_userpref") {
            continue;
        }
        let said = w.send(&line, &[("authorization", &token), ("content-type", "application/json")], "{}").await;
        assert_eq!(said.status, 403, "{line}: {}", said.body);
    }
}
