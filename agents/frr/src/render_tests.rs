//! Rendered configurations as snapshots, FRR's own checker on them, and texts that try to break out.

use std::process::Command;

use meetme_agent::{
    WireSecret,
    router::{
        AsPath, Bfd, BgpSession, Community, Desired, Policy, PrefixRange, Role, RouteSource, Term, Timers, Verdict,
    },
};
use meetme_lab::wish::{self, accepting, asn, range, router, session, spoken};

use crate::{config, render};

/// FRR's own opinion; none where there is no FRR.
fn checked(text: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("frr.conf");
    std::fs::write(&file, text).unwrap();
    match Command::new("/usr/bin/vtysh").arg("-C").arg("-f").arg(&file).output() {
        Ok(done) => Some(String::from_utf8(done.stderr).unwrap() + &String::from_utf8(done.stdout).unwrap()),
        Err(_) => {
            meetme_lab::Skip::new("vtysh is not installed").report();
            None
        }
    }
}

/// Most of what can be wanted, with what this daemon can say beside.
fn rich() -> Desired {
    let mut want = wish::rich();
    let first = &mut want.sessions[0];
    first.description = "Example; } # \\ é".to_owned();
    first.password = Some(WireSecret::new("s3|c\"ret"));
    first.import.terms[3].prefixes.extend([range("203.0.113.0/24", 24, 24), range("0.0.0.0/0", 8, 24)]);
    first.export.terms.push(Term {
        source: Some(RouteSource::Learned),
        communities: vec![Community::Standard(65535, 666)],
        ..Term::default()
    });
    want.sessions[1].local_asn = asn(64510);
    want.log_file = Some("/var/log/frr/bgp.log".to_owned());
    want
}

#[test]
fn a_session_without_a_policy_imports_and_exports_nothing() {
    insta::assert_snapshot!(render(&router(vec![session("s1", "192.0.2.2")])).unwrap(), @r#"
    ! Written by Meetme for the router edge1.
    ! Edits by hand are seen and undone.
    ! session s1 192.0.2.2
    !
    route-map meetme-none deny 10
    exit
    !
    route-map meetme-in-f3c64b669fc3 deny 10
    exit
    !
    route-map meetme-out-f3c64b669fc3 deny 10
    exit
    !
    router bgp 64500
     bgp router-id 192.0.2.1
     no bgp default ipv4-unicast
     no bgp network import-check
     neighbor 192.0.2.2 remote-as 64501
     address-family ipv4 unicast
      neighbor 192.0.2.2 route-map meetme-in-f3c64b669fc3 in
      neighbor 192.0.2.2 route-map meetme-out-f3c64b669fc3 out
      neighbor 192.0.2.2 soft-reconfiguration inbound
      neighbor 192.0.2.2 activate
      table-map meetme-none
     exit-address-family
    exit
    !
    "#);
}

/// What peers tell and ask of each other, as far as this daemon can.
fn told() -> Desired {
    let mut want = spoken(&["target:64500:1", "origin:192.0.2.1:2", "target:4200000000:3"]);
    // Not together with BFD on a direct path.
    want.sessions[0].gtsm = false;
    want
}

#[test]
fn roles_hops_forwarding_detection_and_extended_communities_are_rendered() {
    insta::assert_snapshot!(render(&told()).unwrap(), @r###"
    ! Written by Meetme for the router edge1.
    ! Edits by hand are seen and undone.
    ! session s1 192.0.2.2
    ! session s2 2001:db8::2
    !
    route-map meetme-none deny 10
    exit
    !
    bfd
     profile meetme-3-300-300
     exit
     profile meetme-4-250-200
      detect-multiplier 4
      transmit-interval 200
      receive-interval 250
     exit
    exit
    !
    bgp as-path access-list meetme-2728430ed122 seq 5 permit _(0|6449[6-9]|64[5-9][0-9][0-9]|65[0-4][0-9][0-9]|655[0-4][0-9]|6555[0-1])_
    bgp as-path access-list meetme-5e0741741d86 seq 5 permit ^(64501)_
    bgp extcommunity-list standard meetme-115b8a8fe462 seq 5 permit rt 64500:1
    bgp extcommunity-list standard meetme-115b8a8fe462 seq 10 permit rt 4200000000:3
    bgp extcommunity-list standard meetme-115b8a8fe462 seq 15 permit soo 192.0.2.1:2
    route-map meetme-in-f3c64b669fc3 deny 10
    exit
    !
    route-map meetme-in-ffd7afb7d589 deny 10
     match as-path meetme-2728430ed122
    exit
    !
    route-map meetme-in-ffd7afb7d589 permit 20
     match as-path meetme-5e0741741d86
     on-match goto 40
    exit
    !
    route-map meetme-in-ffd7afb7d589 permit 30
     on-match goto 50
    exit
    !
    route-map meetme-in-ffd7afb7d589 permit 40
     match as-path meetme-2728430ed122
     match extcommunity meetme-115b8a8fe462
     set extcommunity rt 64500:1 4200000000:3
     set extcommunity soo 192.0.2.1:2
    exit
    !
    route-map meetme-in-ffd7afb7d589 deny 50
    exit
    !
    route-map meetme-out-f3c64b669fc3 deny 10
    exit
    !
    router bgp 64500
     bgp router-id 192.0.2.1
     no bgp default ipv4-unicast
     no bgp network import-check
     neighbor 192.0.2.2 remote-as 64501
     neighbor 192.0.2.2 local-role customer
     neighbor 192.0.2.2 bfd
     neighbor 192.0.2.2 bfd profile meetme-4-250-200
     neighbor 2001:db8::2 remote-as 64501
     neighbor 2001:db8::2 ttl-security hops 3
     neighbor 2001:db8::2 local-role rs-server
     neighbor 2001:db8::2 bfd
     neighbor 2001:db8::2 bfd profile meetme-3-300-300
     neighbor 2001:db8::2 update-source 2001:db8::1
     address-family ipv4 unicast
      neighbor 192.0.2.2 route-map meetme-in-ffd7afb7d589 in
      neighbor 192.0.2.2 route-map meetme-out-f3c64b669fc3 out
      neighbor 192.0.2.2 soft-reconfiguration inbound
      neighbor 192.0.2.2 activate
      table-map meetme-none
     exit-address-family
     address-family ipv6 unicast
      neighbor 2001:db8::2 route-map meetme-in-f3c64b669fc3 in
      neighbor 2001:db8::2 route-map meetme-out-f3c64b669fc3 out
      neighbor 2001:db8::2 soft-reconfiguration inbound
      neighbor 2001:db8::2 activate
      table-map meetme-none
     exit-address-family
    exit
    !
    "###);
    let Some(opinion) = checked(&render(&told()).unwrap()) else { return };
    assert_eq!(opinion, "");
}

#[test]
fn every_role_has_a_word() {
    for (role, word) in [
        (Role::Provider, "provider"),
        (Role::RouteServer, "rs-server"),
        (Role::RouteServerClient, "rs-client"),
        (Role::Customer, "customer"),
        (Role::Peer, "peer"),
    ] {
        let mut said = session("s1", "192.0.2.2");
        said.role = Some(role);
        assert!(render(&router(vec![said.clone()])).unwrap().contains(&format!(" local-role {word}\n")), "{word}");
        said.strict_role = true;
        assert!(render(&router(vec![said])).unwrap().contains(&format!(" local-role {word} strict-mode\n")), "{word}");
    }
}

#[test]
fn everything_a_router_can_want_is_rendered() {
    insta::assert_snapshot!(render(&rich()).unwrap(), @r#"
    ! Written by Meetme for the router edge1.
    ! Edits by hand are seen and undone.
    ! session s1 192.0.2.2
    ! session s2 2001:db8::2
    !
    log file /var/log/frr/bgp.log
    route-map meetme-originated permit 10
     set tag 1
    exit
    !
    route-map meetme-none deny 10
    exit
    !
    bgp as-path access-list meetme-5e0741741d86 seq 5 permit ^(64501)_
    bgp as-path access-list meetme-7b11372a69e4 seq 5 permit _(64666|64667)_
    bgp as-path access-list meetme-8064c2591f3c seq 5 permit _(64501|4200000000)$
    bgp as-path access-list meetme-878e12e3c98c seq 5 permit ^([^ ]+ ){20}[^ ]
    bgp community-list standard meetme-0aaeb6695eae seq 5 permit 64501:1
    bgp community-list standard meetme-1e7416ef5d63 seq 5 permit blackhole
    bgp large-community-list standard meetme-6aefa21dc0a7 seq 5 permit 64501:1:1
    ip prefix-list meetme-73f3f50fb729 seq 5 permit 10.0.0.0/8 le 24
    ip prefix-list meetme-73f3f50fb729 seq 10 permit 203.0.113.0/24
    ip prefix-list meetme-73f3f50fb729 seq 15 permit 0.0.0.0/0 ge 8 le 24
    route-map meetme-in-1a8241ef2151 deny 10
     match as-path meetme-878e12e3c98c
    exit
    !
    route-map meetme-in-1a8241ef2151 deny 20
     match as-path meetme-7b11372a69e4
    exit
    !
    route-map meetme-in-1a8241ef2151 permit 30
     match as-path meetme-5e0741741d86
     on-match goto 50
    exit
    !
    route-map meetme-in-1a8241ef2151 permit 40
     on-match goto 90
    exit
    !
    route-map meetme-in-1a8241ef2151 permit 50
     match community meetme-0aaeb6695eae
     on-match goto 80
    exit
    !
    route-map meetme-in-1a8241ef2151 permit 60
     match large-community meetme-6aefa21dc0a7
     on-match goto 80
    exit
    !
    route-map meetme-in-1a8241ef2151 permit 70
     on-match goto 90
    exit
    !
    route-map meetme-in-1a8241ef2151 permit 80
     match ip address prefix-list meetme-73f3f50fb729
     match as-path meetme-8064c2591f3c
     set large-community 64500:1:2 additive
     set local-preference 0
     set metric 5
    exit
    !
    route-map meetme-in-1a8241ef2151 deny 90
    exit
    !
    route-map meetme-in-ae7767b4dfb6 permit 10
    exit
    !
    route-map meetme-out-eb5979aec180 permit 10
     match tag 1
     set as-path prepend 64500 64500
     set community 64500:7 graceful-shutdown additive
     set large-community 64500:1:2 additive
    exit
    !
    route-map meetme-out-eb5979aec180 permit 20
     match tag 1
     on-match goto 40
    exit
    !
    route-map meetme-out-eb5979aec180 deny 30
     match community meetme-1e7416ef5d63
    exit
    !
    route-map meetme-out-eb5979aec180 deny 40
    exit
    !
    route-map meetme-out-f3c64b669fc3 deny 10
    exit
    !
    router bgp 64500
     bgp router-id 192.0.2.1
     no bgp default ipv4-unicast
     no bgp network import-check
     neighbor 192.0.2.2 remote-as 64501
     neighbor 192.0.2.2 description Example; } # \ é
     neighbor 192.0.2.2 password s3|c"ret
     neighbor 192.0.2.2 update-source 192.0.2.1
     neighbor 192.0.2.2 timers 10 30
     neighbor 192.0.2.2 timers connect 3
     neighbor 2001:db8::2 remote-as 64501
     neighbor 2001:db8::2 shutdown
     neighbor 2001:db8::2 local-as 64510 no-prepend replace-as
     neighbor 2001:db8::2 passive
     neighbor 2001:db8::2 ebgp-multihop 5
     neighbor 2001:db8::2 timers 10 30
     neighbor 2001:db8::2 timers connect 3
     address-family ipv4 unicast
      network 198.51.100.0/24 route-map meetme-originated
      network 203.0.113.0/24 route-map meetme-originated
      neighbor 192.0.2.2 route-map meetme-in-1a8241ef2151 in
      neighbor 192.0.2.2 route-map meetme-out-eb5979aec180 out
      neighbor 192.0.2.2 soft-reconfiguration inbound
      neighbor 192.0.2.2 maximum-prefix 10 restart 1
      neighbor 192.0.2.2 activate
      table-map meetme-none
     exit-address-family
     address-family ipv6 unicast
      network 2001:db8:100::/48 route-map meetme-originated
      neighbor 2001:db8::2 route-map meetme-in-ae7767b4dfb6 in
      neighbor 2001:db8::2 route-map meetme-out-f3c64b669fc3 out
      neighbor 2001:db8::2 soft-reconfiguration inbound
      neighbor 2001:db8::2 route-server-client
      neighbor 2001:db8::2 attribute-unchanged next-hop
      neighbor 2001:db8::2 activate
      table-map meetme-none
     exit-address-family
    exit
    !
    "#);
}

#[test]
fn frr_accepts_everything_that_is_rendered() {
    let Some(opinion) = checked(&render(&rich()).unwrap()) else { return };
    assert_eq!(opinion, "");
}

#[test]
fn what_is_rendered_reads_back_as_it_was_and_the_same_wish_gives_the_same_text() {
    let text = render(&rich()).unwrap();
    assert_eq!(text, render(&rich()).unwrap());
    let body = text.split_once(" 2001:db8::2\n!\n").unwrap().1;
    assert_eq!(config::print(&config::parse(&text)), body);
    let (foreign, ours) = config::split(config::parse(&text), &config::keys(&config::parse(&text)));
    assert!(foreign.is_empty() && !ours.is_empty());
    let (foreign, _) = config::split(config::parse(&text), &std::collections::BTreeSet::new());
    assert_eq!(config::print(&foreign), "log file /var/log/frr/bgp.log\n", "all else is known by its name alone");
}

#[test]
fn a_changed_policy_has_another_name_and_what_is_shared_is_there_once() {
    let names = |want: &Desired| {
        let text = render(want).unwrap();
        let names = text.lines().filter(|line| line.starts_with("  neighbor 192.0.2.2 route-map")).map(str::to_owned);
        names.collect::<Vec<_>>()
    };
    let mut want = rich();
    let before = names(&want);
    want.sessions[0].import.terms[1].as_path = vec![AsPath::Contains(vec![asn(64668)])];
    let after = names(&want);
    assert_eq!((before[0] == after[0], before[1] == after[1]), (false, true), "{before:?} {after:?}");
    let (one, mut two) = (session("s1", "192.0.2.2"), session("s2", "192.0.2.3"));
    let term = Term { as_path: vec![AsPath::Origin(vec![asn(64501)])], then: Verdict::Accept, ..Term::default() };
    two.import = accepting(vec![term]);
    let one = BgpSession { import: two.import.clone(), ..one };
    let text = render(&router(vec![one, two])).unwrap();
    let count = |what: &str| text.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(
        (count("bgp as-path access-list "), count("route-map meetme-in-"), count("route-map meetme-out-")),
        (1, 2, 1)
    );
}

#[test]
fn terms_that_no_route_can_meet_are_left_out() {
    let mut four = session("s1", "192.0.2.2");
    let six = PrefixRange::exact("2001:db8::/32".parse().unwrap());
    four.import = accepting(vec![
        Term { prefixes: vec![six], then: Verdict::Accept, ..Term::default() },
        Term { source: Some(RouteSource::Originated), then: Verdict::Accept, ..Term::default() },
    ]);
    four.export =
        accepting(vec![Term { as_path: vec![AsPath::First(vec![])], then: Verdict::Accept, ..Term::default() }]);
    let text = render(&router(vec![four])).unwrap();
    assert!(!text.contains("permit"), "{text}");
}

#[test]
fn no_text_of_a_user_breaks_out_of_its_place() {
    let mut described = session("s1", "192.0.2.2");
    described.description = "x\nexit\nrouter bgp 1\n".to_owned();
    let mut keyed = session("s1", "192.0.2.2");
    keyed.password = Some(WireSecret::new("a\n no neighbor 192.0.2.2 shutdown"));
    let wishes = [
        router(vec![described]),
        router(vec![keyed]),
        Desired { name: "edge\nrouter bgp 1".to_owned(), ..router(vec![]) },
        Desired { log_file: Some("/tmp/x\nrouter bgp 1".to_owned()), ..router(vec![]) },
        Desired { log_file: Some("/tmp/x debugging".to_owned()), ..router(vec![]) },
    ];
    for want in wishes {
        let refusal = render(&want).unwrap_err();
        assert_eq!(refusal.metric_label(), "refused");
        assert!(!refusal.to_string().contains("no neighbor"), "a password is shown: {refusal}");
    }
}

#[test]
fn a_text_full_of_syntax_stays_a_text() {
    let mut want = router(vec![session("s1", "192.0.2.2")]);
    want.sessions[0].description = r"! # exit; 'x' \ ${a} `b` |c|d ? end".to_owned();
    want.sessions[0].password = Some(WireSecret::new(r"!#?\'|$"));
    let text = render(&want).unwrap();
    assert!(text.contains(r" neighbor 192.0.2.2 description ! # exit; 'x' \ ${a} `b` |c|d ? end"), "{text}");
    let Some(opinion) = checked(&text) else { return };
    assert_eq!(opinion, "");
}

#[test]
fn what_frr_cannot_do_or_would_mix_up_is_refused_before_it_is_asked() {
    let refuse = |change: fn(&mut BgpSession), label: &str| {
        let mut session = session("s1", "192.0.2.2");
        change(&mut session);
        assert_eq!(render(&router(vec![session])).unwrap_err().metric_label(), label);
    };
    refuse(|s| s.local_address = Some("2001:db8::1".parse().unwrap()), "refused");
    refuse(|s| s.ttl = 0, "refused");
    refuse(|s| s.password = Some(WireSecret::new("p".repeat(81))), "refused");
    refuse(|s| s.password = Some(WireSecret::new("")), "refused");
    refuse(|s| s.peer_address = "224.0.0.1".parse().unwrap(), "refused");
    refuse(|s| (s.route_server_client, s.peer_asn) = (true, s.local_asn), "refused");
    refuse(|s| s.description = "AS64501 | Example".to_owned(), "refused");
    refuse(|s| s.peer_address = "fe80::1".parse().unwrap(), "unsupported");
    refuse(|s| s.max_prefixes = Some(0), "unsupported");
    refuse(|s| (s.role, s.peer_asn) = (Some(Role::Peer), s.local_asn), "refused");
    refuse(|s| (s.gtsm, s.ttl) = (true, 255), "unsupported");
    refuse(|s| (s.gtsm, s.bfd) = (true, Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 3 })), "unsupported");
    refuse(|s| s.bfd = Some(Bfd { tx_ms: 9, rx_ms: 300, multiplier: 3 }), "unsupported");
    refuse(|s| s.bfd = Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 1 }), "unsupported");
    refuse(
        |s| (s.communities, s.import) = (vec!["validation:valid".parse().unwrap()], Policy::accept_all()),
        "unsupported",
    );
    refuse(|s| s.local_asn = s.peer_asn, "unsupported");
    refuse(|s| (s.import, s.communities) = (Policy::accept_all(), vec![Community::Standard(0, 0)]), "unsupported");
    let long = |s: &mut BgpSession| {
        let term = Term { as_path: vec![AsPath::LongerThan(256)], ..Term::default() };
        s.import = accepting(vec![term]);
    };
    refuse(long, "unsupported");
    refuse(
        |s| {
            s.import = Policy::accept_all();
            s.communities = (0..101).map(|n| Community::Standard(1, n)).collect();
        },
        "unsupported",
    );
    let twice = |keys: [&str; 2]| router(keys.map(|key| session(key, "192.0.2.2")).to_vec());
    assert_eq!(render(&twice(["s1", "s1"])).unwrap_err().metric_label(), "refused");
    assert_eq!(render(&twice(["s1", "s2"])).unwrap_err().metric_label(), "unsupported");
    let timed = |timers: Timers| render(&Desired { timers, ..router(vec![]) }).unwrap_err().to_string();
    insta::assert_snapshot!(timed(Timers { error_wait: Some((1, 2)), ..Timers::default() }), @"not supported: FRR has no such timer as error_wait; leave it out.");
    assert!(timed(Timers { hold: Some(2), ..Timers::default() }).starts_with("refused"));
}

#[test]
fn an_operators_own_text_replaces_the_generated_one_and_is_known_as_such() {
    let mut want = rich();
    want.custom_text = Some(WireSecret::new("router bgp 64500\n bgp router-id 192.0.2.9\nexit\n\n"));
    let text = render(&want).unwrap();
    insta::assert_snapshot!(text, @r"
    ! Written by Meetme for the router edge1.
    ! In the operator's own words.
    ! session s1 192.0.2.2
    ! session s2 2001:db8::2
    !
    router bgp 64500
     bgp router-id 192.0.2.9
    exit
    ");
    assert!(render::is_own_words(&text) && !render::is_own_words(&render(&rich()).unwrap()));
    let sessions = std::collections::HashMap::from([("192.0.2.2", "s1"), ("2001:db8::2", "s2")]);
    assert_eq!(render::sessions(&text), sessions);
}
