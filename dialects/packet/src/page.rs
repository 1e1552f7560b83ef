//! Lists in pages.

use meetme_app::Error;
use meetme_base::Invalid;
use meetme_http::Query;
use schemars::JsonSchema;
use serde::Serialize;

/// The last page there can be.
const PAGES: u64 = 100_000;
/// The most a page holds.
const LONGEST: u64 = 1000;
/// What a page holds when nothing is said.
const USUAL: u64 = 10;

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u64,
    /// How many.
    pub size: u64,
}

impl Page {
    /// Reads `page` and `per_page`. Sizes beyond the most are cut to it.
    ///
    /// # Errors
    /// When one is no whole number from 1.
    pub fn of(query: &Query) -> Result<Self, Error> {
        let number = |name: &str, usual: u64, most: u64| match query.last(name).filter(|text| !text.is_empty()) {
            None => Ok(usual),
            Some(text) => match text.parse::<u64>() {
                Ok(n) if n >= 1 => Ok(n.min(most)),
                _ => Err(Error::from(Invalid::range(name, 1, most))),
            },
        };
        Ok(Self { number: number("page", 1, PAGES)?, size: number("per_page", USUAL, LONGEST)? })
    }
    /// How many rows come before.
    pub fn offset(self) -> u64 {
        (self.number - 1) * self.size
    }
    /// How many rows at most.
    pub fn limit(self) -> u32 {
        u32::try_from(self.size).unwrap_or(u32::MAX)
    }
    /// Where this page stands in a list of `total`, with links that keep everything else that was asked.
    pub fn meta(self, path: &str, query: &Query, total: u64) -> Meta {
        let last = total.div_ceil(self.size).max(1);
        let link = |page: u64| Link { href: href(path, query, page) };
        Meta {
            first: link(1),
            previous: (self.number > 1).then(|| link((self.number - 1).min(last))),
            itself: link(self.number),
            next: (self.number < last).then(|| link(self.number + 1)),
            last: link(last),
            total,
            current_page: self.number,
            last_page: last,
        }
    }
}

fn href(path: &str, query: &Query, page: u64) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode as encode};
    let mut out = format!("{path}?page={page}");
    for (name, value) in query.iter().filter(|(name, _)| *name != "page") {
        out.push_str(&format!("&{}={}", encode(name, NON_ALPHANUMERIC), encode(value, NON_ALPHANUMERIC)));
    }
    out
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// A path of this API.
    pub href: String,
}

/// Where a page stands in its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Meta {
    /// The first page.
    pub first: Link,
    /// The page before, null on the first.
    pub previous: Option<Link>,
    /// This page.
    #[serde(rename = "self")]
    pub itself: Link,
    /// The page after, null on the last. Clients go on while there is one.
    pub next: Option<Link>,
    /// The last page.
    pub last: Link,
    /// How many there are in all.
    pub total: u64,
    /// This page's number.
    pub current_page: u64,
    /// The last page's number.
    pub last_page: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_list_have_no_neighbours() {
        let query = Query::parse("per_page=2&page=2&include=plan,facility");
        let page = Page::of(&query).unwrap();
        let meta = page.meta("/projects", &query, 3);
        assert_eq!((meta.last_page, meta.next, page.offset()), (2, None, 2));
        let before = meta.previous.unwrap().href;
        assert_eq!(before, "/projects?page=1&per%5Fpage=2&include=plan%2Cfacility");
        assert_eq!(Query::parse(before.split_once('?').unwrap().1).get("per_page"), Some("2"));
    }

    #[test]
    fn a_page_is_a_number_from_one() {
        assert!(Page::of(&Query::parse("page=0")).is_err() && Page::of(&Query::parse("per_page=x")).is_err());
        assert_eq!(Page::of(&Query::parse("per_page=5000")).unwrap().size, 1000);
    }
}
