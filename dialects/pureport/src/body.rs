//! Reading request bodies: JSON, with one old slip forgiven.
//!
//! The first public example of a connection has `"href: "/locations/us-ral"`: the quote that should close the member's name is
//! missing. People copied it, so a body that is not JSON is read a second time with exactly that slip mended, and only when it
//! then is JSON. Nothing else is guessed.

use meetme_http::{Cx, Media, Problem};
use serde::de::DeserializeOwned;

/// The body as a `T`. Explicit nulls mean the same as absence, a body `null` the same as an empty object.
///
/// # Errors
/// [`Problem::UnsupportedMedia`], [`Problem::BadJson`], or an invalid value with its path.
pub fn read<T: DeserializeOwned>(cx: &Cx) -> Result<T, Problem> {
    cx.expect_media(&[Media::Json])?;
    if cx.body.trim_ascii() == b"null" {
        return with(cx, "{}").json();
    }
    match cx.json_or_empty() {
        Err(Problem::BadJson { text }) => match mended(&cx.body) {
            Some(body) => with(cx, body).json(),
            None => Err(Problem::BadJson { text }),
        },
        other => other,
    }
}

/// The same call with another body.
fn with(cx: &Cx, body: impl Into<bytes::Bytes>) -> Cx {
    let mut cx = cx.clone();
    cx.body = body.into();
    cx
}

/// The body with the missing quotes put in, when that makes it JSON.
fn mended(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let lines: Vec<String> =
        text.split('\n').map(|line| mended_line(line).unwrap_or_else(|| line.to_owned())).collect();
    let whole = lines.join("\n");
    (whole != text && serde_json::from_str::<serde::de::IgnoredAny>(&whole).is_ok()).then_some(whole)
}

/// A line that consists of `"name: "value"` with or without a comma: the quote after the name is missing.
fn mended_line(line: &str) -> Option<String> {
    let rest = line.trim_start();
    let indent = &line[..line.len() - rest.len()];
    let (name, value) = rest.strip_prefix('"')?.split_once(": \"")?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let content = value.trim_end().trim_end_matches(',').strip_suffix('"')?;
    (is_name && !content.contains(['"', '\\'])).then(|| format!("{indent}\"{name}\": \"{value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, wanted: Option<&str>) {
        assert_eq!(mended(body.as_bytes()).as_deref(), wanted);
    }

    #[test]
    fn the_missing_quote_of_the_old_example_is_put_in() {
        check("{\n  \"href: \"/locations/us-ral\"\n}", Some("{\n  \"href\": \"/locations/us-ral\"\n}"));
        check("{\n\"href: \"/a\",\n\"id\": \"a\"}", Some("{\n\"href\": \"/a\",\n\"id\": \"a\"}"));
    }

    #[test]
    fn nothing_else_is_guessed() {
        check("{\n  href: \"/locations/us-ral\"\n}", None);
        check("{\n  \"href: /locations/us-ral\"\n}", None);
        check("{\n  \"href: \"/locations/\"us-ral\"\n}", None);
        check("{\n  \"href: \"/locations/us-ral\"", None);
        check("{\"a\": 1}", None);
    }
}
