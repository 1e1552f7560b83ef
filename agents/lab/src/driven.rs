//! A router that an agent under test drives.

use std::{fmt::Debug, path::PathBuf, time::Duration};

use meetme_agent::{
    Agent, AgentError, Fence, Target,
    router::{BgpState, Desired, Observed, Plan, Router, SessionState},
};

use crate::until_async;

/// Longer than anything that two daemons do takes on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// An agent and the one box it drives. What a test does not expect to fail ends it where it fails.
#[derive(Debug)]
pub struct Driven<A> {
    /// The agent.
    pub agent: A,
    /// The box.
    pub target: Target,
    /// Files whose end is shown where a session does not become what it is to be.
    pub logs: Vec<PathBuf>,
}

#[track_caller]
fn good<T, E: Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(good) => good,
        Err(error) => panic!("{error:?}"),
    }
}

impl<A: Agent<Router>> Driven<A> {
    /// A box of this machine with these settings.
    pub fn new(agent: A, settings: serde_json::Value, logs: Vec<PathBuf>) -> Self {
        let target =
            Target { id: 7, name: "edge1".into(), address: String::new(), settings, access: None, repair: false };
        Self { agent, target, logs }
    }

    /// Looks at the box.
    ///
    /// # Errors
    /// The agent's.
    pub async fn observe(&self) -> Result<Observed, AgentError> {
        self.agent.observe(&self.target).await
    }

    /// The change that the box needs.
    pub async fn plan(&self, want: &Desired) -> Plan {
        good(self.agent.plan(want, &good(self.observe().await)))
    }

    /// Makes it under a fence.
    ///
    /// # Errors
    /// The agent's.
    pub async fn try_apply(&self, want: &Desired, fence: u64) -> Result<Observed, AgentError> {
        let plan = self.plan(want).await;
        self.agent.apply(&self.target, plan, Fence(fence)).await
    }

    /// Makes it.
    pub async fn apply(&self, want: &Desired) -> Observed {
        good(self.try_apply(want, 1).await)
    }

    /// A session as it is seen once `condition` holds.
    pub async fn session(&self, key: &str, condition: impl Fn(&SessionState) -> bool) -> SessionState {
        let mut last: Option<SessionState> = None;
        let held = until_async(SOON, async || {
            let seen = good(self.observe().await);
            last = seen.sessions.into_iter().find(|s| s.key.as_ref().is_some_and(|k| k.as_str() == key));
            last.as_ref().is_some_and(&condition)
        });
        match (held.await, last) {
            (true, Some(session)) => session,
            (_, last) => panic!("the session stays {last:?}\n{}", self.logged()),
        }
    }

    /// A session once it is up.
    pub async fn established(&self, key: &str) -> SessionState {
        self.session(key, |s| s.state == BgpState::Established).await
    }

    fn logged(&self) -> String {
        let text = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{}:\n{}\n", path.display(), lines[lines.len().saturating_sub(80)..].join("\n"))
        };
        self.logs.iter().map(text).collect()
    }
}
