//! Agents beside the equipment: they dial in, ask for work, and say what came of it. To a controller they look like any other
//! agent.
//!
//! The whole wish travels, so work that is lost on the way is made good by the next pass. What an agent does not finish before
//! a deadline counts as not reachable. A result is taken only from whoever was given the work.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target,
    router::{Desired, Observed, Plan, Router},
};
use meetme_base::RawId;
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

/// Work for an agent that dialled in. Holds secrets in the clear: it goes over an encrypted link and nowhere else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The number under which the result is sent back.
    pub id: u64,
    /// The name of the equipment.
    pub equipment: String,
    /// How to get at it, as the agent sees it.
    pub target: Target,
    /// What is to be done.
    pub work: Work,
}

/// What an agent is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
pub enum Work {
    /// Look at the box without changing it.
    Observe,
    /// Make the change.
    Apply {
        /// The change.
        plan: Box<Plan>,
        /// The fence; older ones than the agent has seen are refused by it.
        fence: Fence,
    },
}

/// What an agent says in the end.
pub type Done = Result<Observed, AgentError>;

/// What an agent is answered that asks for work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The work; none when there was none for a while.
    pub work: Option<Assignment>,
    /// Those of the names it serves that are not there for it: nothing will ever be given to it for them.
    pub refused: Vec<String>,
}

/// What came of an agent's work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The number of the work.
    pub id: u64,
    /// What came of it.
    pub result: Done,
}

/// Where controllers leave work and agents fetch it.
pub struct Hub {
    state: Mutex<State>,
    numbers: AtomicU64,
    arrived: tokio::sync::watch::Sender<()>,
    deadline: Duration,
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Assignment>,
    asked: HashMap<u64, Asked>,
}

/// A piece of work that somebody waits for.
struct Asked {
    reply: oneshot::Sender<Done>,
    given_to: Option<RawId>,
}

impl Hub {
    /// A hub that takes an agent for lost which has not finished a piece of work by `deadline`. From `stop` on it gives no work
    /// any more and keeps no agent waiting for it, so that a server that stops is not held up by those who wait.
    pub fn new(deadline: Duration, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            numbers: AtomicU64::new(1),
            arrived: tokio::sync::watch::Sender::new(()),
            deadline,
            stop,
        })
    }

    /// The next piece of work for an agent that shows the credential `who` and serves these equipments, as soon as there is one;
    /// nothing after `wait`.
    pub async fn next(&self, who: RawId, serves: &[String], wait: Duration) -> Option<Assignment> {
        let mut arrived = self.arrived.subscribe();
        let found = timeout(wait, async {
            while !self.stop.is_cancelled() {
                arrived.mark_unchanged();
                if let Some(found) = self.take(who, serves) {
                    return Some(found);
                }
                self.stop.run_until_cancelled(arrived.changed()).await?.ok()?;
            }
            None
        });
        found.await.ok().flatten()
    }

    /// An agent says what came of its work; false when nobody waits for it, or it was given to somebody else.
    pub fn done(&self, who: RawId, report: Report) -> bool {
        let asked = {
            let mut state = self.lock();
            match state.asked.get(&report.id) {
                Some(asked) if asked.given_to == Some(who) => state.asked.remove(&report.id),
                _ => None,
            }
        };
        asked.is_some_and(|asked| asked.reply.send(report.result).is_ok())
    }

    /// An agent for routers that an agent elsewhere drives. The change is worked out here by `planner`, an agent of the same
    /// make that is asked for nothing else.
    pub fn routers(self: &Arc<Self>, planner: Arc<dyn Agent<Router>>) -> Arc<dyn Agent<Router>> {
        Arc::new(Remote { hub: Arc::clone(self), planner })
    }

    fn take(&self, who: RawId, serves: &[String]) -> Option<Assignment> {
        let mut state = self.lock();
        let at = state.waiting.iter().position(|a| serves.contains(&a.equipment))?;
        let found = state.waiting.remove(at)?;
        state.asked.get_mut(&found.id)?.given_to = Some(who);
        Some(found)
    }

    async fn ask(&self, target: &Target, work: Work) -> Done {
        let id = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let withdrawn = Withdrawn { hub: self, id };
        {
            let mut state = self.lock();
            state.asked.insert(id, Asked { reply, given_to: None });
            state.waiting.push_back(Assignment { id, equipment: target.name.clone(), target: target.clone(), work });
        }
        self.arrived.send_replace(());
        let outcome = timeout(self.deadline, answer).await;
        let was_given = self.lock().asked.get(&id).is_some_and(|asked| asked.given_to.is_some());
        drop(withdrawn);
        match outcome {
            Ok(Ok(done)) => done,
            _ if was_given => Err(AgentError::unreachable(format!(
                "the agent of {} took its work and did not come back within {} s",
                target.name,
                self.deadline.as_secs()
            ))),
            _ => Err(AgentError::unreachable(format!(
                "no agent of {} asked for work within {} s",
                target.name,
                self.deadline.as_secs()
            ))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes work back that nobody waits for any more, also when the pass that asked is dropped.
struct Withdrawn<'a> {
    hub: &'a Hub,
    id: u64,
}

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.asked.remove(&self.id);
        state.waiting.retain(|a| a.id != self.id);
    }
}

struct Remote {
    hub: Arc<Hub>,
    planner: Arc<dyn Agent<Router>>,
}

impl Agent<Router> for Remote {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(self.hub.ask(target, Work::Observe))
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        self.planner.plan(want, seen)
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.hub.ask(target, Work::Apply { plan: Box::new(plan), fence }))
    }
}
