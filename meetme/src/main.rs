//! Meetme in one binary: the server, the agent beside equipment, the administrator's tools and the client commands.
//!
//! Promise: nothing is decided here; this crate only puts the others together and reads the command line.

mod admin;
mod agent;
mod client;
mod config;
mod demo;
mod housekeeping;
mod link;
mod metal;
mod metrics;
mod outside;
mod serve;
mod sessions;
mod workers;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// A tenth of a small request's time goes into memory; this allocator halves it. It also stands in for the C library's, from which
/// SQLite takes the pages of each statement's small tables, and gives them back: a fifth of a small change went into that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An open control plane for the places where networks meet.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server: all dialects, the store and the controllers.
    Serve(serve::ServeArgs),
    /// Drives the equipment beside it for a server elsewhere.
    Agent(agent::AgentArgs),
    /// Sets up an installation and its users and keys, directly in the database.
    Admin(admin::AdminArgs),
    /// Checks a configuration and prints it as it would be used.
    Config {
        /// The file to check.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Prints every operation of every dialect, one JSON object a line.
    Ops,
    /// Talks to a server through its native API.
    #[command(flatten)]
    Client(client::ClientCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("meetme: another TLS provider was installed first");
    }
    // Beside it, a server has threads of its own for those who ask.
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("meetme: no runtime: {e}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Serve(args) => serve::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Agent(args) => agent::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Admin(args) => admin::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Config { config } => {
                let config = config::Config::load(config.as_deref(), std::env::vars())?;
                print!("{}", toml::to_string_pretty(&config)?);
                Ok(ExitCode::SUCCESS)
            }
            Command::Ops => {
                serve::print_operations()?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Client(command) => client::run(command).await,
        }
    });
    done.unwrap_or_else(|e: anyhow::Error| {
        eprintln!("meetme: {e:#}");
        ExitCode::FAILURE
    })
}
