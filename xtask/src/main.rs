//! The house's own tools: what the machine checks before a human reads.
//!
//! Promise: `xtask` is never part of the product. It reads the workspace and runs tools; the product never needs it.

mod check;
mod coverage;
mod run;
mod tidy;
mod workspace;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The tools of the Meetme workspace")]
struct Arguments {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Subcommand)]
enum Tool {
    /// Edges between crates, sizes, unfinished work, words that do not belong, documents that point nowhere
    Tidy,
    /// How much of each dialect's contract exists and is proven by tests
    Contracts {
        /// Name the operations that are missing or not proven
        #[arg(long)]
        missing: bool,
        /// Only the operations of the seed documents
        #[arg(long)]
        seed: bool,
    },
    /// Everything that must hold before a change is handed in
    Check,
    /// The tests against real daemons, one at a time
    Lab,
    /// The measurements, on an optimised build
    Bench {
        /// Passed on to the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> Result<ExitCode> {
    match run_tool(Arguments::parse().tool) {
        // Whoever reads us, `head` for one, has seen enough.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(error),
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
    }
}

/// True when the tool has nothing to complain about.
fn run_tool(tool: Tool) -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    match tool {
        Tool::Tidy => tidy::run(&Workspace::read(&root)?),
        Tool::Contracts { missing, seed } => coverage::run(&root, missing, seed),
        Tool::Check => check::run(&root),
        Tool::Lab => run::lab(&root),
        Tool::Bench { rest } => run::bench(&Workspace::read(&root)?, &rest),
    }
}
