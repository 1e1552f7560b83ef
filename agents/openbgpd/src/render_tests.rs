//! Rendered configurations as snapshots, the daemon's own checker on them, and texts that try to break out.

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use meetme_agent::{
    WireSecret,
    router::{
        AsPath, Bfd, BgpSession, Community, Desired, Policy, PrefixRange, Role, RouteSource, Term, Timers, Verdict,
    },
};
use meetme_lab::wish::{self, accepting, asn, range, router, session, spoken};

use crate::render;

/// What is rendered, without the mark, whose digits would only say that the snapshot has changed.
fn body(want: &Desired) -> String {
    let text = render(want, "").unwrap();
    let mark = crate::mark::of(&text).unwrap().to_owned();
    text.replace(&mark, "meetme_MARK")
}

/// The daemon's own opinion; none where there is no daemon.
fn checked(text: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bgpd.conf");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    match Command::new("/usr/sbin/bgpd").arg("-n").arg("-f").arg(&file).output() {
        Ok(done) => Some(String::from_utf8(done.stderr).unwrap()),
        Err(_) => {
            meetme_lab::Skip::new("openbgpd is not installed").report();
            None
        }
    }
}

/// Most of what can be wanted, with what this daemon can say beside.
fn rich() -> Desired {
    let mut want = wish::rich();
    let first = &mut want.sessions[0];
    first.description = "Example; } # é and a text of more than 31 bytes".to_owned();
    first.password = Some(WireSecret::new("s3|c #ret"));
    first.import.terms[3].prefixes.extend([range("203.0.113.0/24", 24, 24), range("0.0.0.0/0", 24, 24)]);
    first.export.terms.push(Term {
        source: Some(RouteSource::Learned),
        communities: vec![Community::Standard(65535, 666), Community::Standard(0, 0)],
        ..Term::default()
    });
    want.sessions[1].local_asn = asn(64510);
    want
}

#[test]
fn a_session_without_a_policy_imports_and_exports_nothing() {
    insta::assert_snapshot!(body(&router(vec![session("s1", "192.0.2.2")])), @r###"
    # Written by Meetme for the router edge1.
    # Edits by hand are seen and undone.
    # session s1 192.0.2.2
    as-set "meetme_MARK" { 0 }

    AS 64500
    router-id 192.0.2.1
    fib-update no

    neighbor 192.0.2.2 {
      remote-as 64501
      enforce neighbor-as no
    }

    deny from any
    deny to any
    match from any set { large-community delete 4294967295:*:* }
    match from any set { large-community 4294967295:0:2 }

    # session s1
    deny quick from 192.0.2.2
    deny quick to 192.0.2.2
    "###);
}

#[test]
fn everything_a_router_can_want_is_rendered() {
    insta::assert_snapshot!(body(&rich()), @r###"
    # Written by Meetme for the router edge1.
    # Edits by hand are seen and undone.
    # session s1 192.0.2.2
    # session s2 2001:db8::2
    as-set "meetme_MARK" { 0 }

    AS 64500
    router-id 192.0.2.1
    fib-update no
    connect-retry 3

    as-set "meetme-432c6ea91433" {
      4200000000, 64501
    }
    as-set "meetme-4c6426f3c8fd" {
      64666, 64667
    }
    prefix-set "meetme-2766f53447d9" {
      0.0.0.0/0 prefixlen = 24, 10.0.0.0/8 prefixlen 8 - 24, 203.0.113.0/24
    }
    network 198.51.100.0/24 set { large-community 4294967295:0:1 }
    network 203.0.113.0/24 set { large-community 4294967295:0:1 }
    network 2001:db8:100::/48 set { large-community 4294967295:0:1 }

    neighbor 192.0.2.2 {
      remote-as 64501
      descr "Example; } # é and a text of m" # "Example; } # é and a text of more than 31 bytes"
      local-address 192.0.2.1
      tcp md5sig password "s3|c #ret"
      holdtime 30
      max-prefix 10 restart 1
      enforce neighbor-as no
    }

    neighbor 2001:db8::2 {
      remote-as 64501
      local-as 64510
      down
      multihop 5
      passive
      holdtime 30
      transparent-as yes
      set nexthop no-modify
      enforce neighbor-as no
    }

    deny from any
    deny to any
    match from any set { large-community delete 4294967295:*:* }
    match from any set { large-community 4294967295:0:2 }

    # session s1
    deny quick from 192.0.2.2 max-as-len 20
    deny quick from 192.0.2.2 AS as-set "meetme-4c6426f3c8fd"
    match from 192.0.2.2 peer-as 64501 set { large-community 4294967295:1:1 }
    allow quick from 192.0.2.2 prefix-set "meetme-2766f53447d9" source-as as-set "meetme-432c6ea91433" large-community 4294967295:1:1 community 64501:1 set { large-community delete 4294967295:1:* localpref 0 med 5 large-community 64500:1:2 }
    allow quick from 192.0.2.2 prefix-set "meetme-2766f53447d9" source-as as-set "meetme-432c6ea91433" large-community 4294967295:1:1 large-community 64501:1:1 set { large-community delete 4294967295:1:* localpref 0 med 5 large-community 64500:1:2 }
    deny quick from 192.0.2.2
    allow quick to 192.0.2.2 large-community 4294967295:0:1 set { large-community delete 4294967295:*:* prepend-self 2 community 64500:7 community 65535:0 large-community 64500:1:2 }
    deny quick to 192.0.2.2 large-community 4294967295:0:2 community 0:0
    deny quick to 192.0.2.2 large-community 4294967295:0:2 community 65535:666
    deny quick to 192.0.2.2

    # session s2
    allow quick from 2001:db8::2 set { large-community delete 4294967295:1:* }
    deny quick to 2001:db8::2
    "###);
}

/// What peers tell and ask of each other, as far as this daemon can.
fn told() -> Desired {
    let mut want = spoken(&["target:64500:1", "origin:192.0.2.1:2", "target:4200000000:3", "validation:invalid"]);
    want.sessions.iter_mut().for_each(|session| session.bfd = None);
    want
}

#[test]
fn roles_hops_and_extended_communities_are_rendered() {
    insta::assert_snapshot!(body(&told()), @r###"
    # Written by Meetme for the router edge1.
    # Edits by hand are seen and undone.
    # session s1 192.0.2.2
    # session s2 2001:db8::2
    as-set "meetme_MARK" { 0 }

    AS 64500
    router-id 192.0.2.1
    fib-update no

    neighbor 192.0.2.2 {
      remote-as 64501
      ttl-security yes
      announce policy customer
      enforce neighbor-as no
    }

    neighbor 2001:db8::2 {
      remote-as 64501
      local-address 2001:db8::1
      multihop 3
      ttl-security yes
      announce policy rs
      enforce neighbor-as no
    }

    deny from any
    deny to any
    match from any set { large-community delete 4294967295:*:* }
    match from any set { large-community 4294967295:0:2 }

    # session s1
    deny quick from 192.0.2.2 AS 0
    deny quick from 192.0.2.2 AS 64496 - 65551
    match from 192.0.2.2 peer-as 64501 set { large-community 4294967295:1:1 }
    allow quick from 192.0.2.2 AS 0 large-community 4294967295:1:1 ext-community rt 64500:1 set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 0 large-community 4294967295:1:1 ext-community soo 192.0.2.1:2 set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 0 large-community 4294967295:1:1 ext-community rt 4200000000:3 set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 0 large-community 4294967295:1:1 ext-community ovs invalid set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 64496 - 65551 large-community 4294967295:1:1 ext-community rt 64500:1 set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 64496 - 65551 large-community 4294967295:1:1 ext-community soo 192.0.2.1:2 set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 64496 - 65551 large-community 4294967295:1:1 ext-community rt 4200000000:3 set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    allow quick from 192.0.2.2 AS 64496 - 65551 large-community 4294967295:1:1 ext-community ovs invalid set { large-community delete 4294967295:1:* ext-community rt 64500:1 ext-community soo 192.0.2.1:2 ext-community rt 4200000000:3 ext-community ovs invalid }
    deny quick from 192.0.2.2
    deny quick to 192.0.2.2

    # session s2
    deny quick from 2001:db8::2
    deny quick to 2001:db8::2
    "###);
    let Some(opinion) = checked(&render(&told(), "").unwrap()) else { return };
    assert_eq!(opinion.trim(), "configuration OK");
}

#[test]
fn every_role_has_a_word() {
    for (role, word) in [
        (Role::Provider, "provider"),
        (Role::RouteServer, "rs"),
        (Role::RouteServerClient, "rs-client"),
        (Role::Customer, "customer"),
        (Role::Peer, "peer"),
    ] {
        let mut said = session("s1", "192.0.2.2");
        said.role = Some(role);
        assert!(body(&router(vec![said.clone()])).contains(&format!("  announce policy {word}\n")), "{word}");
        said.strict_role = true;
        assert!(body(&router(vec![said])).contains(&format!("  announce policy {word} enforce\n")), "{word}");
    }
}

#[test]
fn openbgpd_accepts_everything_that_is_rendered() {
    let Some(opinion) = checked(&render(&rich(), "").unwrap()) else { return };
    assert_eq!(opinion.trim(), "configuration OK");
}

#[test]
fn how_the_daemon_is_reached_is_kept_as_it_was_found() {
    let present = "socket \"/run/other.sock\"\nAS 1\nlisten on 192.0.2.1\n";
    let first = render(&rich(), present).unwrap();
    assert!(
        first.contains("\nsocket \"/run/other.sock\"\nlisten on 192.0.2.1\n") && !first.contains("AS 1\n"),
        "{first}"
    );
    assert_eq!(render(&rich(), &first).unwrap(), first);
    let own = |text: &str| Desired { custom_text: Some(WireSecret::new(text)), ..rich() };
    let text = render(&own("AS 64500\nrouter-id 192.0.2.9\n\n"), present).unwrap();
    let mark = crate::mark::of(&text).unwrap();
    insta::assert_snapshot!(text.replace(mark, "meetme_MARK"), @r#"
    # Written by Meetme for the router edge1.
    # Edits by hand are seen and undone.
    # session s1 192.0.2.2
    # session s2 2001:db8::2
    as-set "meetme_MARK" { 0 }

    socket "/run/other.sock"
    listen on 192.0.2.1
    AS 64500
    router-id 192.0.2.9
    "#);
    assert!(!render(&own("socket \"/x\"\nAS 1\n"), present).unwrap().contains("other.sock"));
}

#[test]
fn the_same_wish_gives_the_same_text_and_another_wish_another_mark() {
    let (first, mut want) = (render(&rich(), "").unwrap(), rich());
    assert_eq!(first, render(&want, &first).unwrap());
    want.sessions[0].max_prefixes = Some(11);
    assert_ne!(crate::mark::of(&first), crate::mark::of(&render(&want, &first).unwrap()));
    let sessions = std::collections::HashMap::from([("192.0.2.2", "s1"), ("2001:db8::2", "s2")]);
    assert_eq!(crate::render::sessions(&first), sessions);
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
    assert!(!body(&router(vec![four])).contains("allow"));
}

#[test]
fn no_text_of_a_user_breaks_out_of_its_place() {
    let mut described = session("s1", "192.0.2.2");
    described.description = "x\"\n}\nnetwork 0.0.0.0/0\n#".to_owned();
    let mut continued = session("s1", "192.0.2.2");
    continued.description = "x\\".to_owned();
    let mut keyed = session("s1", "192.0.2.2");
    keyed.password = Some(WireSecret::new("a\" enforce local-as no #"));
    let wishes = [
        router(vec![described]),
        router(vec![continued]),
        router(vec![keyed]),
        Desired { name: "edge\nAS 1".to_owned(), ..router(vec![]) },
        Desired { name: "edge\\".to_owned(), ..router(vec![]) },
    ];
    for want in wishes {
        let refusal = render(&want, "").unwrap_err();
        assert_eq!(refusal.metric_label(), "refused");
        assert!(!refusal.to_string().contains("enforce"), "a password is shown: {refusal}");
    }
}

#[test]
fn a_text_full_of_syntax_stays_a_text() {
    let mut want = router(vec![session("s1", "192.0.2.2")]);
    want.sessions[0].description = "x'; } /* # // $a ${b} `c` include".to_owned();
    want.sessions[0].password = Some(WireSecret::new("{ $x } # '"));
    let text = render(&want, "").unwrap();
    let Some(opinion) = checked(&text) else { return };
    assert_eq!(opinion.trim(), "configuration OK");
}

#[test]
fn what_openbgpd_cannot_do_or_would_mix_up_is_refused_before_it_is_asked() {
    let refuse = |change: fn(&mut BgpSession), label: &str| {
        let mut session = session("s1", "192.0.2.2");
        change(&mut session);
        assert_eq!(render(&router(vec![session]), "").unwrap_err().metric_label(), label);
    };
    refuse(|s| s.local_address = Some("2001:db8::1".parse().unwrap()), "refused");
    refuse(|s| s.ttl = 0, "refused");
    refuse(|s| s.password = Some(WireSecret::new("p".repeat(81))), "refused");
    refuse(|s| s.password = Some(WireSecret::new("")), "refused");
    refuse(|s| s.peer_address = "224.0.0.1".parse().unwrap(), "refused");
    refuse(|s| (s.route_server_client, s.peer_asn) = (true, s.local_asn), "refused");
    refuse(|s| s.peer_address = "fe80::1".parse().unwrap(), "unsupported");
    refuse(|s| s.max_prefixes = Some(0), "unsupported");
    refuse(|s| (s.role, s.peer_asn) = (Some(Role::Peer), s.local_asn), "refused");
    refuse(|s| (s.gtsm, s.peer_asn) = (true, s.local_asn), "unsupported");
    refuse(|s| s.bfd = Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 3 }), "unsupported");
    refuse(|s| (s.export, s.export.changes.prepend) = (Policy::accept_all(), 129), "unsupported");
    let twice = |keys: [&str; 2]| render(&router(keys.map(|key| session(key, "192.0.2.2")).to_vec()), "").unwrap_err();
    assert_eq!((twice(["s1", "s1"]).metric_label(), twice(["s1", "s2"]).metric_label()), ("refused", "unsupported"));
    let error = |want: Desired| render(&want, "").unwrap_err().to_string();
    let timed = |timers: Timers| error(Desired { timers, ..router(vec![]) });
    insta::assert_snapshot!(timed(Timers { connect_delay: Some(1), ..Timers::default() }), @"not supported: OpenBGPD has no such timer as connect_delay; leave it out.");
    assert!(timed(Timers { hold: Some(2), ..Timers::default() }).starts_with("refused"));
    assert!(error(Desired { log_file: Some("/x".to_owned()), ..router(vec![]) }).starts_with("not supported"));
}
