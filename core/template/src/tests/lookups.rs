//! Lookups in `filter` and `get`.

use super::place::{Place, failure, text};

/// How many sessions across exchanges a filter leaves: those of 192.0.2.11, 2001:db8::11 (disabled, a route server's) and
/// 198.51.100.12.
#[track_caller]
fn left(lookup: &str, wanted: &str) {
    let template = format!("{{{{ router | ixp_sessions | filter({lookup}) | iterate('id') | join(' ') }}}}");
    assert_eq!(text(&Place::new(), &template), wanted, "{lookup}");
}

#[test]
fn lookups_compare_and_lead_on() {
    for (lookup, wanted) in [
        ("status='enabled'", "11 13"),
        ("status='enabled', ip_address__family=6", ""),
        ("ip_address__family=6", "12"),
        ("ip_address='192.0.2.11'", "11"),
        ("autonomous_system__asn__in=[64501, 64999]", "11 12"),
        ("autonomous_system=autonomous_systems[1]", "13"),
        ("autonomous_system__in=autonomous_systems", "11 12 13"),
        ("autonomous_system_id=autonomous_systems[1].id", "13"),
        ("autonomous_system__asn='64502'", "13"),
        ("autonomous_system__asn__gt=64501", "13"),
        ("autonomous_system__asn__gte=64502", "13"),
        ("autonomous_system__asn__lt=64502", "11 12"),
        ("autonomous_system__asn__lte=64500", ""),
        ("autonomous_system__asn__range=[64502, 64510]", "13"),
        ("autonomous_system__name__iexact='ONE'", "11 12"),
        ("autonomous_system__name__contains='n'", "11 12"),
        ("autonomous_system__name__icontains='TW'", "13"),
        ("autonomous_system__name__startswith='T'", "13"),
        ("autonomous_system__name__istartswith='o'", "11 12"),
        ("autonomous_system__name__endswith='e'", "11 12"),
        ("autonomous_system__name__iendswith='E'", "11 12"),
        ("autonomous_system__name__regex='^(One|Three)$'", "11 12"),
        ("autonomous_system__name__iregex='^one'", "11 12"),
        ("autonomous_system__tags__slug='core'", "11 12 13"),
        ("autonomous_system__tags__isnull=True", ""),
        ("bfd__isnull=True", "11 12 13"),
        ("bfd__name='fast'", ""),
        ("ixp_connection__internet_exchange_point__slug='beta'", "13"),
        ("ixp_connection__router=router", "11 12 13"),
        ("ip_address__net_contained='192.0.2.0/24'", "11"),
        ("ip_address__net_contained_or_equal='2001:db8::11'", "12"),
        ("is_route_server=True", "12"),
    ] {
        left(lookup, wanted);
    }
}

#[test]
fn get_gives_the_one_or_all() {
    let place = Place::new();
    assert_eq!(text(&place, "{{ (autonomous_systems | get(asn=64502)).name }}"), "Twó");
    assert_eq!(text(&place, "{{ autonomous_systems | get(asn__gt=64501) | length }}"), "2");
}

#[test]
fn lists_of_the_templates_own_making_are_filtered_too() {
    let place = Place::new();
    let list = "[{'a': 1}, {'a': 2, 'b': 'x'}, {}]";
    assert_eq!(text(&place, &format!("{{{{ {list} | filter(a__gte=1) | length }}}}")), "2");
    assert_eq!(text(&place, &format!("{{{{ {list} | filter(b='x') | length }}}}")), "1");
    assert_eq!(text(&place, "{{ [{'a': 1}, {'a': 1}, {'a': 2}] | unique_items('a') | length }}"), "2");
    assert_eq!(
        text(&place, "{{ router | ixp_sessions | unique_items('autonomous_system') | iterate('id') | join(' ') }}"),
        "11 13"
    );
}

#[test]
fn a_lookup_that_means_nothing_is_an_error_with_its_line() {
    let place = Place::new();
    for (lookup, why) in [
        ("nosuch=1", "cannot resolve keyword 'nosuch' into a field of InternetExchangePeeringSession"),
        ("autonomous_system__nosuch__in=[1]", "cannot resolve keyword 'nosuch' into a field of AutonomousSystem"),
        ("status__regex='('", "is not a regular expression"),
        ("status__in='enabled'", "wants a list"),
        ("ip_address__net_contained='x'", "wants a network"),
        ("status__regex='(a{999}){999}'", "is not a regular expression that can be used"),
    ] {
        let said = failure(&place, &format!("\n\n{{{{ router | ixp_sessions | filter({lookup}) }}}}"));
        assert!(said.starts_with("line 3: ") && said.to_lowercase().contains(&why.to_lowercase()), "{lookup}: {said}");
    }
}
