//! `meetme agent`: runs beside the equipment, dials out to the server, and does what it is given.
//!
//! It keeps on disk the highest fence it has seen of each box and the last configuration it was given. While the server cannot be
//! reached it looks at its boxes by itself and puts back what was changed by hand.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use meetme_agent::{Agent, AgentError, Fence, FenceGate, Target, router::Router};
use meetme_base::{Clock, SystemClock};
use meetme_bird::Bird;
use meetme_control::hub::{Assignment, Done, Work};
use meetme_sim::Sim;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What an agent is told on the command line.
#[derive(Args)]
pub struct AgentArgs {
    /// The server's address; `https://` anywhere but on one machine.
    #[arg(long, env = "MEETME_SERVER")]
    server: String,
    /// The secret of a key that may act on the equipment.
    #[arg(long, env = "MEETME_AGENT_KEY", hide_env_values = true)]
    key: String,
    /// The names of the equipments this agent serves, and their make: `edge1=bird`.
    #[arg(long = "serves", required = true, value_name = "NAME=MAKE")]
    serves: Vec<String>,
    /// Where fences and the last configurations are kept.
    #[arg(long, default_value = "agent-data")]
    data: PathBuf,
    /// How many seconds without the server before the agent looks after its boxes by itself.
    #[arg(long, default_value_t = 30)]
    patience: u64,
}

/// What was last done to a box: enough to do it again.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    target: Target,
    plan: meetme_agent::router::Plan,
    fence: Fence,
}

struct Worker {
    makes: HashMap<String, Arc<dyn Agent<Router>>>,
    serves: HashMap<String, String>,
    data: PathBuf,
}

/// Serves until it is stopped.
pub async fn run(args: AgentArgs) -> Result<()> {
    crate::serve::log_to_stderr(&crate::config::Config::load(None, std::env::vars())?)?;
    std::fs::create_dir_all(&args.data).with_context(|| format!("making {}", args.data.display()))?;
    let mut serves = HashMap::new();
    for named in &args.serves {
        let Some((name, make)) = named.split_once('=') else { bail!("--serves {named}: write NAME=MAKE") };
        serves.insert(name.to_owned(), make.to_owned());
    }
    let worker = Worker { makes: makes(Arc::new(SystemClock), &args.data)?, serves, data: args.data };
    if let Some(unknown) = worker.serves.values().find(|make| !worker.makes.contains_key(*make)) {
        bail!("this agent drives no equipment of the make {unknown}");
    }
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    let names: Vec<&String> = worker.serves.keys().collect();
    let next = format!("{}{}/next", args.server.trim_end_matches('/'), crate::link::ROOT);
    let done = format!("{}{}/done", args.server.trim_end_matches('/'), crate::link::ROOT);
    let mut alone_since: Option<std::time::Instant> = None;
    tracing::info!(server = %args.server, equipment = ?names, "the agent dials out");
    loop {
        let asked = client.post(&next).bearer_auth(&args.key).json(&json!({"serves": names})).send().await;
        match asked {
            Ok(answer) if answer.status() == StatusCode::OK => {
                alone_since = None;
                let work: Assignment = answer.json().await.context("the server's work cannot be read")?;
                let id = work.id;
                let result = worker.perform(work).await;
                let report = json!({"id": id, "result": result});
                if let Err(e) = client.post(&done).bearer_auth(&args.key).json(&report).send().await {
                    tracing::warn!(error = %e, "the result could not be told");
                }
            }
            Ok(answer) if answer.status() == StatusCode::NO_CONTENT => alone_since = None,
            Ok(answer) if answer.status().is_client_error() => {
                bail!("the server refuses this agent: {} {}", answer.status(), answer.text().await.unwrap_or_default());
            }
            other => {
                let why = match other {
                    Ok(answer) => answer.status().to_string(),
                    Err(e) => e.to_string(),
                };
                let since = *alone_since.get_or_insert_with(std::time::Instant::now);
                tracing::warn!(%why, "the server cannot be reached");
                if since.elapsed() >= Duration::from_secs(args.patience) {
                    worker.heal().await;
                }
                tokio::time::sleep(Duration::from_secs(args.patience.clamp(1, 5))).await;
            }
        }
    }
}

/// The agents for routers that this program has, by make.
pub fn makes(clock: Arc<dyn Clock>, data: &Path) -> Result<HashMap<String, Arc<dyn Agent<Router>>>> {
    let gate = FenceGate::kept_in(data.join("fences.json"))?;
    let mut out: HashMap<String, Arc<dyn Agent<Router>>> = HashMap::new();
    out.insert("bird".to_owned(), Arc::new(Bird::new(Arc::clone(&clock), gate)));
    out.insert("sim".to_owned(), Arc::new(Sim::new(clock)));
    Ok(out)
}

impl Worker {
    async fn perform(&self, work: Assignment) -> Done {
        let agent = self.agent(&work.equipment)?;
        match work.work {
            Work::Observe => agent.observe(&work.target).await,
            Work::Apply { plan, fence } => {
                let kept = Kept { target: work.target.clone(), plan: (*plan).clone(), fence };
                let seen = agent.apply(&work.target, *plan, fence).await?;
                if let Err(e) = self.keep(&work.equipment, &kept) {
                    tracing::warn!(error = %e, "the configuration could not be kept for a time without the server");
                }
                Ok(seen)
            }
        }
    }

    fn agent(&self, equipment: &str) -> Result<&Arc<dyn Agent<Router>>, AgentError> {
        self.serves
            .get(equipment)
            .and_then(|make| self.makes.get(make))
            .ok_or_else(|| AgentError::Unsupported { what: format!("This agent does not serve {equipment}.") })
    }

    fn file(&self, equipment: &str) -> PathBuf {
        let safe: String = equipment.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        self.data.join(format!("{safe}.kept.json"))
    }

    fn keep(&self, equipment: &str, kept: &Kept) -> Result<()> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let (file, fresh) = (self.file(equipment), self.file(equipment).with_extension("new"));
        let mut out = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        out.write_all(&serde_json::to_vec(kept)?)?;
        out.sync_all()?;
        Ok(std::fs::rename(fresh, file)?)
    }

    /// Looks at every box and puts back what it was last given, where that is not what it has.
    async fn heal(&self) {
        for equipment in self.serves.keys() {
            let Ok(text) = std::fs::read(self.file(equipment)) else { continue };
            let Ok(kept) = serde_json::from_slice::<Kept>(&text) else { continue };
            let Ok(agent) = self.agent(equipment) else { continue };
            let healed = async {
                let seen = agent.observe(&kept.target).await?;
                if seen.config == kept.plan.after && seen.running.is_some() {
                    return Ok(false);
                }
                let plan = meetme_agent::router::Plan { before: seen.config, is_change: true, ..kept.plan.clone() };
                agent.apply(&kept.target, plan, kept.fence).await.map(|_| true)
            };
            match healed.await {
                Ok(true) => tracing::info!(equipment = %equipment, "the box was changed by hand and is put back"),
                Ok(false) => {}
                Err::<bool, AgentError>(e) => {
                    tracing::warn!(equipment = %equipment, error = %e, "the box could not be looked after")
                }
            }
        }
    }
}
