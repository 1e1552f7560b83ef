//! Running the tools of the toolchain, with their own output.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Which tests need real daemons: `lab` as a word of a test's name (so not `available`), or a binary named so.
pub const LAB: &str = "test(/(^|_|::)lab(_|::|$)/) | binary(/(^|_|-)lab(_|-|$)/)";

/// The cargo that runs us.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(root);
    command
}

/// Runs cargo with these arguments; true when it was content.
pub fn passes(root: &Path, arguments: &[&str]) -> Result<bool> {
    let line = arguments.join(" ");
    let status = cargo(root).args(arguments).status().with_context(|| format!("cargo {line} does not run"))?;
    Ok(status.success())
}

/// Whether cargo knows a subcommand, such as `nextest`.
pub fn knows(root: &Path, subcommand: &str) -> bool {
    let mut command = cargo(root);
    command.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The tests against real daemons, one at a time.
pub fn lab(root: &Path) -> Result<bool> {
    if knows(root, "nextest") {
        return passes(root, &["nextest", "run", "--workspace", "--test-threads", "1", "-E", LAB]);
    }
    println!("lab: cargo-nextest is not installed, so cargo test chooses by the letters `lab` alone");
    passes(root, &["test", "--workspace", "lab", "--", "--test-threads", "1"])
}

/// The measurements, on an optimised build.
pub fn bench(workspace: &Workspace, rest: &[String]) -> Result<bool> {
    const PACKAGE: &str = "meetme-bench";
    if !workspace.crates.iter().any(|each| each.name == PACKAGE) {
        println!("bench: the workspace has no crate {PACKAGE} yet, so there is nothing to measure");
        return Ok(false);
    }
    let mut arguments = vec!["run", "--release", "--package", PACKAGE, "--"];
    arguments.extend(rest.iter().map(String::as_str));
    passes(&workspace.root, &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_the_test_runner_agrees_which_tests_need_daemons() {
        let configuration = include_str!("../../.config/nextest.toml");
        assert!(configuration.contains(&format!("filter = '{LAB}'")), "{configuration}");
    }

    #[test]
    fn a_benchmark_that_is_not_there_is_not_run() {
        assert!(!bench(&Workspace::default(), &[]).expect("an answer"));
    }
}
