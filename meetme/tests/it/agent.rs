//! `meetme agent` over simulated equipment: who is let in, and what it does when the server is not well.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{
    Server,
    agent::{Agent, Stub},
    until,
};

/// Longer than anything here takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);
/// Shorter than an agent's question may wait for work.
const BEFORE_THE_QUESTION_ENDS: Duration = Duration::from_secs(20);

const EDGE1: &str = "/meetme/v1/equipment?name=edge1.demo";

/// The demo's simulated router, as the native API shows its equipment.
async fn edge1(server: &Server) -> Value {
    server.native("GET", EDGE1, None).await.is(200)["items"][0].clone()
}

/// Has the router driven by an agent elsewhere; answers its equipment.
async fn make_remote(server: &Server, settings: Value) -> Value {
    let id = edge1(server).await["id"].clone();
    let path = format!("/meetme/v1/equipment/{id}");
    server.native("PATCH", &path, Some(&json!({"settings": settings}))).await.is(200)
}

async fn until_reloaded(server: &Server, agent: &Agent, more_than: u64) -> u64 {
    let found = until(SOON, async || {
        let status = edge1(server).await["status"].clone();
        (status["reloads"].as_u64()? > more_than && status["reason"].is_null()).then(|| status["reloads"].as_u64())?
    });
    match found.await {
        Some(reloads) => reloads,
        None => panic!("{}\n{}\n{}", edge1(server).await, agent.said(), server.said()),
    }
}

fn reloads(equipment: &Value) -> u64 {
    equipment["status"]["reloads"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn an_agent_without_the_right_key_is_sent_away_with_a_word() {
    let server = Server::demo().await;
    let data = tempfile::tempdir().unwrap();
    let start = |key: &str, serves: &str| Agent::start(&server.base, key, serves, &data.path().join("agent"));
    let printed = server.admin(&["organization", "--name", "Stranger Limited", "--user", "stranger"]);
    let stranger = printed.lines().find_map(|l| l.strip_prefix("secret")).unwrap().trim().to_owned();
    let equipment = edge1(&server).await;
    let own = server.agent_key(&equipment["id"]).await;
    let others = server.native("GET", "/meetme/v1/equipment?order=id", None).await.is(200);
    let other = others["items"].as_array().unwrap().iter().find(|e| e["id"] != equipment["id"]).cloned();
    let mut cases = vec![
        ("a".repeat(40), "edge1.demo=sim".to_owned(), "The credential is not valid."),
        (stranger, "edge1.demo=sim".to_owned(), "may act on none"),
        (own.clone(), "edge2.demo=sim".to_owned(), "may act on none"),
        (own.clone(), "edge1.demo=toaster".to_owned(), "no equipment of the make toaster"),
    ];
    if let Some(other) = other {
        cases.push((own, format!("{}=sim", other["spec"]["name"].as_str().unwrap()), "may act on none"));
    }
    for (key, serves, word) in cases {
        let mut agent = start(&key, &serves);
        assert!(!agent.ended().await.success());
        let said = agent.said();
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("meetme: ") && last.contains(word), "{serves}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_stops_is_not_held_up_by_an_agent_that_waits_and_is_found_again() {
    let mut server = Server::demo().await;
    let equipment = make_remote(&server, json!({"remote": true, "poll_seconds": 1})).await;
    let key = server.agent_key(&equipment["id"]).await;
    let data = tempfile::tempdir().unwrap();
    let agent = Agent::start(&server.base, &key, "edge1.demo=sim", &data.path().join("agent"));
    // The agent's simulated router knows nothing yet, so it is told everything.
    let before = until_reloaded(&server, &agent, reloads(&equipment)).await;
    let ended = server.stop(BEFORE_THE_QUESTION_ENDS).await;
    assert!(ended.is_some_and(|e| e.success()), "{}", server.said());
    server.start().await;
    make_remote(&server, json!({"remote": true, "poll_seconds": 1, "forget": 1})).await;
    until_reloaded(&server, &agent, before).await;
    assert!(agent.said().contains("the server answers again"), "{}", agent.said());
}

#[tokio::test]
async fn an_agent_tells_its_result_until_the_server_has_heard_it() {
    let stub = Stub::new().await;
    let data = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(&stub.base, "key", "edge1=sim", &data.path().join("agent"));
    // None of these is a reason to give up.
    for status in [500, 503, 429] {
        let (path, asked) = stub.answer(status, &json!({"error": "Not now."})).await;
        assert_eq!((path.as_str(), &asked), ("/meetme/agent/v1/next", &json!({"serves": ["edge1"]})));
    }
    stub.hang_up().await;
    let target = json!({"id": 7, "name": "edge1", "address": "", "settings": null, "access": null});
    let work = json!({"id": 41, "equipment": "edge1", "target": target, "work": {"verb": "observe"}});
    stub.answer(200, &json!({"work": work, "refused": []})).await;
    let (path, first) = stub.hang_up().await;
    assert_eq!((path.as_str(), &first["id"]), ("/meetme/agent/v1/done", &json!(41)));
    assert!(first["result"]["Ok"]["version"].is_string(), "{first}");
    let (path, second) = stub.answer(503, &json!({})).await;
    assert_eq!((path.as_str(), &second), ("/meetme/agent/v1/done", &first));
    let (_, third) = stub.answer(200, &json!({"taken": true})).await;
    assert_eq!(third, first);
    // A result that nobody waits for any more is dropped, and work goes on.
    let work = json!({"id": 42, "equipment": "edge1", "target": target, "work": {"verb": "observe"}});
    stub.answer(200, &json!({"work": work, "refused": ["edge2"]})).await;
    let (path, _) = stub.answer(404, &json!({"error": "No equipment work 42 was found."})).await;
    assert_eq!(path, "/meetme/agent/v1/done");
    let (path, _) = stub.answer(200, &json!({"work": null, "refused": []})).await;
    assert_eq!(path, "/meetme/agent/v1/next");
    assert!(agent.said().contains("edge2"), "{}", agent.said());
    agent.ask_to_stop();
    assert!(agent.ended().await.success());
}
