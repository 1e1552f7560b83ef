//! Wishes that routers of every make are rendered for.

use std::{fmt::Debug, net::Ipv4Addr, str::FromStr};

use meetme_agent::router::{AsPath, Bfd, BgpSession, Changes, Desired, Policy, Role, Term, Verdict};
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
