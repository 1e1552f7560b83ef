//! The agent against a real gobgpd in network namespaces, with neighbours of other makes. Says SKIPPED where none can be had.

#![expect(clippy::unwrap_used, reason = "every function of this crate is part of a test")]

mod policies;
mod room;
mod safety;

use meetme_agent::{
    WireSecret,
    router::{BgpSession, BgpState, Policy, SessionState},
};
use meetme_lab::{SOON, until, wish::asn};
use room::Room;

#[tokio::test]
async fn what_was_applied_is_what_the_daemons_own_command_line_tells() {
    let Some(room) = Room::empty().await else { return };
    let mut want = room.peering();
    want.sessions[0].local_address = Some("192.0.2.1".parse().unwrap());
    (want.sessions[0].ttl, want.sessions[0].passive) = (3, true);
    want.networks.push("2001:db8:100::/48".parse().unwrap());
    let plan = room.plan(&want).await;
    assert!(plan.is_change && plan.diff.contains("+auth_password = \"(secret)\"") && !plan.diff.contains("s3cret"));
    let seen = room.apply(&want).await;
    assert_eq!(seen.config, plan.after);
    assert!(seen.running.is_some());

    let told = &room.gobgp_json(&["neighbor"])[0];
    let conf = &told["conf"];
    assert_eq!(
        (&conf["neighbor_address"], &conf["peer_asn"], &conf["local_asn"], &conf["auth_password"]),
        (&"192.0.2.2".into(), &64501.into(), &64500.into(), &"s3cret".into())
    );
    assert_eq!(conf["description"], "peer_s1 from 192.0.2.1");
    assert_eq!(told["ebgp_multihop"]["multihop_ttl"], 3);
    assert_eq!(
        (&told["transport"]["passive_mode"], &told["transport"]["local_address"]),
        (&true.into(), &"192.0.2.1".into())
    );
    assert_eq!(told["timers"]["config"]["hold_time"], 30);
    assert_eq!(told["afi_safis"][0]["prefix_limits"]["max_prefixes"], 10);
    assert_eq!(room.gobgp_json(&["global"])["asn"], 64500);
    for (family, net) in [("ipv4", "192.0.2.0/24"), ("ipv6", "2001:db8:100::/48")] {
        assert!(room.gobgp(&["global", "rib", "-a", family]).contains(net), "{net}");
    }
    let import = room.gobgp_json(&["global", "policy", "import"]);
    assert_eq!((&import["default_action"], &import["policies"][0]["name"]), (&2.into(), &"meetme-import".into()));
}

#[tokio::test]
async fn sessions_of_both_families_come_up_and_their_routes_are_counted() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    let mut six = BgpSession::new("s2".parse().unwrap(), asn(64500), "2001:db8:1::2".parse().unwrap(), asn(64501));
    six.import = Policy::accept_all();
    six.export = want.sessions[0].export.clone();
    want.sessions.push(six);
    want.networks.push("2001:db8:100::/48".parse().unwrap());
    room.apply(&want).await;
    let counts = |s: &SessionState| (s.received, s.accepted, s.advertised);
    let four = room.session("s1", |s| counts(s) == (Some(5), Some(5), Some(1))).await;
    assert_eq!((four.state, four.last_error), (BgpState::Established, None));
    assert_eq!((four.peer_address, four.peer_asn), (Some("192.0.2.2".parse().unwrap()), Some(asn(64501))));
    let age = meetme_base::Clock::now(&meetme_base::SystemClock).0 - four.since.unwrap().0;
    assert!((-1_000..60_000).contains(&age), "the session is {age} ms old");
    let six = room.session("s2", |s| counts(s) == (Some(2), Some(2), Some(1))).await;
    assert_eq!(six.state, BgpState::Established);
    assert!(room.birdc("show route 2001:db8:100::/48").contains("unicast") && room.neighbour_knows("192.0.2.0/24"));
    assert!(!room.plan(&want).await.is_change, "a session that is up looks like a change");
}

#[tokio::test]
async fn a_wrong_password_does_not_come_up_until_it_is_corrected() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].password = Some(WireSecret::new("wrong"));
    room.apply(&want).await;
    let wrong = || {
        let done = room.us.command("cat").arg("/proc/net/netstat").output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let counters = rows.chunks_exact(2).flat_map(|pair| pair[0].iter().zip(&pair[1]));
        counters.filter(|(name, _)| name.starts_with("TCPMD5")).map(|(_, n)| n.parse::<u64>().unwrap()).sum::<u64>()
    };
    assert!(until(SOON, || wrong() > 1).await, "nobody has tried");
    assert_ne!(room.session("s1", |_| true).await.state, BgpState::Established);
    room.apply(&room.peering()).await;
    room.established("s1").await;
}

#[tokio::test]
async fn a_password_that_was_taken_away_does_not_stay_on_the_socket() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.alone();
    let mut six = BgpSession::new("s1".parse().unwrap(), asn(64500), "2001:db8:1::2".parse().unwrap(), asn(64501));
    // Only the neighbour connects, so that it is the socket that listens which decides.
    six.passive = true;
    six.password = Some(WireSecret::new("s3cret"));
    want.sessions = vec![six];
    room.apply(&want).await;
    room.apply(&room.alone()).await;
    want.sessions[0].password = None;
    room.apply(&want).await;
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
    let seen = room.session("s1", |s| !s.enabled && s.state != BgpState::Established).await;
    assert_eq!(seen.last_error, None);
    assert!(until(SOON, || !room.birdc("show protocols back").contains("Established")).await);
    room.apply(&room.peering()).await;
    room.established("s1").await;
}

#[tokio::test]
async fn too_many_prefixes_bring_the_session_down_and_a_higher_limit_brings_it_back() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].max_prefixes = Some(2);
    // The limit counts what is sent, so a policy that takes nothing does not hide a leak.
    want.sessions[0].import = Policy::reject_all();
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.last_error.is_some()).await;
    assert!(seen.enabled && seen.last_error.as_ref().unwrap().contains("more prefixes than it may"), "{seen:?}");
    room.apply(&room.peering()).await;
    room.session("s1", |s| s.state == BgpState::Established && s.accepted == Some(5)).await;
}

#[tokio::test]
async fn a_limit_and_timers_are_changed_while_the_session_goes_on() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    let before = room.established("s1").await.since;
    want.sessions[0].max_prefixes = Some(50);
    want.timers.hold = Some(60);
    room.apply(&want).await;
    assert_eq!(room.gobgp_json(&["neighbor"])[0]["afi_safis"][0]["prefix_limits"]["max_prefixes"], 50);
    want.sessions[0].max_prefixes = None;
    room.apply(&want).await;
    assert_eq!(room.established("s1").await.since, before, "the session was lost");
}

#[tokio::test]
async fn hundreds_of_sessions_come_and_go_in_one_pass() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions.extend((0..300u16).map(|n| {
        let peer = std::net::Ipv4Addr::from(0xC612_0000 + u32::from(n)).into();
        let mut session = BgpSession::new(format!("n{n}").parse().unwrap(), asn(64500), peer, asn(64501));
        (session.passive, session.ttl) = (true, 2);
        session
    }));
    let seen = room.apply(&want).await;
    assert_eq!(seen.sessions.len(), 301);
    let since = room.established("s1").await.since;
    for session in &mut want.sessions {
        session.max_prefixes = Some(50);
    }
    want.sessions.truncate(200);
    let seen = room.apply(&want).await;
    assert_eq!((seen.sessions.len(), room.established("s1").await.since), (200, since));
}
