//! In which form an answer goes out, and the headers every answer has.

use http::{HeaderValue, header};
use meetme_http::{Content, Parts, Problem, Reply};

use crate::{API_VERSION, json};

/// The form an answer is wanted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// A page for people.
    pub html: bool,
    /// How deep JSON is indented.
    pub indent: Option<usize>,
}

/// Reads what the client accepts. The most specific of its ranges that we have counts, whatever its `q`.
///
/// # Errors
/// When it accepts nothing that we have, or another version.
pub fn form(parts: &Parts) -> Result<Form, Problem> {
    match parts.query.last("format").filter(|format| !format.is_empty()) {
        Some("json") => return Ok(Form { html: false, indent: None }),
        Some("api") => return Ok(Form { html: true, indent: None }),
        Some(_) => return Err(Problem::NoRoute),
        None => {}
    }
    let accept = parts.header("accept").filter(|text| !text.trim().is_empty()).unwrap_or("*/*");
    let ranges: Vec<Range> = accept.split(',').filter_map(Range::of).collect();
    for level in [3, 2, 1, 0] {
        for html in [false, true] {
            let name = if html { ("text", "html") } else { ("application", "json") };
            if let Some(range) = ranges.iter().find(|range| range.level() == level && range.fits(name)) {
                if range.param("version").is_some_and(|version| version != API_VERSION) {
                    return Err(Problem::NotAcceptable("Invalid version in \"Accept\" header.".to_owned()));
                }
                let indent = range.param("indent").and_then(|text| text.parse::<usize>().ok()).map(|n| n.min(8));
                return Ok(Form { html, indent: indent.filter(|n| *n > 0) });
            }
        }
    }
    Err(Problem::NotAcceptable("Could not satisfy the request Accept header.".to_owned()))
}

/// One range of an `Accept` header.
struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    params: Vec<(&'a str, &'a str)>,
}

impl<'a> Range<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut pieces = text.split(';').map(str::trim);
        let (main, sub) = pieces.next()?.split_once('/')?;
        let params =
            pieces.filter_map(|piece| piece.split_once('=')).map(|(n, v)| (n.trim(), v.trim().trim_matches('"')));
        Some(Self { main, sub, params: params.collect() })
    }
    fn level(&self) -> u8 {
        match (self.main, self.sub) {
            ("*", _) => 0,
            (_, "*") => 1,
            _ if self.params.iter().all(|(name, _)| *name == "q") => 2,
            _ => 3,
        }
    }
    fn fits(&self, (main, sub): (&str, &str)) -> bool {
        let is = |range: &str, name: &str| range == "*" || range.eq_ignore_ascii_case(name);
        is(self.main, main) && is(self.sub, sub)
    }
    fn param(&self, name: &str) -> Option<&'a str> {
        self.params.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}

/// Puts the headers on, and the body into the form that is wanted.
pub fn finish(reply: &mut Reply, parts: &Parts) {
    let path = parts.path();
    if path.starts_with("/api/") {
        reply.headers.insert("api-version", HeaderValue::from_static(API_VERSION));
    }
    reply.headers.insert(header::VARY, HeaderValue::from_static("Accept, Cookie"));
    let form = form(parts).unwrap_or_default();
    let is_json = reply.headers.get(header::CONTENT_TYPE).is_some_and(|media| media == "application/json");
    let Content::Full(body) = &reply.content else { return };
    if !is_json || form == Form::default() {
        return;
    }
    let indented = json::indented(body, form.indent.unwrap_or(4));
    if form.html {
        let page = page(path, &String::from_utf8_lossy(&indented));
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        reply.content = Content::Full(page.into());
    } else {
        reply.content = Content::Full(indented.into());
    }
}

/// A page for people who look at the API with a browser.
fn page(path: &str, body: &str) -> String {
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let (path, body) = (escaped(path), escaped(body));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>{path}</title></head><body><h1>{path}</h1><pre>{body}</pre></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_with_its_parameters() {
        let range = Range::of(" application/json; indent=4;version=\"1.10\" ").unwrap();
        assert_eq!((range.level(), range.param("indent"), range.param("version")), (3, Some("4"), Some("1.10")));
        assert_eq!(Range::of("text/html;q=0.9").map(|range| range.level()), Some(2));
        assert!(Range::of("text").is_none());
    }
}
