//! A simulated router. Its configuration is the wish itself, written as JSON; its sessions come up after a while.

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target, WireSecret,
    router::{BfdState, BgpSession, BgpState, Desired, Observed, Plan, Router, SessionKey, SessionState, Verdict},
    unified,
};
use meetme_base::Time;
use sha2::{Digest as _, Sha256};

use crate::{Settings, Sim, broke_off, steady};

/// How long a session takes to come up.
const USUAL: i64 = 300;

/// One router as it is.
#[derive(Clone)]
pub(crate) struct Machine {
    runs: Desired,
    /// Since when each session is as it is.
    since: Vec<(SessionKey, Time)>,
}

impl Machine {
    /// The same wish for a session leaves it alone, any other begins anew.
    fn take(before: Option<&Self>, want: Desired, now: Time) -> Self {
        let since = want.sessions.iter().map(|s| {
            let same = before.filter(|b| b.runs.sessions.iter().any(|old| same_session(old, s)));
            let at = same.and_then(|b| b.since.iter().find(|(key, _)| *key == s.key)).map_or(now, |(_, at)| *at);
            (s.key.clone(), at)
        });
        Self { since: since.collect(), runs: want }
    }

    pub fn meddle(&mut self, edit: impl FnOnce(&mut Desired)) -> bool {
        edit(&mut self.runs);
        true
    }
}

/// Whether a change of wish leaves the session up: words for people do not end it.
fn same_session(old: &BgpSession, new: &BgpSession) -> bool {
    let plain = |s: &BgpSession| BgpSession { description: String::new(), ..s.clone() };
    plain(old) == plain(new)
}

fn text(runs: &Desired) -> String {
    serde_json::to_string_pretty(runs).map_or_else(|e| format!("cannot be written: {e}\n"), |t| t + "\n")
}

/// Hides every secret; keeps the number of lines.
fn masked(text: &str) -> String {
    let mark = format!("\"{}\"", WireSecret::MARK);
    let line = |line: &str| match line.split_once(&mark) {
        Some((before, _)) => format!("{before}{mark}: (secret)\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

fn observed(found: Option<&Machine>, settings: &Settings, now: Time) -> Observed {
    let config = found.map(|b| text(&b.runs)).unwrap_or_default();
    let sessions = found.into_iter().flat_map(|b| {
        b.runs.sessions.iter().map(|s| {
            let since = b.since.iter().find(|(key, _)| *key == s.key).map_or(now, |(_, at)| *at);
            session(s, since, settings, b.runs.networks.len(), now)
        })
    });
    Observed {
        version: "Meetme simulated router 1".to_owned(),
        config_sha256: sha256(&config),
        running: found.map(|_| sha256(&config)),
        sessions: sessions.collect(),
        config: WireSecret::new(config),
    }
}

fn session(s: &BgpSession, since: Time, settings: &Settings, networks: usize, now: Time) -> SessionState {
    let up_at = since.plus_millis(settings.delay(USUAL));
    let is_up = s.enabled && now >= up_at;
    let received = match s.max_prefixes {
        Some(most) => steady((s.peer_asn.get(), s.peer_address), 200).min(most),
        None => steady((s.peer_asn.get(), s.peer_address), 200),
    } + 1;
    let passes = |p: &meetme_agent::router::Policy| {
        p.otherwise == Verdict::Accept || p.terms.iter().any(|t| t.then == Verdict::Accept)
    };
    let accepted = if passes(&s.import) { received } else { 0 };
    let advertised = if passes(&s.export) { u32::try_from(networks).unwrap_or(u32::MAX).max(1) } else { 0 };
    SessionState {
        key: Some(s.key.clone()),
        peer_address: Some(s.peer_address),
        peer_asn: Some(s.peer_asn),
        enabled: s.enabled,
        state: match (s.enabled, is_up) {
            (false, _) => BgpState::Idle,
            (true, false) => BgpState::Connect,
            (true, true) => BgpState::Established,
        },
        received: is_up.then_some(received),
        accepted: is_up.then_some(accepted),
        advertised: is_up.then_some(advertised),
        since: Some(if is_up { up_at } else { since }),
        bfd: s.bfd.filter(|_| s.enabled).map(|_| if is_up { BfdState::Up } else { BfdState::Down }),
        last_error: None,
    }
}

impl Sim {
    async fn apply_router(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = self.reach(target).await?;
        self.admit(target, &settings, fence)?;
        let now = self.now();
        let mut want: Desired = serde_json::from_str(plan.after.expose())
            .map_err(|e| AgentError::refused(format!("This is no configuration of a simulated router: {e}.")))?;
        let mut world = self.lock();
        let before = world.routers.get(&target.name);
        if settings.half_apply && plan.is_change {
            let known = |s: &BgpSession| before.is_some_and(|b| b.runs.sessions.iter().any(|old| old == s));
            let missing = want.sessions.iter().filter(|s| !known(s)).count();
            let mut left = missing.div_ceil(2);
            want.sessions.retain(|s| known(s) || left.checked_sub(1).map(|n| left = n).is_some());
            if missing > 1 {
                let half = Machine::take(before, want, now);
                world.routers.insert(target.name.clone(), half);
                return Err(broke_off(target));
            }
        }
        let next = match before {
            Some(before) if !plan.is_change => before.clone(),
            before => Machine::take(before, want, now),
        };
        let seen = observed(Some(&next), &settings, now);
        if !settings.lie {
            world.routers.insert(target.name.clone(), next);
        }
        Ok(seen)
    }
}

impl Agent<Router> for Sim {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async move {
            let settings = self.reach(target).await?;
            Ok(observed(self.lock().routers.get(&target.name), &settings, self.now()))
        })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        let (before, after) = (seen.config.expose(), text(want));
        Ok(Plan {
            before: seen.config.clone(),
            diff: unified(before, &after, masked),
            notes: Vec::new(),
            is_change: before != after,
            after: WireSecret::new(after),
        })
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_router(target, plan, fence))
    }
}
