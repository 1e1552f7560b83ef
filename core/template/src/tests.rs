//! Templates over a small place: one router, two exchanges, a group, three peers.

mod fences;
mod filters;
mod lookups;
mod place;

use place::{Place, text};

#[test]
fn fields_lead_from_one_object_to_the_next() {
    let place = Place::new();
    assert_eq!(text(&place, "{{ router.hostname }} {{ local_as.asn }}"), "edge1.example.net 64500");
    let walk = "{% for s in router | ixp_sessions %}{{ s.autonomous_system.asn }}@{{ s.ixp_connection.router.name }} {% endfor %}";
    assert_eq!(text(&place, walk), "64501@edge1 64501@edge1 64502@edge1 ");
    assert_eq!(
        text(&place, "{{ router }}, {{ local_as }}, {{ (router | ixp_sessions)[0].ip_address.version }}"),
        "edge1, AS64500 - Us, 4"
    );
    assert_eq!(text(&place, "[{{ router.nothing }}]"), "[]");
}

#[test]
fn lists_answer_to_the_methods_templates_use() {
    let place = Place::new();
    assert_eq!(
        text(&place, "{{ communities.all().count() }} {{ communities.first().slug }} {{ communities | length }}"),
        "3 blue 3"
    );
    assert_eq!(text(&place, "{{ router.get_ixp_peering_sessions().filter(is_route_server=True).exists() }}"), "True");
    assert_eq!(
        text(&place, "{{ autonomous_systems.order_by('-asn').values_list('asn', flat=True) | join(' ') }}"),
        "64503 64502 64501"
    );
    assert_eq!(text(&place, "{{ local_as.name.lower() }}"), "us");
}

#[test]
fn objects_are_the_same_when_they_are_the_same_row() {
    let place = Place::new();
    let text = text(
        &place,
        "{% set s = (router | ixp_sessions) | first %}{{ s.autonomous_system == autonomous_systems[0] }} \
         {{ s.autonomous_system == local_as }} {{ autonomous_systems[0] in autonomous_systems }}",
    );
    assert_eq!(text, "True False True");
}

#[test]
fn now_says_the_moment_it_was_given() {
    let place = Place::new();
    assert_eq!(text(&place, "{{ now() }}"), "2026-11-22T09:30:00Z");
    assert_eq!(text(&place, "{{ now(format='%Y-%m-%d %H:%M', timezone='Europe/Paris') }}"), "2026-11-22 10:30");
}

#[test]
fn templates_include_templates_by_name_and_by_id() {
    let place = Place::new();
    assert_eq!(
        text(&place, "{% include_configuration 'Head' %}/{% include_configuration 7 %}"),
        "head of edge1/head of edge1"
    );
    assert_eq!(text(&place, "{% include_exporttemplate \"List\" %}"), "{{ not a template }}");
}

#[test]
fn blanks_around_blocks_are_kept_unless_told_otherwise() {
    use crate::Flags;
    let place = Place::new();
    let template = "  {% if true %}\nx\n  {% endif %}\n";
    assert_eq!(place.render_with(template, Flags::default()).unwrap(), "  \nx\n  ");
    assert_eq!(place.render_with(template, Flags { trim: true, lstrip: true }).unwrap(), "x\n");
}
