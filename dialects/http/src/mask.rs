//! Keeps credentials in addresses out of the log.

use std::borrow::Cow;

use crate::Params;

/// Names (in lower case, or the ends of such) whose values are never logged, as query parameters or in a path.
const SECRET: &[&str] =
    &["token", "password", "passwd", "secret", "key", "code", "signature", "assertion", "credential"];

fn is_secret(name: &str) -> bool {
    let name = name.as_bytes();
    SECRET.iter().any(|secret| {
        name.len() >= secret.len() && name[name.len() - secret.len()..].eq_ignore_ascii_case(secret.as_bytes())
    })
}

/// Whether a path has a parameter that is never logged.
pub(crate) fn has_secret(params: &Params) -> bool {
    params.iter().any(|(name, _)| is_secret(name))
}

/// The path and query as the log may show them: values of secret names are `***`.
pub(crate) fn address<'a>(path: &'a str, query: Option<&str>, params: Option<&Params>) -> Cow<'a, str> {
    let mut shown = Cow::Borrowed(path);
    for (name, value) in params.iter().flat_map(|params| params.iter()) {
        if is_secret(name) && !value.is_empty() {
            let segments: Vec<&str> =
                shown.split('/').map(|raw| if decodes_to(raw, value) { "***" } else { raw }).collect();
            shown = Cow::Owned(segments.join("/"));
        }
    }
    let Some(query) = query else { return shown };
    let mut text = shown.into_owned();
    for (i, pair) in query.split('&').enumerate() {
        text.push(if i == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if is_secret(&percent_encoding::percent_decode_str(name).decode_utf8_lossy()) => {
                text.push_str(name);
                text.push_str("=***");
            }
            _ => text.push_str(pair),
        }
    }
    Cow::Owned(text)
}

fn decodes_to(raw: &str, value: &str) -> bool {
    percent_encoding::percent_decode_str(raw).eq(value.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_names_are_not_shown() {
        assert_eq!(
            address("/a", Some("x=1&Token=abc&to%6ben=d&client_secret=e&y"), None),
            "/a?x=1&Token=***&to%6ben=***&client_secret=***&y"
        );
        let params = Params(vec![("id", "7".into()), ("token", "a b".into())]);
        assert_eq!(address("/login/7/a%20b", None, Some(&params)), "/login/7/***");
        assert_eq!(address("/plain", None, None), "/plain");
    }
}
