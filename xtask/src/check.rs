//! `cargo xtask check`: everything that must hold, in order of speed, the tests last.
//!
//! Every step runs even when an earlier one failed, so one run tells all. Nothing is printed after the test runner's
//! summary unless something failed.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use crate::run::{knows, passes};
use crate::tidy;
use crate::workspace::Workspace;

type Step = (&'static str, fn(&Path) -> Result<bool>);

const STEPS: &[Step] = &[
    ("tidy", |root| tidy::run(&Workspace::read(root)?)),
    ("fmt", |root| passes(root, &["fmt", "--all", "--check"])),
    ("clippy", |root| passes(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("deny", deny),
    ("doc tests", |root| passes(root, &["test", "--workspace", "--doc"])),
    ("tests", tests),
];

/// Runs every step; true when all are content.
pub fn run(root: &Path) -> Result<bool> {
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        writeln!(std::io::stdout(), "== {name}")?;
        if !step(root)? {
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        writeln!(std::io::stdout(), "check: not content with {}", failed.join(", "))?;
    }
    Ok(failed.is_empty())
}

/// Both stores in one run: the tests themselves start a PostgreSQL beside SQLite.
fn tests(root: &Path) -> Result<bool> {
    if knows(root, "nextest") {
        return passes(root, &["nextest", "run", "--workspace", "--profile", "ci"]);
    }
    println!("cargo-nextest is not installed: cargo test runs the same tests");
    passes(root, &["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
}

/// Licences, sources and doubles are known from the lock file; advisories only where their database can be had.
fn deny(root: &Path) -> Result<bool> {
    if !knows(root, "deny") {
        println!("SKIPPED: cargo-deny is not installed");
        return Ok(true);
    }
    let known = passes(root, &["deny", "check", "bans", "licenses", "sources"])?;
    if !passes(root, &["deny", "fetch", "db"])? {
        println!("SKIPPED advisories: their database cannot be had from here");
        return Ok(known);
    }
    Ok(passes(root, &["deny", "check", "advisories"])? && known)
}
