//! Policies that are seen to filter real routes.

use meetme_agent::router::{
    AsPath, BgpSession, BgpState, Changes, Community, Desired, Policy, PrefixRange, RouteSource, Term, Verdict,
};
use meetme_lab::{SOON, until, wish::asn};

use crate::room::Room;

fn accepting(term: Term) -> Policy {
    Policy { terms: vec![Term { then: Verdict::Accept, ..term }], ..Policy::default() }
}

fn range(network: &str, low: u8, high: u8) -> PrefixRange {
    PrefixRange::new(network.parse().unwrap(), low, high).unwrap()
}

/// The networks of the daemon's main table that are from the neighbour.
fn table(room: &Room) -> Vec<String> {
    let said = room.gobgp(&["global", "rib"]);
    let nets = said.lines().filter(|line| line.contains("192.0.2.2")).filter_map(|line| line.split_whitespace().nth(1));
    let mut nets: Vec<String> = nets.map(str::to_owned).collect();
    nets.sort_unstable();
    nets
}

#[tokio::test]
async fn every_condition_of_an_import_policy_lets_pass_what_it_says() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    room.apply(&want).await;
    let since = room.session("s1", |s| s.received == Some(5)).await.since;
    let cases: Vec<(Term, &[&str])> = vec![
        // A network inside another one does not hide what the outer one allows.
        (
            Term { prefixes: vec![range("10.0.0.0/8", 8, 24), range("10.1.0.0/16", 16, 16)], ..Term::default() },
            &["10.1.0.0/16", "10.1.2.0/24"],
        ),
        (Term { prefixes: vec![range("203.0.113.0/24", 24, 24)], ..Term::default() }, &["203.0.113.0/24"]),
        (
            Term { as_path: vec![AsPath::Origin(vec![asn(64999), asn(64998)])], ..Term::default() },
            &["10.1.0.0/16", "10.1.2.0/24"],
        ),
        (
            Term {
                as_path: vec![
                    AsPath::First(vec![asn(64501), asn(64777)]),
                    AsPath::Origin(vec![asn(64999), asn(64501)]),
                ],
                ..Term::default()
            },
            &["10.1.0.0/16", "198.18.7.0/24", "198.51.100.0/24", "203.0.113.0/24"],
        ),
        (
            Term { as_path: vec![AsPath::Contains(vec![asn(64998)]), AsPath::LongerThan(1)], ..Term::default() },
            &["10.1.2.0/24"],
        ),
        (Term { as_path: vec![AsPath::LongerThan(1)], ..Term::default() }, &["10.1.0.0/16", "10.1.2.0/24"]),
        (Term { as_path: vec![AsPath::LongerThan(2)], ..Term::default() }, &[]),
        (
            Term { communities: vec![Community::Standard(64501, 1), Community::Large(64501, 1, 1)], ..Term::default() },
            &["198.51.100.0/24", "203.0.113.0/24"],
        ),
        (Term { communities: vec!["target:64501:9".parse().unwrap()], ..Term::default() }, &["203.0.113.0/24"]),
        (
            Term { as_path: vec![AsPath::Within(vec!["64998-65551".parse().unwrap()])], ..Term::default() },
            &["10.1.0.0/16", "10.1.2.0/24"],
        ),
        (
            Term {
                as_path: vec![
                    AsPath::First(vec![asn(64501)]),
                    AsPath::Within(vec!["64999-65551".parse().unwrap(), "0".parse().unwrap()]),
                ],
                ..Term::default()
            },
            &["10.1.0.0/16"],
        ),
        (Term { source: Some(RouteSource::Originated), ..Term::default() }, &[]),
        (
            Term {
                source: Some(RouteSource::Learned),
                prefixes: vec![range("198.18.0.0/15", 15, 24)],
                ..Term::default()
            },
            &["198.18.7.0/24"],
        ),
    ];
    for (term, passes) in cases {
        let shown = format!("{term:?}");
        want.sessions[0].import = accepting(term);
        room.apply(&want).await;
        let count = u32::try_from(passes.len()).unwrap();
        let seen = room.session("s1", |s| s.accepted == Some(count)).await;
        assert_eq!((table(&room), seen.since), (passes.iter().map(|s| (*s).to_owned()).collect(), since), "{shown}");
    }
    // The first term that matches decides, and what no term decides is the policy's own word.
    want.sessions[0].import = Policy {
        terms: vec![Term { prefixes: vec![range("10.0.0.0/8", 8, 32)], ..Term::default() }],
        otherwise: Verdict::Accept,
        changes: Changes { local_preference: Some(300), ..Changes::default() },
    };
    room.apply(&want).await;
    room.session("s1", |s| s.accepted == Some(3)).await;
    assert!(room.gobgp(&["global", "rib", "203.0.113.0/24"]).contains("LocalPref: 300"));
}

#[tokio::test]
async fn a_peer_is_held_to_its_number_of_hops() {
    let Some(room) = Room::speaking("ttl security on;").await else { return };
    let mut want = room.peering();
    want.sessions[0].gtsm = true;
    want.sessions[0].import.changes.communities =
        ["target:64500:1", "origin:4200000000:2"].map(|mark| mark.parse().unwrap()).to_vec();
    room.apply(&want).await;
    room.session("s1", |s| s.state == BgpState::Established && s.accepted == Some(5)).await;
    let shown = room.gobgp(&["global", "rib", "203.0.113.0/24"]);
    assert!(shown.contains("64500:1") && shown.contains("64086.59904:2"), "{shown}");
}

#[tokio::test]
async fn what_is_told_to_a_peer_carries_every_change_and_can_be_taken_back() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.networks.push("198.19.0.0/24".parse().unwrap());
    want.sessions[0].export.terms[0].changes = Changes {
        communities: vec![Community::Standard(64500, 7), Community::Large(64500, 1, 2)],
        med: Some(5),
        prepend: 2,
        ..Changes::default()
    };
    room.apply(&want).await;
    let since = room.established("s1").await.since;
    let route = |net: &str| room.birdc(&format!("show route {net} all protocol back"));
    assert!(until(SOON, || room.neighbour_knows("192.0.2.0/24") && room.neighbour_knows("198.19.0.0/24")).await);
    let told = route("192.0.2.0/24");
    for word in
        ["BGP.as_path: 64500 64500 64500", "(64500,7)", "(64500, 1, 2)", "BGP.med: 5", "BGP.next_hop: 192.0.2.1"]
    {
        assert!(told.contains(word), "{word}: {told}");
    }

    // Maintenance: traffic is asked to move away, and the session stays up for it (RFC 8326).
    want.sessions[0].graceful_shutdown = true;
    room.apply(&want).await;
    assert!(until(SOON, || route("192.0.2.0/24").contains("(65535,0)")).await, "{}", route("192.0.2.0/24"));
    assert!(room.gobgp(&["global", "rib", "203.0.113.0/24"]).contains("LocalPref: 1"));
    assert_eq!(room.established("s1").await.since, since, "the session was lost");

    // What is no longer to be told is taken back, whatever it costs.
    want.sessions[0].export.terms[0].prefixes = vec![range("192.0.2.0/24", 24, 24)];
    room.apply(&want).await;
    assert!(until(SOON, || room.neighbour_knows("192.0.2.0/24") && !room.neighbour_knows("198.19.0.0/24")).await);
    room.established("s1").await;

    // A network that is no longer announced is taken back too, and costs nothing.
    let since = room.established("s1").await.since;
    want.networks.clear();
    room.apply(&want).await;
    assert!(until(SOON, || !room.neighbour_knows("192.0.2.0/24")).await);
    assert_eq!(room.established("s1").await.since, since);
}

#[tokio::test]
async fn a_session_without_policies_exchanges_nothing_either_way() {
    let Some(room) = Room::with_neighbour().await else { return };
    let mut want = room.peering();
    want.sessions[0].import = Policy::reject_all();
    want.sessions[0].export = Policy::reject_all();
    room.apply(&want).await;
    let seen = room.session("s1", |s| s.received == Some(5)).await;
    assert_eq!((seen.accepted, seen.advertised, table(&room)), (Some(0), Some(0), vec![]));
    assert!(!room.neighbour_knows("192.0.2.0/24"));
}

/// A client of the route server, written by hand.
fn client(number: u8, net: &str) -> String {
    format!(
        "router id 192.0.2.{number};\nprotocol device {{}}\nprotocol static {{ ipv4; route {net} blackhole; }}\n\
         protocol bgp back {{ local 192.0.2.{number} as 6450{number}; neighbor 192.0.2.1 as 64500;\n\
         connect delay time 1; connect retry time 1; error wait time 1, 2; ipv4 {{ import all; export all; }}; }}\n"
    )
}

#[tokio::test]
async fn clients_of_a_route_server_hear_each_other_under_policies_of_their_own() {
    let Some(mut room) = Room::empty().await else { return };
    if let Err(skip) = meetme_lab::program("bird") {
        return skip.report();
    }
    for (number, name, net) in [(2, "peer", "203.0.113.0/24"), (3, "other", "198.51.100.0/24")] {
        let host = room.lab.host(name, &[&format!("192.0.2.{number}/24")]).unwrap();
        room.lab.start_bird(&host, name, &client(number, net)).await.unwrap();
    }
    let client = |number: u8| {
        let peer = std::net::Ipv4Addr::new(192, 0, 2, number).into();
        let key = format!("s{}", number - 1).parse().unwrap();
        let mut session = BgpSession::new(key, asn(64500), peer, asn(64500 + i64::from(number)));
        session.route_server_client = true;
        (session.import, session.export) = (Policy::accept_all(), Policy::accept_all());
        session
    };
    let mut want = Desired { networks: vec![], sessions: vec![client(2), client(3)], ..room.alone() };
    room.apply(&want).await;
    let up = |s: &meetme_agent::router::SessionState| s.state == BgpState::Established && s.accepted == Some(1);
    room.session("s1", up).await;
    room.session("s2", up).await;
    assert!(until(SOON, || room.neighbour_knows("198.51.100.0/24")).await);
    let told = room.birdc("show route 198.51.100.0/24 all protocol back");
    assert!(told.contains("BGP.as_path: 64503") && told.contains("BGP.next_hop: 192.0.2.3"), "{told}");
    let since = room.session("s1", up).await.since;

    // Only its own policy decides what a client brings, and only what is told to a client begins anew.
    want.sessions[1].import = accepting(Term { as_path: vec![AsPath::Origin(vec![asn(64999)])], ..Term::default() });
    room.apply(&want).await;
    room.session("s2", |s| s.accepted == Some(0)).await;
    assert!(until(SOON, || !room.neighbour_knows("198.51.100.0/24")).await);
    assert_eq!(room.session("s1", up).await.since, since);
    let hand = room.gobgp(&["neighbor", "192.0.2.2", "policy", "export", "set", "peer_s1-export", "default", "accept"]);
    assert!(room.plan(&want).await.is_change, "{hand}");
    room.apply(&want).await;
}
