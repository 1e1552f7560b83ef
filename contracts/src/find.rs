//! From a concrete path to the operation it asks for.

use crate::Operation;

/// The segments of a path, without its query, empty segments and a trailing slash.
fn segments(path: &str) -> Vec<&str> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Whether a template's segment stands for any text: `{x}` and `:x`.
fn is_variable(segment: &str) -> bool {
    segment.starts_with(':') || (segment.starts_with('{') && segment.ends_with('}'))
}

/// How exactly a template fits: for each segment from the left whether it is literal, so that the greatest fits best.
fn fit(template: &str, concrete: &[&str]) -> Option<Vec<bool>> {
    let template = segments(template);
    if template.len() != concrete.len() {
        return None;
    }
    let places = template.iter().zip(concrete);
    places
        .map(|(wanted, given)| if is_variable(wanted) { Some(false) } else { (wanted == given).then_some(true) })
        .collect()
}

pub(crate) fn find<'c>(
    operations: &'c [Operation],
    prefixes: &[String],
    method: &str,
    path: &str,
) -> Option<&'c Operation> {
    let mut concrete = segments(path);
    // The prefix may stand there more than once: a client may glue a link onto a base that already ends in it.
    for prefix in prefixes.iter().map(|prefix| segments(prefix)).filter(|prefix| !prefix.is_empty()) {
        while concrete.starts_with(&prefix) {
            concrete.drain(..prefix.len());
        }
    }
    let fitting = operations.iter().filter(|operation| operation.method.eq_ignore_ascii_case(method));
    fitting
        .filter_map(|operation| Some((fit(&operation.path, &concrete)?, operation)))
        .max_by(|(a, _), (b, _)| a.cmp(b))
        .map(|(_, operation)| operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    fn operation(id: &str, method: &str, path: &str) -> Operation {
        Operation {
            id: id.into(),
            method: method.into(),
            path: path.into(),
            in_seed: true,
            auth: true,
            success: vec![200],
            response: Shape::Any,
            notes: String::new(),
        }
    }

    fn table() -> Vec<Operation> {
        vec![
            operation("list", "GET", "/things"),
            operation("get", "GET", "/things/{id}"),
            operation("newest", "GET", "/things/newest"),
            operation("delete", "DELETE", "/things/:id"),
            operation("part", "GET", "/things/{id}/parts/{part}"),
        ]
    }

    #[track_caller]
    fn check(method: &str, path: &str, wanted: Option<&str>) {
        let table = table();
        let found = find(&table, &["/metal/v1".to_owned()], method, path);
        assert_eq!(found.map(|operation| operation.id.as_str()), wanted, "{method} {path}");
    }

    #[test]
    fn a_path_is_found_by_its_template_in_either_spelling() {
        check("GET", "/things/7", Some("get"));
        check("DELETE", "/things/7", Some("delete"));
        check("GET", "/things/7/parts/8", Some("part"));
    }

    #[test]
    fn a_literal_segment_wins_over_a_variable_one() {
        check("GET", "/things/newest", Some("newest"));
    }

    #[test]
    fn query_slashes_and_prefix_do_not_matter() {
        check("GET", "//things/?page=2", Some("list"));
        check("GET", "/metal/v1/metal/v1/things/7", Some("get"));
    }

    #[test]
    fn another_method_or_length_is_not_found() {
        check("PUT", "/things/7", None);
        check("GET", "/things/7/parts", None);
    }
}
