//! In which form an answer goes out, and the headers every answer has.

use http::{HeaderValue, header};
use meetme_http::{Content, Parts, Problem, Reply};

use crate::{
    API_VERSION,
    browse::{self, Shown},
    json,
};

/// The form an answer is wanted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// A page for people.
    pub html: bool,
    /// How deep JSON is indented.
    pub indent: Option<usize>,
}

/// Reads in which form the client wants its answer.
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
    let (at, range) = choose(parts, &[("application", "json"), ("text", "html")])?;
    let indent = range.param("indent").and_then(|text| text.parse::<usize>().ok()).map(|n| n.min(8));
    Ok(Form { html: at == 1, indent: indent.filter(|n| *n > 0) })
}

/// Which of the media types that are offered is accepted, and the range that accepts it. The most specific of the client's ranges
/// that we have counts, whatever its `q`.
///
/// # Errors
/// When it accepts none of them, or another version.
pub fn choose<'a>(parts: &'a Parts, offered: &[(&str, &str)]) -> Result<(usize, Range<'a>), Problem> {
    let accept = parts.header("accept").filter(|text| !text.trim().is_empty()).unwrap_or("*/*");
    let ranges: Vec<Range> = accept.split(',').filter_map(Range::of).collect();
    for level in [3, 2, 1, 0] {
        for (at, name) in offered.iter().enumerate() {
            if let Some(range) = ranges.iter().find(|range| range.level() == level && range.fits(*name)) {
                if range.param("version").is_some_and(|version| version != API_VERSION) {
                    return Err(Problem::NotAcceptable("Invalid version in \"Accept\" header.".to_owned()));
                }
                return Ok((at, range.clone()));
            }
        }
    }
    Err(Problem::NotAcceptable("Could not satisfy the request Accept header.".to_owned()))
}

/// One range of an `Accept` header.
#[derive(Clone, Debug)]
pub struct Range<'a> {
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
    if !form.html {
        reply.content = Content::Full(json::indented(body, form.indent.unwrap_or_default()).into());
        return;
    }
    let Ok(body) = serde_json::from_slice(body) else { return };
    let page = browse::page(&Shown { status: reply.status, headers: &reply.headers, body: &body }, parts);
    reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&browse::POLICY) {
        reply.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    reply.headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply.headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply.content = Content::Full(page.into());
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
