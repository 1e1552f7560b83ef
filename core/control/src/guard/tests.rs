//! Generated filters against what they are to mean.

use std::sync::Arc;

use meetme_app::{
    irr::Registered,
    routers::{Purpose, SessionId, Words},
    rpki::{Builder, Vrp},
};
use meetme_base::{Id, IpNet};
use meetme_model::Admin;
use proptest::prelude::*;

use super::*;

fn asn(n: u32) -> Asn {
    Asn::try_from(i64::from(n)).unwrap()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn session(asks: Asks, prefixes: Option<&[NetRange]>) -> SessionState {
    let registered = Registered { prefixes4: prefixes.map(<[_]>::to_vec), ..Registered::default() };
    SessionState {
        of: SessionId::Direct(Id::new(1)),
        key: "s1".into(),
        description: String::new(),
        admin: Admin::Enabled,
        local_asn: asn(64500),
        local_ip: None,
        peer_asn: asn(3333),
        peer_ip: "192.0.2.2".parse().unwrap(),
        password: None,
        ttl: 1,
        passive: false,
        route_server: false,
        max_prefixes: None,
        import: Vec::new(),
        export: Vec::new(),
        communities: Vec::new(),
        bfd: None,
        words: Ok(Words::default()),
        system: None,
        asks,
        registered: Some(Arc::new(registered)),
        purpose: Purpose::Peering,
    }
}

const IRR: Asks = Asks { irr: true, rpki: false, bogons: false, first_as: false };

fn ranges(list: &[&str]) -> Vec<NetRange> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn only_what_the_registries_name_passes_and_nothing_while_they_were_not_asked() {
    let list = ranges(&["193.0.0.0/21^21-24", "2001:678::/32"]);
    let filter = guarded(Policy::default(), true, &session(IRR, Some(&list)), None).unwrap();
    let pass = |route: &str| passes(&filter, net(route), asn(3333), asn(3333));
    assert!(pass("193.0.0.0/21") && pass("193.0.7.0/24"));
    assert!(!pass("193.0.0.0/25") && !pass("193.0.8.0/24") && !pass("0.0.0.0/0"));
    for known in [Some(&[][..]), None] {
        let filter = guarded(Policy::accept_all(), false, &session(IRR, known), None).unwrap();
        assert_eq!(filter, Policy::reject_all(), "what is not known does not open anything");
    }
    let silent = guarded(Policy::default(), false, &session(IRR, Some(&list)), None).unwrap();
    assert_eq!(silent, Policy::reject_all(), "a policy that says to reject the rest is taken at its word");
}

#[test]
fn a_policys_own_terms_hold_within_what_is_asked_for() {
    let list = ranges(&["193.0.0.0/21^21-24"]);
    let own = PrefixRange::new(net("193.0.4.0/22"), 22, 32).unwrap();
    let accept = Term { prefixes: vec![own], then: Verdict::Accept, ..Term::default() };
    let reject = Term { prefixes: vec![PrefixRange::exact(net("193.0.4.0/24"))], ..Term::default() };
    let policy = Policy { terms: vec![reject, accept], ..Policy::default() };
    let asks = Asks { first_as: true, ..IRR };
    let filter = guarded(policy, false, &session(asks, Some(&list)), None).unwrap();
    let pass = |route: &str, first| passes(&filter, net(route), asn(first), asn(1));
    assert!(pass("193.0.5.0/24", 3333) && pass("193.0.4.0/22", 3333));
    assert!(!pass("193.0.5.0/24", 3334), "another first number");
    assert!(!pass("193.0.4.0/24", 3333) && !pass("193.0.0.0/24", 3333) && !pass("193.0.5.0/25", 3333));
    let apart = Term { prefixes: vec![PrefixRange::exact(net("8.0.0.0/8"))], then: Verdict::Accept, ..Term::default() };
    let filter = guarded(Policy { terms: vec![apart], ..Policy::default() }, false, &session(IRR, Some(&list)), None);
    assert_eq!(filter.unwrap(), Policy::reject_all(), "a term outside of all that is named opens nothing");
}

#[test]
fn bogons_go_before_everything_else() {
    let asks = Asks { bogons: true, ..Asks::default() };
    let filter = guarded(Policy::accept_all(), false, &session(asks, None), None).unwrap();
    let pass = |route: &str| passes(&filter, net(route), asn(3333), asn(3333));
    for bogon in ["10.1.0.0/16", "0.0.0.0/0", "192.0.2.0/24", "193.0.0.0/25", "240.0.0.0/8", "127.0.0.1/32"] {
        assert!(!pass(bogon), "{bogon}");
    }
    assert!(pass("193.0.0.0/24") && pass("8.0.0.0/8"));
    let v6 = SessionState { peer_ip: "2001:db8::2".parse().unwrap(), ..session(asks, None) };
    let filter = guarded(Policy::accept_all(), false, &v6, None).unwrap();
    let pass = |route: &str| passes(&filter, net(route), asn(3333), asn(3333));
    for bogon in ["::/0", "fc00::/7", "2001:db8::/32", "2002::/16", "2a00::/49", "fe80::/10"] {
        assert!(!pass(bogon), "{bogon}");
    }
    assert!(pass("2a00::/32") && pass("2001:678::/48"));
}

#[test]
fn numbers_that_have_no_place_in_the_internet_are_in_no_path_but_as_the_peers_own() {
    let asks = Asks { bogons: true, ..Asks::default() };
    let filter = guarded(Policy::accept_all(), false, &session(asks, None), None).unwrap();
    let pass = |origin: u32| passes(&filter, net("193.0.0.0/24"), asn(3333), asn(origin));
    for bogon in [23_456, 64_496, 64_511, 64_512, 65_534, 65_535, 65_551, 65_552, 131_071, 4_200_000_000, u32::MAX] {
        assert!(!pass(bogon), "AS{bogon}");
    }
    for good in [1, 23_455, 23_457, 64_495, 131_072, 4_199_999_999] {
        assert!(pass(good), "AS{good}");
    }
    let private = SessionState { peer_asn: asn(64_512), ..session(asks, None) };
    let filter = guarded(Policy::accept_all(), false, &private, None).unwrap();
    let pass = |origin: u32| passes(&filter, net("193.0.0.0/24"), asn(64_512), asn(origin));
    assert!(pass(64_512) && pass(64_500) && !pass(64_513), "both of the session are known, others are not");
}

#[test]
fn a_route_server_puts_its_own_number_before_no_path() {
    let asks = Asks { first_as: true, ..Asks::default() };
    let server = SessionState { route_server: true, ..session(asks, None) };
    let filter = guarded(Policy::accept_all(), false, &server, None).unwrap();
    assert!(passes(&filter, net("193.0.0.0/24"), asn(1), asn(1)));
    let filter = guarded(Policy::accept_all(), false, &session(asks, None), None).unwrap();
    assert!(
        !passes(&filter, net("193.0.0.0/24"), asn(1), asn(1))
            && passes(&filter, net("193.0.0.0/24"), asn(3333), asn(1))
    );
}

#[test]
fn roas_alone_make_no_filter() {
    let asks = Asks { rpki: true, ..Asks::default() };
    assert!(guarded(Policy::accept_all(), false, &session(asks, None), None).unwrap_err().contains("without irr"));
}

#[test]
fn registered_prefixes_are_counted_by_what_roas_say_of_the_peers_numbers() {
    let mut roas = Builder::default();
    for (prefix, asn) in [("193.0.0.0/24", 3333), ("193.0.1.0/24", 1), ("193.0.2.0/24", 112)] {
        roas.push(Vrp { prefix: net(prefix), longest: 24, asn });
    }
    let list = ranges(&["193.0.0.0/24", "193.0.1.0/24", "193.0.2.0/24", "193.0.3.0/24"]);
    let mut of = session(Asks { rpki: true, ..IRR }, Some(&list));
    let known = Registered { numbers: Some(vec![asn(112)]), ..(**of.registered.as_ref().unwrap()).clone() };
    of.registered = Some(Arc::new(known));
    let roas = roas.table();
    assert_eq!(origins(&of, Some(&roas)), Some(Origins { valid: 2, invalid: 1, unknown: 1 }));
    assert_eq!(origins(&of, None), None);
}

proptest! {
    /// A route passes exactly if the registries name it and RFC 6811 does not call it invalid.
    #[test]
    fn registries_and_roas_together(
        list in prop::collection::vec((0u32..32, 0u8..=4, 0u8..=2, 0u8..=2), 0..6),
        roas in prop::collection::vec((0u32..32, 0u8..=5, 0u8..=2, 0u32..4), 0..8),
        route in (0u32..32, 0u8..=6),
        origin in 1u32..4,
    ) {
        let of = |bits: u32, len: u8| IpNet::new(std::net::Ipv4Addr::from(0xC100_0000 | (bits << 3)).into(), 24 + len).unwrap().trunc();
        let list: Vec<NetRange> = list
            .iter()
            .map(|(bits, len, more, further)| {
                let network = of(*bits, *len);
                let low = network.prefix_len() + more;
                NetRange::new(network, low, (low + further).min(32)).unwrap()
            })
            .collect();
        let mut builder = Builder::default();
        for (bits, len, more, asn) in roas {
            let prefix = of(bits, len);
            let vrp = Vrp { prefix, longest: (prefix.prefix_len() + more).min(32), asn };
            prop_assert!(builder.push(vrp));
        }
        let table = builder.table();
        let asks = Asks { rpki: true, ..IRR };
        let filter = guarded(Policy::default(), true, &session(asks, Some(&list)), Some(&table)).unwrap();
        let route = of(route.0, route.1);
        let wanted = list.iter().any(|range| range.holds(route))
            && table.validity(route, Some(asn(origin))) != Validity::Invalid;
        prop_assert_eq!(passes(&filter, route, asn(3333), asn(origin)), wanted);
    }
}
