//! Keeping proof that an operation's answer was checked, so that coverage is counted and never guessed.
//!
//! Every test may run in a process of its own: a proof is one short line, appended in one write, and reading forgets
//! doubles. A refusal proves the error shape but not the operation, so only successes are recorded.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::of;

/// Where proofs are kept: `MEETME_PROOF_DIR`, else `target/proven` of this workspace.
pub fn directory() -> PathBuf {
    match std::env::var_os("MEETME_PROOF_DIR") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/proven"),
    }
}

/// Notes that an operation's answer kept its contract.
pub fn record(dialect: &str, operation: &str) -> io::Result<()> {
    record_in(&directory(), name_of(dialect), operation)
}

/// The operations of a dialect with proof, by id; none when no test has run yet.
pub fn proven(dialect: &str) -> io::Result<BTreeSet<String>> {
    proven_in(&directory(), name_of(dialect))
}

/// Checks an answer against its contract, and records the proof when it is a success.
///
/// # Panics
/// When the dialect is unknown, the answer differs from the contract (with every difference), or the proof cannot be
/// written: it is for tests.
#[track_caller]
pub fn prove(dialect: &str, operation: &str, status: u16, body: &Value) {
    let Some(contract) = of(dialect) else { panic!("there is no contract for {dialect}") };
    let problems = contract.check(operation, status, body);
    if !problems.is_empty() {
        let list: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        panic!("{} {operation} broke its contract with status {status}:\n{}", contract.dialect, list.join("\n"));
    }
    if status < 400
        && let Err(error) = record(contract.dialect, operation)
    {
        panic!("the proof of {} {operation} could not be kept: {error}", contract.dialect);
    }
}

/// The one name under which a dialect's proofs are kept.
fn name_of(dialect: &str) -> &str {
    of(dialect).map_or(dialect, |contract| contract.dialect)
}

fn record_in(directory: &Path, dialect: &str, operation: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut file = OpenOptions::new().create(true).append(true).open(file_in(directory, dialect))?;
    file.write_all(format!("{operation}\n").as_bytes())
}

fn proven_in(directory: &Path, dialect: &str) -> io::Result<BTreeSet<String>> {
    match std::fs::read_to_string(file_in(directory, dialect)) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn file_in(directory: &Path, dialect: &str) -> PathBuf {
    directory.join(format!("{dialect}.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_of_many_writers_are_all_kept_and_doubles_forgotten() {
        let directory = tempfile::tempdir().expect("a directory of our own");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let directory = directory.path();
                scope.spawn(move || {
                    for line in 0..50 {
                        record_in(directory, "port", &format!("operation_{writer}_{line}")).expect("an appended line");
                        record_in(directory, "port", "get_entity").expect("an appended line");
                    }
                });
            }
        });
        let found = proven_in(directory.path(), "port").expect("readable proofs");
        assert_eq!(found.len(), 8 * 50 + 1);
        assert!(found.contains("operation_7_49") && found.contains("get_entity"));
    }

    #[test]
    fn a_dialect_nobody_tested_has_no_proof() {
        let directory = tempfile::tempdir().expect("a directory of our own");
        assert!(proven_in(directory.path(), "packet").expect("no file is no error").is_empty());
    }

    #[test]
    #[should_panic(expected = "body.bgp_sessions: is absent")]
    fn an_answer_that_breaks_its_contract_is_no_proof() {
        prove("packet", "list_device_bgp_sessions", 200, &serde_json::json!({ "meta": {} }));
    }

    #[test]
    #[should_panic(expected = "there is no contract for carrier-pigeon")]
    fn a_dialect_without_contract_cannot_be_proven() {
        prove("carrier-pigeon", "list", 200, &Value::Null);
    }
}
