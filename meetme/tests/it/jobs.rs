//! Work that is asked for in one request and told of in others.

use std::time::Duration;

use serde_json::json;

use crate::kit::{Server, until};

#[tokio::test]
async fn a_routers_connection_is_tested_by_a_job() {
    let server = Server::demo().await;
    let routers = server.peering("GET", "/api/devices/routers/?limit=1", None).await.is(200);
    let router = &routers["results"][0];
    let path = format!("/api/devices/routers/{}/test-napalm-connection/", router["id"]);
    let job = server.peering("GET", &path, None).await.is(202);
    assert_eq!((&job["object_id"], &job["object_type"]), (&router["id"], &json!("devices.router")), "{job}");
    let path = format!("/api/core/jobs/{}/", job["id"]);
    let done = until(Duration::from_secs(30), async || {
        let now = server.peering("GET", &path, None).await.is(200);
        Some(now).filter(|now| !now["completed"].is_null())
    });
    let done = done.await.unwrap_or_else(|| panic!("{}", server.said()));
    assert_eq!(done["status"], json!({"value": "completed", "label": "Completed"}), "{done}");
    assert!(!done["output"].as_str().unwrap().is_empty() && !done["started"].is_null(), "{done}");
    assert!(done["data"]["main"]["log"][0][4].as_str().unwrap().contains("answered"), "{done}");
}
