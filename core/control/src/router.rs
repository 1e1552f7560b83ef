//! The controller of routers. The unit is the box: however many sessions change, one configuration is rendered and loaded.
//!
//! A box is changed when the wish changed, when it has no configuration at all, or, where its equipment says so, when it was
//! changed by hand. It is looked at on a period in any case; what differs is shown.

mod history;
pub mod jobs;
mod outcome;
pub(crate) mod peers;
pub mod poll;

use std::{
    borrow::Cow,
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use meetme_agent::{
    Agent, AgentError, Fence, Target, WireSecret,
    router::{Desired, Observed, Plan, Router as Family},
};
use meetme_app::{App, Error, routers, templates::Prepared};
use meetme_base::{Id, RawId};
use meetme_model::{Origins, ops::Equipment, routing::Router};
use meetme_store::{Context, Filter, Tx};
use sha2::{Digest as _, Sha256};

use crate::{
    agents::Agents,
    controller::{Controller, Next, Soon},
    desired::{desired, settings},
    guard,
};

/// How often a box is looked at that says nothing of it, in seconds.
const PERIOD: u64 = 30;
/// How often a box is looked at whose sessions are not to be polled, in seconds.
const SELDOM: u64 = 300;

/// Makes routers follow what is stored of them.
pub struct RouterController {
    app: App,
    agents: Agents,
    memory: Mutex<HashMap<RawId, Memory>>,
}

/// What is worth remembering of a router as long as this process lives; losing it costs one more attempt.
#[derive(Clone, Default)]
struct Memory {
    /// The configuration the box refused, by its SHA-256 and the version of its equipment, and what it said.
    refused: Option<(String, u64, AgentError)>,
    /// What is added to our fences, because the box has seen higher ones under another router.
    base: u64,
}

/// One pass over a box.
pub struct Job {
    router: RawId,
    agent: Arc<dyn Agent<Family>>,
    target: Target,
    want: Desired,
    repair: bool,
    equipment_version: u64,
    applied_sha256: Option<String>,
    sessions: Vec<Place>,
    /// The template of the configuration, where the router has one.
    template: Option<Arc<Prepared>>,
    /// What validated ROAs say of what the registries name for each session's peer.
    origins: HashMap<routers::SessionId, Origins>,
}

/// Where a session is found on a box.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its name there, where the configuration is ours or keeps to our names.
    pub key: String,
    /// The session.
    pub of: routers::SessionId,
    /// The peer's address, by which it is found in a configuration with other names.
    pub peer: IpAddr,
}

impl Job {
    /// What the box is to be. A template is rendered here, on a thread of its own: it takes as long as it takes, and no
    /// transaction waits for it.
    async fn wish(&self) -> Result<Cow<'_, Desired>, AgentError> {
        let Some(template) = self.template.clone() else { return Ok(Cow::Borrowed(&self.want)) };
        let rendered = tokio::task::spawn_blocking(move || {
            template
                .render()
                .map_err(|failure| AgentError::refused(format!("The template {} failed: {failure}", template.name())))
        });
        let text = rendered.await.map_err(|_| AgentError::broken("The template could not be rendered."))??;
        if text.trim().is_empty() {
            return Err(AgentError::refused("The template of the router gives an empty configuration."));
        }
        Ok(Cow::Owned(Desired { custom_text: Some(WireSecret::new(text)), ..self.want.clone() }))
    }
}

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// Where each session is found on the box.
    sessions: Vec<Place>,
    /// What validated ROAs say of what the registries name for each session's peer.
    origins: HashMap<routers::SessionId, Origins>,
    /// The last look at the box.
    seen: Option<Observed>,
    /// In what it still differs, secrets masked.
    drift: Option<String>,
    /// The configuration that was rendered, by its SHA-256.
    rendered: Option<String>,
    /// The fence under which it was loaded.
    applied: Option<Fence>,
    error: Option<AgentError>,
}

/// The exact change a pass would make, before it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The difference, secrets masked.
    pub diff: String,
    /// What is to change beside the text.
    pub notes: Vec<String>,
    /// Whether anything is to change.
    pub is_change: bool,
}

impl RouterController {
    /// A controller over these agents.
    pub fn new(app: App, agents: Agents) -> Self {
        Self { app, agents, memory: Mutex::default() }
    }

    /// The change a pass over this router would make now. Nothing is changed.
    ///
    /// # Errors
    /// The sentence that a pass would end with.
    pub async fn preview(&self, id: Id<Router>) -> Result<Preview, String> {
        let job = self.job(id).await?;
        let seen = job.agent.observe(&job.target).await.map_err(|e| crate::life::sentence(&e))?;
        let want = job.wish().await.map_err(|e| crate::life::sentence(&e))?;
        let plan = job.agent.plan(&want, &seen).map_err(|e| crate::life::sentence(&e))?;
        Ok(Preview { diff: plan.diff, notes: plan.notes, is_change: plan.is_change })
    }

    /// What is seen of the box behind this router now.
    ///
    /// # Errors
    /// Why it cannot be looked at: one sentence a customer can read.
    pub async fn look(&self, id: Id<Router>) -> Result<Observed, String> {
        let job = self.job(id).await?;
        job.agent.observe(&job.target).await.map_err(|e| crate::life::sentence(&e))
    }

    /// What a pass over this router would set out to do.
    async fn job(&self, id: Id<Router>) -> Result<Job, String> {
        let (app, agents) = (self.app.clone(), self.agents.clone());
        let read = self.app.store().read(Context::system(), move |tx| job(&app, &agents, tx, id.any()));
        match read.await.map_err(|e: Error| e.to_string())? {
            Next::Drive(job) => Ok(job),
            Next::Settled { .. } => Err("No equipment of ours stands behind the router.".to_owned()),
            Next::Gone => Err("The router is gone.".to_owned()),
            Next::Wait { why, .. } | Next::Stuck { why, .. } => Err(why),
        }
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<RawId, Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, mut job: Job, fence: Fence) -> Outcome {
        let memory = self.memory().get(&job.router).cloned().unwrap_or_default();
        let fence = Fence(memory.base.saturating_add(fence.0));
        let mut outcome = Outcome {
            sessions: std::mem::take(&mut job.sessions),
            origins: std::mem::take(&mut job.origins),
            ..Outcome::default()
        };
        if let Err(error) = self.make(&job, &memory, fence, &mut outcome).await {
            if let AgentError::Fenced { seen } = error {
                self.memory().entry(job.router).or_default().base = seen.0;
            }
            outcome.error = Some(error);
        }
        outcome
    }

    async fn make(&self, job: &Job, memory: &Memory, fence: Fence, out: &mut Outcome) -> Result<(), AgentError> {
        let seen = job.agent.observe(&job.target).await?;
        // A template that fails keeps the box as it is, and what was seen of it is kept all the same.
        let plan = match job.wish().await {
            Ok(want) => job.agent.plan(&want, &seen),
            Err(error) => Err(error),
        };
        let is_new = seen.config.expose().is_empty();
        out.seen = Some(seen);
        let plan = plan?;
        let rendered = sha256(plan.after.expose());
        out.rendered = Some(rendered.clone());
        if !plan.is_change {
            return Ok(());
        }
        out.drift = Some(shown(&plan));
        if let Some((of, version, error)) = &memory.refused
            && *of == rendered
            && *version == job.equipment_version
        {
            return Err(error.clone());
        }
        let is_wish = job.applied_sha256.as_deref() != Some(&rendered);
        if !(is_wish || is_new || job.repair) {
            return Ok(());
        }
        match job.agent.apply(&job.target, plan, fence).await {
            Ok(seen) => {
                self.memory().entry(job.router).or_default().refused = None;
                out.seen = Some(seen);
                out.drift = None;
                out.applied = Some(fence);
                Ok(())
            }
            Err(error) => {
                if !error.is_passing() && !matches!(error, AgentError::Fenced { .. }) {
                    self.memory().entry(job.router).or_default().refused =
                        Some((rendered, job.equipment_version, error.clone()));
                }
                Err(error)
            }
        }
    }
}

/// Everything a pass needs to know, read in one transaction.
fn job(app: &App, agents: &Agents, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
    let stuck = |why: String| Ok(Next::Stuck { why, look_again: None });
    let Some(router) = tx.find::<Router>(id.of())? else { return Ok(Next::Gone) };
    let Some(equipment) = router.spec.equipment else { return Ok(Next::Settled { look_again: None }) };
    let others = tx.ids::<Router>(&Filter::eq("equipment", equipment))?;
    if let Some(other) = others.into_iter().find(|r| *r != router.id) {
        let other = tx.get(other)?.spec.name;
        return stuck(format!("The router {other} stands for the same equipment; one of the two has to let go of it."));
    }
    let state = routers::whole_state(app, tx, router.id)?;
    let Some(equipment) = state.equipment.as_ref() else { return Ok(Next::Settled { look_again: None }) };
    let (want, agent) = match (desired(&state), agents.routers.get(&make(&equipment.spec))) {
        (Ok(want), Ok(agent)) => (want, agent),
        (Err(why), _) | (_, Err(why)) => return stuck(why),
    };
    let target = Target {
        id: equipment.id.get(),
        name: equipment.spec.name.clone(),
        address: equipment.spec.address.clone(),
        settings: settings(&equipment.spec.settings),
        access: state.access.map(Into::into),
        repair: equipment.spec.repair,
    };
    let roas = state.roas.as_deref();
    Ok(Next::Drive(Job {
        router: id,
        agent,
        target,
        want,
        repair: equipment.spec.repair,
        equipment_version: equipment.version,
        applied_sha256: equipment.status.applied_sha256.clone(),
        sessions: state.sessions.iter().map(|s| Place { key: s.key.clone(), of: s.of, peer: s.peer_ip }).collect(),
        origins: state.sessions.iter().filter_map(|s| Some((s.of, guard::origins(s, roas)?))).collect(),
        template: state.template.map(Arc::new),
    }))
}

/// Which agent drives a box: the one of its make, or, where its settings say `remote`, the one that hands work to agents
/// which dialled in.
fn make(equipment: &Equipment) -> String {
    let is_remote = equipment.settings.get("remote").and_then(serde_json::Value::as_bool).unwrap_or(false);
    if is_remote { Agents::remote(&equipment.make) } else { equipment.make.clone() }
}

/// How often this box is looked at.
fn period(router: &Router, equipment: &Equipment) -> Duration {
    let said = equipment.settings.get("poll_seconds").and_then(serde_json::Value::as_u64);
    Duration::from_secs(said.unwrap_or(if router.poll { PERIOD } else { SELDOM }).max(1))
}

/// A plan as people see it.
fn shown(plan: &Plan) -> String {
    let notes: String = plan.notes.iter().map(|note| format!("# {note}\n")).collect();
    notes + &plan.diff
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

impl Controller for RouterController {
    const NAME: &'static str = "router";
    type Job = Job;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
        job(&self.app, &self.agents, tx, id)
    }

    fn drive(&self, job: Job, fence: Fence) -> Soon<'_, Outcome> {
        Box::pin(self.pass(job, fence))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(router) = tx.find::<Router>(id.of())? else { return Ok(Next::Gone) };
        outcome::record(tx, router, outcome, self.app.settings().sample_seconds)
    }
}
