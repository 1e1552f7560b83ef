//! Rendered configurations as snapshots, texts read back, and wishes that gobgpd cannot be told.

use meetme_agent::{
    WireSecret,
    router::{AsPath, Bfd, Changes, Community, Desired, Policy, PrefixRange, Role, RouteSource, Term, Timers, Verdict},
};
use meetme_lab::wish::{asn, router, session};

use crate::{
    config::{Config, masked},
    render::render,
};

fn rich() -> Desired {
    let mut four = session("s1", "192.0.2.2");
    four.description = "Example".to_owned();
    four.local_address = Some("192.0.2.1".parse().unwrap());
    four.password = Some(WireSecret::new("s3\"cret'\\"));
    four.max_prefixes = Some(10);
    four.graceful_shutdown = true;
    four.communities = vec![Community::Large(64500, 1, 2)];
    let ranges = [("10.0.0.0/8", 8, 24), ("2001:db8::/32", 32, 48)];
    four.import = Policy {
        terms: vec![
            Term { as_path: vec![AsPath::LongerThan(20)], ..Term::default() },
            Term { as_path: vec![AsPath::Contains(vec![asn(64666), asn(64667)])], ..Term::default() },
            Term {
                prefixes: ranges.map(|(n, low, high)| PrefixRange::new(n.parse().unwrap(), low, high).unwrap()).into(),
                as_path: vec![AsPath::First(vec![asn(64501)]), AsPath::Origin(vec![asn(64501), asn(4_200_000_000)])],
                communities: vec![Community::Standard(64501, 1), Community::Large(64501, 1, 1)],
                then: Verdict::Accept,
                changes: Changes { local_preference: Some(200), med: Some(5), ..Changes::default() },
                ..Term::default()
            },
        ],
        ..Policy::default()
    };
    let own = Changes { communities: vec![Community::Standard(64500, 7)], prepend: 2, ..Changes::default() };
    let originated =
        Term { source: Some(RouteSource::Originated), then: Verdict::Accept, changes: own, ..Term::default() };
    four.export = Policy { terms: vec![originated], ..Policy::default() };
    let mut six = session("s2", "2001:db8::2");
    (six.enabled, six.ttl, six.passive) = (false, 5, true);
    six.import = Policy::accept_all();
    let mut want = router(vec![four, six]);
    want.networks = vec!["198.51.100.0/24".parse().unwrap(), "2001:db8:100::/48".parse().unwrap()];
    want.timers = Timers { hold: Some(30), connect_retry: Some(10), ..Timers::default() };
    want
}

#[test]
fn a_session_without_a_policy_imports_and_exports_nothing() {
    let want = router(vec![session("s1", "192.0.2.2")]);
    insta::assert_snapshot!(render(&want).unwrap().text());
}

#[test]
fn everything_a_router_can_want_is_rendered() {
    insta::assert_snapshot!(masked(&render(&rich()).unwrap().text()));
}

#[test]
fn hops_ranges_of_numbers_and_extended_communities_are_rendered() {
    let mut direct = session("s1", "192.0.2.2");
    (direct.gtsm, direct.ttl) = (true, 3);
    let marks = ["target:64500:1", "origin:192.0.2.1:2", "target:4200000000:3"];
    direct.communities = marks.map(|mark| mark.parse().unwrap()).to_vec();
    let ranges = ["0", "64496-65551"].map(|range| range.parse().unwrap()).to_vec();
    let bogus = Term { as_path: vec![AsPath::Within(ranges.clone())], ..Term::default() };
    let marked = Term {
        as_path: vec![AsPath::First(vec![asn(64501)]), AsPath::Within(ranges)],
        communities: marks.map(|mark| mark.parse().unwrap()).to_vec(),
        then: Verdict::Accept,
        ..Term::default()
    };
    direct.import.terms = vec![bogus, marked];
    insta::assert_snapshot!(render(&router(vec![direct])).unwrap().text());
}

#[test]
fn a_text_reads_back_as_what_it_was_made_of() {
    let config = render(&rich()).unwrap();
    let again = Config::of(&config.text()).unwrap();
    assert_eq!((again.text(), &again), (config.text(), &config));
    assert_eq!(Config::of("").unwrap(), Config::default());
    let Err(refusal) = Config::of("auth_password = \"s3cret\"\n") else { panic!("taken") };
    assert!(!refusal.to_string().contains("s3cret"), "{refusal}");
}

#[test]
fn a_password_is_hidden_whatever_it_looks_like() {
    let shown = masked(&render(&rich()).unwrap().text());
    assert!(shown.contains("auth_password = \"(secret)\"\n") && !shown.contains("cret'"), "{shown}");
}

#[test]
fn what_gobgpd_cannot_be_told_is_refused_before_it_is_asked() {
    let refuse = |change: fn(&mut Desired), label: &str| {
        let mut want = router(vec![session("s1", "192.0.2.2"), session("s2", "192.0.2.3")]);
        change(&mut want);
        let refusal = render(&want).unwrap_err();
        assert_eq!(refusal.metric_label(), label, "{refusal}");
    };
    refuse(|w| w.forwards = true, "unsupported");
    refuse(|w| w.log_file = Some("/var/log/x".to_owned()), "unsupported");
    refuse(|w| w.custom_text = Some(WireSecret::new("x")), "unsupported");
    refuse(|w| w.timers.error_wait = Some((1, 2)), "unsupported");
    refuse(|w| w.sessions[0].route_server_client = true, "unsupported");
    refuse(
        |w| {
            w.sessions[0].import = Policy::accept_all();
            w.sessions[0].import.changes.local_preference = Some(0);
        },
        "unsupported",
    );
    refuse(|w| w.sessions[0].peer_address = "fe80::1".parse().unwrap(), "unsupported");
    refuse(|w| w.sessions[0].role = Some(Role::Peer), "unsupported");
    refuse(|w| w.sessions[0].bfd = Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 3 }), "unsupported");
    refuse(
        |w| {
            w.sessions[0].import = Policy::accept_all();
            w.sessions[0].communities = vec!["validation:valid".parse().unwrap()];
        },
        "unsupported",
    );
    refuse(|w| w.timers.hold = Some(2), "refused");
    refuse(|w| w.sessions[0].key = "s2".parse().unwrap(), "refused");
    refuse(|w| w.sessions[0].peer_address = "192.0.2.3".parse().unwrap(), "refused");
    refuse(|w| w.sessions[0].local_address = Some("2001:db8::1".parse().unwrap()), "refused");
    refuse(|w| w.sessions[0].ttl = 0, "refused");
    refuse(|w| w.sessions[0].max_prefixes = Some(0), "refused");
    refuse(|w| w.sessions[0].password = Some(WireSecret::new("p".repeat(81))), "refused");
    refuse(|w| w.sessions[0].password = Some(WireSecret::new("a\nb")), "refused");
    refuse(|w| w.sessions[0].peer_address = "224.0.0.1".parse().unwrap(), "refused");
}

#[test]
fn the_terms_of_one_session_name_no_other_family() {
    let mut four = session("s1", "192.0.2.2");
    let six = PrefixRange::exact("2001:db8::/32".parse().unwrap());
    four.import.terms = vec![Term { prefixes: vec![six], then: Verdict::Accept, ..Term::default() }];
    four.export.terms = vec![Term { as_path: vec![AsPath::First(vec![])], then: Verdict::Accept, ..Term::default() }];
    let text = render(&router(vec![four])).unwrap().text();
    assert!(!text.contains("peer_s1-in") && !text.contains("peer_s1-out"), "{text}");
}
