//! What a dialect hands over to be served.

use std::borrow::Cow;

use meetme_app::Error;
use serde_json::{Map, Value};

use crate::{Caller, Cx, Op, Parts, Problem, Reply, Soon, plain};

/// A dialect as a value: its table, and how it identifies callers, spells problems and recognises its own requests.
#[derive(Clone)]
pub struct Dialect {
    /// Its name in lower case: a label in metrics and logs, and a part of the path of its OpenAPI document.
    pub name: &'static str,
    /// Its title in documents.
    pub title: &'static str,
    /// The version of the API it speaks.
    pub version: &'static str,
    /// Its operations.
    pub ops: Vec<Op>,
    /// Who asks. Runs before the body is read, so `cx.body` is empty here. No credential at all is
    /// `Error::Unauthenticated(AuthFailure::Absent)`.
    pub authenticate: for<'a> fn(&'a Cx) -> Soon<'a, Result<Caller, Error>>,
    /// Spells a problem. `Allow` and `Retry-After` are added by the server where the reply lacks them.
    pub wire_error: fn(&Problem, &Parts) -> Reply,
    /// How sure it is that a request is its own.
    pub mine: fn(&Parts) -> Claim,
    /// Whether every answer says in `Allow` what its path answers to, as RFC 9110 section 10.2.1 lets a server do, and not
    /// only those to a method that the path lacks.
    pub allow: bool,
    /// Puts the headers on that every answer of the dialect has. `Allow` is there already where [`Dialect::allow`] wants it.
    pub finish: fn(&mut Reply, &Parts),
    /// Turns a path as sent into one of the table's form: drops a prefix, collapses slashes. Must not decode.
    pub normalise: fn(&str) -> Cow<'_, str>,
    /// What a slash at the end of a path means.
    pub slash: Slash,
    /// The schemas that operations name, for the OpenAPI document.
    pub components: fn() -> Map<String, Value>,
    /// How callers show who they are, as OpenAPI's `securitySchemes`. Each alone is enough.
    pub security: fn() -> Map<String, Value>,
}

impl Dialect {
    /// A dialect that knows no caller, claims every request faintly and spells problems plainly, until told otherwise.
    pub fn new(name: &'static str, ops: Vec<Op>) -> Self {
        Self {
            name,
            title: name,
            version: "1",
            ops,
            authenticate: |_| Box::pin(async { Err(Error::Unauthenticated(meetme_app::AuthFailure::Absent)) }),
            wire_error: |problem, _| plain(problem),
            mine: |_| Claim::Possible,
            allow: false,
            finish: |_, _| {},
            normalise: |path| Cow::Borrowed(path),
            slash: Slash::Exact,
            components: Map::new,
            security: Map::new,
        }
    }
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} operations)", self.name, self.ops.len())
    }
}

/// A path in which slashes that follow each other are one: clients join a base address that ends in a slash with paths that begin
/// with one. What [`Dialect::normalise`] is for those that do.
pub fn single_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// How sure a dialect is that a request is its own. The highest wins; the order of the dialects breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It carries a mark of another dialect.
    No,
    /// Nothing speaks against it.
    Possible,
    /// The path's prefix, or a header that few others send, speaks for it.
    Likely,
    /// It carries a mark that only this dialect's clients send.
    Certain,
}

/// What a slash at the end of a path means to a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slash {
    /// With and without are two paths.
    Exact,
    /// It means nothing.
    Ignore,
    /// The table's paths have one; a request without is sent there by a permanent redirect.
    Redirect,
}

/// One operation of one dialect.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The dialect's name.
    pub dialect: &'static str,
    /// The operation.
    pub op: &'a Op,
}

/// Every operation of these dialects, in the tables' order.
pub fn table(dialects: &[Dialect]) -> impl Iterator<Item = Row<'_>> {
    dialects.iter().flat_map(|dialect| dialect.ops.iter().map(|op| Row { dialect: dialect.name, op }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_that_follow_each_other_are_one() {
        assert_eq!(single_slashes("//v2///products/"), "/v2/products/");
        assert_eq!(single_slashes("//accounts//ac-1/networks"), "/accounts/ac-1/networks");
        assert!(matches!(single_slashes("/v2/products"), Cow::Borrowed(_)));
    }
}
