//! The agent for OpenBGPD: renders a whole configuration, has the daemon's own checker read it, loads it in one step, sees that
//! it runs, and confirms it to a guard that would else bring the old one back.
//!
//! Promise: it talks to the daemon through its own programs and its configuration file only, on the machine the agent runs
//! on; it knows no controller and no store. However many sessions change, an apply is one reload.

mod change;
mod filter;
mod mark;
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
use meetme_base::Clock;
use meetme_local::{read, recover, run};

pub use render::render;
pub use settings::Settings;

/// Of how many sessions the accepted routes are counted in one pass, and how many routes are listed for it at most.
const COUNTED: usize = 20;
const LISTED: u32 = 20_000;

/// Drives OpenBGPD on the machine this runs on.
pub struct OpenBgpd {
    clock: Arc<dyn Clock>,
    gate: FenceGate,
    /// One change or look at a time for each box: a look must not take a change under way for one that was left.
    turns: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>,
    /// Where the next pass goes on counting accepted routes.
    next_counted: AtomicUsize,
}

impl OpenBgpd {
    /// An agent that takes the present moment from `clock` and refuses the fences that `gate` refuses.
    pub fn new(clock: Arc<dyn Clock>, gate: FenceGate) -> Self {
        Self { clock, gate, turns: Mutex::default(), next_counted: AtomicUsize::new(0) }
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
            tracing::info!(equipment.id = target.id, fence = fence.0, "loading a configuration into OpenBGPD");
            change::load(&settings, plan.after.expose()).await?;
        }
        self.seen(&settings).await
    }

    async fn seen(&self, settings: &Settings) -> Result<Observed, AgentError> {
        let neighbours = change::ask_neighbours(settings).await?;
        let now = self.clock.now();
        // `bgpctl` is of one version with its daemon, whose own it does not tell.
        let version = run(&settings.bgpctl(&["-V"]), settings.answer_time()).await.map(|ran| ran.words());
        let version = version.map_err(|trouble| AgentError::unreachable(format!("{trouble}.")))?;
        let config = read(&settings.config_path).await?.map(|kept| kept.text).unwrap_or_default();
        let running = match mark::of(&config) {
            Some(mark) if change::runs(settings, mark).await? => Some(mark.to_owned()),
            _ => None,
        };
        let keys = render::sessions(&config);
        let mut sessions: Vec<SessionState> = neighbours.iter().map(|n| n.session(&keys, now)).collect();
        self.count(settings, &mut sessions).await?;
        let config_sha256 = mark::sha256(&config);
        Ok(Observed { version, config: WireSecret::new(config), config_sha256, running, sessions })
    }

    /// Counts the routes that passed the import policies of some sessions, of others in each pass. The daemon keeps no such count,
    /// so they are listed.
    async fn count(&self, settings: &Settings, sessions: &mut [SessionState]) -> Result<(), AgentError> {
        let is_counted = |s: &SessionState| s.state == BgpState::Established && s.received.is_some_and(|n| n <= LISTED);
        let up: Vec<usize> = (0..sessions.len()).filter(|i| is_counted(&sessions[*i])).collect();
        let many = up.len().min(COUNTED);
        let start = if many < up.len() { self.next_counted.fetch_add(many, Ordering::Relaxed) } else { 0 };
        for step in 0..many {
            let session = &mut sessions[up[start.wrapping_add(step) % up.len()]];
            let Some(address) = session.peer_address else { continue };
            let said = change::ask(settings, &["-j", "show", "rib", "neighbor", &address.to_string()]).await?;
            session.accepted = state::routes(&said);
        }
        Ok(())
    }
}

/// What was altered in the running daemon while the file says what it should.
fn altered_by_hand(want: &Desired, mark: Option<&str>, seen: &Observed) -> Vec<String> {
    if seen.running.as_deref() != mark {
        return vec!["The daemon runs another configuration than the one in its file.".to_owned()];
    }
    if want.custom_text.is_some() {
        return Vec::new();
    }
    let states: HashMap<&str, &SessionState> =
        seen.sessions.iter().filter_map(|s| Some((s.key.as_ref()?.as_str(), s))).collect();
    let notes = want.sessions.iter().filter_map(|session| {
        let state = states.get(session.key.as_str())?;
        let is_on = state.enabled || state.state == BgpState::Established;
        let word = if is_on { "enabled" } else { "disabled" };
        (is_on != session.enabled).then(|| format!("Session {} was {word} by hand.", session.key))
    });
    notes.collect()
}

impl Agent<Router> for OpenBgpd {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(self.observe_now(target))
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        if !["OpenBGPD 7.", "OpenBGPD 8."].iter().any(|known| seen.version.starts_with(known)) {
            return Err(AgentError::unsupported(format!(
                "This agent speaks to OpenBGPD 7 and 8, the box runs {:?}.",
                seen.version
            )));
        }
        let before = seen.config.expose();
        let after = render(want, before)?;
        let is_text_change = before != after;
        let notes = if is_text_change { Vec::new() } else { altered_by_hand(want, mark::of(&after), seen) };
        Ok(Plan {
            before: seen.config.clone(),
            diff: unified(before, &after, text::masked),
            is_change: is_text_change || !notes.is_empty(),
            after: WireSecret::new(after),
            notes,
        })
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_now(target, plan, fence))
    }
}
