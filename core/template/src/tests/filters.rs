//! Every filter, as templates use it.

use super::place::{Place, failure, text};

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let place = Place::new();
    for (template, wanted) in cases {
        assert_eq!(text(&place, template), *wanted, "{template}");
    }
}

/// The first session across an exchange, the direct one, an AS.
const SETS: &str = "{% set s = (router | ixp_sessions) | first %}{% set d = (router | direct_sessions) | first %}{% set a = autonomous_systems[0] %}";

#[track_caller]
fn with(cases: &[(&str, &str)]) {
    let cases: Vec<(String, &str)> = cases.iter().map(|(t, w)| (format!("{SETS}{t}"), *w)).collect();
    check(&cases.iter().map(|(t, w)| (t.as_str(), *w)).collect::<Vec<_>>());
}

#[test]
fn texts() {
    check(&[
        ("{{ 'Größe \"x\"\n' | safe_string }}", "Groe \"x\""),
        ("{{ autonomous_systems[1].name | safe_string }}", "Two"),
        ("{{ 'a' | quote }}{{ 'a' | quote('--') }}{{ '' | quote }}", "\"a\"--a--"),
        ("{{ 'a\nb\n' | indent(2) }}", "  a\n  b\n"),
        ("{{ '  a\n b' | indent(1, '.') }}", ".  a\n. b"),
        ("{{ '  a\n b' | indent(n=3, reset=True) }}", "   a\n   b"),
        ("{{ [1, 2] | len }}{{ 'abc' | count }}{{ {'a': 1} | length }}", "231"),
        ("{{ '7 0822' | cisco_password }} {{ '7 0822' | arista_password }} {{ 'x' | cisco_password }}", "0822 0822 x"),
    ]);
}

#[test]
fn addresses() {
    with(&[
        (
            "{{ s | ip }} {{ d | ip }} {{ d.ip_address }} {{ d.local_ip_address | ip }}",
            "192.0.2.11 203.0.113.2 203.0.113.2/30 203.0.113.1",
        ),
        ("{{ s | ip_version }} {{ ((router | ixp_sessions)[1]) | ip_version }}", "4 6"),
        (
            "{{ s.ip_address | ipv4 }} {{ s.ip_address | ipv6 }} {{ '2001:db8::1/64' | ipv6 }}",
            "192.0.2.11 None 2001:db8::1/64",
        ),
        ("{{ router | ixp_sessions | ip | join(' ') }}", "192.0.2.11 2001:db8::11 198.51.100.12"),
        (
            "{{ d.ip_address.network }} {{ d.ip_address.ip }} {{ d.local_ip_address.netmask }}",
            "203.0.113.0/30 203.0.113.2 255.255.255.252",
        ),
        ("{{ s | local_ips }} {{ d | local_ips }}", "192.0.2.1/24 203.0.113.1/30"),
        ("{{ internet_exchange_points[0] | local_ips(6) | join(' ') }}", "2001:db8::1/64"),
        ("{{ bgp_groups[0] | local_ips(4) | join(' ') }}", "203.0.113.1/30"),
        ("{{ s | max_prefix }} {{ ((router | ixp_sessions)[1]) | max_prefix }}", "10 20"),
        (
            "{{ s.ixp_connection | mac }} {{ s.ixp_connection | mac('cisco') }} {{ '001b.7749.54fd' | mac(format='bare') }}",
            "00:1b:77:49:54:fd 001b.7749.54fd 001b774954fd",
        ),
    ]);
}

#[test]
fn sessions_and_peers() {
    with(&[
        (
            "{{ internet_exchange_points[0] | sessions | length }} {{ internet_exchange_points[0] | sessions(6) | length }}",
            "2 1",
        ),
        (
            "{{ internet_exchange_points[0] | route_server(6) | length }} {{ internet_exchange_points[0] | route_server(4) | length }}",
            "1 0",
        ),
        ("{{ router | ixp_sessions(ixp=internet_exchange_points[1]) | ip | join }}", "198.51.100.12"),
        (
            "{{ a | ixp_sessions(family=6) | ip | join }} {{ a | ixp_sessions(ixp=internet_exchange_points[1]) | length }}",
            "2001:db8::11 0",
        ),
        ("{{ router | direct_sessions(group=bgp_groups[0]) | length }} {{ bgp_groups[0] | sessions | length }}", "1 1"),
        (
            "{{ router | direct_peers | iterate('asn') | join }} {{ router | direct_peers('transit') | length }} {{ router | direct_peers('x') | length }}",
            "64503 1 0",
        ),
        (
            "{{ router | ixp_peers | iterate('asn') | join(' ') }}; {{ router | ixp_peers('beta') | iterate('asn') | join }}",
            "64501 64502; 64502",
        ),
        (
            "{{ router | connections | length }} {{ internet_exchange_points[0] | connections | iterate('interface') | join }}",
            "2 xe0",
        ),
        ("{{ router | bfds | iterate('name') | join }}", "fast"),
        ("{{ router.get_ixp_peering_sessions(internet_exchange_points[0]).count() }}", "2"),
    ]);
    assert_eq!(
        failure(&Place::new(), "{{ router | sessions }}"),
        "line 1: Router edge1 has no sessions of one sort, try `direct_sessions` or `ixp_sessions`."
    );
}

#[test]
fn policies_and_communities_are_merged_nearest_first() {
    with(&[
        // Its own, then the AS's, then the exchange's: the heavier first, once each, IPv6 ones left out.
        ("{{ s | merge_import_policies | iterate('slug') | join(' ') }}", "group four any"),
        ("{{ s | merge_import_policies('reverse') | iterate('slug') | join(' ') }}", "any four group"),
        ("{{ ((router | ixp_sessions)[1]) | merge_import_policies | iterate('slug') | join(' ') }}", "six any"),
        ("{{ d | merge_export_policies | iterate('slug') | join(' ') }}", "group"),
        ("{{ internet_exchange_points[0] | merge_import_policies | iterate('slug') | join(' ') }}", "four any"),
        (
            "{{ s | iter_import_policies('slug') | join(' ') }} {{ s | iter_import_policies(field='slug', family=4) | join(' ') }}",
            "six group group",
        ),
        ("{{ router | routing_policies('slug') | join(' ') }}", "any four group six"),
        ("{{ router | routing_policies(field='slug', family=6) | join(' ') }}", "any group six"),
        ("{{ s | merge_communities | iterate('slug') | join(' ') }}", "green red blue"),
        ("{{ d | merge_communities | iterate('value') | join(' ') }}", "64500:2 64500:1"),
        ("{{ a | communities('value') | join }} {{ a | merge_communities | length }}", "64500:2 1"),
        ("{{ s | merge_communities | filter(type='ingress') | iterate('slug') | join(' ') }}", "red blue"),
    ]);
}

#[test]
fn a_status_is_inherited() {
    with(&[
        ("{{ s | inherited_status }} {{ s.ixp_connection | inherited_status }}", "enabled enabled"),
        ("{{ ((router | ixp_sessions)[2]) | inherited_status }}", "disabled"),
        ("{{ d | inherited_status }} {{ router | inherited_status }}", "maintenance enabled"),
    ]);
}

#[test]
fn autonomous_systems() {
    with(&[
        ("{{ a | ixps(local_as) | iterate('name') | join }}", "Alpha"),
        (
            "{{ a | shared_ixps(local_as) | iterate('name') | join(' ') }} {{ autonomous_systems[1] | shared_ixps(local_as) | length }}",
            "Alpha Beta 0",
        ),
        ("{{ a | missing_sessions(local_as) | iterate('ipaddr4') | join }}", "198.51.100.99"),
        ("{{ a | missing_sessions(local_as, internet_exchange_points[0]) | length }}", "0"),
        ("{{ a | shared_facilities(local_as) | join }}", "West"),
        (
            "{{ (a | prefix_list)['ipv4'][0].prefix }} {{ a | prefix_list(6) | length }} {{ (a | prefix_list(family=4))[0]['exact'] }}",
            "192.0.2.0/24 0 True",
        ),
        ("{{ a | as_list | join(' ') }} {{ local_as | as_list | length }}", "64501 64511 0"),
        (
            "{{ a | strip_irr_sources | join(' ') }} {{ 'RIPE::AS-TEST' | strip_irr_sources | join }}",
            "AS-ONE AS64501:AS-TWO AS-TEST",
        ),
        (
            "{{ autonomous_systems[2] | relationships | iterate('slug') | join }} {{ autonomous_systems[2] | relationships(a) | length }}",
            "transit-provider 0",
        ),
        (
            "{{ s | contact('technical', field='email') }} {{ a | contact('Technical') }} {{ local_as | contact('x') }}",
            "noc@example.net NOC None",
        ),
    ]);
}

#[test]
fn tags_and_context() {
    with(&[
        (
            "{{ a | has_tag('core') }} {{ a | has_tag('Core') }} {{ s | has_tag('core') }} {{ s | has_not_tag('core') }}",
            "True True False True",
        ),
        ("{{ a | tags | join }} {{ a.tags.all()[0].slug }}", "Core core"),
        (
            "{{ internet_exchange_points[0] | context_has_key('mtu') }} {{ internet_exchange_points[0] | context_has_key('mtu', recursive=False) }}",
            "True False",
        ),
        (
            "{{ internet_exchange_points[0] | context_get_key('mtu') }} {{ internet_exchange_points[0] | context_get_key('x', default='d') }}",
            "9000 d",
        ),
        (
            "{{ internet_exchange_points[0] | context_has_not_key('x') }} {{ internet_exchange_points[0].config_context.region }}",
            "True eu",
        ),
    ]);
}

#[test]
fn objects_are_written_out_with_what_they_refer_to_as_numbers() {
    let place = Place::new();
    insta::assert_snapshot!(text(&place, "{{ internet_exchange_points[0] | connections | as_yaml }}"), @r#"
    - interface: xe0
      internet_exchange_point: 1
      ipv4_address: "192.0.2.1/24"
      tags:
      - Core
    "#);
    insta::assert_snapshot!(text(&place, "{{ (router | connections | first) | as_json(indent=1) }}"), @r#"
    {
     "interface": "xe0",
     "internet_exchange_point": 1,
     "ipv4_address": "192.0.2.1/24",
     "tags": [
      "Core"
     ]
    }
    "#);
}

#[test]
fn a_filter_given_too_much_or_the_wrong_thing_says_so() {
    let place = Place::new();
    for (template, why) in [
        ("{{ router | max_prefix }}", "line 1: The value is not a BGP session."),
        ("\n{{ router | ip_version(1) }}", "line 2: "),
        ("{{ 3 | iterate('x') }}", "line 1: The value is not a list."),
        ("{{ 'a' | indent }}", "line 1: Indent wants a number."),
        ("{{ 'a' | quote(nosuch=1) }}", "line 1: Unknown argument 'nosuch'."),
    ] {
        let said = failure(&place, template);
        assert!(said.starts_with(why), "{template}: {said}");
    }
}
