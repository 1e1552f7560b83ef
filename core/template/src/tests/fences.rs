//! What a template cannot do.

use std::time::Duration;

use super::place::{Place, failure};
use crate::{Flags, Limits, check};

const SMALL: Limits = Limits { fuel: 60_000, bytes: 100_000, time: Duration::from_secs(30) };

#[track_caller]
fn ends(template: &str, why: &str) {
    let said = Place::new().rendered(template, Flags::default(), SMALL).unwrap_err().to_string();
    assert!(said.contains(why), "{template}: {said}");
}

#[test]
fn a_template_that_goes_on_and_on_is_ended() {
    let steps = "more steps or memory";
    ends("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", steps);
    ends("{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", "");
    ends("{% include_configuration 'Self' %}", "");
    // Memory: a text that doubles, one that is asked for at once, lists and filters of ours.
    ends(&format!("{{% set x = 'aaaaaaaa' %}}{}", "{% set x = x ~ x %}".repeat(40)), steps);
    ends("{{ 'a' * 999999999 }}", "");
    ends("{{ 'a' | indent(9999999999) }}", steps);
    ends("{% for a in range(9999) %}{{ router | ixp_sessions | filter(status='x') | length }}{% endfor %}", steps);
    ends("{% for a in range(9999) %}{{ router | as_json }}{% endfor %}", steps);
}

#[test]
fn a_text_that_is_too_long_is_ended() {
    ends("{% set x = 'a' * 1000 %}{% for a in range(200) %}{{ x }}{% endfor %}", "longer than 100000 bytes");
}

#[test]
fn a_template_that_takes_too_long_is_ended() {
    let limits = Limits { time: Duration::ZERO, ..Limits::default() };
    let said = Place::new().rendered("{{ 'a' * 10000 }}", Flags::default(), limits).unwrap_err().to_string();
    assert_eq!(said, "The template takes longer than 0 s.");
}

#[test]
fn there_are_no_files_and_no_way_into_the_engine() {
    for template in [
        "{% include '/etc/passwd' %}",
        "{% include_configuration '../../etc/passwd' %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{{ debug() }}",
        "{{ include_exporttemplate('x') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ router.__init__.__globals__ }}",
    ] {
        let outcome = Place::new().render_with(template, Flags::default());
        assert!(outcome.is_err() || outcome == Ok(String::new()), "{template}: {outcome:?}");
    }
}

#[test]
fn a_failure_names_its_line_and_the_template_it_is_in() {
    let place = Place::new();
    assert_eq!(failure(&place, "a\n{{ router | nosuch }}"), "line 2: Filter nosuch is unknown.");
    assert!(failure(&place, "a\n\n{% if %}").starts_with("line 3: Syntax error: "));
    assert_eq!(
        failure(&place, "a\n{% include_configuration 'Bad' %}"),
        "line 3 of the included template Bad: Filter nosuch is unknown."
    );
    assert!(failure(&place, "{{ router.nothing.more }}").starts_with("line 1: "));
    assert!(failure(&place, "\n{% include_configuration 'None' %}").contains("line 2: "));
    assert_eq!(check("{{ a | ip }}", Flags::default()), Ok(()));
    assert_eq!(check("x\n{% for %}", Flags::default()).unwrap_err().line, Some(2));
}
