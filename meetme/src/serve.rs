//! `meetme serve`: the store, the core, the controllers and the doors, started in this order and stopped in the other.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use meetme_app::{App, MasterKey, Sealer, Settings};
use meetme_base::SystemClock;
use meetme_http::{Dialect, Server};
use meetme_store::Store;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, LogFormat},
    demo,
};

/// What the server is told on the command line.
#[derive(Args)]
pub struct ServeArgs {
    /// Fills an empty store with a small world in which the examples of every dialect work, and prints its credentials.
    #[arg(long)]
    demo: bool,
    /// The directory for everything the server keeps in files.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Listens here, instead of where the configuration says.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The dialects, in the order in which they are asked when several could answer.
pub fn dialects() -> Vec<Dialect> {
    vec![
        meetme_native::dialect(),
        meetme_peering::dialect(),
        meetme_port::dialect(),
        meetme_megaport::dialect(),
        meetme_pureport::dialect(),
        meetme_packet::dialect(),
    ]
}

/// Prints the operation tables.
pub fn print_operations() -> Result<()> {
    use std::io::Write as _;
    let dialects = dialects();
    let mut out = std::io::stdout().lock();
    for row in meetme_http::table(&dialects) {
        let line = serde_json::json!({
            "dialect": row.dialect, "id": row.op.id, "method": row.op.method.as_str(), "path": row.op.path,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Opens the store and puts the core over it.
pub fn open(config: &Config, data: &std::path::Path) -> Result<App> {
    std::fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
    let key = config.access.master_key_file.clone().unwrap_or_else(|| data.join("master.key"));
    let sealer = Sealer::new(&MasterKey::at(&key)?);
    let store = Store::open(&config.open(data)?, meetme_control::registry(), Arc::new(SystemClock))
        .context("opening the store")?;
    let settings = Settings {
        session_seconds: config.access.session_seconds,
        login_failures_per_minute: config.access.login_failures_per_minute,
        ..Settings::default()
    };
    Ok(App::new(store, sealer, settings))
}

/// Writes log lines as configured.
pub fn log_to_stderr(config: &Config) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.level).context("log.level")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Runs the server until it is told to stop.
pub async fn run(args: ServeArgs) -> Result<()> {
    let mut config = Config::load(args.config.as_deref(), std::env::vars())?;
    if let Some(listen) = args.listen {
        config.server.listen = vec![listen];
    }
    log_to_stderr(&config)?;
    let app = open(&config, &args.data)?;
    let stop = CancellationToken::new();
    let mut server = Server::new(config.server.clone(), dialects(), app.clone())?;
    let agents = meetme_control::Agents::local(app.clock().clone(), &args.data)?;
    let hub = agents.hub();
    meetme_native::attach(&app, hub);
    let controllers = if config.control.enabled {
        let runner = meetme_control::Runner::new(app.clone(), meetme_control::controllers(&app, &agents))
            .workers(config.control.workers);
        Some(tokio::spawn(runner.run(stop.child_token())))
    } else {
        None
    };
    let world = if args.demo { Some(demo::prepare(&app).await?) } else { None };
    let ready = demo::Readiness::new(app.clone(), args.demo);
    server.check("store", ready.store());
    server.check("demo", ready.demo());
    let bound = server.bind().await?;
    let address = bound.listening().first().map(ToString::to_string);
    let Some(address) = address else { bail!("no listener is configured") };
    tracing::info!(listen = %address, demo = args.demo, "meetme serves");
    if let Some(world) = world {
        world.announce(&args.data, &format!("http://{address}"))?;
    }
    let signalled = stop.clone();
    tokio::spawn(async move {
        stopped().await;
        tracing::info!("stopping");
        signalled.cancel();
    });
    let served = bound.run(stop.clone()).await;
    stop.cancel();
    if let Some(controllers) = controllers {
        controllers.await.context("the controllers")?;
    }
    tracing::info!("stopped");
    Ok(served?)
}

/// Waits for an interrupt or a polite kill.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                done = tokio::signal::ctrl_c() => drop(done),
            }
        }
        Err(e) => {
            tracing::warn!(error = %e, "only an interrupt will stop the server");
            drop(tokio::signal::ctrl_c().await);
        }
    }
}
