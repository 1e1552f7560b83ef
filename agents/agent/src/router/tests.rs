use super::*;

fn session(text: &str) -> Result<BgpSession, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn a_session_that_says_no_policy_exchanges_nothing() {
    let session =
        session(r#"{"key":"s1","enabled":true,"local_asn":64500,"peer_address":"192.0.2.2","peer_asn":64501,"ttl":1}"#)
            .unwrap();
    assert_eq!((session.import, session.export), (Policy::reject_all(), Policy::reject_all()));
}

#[test]
fn a_wish_travels_as_json_and_shows_no_secret_to_a_log() {
    let mut session = BgpSession::new("s1".parse().unwrap(), Asn::MIN, "2001:db8::2".parse().unwrap(), Asn::MAX);
    session.password = Some(WireSecret::new("hunter2"));
    session.import.terms.push(Term {
        prefixes: vec![PrefixRange::new("192.0.2.1/24".parse().unwrap(), 24, 28).unwrap()],
        as_path: vec![AsPath::Origin(vec![Asn::MAX]), AsPath::LongerThan(30)],
        communities: vec!["64500:1:2".parse().unwrap()],
        then: Verdict::Accept,
        ..Term::default()
    });
    let mut want = Desired::new("edge1", Ipv4Addr::new(192, 0, 2, 1), Asn::MIN);
    want.sessions.push(session);
    let text = serde_json::to_string(&want).unwrap();
    assert_eq!(serde_json::from_str::<Desired>(&text).unwrap(), want);
    assert!(text.contains("hunter2") && !format!("{want:?}").contains("hunter2"));
}

#[test]
fn a_key_that_could_break_out_of_a_configuration_is_not_a_key() {
    for bad in ["", "S1", "s 1", "s1;", "s1}", "é", "a\nb", &"a".repeat(41)] {
        assert!(bad.parse::<SessionKey>().is_err(), "{bad:?}");
    }
    assert_eq!("s_1".parse::<SessionKey>().unwrap().as_str(), "s_1");
}

#[test]
fn a_prefix_range_has_lengths_its_network_can_have() {
    let network: IpNet = "192.0.2.0/24".parse().unwrap();
    assert!(PrefixRange::new(network, 24, 32).is_ok());
    for (shortest, longest) in [(23, 32), (25, 24), (24, 33)] {
        assert!(PrefixRange::new(network, shortest, longest).is_err(), "{shortest} {longest}");
    }
}

#[test]
fn what_an_older_agent_does_not_know_is_told_only_where_it_is_meant() {
    let mut session = BgpSession::new("s1".parse().unwrap(), Asn::MIN, "192.0.2.2".parse().unwrap(), Asn::MAX);
    let plain = serde_json::to_string(&session).unwrap();
    assert!(!["gtsm", "role", "strict", "bfd"].iter().any(|word| plain.contains(word)), "{plain}");
    (session.gtsm, session.role, session.strict_role) = (true, Some(Role::RouteServerClient), true);
    session.bfd = Some(Bfd { tx_ms: 300, rx_ms: 200, multiplier: 3 });
    let text = serde_json::to_string(&session).unwrap();
    assert!(text.contains(
        r#""gtsm":true,"role":"route-server-client","strict_role":true,"bfd":{"tx_ms":300,"rx_ms":200,"multiplier":3}"#
    ));
    assert_eq!(serde_json::from_str::<BgpSession>(&text).unwrap(), session);
}
