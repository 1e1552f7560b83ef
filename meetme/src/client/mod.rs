//! The client commands: `meetme get site`, `meetme watch circuit`, and the others over the native API. They know nothing of kinds but
//! what the server's descriptions tell, so a new kind needs no new command line.
//!
//! Exit status: 0 done; 1 anything else, such as a server that cannot be reached; 2 the command line is wrong (said by the parser); 3
//! not found; 4 not permitted, or no good credential; 5 refused because of what is there: it exists, is in use, or has changed
//! meanwhile; 6 a value is not accepted; 7 the server cannot answer now.

mod api;
mod discover;
mod input;
mod table;
mod watch;

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};

pub use api::Failure;
use api::{Api, Call};

/// Where the server is and how to speak to it.
#[derive(Args, Clone, Debug)]
pub struct Connection {
    /// The server's address.
    #[arg(long, env = "MEETME_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// The secret of a key, or a session's token. Without it, `~/.config/meetme/token` is read.
    #[arg(long, env = "MEETME_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// How to write answers.
    #[arg(long, short = 'o', value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Columns for people.
    Table,
    /// JSON for programs.
    Json,
}

/// The client commands.
#[derive(Subcommand, Clone, Debug)]
pub enum ClientCommand {
    /// Show one row.
    Get(GetArgs),
    /// Show the rows of a kind.
    List(ListArgs),
    /// Make a row.
    Create(CreateArgs),
    /// Change fields of a row.
    Patch(PatchArgs),
    /// Remove a row.
    Delete(DeleteArgs),
    /// Show changes as they happen.
    Watch(WatchArgs),
    /// Show the kinds, or what one consists of.
    Kinds(KindsArgs),
    /// Show who you are to the server.
    Whoami(WhoamiArgs),
    /// Have a server's management controller asked what the server is made of, and enter it.
    Discover(DiscoverArgs),
}

/// Which row to show.
#[derive(Args, Clone, Debug)]
pub struct GetArgs {
    /// The kind, such as `site`.
    pub kind: String,
    /// Its id or UUID.
    pub id: String,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// What to make.
#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// The kind, such as `site`.
    pub kind: String,
    /// Its fields.
    #[command(flatten)]
    pub fields: Fields,
    /// The organization or project it hangs on, by id or UUID; your own when left out.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Make it once, however often this is repeated with the same key.
    #[arg(long)]
    pub idempotency_key: Option<String>,
    /// Show what would be, and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// What to change.
#[derive(Args, Clone, Debug)]
pub struct PatchArgs {
    /// The kind, such as `site`.
    pub kind: String,
    /// Its id or UUID.
    pub id: String,
    /// Its new fields; null takes one out.
    #[command(flatten)]
    pub fields: Fields,
    /// Only if it still has this version.
    #[arg(long, value_name = "N")]
    pub if_version: Option<u64>,
    /// Show what would be, and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// What to remove.
#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    /// The kind, such as `site`.
    pub kind: String,
    /// Its id or UUID.
    pub id: String,
    /// Only if it still has this version.
    #[arg(long, value_name = "N")]
    pub if_version: Option<u64>,
    /// Show what would be, and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// What to follow.
#[derive(Args, Clone, Debug)]
pub struct WatchArgs {
    /// The kind; all when left out.
    pub kind: Option<String>,
    /// Begin after this cursor instead of now.
    #[arg(long)]
    pub cursor: Option<String>,
    /// Tell of each changed row whether it is in this filter, as JSON.
    #[arg(long, requires = "kind")]
    pub filter: Option<String>,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// What to describe.
#[derive(Args, Clone, Debug)]
pub struct KindsArgs {
    /// The kind; all when left out.
    pub kind: Option<String>,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// Nothing more is asked.
#[derive(Args, Clone, Debug)]
pub struct WhoamiArgs {
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// Which controller to ask.
#[derive(Args, Clone, Debug)]
pub struct DiscoverArgs {
    /// The equipment that is the management controller, by id or UUID.
    pub equipment: String,
    /// The plan, by id or UUID, under which a server that is not known yet is entered.
    #[arg(long)]
    pub plan: Option<String>,
    /// How many seconds to wait for its answer; 0 does not wait.
    #[arg(long, default_value_t = 120)]
    pub wait: u64,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// Which rows, and how many.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// The kind, such as `site`.
    pub kind: String,
    /// Comparisons: `field=value` or `field__op=value`, all of which must hold.
    #[arg(value_name = "FIELD=VALUE")]
    pub comparisons: Vec<String>,
    /// A filter as JSON.
    #[arg(long)]
    pub filter: Option<String>,
    /// Words to search for.
    #[arg(long, short = 'q')]
    pub query: Option<String>,
    /// Fields to order by, with commas; a hyphen before one turns it around.
    #[arg(long, allow_hyphen_values = true)]
    pub order: Option<String>,
    /// At most this many rows; all when left out.
    #[arg(long)]
    pub limit: Option<u64>,
    /// The server.
    #[command(flatten)]
    pub connection: Connection,
}

/// The fields of a row: from a file, from `key=value` pairs, or both.
#[derive(Args, Clone, Debug, Default)]
pub struct Fields {
    /// A JSON file with the fields; `-` reads standard input.
    #[arg(long, short = 'f')]
    pub file: Option<PathBuf>,
    /// `name=text`, `rate:=100` (JSON), `secret@=file` (a secret, read from a file); dots reach into objects.
    #[arg(value_name = "KEY=VALUE")]
    pub pairs: Vec<String>,
}

/// Runs a command, writes its answer to standard output and what went wrong to standard error, and tells the exit status.
///
/// # Errors
/// What is not the server's refusal: it cannot be reached, or the fields given are none.
pub async fn run(command: ClientCommand) -> anyhow::Result<ExitCode> {
    match run_to(command, &mut std::io::stdout()).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => match error.downcast_ref::<Failure>() {
            Some(failure) => {
                eprintln!("meetme: {failure}");
                Ok(ExitCode::from(failure.exit_status()))
            }
            // Whoever reads our output has seen enough: `meetme list site | head`.
            None if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
            None => Err(error),
        },
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |kind: std::io::ErrorKind| kind == std::io::ErrorKind::BrokenPipe;
    error.downcast_ref::<std::io::Error>().is_some_and(|error| broken(error.kind()))
        || error.downcast_ref::<serde_json::Error>().is_some_and(|error| error.io_error_kind().is_some_and(broken))
}

/// As [`run`], writing anywhere.
///
/// # Errors
/// [`Failure`] for what the server refuses.
pub async fn run_to(command: ClientCommand, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    match command {
        ClientCommand::Get(args) => {
            let row = Api::new(&args.connection)?.send(Call::get([&args.kind, &args.id])).await?;
            show(out, &args.connection, &row)
        }
        ClientCommand::List(args) => show_list(out, args).await,
        ClientCommand::Create(args) => {
            let mut call =
                Call::new(Method::POST, [&args.kind]).body(input::fields(&args.fields)?).dry_run(args.dry_run);
            call.query.extend(args.tenant.map(|tenant| ("tenant".to_owned(), tenant)));
            call.headers.extend(args.idempotency_key.map(|key| ("idempotency-key", key)));
            show(out, &args.connection, &Api::new(&args.connection)?.send(call).await?)
        }
        ClientCommand::Patch(args) => {
            let call = Call::new(Method::PATCH, [&args.kind, &args.id]).body(input::fields(&args.fields)?);
            let call = call.dry_run(args.dry_run).version(args.if_version);
            show(out, &args.connection, &Api::new(&args.connection)?.send(call).await?)
        }
        ClientCommand::Delete(args) => {
            let call = Call::new(Method::DELETE, [&args.kind, &args.id]).dry_run(args.dry_run).version(args.if_version);
            Api::new(&args.connection)?.send(call).await?;
            if args.connection.output == Output::Table {
                let what = if args.dry_run { "could be removed" } else { "is removed" };
                writeln!(out, "{} {} {what}", args.kind, args.id)?;
            }
            Ok(())
        }
        ClientCommand::Watch(args) => watch::run(args, out).await,
        ClientCommand::Kinds(args) => show_kinds(out, args).await,
        ClientCommand::Discover(args) => discover::run(args, out).await,
        ClientCommand::Whoami(args) => {
            let me = Api::new(&args.connection)?.send(Call::get(["whoami"])).await?;
            show(out, &args.connection, &me)
        }
    }
}

fn print(out: &mut impl Write, value: &Value) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(writeln!(out)?)
}

fn show(out: &mut impl Write, how: &Connection, value: &Value) -> anyhow::Result<()> {
    if how.output == Output::Json { print(out, value) } else { Ok(table::members(out, value)?) }
}

/// How many rows are asked for at once.
const PAGE: u64 = 500;

async fn show_list(out: &mut impl Write, list: ListArgs) -> anyhow::Result<()> {
    let api = Api::new(&list.connection)?;
    let mut query = Vec::new();
    for pair in &list.comparisons {
        let Some((name, value)) = pair.split_once('=') else { bail!("`{pair}` is no FIELD=VALUE") };
        query.push((name.to_owned(), value.to_owned()));
    }
    query.extend(list.filter.map(|filter| ("filter".to_owned(), filter)));
    query.extend(list.query.map(|words| ("q".to_owned(), words)));
    query.extend(list.order.map(|order| ("order".to_owned(), order)));
    let most = list.limit.unwrap_or(u64::MAX);
    let mut rows: Vec<Value> = Vec::new();
    let mut offset = 0;
    while (rows.len() as u64) < most {
        let mut call = Call::get([&list.kind]);
        call.query.clone_from(&query);
        let limit = PAGE.min(most - rows.len() as u64);
        call.query.extend([("limit".to_owned(), limit.to_string()), ("offset".to_owned(), offset.to_string())]);
        let mut page = api.send(call).await?;
        let items = page["items"].as_array_mut().context("the server's answer is no list")?;
        rows.append(items);
        match page["next"].as_u64() {
            Some(next) => offset = next,
            None => break,
        }
    }
    if list.connection.output == Output::Json {
        return print(out, &json!({ "items": rows }));
    }
    let call = Call::get(["kinds", &list.kind]).with("schemas", "false");
    Ok(table::rows(out, &api.send(call).await?, &rows)?)
}

async fn show_kinds(out: &mut impl Write, args: KindsArgs) -> anyhow::Result<()> {
    let api = Api::new(&args.connection)?;
    let json = args.connection.output == Output::Json;
    if let Some(kind) = args.kind {
        let described = api.send(Call::get(["kinds", &kind])).await?;
        return if json { print(out, &described) } else { Ok(table::kind(out, &described)?) };
    }
    let kinds = api.send(Call::get(["kinds"]).with("schemas", "false")).await?;
    if json {
        return print(out, &kinds);
    }
    let lines = kinds["items"].as_array().map(Vec::as_slice).unwrap_or_default().iter().map(|kind| {
        let names = kind["fields"].as_array().into_iter().flatten().filter_map(|field| field["name"].as_str());
        vec![table::text(&kind["kind"]), table::text(&kind["area"]), names.collect::<Vec<_>>().join(" ")]
    });
    Ok(table::columns(out, &["KIND", "AREA", "FIELDS"], lines.collect())?)
}
