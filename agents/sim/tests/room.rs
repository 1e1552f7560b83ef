//! Simulated equipment of each family, driven as a controller drives it.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

use std::sync::Arc;

use meetme_agent::{
    Agent, AgentError, Family, Fence, Target,
    fabric::{self, Circuit, LegPhase},
    router::{self, BgpSession, BgpState, Desired, Policy, Router},
    server::{self, Busy, Server},
    storage::{self, Restore, Storage},
};
use meetme_base::{Asn, ManualClock, Time};
use meetme_sim::Sim;
use serde_json::json;

struct Room {
    clock: Arc<ManualClock>,
    sim: Sim,
    target: Target,
}

impl Room {
    fn new(settings: serde_json::Value) -> Self {
        let clock = Arc::new(ManualClock::new(Time(1_784_000_000_000)));
        let target =
            Target { id: 7, name: "edge1".into(), address: String::new(), settings, access: None, repair: false };
        Self { sim: Sim::new(clock.clone()), clock, target }
    }

    /// One pass: look, work out the change, make it.
    async fn pass<F: Family>(&self, want: &F::Desired, fence: u64) -> Result<F::Observed, AgentError>
    where
        Sim: Agent<F>,
    {
        let seen = Agent::<F>::observe(&self.sim, &self.target).await?;
        let plan = Agent::<F>::plan(&self.sim, want, &seen)?;
        Agent::<F>::apply(&self.sim, &self.target, plan, Fence(fence)).await
    }

    async fn look<F: Family>(&self) -> F::Observed
    where
        Sim: Agent<F>,
    {
        Agent::<F>::observe(&self.sim, &self.target).await.unwrap()
    }
}

fn asn(n: i64) -> Asn {
    Asn::try_from(n).unwrap()
}

fn router(sessions: u8) -> Desired {
    let session = |n: u8| {
        let key = format!("s{n}").parse().unwrap();
        let peer = format!("192.0.2.{n}").parse().unwrap();
        BgpSession { import: Policy::accept_all(), ..BgpSession::new(key, asn(64500), peer, asn(64500 + i64::from(n))) }
    };
    Desired {
        sessions: (1..=sessions).map(session).collect(),
        ..Desired::new("edge1", "192.0.2.254".parse().unwrap(), asn(64500))
    }
}

fn states(seen: &router::Observed) -> Vec<BgpState> {
    seen.sessions.iter().map(|s| s.state).collect()
}

#[tokio::test]
async fn sessions_come_up_after_a_while_and_stay_up_over_changes_of_others() {
    let room = Room::new(json!(null));
    assert_eq!(room.look::<Router>().await.config.expose(), "");
    assert_eq!(states(&room.pass::<Router>(&router(1), 1).await.unwrap()), [BgpState::Connect]);
    room.clock.step_seconds(1);
    assert_eq!(states(&room.look::<Router>().await), [BgpState::Established]);
    let both = room.pass::<Router>(&router(2), 2).await.unwrap();
    assert_eq!(states(&both), [BgpState::Established, BgpState::Connect]);
    assert!(both.sessions[0].received > Some(0) && both.sessions[0].accepted == both.sessions[0].received);
}

#[tokio::test]
async fn an_older_fence_and_whatever_is_refused_changes_nothing() {
    let mut room = Room::new(json!({"refuse": "Line 3: no such filter."}));
    let refused = AgentError::refused("Line 3: no such filter.");
    assert_eq!(room.pass::<Router>(&router(1), 5).await.unwrap_err(), refused);
    room.target.settings = json!({});
    let fenced = room.pass::<Router>(&router(1), 4).await.unwrap_err();
    assert_eq!(fenced, AgentError::Fenced { seen: Fence(5) });
    assert!(room.look::<Router>().await.sessions.is_empty());
}

#[tokio::test]
async fn half_an_apply_is_made_whole_by_repeating_it() {
    let room = Room::new(json!({"half_apply": true}));
    let mut passes = 0;
    while room.pass::<Router>(&router(8), 1).await.is_err() {
        passes += 1;
    }
    assert_eq!((passes, room.look::<Router>().await.sessions.len()), (3, 8));
}

#[tokio::test]
async fn a_lie_is_found_out_by_the_next_look() {
    let room = Room::new(json!({"lie": true}));
    assert_eq!(room.pass::<Router>(&router(2), 1).await.unwrap().sessions.len(), 2);
    assert!(room.look::<Router>().await.sessions.is_empty());
}

#[tokio::test]
async fn a_box_that_does_not_answer_says_so_and_one_that_forgets_is_empty() {
    let mut room = Room::new(json!({}));
    room.pass::<Router>(&router(2), 1).await.unwrap();
    room.target.settings = json!({"unreachable": true});
    assert_eq!(room.pass::<Router>(&router(2), 2).await.unwrap_err().metric_label(), "unreachable");
    room.target.settings = json!({"forget": 1});
    assert_eq!(room.look::<Router>().await.config.expose(), "");
    room.pass::<Router>(&router(2), 3).await.unwrap();
    assert_eq!(room.look::<Router>().await.sessions.len(), 2);
    room.sim.reboot("edge1");
    assert!(room.look::<Router>().await.sessions.is_empty());
}

#[tokio::test]
async fn a_diff_of_a_router_shows_no_password() {
    let room = Room::new(json!({}));
    let mut want = router(1);
    want.sessions[0].password = Some(meetme_agent::WireSecret::new("hunter2"));
    let seen = room.look::<Router>().await;
    let plan = Agent::<Router>::plan(&room.sim, &want, &seen).unwrap();
    assert!(plan.is_change && plan.diff.contains("s1") && !plan.diff.contains("hunter2"), "{}", plan.diff);
}

fn circuit(legs: &[(&str, bool)]) -> fabric::Desired {
    let end = |key: &str| fabric::End { on: "port".into(), key: key.into(), ..fabric::End::default() };
    let leg = |(key, on): &(&str, bool)| fabric::Leg {
        key: (*key).to_owned(),
        on: *on,
        a: end("port1"),
        z: end("port2"),
        provider: Some("aws".into()),
        far: json!({}),
        sessions: vec![fabric::Session {
            key: "s1".into(),
            peer_address: "169.254.1.2".parse().unwrap(),
            peer_asn: asn(64512),
            enabled: true,
        }],
    };
    fabric::Desired { key: "c7".into(), name: "One".into(), rate: None, legs: legs.iter().map(leg).collect() }
}

#[tokio::test]
async fn legs_are_built_switched_and_taken_down_in_their_time() {
    let room = Room::new(json!({"delay_ms": 1000}));
    let phases = |seen: fabric::Observed| seen.legs.iter().map(|l| l.state).collect::<Vec<_>>();
    let built = room.pass::<Circuit>(&circuit(&[("l1", true)]), 1).await.unwrap();
    assert_eq!(phases(built), [LegPhase::Building]);
    room.clock.step_seconds(1);
    let up = room.look::<Circuit>().await;
    assert_eq!(up.legs[0].sessions[0].state, BgpState::Established);
    assert!(up.legs[0].remote_id.as_deref().is_some_and(|id| id.starts_with("aws-")));
    assert_eq!(phases(up), [LegPhase::Up]);
    room.pass::<Circuit>(&circuit(&[("l1", false)]), 2).await.unwrap();
    room.clock.step_seconds(1);
    assert_eq!(phases(room.look::<Circuit>().await), [LegPhase::Off]);
    assert_eq!(phases(room.pass::<Circuit>(&circuit(&[]), 3).await.unwrap()), [LegPhase::Removing]);
    room.clock.step_seconds(1);
    assert_eq!(phases(room.look::<Circuit>().await), []);
}

fn server(install: Option<u32>, power: bool, starts: u32) -> server::Desired {
    let install = install.map(|number| server::Install {
        number,
        plan: "c3".into(),
        image: "debian_13".into(),
        ipxe_url: None,
        userdata: None,
        root_password: None,
        ssh_keys: vec![],
        addresses: vec![],
        keep_disks: false,
        steps: ["one", "two", "three", "four"].map(str::to_owned).to_vec(),
    });
    server::Desired { key: "d7".into(), hostname: "one".into(), power, install, starts, rescue: false, netboot: false }
}

#[tokio::test]
async fn a_server_installs_step_by_step_and_then_does_what_it_is_told() {
    let room = Room::new(json!({"delay_ms": 4000}));
    let begun = room.pass::<Server>(&server(Some(1), true, 0), 1).await.unwrap();
    assert_eq!((begun.busy, begun.done.len()), (Some(Busy::Installing), 0));
    room.clock.step_seconds(2);
    let half = room.look::<Server>().await;
    assert_eq!(half.done.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    room.clock.step_seconds(2);
    let done = room.look::<Server>().await;
    assert_eq!((done.busy, done.done.len(), done.installed, done.power), (None, 4, 1, true));
    for (want, busy) in [
        (server(Some(1), true, 1), Busy::Starting),
        (server(Some(1), false, 1), Busy::Stopping),
        (server(Some(1), true, 1), Busy::Starting),
        (server(Some(2), true, 1), Busy::Installing),
        (server(None, false, 1), Busy::Wiping),
    ] {
        assert_eq!(room.pass::<Server>(&want, 2).await.unwrap().busy, Some(busy));
        room.clock.step_seconds(4);
        assert_eq!(room.pass::<Server>(&want, 2).await.unwrap().busy, None);
    }
    assert_eq!(room.look::<Server>().await.key, None);
}

#[tokio::test]
async fn an_installation_that_breaks_off_stops_in_the_middle() {
    let mut room = Room::new(json!({"delay_ms": 1000, "half_apply": true}));
    assert!(room.pass::<Server>(&server(Some(1), true, 0), 1).await.is_err());
    room.clock.step_seconds(9);
    let half = room.look::<Server>().await;
    assert_eq!((half.busy, half.done.len()), (Some(Busy::Installing), 2));
    room.target.settings = json!({"delay_ms": 1000});
    let whole = room.look::<Server>().await;
    assert_eq!((whole.busy, whole.done.len()), (None, 4));
}

/// What a volume is to be: 10 GB with these snapshots.
fn volume(number: i64, snapshots: &[&str]) -> storage::Desired {
    let volume = storage::Volume {
        size_gb: 10,
        class: "fast".into(),
        copy_of: None,
        snapshots: snapshots.iter().map(|name| (*name).to_owned()).collect(),
        restore: None,
        initiators: vec![],
    };
    storage::Desired { key: format!("v{number}"), volume: Some(volume) }
}

fn with(mut want: storage::Desired, edit: impl FnOnce(&mut storage::Volume)) -> storage::Desired {
    edit(want.volume.as_mut().unwrap());
    want
}

#[tokio::test]
async fn a_volume_is_made_snapped_copied_and_put_back_and_what_it_holds_says_so() {
    let mut room = Room::new(json!(null));
    let made = room.pass::<Storage>(&volume(7, &[]), 1).await.unwrap().volume.unwrap();
    assert!(made.busy && made.iqn.starts_with("iqn.") && made.portals.len() == 2, "{made:?}");
    room.clock.step_seconds(1);
    let first = room.look::<Storage>().await.volume.unwrap();
    assert!(!first.busy);
    let snapped = room.pass::<Storage>(&volume(7, &["s1"]), 2).await.unwrap().volume.unwrap();
    assert_eq!(snapped.snapshots.len(), 1);
    assert_ne!(snapped.content, first.content, "its machine goes on writing");

    room.target.id = 8;
    let origin =
        |snapshot: Option<&str>| Some(storage::Origin { volume: "v7".into(), snapshot: snapshot.map(str::to_owned) });
    let copy = with(volume(8, &[]), |v| v.copy_of = origin(Some("s1")));
    let copied = room.pass::<Storage>(&copy, 3).await.unwrap().volume.unwrap();
    assert_eq!(copied.content, first.content, "a copy of the snapshot holds what the snapshot holds");
    room.target.id = 9;
    let copy = with(volume(9, &[]), |v| v.copy_of = origin(None));
    assert_eq!(room.pass::<Storage>(&copy, 4).await.unwrap().volume.unwrap().content, snapped.content);
    room.target.id = 10;
    let lost = with(volume(10, &[]), |v| v.copy_of = origin(Some("s2")));
    assert!(room.pass::<Storage>(&lost, 5).await.unwrap_err().to_string().contains("no v7 to copy"));

    room.target.id = 7;
    let back = with(volume(7, &["s1"]), |v| v.restore = Some(Restore { number: 1, snapshot: "s1".into() }));
    let restored = room.pass::<Storage>(&back, 6).await.unwrap().volume.unwrap();
    assert_eq!((restored.restored, &restored.content), (1, &first.content));
    room.clock.step_seconds(1);
    let grown = with(volume(7, &[]), |v| {
        v.size_gb = 20;
        v.initiators = vec!["iqn.a".into()];
        v.restore = Some(Restore { number: 1, snapshot: "s1".into() });
    });
    let grown = room.pass::<Storage>(&grown, 7).await.unwrap().volume.unwrap();
    assert_eq!((grown.size_gb, grown.snapshots.len(), grown.initiators.len(), grown.restored), (20, 0, 1, 1));
    room.clock.step_seconds(1);
    let gone = storage::Desired { key: "v7".into(), volume: None };
    assert!(room.pass::<Storage>(&gone, 8).await.unwrap().volume.unwrap().busy);
    room.clock.step_seconds(1);
    assert_eq!(room.look::<Storage>().await.volume, None);
}

#[tokio::test]
async fn storage_that_forgets_has_nothing_left() {
    let mut room = Room::new(json!(null));
    room.pass::<Storage>(&volume(7, &[]), 1).await.unwrap();
    room.target.settings = json!({"forget": 1});
    assert_eq!(room.look::<Storage>().await.volume, None);
}
