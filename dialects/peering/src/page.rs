//! Pages of a list and the links between them.

use meetme_http::Query;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::read;

/// How many rows a page has when nobody says.
pub const DEFAULT: u32 = 50;
/// The most rows a page has, whoever asks.
pub const MOST: u32 = 1000;

/// Everything but letters, digits and `-._~`, as query strings are written by the clients of this API.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// How many rows.
    pub limit: u32,
    /// How many are left out before.
    pub offset: u64,
}

impl Paging {
    /// Reads `limit` and `offset`. Nonsense means the default; 0 and too much mean the most.
    pub fn of(query: &Query) -> Self {
        let limit = match query.last("limit").and_then(|text| text.trim().parse::<u64>().ok()) {
            None => DEFAULT,
            Some(0) => MOST,
            Some(n) => u32::try_from(n).map_or(MOST, |n| n.min(MOST)),
        };
        let offset = query.last("offset").and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
        Self { limit, offset: offset.min(i64::MAX.unsigned_abs()) }
    }

    /// Writes the body of a page up to its rows.
    pub fn head(&self, out: &mut Vec<u8>, count: u64, address: &str, query: &Query) {
        let limit = u64::from(self.limit);
        let next = self.offset.checked_add(limit).filter(|next| *next < count);
        let next = next.map(|offset| self.link(address, query, Some(offset)));
        let previous = (self.offset > 0).then(|| {
            let before = self.offset.saturating_sub(limit);
            self.link(address, query, (before > 0).then_some(before))
        });
        read::begin(out, count, next.as_deref(), previous.as_deref());
    }

    /// A link to another page: every other parameter kept, all sorted by name.
    fn link(&self, address: &str, query: &Query, offset: Option<u64>) -> String {
        let mut pairs: Vec<(&str, String)> = query
            .iter()
            .filter(|(name, _)| !matches!(*name, "limit" | "offset"))
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        pairs.push(("limit", self.limit.to_string()));
        pairs.extend(offset.map(|offset| ("offset", offset.to_string())));
        pairs.sort_by(|a, b| a.0.cmp(b.0));
        let text: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect();
        format!("{address}?{}", text.join("&"))
    }
}

fn quoted(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(query: &str, count: u64) -> (Option<String>, Option<String>) {
        let query = Query::parse(query);
        let mut out = Vec::new();
        Paging::of(&query).head(&mut out, count, "http://h/api/a/b/", &query);
        out.extend_from_slice(b"[]}");
        let page: serde_json::Value = serde_json::from_slice(&out).unwrap();
        (page["next"].as_str().map(str::to_owned), page["previous"].as_str().map(str::to_owned))
    }

    #[test]
    fn nonsense_is_the_default_and_too_much_is_the_most() {
        let limit = |text: &str| Paging::of(&Query::parse(text)).limit;
        assert_eq!([limit(""), limit("limit=x"), limit("limit=-1")], [50; 3]);
        assert_eq!([limit("limit=0"), limit("limit=1001"), limit("limit=99999999999")], [1000; 3]);
        assert_eq!(Paging::of(&Query::parse("offset=-3")).offset, 0);
    }

    #[test]
    fn links_keep_the_other_parameters_sorted_by_name() {
        assert_eq!(
            links("ordering=name,-asn&q=a+b", 120).0.as_deref(),
            Some("http://h/api/a/b/?limit=50&offset=50&ordering=name%2C-asn&q=a+b")
        );
        assert_eq!(links("limit=100", 101).0.as_deref(), Some("http://h/api/a/b/?limit=100&offset=100"));
    }

    #[test]
    fn the_first_page_is_linked_without_an_offset() {
        assert_eq!(links("offset=30", 60), (None, Some("http://h/api/a/b/?limit=50".into())));
        assert_eq!(links("limit=10&offset=30", 5).1.as_deref(), Some("http://h/api/a/b/?limit=10&offset=20"));
        assert_eq!(links("", 50), (None, None));
    }
}
