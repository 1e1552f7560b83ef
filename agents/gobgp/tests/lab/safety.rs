//! What happens when somebody else changes the daemon, or a change does not take.

use std::sync::Arc;

use meetme_agent::{
    Agent as _, AgentError, Fence, FenceGate, WireSecret,
    router::{BgpState, Policy},
};
use meetme_gobgp::Gobgp;
use meetme_lab::{SOON, until};

use crate::room::Room;

#[tokio::test]
async fn changes_by_hand_are_seen_as_a_difference_and_undone() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].import = Policy::reject_all();
    want.sessions[0].import.terms = vec![meetme_agent::router::Term {
        prefixes: vec![meetme_agent::router::PrefixRange::exact("203.0.113.0/24".parse().unwrap())],
        then: meetme_agent::router::Verdict::Accept,
        ..Default::default()
    }];
    room.apply(&want).await;
    room.established("s1").await;
    let hands: &[(&[&str], &str)] = &[
        (&["neighbor", "add", "192.0.2.9", "as", "64509"], "-neighbor_address = \"192.0.2.9\""),
        (&["neighbor", "del", "192.0.2.2"], "+neighbor_address = \"192.0.2.2\""),
        (&["neighbor", "192.0.2.2", "disable"], "-admin_down = true"),
        (&["policy", "prefix", "add", "peer_s1-in-0", "198.18.0.0/15", "15..32"], "-    \"198.18.0.0/15 15..32\","),
        (&["policy", "neighbor", "add", "strangers", "192.0.2.77"], "-name = \"strangers\""),
        (&["global", "policy", "import", "set", "meetme-import", "default", "accept"], "-default_action = \"accept\""),
        (&["global", "policy", "export", "del", "meetme-export"], "+policies = [\"meetme-export\"]"),
        (&["global", "rib", "add", "198.19.9.0/24"], "198.19.9.0/24"),
        (&["global", "rib", "del", "192.0.2.0/24"], "192.0.2.0/24"),
    ];
    for (command, shown) in hands {
        let said = room.gobgp(command);
        let mut diff = String::new();
        let is_seen = meetme_lab::until_async(SOON, async || {
            diff = room.plan(&want).await.diff;
            !diff.is_empty()
        });
        assert!(is_seen.await && diff.contains(shown), "{command:?}: {said}\n{diff}");
        room.apply(&want).await;
        room.session("s1", |s| s.accepted == Some(1)).await;
    }
}

#[tokio::test]
async fn a_daemon_that_started_again_empty_is_new_and_filled_again() {
    let Some(mut room) = Room::with_neighbour().await else { return };
    let want = room.peering();
    let good = room.apply(&want).await;
    room.established("s1").await;
    let router = room.router;
    room.lab.kill(router);
    let error = room.observe().await.unwrap_err();
    assert!(
        matches!(&error, AgentError::Unreachable { why } if why.contains("us.sock")) && error.is_passing(),
        "{error}"
    );
    room.start_router().await;
    let seen = room.observe().await.unwrap();
    assert_eq!((seen.config.expose(), seen.running, seen.sessions.len()), ("", None, 0));
    let again = room.apply(&want).await;
    assert_eq!(again.config, good.config);
    room.established("s1").await;
}

/// A plan whose policies name a set that is not there: a step in the middle that the daemon refuses.
fn spoiled(mut plan: meetme_agent::router::Plan) -> meetme_agent::router::Plan {
    let text = plan.after.expose().replace(
        "[policies.statements.conditions.neighbor_set]\nname = \"peer_s1\"",
        "[policies.statements.conditions.neighbor_set]\nname = \"nobody\"",
    );
    assert_ne!(text, plan.after.expose());
    plan.after = WireSecret::new(text);
    plan
}

#[tokio::test]
async fn a_step_that_the_daemon_refuses_brings_the_earlier_configuration_back() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions.push(other(&room));
    let good = room.apply(&want).await;
    room.established("s1").await;
    // One session goes before the policies come, which the daemon then refuses.
    let plan = spoiled(room.plan(&room.peering()).await);
    let refusal = room.agent.apply(&room.target, plan, Fence(1)).await.unwrap_err();
    assert!(matches!(&refusal, AgentError::Refused { why } if why.contains("nobody")), "{refusal}");
    let seen = room.observe().await.unwrap();
    assert_eq!((seen.config, seen.sessions.len()), (good.config, 2));
    assert!(!room.lab.file("gobgp-7.json").exists());
    room.session("s1", |s| s.state == BgpState::Established && s.accepted == Some(5)).await;
}

fn other(room: &Room) -> meetme_agent::router::BgpSession {
    let mut other = room.peering().sessions.remove(0);
    (other.key, other.peer_address) = ("s2".parse().unwrap(), "192.0.2.3".parse().unwrap());
    other
}

#[tokio::test]
async fn a_change_that_was_left_in_the_middle_is_taken_back_by_the_next_look() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    let good = room.apply(&want).await;
    want.sessions.push(other(&room));
    let plan = room.plan(&want).await;
    // As a process leaves it that died after some steps: the change is on disk, and half of it is done.
    let left = serde_json::json!({"before": good.config, "after": plan.after});
    std::fs::write(room.lab.file("gobgp-7.json"), left.to_string()).unwrap();
    room.gobgp(&["neighbor", "del", "192.0.2.2"]);
    room.gobgp(&["neighbor", "add", "192.0.2.3", "as", "64501"]);
    let next = Gobgp::new(FenceGate::in_memory(), room.lab.directory());
    let seen = next.observe(&room.target).await.unwrap();
    assert_eq!(seen.config, good.config);
    assert!(!room.lab.file("gobgp-7.json").exists());
    // One that was finished and not told so is confirmed.
    room.apply(&want).await;
    std::fs::write(room.lab.file("gobgp-7.json"), left.to_string()).unwrap();
    let seen = next.observe(&room.target).await.unwrap();
    assert_eq!((&seen.config, room.lab.file("gobgp-7.json").exists()), (&plan.after, false));
}

// The change goes on while the daemon's own command line is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_lost_in_the_middle_finds_the_earlier_configuration_when_it_is_back() {
    let Some(mut room) = Room::empty().await else { return };
    let want = room.peering();
    let good = room.apply(&want).await;
    let mut more = want.clone();
    more.sessions.extend((0..600u16).map(|n| {
        let mut session = other(&room);
        session.key = format!("n{n}").parse().unwrap();
        session.peer_address = std::net::Ipv4Addr::from(0xC612_0000 + u32::from(n)).into();
        session.passive = true;
        session
    }));
    let plan = room.plan(&more).await;
    let agent = Arc::new(Gobgp::new(FenceGate::in_memory(), room.lab.directory()));
    let (target, other) = (room.target.clone(), Arc::clone(&agent));
    let change = tokio::spawn(async move { other.apply(&target, plan, Fence(1)).await });
    let is_under_way = until(SOON, || room.gobgp_json(&["neighbor"]).as_array().is_some_and(|all| all.len() > 20));
    assert!(is_under_way.await);
    let router = room.router;
    room.lab.kill(router);
    let error = change.await.unwrap().unwrap_err();
    assert_eq!(error.metric_label(), "unreachable", "{error}");
    assert!(room.lab.file("gobgp-7.json").exists());
    room.start_router().await;
    assert_eq!(agent.observe(&room.target).await.unwrap().config, good.config);
}

#[tokio::test]
async fn a_controller_that_lost_its_lease_changes_nothing() {
    let Some(room) = Room::empty().await else { return };
    let good = room.try_apply(&room.peering(), 5).await.unwrap();
    let error = room.try_apply(&room.alone(), 4).await.unwrap_err();
    assert_eq!(error, AgentError::Fenced { seen: Fence(5) });
    assert_eq!(room.observe().await.unwrap().config, good.config);
}

#[tokio::test]
async fn a_change_that_cannot_be_taken_back_does_not_stand_in_the_way_of_the_next() {
    let Some(room) = Room::empty().await else { return };
    let left = serde_json::json!({"before": WireSecret::new("no configuration"), "after": WireSecret::new("x")});
    std::fs::write(room.lab.file("gobgp-7.json"), left.to_string()).unwrap();
    assert_eq!(room.observe().await.unwrap().config.expose(), "");
    room.apply(&room.peering()).await;
    assert!(!room.lab.file("gobgp-7.json").exists());
}
