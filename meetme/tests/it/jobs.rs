//! Work that is asked for in one request and told of in others.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    kit::{Server, until},
    lab,
};

/// The job of an answer, once it has ended.
async fn ended(server: &Server, job: &Value) -> Value {
    let path = format!("/api/core/jobs/{}/", job["id"]);
    let done = until(Duration::from_secs(30), async || {
        let now = server.peering("GET", &path, None).await.is(200);
        Some(now).filter(|now| !now["completed"].is_null())
    });
    done.await.unwrap_or_else(|| panic!("{}", server.said()))
}

#[tokio::test]
async fn a_routers_connection_is_tested_by_a_job() {
    let server = Server::demo().await;
    let routers = server.peering("GET", "/api/devices/routers/?limit=1", None).await.is(200);
    let router = &routers["results"][0];
    let path = format!("/api/devices/routers/{}/test-napalm-connection/", router["id"]);
    let job = server.peering("GET", &path, None).await.is(202);
    assert_eq!((&job["object_id"], &job["object_type"]), (&router["id"], &json!("devices.router")), "{job}");
    let done = ended(&server, &job).await;
    assert_eq!(done["status"], json!({"value": "completed", "label": "Completed"}), "{done}");
    assert!(!done["output"].as_str().unwrap().is_empty() && !done["started"].is_null(), "{done}");
    assert!(done["data"]["main"]["log"][0][4].as_str().unwrap().contains("answered"), "{done}");
}

#[tokio::test]
async fn a_rendered_configuration_keeps_its_passwords_to_itself_but_for_who_may_reveal_them() {
    let server = Server::demo().await;
    let nowhere = json!({"socket": "/nonexistent/bird.ctl", "config_path": "/nonexistent/bird.conf"});
    let (router, _) = lab::configure(&server, "bird", nowhere, Some("s3cret")).await;
    let text = "{% for s in router | direct_sessions %}{{ s | ip }} {{ s.password }}{% endfor %}";
    let template = json!({"name": "Passwords", "template": text});
    let template = server.peering("POST", "/api/devices/configurations/", Some(&template)).await.is(201);
    let path = format!("/api/devices/routers/{}/", router["id"]);
    let change = json!({"configuration_template": template["id"]});
    server.peering("PATCH", &path, Some(&change)).await.is(200);
    // What a job answers is kept, and read by everybody who may see jobs: it hides passwords from their owner too.
    let job = server.peering("GET", &format!("{path}configuration/"), None).await.is(202);
    let done = ended(&server, &job).await;
    assert_eq!(
        (&done["status"]["value"], &done["output"]),
        (&json!("completed"), &json!("192.0.2.2 (secret)")),
        "{done}"
    );
    assert!(!done.to_string().contains("s3cret"), "{done}");
    let path = format!("/meetme/v1/router/{}/configuration", router["id"]);
    let shown = server.native("GET", &path, None).await.is(200);
    assert_eq!(shown, json!({"text": "192.0.2.2 s3cret", "masked": false}));
}
