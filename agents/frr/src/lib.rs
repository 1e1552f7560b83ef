//! The agent for FRR: renders the BGP part of its configuration, has its own checker read it, sends it the difference, sees
//! that it runs what it was given, and confirms it to a guard that would else bring it back.
//!
//! Promise: it talks to the daemons through FRR's own programs and its configuration file only, on the machine the agent
//! runs on; it knows no controller and no store. What of a router is not ours, it leaves as it finds it.
//!
//! How a change is made safe: FRR has no commit and no confirmation. So before the first line is sent, the way back is on disk
//! and a process of its own counts down to take it; see [`meetme_local`]. FRR is believed only what it shows: a line that it
//! does not show as it was given is a refusal, and the change is taken back.

mod change;
mod config;
mod difference;
mod limits;
mod look;
mod policy;
mod render;
mod settings;
mod state;
mod text;

#[cfg(test)]
mod render_tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use meetme_agent::{
    Agent, AgentError, Fence, FenceGate, Soon, Target, WireSecret,
    router::{BgpState, Desired, Observed, Plan, Router, SessionState},
    unified,
};
use meetme_local::recover;

pub use render::render;
pub use settings::Settings;

use state::{Neighbour, Summary, neighbours, received, watched};

/// How many routes FRR may be made to walk over in one pass to count what peers send, and how many peers at most.
const WALK: u64 = 2_000_000;
const COUNTED: usize = 100;

/// Drives FRR on the machine this runs on.
pub struct Frr {
    gate: FenceGate,
    /// One change or look at a time for each box: a look must not take a change under way for one that was left.
    turns: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>,
    /// Where the next pass goes on counting what peers send.
    next_counted: AtomicUsize,
}

impl Frr {
    /// An agent that refuses the fences that `gate` refuses.
    pub fn new(gate: FenceGate) -> Self {
        Self { gate, turns: Mutex::default(), next_counted: AtomicUsize::new(0) }
    }

    fn turn(&self, target: i64) -> Arc<tokio::sync::Mutex<()>> {
        // Nothing can panic while the map is held, so a poisoned lock holds a whole map.
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(target).or_default())
    }

    async fn observe_now(&self, target: &Target) -> Result<Observed, AgentError> {
        let settings = Settings::of(target)?;
        let turn = self.turn(target.id);
        let _turn = turn.lock().await;
        recover(&settings.config_path, settings.undo_time()).await?;
        self.seen(&settings).await
    }

    async fn apply_now(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = Settings::of(target)?;
        let turn = self.turn(target.id);
        let _turn = turn.lock().await;
        self.gate.admit(target.id, fence)?;
        recover(&settings.config_path, settings.undo_time()).await?;
        if plan.is_change {
            tracing::info!(equipment.id = target.id, fence = fence.0, "changing the configuration of FRR");
            change::load(&settings, plan.after.expose()).await?;
        }
        self.seen(&settings).await
    }

    async fn seen(&self, settings: &Settings) -> Result<Observed, AgentError> {
        let look = look::look(settings).await?;
        let keys = look.given.as_ref().map(|given| render::sessions(&given.text)).unwrap_or_default();
        let neighbours = neighbours(&look.ours, &keys);
        let mut sessions: Vec<SessionState> = neighbours.iter().map(|n| look.summary.session(n)).collect();
        watch(settings, &neighbours, &mut sessions).await;
        self.count(settings, &look.summary, &neighbours, &mut sessions).await?;
        let unheeded = limits::unheeded(&look.ours, &sessions);
        if !unheeded.is_empty() {
            tracing::warn!(sessions = unheeded.sessions, "FRR is told the limits again that it has not seen exceeded");
            look::ask(settings, &unheeded.commands()).await?;
        }
        let config = look.config();
        let config_sha256 = look::sha256(&config);
        Ok(Observed {
            version: look.version.clone(),
            running: look.is_kept.then(|| config_sha256.clone()),
            config: WireSecret::new(config),
            config_sha256,
            sessions,
        })
    }

    /// Counts what established peers send: of all of them where that is little work, else of some, others in each pass.
    async fn count(
        &self,
        settings: &Settings,
        summary: &Summary,
        neighbours: &[Neighbour],
        sessions: &mut [SessionState],
    ) -> Result<(), AgentError> {
        let up: Vec<usize> = (0..sessions.len())
            .filter(|i| sessions[*i].state == BgpState::Established && sessions[*i].peer_address.is_some())
            .collect();
        let many = usize::try_from(WALK / summary.routes.max(1)).unwrap_or(COUNTED);
        let many = many.clamp(1, COUNTED).min(up.len());
        let start = if many < up.len() { self.next_counted.fetch_add(many, Ordering::Relaxed) } else { 0 };
        let chosen: Vec<usize> = (0..many).map(|step| up[start.wrapping_add(step) % up.len()]).collect();
        let questions: Vec<String> = chosen
            .iter()
            .map(|i| {
                let family = if sessions[*i].peer_address.is_some_and(|a| a.is_ipv4()) { "ipv4" } else { "ipv6" };
                format!("show bgp {family} unicast neighbors {} prefix-counts json", neighbours[*i].name)
            })
            .collect();
        if questions.is_empty() {
            return Ok(());
        }
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        let counts = received(&look::ask(settings, &questions).await?);
        for i in chosen {
            sessions[i].received = counts.get(&neighbours[i].name).copied();
        }
        Ok(())
    }
}

/// Sees how the paths are that FRR is to watch. A router whose daemon for it does not run tells nothing of them.
async fn watch(settings: &Settings, neighbours: &[Neighbour], sessions: &mut [SessionState]) {
    if !neighbours.iter().any(|n| n.is_watched) {
        return;
    }
    match look::ask(settings, &["show bfd peers json"]).await {
        Ok(said) => {
            let paths = watched(&said);
            for (session, of) in sessions.iter_mut().zip(neighbours).filter(|(_, of)| of.is_watched) {
                session.bfd = paths.get(&of.name).copied();
            }
        }
        Err(error) => tracing::warn!(%error, "FRR does not tell how the paths to its peers are"),
    }
}

impl Agent<Router> for Frr {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(self.observe_now(target))
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        if !["FRRouting 8.", "FRRouting 9."].iter().any(|known| seen.version.starts_with(known)) {
            return Err(AgentError::unsupported(format!(
                "This agent speaks to FRR 8 and 9, the box runs {:?}.",
                seen.version
            )));
        }
        let after = render(want)?;
        let [was, will] = [seen.config.expose(), &after].map(config::parse);
        let names_others = render::sessions(seen.config.expose()) != render::sessions(&after);
        let is_text_change = seen.config.expose() != after && (names_others || !config::same(&was, &will));
        let notes = match seen.running {
            None if !is_text_change => vec!["The file FRR starts from says something else than FRR runs.".to_owned()],
            _ => Vec::new(),
        };
        let before = config::print(&config::arranged(&was, &will));
        Ok(Plan {
            before: seen.config.clone(),
            diff: unified(&before, &config::print(&will), text::masked),
            is_change: is_text_change || !notes.is_empty(),
            after: WireSecret::new(after),
            notes,
        })
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_now(target, plan, fence))
    }
}
