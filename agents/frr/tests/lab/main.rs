//! The agent against real daemons in network namespaces. Says SKIPPED where none can be had.

#![expect(clippy::unwrap_used, reason = "every function of this crate is part of a test")]

mod guard;
mod limits;
mod room;
mod routes;

use std::os::unix::fs::PermissionsExt;

use meetme_agent::{
    Agent, AgentError, Fence, WireSecret,
    router::{
        AsPath, Bfd, BfdState, BgpSession, BgpState, Changes, Community, Desired, Policy, PrefixRange, Role,
        RouteSource, SessionState, Term, Verdict,
    },
};
use meetme_lab::{SOON, until, wish::asn};
use room::Room;

#[tokio::test]
async fn sessions_of_both_families_come_up_and_their_routes_are_counted() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    let unwanted = PrefixRange::new("198.18.0.0/15".parse().unwrap(), 15, 24).unwrap();
    want.sessions[0].import.terms = vec![Term { prefixes: vec![unwanted], ..Term::default() }];
    room.apply(&want).await;
    let counts = |s: &SessionState| (s.received, s.accepted, s.advertised);
    let seen = room.session("s1", |s| counts(s) == (Some(3), Some(2), Some(1))).await;
    assert_eq!((seen.state, seen.last_error), (BgpState::Established, None));
    assert_eq!((seen.peer_address, seen.peer_asn), (Some("192.0.2.2".parse().unwrap()), Some(asn(64501))));
    let age = meetme_base::Clock::now(&meetme_base::SystemClock).0 - seen.since.unwrap().0;
    // FRR tells whole seconds.
    assert!((-1_000..60_000).contains(&age), "the session is {age} ms old");
    let seen = room.session("s2", |s| counts(s) == (Some(2), Some(2), Some(1))).await;
    assert_eq!(seen.state, BgpState::Established);
}

/// Every form of every line that is rendered, so that FRR is seen to show each as it was given.
fn everything(room: &Room) -> Desired {
    let mut want = room.peering();
    want.log_file = Some(room.path("frr/other.log"));
    let well_known =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 666, 65281, 65282, 65283, 65284, 9].map(|n| Community::Standard(65535, n));
    let paths = [
        AsPath::First(vec![asn(64501), asn(64502)]),
        AsPath::Origin((64600..64900).map(asn).collect()),
        AsPath::Contains(vec![asn(4_200_000_000)]),
        AsPath::Within(vec![
            "0".parse().unwrap(),
            "64496-131071".parse().unwrap(),
            "4200000000-4294967295".parse().unwrap(),
        ]),
        AsPath::LongerThan(0),
        AsPath::LongerThan(255),
    ];
    let ranges = [(24, 24), (24, 28), (25, 28), (25, 32), (32, 32)];
    let ranges = ranges.map(|(low, high)| PrefixRange::new("203.0.113.0/24".parse().unwrap(), low, high).unwrap());
    let all = Term {
        prefixes: ranges.to_vec(),
        as_path: paths.to_vec(),
        communities: well_known
            .iter()
            .copied()
            .chain([Community::Large(1, 2, 3), Community::Standard(1, 2)])
            .chain(["origin:1:2", "target:192.0.2.1:3"].map(|c| c.parse().unwrap()))
            .collect(),
        source: Some(RouteSource::Learned),
        then: Verdict::Accept,
        changes: Changes {
            communities: well_known
                .iter()
                .copied()
                .chain([Community::Large(4_000_000_000, 0, 1), Community::Large(3, 4, 5)])
                .chain(["target:64500:9", "origin:4200000000:3", "target:1:1"].map(|c| c.parse().unwrap()))
                .collect(),
            local_preference: Some(4_294_967_295),
            med: Some(0),
            prepend: 250,
        },
    };
    let first = &mut want.sessions[0];
    for policy in [&mut first.import, &mut first.export] {
        policy.terms = vec![all.clone(), Term { as_path: vec![AsPath::LongerThan(3)], ..Term::default() }];
    }
    let six = Term { prefixes: vec![PrefixRange::new("2001:db8::/32".parse().unwrap(), 33, 48).unwrap()], ..all };
    want.sessions[1].export.terms = vec![six];
    let mut third = BgpSession::new("s_3".parse().unwrap(), asn(64510), "198.51.100.3".parse().unwrap(), asn(64503));
    (third.enabled, third.ttl, third.passive, third.route_server_client) = (false, 255, true, true);
    (third.local_address, third.max_prefixes) = (Some("192.0.2.1".parse().unwrap()), Some(u32::MAX));
    third.description = r"! # exit; 'x' \ ${a} `b` |c|d ? end é".to_owned();
    third.password = Some(WireSecret::new(r#"!#?\'"|$é"#));
    third.communities = vec![Community::GRACEFUL_SHUTDOWN];
    third.communities.extend(
        ["target:64500:1", "origin:192.0.2.9:2", "target:4200000000:3"].map(|c| c.parse::<Community>().unwrap()),
    );
    (third.ttl, third.gtsm, third.role) = (254, true, Some(Role::RouteServer));
    let mut inner = BgpSession::new("s4".parse().unwrap(), asn(64500), "198.51.100.4".parse().unwrap(), asn(64500));
    inner.graceful_shutdown = true;
    (inner.import, inner.export) = (Policy::accept_all(), Policy::accept_all());
    want.sessions.extend([third, inner]);
    want
}

#[tokio::test]
async fn everything_that_was_applied_is_seen_and_nothing_is_left_to_change() {
    let Some(room) = Room::empty().await else { return };
    let want = everything(&room);
    let plan = room.plan(&want).await;
    assert!(plan.is_change && plan.diff.contains("+ neighbor 192.0.2.2 password (secret)"), "{}", plan.diff);
    assert!(!plan.diff.contains("cret#!"));
    let seen = room.apply(&want).await;
    assert_eq!(seen.config, plan.after);
    assert!(seen.version.starts_with("FRRouting ") && seen.running.is_some());
    let mut keys: Vec<&str> = seen.sessions.iter().filter_map(|s| s.key.as_ref()).map(|k| k.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["s1", "s2", "s4", "s_3"]);
    let again = room.plan(&want).await;
    assert_eq!((again.is_change, again.diff.as_str(), again.notes), (false, "", vec![]));
    let file = room.text("frr/frr.conf");
    assert!(file.ends_with(plan.after.expose()), "{file}");
    for theirs in ["no ip forwarding\n", "interface eth0\n description theirs\nexit\n"] {
        assert!(file.contains(theirs) && room.running().contains(theirs), "{theirs} is gone: {file}");
    }
    let mode = std::fs::metadata(room.lab.file("frr/frr.conf")).unwrap().permissions().mode();
    assert_eq!(mode & 0o037, 0, "a file with passwords is open to everybody: {mode:o}");
    assert_eq!(room.left(), Vec::<String>::new());
    assert!(until(SOON, || room.guards().is_empty()).await, "{:?}", room.guards());
    // And back to little, which takes most of it away again.
    let seen = room.apply(&room.alone()).await;
    assert_eq!(seen.sessions, vec![]);
    let running = room.running();
    assert!(!running.contains("neighbor") && running.matches("route-map meetme-").count() == 3, "{running}");
    assert!(running.contains(" description theirs\n"), "{running}");
}

#[tokio::test]
async fn a_wrong_password_does_not_come_up_until_it_is_corrected() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].password = Some(WireSecret::new("wrong"));
    room.apply(&want).await;
    assert!(until(SOON, || room.wrong_passwords() > 1).await, "nobody has tried");
    assert_ne!(room.session("s1", |_| true).await.state, BgpState::Established);
    room.apply(&room.peering()).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_disabled_session_goes_down_on_both_sides_and_comes_back_and_the_other_stays_up() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    room.established("s1").await;
    let other = room.established("s2").await.since;
    want.sessions[0].enabled = false;
    room.apply(&want).await;
    let seen = room.session("s1", |s| !s.enabled).await;
    assert_eq!((seen.state, seen.last_error), (BgpState::Idle, None));
    let is_down = || room.birdc("show protocols").lines().any(|l| l.starts_with("back ") && !l.contains("Established"));
    assert!(until(SOON, is_down).await);
    assert!(!room.plan(&want).await.is_change);
    room.apply(&room.peering()).await;
    room.established("s1").await;
    let now = room.established("s2").await.since;
    assert!((now.unwrap().0 - other.unwrap().0).abs() <= 2_000, "the other session was lost: {other:?} {now:?}");
}

#[tokio::test]
async fn roles_hops_and_forwarding_detection_are_agreed_on_with_another_make() {
    let more = "local role provider; require roles on; \
                bfd { min rx interval 300 ms; min tx interval 300 ms; multiplier 5; };";
    let Some(mut room) = Room::speaking(more, "ttl security on;").await else { return };
    room.start_bfd().await;
    let mut want = room.peering();
    (want.sessions[0].role, want.sessions[1].gtsm) = (Some(Role::Peer), true);
    room.apply(&want).await;
    room.established("s2").await;
    let has = |s: &SessionState| s.last_error.as_deref().is_some_and(|why| why.contains("Role Mismatch"));
    room.session("s1", has).await;
    // The neighbour's first session sends with one hop to live, where the highest number is asked for.
    (want.sessions[0].role, want.sessions[0].gtsm) = (Some(Role::Customer), true);
    room.apply(&want).await;
    let before = room.us.counted("TCPMinTTLDrop");
    assert!(until(SOON, || room.us.counted("TCPMinTTLDrop") > before + 1).await, "nothing was thrown away");
    assert_ne!(room.session("s1", |_| true).await.state, BgpState::Established);
    (want.sessions[0].gtsm, want.sessions[0].bfd) = (false, Some(Bfd { tx_ms: 400, rx_ms: 300, multiplier: 5 }));
    room.apply(&want).await;
    room.established("s1").await;
    let is_up = || {
        let peers: serde_json::Value = serde_json::from_str(&room.vtysh(&["show bfd peers json"])).unwrap();
        let of = peers.as_array().unwrap().iter().find(|peer| peer["peer"] == "192.0.2.2").cloned();
        of.is_some_and(|of| of["status"] == "up" && of["transmit-interval"] == 400 && of["detect-multiplier"] == 5)
    };
    assert!(until(SOON, is_up).await, "{}", room.vtysh(&["show bfd peers"]));
    room.established("s1").await;
    assert!(!room.plan(&want).await.is_change);
    // What others have beside it stays when ours goes.
    room.vtysh(&["configure", "bfd", "profile theirs", "detect-multiplier 9"]);
    room.apply(&room.alone()).await;
    let running = room.running();
    assert!(running.contains(" profile theirs\n") && !running.contains("meetme-5-300-400"), "{running}");
}

#[tokio::test]
async fn a_peer_that_says_no_role_is_refused_where_roles_are_strict() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    (want.sessions[0].role, want.sessions[0].strict_role) = (Some(Role::Peer), true);
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.as_deref().is_some_and(|why| why.contains("Role"))).await;
    assert_ne!(seen.state, BgpState::Established);
    assert!(!room.plan(&want).await.is_change);
    want.sessions[0].strict_role = false;
    room.apply(&want).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_path_that_is_lost_is_seen_long_before_silence_tells() {
    let Some(mut room) = Room::speaking("bfd { min rx interval 200 ms; min tx interval 200 ms; };", "").await else {
        return;
    };
    room.start_bfd().await;
    let mut want = room.peering();
    want.sessions[0].bfd = Some(Bfd { tx_ms: 200, rx_ms: 250, multiplier: 3 });
    room.apply(&want).await;
    room.session("s1", |s| s.state == BgpState::Established && s.bfd == Some(BfdState::Up)).await;
    assert_eq!(room.established("s2").await.bfd, None);
    room.peer.as_ref().unwrap().unplug().unwrap();
    let lost = |s: &SessionState| s.bfd == Some(BfdState::Down) && s.state != BgpState::Established;
    let seen = room.session("s1", lost).await;
    // The hold time, by which silence would end it, is many times as long and has words of its own.
    assert!(seen.last_error.as_deref().is_some_and(|why| why.contains("BFD")), "{seen:?}");
}

#[tokio::test]
async fn a_router_without_the_daemon_for_it_cannot_be_told_of_forwarding_detection() {
    let Some(room) = Room::empty().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    want.sessions[0].bfd = Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 3 });
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("bfdd"), "{why}");
    assert!(!room.plan(&room.peering()).await.is_change);
}

#[tokio::test]
async fn hand_edits_are_seen_and_undone_and_what_is_not_ours_is_left_alone() {
    let Some(room) = Room::with_neighbour().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    let since = room.established("s1").await.since;
    let map = room.running().lines().find(|l| l.starts_with("route-map meetme-in-")).unwrap().to_owned();
    room.vtysh(&["configure", "router bgp 64500", "neighbor 192.0.2.9 remote-as 64509", "timers bgp 7 21"]);
    room.vtysh(&[
        "configure",
        "router bgp 64500",
        "address-family ipv4 unicast",
        "neighbor 192.0.2.2 maximum-prefix 99",
    ]);
    room.vtysh(&["configure", &map, "set local-preference 7"]);
    room.vtysh(&["configure", "route-map theirs permit 10"]);
    let plan = room.plan(&want).await;
    assert!(plan.is_change);
    for line in [
        "-  neighbor 192.0.2.2 maximum-prefix 99",
        "+  neighbor 192.0.2.2 maximum-prefix 10 restart 1",
        "- neighbor 192.0.2.9 remote-as 64509",
        "- timers bgp 7 21",
        "- set local-preference 7",
    ] {
        assert!(plan.diff.lines().any(|l| l == line), "{line} is not in\n{}", plan.diff);
    }
    assert!(!plan.diff.contains("theirs"), "{}", plan.diff);
    let seen = room.observe().await.unwrap();
    assert_eq!(seen.sessions.iter().filter(|s| s.key.is_none()).count(), 1, "another's session is told too");
    room.apply(&want).await;
    assert!(!room.plan(&want).await.is_change);
    assert!(room.running().contains("route-map theirs permit 10"));
    let now = room.established("s1").await.since;
    assert!((now.unwrap().0 - since.unwrap().0).abs() <= 2_000, "the session was lost");
}

#[tokio::test]
async fn the_file_is_looked_at_too() {
    let Some(room) = Room::empty().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    // FRR writes it in its own order and without our words; it still says the same.
    room.vtysh(&["write file"]);
    assert!(!room.plan(&want).await.is_change);
    room.apply(&room.alone()).await;
    room.apply(&want).await;
    let edited = room.text("frr/frr.conf").replace("maximum-prefix 10", "maximum-prefix 99");
    std::fs::write(room.lab.file("frr/frr.conf"), edited).unwrap();
    let plan = room.plan(&want).await;
    assert_eq!(plan.notes, ["The file FRR starts from says something else than FRR runs."]);
    assert!(plan.is_change && plan.diff.is_empty());
    room.apply(&want).await;
    assert!(room.text("frr/frr.conf").contains("maximum-prefix 10") && !room.plan(&want).await.is_change);
}

#[tokio::test]
async fn an_operators_own_text_is_taken_and_a_bad_one_is_refused_in_words() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    let since = room.established("s1").await.since;
    let before = (room.text("frr/frr.conf"), room.running());
    want.custom_text = Some(WireSecret::new("router bgp 64500\n neighbor 192.0.2.2 password topsecret oops\nexit\n"));
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("Unknown command") && !why.contains("topsecret"), "{why}");
    // Understood by the checker, and refused by the daemon in the middle of other lines.
    want.custom_text = Some(WireSecret::new(
        "router bgp 64500\n bgp router-id 192.0.2.7\n neighbor 192.0.2.9 remote-as 64509\n neighbor 192.0.2.9 local-as 64500\nexit\n",
    ));
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("Cannot have local-as same as BGP AS number") && why.contains("it lacks"), "{why}");
    assert_eq!((room.text("frr/frr.conf"), room.left()), (before.0, vec![]));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(lines(&room.running()), lines(&before.1));
    // It was taken away in between, so the session had to come back.
    assert!(room.established("s1").await.since >= since);
    // Written in another way than FRR shows it: names of communities, defaults, blanks.
    want.custom_text = Some(WireSecret::new(
        "bgp community-list standard OURS seq 5 permit 65535:666\nroute-map ALL permit 10\n  match community OURS\nexit\nrouter bgp 64500\n  bgp router-id 192.0.2.1\n  neighbor 192.0.2.2 remote-as 64501\n  neighbor 192.0.2.2 password s3|cret#!\n  neighbor 192.0.2.2 timers connect 1\n  address-family ipv4 unicast\n    neighbor 192.0.2.2 activate\n    neighbor 192.0.2.2 route-map ALL in\n  exit-address-family\nexit\n",
    ));
    let seen = room.apply(&want).await;
    assert!(seen.running.is_some() && room.running().contains("permit blackhole"));
    assert!(!room.plan(&want).await.is_change);
    let up = |text: String| text.lines().any(|l| l.starts_with("back ") && l.contains("Established"));
    assert!(until(SOON, || up(room.birdc("show protocols"))).await);
    // What only that text named goes with it.
    room.apply(&room.peering()).await;
    assert!(!room.running().contains("ALL") && !room.plan(&room.peering()).await.is_change);
}

#[tokio::test]
async fn a_dead_daemon_is_unreachable_and_its_file_is_left_alone() {
    let Some(mut room) = Room::empty().await else { return };
    let want = room.peering();
    let plan = room.plan(&want).await;
    let before = room.text("frr/frr.conf");
    room.lab.kill(room.bgpd);
    let error = room.observe().await.unwrap_err();
    let AgentError::Unreachable { why } = &error else { panic!("{error}") };
    assert!(why.contains("bgpd is not running") && error.is_passing(), "{why}");
    let error = room.agent.apply(&room.target, plan, Fence(1)).await.unwrap_err();
    assert_eq!((error.metric_label(), room.text("frr/frr.conf"), room.left()), ("unreachable", before, vec![]));
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
async fn a_thousand_sessions_are_configured_and_changed_without_a_process_for_each() {
    let Some(room) = Room::empty().await else { return };
    let mut want = room.alone();
    want.sessions = (0..1000u16)
        .map(|n| {
            let peer = std::net::Ipv4Addr::from(0xC612_0000 + u32::from(n)).into();
            let mut session = BgpSession::new(format!("n{n}").parse().unwrap(), asn(64500), peer, asn(64501));
            (session.passive, session.ttl, session.import) = (true, 2, Policy::accept_all());
            session
        })
        .collect();
    let seen = room.apply(&want).await;
    assert_eq!(seen.sessions.len(), 1000);
    for session in &mut want.sessions {
        session.max_prefixes = Some(50);
        session.import.changes.local_preference = Some(150);
    }
    room.apply(&want).await;
    let running = room.running();
    assert_eq!(running.matches(" set local-preference 150\n").count(), 1, "one policy is one map");
    assert_eq!(running.matches(" maximum-prefix 50 restart 1\n").count(), 1000);
    assert!(!room.plan(&want).await.is_change);
}
