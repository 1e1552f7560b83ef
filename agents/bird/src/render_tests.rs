//! Rendered configurations as snapshots, the daemon's own checker on them, and texts that try to break out.

use std::process::Command;

use meetme_agent::{
    WireSecret,
    router::{AsPath, Bfd, BgpSession, Desired, PrefixRange, Role, Term, Verdict},
};
use meetme_lab::wish::{self, accepting, router, session, spoken};

use crate::render;

/// What is rendered, without the mark, whose digits would only say that the snapshot has changed.
fn body(want: &Desired) -> String {
    let text = render(want).unwrap();
    text.split_once(" = 1;\n\n").unwrap().1.to_owned()
}

/// BIRD's own opinion; none where there is no BIRD.
fn checked(text: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bird.conf");
    std::fs::write(&file, text).unwrap();
    let done = match Command::new("bird").arg("-p").arg("-c").arg(&file).output() {
        Ok(done) => done,
        Err(_) => {
            meetme_lab::Skip::new("bird is not installed").report();
            return None;
        }
    };
    Some(String::from_utf8(done.stderr).unwrap())
}

/// Most of what can be wanted, with what this daemon can say beside.
fn rich() -> Desired {
    let mut want = wish::rich();
    want.sessions[0].description = "Example; } # \\ é".to_owned();
    want.forwards = true;
    want.log_file = Some("/var/log/bird.log".to_owned());
    (want.timers.connect_delay, want.timers.error_wait) = (Some(1), Some((1, 8)));
    want
}

#[test]
fn a_session_without_a_policy_imports_and_exports_nothing() {
    insta::assert_snapshot!(body(&router(vec![session("s1", "192.0.2.2")])), @r#"
    log syslog all;
    router id 192.0.2.1;
    timeformat base iso long ms;
    timeformat protocol iso long ms;

    protocol device { }

    protocol bgp peer_s1 {
      local as 64500;
      neighbor 192.0.2.2 as 64501;
      direct;
      ipv4 {
        import keep filtered on;
        import none;
        export none;
      };
    }
    "#);
}

#[test]
fn everything_a_router_can_want_is_rendered() {
    insta::assert_snapshot!(body(&rich()), @r#"
    log "/var/log/bird.log" all;
    router id 192.0.2.1;
    timeformat base iso long ms;
    timeformat protocol iso long ms;

    protocol device { }
    protocol kernel kernel4 {
      ipv4 { import none; export all; };
    }
    protocol kernel kernel6 {
      ipv6 { import none; export all; };
    }
    protocol static originated4 {
      ipv4;
      route 198.51.100.0/24 blackhole;
      route 203.0.113.0/24 blackhole;
    }
    protocol static originated6 {
      ipv6;
      route 2001:db8:100::/48 blackhole;
    }

    protocol bgp peer_s1 {
      description "Example; } # \ é";
      local 192.0.2.1 as 64500;
      neighbor 192.0.2.2 as 64501;
      direct;
      password "s3cret";
      hold time 30;
      connect delay time 1;
      connect retry time 3;
      error wait time 1, 8;
      ipv4 {
        import keep filtered on;
        receive limit 10 action restart;
        import filter {
          if bgp_path.len > 20 then reject;
          if bgp_path ~ [ 64666, 64667 ] then reject;
          if (net ~ [ 10.0.0.0/8{8,24}, 203.0.113.0/24 ]) && (bgp_path.first ~ [ 64501 ]) && (bgp_path.last ~ [ 64501, 4200000000 ]) && ((bgp_community ~ [ (64501, 1) ]) || (bgp_large_community ~ [ (64501, 1, 1) ])) then { bgp_local_pref = 200; bgp_med = 5; bgp_large_community.add((64500, 1, 2)); bgp_local_pref = 0; accept; }
          reject;
        };
        export filter {
          if source = RTS_STATIC then { bgp_community.add((64500, 7)); bgp_path.prepend(64500); bgp_path.prepend(64500); bgp_large_community.add((64500, 1, 2)); bgp_community.add((65535, 0)); accept; }
          reject;
        };
      };
    }

    protocol bgp peer_s2 {
      disabled on;
      local as 64500;
      neighbor 2001:db8::2 as 64501;
      multihop 5;
      passive on;
      rs client;
      hold time 30;
      connect delay time 1;
      connect retry time 3;
      error wait time 1, 8;
      ipv6 {
        import keep filtered on;
        import all;
        export none;
      };
    }
    "#);
}

/// What peers tell and ask of each other, as far as this daemon can.
fn told() -> Desired {
    spoken(&["target:64500:1", "origin:192.0.2.1:2", "target:4200000000:3"])
}

#[test]
fn roles_hops_forwarding_detection_and_extended_communities_are_rendered() {
    insta::assert_snapshot!(body(&told()), @r###"
    log syslog all;
    router id 192.0.2.1;
    timeformat base iso long ms;
    timeformat protocol iso long ms;

    protocol device { }
    protocol bfd { }

    protocol bgp peer_s1 {
      local as 64500;
      neighbor 192.0.2.2 as 64501;
      direct;
      ttl security on;
      local role customer;
      bfd { min rx interval 250 ms; min tx interval 200 ms; multiplier 4; };
      ipv4 {
        import keep filtered on;
        import filter {
          if bgp_path ~ [ 0, 64496..65551 ] then reject;
          if (bgp_path.first ~ [ 64501 ]) && (bgp_path ~ [ 0, 64496..65551 ]) && (bgp_ext_community ~ [ (rt, 64500, 1), (generic, 0x0103c000, 0x2010002), (rt, 4200000000, 3) ]) then { bgp_ext_community.add((rt, 64500, 1)); bgp_ext_community.add((generic, 0x0103c000, 0x2010002)); bgp_ext_community.add((rt, 4200000000, 3)); accept; }
          reject;
        };
        export none;
      };
    }

    protocol bgp peer_s2 {
      local 2001:db8::1 as 64500;
      neighbor 2001:db8::2 as 64501;
      multihop 3;
      ttl security on;
      local role rs_server;
      bfd { min rx interval 300 ms; min tx interval 300 ms; multiplier 3; };
      ipv6 {
        import keep filtered on;
        import none;
        export none;
      };
    }
    "###);
    let Some(opinion) = checked(&render(&told()).unwrap()) else { return };
    assert_eq!(opinion, "");
}

#[test]
fn every_role_has_a_word() {
    for (role, word) in [
        (Role::Provider, "provider"),
        (Role::RouteServer, "rs_server"),
        (Role::RouteServerClient, "rs_client"),
        (Role::Customer, "customer"),
        (Role::Peer, "peer"),
    ] {
        let mut said = session("s1", "192.0.2.2");
        said.role = Some(role);
        assert!(body(&router(vec![said.clone()])).contains(&format!("  local role {word};\n")), "{word}");
        said.strict_role = true;
        let text = body(&router(vec![said]));
        assert!(text.contains(&format!("  local role {word};\n  require roles on;\n")), "{text}");
    }
}

#[test]
fn the_peers_of_a_rendered_text_are_found_in_it_again() {
    let (want, text) = (rich(), render(&rich()).unwrap());
    let found = crate::render::peers(&text);
    let wanted = want.sessions.iter().map(|s| (format!("peer_{}", s.key), (s.peer_address, s.peer_asn)));
    assert_eq!(found.len(), 2);
    for (name, peer) in wanted {
        assert_eq!(found.get(name.as_str()), Some(&peer));
    }
}

#[test]
fn bird_accepts_everything_that_is_rendered() {
    let Some(opinion) = checked(&render(&rich()).unwrap()) else { return };
    assert_eq!(opinion, "");
}

#[test]
fn the_same_wish_gives_the_same_text_and_another_wish_another_mark() {
    let (first, mut want) = (render(&rich()).unwrap(), rich());
    assert_eq!(first, render(&want).unwrap());
    want.sessions[0].max_prefixes = Some(11);
    assert_ne!(crate::mark::of(&first), crate::mark::of(&render(&want).unwrap()));
}

#[test]
fn a_term_whose_prefixes_are_all_of_the_other_family_matches_nothing() {
    let mut four = session("s1", "192.0.2.2");
    let six = PrefixRange::exact("2001:db8::/32".parse().unwrap());
    four.import = accepting(vec![Term { prefixes: vec![six], then: Verdict::Accept, ..Term::default() }]);
    four.export =
        accepting(vec![Term { as_path: vec![AsPath::First(vec![])], then: Verdict::Accept, ..Term::default() }]);
    let text = body(&router(vec![four]));
    assert!(text.contains("import none;") && text.contains("export none;"), "{text}");
}

#[test]
fn no_text_of_a_user_breaks_out_of_its_place() {
    let escape = "x\"; }\nprotocol static evil { ipv4; route 0.0.0.0/0 blackhole; }\n#";
    let mut described = session("s1", "192.0.2.2");
    described.description = escape.to_owned();
    let mut keyed = session("s1", "192.0.2.2");
    keyed.password = Some(WireSecret::new("a\" ; disabled off; #"));
    let wishes = [
        router(vec![described]),
        router(vec![keyed]),
        Desired { name: "edge\nrouter id 1.1.1.1;".to_owned(), ..router(vec![]) },
        Desired { log_file: Some("/tmp/x\" all; #".to_owned()), ..router(vec![]) },
    ];
    for want in wishes {
        let refusal = render(&want).unwrap_err();
        assert_eq!(refusal.metric_label(), "refused");
        assert!(!refusal.to_string().contains("disabled off"), "a password is shown: {refusal}");
    }
}

#[test]
fn a_text_full_of_syntax_stays_a_text() {
    let mut want = router(vec![session("s1", "192.0.2.2")]);
    want.sessions[0].description = r"x'; } /* # // \ ${a} `b` include define".to_owned();
    let text = render(&want).unwrap();
    assert!(text.contains(r"  description "), "{text}");
    let Some(opinion) = checked(&text) else { return };
    assert_eq!(opinion, "");
}

#[test]
fn what_bird_would_mix_up_is_refused_before_it_is_asked() {
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
    refuse(|s| s.peer_address = "fe80::1".parse().unwrap(), "unsupported");
    refuse(|s| (s.role, s.peer_asn) = (Some(Role::Peer), s.local_asn), "refused");
    refuse(|s| (s.ttl, s.bfd) = (2, Some(Bfd { tx_ms: 300, rx_ms: 300, multiplier: 3 })), "refused");
    for twice in [["s1", "s1"], ["s1", "s2"]].map(|keys| keys.map(|key| session(key, "192.0.2.2"))) {
        assert_eq!(render(&router(twice.to_vec())).unwrap_err().metric_label(), "refused");
    }
}

#[test]
fn an_operators_own_text_replaces_the_generated_one_below_the_mark() {
    let mut want = rich();
    want.custom_text = Some(WireSecret::new("router id 192.0.2.9;\nprotocol device { }\n\n"));
    insta::assert_snapshot!(render(&want).unwrap(), @r#"
    # Written by Meetme for the router edge1.
    # Edits by hand are seen and undone.
    define meetme_229ee599ae7efbb884bd3e35e3949b5a = 1;

    router id 192.0.2.9;
    protocol device { }
    "#);
}
