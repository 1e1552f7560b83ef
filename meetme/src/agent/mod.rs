//! `meetme agent`: runs beside the equipment, dials out to the server, and does what it is given.
//!
//! It keeps on disk the highest fence it has seen of each box and the last configuration each was given. While the server cannot be
//! reached it looks at its boxes by itself and puts back what was changed by hand, where the equipment's `repair` says so.
//!
//! It ends by itself only when it is told to or when the server refuses it; whatever else goes wrong between the two passes.

mod boxes;
mod talk;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use meetme_agent::{Agent, FenceGate, router::Router};
use meetme_base::{Clock, SystemClock};
use meetme_bird::Bird;
use meetme_control::hub::{Answer, Report};
use meetme_frr::Frr;
use meetme_gobgp::Gobgp;
use meetme_sim::Sim;

use boxes::Boxes;
use talk::{Talk, Trouble};

/// How long a result is worth telling: after that the server has long asked again.
const WORTH_TELLING: Duration = Duration::from_secs(60);

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
    /// Where fences and the last configurations are kept, secrets in the clear: of this agent alone.
    #[arg(long, default_value = "agent-data")]
    data: PathBuf,
    /// How many seconds without an answer of the server before the agent looks after its boxes by itself.
    #[arg(long, default_value_t = 30)]
    patience: u64,
}

/// Serves until it is stopped.
///
/// # Errors
/// When the arguments do not fit, the data directory cannot be used, or the server refuses this agent.
pub async fn run(args: AgentArgs) -> Result<()> {
    crate::serve::log_to_stderr(&crate::config::Config::load(None, std::env::vars())?)?;
    make_private(&args.data).with_context(|| format!("making {}", args.data.display()))?;
    let mut serves = HashMap::new();
    for named in &args.serves {
        let Some((name, make)) = named.rsplit_once('=') else { bail!("--serves {named}: write NAME=MAKE") };
        serves.insert(name.to_owned(), make.to_owned());
    }
    let makes = makes(Arc::new(SystemClock), &args.data)?;
    if let Some(unknown) = serves.values().find(|make| !makes.contains_key(*make)) {
        bail!("this agent drives no equipment of the make {unknown}");
    }
    let mut names: Vec<String> = serves.keys().cloned().collect();
    names.sort_unstable();
    tracing::info!(server = %args.server, equipment = ?names, "the agent dials out");
    let session = Session {
        talk: Talk::new(&args.server, args.key, names)?,
        boxes: Boxes::open(makes, serves, args.data.join("kept.json")),
        patience: Duration::from_secs(args.patience),
    };
    session.run(crate::serve::stopped()).await
}

/// The agents for routers that this program has, by make.
///
/// # Errors
/// When the fences kept in `data` cannot be understood.
pub fn makes(clock: Arc<dyn Clock>, data: &Path) -> Result<HashMap<String, Arc<dyn Agent<Router>>>> {
    let gate = FenceGate::kept_in(data.join("fences.json"))?;
    let mut out: HashMap<String, Arc<dyn Agent<Router>>> = HashMap::new();
    out.insert("bird".to_owned(), Arc::new(Bird::new(Arc::clone(&clock), gate)));
    // A box is driven by one make at a time, so each keeps the fences of its own boxes.
    let gate = FenceGate::kept_in(data.join("fences-frr.json"))?;
    out.insert("frr".to_owned(), Arc::new(Frr::new(gate)));
    let gate = FenceGate::kept_in(data.join("fences-gobgp.json"))?;
    out.insert("gobgp".to_owned(), Arc::new(Gobgp::new(gate, data)));
    out.insert("sim".to_owned(), Arc::new(Sim::new(clock)));
    Ok(out)
}

/// A directory that is its owner's alone, unless it is there already.
fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// An agent at work.
struct Session {
    talk: Talk,
    boxes: Boxes,
    patience: Duration,
}

impl Session {
    /// Asks for work, does it and tells of it, until `stop` comes. Work that was begun is finished and told of first.
    async fn run(&self, stop: impl Future<Output = ()>) -> Result<()> {
        tokio::pin!(stop);
        let (mut heard, mut is_away) = (Instant::now(), false);
        let mut untold: Option<(Instant, Report)> = None;
        let mut refused = Vec::new();
        loop {
            let said = match &untold {
                Some((_, report)) => self.talk.done(report).await.map(|()| Answer::default()),
                None => tokio::select! {
                    () = &mut stop => return Ok(()),
                    said = self.talk.next() => said.inspect(|answer| warn_of(&mut refused, &answer.refused)),
                },
            };
            match said {
                Ok(answer) => {
                    if std::mem::take(&mut is_away) {
                        tracing::info!("the server answers again");
                    }
                    untold = match answer.work {
                        Some(work) => {
                            let id = work.id;
                            let result = self.boxes.perform(work).await;
                            Some((Instant::now(), Report { id, result }))
                        }
                        None => None,
                    };
                    heard = Instant::now();
                }
                Err(Trouble::Refused(why)) => bail!("the server refuses this agent: {why}"),
                Err(Trouble::Away(why)) => {
                    if !std::mem::replace(&mut is_away, true) {
                        tracing::warn!(%why, "the server cannot be reached");
                    }
                    untold = untold.filter(|(since, _)| since.elapsed() < WORTH_TELLING);
                    if heard.elapsed() >= self.patience {
                        self.boxes.look_after().await;
                    }
                    tokio::select! {
                        () = &mut stop => return Ok(()),
                        () = tokio::time::sleep(Duration::from_secs(self.patience.as_secs().clamp(1, 5))) => {}
                    }
                }
            }
        }
    }
}

/// Says once which names the server has nothing for.
fn warn_of(known: &mut Vec<String>, refused: &[String]) {
    if known != refused {
        if !refused.is_empty() {
            tracing::warn!(equipment = ?refused, "this key may act on no equipment of these names; they are not served");
        }
        known.clear();
        known.extend_from_slice(refused);
    }
}
