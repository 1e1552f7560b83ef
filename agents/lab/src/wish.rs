//! Wishes that routers of every make are rendered for.

use std::{fmt::Debug, net::Ipv4Addr, str::FromStr};

use meetme_agent::{
    WireSecret,
    router::{
        AsPath, Bfd, BgpSession, Changes, Community, Desired, Policy, PrefixRange, Role, RouteSource, Term, Timers,
        Verdict,
    },
};
use meetme_base::Asn;

fn of<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("a test says what it means")
}

/// An AS number.
pub fn asn(n: i64) -> Asn {
    Asn::try_from(n).expect("a test says what it means")
}

/// A session of AS 64500 with AS 64501.
pub fn session(key: &str, peer: &str) -> BgpSession {
    BgpSession::new(of(key), asn(64500), of(peer), asn(64501))
}

/// The router `edge1` of AS 64500 with these sessions and nothing else.
pub fn router(sessions: Vec<BgpSession>) -> Desired {
    Desired { sessions, ..Desired::new("edge1", Ipv4Addr::new(192, 0, 2, 1), asn(64500)) }
}

/// A policy that lets pass what its terms do.
pub fn accepting(terms: Vec<Term>) -> Policy {
    Policy { terms, otherwise: Verdict::Reject, changes: Changes::default() }
}

/// What peers tell and ask of each other beside routes, on a direct path and over several hops: roles, hops, forwarding detection,
/// ranges of AS numbers, and these extended communities.
pub fn spoken(marks: &[&str]) -> Desired {
    let marks: Vec<_> = marks.iter().map(|mark| of(mark)).collect();
    let ranges = vec![of("0"), of("64496-65551")];
    let mut direct = session("s1", "192.0.2.2");
    (direct.gtsm, direct.role) = (true, Some(Role::Customer));
    direct.bfd = Some(Bfd { tx_ms: 200, rx_ms: 250, multiplier: 4 });
    direct.communities.clone_from(&marks);
    let bogus = Term { as_path: vec![AsPath::Within(ranges.clone())], ..Term::default() };
    let marked = Term {
        as_path: vec![AsPath::First(vec![asn(64501)]), AsPath::Within(ranges)],
        communities: marks,
        then: Verdict::Accept,
        ..Term::default()
    };
    direct.import = accepting(vec![bogus, marked]);
    let mut far = session("s2", "2001:db8::2");
    (far.gtsm, far.ttl, far.role, far.local_address) = (true, 3, Some(Role::RouteServer), Some(of("2001:db8::1")));
    far.bfd = Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 3 });
    router(vec![direct, far])
}

/// A range of the parts of a network.
pub fn range(network: &str, shortest: u8, longest: u8) -> PrefixRange {
    PrefixRange::new(of(network), shortest, longest).expect("a test says what it means")
}

/// Most of what can be wanted at once, as far as every make of daemon can say it: a session of each family, one of them shut, with
/// policies, marks, a limit, a password, timers and networks. What only some makes can say is for their own tests to add.
pub fn rich() -> Desired {
    let mut four = session("s1", "192.0.2.2");
    four.description = "Example".to_owned();
    four.local_address = Some(of("192.0.2.1"));
    four.password = Some(WireSecret::new("s3cret"));
    four.max_prefixes = Some(10);
    four.graceful_shutdown = true;
    four.communities = vec![Community::Large(64500, 1, 2)];
    let reject = |as_path: AsPath| Term { as_path: vec![as_path], ..Term::default() };
    four.import = accepting(vec![
        reject(AsPath::LongerThan(20)),
        reject(AsPath::Contains(vec![asn(64666), asn(64667)])),
        Term { prefixes: vec![range("2001:db8::/32", 32, 48)], then: Verdict::Accept, ..Term::default() },
        Term {
            prefixes: vec![range("10.0.0.0/8", 8, 24), range("203.0.113.0/24", 24, 24)],
            as_path: vec![AsPath::First(vec![asn(64501)]), AsPath::Origin(vec![asn(64501), asn(4_200_000_000)])],
            communities: vec![Community::Standard(64501, 1), Community::Large(64501, 1, 1)],
            then: Verdict::Accept,
            changes: Changes { local_preference: Some(200), med: Some(5), ..Changes::default() },
            ..Term::default()
        },
    ]);
    four.export = Policy {
        terms: vec![Term { source: Some(RouteSource::Originated), then: Verdict::Accept, ..Term::default() }],
        changes: Changes { communities: vec![Community::Standard(64500, 7)], prepend: 2, ..Changes::default() },
        ..Policy::default()
    };
    let mut six = session("s2", "2001:db8::2");
    (six.enabled, six.ttl, six.passive, six.route_server_client) = (false, 5, true, true);
    six.import = Policy::accept_all();
    let mut want = router(vec![four, six]);
    want.networks = ["203.0.113.9/24", "2001:db8:100::/48", "198.51.100.0/24"].map(of).to_vec();
    want.timers = Timers { hold: Some(30), connect_retry: Some(3), ..Timers::default() };
    want
}
