//! Paths as clients send them, turned into the table's form.

use std::borrow::Cow;

use meetme_http::single_slashes;

/// Under this prefix the later deployment of the API lived; some clients send it twice.
pub const PREFIX: &str = "/metal/v1";

/// Drops any number of leading prefixes and collapses runs of slashes. Clients glue links that begin with a slash onto a base
/// that ends with one, and next-page links that hold the prefix onto a base that holds it too.
pub fn normalise(path: &str) -> Cow<'_, str> {
    let mut path = single_slashes(path);
    while let Some(rest) = path.strip_prefix(PREFIX).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        path = if rest.is_empty() { Cow::Borrowed("/") } else { Cow::Owned(rest.to_owned()) };
    }
    path
}

/// What links begin with in the answer to a request for this path: the prefix it came with, at most once.
pub fn base(path: &str) -> &'static str {
    let rest = path.trim_start_matches('/');
    match rest.strip_prefix(&PREFIX[1..]) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => PREFIX,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, path: &str, prefix: &str) {
        assert_eq!((normalise(sent).as_ref(), base(sent)), (path, prefix), "{sent}");
    }

    #[test]
    fn prefixes_and_doubled_slashes_do_not_matter() {
        check("/projects", "/projects", "");
        check("//capacity", "/capacity", "");
        check("/metal/v1/projects", "/projects", PREFIX);
        check("//metal/v1//metal/v1/projects/", "/projects/", PREFIX);
        check("/metal/v1", "/", PREFIX);
        check("/metal/v12/projects", "/metal/v12/projects", "");
    }
}
