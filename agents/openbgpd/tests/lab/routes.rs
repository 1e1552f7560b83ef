//! Policies on real routes, told and taken by a neighbour of another make.

use meetme_agent::router::{AsPath, BgpSession, Changes, Community, Policy, PrefixRange, RouteSource, Term, Verdict};
use meetme_lab::{SOON, program, until, wish::asn};

use crate::room::Room;

/// The networks the daemon holds from the neighbour, in order.
fn taken(room: &Room) -> Vec<String> {
    let said: serde_json::Value =
        serde_json::from_str(&room.bgpctl(&["-j", "show", "rib", "neighbor", "192.0.2.2"])).unwrap_or_default();
    let routes = said["rib"].as_array().cloned().unwrap_or_default();
    let mut out: Vec<String> = routes.iter().map(|route| route["prefix"].as_str().unwrap().to_owned()).collect();
    out.sort();
    out
}

fn accept(term: Term) -> Policy {
    Policy { terms: vec![Term { then: Verdict::Accept, ..term }], ..Policy::default() }
}

#[tokio::test]
async fn each_kind_of_condition_takes_the_routes_it_means() {
    let Some(room) = Room::with_neighbour().await else { return };
    let (plain, far, large) = ("203.0.113.0/24", "198.51.100.0/24", "198.18.7.0/24");
    let net = |net: &str, low, high| PrefixRange::new(net.parse().unwrap(), low, high).unwrap();
    let path = |as_path: Vec<AsPath>| Term { as_path, ..Term::default() };
    let communities = vec![Community::Standard(64501, 1), Community::Large(64501, 1, 1)];
    let both = vec![AsPath::First(vec![asn(64501)]), AsPath::Origin(vec![asn(64999), asn(64998)])];
    let not_both = vec![AsPath::First(vec![asn(64502)]), AsPath::Origin(vec![asn(64999)])];
    let three = [both.clone(), vec![AsPath::Contains(vec![asn(64999)]), AsPath::LongerThan(1)]].concat();
    let ranges = vec!["0".parse().unwrap(), "64990-65551".parse().unwrap()];
    let two_ranges = vec![AsPath::Within(ranges), AsPath::First(vec![asn(64501)])];
    let cases: Vec<(Term, Vec<&str>)> = vec![
        (Term { prefixes: vec![net("198.0.0.0/8", 8, 24)], ..Term::default() }, vec![large, far]),
        (Term { prefixes: vec![net("198.0.0.0/8", 8, 23)], ..Term::default() }, vec![]),
        (path(vec![AsPath::Origin(vec![asn(64501)])]), vec![large, plain]),
        (path(vec![AsPath::Contains(vec![asn(64999)])]), vec![far]),
        (path(vec![AsPath::LongerThan(1)]), vec![far]),
        (path(vec![AsPath::LongerThan(2)]), vec![]),
        (path(vec![AsPath::Within(vec!["64990-65551".parse().unwrap(), "0".parse().unwrap()])]), vec![far]),
        (path(vec![AsPath::Within(vec!["64502-64997".parse().unwrap()])]), vec![]),
        (path(two_ranges), vec![far]),
        (Term { communities: vec!["target:64501:9".parse().unwrap()], ..Term::default() }, vec![plain]),
        (path(both.clone()), vec![far]),
        (path(three), vec![far]),
        (path(not_both), vec![]),
        (Term { communities: communities.clone(), ..Term::default() }, vec![large, plain]),
        (Term { communities: communities[1..].to_vec(), ..Term::default() }, vec![large]),
        (Term { communities, prefixes: vec![net("203.0.113.0/24", 24, 24)], ..Term::default() }, vec![plain]),
        (Term { source: Some(RouteSource::Learned), ..Term::default() }, vec![large, far, plain]),
    ];
    let mut want = room.peering();
    for (term, routes) in cases {
        want.sessions[0].import = accept(term.clone());
        room.apply(&want).await;
        assert!(until(SOON, || taken(&room) == routes).await, "{term:?} takes {:?}, not {routes:?}", taken(&room));
    }
    // The first term that matches decides.
    let first = Term { as_path: both, ..Term::default() };
    want.sessions[0].import = Policy { terms: vec![first], otherwise: Verdict::Accept, changes: Changes::default() };
    room.apply(&want).await;
    assert!(until(SOON, || taken(&room) == [large, plain]).await, "{:?}", taken(&room));
}

#[tokio::test]
async fn a_drained_session_tells_its_peer_and_prefers_its_routes_least() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    for session in &mut want.sessions {
        session.export.changes = Changes {
            communities: vec![Community::Large(64500, 0, 9)],
            med: Some(77),
            prepend: 2,
            ..Changes::default()
        };
    }
    room.apply(&want).await;
    let told = |net: &str, what: &str| room.birdc(&format!("show route all for {net}")).contains(what);
    for net in ["192.0.2.0/24", "2001:db8:1::/64"] {
        let is_told =
            || ["BGP.as_path: 64500 64500 64500", "BGP.med: 77", "(64500, 0, 9)"].iter().all(|what| told(net, what));
        assert!(until(SOON, is_told).await, "{}", room.birdc("show route all"));
        assert!(!told(net, "(65535,0)") && !told(net, "4294967295"), "{}", room.birdc("show route all"));
    }
    room.established("s1").await;
    let up = room.up_at_the_neighbour("back").await;
    for session in &mut want.sessions {
        session.graceful_shutdown = true;
    }
    room.apply(&want).await;
    for net in ["192.0.2.0/24", "2001:db8:1::/64"] {
        assert!(until(SOON, || told(net, "(65535,0)")).await, "{}", room.birdc("show route all"));
    }
    let unwanted = || room.bgpctl(&["-j", "show", "rib", "203.0.113.0/24"]).contains("\"localpref\": 0");
    assert!(until(SOON, unwanted).await, "{}", room.bgpctl(&["show", "rib"]));
    assert_eq!(room.up_at_the_neighbour("back").await, up, "draining needs no new session");
}

#[tokio::test]
async fn a_route_server_passes_on_what_a_third_make_tells_and_stays_out_of_it() {
    let Some(mut room) = Room::with_neighbour().await else { return };
    if let Err(skip) = program("exabgp") {
        return skip.report();
    }
    let host = room.lab.host("speaker", &["192.0.2.3/24", "2001:db8:1::3/64"]).unwrap();
    let session = |peer: &str, own: &str, family: &str, routes: &str| {
        format!(
            "neighbor {peer} {{\n router-id 192.0.2.3; local-address {own}; local-as 64502; peer-as 64500;\n family {{ {family} unicast; }}\n static {{ {routes} }}\n}}\n"
        )
    };
    // The second route carries a mark of ours, which must not make it one of our own.
    let four = "route 192.0.2.128/25 next-hop self large-community [64502:1:1]; route 198.18.9.0/24 next-hop self large-community [4294967295:0:1];";
    let six = "route 2001:db8:400::/48 next-hop self community [64502:7]; route 2001:db8:401::/48 next-hop self;";
    let text =
        session("192.0.2.1", "192.0.2.3", "ipv4", four) + &session("2001:db8:1::1", "2001:db8:1::3", "ipv6", six);
    let (file, log) = (room.path("exa.conf"), room.path("exa.log"));
    std::fs::write(&file, text).unwrap();
    let log = format!("exabgp.log.destination={log}");
    let command =
        ["env", "exabgp.daemon.user=root", "exabgp.daemon.drop=false", "exabgp.api.cli=false", &log, "exabgp", &file];
    room.lab.start(&host, "exa", &command).unwrap();
    let mut want = room.peering();
    let tagged = vec![Community::Large(64502, 1, 1), Community::Standard(64502, 7)];
    let learned = accept(Term { source: Some(RouteSource::Learned), communities: tagged, ..Term::default() });
    for session in &mut want.sessions {
        (session.route_server_client, session.export) = (true, learned.clone());
    }
    let mut third = BgpSession::new("s3".parse().unwrap(), asn(64500), "192.0.2.3".parse().unwrap(), asn(64502));
    (third.route_server_client, third.import) = (true, Policy::accept_all());
    let mut fourth = third.clone();
    (fourth.key, fourth.peer_address) = ("s4".parse().unwrap(), "2001:db8:1::3".parse().unwrap());
    want.sessions.extend([third, fourth]);
    room.apply(&want).await;
    for (key, net, hop) in [("s3", "192.0.2.128/25", "192.0.2.3"), ("s4", "2001:db8:400::/48", "2001:db8:1::3")] {
        room.session(key, |s| s.received == Some(2) && s.accepted == Some(2)).await;
        let is_passed_on = || {
            let route = room.birdc(&format!("show route all for {net}"));
            route.contains("BGP.as_path: 64502\n") && route.contains(&format!("BGP.next_hop: {hop}"))
        };
        assert!(until(SOON, is_passed_on).await, "{}", room.birdc("show route all"));
    }
    want.sessions[0].export = accept(Term { source: Some(RouteSource::Originated), ..Term::default() });
    room.apply(&want).await;
    assert!(until(SOON, || room.birdc("show route").contains("192.0.2.0/24")).await);
    assert!(!room.birdc("show route").contains("198.18.9.0/24"), "a peer's mark is believed");
}
