//! One real router that the server does not reach: BIRD in a network namespace, driven by `meetme agent` beside it, which dials out.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::{
    kit::{
        agent::{Agent, Stub},
        until,
    },
    lab::{Room, SOON},
};

/// A file of the agent, which nobody else may read.
fn kept(data: &Path, name: &str) -> Value {
    let file = data.join(name);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[tokio::test]
async fn lab_an_agent_that_dials_out_drives_a_router_and_looks_after_it_alone() {
    let mut room = match Room::open(true, &[("MEETME__CONTROL__AGENT_SECONDS", "3")]).await {
        Ok(room) => room,
        Err(skip) => return skip.report(),
    };
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("agent");
    room.patch_box(json!({"repair": true})).await;
    let equipment = room.box_().await;
    let (id, name) = (equipment["id"].clone(), equipment["spec"]["name"].as_str().unwrap().to_owned());

    // As long as no agent came, the box waits, and says for whom.
    let alone = format!("no agent of {name} asked for work");
    let waits = |b: &Value| b["reason"]["text"].as_str().is_some_and(|text| text.contains(&alone));
    room.until_box("nobody came yet", &waits).await;

    // An API call becomes a session that is Established between real daemons, and its prefixes are counted.
    let key = room.server.agent_key(&id).await;
    let serves = format!("{name}=bird");
    let start = |server: &str| Agent::start(server, &key, &serves, &data);
    let mut agent = start(&room.server.base);
    let up =
        room.until_session("it comes up", |s| s["bgp_state"] == "established" && s["received_prefix_count"] == 3).await;
    assert!(up["accepted_prefix_count"] == 3 && up["advertised_prefix_count"].as_u64().unwrap() >= 1, "{up}");
    room.until_box("it is well", |b| b["reason"].is_null() && b["reachable"] == true && b["drift"].is_null()).await;
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);

    // The server away and the router changed by hand: the agent alone puts it back.
    room.server.kill();
    room.edit("hold time 30", "hold time 60");
    let healed = until(SOON, async || room.text("us.conf").contains("hold time 30").then_some(())).await;
    assert!(healed.is_some(), "{}\n{}", room.text("us.conf"), agent.said());

    // The server back on the same data: it carries on.
    room.server.start().await;
    room.patch_session(json!({"status": "disabled"})).await;
    room.until_session("a change reaches the box", |s| s["bgp_state"] != "established").await;
    room.patch_session(json!({"status": "enabled"})).await;
    room.until_session("and another", |s| s["bgp_state"] == "established").await;

    // The agent away: a wait with a reason in words.
    agent.kill();
    let missed = room.until_box("it is missed", |b| waits(b) && b["reachable"] == false).await;
    let fence = missed["status"]["fence"].as_u64().unwrap();
    assert_eq!(kept(&data, "fences.json"), json!({id.to_string(): fence}));

    // Started again, the agent remembers: whoever comes with an older fence is refused.
    let target = kept(&data, "kept.json")[&name]["target"].clone();
    assert_eq!((&target["id"], &target["repair"]), (&id, &json!(true)));
    let stub = Stub::new().await;
    let mut other = start(&stub.base);
    let text = json!({"$clear": "router id 192.0.2.99;\n"});
    let plan = json!({"before": text, "after": text, "diff": "", "notes": [], "is_change": true});
    let work = json!({"verb": "apply", "plan": plan, "fence": fence - 1});
    let work = json!({"id": 1, "equipment": name, "target": target, "work": work});
    stub.answer(200, &json!({"work": work, "refused": []})).await;
    let (_, told) = stub.answer(200, &json!({"taken": true})).await;
    assert_eq!(told["result"], json!({"Err": {"kind": "fenced", "seen": fence}}));
    other.kill();

    // Started again at the server it belongs to, it is served again.
    agent = start(&room.server.base);
    room.until_box("it is back", |b| b["reachable"] == true && b["reason"].is_null()).await;
    room.patch_session(json!({"status": "disabled"})).await;
    room.until_session("a change reaches the box again", |s| s["bgp_state"] != "established").await;
    assert!(room.box_().await["status"]["fence"].as_u64().unwrap() > fence, "{}", agent.said());
}
