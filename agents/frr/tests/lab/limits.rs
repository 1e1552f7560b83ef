//! Limits of prefixes on real sessions.

use meetme_agent::router::{AsPath, BgpState, Policy, SessionState, Term, Verdict};
use meetme_lab::{SOON, until, wish::asn};

use crate::room::Room;

/// What a session says that was shut for its limit.
const REACHED: &str = "Cease/Maximum Number of Prefixes Reached";

#[tokio::test]
async fn too_many_prefixes_bring_the_session_down_and_are_named() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].max_prefixes = Some(2);
    // The neighbour waits for us and sends all it has at once, as soon as the session is there: a new one, one that was shut, and
    // one that was taken away and comes back.
    let mut shut = want.clone();
    shut.sessions[0].enabled = false;
    for before in [None, Some(shut), Some(room.alone())] {
        if let Some(before) = before {
            room.apply(&before).await;
            let clean = |s: &SessionState| s.last_error.as_deref() != Some(REACHED);
            if before.sessions.is_empty() {
                assert_eq!(room.observe().await.unwrap().sessions, vec![]);
            } else {
                room.session("s1", clean).await;
            }
        }
        room.apply(&want).await;
        let seen = room.session("s1", |s| s.last_error.as_deref() == Some(REACHED)).await;
        assert_ne!(seen.state, BgpState::Established);
    }
}

/// A third router, which sends many routes to ours.
async fn crowd(room: &mut Room, routes: u8) {
    let host = room.lab.host("crowd", &["192.0.2.3/24"]).unwrap();
    let nets: String = (0..routes).map(|n| format!("route 198.51.{n}.0/24 blackhole; ")).collect();
    let text = format!(
        "router id 192.0.2.3;\nprotocol device {{}}\nprotocol static {{ ipv4; {nets} }}\nprotocol bgp back {{\n local as 64503; neighbor 192.0.2.1 as 64500;\n connect delay time 1; connect retry time 1; error wait time 1, 2;\n ipv4 {{ import none; export all; }};\n}}\n"
    );
    room.lab.start_bird(&host, "crowd", &text).await.unwrap();
}

#[tokio::test]
async fn a_limit_counts_what_its_own_peer_sends_and_nothing_that_others_send() {
    let Some(mut room) = Room::with_neighbour().await else { return };
    crowd(&mut room, 100).await;
    let mut want = room.peering();
    // Of three routes two are rejected, and of the others' hundred its policy would take none.
    let own = Term { as_path: vec![AsPath::Origin(vec![asn(64999)])], then: Verdict::Accept, ..Term::default() };
    (want.sessions[0].import, want.sessions[0].max_prefixes) =
        (Policy { terms: vec![own], ..Policy::default() }, Some(3));
    let mut other = want.sessions[0].clone();
    (other.key, other.peer_address, other.peer_asn) = ("s3".parse().unwrap(), "192.0.2.3".parse().unwrap(), asn(64503));
    (other.password, other.import, other.max_prefixes) = (None, Policy::accept_all(), Some(100));
    want.sessions.push(other);
    room.apply(&want).await;
    room.session("s3", |s| s.received == Some(100) && s.accepted == Some(100)).await;
    let up = room.session("s1", |s| s.received == Some(3) && s.accepted == Some(1)).await;
    // All is there; each look counts it again, and so does FRR with each route that comes anew.
    room.lab.birdc("crowd", "reload out back");
    room.birdc("reload out back");
    for _ in 0..3 {
        let seen = room.session("s1", |s| s.received == Some(3)).await;
        assert!((seen.since.unwrap().0 - up.since.unwrap().0).abs() <= 2_000, "the session was lost: {up:?} {seen:?}");
        room.session("s3", |s| s.received == Some(100)).await;
    }
    assert!(!room.text("frr/frr.log").contains("MAXPFXEXCEED"), "{}", room.text("frr/frr.log"));
    assert!(!room.plan(&want).await.is_change);
}

#[tokio::test]
async fn a_peer_of_whom_nothing_passes_is_shut_for_what_it_sends() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    (want.sessions[0].max_prefixes, want.sessions[0].import) = (Some(2), Policy::reject_all());
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.as_deref() == Some(REACHED)).await;
    assert_ne!(seen.state, BgpState::Established);
    // How it was counted does not stay.
    assert!(!room.running().contains("force") && !room.plan(&want).await.is_change);
    want.sessions[0].max_prefixes = Some(3);
    room.apply(&want).await;
    assert!(until(SOON, || room.running().contains("maximum-prefix 3 restart 1\n")).await);
}
