//! A simulated fabric. Legs come up, change and go one after another's delay; clouds at their far ends accept everything.

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target,
    fabric::{Circuit, Desired, Leg, LegPhase, LegState, Observed, Plan, SessionState},
    router::BgpState,
};
use meetme_base::{Mbps, Time};

use crate::{Settings, Sim, broke_off, steady};

/// How long a leg takes to be built, changed or taken down.
const USUAL: i64 = 250;

/// One circuit as it is.
#[derive(Clone, Default)]
pub(crate) struct Line {
    rate: Option<Mbps>,
    legs: Vec<Path>,
}

#[derive(Clone)]
struct Path {
    built: Leg,
    removing: bool,
    /// When it was last built or changed.
    at: Time,
}

impl Line {
    /// What the wish makes of it, as far as `most` changes reach; the rest is left for another time.
    fn take(&mut self, want: &Desired, now: Time, mut most: usize) {
        for leg in &want.legs {
            let known = self.legs.iter_mut().find(|p| p.built.key == leg.key);
            if known.as_ref().is_some_and(|p| p.built == *leg && !p.removing) {
                continue;
            }
            if most == 0 {
                return;
            }
            most -= 1;
            match known {
                Some(path) => *path = Path { built: leg.clone(), removing: false, at: now },
                None => self.legs.push(Path { built: leg.clone(), removing: false, at: now }),
            }
        }
        for path in &mut self.legs {
            if !path.removing && !want.legs.iter().any(|l| l.key == path.built.key) {
                if most == 0 {
                    return;
                }
                most -= 1;
                *path = Path { removing: true, at: now, ..path.clone() };
            }
        }
        self.rate = want.rate;
    }

    fn observed(&mut self, settings: &Settings, now: Time) -> Observed {
        let delay = settings.delay(USUAL);
        self.legs.retain(|p| !p.removing || now < p.at.plus_millis(delay));
        let legs = self.legs.iter().map(|p| state(p, delay, now)).collect();
        Observed { version: "Meetme simulated fabric 1".to_owned(), rate: self.rate, legs }
    }
}

fn state(path: &Path, delay: i64, now: Time) -> LegState {
    let done = path.at.plus_millis(delay);
    let state = match (path.removing, now >= done) {
        (true, _) => LegPhase::Removing,
        (false, false) => LegPhase::Building,
        (false, true) if path.built.on => LegPhase::Up,
        (false, true) => LegPhase::Off,
    };
    let is_up = state == LegPhase::Up;
    let sessions = path.built.sessions.iter().map(|s| {
        let received = steady((s.peer_asn.get(), s.peer_address), 50) + 1;
        let up = is_up && s.enabled;
        SessionState {
            key: s.key.clone(),
            state: match (s.enabled, up) {
                (false, _) => BgpState::Idle,
                (true, false) => BgpState::Connect,
                (true, true) => BgpState::Established,
            },
            received: if up { received } else { 0 },
            accepted: if up { received } else { 0 },
            advertised: u32::from(up),
        }
    });
    let remote_id = path.built.provider.as_ref().map(|p| format!("{p}-{:08x}", steady(&path.built.key, u32::MAX)));
    LegState {
        sessions: sessions.collect(),
        remote_id: remote_id.filter(|_| state != LegPhase::Building),
        since: Some(if now >= done { done } else { path.at }),
        last_error: None,
        built: path.built.clone(),
        state,
    }
}

impl Sim {
    async fn apply_circuit(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = self.reach(target).await?;
        self.admit(target, &settings, fence)?;
        let now = self.now();
        let mut world = self.lock();
        let line = world.circuits.entry((target.name.clone(), target.id)).or_default();
        if settings.half_apply && plan.steps.len() > 1 {
            line.take(&plan.want, now, plan.steps.len().div_ceil(2));
            return Err(broke_off(target));
        }
        let mut next = line.clone();
        next.take(&plan.want, now, usize::MAX);
        let seen = next.observed(&settings, now);
        if !settings.lie {
            *line = next;
        }
        Ok(seen)
    }
}

impl Agent<Circuit> for Sim {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async move {
            let settings = self.reach(target).await?;
            let now = self.now();
            let mut world = self.lock();
            Ok(world.circuits.entry((target.name.clone(), target.id)).or_default().observed(&settings, now))
        })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        Ok(Plan::between(want, seen))
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_circuit(target, plan, fence))
    }
}
