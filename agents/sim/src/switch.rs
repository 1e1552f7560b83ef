//! A simulated switch. What it is told takes a moment to come into effect.

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target,
    switch::{Desired, Gateway, Interface, Observed, Plan, Seen, State, Switch},
};
use meetme_base::Time;

use crate::{Settings, Sim, broke_off};

/// How long a change takes to come into effect.
const USUAL: i64 = 100;

/// One switch as it is.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    interfaces: Vec<Kept<Interface>>,
    gateways: Vec<Kept<Gateway>>,
}

#[derive(Clone)]
struct Kept<T> {
    built: T,
    removing: bool,
    /// When it was last told of.
    at: Time,
}

/// What the wish makes of a list, as far as `most` changes reach. `same` says whether two stand for one thing.
fn take<T: Clone + PartialEq>(
    kept: &mut Vec<Kept<T>>,
    want: &[T],
    same: impl Fn(&T, &T) -> bool,
    now: Time,
    most: &mut usize,
) {
    for one in want {
        let known = kept.iter_mut().find(|k| same(&k.built, one));
        if known.as_ref().is_some_and(|k| k.built == *one && !k.removing) {
            continue;
        }
        if *most == 0 {
            return;
        }
        *most -= 1;
        let next = Kept { built: one.clone(), removing: false, at: now };
        match known {
            Some(known) => *known = next,
            None => kept.push(next),
        }
    }
    for known in kept.iter_mut() {
        if !known.removing && !want.iter().any(|one| same(&known.built, one)) {
            if *most == 0 {
                return;
            }
            *most -= 1;
            *known = Kept { removing: true, at: now, ..known.clone() };
        }
    }
}

fn seen<T: Clone>(kept: &mut Vec<Kept<T>>, delay: i64, now: Time) -> Vec<Seen<T>> {
    kept.retain(|k| !k.removing || now < k.at.plus_millis(delay));
    let state = |k: &Kept<T>| match (k.removing, now >= k.at.plus_millis(delay)) {
        (true, _) => State::Removing,
        (false, false) => State::Building,
        (false, true) => State::Ready,
    };
    kept.iter().map(|k| Seen { built: k.built.clone(), state: state(k) }).collect()
}

impl Machine {
    fn take(&mut self, want: &Desired, now: Time, mut most: usize) {
        take(&mut self.interfaces, &want.interfaces, |a, b| a.name == b.name, now, &mut most);
        take(&mut self.gateways, &want.gateways, |a, b| a.vni == b.vni, now, &mut most);
    }

    fn observed(&mut self, settings: &Settings, now: Time) -> Observed {
        let delay = settings.delay(USUAL);
        Observed {
            version: "Meetme simulated switch 1".to_owned(),
            interfaces: seen(&mut self.interfaces, delay, now),
            gateways: seen(&mut self.gateways, delay, now),
        }
    }
}

impl Sim {
    /// What a simulated switch has now, as somebody logged in to it would see; nothing when there is none of that name.
    pub fn on_switch(&self, name: &str) -> Option<Observed> {
        let settings = self.defaults.clone();
        let now = self.now();
        self.lock().switches.get(name).map(|found| found.clone().observed(&settings, now))
    }

    async fn apply_switch(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = self.reach(target).await?;
        self.admit(target, &settings, fence)?;
        let now = self.now();
        let mut world = self.lock();
        let machine = world.switches.entry(target.name.clone()).or_default();
        if settings.half_apply && plan.steps.len() > 1 {
            machine.take(&plan.want, now, plan.steps.len().div_ceil(2));
            return Err(broke_off(target));
        }
        let mut next = machine.clone();
        next.take(&plan.want, now, usize::MAX);
        let seen = next.observed(&settings, now);
        if !settings.lie {
            *machine = next;
        }
        Ok(seen)
    }
}

impl Agent<Switch> for Sim {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async move {
            let settings = self.reach(target).await?;
            let now = self.now();
            Ok(self.lock().switches.entry(target.name.clone()).or_default().observed(&settings, now))
        })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        Ok(Plan::between(want, seen))
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_switch(target, plan, fence))
    }
}
