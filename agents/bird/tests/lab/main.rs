//! The agent against real daemons in network namespaces. Says SKIPPED where none can be had.

#![expect(clippy::unwrap_used, reason = "every function of this crate is part of a test")]

mod room;

use std::os::unix::fs::PermissionsExt;

use meetme_agent::{
    Agent, AgentError, Fence, WireSecret,
    router::{
        AsPath, Bfd, BfdState, BgpSession, BgpState, Desired, Policy, PrefixRange, Role, SessionState, Term, Verdict,
    },
};
use meetme_lab::{SOON, until, wish::asn};
use room::Room;

#[tokio::test]
async fn a_session_with_a_password_comes_up_and_its_routes_are_counted() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    let unwanted = PrefixRange::new("198.18.0.0/15".parse().unwrap(), 15, 24).unwrap();
    want.sessions[0].import.terms = vec![Term { prefixes: vec![unwanted], ..Term::default() }];
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.received == Some(3) && s.advertised == Some(1)).await;
    assert_eq!((seen.state, seen.accepted, seen.last_error), (BgpState::Established, Some(2), None));
    assert_eq!((seen.peer_address, seen.peer_asn), (Some("192.0.2.2".parse().unwrap()), Some(asn(64501))));
    let age = meetme_base::Clock::now(&meetme_base::SystemClock).0 - seen.since.unwrap().0;
    // The daemon keeps its own time and may be a moment ahead.
    assert!((-1_000..60_000).contains(&age), "the session is {age} ms old");
}

#[tokio::test]
async fn what_was_applied_is_seen_and_nothing_is_left_to_change() {
    let Some(room) = Room::empty().await else { return };
    let want = room.peering();
    let plan = room.plan(&want).await;
    assert!(plan.is_change && plan.diff.contains("+  password \"(secret)\";") && !plan.diff.contains("s3cret"));
    let seen = room.apply(&want).await;
    assert_eq!(seen.config, plan.after);
    assert!(seen.version.starts_with("BIRD 2.") && seen.running.is_some());
    assert!(room.birdc("us", "configure confirm").contains("Nothing to do"), "the change was not confirmed");
    let mode = std::fs::metadata(room.lab.file("us.conf")).unwrap().permissions().mode();
    assert_eq!(mode & 0o037, 0, "a file with passwords is open to everybody: {mode:o}");
    let again = room.plan(&want).await;
    assert_eq!((again.is_change, again.diff.as_str(), again.notes), (false, "", vec![]));
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
async fn a_disabled_session_goes_down_on_both_sides_and_comes_back() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    room.established("s1").await;
    want.sessions[0].enabled = false;
    room.apply(&want).await;
    let seen = room.session("s1", |s| !s.enabled).await;
    assert_eq!(seen.state, BgpState::Idle);
    let is_down = || !room.birdc("peer", "show protocols back").contains("Established");
    assert!(until(SOON, is_down).await);
    assert!(!room.plan(&want).await.is_change);
    room.apply(&room.peering()).await;
    room.established("s1").await;
}

#[tokio::test]
async fn too_many_prefixes_bring_the_session_down_and_are_named() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].max_prefixes = Some(2);
    // The limit counts what is sent, so a policy that takes nothing does not hide a leak.
    want.sessions[0].import.terms = vec![Term { as_path: vec![AsPath::LongerThan(0)], ..Term::default() }];
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.is_some()).await;
    assert!(seen.last_error.unwrap().contains("Route limit exceeded"));
}

/// A neighbour that says what it is, holds us to one hop, and announces three routes: one marked as told by a provider, one of an
/// AS that nobody may have, one for a part of a network.
fn speaking(role: &str) -> String {
    format!(
        r#"
router id 192.0.2.2;
protocol device {{}}
protocol static {{ ipv4;
    route 203.0.113.0/24 blackhole {{ bgp_ext_community.add((rt, 64501, 7)); bgp_ext_community.add((ro, 4200000000, 8)); }};
    route 198.51.100.0/24 blackhole {{ bgp_path.prepend(64999); }};
    route 198.18.7.0/24 blackhole {{ bgp_otc = 64998; }};
}}
protocol bgp back {{
    local 192.0.2.2 as 64501;
    neighbor 192.0.2.1 as 64500;
    {role}
    password "s3cret";
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    ipv4 {{ import all; export all; }};
}}
"#
    )
}

#[tokio::test]
async fn roles_that_do_not_fit_open_no_session() {
    let Some(room) = Room::beside(&speaking("local role customer; require roles on;")).await else { return };
    let mut want = room.peering();
    want.sessions[0].role = Some(Role::Peer);
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.as_deref().is_some_and(|why| why.contains("Role"))).await;
    assert_ne!(seen.state, BgpState::Established);
    want.sessions[0].role = Some(Role::Provider);
    room.apply(&want).await;
    room.established("s1").await;
    let told = room.birdc("peer", "show protocols all back");
    assert!(told.contains("Role: provider") && told.contains("Role: customer"), "{told}");
}

#[tokio::test]
async fn a_peer_that_says_no_role_is_refused_where_roles_are_strict() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    (want.sessions[0].role, want.sessions[0].strict_role) = (Some(Role::Peer), true);
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.as_deref().is_some_and(|why| why.contains("Role"))).await;
    assert_ne!(seen.state, BgpState::Established);
    want.sessions[0].strict_role = false;
    room.apply(&want).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_path_that_is_lost_is_seen_long_before_silence_tells() {
    let neighbour = speaking("bfd { min rx interval 200 ms; min tx interval 200 ms; };") + "protocol bfd {}\n";
    let Some(room) = Room::beside(&neighbour).await else { return };
    let mut want = room.peering();
    want.sessions[0].bfd = Some(Bfd { tx_ms: 200, rx_ms: 250, multiplier: 3 });
    room.apply(&want).await;
    room.session("s1", |s| s.state == BgpState::Established && s.bfd == Some(BfdState::Up)).await;
    room.peer.as_ref().unwrap().unplug().unwrap();
    let lost = |s: &SessionState| s.bfd == Some(BfdState::Down) && s.state != BgpState::Established;
    let seen = room.session("s1", lost).await;
    // The hold time, by which silence would end it, is many times as long and has words of its own.
    assert!(seen.last_error.as_deref().is_some_and(|why| why.contains("BFD")), "{seen:?}");
    want.sessions[0].bfd = None;
    room.apply(&want).await;
    assert_eq!(room.session("s1", |_| true).await.bfd, None);
}

#[tokio::test]
async fn a_leaked_route_is_not_taken_and_what_a_provider_tells_is_marked() {
    let Some(room) = Room::beside(&speaking("")).await else { return };
    let mut want = room.peering();
    want.sessions[0].role = Some(Role::Provider);
    room.apply(&want).await;
    // The route that came down from a provider once must not come up from a customer.
    room.session("s1", |s| s.accepted == Some(2)).await;
    assert!(!room.birdc("us", "show route").contains("198.18.7.0/24"));
    want.sessions[0].role = Some(Role::Customer);
    room.apply(&want).await;
    room.session("s1", |s| s.accepted == Some(3)).await;
    let is_marked = |net: &str, asn: &str| room.birdc("us", &format!("show route all {net}")).contains(asn);
    assert!(is_marked("203.0.113.0/24", "BGP.otc: 64501"), "{}", room.birdc("us", "show route all"));
    assert!(is_marked("198.18.7.0/24", "BGP.otc: 64998"));
}

#[tokio::test]
async fn extended_communities_and_ranges_of_numbers_take_the_routes_they_mean() {
    let Some(room) = Room::beside(&speaking("")).await else { return };
    let mut want = room.peering();
    for (term, net) in [
        (Term { communities: vec!["target:64501:7".parse().unwrap()], ..Term::default() }, "203.0.113.0/24"),
        (Term { communities: vec!["origin:4200000000:8".parse().unwrap()], ..Term::default() }, "203.0.113.0/24"),
        (
            Term { as_path: vec![AsPath::Within(vec!["64990-65551".parse().unwrap()])], ..Term::default() },
            "198.51.100.0/24",
        ),
    ] {
        want.sessions[0].import = Policy { terms: vec![Term { then: Verdict::Accept, ..term }], ..Policy::default() };
        want.sessions[0].communities =
            vec!["validation:not-found".parse().unwrap(), "target:192.0.2.9:5".parse().unwrap()];
        room.apply(&want).await;
        let shown = || room.birdc("us", &format!("show route all {net}"));
        let is_marked =
            || ["(rt, 192.0.2.9, 5)", "(generic, 0x43000000, 0x1)"].iter().all(|mark| shown().contains(mark));
        assert!(until(SOON, is_marked).await, "{}", shown());
        room.session("s1", |s| s.accepted == Some(1)).await;
    }
}

#[tokio::test]
async fn a_peer_that_is_farther_away_than_it_may_be_is_not_heard() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    // The neighbour sends with one hop to live, as usual between neighbours, where the highest number is asked for.
    want.sessions[0].gtsm = true;
    room.apply(&want).await;
    assert!(until(SOON, || room.us.counted("TCPMinTTLDrop") > 1).await, "nothing was thrown away");
    assert_ne!(room.session("s1", |_| true).await.state, BgpState::Established);
    drop(room);
    let Some(room) = Room::beside(&speaking("ttl security on;")).await else { return };
    let mut want = room.peering();
    want.sessions[0].gtsm = true;
    room.apply(&want).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_hand_edit_of_the_file_is_seen_and_undone() {
    let Some(room) = Room::empty().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    let edited = room.text("us.conf").replace("receive limit 10", "receive limit 99");
    std::fs::write(room.lab.file("us.conf"), edited).unwrap();
    room.birdc("us", "configure");
    let plan = room.plan(&want).await;
    assert!(plan.is_change && plan.diff.contains("-    receive limit 99 action restart;\n+    receive limit 10"));
    room.apply(&want).await;
    assert!(room.birdc("us", "show protocols all peer_s1").contains("Receive limit:  10"));
    assert!(!room.plan(&want).await.is_change);
}

#[tokio::test]
async fn a_daemon_that_was_given_another_file_is_seen_and_repaired() {
    let Some(room) = Room::empty().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    std::fs::write(room.lab.file("other.conf"), "router id 192.0.2.1;\nprotocol device { }\n").unwrap();
    room.birdc("us", &format!("configure \"{}\"", room.path("other.conf")));
    let plan = room.plan(&want).await;
    assert_eq!(plan.notes, ["The daemon runs another configuration than the one in its file."]);
    assert!(plan.is_change && plan.diff.is_empty());
    let seen = room.apply(&want).await;
    assert_eq!(seen.sessions.len(), 1);
    assert!(!room.plan(&want).await.is_change);
}

#[tokio::test]
async fn a_session_disabled_by_hand_is_seen_and_repaired() {
    let Some(room) = Room::with_neighbour().await else { return };
    let want = room.peering();
    room.apply(&want).await;
    room.established("s1").await;
    room.birdc("us", "disable peer_s1");
    room.session("s1", |s| !s.enabled).await;
    assert_eq!(room.plan(&want).await.notes, ["Session s1 was disabled by hand."]);
    room.apply(&want).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_bad_text_is_refused_in_words_and_the_old_configuration_runs_on() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    let since = room.established("s1").await.since;
    let before = room.text("us.conf");
    want.custom_text =
        Some(WireSecret::new("router id 192.0.2.1;\nprotocol bgp broken {\n  password \"topsecret\" oops;\n}\n"));
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("us.conf:7:") && why.contains("syntax error") && !why.contains("topsecret"), "{why}");
    assert_eq!(room.text("us.conf"), before);
    let seen = room.established("s1").await;
    assert!((seen.since.unwrap().0 - since.unwrap().0).abs() < 1000, "the session was lost");
    let left: Vec<_> = std::fs::read_dir(room.lab.directory()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".meetme-")), "{left:?}");
}

#[tokio::test]
async fn what_only_the_daemon_refuses_is_taken_back_too() {
    let Some(mut room) = Room::empty().await else { return };
    room.apply(&room.alone()).await;
    let good = room.apply(&room.peering()).await;
    room.target.settings["check_command"] = serde_json::json!(["true"]);
    let mut want = room.alone();
    want.custom_text = Some(WireSecret::new("this is no configuration"));
    let refusal = room.try_apply(&want, 1).await.unwrap_err();
    assert_eq!(refusal.metric_label(), "refused");
    let seen = room.observe().await.unwrap();
    assert_eq!((seen.running, seen.config, seen.sessions.len()), (good.running, good.config, 1));
}

#[tokio::test]
async fn a_daemon_that_reads_another_file_is_sent_back_and_reported() {
    let Some(mut room) = Room::empty().await else { return };
    room.apply(&room.peering()).await;
    // What the daemon really reads is not what it runs, so a reload of it loses the session.
    std::fs::write(room.lab.file("us.conf"), "router id 192.0.2.1;\nprotocol device { }\n").unwrap();
    room.target.settings["config_path"] = serde_json::json!(room.path("elsewhere.conf"));
    room.target.settings["confirm_seconds"] = serde_json::json!(600);
    let error = room.try_apply(&room.alone(), 1).await.unwrap_err();
    let AgentError::Broken { why } = &error else { panic!("{error}") };
    assert!(why.contains("is that the file it reads?"), "{why}");
    assert!(!room.lab.file("elsewhere.conf").exists());
    assert!(until(SOON, || room.birdc("us", "show protocols").contains("peer_s1")).await);
}

#[tokio::test]
async fn a_dead_daemon_is_unreachable_and_its_file_is_left_alone() {
    let Some(mut room) = Room::empty().await else { return };
    let want = room.peering();
    let plan = room.plan(&want).await;
    let before = room.text("us.conf");
    room.lab.kill(room.router);
    let error = room.observe().await.unwrap_err();
    let AgentError::Unreachable { why } = &error else { panic!("{error}") };
    assert!(why.contains("us") && error.is_passing(), "{why}");
    let error = room.agent.apply(&room.target, plan, Fence(1)).await.unwrap_err();
    assert_eq!((error.metric_label(), room.text("us.conf")), ("unreachable", before));
}

#[tokio::test]
async fn a_controller_that_lost_its_lease_changes_nothing() {
    let Some(room) = Room::empty().await else { return };
    let good = room.try_apply(&room.peering(), 5).await.unwrap();
    let error = room.try_apply(&room.alone(), 4).await.unwrap_err();
    assert_eq!(error, AgentError::Fenced { seen: Fence(5) });
    assert_eq!(room.observe().await.unwrap().config, good.config);
}

/// The session to the neighbour and 1,000 others whose peers do not exist.
fn crowd(room: &Room) -> Desired {
    let mut want = room.peering();
    want.sessions.extend((0..1000u16).map(|n| {
        let peer = std::net::Ipv4Addr::from(0xC612_0000 + u32::from(n)).into();
        let mut session = BgpSession::new(format!("n{n}").parse().unwrap(), asn(64500), peer, asn(64501));
        (session.passive, session.ttl) = (true, 2);
        session
    }));
    want
}

#[tokio::test]
async fn a_thousand_changed_sessions_are_one_reload() {
    let Some(room) = Room::empty().await else { return };
    let mut want = crowd(&room);
    room.apply(&want).await;
    let reloads = || room.text("us.log").matches("Reconfigured").count();
    let before = reloads();
    for session in &mut want.sessions {
        session.max_prefixes = Some(50);
        session.description = "changed".to_owned();
    }
    let seen = room.apply(&want).await;
    assert_eq!((seen.sessions.len(), reloads() - before), (1001, 1));
    assert!(room.birdc("us", "show protocols all peer_n999").contains("Receive limit:  50"));
    room.apply(&want).await;
    assert_eq!(reloads() - before, 1, "an apply without a change reloads");
}

#[tokio::test]
async fn in_a_crowd_established_sessions_are_counted_and_all_are_known_by_address() {
    let Some(room) = Room::with_neighbour().await else { return };
    let want = crowd(&room);
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.received == Some(3)).await;
    assert_eq!((seen.state, seen.accepted), (BgpState::Established, Some(3)));
    let sessions = room.observe().await.unwrap().sessions;
    let known = |key: &str| sessions.iter().find(|s| s.key.as_ref().is_some_and(|k| k.as_str() == key)).unwrap();
    let last = known("n999");
    assert_eq!((last.peer_address, last.received), (Some(want.sessions[1000].peer_address), None));
    assert!(sessions.iter().all(|s| s.peer_asn == Some(asn(64501))));
}

#[tokio::test]
async fn frr_agrees_about_password_prefixes_and_policy() {
    let Some(mut room) = Room::empty().await else { return };
    if let Err(skip) = meetme_lab::program("/usr/lib/frr/bgpd") {
        return skip.report();
    }
    let frr = room.lab.host("frr", &["192.0.2.3/24", "2001:db8:1::3/64"]).unwrap();
    let directory = room.lab.directory_of("frr", "frr").unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("frr.conf"), FRR).unwrap();
    for daemon in ["zebra", "bgpd"] {
        let program = format!("/usr/lib/frr/{daemon}");
        let (pid, log) = (path(&format!("{daemon}.pid")), format!("file:{}", path("frr.log")));
        let [config, sockets, zebra] = ["frr.conf", "", "zserv.api"].map(path);
        let command = [
            &program,
            "-f",
            &config,
            "--vty_socket",
            &sockets,
            "-i",
            &pid,
            "-z",
            &zebra,
            "-A",
            "127.0.0.1",
            "-P",
            "0",
            "--log",
            &log,
        ];
        room.lab.start(&frr, daemon, &command).unwrap();
    }
    let mut want = room.peering();
    let session = &mut want.sessions[0];
    (session.peer_address, session.peer_asn) = ("2001:db8:1::3".parse().unwrap(), asn(64502));
    session.local_address = Some("2001:db8:1::1".parse().unwrap());
    session.import.otherwise = Verdict::Reject;
    session.import.terms = vec![Term {
        prefixes: vec![PrefixRange::exact("2001:db8:300::/48".parse().unwrap())],
        as_path: vec![AsPath::Origin(vec![asn(64502)])],
        then: Verdict::Accept,
        ..Term::default()
    }];
    want.networks.push("2001:db8:100::/48".parse().unwrap());
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.received == Some(2) && s.advertised == Some(1)).await;
    assert_eq!((seen.state, seen.accepted), (BgpState::Established, Some(1)));
}

/// Written by hand: FRR announces two networks and takes everything.
const FRR: &str = "\
route-map ALL permit 10
exit
router bgp 64502
 bgp router-id 192.0.2.3
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor 2001:db8:1::1 remote-as 64500
 neighbor 2001:db8:1::1 password s3cret
 neighbor 2001:db8:1::1 timers connect 1
 address-family ipv6 unicast
  network 2001:db8:300::/48
  network 2001:db8:301::/48
  neighbor 2001:db8:1::1 activate
  neighbor 2001:db8:1::1 route-map ALL in
  neighbor 2001:db8:1::1 route-map ALL out
 exit-address-family
exit
";
