//! Which operation of which dialect answers.
//!
//! Each dialect has a router of its own, built once; the same path may be in several. Among the dialects that know the path
//! the highest [`Claim`] wins, then the one that has the method, then the one whose path fits as it was sent, then the first.

use std::{borrow::Cow, collections::HashMap, net::SocketAddr, sync::OnceLock};

use http::Method;
use matchit::Router;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use thiserror::Error;

use crate::{Claim, Dialect, Params, Parts, Problem, Slash};

/// Why a server cannot be built or started.
#[derive(Debug, Error)]
pub enum Fault {
    /// A path of a table cannot be routed.
    #[error("{dialect}: the path {path} cannot be routed: {source}")]
    Path {
        /// The dialect.
        dialect: &'static str,
        /// The path.
        path: &'static str,
        /// What is wrong with it.
        source: matchit::InsertError,
    },
    /// Two operations of one dialect have the same method and path, or the same id.
    #[error("{dialect}: {first} and {second} are the same operation")]
    Twice {
        /// The dialect.
        dialect: &'static str,
        /// The id of the one.
        first: &'static str,
        /// The id of the other.
        second: &'static str,
    },
    /// The configuration names a dialect that is not served.
    #[error("there is no dialect {0}")]
    NoDialect(String),
    /// The certificate or its key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A dialect with what is derived from it once.
pub(crate) struct Home {
    pub dialect: Dialect,
    /// Where this dialect's rows begin among all metrics; the row behind its last operation counts what met none.
    pub first_slot: usize,
    /// The OpenAPI document without the server's address, made when it is first asked for.
    document: OnceLock<Value>,
    router: Router<usize>,
    nodes: Vec<Node>,
    /// The names of the path's parameters, by operation.
    names: Vec<Vec<&'static str>>,
}

/// A path with all its methods.
struct Node {
    /// Method and position in the table.
    methods: Vec<(Method, usize)>,
    /// The `Allow` header.
    allow: String,
}

/// The order in which `Allow` lists methods; others come after these.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// What routing came to.
pub(crate) enum Pick<'a> {
    /// This operation, with its parameters.
    Op { home: usize, op: usize, params: Params, allow: &'a str },
    /// The same path with a slash at its end.
    Redirect { home: usize, location: String },
    /// An OPTIONS request for a path that has no operation of its own for it.
    Options { home: usize, allow: &'a str },
    /// Nothing; this dialect says why. What the path answers to is empty where there is no such path.
    Problem { home: usize, problem: Problem, allow: &'a str },
    /// No dialect answers at this door.
    Nobody,
}

impl Home {
    pub fn new(dialect: Dialect, first_slot: usize) -> Result<Self, Fault> {
        let mut home = Self {
            dialect,
            first_slot,
            document: OnceLock::new(),
            router: Router::new(),
            nodes: Vec::new(),
            names: Vec::new(),
        };
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut ids: HashMap<&str, ()> = HashMap::new();
        for (position, op) in home.dialect.ops.iter().enumerate() {
            let name = home.dialect.name;
            if ids.insert(op.id, ()).is_some() {
                return Err(Fault::Twice { dialect: name, first: op.id, second: op.id });
            }
            home.names.push(op.path_params().collect());
            let key = numbered(trimmed(op.path, home.dialect.slash));
            let node = match known.get(&key) {
                Some(node) => *node,
                None => {
                    let node = home.nodes.len();
                    home.router.insert(key.as_str(), node).map_err(|source| Fault::Path {
                        dialect: name,
                        path: op.path,
                        source,
                    })?;
                    home.nodes.push(Node { methods: Vec::new(), allow: String::new() });
                    known.insert(key, node);
                    node
                }
            };
            let methods = &mut home.nodes[node].methods;
            if let Some((_, first)) = methods.iter().find(|(method, _)| *method == op.method) {
                return Err(Fault::Twice { dialect: name, first: home.dialect.ops[*first].id, second: op.id });
            }
            methods.push((op.method.clone(), position));
        }
        for node in &mut home.nodes {
            let mut names: Vec<&str> = node.methods.iter().map(|(method, _)| method.as_str()).collect();
            if names.contains(&"GET") && !names.contains(&"HEAD") {
                names.push("HEAD");
            }
            if !names.contains(&"OPTIONS") {
                names.push("OPTIONS");
            }
            names.sort_by_key(|name| METHODS.iter().position(|known| known == name).unwrap_or(METHODS.len()));
            node.allow = names.join(", ");
        }
        Ok(home)
    }

    /// The OpenAPI document without the server's address.
    pub fn document(&self) -> &Value {
        self.document.get_or_init(|| crate::openapi::document(&self.dialect, ""))
    }

    /// The node of a normalised path, and whether a slash had to be added to find it.
    fn find(&self, path: &str) -> Option<(usize, bool)> {
        if let Ok(found) = self.router.at(path) {
            return Some((*found.value, false));
        }
        if self.dialect.slash != Slash::Redirect || path.ends_with('/') {
            return None;
        }
        self.router.at(&[path, "/"].concat()).ok().map(|found| (*found.value, true))
    }

    fn params(&self, op: usize, path: &str) -> Result<Params, Problem> {
        let names = &self.names[op];
        if names.is_empty() {
            return Ok(Params::default());
        }
        let found = self.router.at(path).map_err(|_| Problem::NoRoute)?;
        let mut params = Vec::with_capacity(names.len());
        for (name, (_, raw)) in names.iter().zip(found.params.iter()) {
            let text = percent_decode_str(raw)
                .decode_utf8()
                .map_err(|_| Problem::BadRequest("The path is not UTF-8.".to_owned()))?;
            params.push((*name, text.into_owned()));
        }
        Ok(Params(params))
    }
}

impl Node {
    fn operation(&self, method: &Method) -> Option<usize> {
        let of = |wanted: &Method| self.methods.iter().find(|(m, _)| m == wanted).map(|(_, op)| *op);
        of(method).or_else(|| if method == Method::HEAD { of(&Method::GET) } else { None })
    }
}

/// The best dialect so far.
struct Best<'a> {
    /// How sure it is, whether it has the method, whether the path fits as sent.
    rank: (Claim, bool, bool),
    home: usize,
    node: usize,
    path: Cow<'a, str>,
}

/// Chooses among `homes` (all, or the one that a door or a host name leads to).
pub(crate) fn pick<'a>(homes: &'a [std::sync::Arc<Home>], only: Option<usize>, parts: &Parts) -> Pick<'a> {
    let scope = only.map_or(0..homes.len(), |one| one..one + 1);
    let mut best: Option<Best> = None;
    for (at, home) in homes[scope.clone()].iter().enumerate().map(|(i, home)| (scope.start + i, home)) {
        let path = (home.dialect.normalise)(parts.uri.path());
        let path = match path {
            Cow::Borrowed(text) => Cow::Borrowed(trimmed(text, home.dialect.slash)),
            Cow::Owned(text) => Cow::Owned(trimmed(&text, home.dialect.slash).to_owned()),
        };
        let Some((node, slashed)) = home.find(&path) else { continue };
        let fits = home.nodes[node].operation(&parts.method).is_some();
        let rank = ((home.dialect.mine)(parts), fits, !slashed);
        if best.as_ref().is_none_or(|highest| rank > highest.rank) {
            best = Some(Best { rank, home: at, node, path });
        }
    }
    let Some(Best { rank: (_, _, exact), home: at, node, path }) = best else {
        // `max_by_key` keeps the last of equals; the table's order wants the first, hence the reversal.
        let speaker = scope.rev().max_by_key(|at| (homes[*at].dialect.mine)(parts));
        return speaker.map_or(Pick::Nobody, |home| Pick::Problem { home, problem: Problem::NoRoute, allow: "" });
    };
    let (home, node) = (&homes[at], &homes[at].nodes[node]);
    if !exact {
        return Pick::Redirect { home: at, location: slashed(&path, parts.uri.query()) };
    }
    let allow = node.allow.as_str();
    match node.operation(&parts.method) {
        Some(op) => match home.params(op, &path) {
            Ok(params) => Pick::Op { home: at, op, params, allow },
            Err(problem) => Pick::Problem { home: at, problem, allow },
        },
        None if parts.method == Method::OPTIONS => Pick::Options { home: at, allow },
        None => Pick::Problem { home: at, problem: Problem::NoMethod { allow: allow.to_owned() }, allow },
    }
}

/// A table's path with its parameters numbered: the router refuses different names for one place, tables do not.
fn numbered(path: &str) -> String {
    let mut key = String::with_capacity(path.len());
    for (number, piece) in path.split('{').enumerate() {
        match piece.split_once('}') {
            Some((name, rest)) if number > 0 => {
                let star = if name.starts_with('*') { "*" } else { "" };
                key.push_str(&format!("{{{star}p{number}}}{rest}"));
            }
            _ => key.push_str(piece),
        }
    }
    key
}

fn trimmed(path: &str, slash: Slash) -> &str {
    match path.strip_suffix('/') {
        Some(rest) if slash == Slash::Ignore && !rest.is_empty() => rest,
        _ => path,
    }
}

/// A relative redirect to the same path with a slash. More than one slash in front would lead to another host.
fn slashed(path: &str, query: Option<&str>) -> String {
    let path = path.trim_start_matches('/');
    match query {
        Some(query) => format!("/{path}/?{query}"),
        None => format!("/{path}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Op, Reply};

    fn op(draft: crate::Draft) -> Op {
        draft.run(async |_| Ok::<_, Problem>(Reply::ok(&())))
    }

    #[test]
    fn the_same_place_may_have_two_names_but_not_the_same_method_twice() {
        let ops = |last| {
            Dialect::new("alpha", vec![op(Op::get("get", "/a/{id}")), op(Op::get("list", "/a/{aId}/b")), op(last)])
        };
        assert!(Home::new(ops(Op::put("put", "/a/{other}")), 0).is_ok());
        assert!(matches!(Home::new(ops(Op::get("again", "/a/{other}")), 0), Err(Fault::Twice { .. })));
        assert!(matches!(Home::new(ops(Op::get("get", "/c")), 0), Err(Fault::Twice { .. })));
        assert!(matches!(Home::new(ops(Op::get("bad", "/{*rest}/x")), 0), Err(Fault::Path { .. })));
    }

    #[test]
    fn a_redirect_never_leads_to_another_host() {
        assert_eq!(slashed("//evil.example/x", Some("a=b")), "/evil.example/x/?a=b");
    }
}
