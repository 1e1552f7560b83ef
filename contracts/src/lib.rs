//! What each dialect promises, as data: its operations and the shape of every answer, read from the JSON beside this
//! crate. The conformance tests of the dialects check live answers against it and keep proof that they did.
//!
//! Promise: `contracts` knows nothing of ours: no kind, no handler, no server. It reads a notation and a JSON value and
//! says how they differ, so a dialect cannot pass by agreeing with itself.
//!
//! The road not taken: JSON Schema. Each contract keeps the notation of the material it was collected from, because that
//! is what a reader compares it with; one small parser for each (in `dialect`) turns it into the same [`Shape`].

mod check;
mod dialect;
mod find;
mod format;
mod proof;
mod refused;
mod shape;
mod syntax;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use check::Problem;
pub use proof::{directory, prove, proven, record};
pub use refused::{REFUSED, Refused, refused};
pub use shape::{Field, Shape};

/// A contract that cannot be read, with the place where it stopped making sense.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Unreadable {
    /// The dialect, and the operation or schema within it.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

/// One thing a client of a dialect can ask for.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The name of the operation, the same in the dialect's own table.
    pub id: String,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path with `{name}` for its variable segments.
    pub path: String,
    /// Whether the seed document of the dialect holds it; the others come from clients and later documents.
    pub in_seed: bool,
    /// Whether the caller must show who they are.
    pub auth: bool,
    /// The statuses of success: the usual one first.
    pub success: Vec<u16>,
    /// What the answer to a success looks like.
    pub response: Shape,
    /// What the contract adds in words.
    pub notes: String,
}

/// Everything one dialect promises.
#[derive(Debug)]
pub struct Contract {
    /// The name of the dialect: `pureport`, `megaport`, `peering-manager`, `port` or `packet`.
    pub dialect: &'static str,
    /// The operations, in the order of the file.
    pub operations: Vec<Operation>,
    /// The named shapes that [`Shape::Ref`] points at.
    pub schemas: BTreeMap<String, Shape>,
    /// Paths the whole dialect is also served under, such as `/metal/v1`.
    prefixes: Vec<String>,
    failure: fn(&Operation, u16) -> Shape,
}

static ALL: LazyLock<Vec<Contract>> =
    LazyLock::new(|| dialect::read_all().expect("the contracts are compiled in, and a test reads every one of them"));

/// The five contracts.
pub fn all() -> &'static [Contract] {
    &ALL
}

/// The contract of the dialect with this name; `peering` is accepted for `peering-manager`, as its crate is called.
pub fn of(dialect: &str) -> Option<&'static Contract> {
    let name = if dialect == "peering" { "peering-manager" } else { dialect };
    ALL.iter().find(|contract| contract.dialect == name)
}

impl Contract {
    /// The operation with this id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The operation that a request with this method and concrete path asks for. A query string, doubled slashes and a
    /// trailing slash do not matter; a literal segment wins over a variable one.
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        find::find(&self.operations, &self.prefixes, method, path)
    }

    /// Everything in which an answer differs from the contract; nothing when it keeps it.
    ///
    /// `body` is the parsed JSON of the answer: null when there was none, a string when it was not JSON. A status of 400
    /// and above is checked against the dialect's error shape.
    pub fn check(&self, operation: &str, status: u16, body: &serde_json::Value) -> Vec<Problem> {
        check::check(self, operation, status, body)
    }

    /// What the body of a refusal with this status looks like.
    pub fn failure(&self, operation: &Operation, status: u16) -> Shape {
        (self.failure)(operation, status)
    }
}

#[cfg(test)]
mod tests;
