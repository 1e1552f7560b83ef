//! The query of a request: ordered, names may repeat.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

/// The pairs of a query string or of a form body in the order they were sent, percent-decoded, `+` read as a blank.
/// Bytes that are no UTF-8 become U+FFFD: they can then match nothing, and the rest of the query stays usable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2&a=3`. A name without `=` has an empty value; empty pairs are left out.
    pub fn parse(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }
    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }
    /// The last value of this name, for grammars in which a later one overrides.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
    /// Every value of this name, in order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
    /// The first value of this name as a `T`; `None` when it is absent, the text itself when it is not a `T`.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, &str> {
        self.get(name).map(|text| text.parse().map_err(|_| text)).transpose()
    }
    /// Whether the name was sent, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
    /// All pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn decode(text: &str) -> String {
    if !text.bytes().any(|b| b == b'%' || b == b'+') {
        return text.to_owned();
    }
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_order_and_repeated_names() {
        let query = Query::parse("tag=a&q=x+y%2Bz&tag=b%26c&&flag");
        let pairs: Vec<_> = query.iter().collect();
        assert_eq!(pairs, [("tag", "a"), ("q", "x y+z"), ("tag", "b&c"), ("flag", "")]);
        assert_eq!((query.get("tag"), query.last("tag")), (Some("a"), Some("b&c")));
    }

    #[test]
    fn a_value_that_is_not_a_number_is_handed_back_as_text() {
        let query = Query::parse("limit=5&offset=x");
        assert_eq!(query.parsed::<u32>("limit"), Ok(Some(5)));
        assert_eq!(query.parsed::<u32>("offset"), Err("x"));
        assert_eq!(query.parsed::<u32>("page"), Ok(None));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_spoil_the_rest() {
        let query = Query::parse("a=%ff&b=1");
        assert_eq!((query.get("a"), query.get("b")), (Some("\u{fffd}"), Some("1")));
    }
}
