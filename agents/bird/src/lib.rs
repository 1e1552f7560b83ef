//! The agent for BIRD 2: renders a whole configuration, has the daemon's own checker read it, loads it in one step with the
//! daemon ready to go back, proves it and confirms it.
//!
//! Promise: it talks to the daemon through its control socket and its configuration file only, both on the machine the agent
//! runs on; it knows no controller and no store. However many sessions change, an apply is one reload.
//!
//! How a change is made safe: the new file is written beside the old one and checked; a refusal leaves everything as it was.
//! Then it takes the old one's place and is loaded with a timeout. If anything fails from there on, and even if this process
//! dies, the daemon returns to its old configuration by itself, and the file that then differs is seen by the next pass.

mod change;
mod control;
mod filter;
mod mark;
mod protocols;
mod render;
mod settings;
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
    router::{BgpState, Desired, Observed, Plan, Router},
    unified,
};
use meetme_base::Clock;

pub use render::render;
pub use settings::Settings;

use control::{Answer, Control};
use protocols::{Clocks, Protocol, protocols, watched};

/// Up to how many BGP protocols are told in full by one question, and about how many single ones are asked in a pass
/// beyond that. The daemon answers nothing else while it writes an answer: about 60 ms for 1,000 sessions in full.
const IN_FULL: usize = 100;

/// Drives BIRD daemons on the machine this runs on.
pub struct Bird {
    clock: Arc<dyn Clock>,
    gate: FenceGate,
    /// One change at a time for each box.
    changing: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>,
    /// Where the next pass over a large box goes on asking for counts.
    next_counted: AtomicUsize,
}

impl Bird {
    /// An agent that takes the present moment from `clock` and refuses the fences that `gate` refuses.
    pub fn new(clock: Arc<dyn Clock>, gate: FenceGate) -> Self {
        Self { clock, gate, changing: Mutex::default(), next_counted: AtomicUsize::new(0) }
    }

    fn turn(&self, target: i64) -> Arc<tokio::sync::Mutex<()>> {
        // Nothing can panic while the map is held, so a poisoned lock holds a whole map.
        let mut changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(changing.entry(target).or_default())
    }

    async fn observe_now(&self, target: &Target) -> Result<Observed, AgentError> {
        let settings = Settings::of(target)?;
        let mut control = Control::connect(&settings.socket, settings.answer_time()).await?;
        let status = control.ask("show status").await?;
        let version = status.text(1000).unwrap_or_default().trim().to_owned();
        let clocks = Clocks::new(self.clock.now(), &status);
        let config = meetme_local::read(&settings.config_path).await?.map(|kept| kept.text).unwrap_or_default();
        let running = match mark::of(&config) {
            Some(mark) if change::runs(&mut control, mark).await? => Some(mark.to_owned()),
            _ => None,
        };
        let mut found = self.protocols(&mut control, &clocks).await?;
        if running.is_some() {
            // What the short form leaves out stands in the file, and the daemon runs the file.
            let peers = render::peers(&config);
            for protocol in &mut found {
                if let Some((address, asn)) = peers.get(protocol.name.as_str()) {
                    protocol.session.peer_address.get_or_insert(*address);
                    protocol.session.peer_asn.get_or_insert(*asn);
                }
            }
        }
        // Whatever it answers without a session of BFD holds none.
        let watched = watched(&control.ask("show bfd sessions").await?);
        for protocol in &mut found {
            let session = &mut protocol.session;
            session.bfd = session.peer_address.and_then(|address| watched.get(&address).copied());
        }
        let sessions = found.into_iter().map(|protocol| protocol.session).collect();
        let config_sha256 = mark::sha256(&config);
        Ok(Observed { version, config: WireSecret::new(config), config_sha256, running, sessions })
    }

    /// The BGP protocols of the box. The states of all come from one short answer; counts of all come with it up to
    /// [`IN_FULL`] sessions. Beyond that, counts of so many established ones are asked for by name, others in each pass.
    async fn protocols(&self, control: &mut Control, clocks: &Clocks) -> Result<Vec<Protocol>, AgentError> {
        let mut found = protocols(&table(control, "show protocols").await?, clocks);
        if found.len() <= IN_FULL {
            found = protocols(&table(control, "show protocols all").await?, clocks);
        } else {
            let established: Vec<usize> =
                (0..found.len()).filter(|i| found[*i].session.state == BgpState::Established).collect();
            let start = self.next_counted.fetch_add(IN_FULL, Ordering::Relaxed);
            let chosen = established.len().min(IN_FULL);
            for step in 0..chosen {
                let protocol = &mut found[established[start.wrapping_add(step) % established.len()]];
                refine(control, clocks, protocol).await?;
            }
        }
        Ok(found)
    }

    async fn apply_now(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = Settings::of(target)?;
        let turn = self.turn(target.id);
        let _turn = turn.lock().await;
        self.gate.admit(target.id, fence)?;
        if plan.is_change {
            tracing::info!(equipment.id = target.id, fence = fence.0, "loading a configuration into BIRD");
            change::load(&settings, plan.after.expose()).await?;
        }
        self.observe_now(target).await
    }
}

/// Asks for a table that must be there.
async fn table(control: &mut Control, command: &str) -> Result<Answer, AgentError> {
    let answer = control.ask(command).await?;
    match answer.code() {
        // A daemon with no protocol at all has none that match.
        0 | 8003 => Ok(answer),
        code => Err(AgentError::broken(format!("BIRD answered {command:?} with {code:04} {}", answer.words()))),
    }
}

/// Replaces the short form of one protocol by the long one. A protocol that has gone meanwhile stays as it was seen.
async fn refine(control: &mut Control, clocks: &Clocks, protocol: &mut Protocol) -> Result<(), AgentError> {
    let answer = control.ask(&format!("show protocols all {}", protocol.name)).await?;
    if let Some(full) = protocols(&answer, clocks).into_iter().find(|p| p.name == protocol.name) {
        *protocol = full;
    }
    Ok(())
}

/// What was altered in the running daemon while the file says what it should.
fn altered_by_hand(want: &Desired, mark: Option<&str>, seen: &Observed) -> Vec<String> {
    if seen.running.as_deref() != mark {
        return vec!["The daemon runs another configuration than the one in its file.".to_owned()];
    }
    if want.custom_text.is_some() {
        return Vec::new();
    }
    let enabled: HashMap<&str, bool> =
        seen.sessions.iter().filter_map(|s| Some((s.key.as_ref()?.as_str(), s.enabled))).collect();
    let notes = want.sessions.iter().filter_map(|session| {
        let is_enabled = *enabled.get(session.key.as_str())?;
        let word = if is_enabled { "enabled" } else { "disabled" };
        (is_enabled != session.enabled).then(|| format!("Session {} was {word} by hand.", session.key))
    });
    notes.collect()
}

impl Agent<Router> for Bird {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(self.observe_now(target))
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        if !seen.version.starts_with("BIRD 2.") {
            return Err(AgentError::unsupported(format!(
                "This agent speaks to BIRD 2, the box runs {:?}.",
                seen.version
            )));
        }
        let after = render(want)?;
        let before = seen.config.expose();
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
