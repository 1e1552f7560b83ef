//! The agent against real daemons in network namespaces. Says SKIPPED where none can be had.

#![expect(clippy::unwrap_used, reason = "every function of this crate is part of a test")]

mod room;
mod routes;

use std::os::unix::fs::PermissionsExt;

use meetme_agent::{
    Agent, AgentError, Fence, FenceGate, WireSecret,
    router::{BgpState, Role, SessionState},
};
use meetme_base::SystemClock;
use meetme_lab::{SOON, until, until_async, wish::asn};
use meetme_openbgpd::OpenBgpd;
use room::Room;
use serde_json::json;

#[tokio::test]
async fn sessions_of_both_families_come_up_and_their_routes_are_counted() {
    let Some(room) = Room::with_neighbour().await else { return };
    room.apply(&room.peering()).await;
    let counts = |s: &SessionState| (s.received, s.accepted, s.advertised);
    let seen = room.session("s1", |s| counts(s) == (Some(3), Some(3), Some(1))).await;
    assert_eq!((seen.state, seen.last_error), (BgpState::Established, None));
    assert_eq!((seen.peer_address, seen.peer_asn), (Some("192.0.2.2".parse().unwrap()), Some(asn(64501))));
    let age = meetme_base::Clock::now(&SystemClock).0 - seen.since.unwrap().0;
    assert!((-1_000..60_000).contains(&age), "the session is {age} ms old");
    let seen = room.session("s2", |s| counts(s) == (Some(2), Some(2), Some(1))).await;
    assert_eq!(seen.state, BgpState::Established);
}

#[tokio::test]
async fn what_was_applied_is_seen_and_nothing_is_left_to_change() {
    let Some(room) = Room::empty().await else { return };
    let want = room.peering();
    let plan = room.plan(&want).await;
    assert!(plan.is_change && plan.diff.contains("+  tcp md5sig password (secret)") && !plan.diff.contains("s3|"));
    let seen = room.apply(&want).await;
    assert_eq!(seen.config, plan.after);
    assert!(seen.version.starts_with("OpenBGPD 7.") && seen.running.is_some());
    let mode = std::fs::metadata(room.lab.file("us.conf")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "a file with passwords is open to others: {mode:o}");
    let again = room.plan(&want).await;
    assert_eq!((again.is_change, again.diff.as_str(), again.notes), (false, "", vec![]));
    assert_eq!(room.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_password_does_not_come_up_until_it_is_corrected() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    room.established("s1").await;
    want.sessions[0].password = Some(WireSecret::new("wrong"));
    room.apply(&want).await;
    room.session("s1", |s| s.state != BgpState::Established).await;
    room.apply(&room.peering()).await;
    room.established("s1").await;
}

#[tokio::test]
async fn roles_and_hops_are_agreed_on_with_another_make() {
    let Some(room) = Room::speaking("local role provider; require roles on; ttl security on;").await else { return };
    let mut want = room.peering();
    (want.sessions[0].gtsm, want.sessions[0].role) = (true, Some(Role::Peer));
    room.apply(&want).await;
    let is_refused =
        || room.text("peer.log").contains("Role mismatch") || room.birdc("show protocols").contains("Role");
    assert!(until(SOON, is_refused).await, "{}\n{}", room.text("peer.log"), room.birdc("show protocols"));
    want.sessions[0].role = Some(Role::Customer);
    room.apply(&want).await;
    room.established("s1").await;
    room.up_at_the_neighbour("back").await;
    let told = room.birdc("show protocols all back");
    assert!(told.contains("Role: customer") && told.contains("Role: provider"), "{told}");
    // A session that is up takes another role by beginning anew.
    want.sessions[0].role = None;
    room.apply(&want).await;
    let is_down = || room.birdc("show protocols").lines().any(|l| l.starts_with("back ") && !l.contains("Established"));
    assert!(until(SOON, is_down).await, "{}", room.birdc("show protocols"));
}

#[tokio::test]
async fn a_peer_that_says_no_role_is_refused_where_roles_are_strict() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    (want.sessions[0].role, want.sessions[0].strict_role) = (Some(Role::Peer), true);
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.as_deref().is_some_and(|why| why.contains("ole"))).await;
    assert_ne!(seen.state, BgpState::Established);
    assert!(!room.plan(&want).await.is_change);
    want.sessions[0].strict_role = false;
    room.apply(&want).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_disabled_session_goes_down_on_both_sides_and_comes_back_and_the_other_stays_up() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    room.established("s1").await;
    room.established("s2").await;
    let other = room.up_at_the_neighbour("back6").await;
    want.sessions[0].enabled = false;
    room.apply(&want).await;
    let seen = room.session("s1", |s| !s.enabled && s.state == BgpState::Idle).await;
    assert_eq!(seen.last_error, None);
    let is_down = || room.birdc("show protocols").lines().any(|l| l.starts_with("back ") && !l.contains("Established"));
    assert!(until(SOON, is_down).await);
    assert!(!room.plan(&want).await.is_change);
    room.apply(&room.peering()).await;
    room.established("s1").await;
    room.established("s2").await;
    assert_eq!(room.up_at_the_neighbour("back6").await, other, "the other session was lost");
}

#[tokio::test]
async fn a_session_disabled_by_hand_is_seen_and_repaired() {
    let Some(room) = Room::with_neighbour().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    room.established("s1").await;
    room.bgpctl(&["neighbor", "192.0.2.2", "down"]);
    room.session("s1", |s| !s.enabled).await;
    assert_eq!(room.plan(&want).await.notes, ["Session s1 was disabled by hand."]);
    room.apply(&want).await;
    room.established("s1").await;
    assert!(!room.plan(&want).await.is_change);
}

#[tokio::test]
async fn too_many_prefixes_bring_the_session_down_and_are_named() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    // The limit counts what is sent, so a policy that takes nothing does not hide a leak.
    (want.sessions[0].max_prefixes, want.sessions[0].import) = (Some(2), meetme_agent::router::Policy::reject_all());
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.is_some()).await;
    assert_eq!(seen.last_error.as_deref(), Some("Cease, received max-prefix exceeded"));
}

#[tokio::test]
async fn hand_edits_of_the_file_and_of_the_daemon_are_seen_and_undone() {
    let Some(room) = Room::empty().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    let good = room.text("us.conf");
    std::fs::write(room.lab.file("us.conf"), good.replace("max-prefix 10", "max-prefix 99")).unwrap();
    let plan = room.plan(&want).await;
    assert!(plan.is_change && plan.diff.contains("-  max-prefix 99 restart 1\n+  max-prefix 10 restart 1"));
    // The daemon is given another file, and the right one is put back behind its back.
    let other = format!("AS 64500\nrouter-id 192.0.2.1\nsocket \"{}\"\n", room.path("us.sock"));
    std::fs::write(room.lab.file("us.conf"), other).unwrap();
    room.bgpctl(&["reload"]);
    assert!(until(SOON, || !room.bgpctl(&["show"]).contains("A neighbour")).await);
    std::fs::write(room.lab.file("us.conf"), good).unwrap();
    let plan = room.plan(&want).await;
    assert_eq!(plan.notes, ["The daemon runs another configuration than the one in its file."]);
    assert!(plan.is_change && plan.diff.is_empty());
    assert_eq!(room.apply(&want).await.sessions.len(), 2);
    assert!(!room.plan(&want).await.is_change);
}

#[tokio::test]
async fn a_bad_text_is_refused_in_words_and_the_old_configuration_runs_on() {
    let Some(mut room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    // Two that call each other at once may begin twice; what has its routes stays.
    room.session("s1", |s| s.accepted == Some(3) && s.advertised == Some(1)).await;
    let up = room.up_at_the_neighbour("back").await;
    let before = room.text("us.conf");
    want.custom_text = Some(WireSecret::new(
        "AS 64500\nneighbor 192.0.2.2 {\n  remote-as 64501\n  tcp md5sig password topsecret\n  oops 7\n}\n",
    ));
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("us.conf:") && why.contains("syntax error") && !why.contains("topsecret"), "{why}");
    assert_eq!(room.up_at_the_neighbour("back").await, up, "the session was lost");
    // What only the daemon refuses, which says so and succeeds.
    room.target.settings["check_command"] = json!(["true"]);
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("reload failed"), "{why}");
    assert_eq!((room.text("us.conf"), room.left()), (before, vec![]));
    room.established("s1").await;
    assert_eq!(room.up_at_the_neighbour("back").await, up, "the session began anew");
    assert!(!room.plan(&room.peering()).await.is_change);
}

#[tokio::test]
async fn a_dead_daemon_is_unreachable_and_its_file_is_left_alone() {
    let Some(mut room) = Room::empty().await else { return };
    let plan = room.plan(&room.peering()).await;
    let before = room.text("us.conf");
    room.lab.kill(room.daemon);
    let error = room.observe().await.unwrap_err();
    let AgentError::Unreachable { why } = &error else { panic!("{error}") };
    assert!(why.contains("us.sock") && error.is_passing(), "{why}");
    let error = room.agent.apply(&room.target, plan, Fence(1)).await.unwrap_err();
    assert_eq!((error.metric_label(), room.text("us.conf"), room.left()), ("unreachable", before, vec![]));
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
async fn a_change_whose_maker_died_is_taken_back_by_itself_or_by_the_next_agent() {
    let Some(mut room) = Room::empty().await else { return };
    room.apply(&room.alone()).await;
    let before = room.text("us.conf");
    // A neighbour with a description is shown by it.
    let has_session = |room: &Room| room.bgpctl(&["show"]).contains("A neighbour");
    for confirm_seconds in [8, 600] {
        room.target.settings["confirm_seconds"] = json!(confirm_seconds);
        room.target.settings["prove_command"] = json!(["sleep", "600"]);
        let plan = room.plan(&room.peering()).await;
        {
            let change = room.agent.apply(&room.target, plan, Fence(1));
            // The change must have its turn between two looks.
            let is_made = until_async(SOON, async || {
                tokio::task::yield_now().await;
                has_session(&room)
            });
            tokio::select! {
                early = change => panic!("the change has ended: {early:?}"),
                is_made = is_made => assert!(is_made),
            }
            // Here the change is dropped, as it is when the process that makes it dies.
        }
        if confirm_seconds == 600 {
            assert!(has_session(&room) && !room.left().is_empty());
            room.agent = OpenBgpd::new(std::sync::Arc::new(SystemClock), FenceGate::in_memory());
            room.observe().await.unwrap();
        }
        assert!(until(SOON, || !has_session(&room) && room.left().is_empty()).await, "{:?}", room.left());
        assert_eq!(room.text("us.conf"), before);
        assert!(!room.plan(&room.alone()).await.is_change);
    }
}
