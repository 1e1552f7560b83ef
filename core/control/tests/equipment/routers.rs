//! Routers: rendering, repairing, complaints, sessions.

use meetme_base::{Id, Sealed};
use meetme_model::{
    BfdState, BgpState,
    ops::Equipment,
    routing::{AutonomousSystem, Bfd, DirectSession, PeerGroup, Router},
};
use serde_json::{Value, json};

use crate::world::{World, of};

async fn peer(world: &World, asn: u32) -> Id<AutonomousSystem> {
    world.make(json!({"asn": asn, "name": format!("AS {asn}"), "max4": 100})).await
}

fn session(router: Id<Router>, remote: Id<AutonomousSystem>, n: u16, more: Value) -> DirectSession {
    let relationship = json!({
        "asn": 64501, "remote": remote, "router": router,
        "local_ip": format!("10.{}.{}.1/30", n / 256, n % 256), "ip": format!("10.{}.{}.2/30", n / 256, n % 256),
    });
    let mut all = relationship.as_object().unwrap().clone();
    all.extend(more.as_object().cloned().unwrap_or_default());
    of(Value::Object(all))
}

async fn order(world: &World, session: DirectSession) -> Id<DirectSession> {
    let operator = world.operator;
    world.write(move |tx| Ok(tx.create(operator, session.clone())?.id)).await.unwrap()
}

async fn set(world: &World, equipment: Id<Equipment>, settings: Value) {
    world
        .edit(equipment, move |e| {
            e.settings = settings.clone();
            e.settings["poll_seconds"] = 1.into();
        })
        .await;
}

#[tokio::test]
async fn a_session_comes_up_and_goes_with_its_admin_word() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let id = order(&world, session(router, remote, 1, json!({}))).await;
    let up = world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    assert!(up.status.received > 0 && up.status.last_up.is_some() && up.status.since.is_some());
    assert_eq!(up.status.accepted, 0, "a session without a policy accepts nothing");
    let box1 = world.get(equipment).await.status;
    assert_eq!((box1.reachable, box1.reason, box1.drift), (Some(true), None, None));
    assert!(box1.version.is_some() && box1.applied_sha256.is_some() && box1.fence > 0);
    assert!(world.get(router).await.status.polled_at.is_some());
    world.edit(id, |s| s.peer.admin = meetme_model::Admin::Decommissioned).await;
    let gone = world.until(id, "idle", |s| s.status.state == Some(BgpState::Idle)).await;
    assert_eq!(gone.status.flaps, 1);
    world.end().await;
}

#[tokio::test]
async fn a_watched_path_is_seen_and_a_strict_role_is_told() {
    let world = World::new().await;
    let (router, _) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let bfd = world.make::<Bfd>(json!({"name": "Fast", "slug": "fast", "tx_ms": 150})).await;
    let said = json!({"role": "peer", "strict_role": true});
    let id = order(&world, session(router, remote, 1, json!({"bfd": bfd, "context": said}))).await;
    let up = world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    assert_eq!(up.status.bfd, Some(BfdState::Up));
    let mut told = None;
    world.sim.meddle("edge1", |box1| told = Some(box1.sessions[0].clone()));
    let told = told.unwrap();
    assert_eq!((told.role.is_some(), told.strict_role, told.bfd.map(|b| b.tx_ms)), (true, true, Some(150)));
    world.edit(id, |s| s.peer.bfd = None).await;
    world.until(id, "unwatched", |s| s.status.bfd.is_none()).await;
    world.end().await;
}

#[tokio::test]
async fn a_group_in_disabled_takes_its_sessions_down_and_a_policy_lets_routes_pass() {
    let world = World::new().await;
    let (router, _) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let policy = world
        .make::<meetme_model::routing::Policy>(json!({
            "name": "All", "slug": "all", "direction": "both", "context": {"policy": {"otherwise": "accept"}},
        }))
        .await;
    let group = world.make::<PeerGroup>(json!({"name": "G", "slug": "g", "import": [policy]})).await;
    let id = order(&world, session(router, remote, 1, json!({"group": group}))).await;
    world.until(id, "accepting", |s| s.status.accepted > 0).await;
    world.edit(group, |g| g.admin = meetme_model::Admin::Disabled).await;
    world.until(id, "idle", |s| s.status.state == Some(BgpState::Idle)).await;
    world.end().await;
}

#[tokio::test]
async fn a_thousand_sessions_in_one_transaction_are_one_rendering_and_one_reload() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let first = order(&world, session(router, remote, 0, json!({}))).await;
    world.until(first, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let before = world.get(equipment).await.status;
    let operator = world.operator;
    let last = world.write(move |tx| {
        let mut last = None;
        for n in 1..=1000 {
            last = Some(tx.create(operator, session(router, remote, n, json!({})))?.id);
        }
        Ok(last.unwrap())
    });
    let last = last.await.unwrap();
    world.until(last, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let after = world.get(equipment).await.status;
    assert_eq!((after.renders, after.reloads), (before.renders + 1, before.reloads + 1));
    assert_eq!(world.sim.applies(equipment.get()), after.reloads);
    world.end().await;
}

#[tokio::test]
async fn a_refusal_is_shown_in_the_boxs_words_and_made_good_when_the_box_gives_in() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let one = order(&world, session(router, remote, 1, json!({}))).await;
    world.until(one, "up", |s| s.status.state == Some(BgpState::Established)).await;
    set(&world, equipment, json!({"refuse": "Line 3: syntax error."})).await;
    let refusals = world.sim.refusals(equipment.get());
    let two = order(&world, session(router, remote, 2, json!({}))).await;
    let refused = world.until(equipment, "refused", |e| e.status.reason.is_some()).await;
    let reason = refused.status.reason.unwrap();
    assert_eq!((reason.code.as_str(), reason.text.contains("Line 3: syntax error.")), ("refused", true));
    assert!(refused.status.drift.is_some_and(|d| d.contains("10.0.2.2")));
    assert!(world.note("router", router.any()).await.starts_with("stuck: The equipment refuses: Line 3"));
    assert_eq!(world.get(one).await.status.state, Some(BgpState::Established), "the old configuration stays");
    let polled = world.get(router).await.status.polled_at;
    world.until(router, "polled", |r| r.status.polled_at > polled).await;
    assert_eq!(world.sim.refusals(equipment.get()), refusals + 1, "the same is not tried twice");
    assert_ne!(world.get(two).await.status.state, Some(BgpState::Established));
    set(&world, equipment, json!({})).await;
    world.until(two, "up", |s| s.status.state == Some(BgpState::Established)).await;
    world.until(equipment, "well", |e| e.status.reason.is_none()).await;
    world.end().await;
}

#[tokio::test]
async fn a_box_that_does_not_answer_is_waited_for() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    set(&world, equipment, json!({"unreachable": true})).await;
    let id = order(&world, session(router, remote, 1, json!({}))).await;
    world.until(equipment, "lost", |e| e.status.reachable == Some(false)).await;
    assert!(world.note("router", router.any()).await.starts_with("waiting: The equipment cannot be reached"));
    assert_eq!(world.get(id).await.status.state, None);
    set(&world, equipment, json!({})).await;
    world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    world.until(equipment, "found", |e| e.status.reachable == Some(true) && e.status.reason.is_none()).await;
    world.end().await;
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_shown_and_undone_only_where_the_equipment_says_so() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let id = order(&world, session(router, remote, 1, json!({}))).await;
    world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let reloads = world.get(equipment).await.status.reloads;
    assert!(world.sim.meddle("edge1", |box1| box1.sessions.clear()));
    let drifted = world.until(equipment, "drift", |e| e.status.drift.is_some()).await;
    assert!(drifted.status.drift_since.is_some() && drifted.status.drift.unwrap().contains("10.0.1.2"));
    assert_eq!(drifted.status.reloads, reloads);
    world.until(router, "drift", |r| r.status.drift.is_some()).await;
    world.edit(equipment, |e| e.repair = true).await;
    world.until(equipment, "repaired", |e| e.status.drift.is_none() && e.status.reloads == reloads + 1).await;
    world.until(id, "up again", |s| s.status.state == Some(BgpState::Established)).await;
    world.end().await;
}

#[tokio::test]
async fn a_box_that_lost_its_memory_is_told_everything_again() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let id = order(&world, session(router, remote, 1, json!({}))).await;
    world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let reloads = world.get(equipment).await.status.reloads;
    world.sim.reboot("edge1");
    world.until(equipment, "told again", |e| e.status.reloads > reloads).await;
    world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    world.end().await;
}

#[tokio::test]
async fn passwords_reach_the_box_and_nothing_else() {
    let world = World::new().await;
    let (router, equipment) = world.router("edge1").await;
    let remote = peer(&world, 64501).await;
    let sealed: Sealed = world.app.sealer().seal("hunter2").unwrap();
    let id = order(&world, session(router, remote, 1, json!({"password": sealed}))).await;
    world.until(id, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let mut told = None;
    world.sim.meddle("edge1", |box1| {
        told = box1.sessions[0].password.as_ref().map(|p| p.expose().to_owned());
        box1.sessions.clear();
    });
    assert_eq!(told.as_deref(), Some("hunter2"));
    let drifted = world.until(equipment, "drift", |e| e.status.drift.is_some()).await;
    let text = serde_json::to_string(&drifted.status).unwrap();
    assert!(text.contains("10.0.1.2") && !text.contains("hunter2"), "{text}");
    world.end().await;
}

#[tokio::test]
async fn a_router_without_an_agent_or_a_number_says_what_is_missing() {
    let world = World::new().await;
    let equipment = world.make::<Equipment>(json!({"name": "x", "family": "router", "make": "steam"})).await;
    let router =
        world.make::<Router>(json!({"name": "x", "hostname": "x", "equipment": equipment, "asn": 64500})).await;
    let says = async |what: &str| {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
        let found = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            while !world.note("router", router.any()).await.contains(what) {
                tick.tick().await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("{what} was not said"));
    };
    says("No agent here drives a router of the make steam").await;
    world.edit(router, |r| r.asn = None).await;
    says("has no AS number").await;
    world.end().await;
}
