//! `meetme serve`: the store, the core, the controllers and the doors, started in this order and stopped in the other.

use std::{
    io::IsTerminal as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use meetme_agent::FenceGate;
use meetme_app::{App, MasterKey, Sealer, Settings, peering::inventory::Inventory};
use meetme_base::SystemClock;
use meetme_control::{Agents, Pace, Runner, Settings as RunnerSettings, hub::Hub, jobs::JobController};
use meetme_hook::Listener;
use meetme_http::{Dialect, Server};
use meetme_redfish::Redfish;
use meetme_sim::Sim;
use meetme_store::Store;
use tokio_util::sync::CancellationToken;

use crate::{
    agent,
    config::{Config, LogFormat},
    demo,
    housekeeping::{self, Keep},
    link, metal, metrics, outside, sessions, workers,
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
pub fn dialects(hub: Arc<Hub>) -> Vec<Dialect> {
    vec![
        link::dialect(hub),
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
    let dialects = dialects(Hub::new(Duration::ZERO, CancellationToken::new()));
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
pub fn open(config: &Config, data: &Path) -> Result<App> {
    std::fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
    let key = config.access.master_key_file.clone().unwrap_or_else(|| data.join("master.key"));
    let sealer = Sealer::new(&MasterKey::at(&key)?);
    outside::check(config)?;
    let store = Store::open(&config.open(data)?, outside::registry(config), Arc::new(SystemClock))
        .context("opening the store")?;
    let settings = Settings {
        session_seconds: config.access.session_seconds,
        login_failures_per_minute: config.access.login_failures_per_minute,
        registries: config.irr.is_on(),
        sample_seconds: i64::from(config.history.sample_minutes) * 60,
        inventory: Inventory { roles: config.netbox.device_roles.clone(), tags: config.netbox.tags.clone() },
        ..Settings::default()
    };
    Ok(App::new(store, sealer, settings))
}

/// Writes log lines as configured.
pub fn log_to_stderr(config: &Config) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.level).context("log.level")?;
    // Colours are for people; in a file or a pipe they are noise.
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
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
    let hub = Hub::new(Duration::from_secs(config.control.agent_seconds.max(1)), stop.child_token());
    let agents = agents(&app, &hub, &args.data)?;
    let controllers = if config.control.enabled {
        meetme_control::reservation::look_at_all(&app).await?;
        let settings = RunnerSettings { concurrency: config.control.workers, ..RunnerSettings::default() };
        let jobs = JobController::new(app.clone(), workers::workers(&app, &agents, &config)?);
        let give_up = Duration::from_secs(config.control.give_up_seconds.max(1));
        let pace = Pace { give_up, ..Pace::default() };
        let mut controllers = meetme_control::controllers_at(app.clone(), agents, pace);
        controllers.push(Box::new(jobs));
        controllers.push(Box::new(workers::hooks(&app, &config)));
        Some(Runner::new(app.store().clone(), controllers, settings))
    } else {
        None
    };
    let world = if args.demo { Some(demo::prepare(&app).await?) } else { None };
    if config.access.sign_up {
        app.open_to_sign_up();
    }
    // After the demo, whose organizations it may name, and before anybody is listened to.
    if let Some(organization) = &config.access.anonymous_reads {
        meetme_app::identity::open_book(&app, organization).await.context("access.anonymous_reads")?;
    }
    if config.access.anonymous_peering_requests {
        anyhow::ensure!(
            config.access.anonymous_reads.is_some(),
            "access.anonymous_peering_requests: name the organization in access.anonymous_reads"
        );
        app.open_portal();
    }
    let ready = demo::Readiness::new(app.clone(), args.demo);
    let server = Server::new(config.server.clone(), dialects(hub), app.clone())?
        .check("store", ready.store())
        .check("demo", ready.demo());
    let outside = if config.control.enabled { outside::runners(&app, &config).await? } else { Vec::new() };
    let runners: Vec<Runner> = controllers.into_iter().chain(outside).collect();
    metrics::register(server.metrics(), runners.iter().map(Runner::counters).collect());
    let runners: Vec<_> = runners.into_iter().map(|runner| tokio::spawn(runner.run(stop.child_token()))).collect();
    if config.metrics.sessions {
        let sessions = sessions::Sessions::default();
        metrics::register_sessions(server.metrics(), sessions.clone());
        tokio::spawn(sessions.watch(app.clone(), config.metrics.clone(), stop.child_token()));
    }
    let housekeeping = tokio::spawn(housekeeping::run(app.clone(), Keep::of(&config), stop.child_token()));
    let listener = config.control.enabled.then(|| tokio::spawn(Listener::new(app.clone()).run(stop.child_token())));
    if config.control.enabled {
        let settings = config.peeringdb.clone();
        tokio::spawn(meetme_peeringdb::keep_fresh(app.clone(), settings, stop.child_token()));
    }
    let metal = metal::start(&app, &config, &args.data, &stop).await?;
    let bound = server.bind().await?;
    let doors: Vec<String> = bound
        .listening()
        .filter(|l| l.dialect.is_none() && !l.admin)
        .map(|l| format!("{}://{}", if l.secure { "https" } else { "http" }, l.address))
        .collect();
    let Some(base) = doors.first() else { bail!("no listener is configured") };
    tracing::info!(listen = ?doors, demo = args.demo, "meetme serves");
    let certificate = bound.certificate().map(|pem| publish(&args.data, pem)).transpose()?;
    if let Some(world) = world {
        let https = doors.iter().find(|door| door.starts_with("https:")).zip(certificate.as_deref());
        world.announce(&args.data, base, https.map(|(base, certificate)| demo::Https { base, certificate }))?;
    }
    let signalled = stop.clone();
    tokio::spawn(async move {
        stopped().await;
        tracing::info!("stopping");
        signalled.cancel();
    });
    bound.run(stop.clone()).await;
    stop.cancel();
    for runner in runners {
        runner.await.context("the controllers")?;
    }
    if let Some(listener) = listener {
        listener.await.context("the listener of webhooks")?;
    }
    housekeeping.await.context("the housekeeping")?;
    metal.await.context("the machines' listener")?;
    tracing::info!("stopped");
    Ok(())
}

/// Puts the certificate that the server made for itself where clients can be told to trust it. It is another one at each start.
fn publish(data: &Path, pem: &str) -> Result<PathBuf> {
    let file = std::path::absolute(data.join("certificate.pem"))?;
    std::fs::write(&file, pem).with_context(|| format!("writing {}", file.display()))?;
    tracing::info!(file = %file.display(), "the server made a certificate for itself, which clients have to be told to trust");
    Ok(file)
}

/// The agents in this process, and those elsewhere behind the hub.
fn agents(app: &App, hub: &Arc<Hub>, data: &Path) -> Result<Agents> {
    let sim = Arc::new(Sim::new(Arc::clone(app.clock())));
    let fences = FenceGate::kept_in(data.join("servers.fences"))?;
    let redfish = Arc::new(Redfish::new(Arc::clone(app.clock()), fences));
    let mut agents = Agents::new("sim")
        .with_circuit("sim", sim.clone())
        .with_switch("sim", sim.clone())
        .with_server("sim", sim.clone())
        .with_storage("sim", sim.clone())
        .with_discoverer("sim", sim)
        .with_server("redfish", redfish.clone())
        .with_discoverer("redfish", redfish);
    for (make, agent) in agent::makes(Arc::clone(app.clock()), data)? {
        agents = agents.with_router(Agents::remote(&make), hub.routers(Arc::clone(&agent))).with_router(make, agent);
    }
    Ok(agents)
}

/// Waits for an interrupt or a polite kill.
pub async fn stopped() {
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
