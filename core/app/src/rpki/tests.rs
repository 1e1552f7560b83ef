//! The table against a naive one.

use proptest::prelude::*;

use super::*;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn asn(n: u32) -> Asn {
    Asn::try_from(i64::from(n)).unwrap()
}

fn table(list: &[Vrp]) -> Table {
    let mut builder = Builder::default();
    assert!(list.iter().all(|vrp| builder.push(*vrp)));
    builder.table()
}

/// RFC 6811 section 2, word for word.
fn naive(list: &[Vrp], route: IpNet, origin: Option<u32>) -> Validity {
    let covering: Vec<&Vrp> = list.iter().filter(|vrp| vrp.prefix.contains(&route)).collect();
    let matches = |vrp: &&&Vrp| vrp.asn != 0 && route.prefix_len() <= vrp.longest && Some(vrp.asn) == origin;
    if covering.is_empty() {
        Validity::NotFound
    } else if covering.iter().find(matches).is_some() {
        Validity::Valid
    } else {
        Validity::Invalid
    }
}

/// Networks of a small corner, so that they meet.
fn corner() -> impl Strategy<Value = IpNet> {
    (any::<bool>(), 0u8..=6, 0u32..64).prop_map(|(v4, len, bits)| {
        if v4 {
            let address = 0xC000_0200 | (bits << 2);
            IpNet::new(std::net::Ipv4Addr::from(address).into(), 24 + len).unwrap().trunc()
        } else {
            let address = (0x2001_0db8u128 << 96) | (u128::from(bits) << 90);
            IpNet::new(std::net::Ipv6Addr::from(address).into(), 32 + len).unwrap().trunc()
        }
    })
}

fn vrps() -> impl Strategy<Value = Vec<Vrp>> {
    let one = (corner(), 0u8..=3, 0u32..4).prop_map(|(prefix, more, asn)| Vrp {
        prefix,
        longest: (prefix.prefix_len() + more).min(prefix.max_prefix_len()),
        asn,
    });
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn it_judges_as_the_rfc_says(list in vrps(), route in corner(), origin in prop::option::of(1u32..4)) {
        let judged = table(&list).validity(route, origin.map(asn));
        prop_assert_eq!(judged, naive(&list, route, origin));
    }

    #[test]
    fn a_range_is_taken_apart_without_a_remainder(
        list in vrps(), network in corner(), more in (0u8..=3, 0u8..=3), route in corner(), origin in 1u32..4,
    ) {
        let most = network.max_prefix_len();
        let shortest = (network.prefix_len() + more.0).min(most);
        let range = NetRange::new(network, shortest, (shortest + more.1).min(most)).unwrap();
        let split = table(&list).split(range);
        let judged = naive(&list, route, Some(origin));
        let open = split.open.iter().filter(|open| open.holds(route)).count();
        let valid = split.valid.iter().any(|(number, valid)| number.get() == origin && valid.holds(route));
        prop_assert!(open <= 1, "what is open does not overlap");
        prop_assert_eq!(open == 1, range.holds(route) && judged == Validity::NotFound);
        prop_assert_eq!(valid, range.holds(route) && judged == Validity::Valid);
    }

    #[test]
    fn what_is_stored_is_read_back(list in vrps()) {
        let table = table(&list);
        let parts = table.parts();
        prop_assert_eq!(Table::of_parts(parts.iter().map(Vec::as_slice)), Some(table));
    }
}

#[test]
fn a_payload_for_nobody_makes_everything_below_it_invalid() {
    let of = |prefix: &str, longest, asn| Vrp { prefix: net(prefix), longest, asn };
    let table = table(&[of("192.0.2.0/24", 24, 0), of("198.51.100.0/22", 24, 64500), of("::/0", 0, 64500)]);
    assert_eq!(table.validity(net("192.0.2.0/25"), Some(asn(64500))), Validity::Invalid);
    assert_eq!(table.validity(net("198.51.100.0/24"), Some(asn(64500))), Validity::Valid);
    assert_eq!(table.validity(net("198.51.100.0/25"), Some(asn(64500))), Validity::Invalid, "longer than the longest");
    assert_eq!(table.validity(net("198.51.100.0/24"), None), Validity::Invalid, "a set has no origin (RFC 6811)");
    assert_eq!(table.validity(net("203.0.113.0/24"), Some(asn(64500))), Validity::NotFound);
    assert_eq!(table.validity(net("::/0"), Some(asn(64500))), Validity::Valid);
    assert_eq!(table.validity_of_any(net("198.51.100.0/24"), &[asn(1), asn(64500)]), Validity::Valid);
    assert_eq!(table.validity_of_any(net("198.51.100.0/24"), &[asn(1)]), Validity::Invalid);
}

#[test]
fn lengths_that_contradict_each_other_and_damaged_parts_are_refused() {
    let mut builder = Builder::default();
    assert!(!builder.push(Vrp { prefix: net("192.0.2.0/24"), longest: 23, asn: 1 }));
    assert!(!builder.push(Vrp { prefix: net("192.0.2.0/24"), longest: 33, asn: 1 }));
    assert_eq!(builder.table().counts(), (0, 0));
    for bad in [&[5u8][..], &[4, 1, 2], &[4, 192, 0, 2, 0, 24, 23, 0, 0, 0, 1], &[]] {
        assert_eq!(Table::of_parts([bad]), None);
    }
}

#[test]
fn half_a_million_payloads_take_a_few_megabytes() {
    assert_eq!(size_of::<Entry<u32>>(), 12);
    assert_eq!(size_of::<Entry<u128>>(), 32);
    let mut builder = Builder::default();
    for n in 0..450_000u32 {
        let prefix = IpNet::new(std::net::Ipv4Addr::from(n << 8).into(), 24).unwrap();
        assert!(builder.push(Vrp { prefix, longest: 24, asn: n % 65_000 + 1 }));
    }
    for n in 0..150_000u128 {
        let prefix = IpNet::new(std::net::Ipv6Addr::from((0x2000u128 << 112) | (n << 80)).into(), 48).unwrap();
        assert!(builder.push(Vrp { prefix, longest: 48, asn: 1 }));
    }
    let table = builder.table();
    assert_eq!(table.counts(), (450_000, 150_000));
    // 450,000 of 12 bytes and 150,000 of 32.
    assert_eq!(table.v4.entries.capacity() * 12 + table.v6.entries.capacity() * 32, 10_200_000);
    let stored: usize = table.parts().iter().map(Vec::len).sum();
    assert!(stored < 8_000_000, "{stored}");
}
