//! The agent for GoBGP 3: reads what the daemon has through its gRPC interface, works out the way to what is wanted, takes it
//! step by step, sees it in force, and goes back where it does not take.
//!
//! Promise: it talks to the daemon through its interface only, keeps nothing on the machine but the change that is under way,
//! and knows no controller and no store. However many policies change, they change in one step.
//!
//! How a change is made safe: gobgpd keeps no configuration it could go back to, so what was before is on disk, with the change
//! not yet confirmed, before the first step. If a step fails, the earlier configuration is put back at once; if this process dies
//! or loses the daemon, it is put back by the next look at the box. A daemon that started again empty is filled again by the next pass.

mod api;
mod carry;
mod change;
mod config;
mod journal;
mod mark;
mod policy;
mod read;
mod render;
mod settings;
mod wire;
mod words;

#[cfg(test)]
mod render_tests;

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::PathBuf,
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
use sha2::{Digest as _, Sha256};

pub use settings::Settings;

use api::Api;
use config::{Config, masked};
use journal::{Journal, Unconfirmed};
use read::{Seen, look};

/// Of about how many sessions that are up a pass counts what they accept and advertise; of others the next passes do.
const COUNTED_AT_ONCE: usize = 100;

/// Drives gobgpd daemons.
pub struct Gobgp {
    gate: FenceGate,
    /// Where changes under way are kept.
    directory: PathBuf,
    /// One change at a time for each box.
    changing: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>,
    /// Where the next pass over a large box goes on counting.
    next_counted: AtomicUsize,
}

impl Gobgp {
    /// An agent that refuses the fences that `gate` refuses, and keeps changes under way in `directory`, passwords in the clear.
    pub fn new(gate: FenceGate, directory: impl Into<PathBuf>) -> Self {
        Self { gate, directory: directory.into(), changing: Mutex::default(), next_counted: AtomicUsize::new(0) }
    }

    fn turn(&self, target: i64) -> Arc<tokio::sync::Mutex<()>> {
        // Nothing can panic while the map is held, so a poisoned lock holds a whole map.
        let mut changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(changing.entry(target).or_default())
    }

    fn journal(&self, target: &Target) -> Journal {
        Journal::new(&self.directory, target.id)
    }

    async fn observe_now(&self, target: &Target) -> Result<Observed, AgentError> {
        let settings = Settings::of(target)?;
        let turn = self.turn(target.id);
        // Whoever holds the turn looks after the change under way.
        if let Ok(_turn) = turn.try_lock()
            && let Err(error) = self.recover(target, &settings).await
        {
            if error.is_passing() {
                return Err(error);
            }
            // What cannot be taken back is seen as it is, so that the next change can put it right.
            tracing::warn!(equipment.id = target.id, %error, "a change that was left in the middle could not be taken back");
        }
        self.observed(target, &settings).await
    }

    /// Ends a change that was left in the middle: it is confirmed when it is in force, and undone otherwise.
    async fn recover(&self, target: &Target, settings: &Settings) -> Result<(), AgentError> {
        let journal = self.journal(target);
        let Some(change) = journal.read()? else { return Ok(()) };
        let [before, after] = [Config::of(change.before.expose())?, Config::of(change.after.expose())?];
        let mut api = Api::connect(settings).await?;
        let known = before.networks.union(&after.networks).copied().collect();
        let seen = look(&mut api, &known).await?;
        if seen.config.text() != change.after.expose() && seen.config.text() != change.before.expose() {
            tracing::warn!(equipment.id = target.id, "a change of gobgpd was left in the middle; it is taken back");
            carry::carry_out(settings, &before).await?;
        }
        journal.end()
    }

    async fn observed(&self, target: &Target, settings: &Settings) -> Result<Observed, AgentError> {
        let mut api = Api::connect(settings).await?;
        let Seen { config, peers, .. } = look(&mut api, &self.journal(target).networks()).await?;
        let mut sessions: Vec<SessionState> = peers.iter().map(read::session).collect();
        let up: Vec<usize> = (0..peers.len()).filter(|i| sessions[*i].state == BgpState::Established).collect();
        let start = match up.len() {
            0..=COUNTED_AT_ONCE => 0,
            _ => self.next_counted.fetch_add(COUNTED_AT_ONCE, Ordering::Relaxed),
        };
        for step in 0..up.len().min(COUNTED_AT_ONCE) {
            let chosen = up[start.wrapping_add(step) % up.len()];
            read::count(&mut api, &peers[chosen], &mut sessions[chosen]).await?;
        }
        let text = config.text();
        let config_sha256 = sha256(&text);
        let running = (!text.is_empty()).then(|| config_sha256[..32].to_owned());
        // The interface does not tell the version; that it is the third is known by its name.
        Ok(Observed { version: "GoBGP 3".to_owned(), config: WireSecret::new(text), config_sha256, running, sessions })
    }

    async fn apply_now(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = Settings::of(target)?;
        let turn = self.turn(target.id);
        let _turn = turn.lock().await;
        self.gate.admit(target.id, fence)?;
        let after = Config::of(plan.after.expose())?;
        let mut api = Api::connect(&settings).await?;
        let now = look(&mut api, &after.networks.iter().copied().collect()).await?.config.text();
        let journal = self.journal(target);
        if now == plan.after.expose() {
            journal.end()?;
            return self.observed(target, &settings).await;
        }
        tracing::info!(equipment.id = target.id, fence = fence.0, "changing gobgpd");
        // What an earlier change left in the middle is nothing to go back to.
        let before = journal.read()?.map_or_else(|| WireSecret::new(now), |left| left.before);
        journal.remember(&after.networks)?;
        journal.begin(&Unconfirmed { before: before.clone(), after: plan.after.clone() })?;
        if let Err(error) = carry::carry_out(&settings, &after).await {
            tracing::warn!(equipment.id = target.id, %error, "gobgpd did not take a change; it is taken back");
            match carry::go_back(&settings, &Config::of(before.expose())?).await {
                Ok(()) => journal.end()?,
                Err(error) => {
                    tracing::warn!(equipment.id = target.id, %error, "it could not be taken back yet; the next look does");
                }
            }
            return Err(error);
        }
        journal.end()?;
        self.observed(target, &settings).await
    }
}

/// SHA-256 in lower-case hexadecimal.
fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

impl Agent<Router> for Gobgp {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(self.observe_now(target))
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        let after = render::render(want)?.text();
        let before = seen.config.expose();
        Ok(Plan {
            before: seen.config.clone(),
            diff: unified(before, &after, masked),
            is_change: before != after,
            after: WireSecret::new(after),
            notes: Vec::new(),
        })
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_now(target, plan, fence))
    }
}
