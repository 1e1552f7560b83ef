//! A simulated server: it installs by the steps it was given, starts, stops and is wiped, each in its time.

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target,
    server::{
        Action, Busy, Counters, Desired, Discover, Health, Install, Inventory, InventoryNic, Observed, Plan, Server,
    },
};
use meetme_base::{MacAddr, Time};

use crate::{Settings, Sim, broke_off, steady};

/// How long an installation takes.
const USUAL: i64 = 1500;
/// What a server that has power receives and sends in a millisecond, in bytes: one and two megabits in a second.
const RECEIVES: u64 = 125;
const SENDS: u64 = 250;

/// One server as it is.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    power: bool,
    holds: Option<Holds>,
    busy: Option<(Busy, Time)>,
    counters: Option<(Counters, Time)>,
}

/// What a server holds of a device.
#[derive(Clone)]
struct Holds {
    key: String,
    hostname: String,
    install: Install,
    starts: u32,
    begun: Time,
}

/// How long it is busy with something: switching takes a fifth of an installation.
fn takes(busy: Busy, settings: &Settings) -> i64 {
    match busy {
        Busy::Installing => settings.delay(USUAL),
        Busy::Starting | Busy::Stopping | Busy::Wiping => settings.delay(USUAL) / 5,
    }
}

impl Machine {
    fn act(&mut self, action: Action, want: &Desired, now: Time) {
        match (action, &want.install) {
            (Action::Install, Some(install)) => {
                let (key, hostname) = (want.key.clone(), want.hostname.clone());
                let holds = Holds { key, hostname, install: install.clone(), starts: want.starts, begun: now };
                *self = Self { power: true, holds: Some(holds), busy: Some((Busy::Installing, now)), counters: None };
            }
            (Action::Install, None) => {}
            (Action::On, _) => {
                self.power = true;
                self.busy = Some((Busy::Starting, now));
            }
            (Action::Off, _) => self.busy = Some((Busy::Stopping, now)),
            (Action::Restart, _) => {
                if let Some(holds) = &mut self.holds {
                    holds.starts = want.starts;
                }
                self.busy = Some((Busy::Starting, now));
            }
            (Action::Wipe, _) => self.busy = Some((Busy::Wiping, now)),
        }
    }

    /// Lets time pass.
    fn settle(&mut self, settings: &Settings, now: Time) {
        self.count(now);
        let Some((busy, since)) = self.busy else { return };
        if now < since.plus_millis(takes(busy, settings)) {
            return;
        }
        match busy {
            // As long as changes break off in the middle, an installation does not get over its own.
            Busy::Installing if settings.half_apply => return,
            Busy::Installing | Busy::Starting => {}
            Busy::Stopping => self.power = false,
            Busy::Wiping => *self = Self::default(),
        }
        self.busy = None;
    }

    /// Its interfaces count as long as it has power.
    fn count(&mut self, now: Time) {
        let (mut counters, since) = self.counters.unwrap_or((Counters { inbound: 0, outbound: 0 }, now));
        if self.power {
            let millis = u64::try_from(now.0 - since.0).unwrap_or(0);
            counters.inbound += millis * RECEIVES;
            counters.outbound += millis * SENDS;
        }
        self.counters = Some((counters, now));
    }

    fn observed(&mut self, settings: &Settings, now: Time) -> Observed {
        self.settle(settings, now);
        let done = self.holds.as_ref().map(|h| h.done(settings, now)).unwrap_or_default();
        Observed {
            version: "Meetme simulated server 1".to_owned(),
            power: self.power,
            remembers: true,
            health: Some(Health::Ok),
            key: self.holds.as_ref().map(|h| h.key.clone()),
            hostname: self.holds.as_ref().map(|h| h.hostname.clone()),
            installed: self.holds.as_ref().map_or(0, |h| h.install.number),
            starts: self.holds.as_ref().map_or(0, |h| h.starts),
            busy: self.busy.map(|(busy, _)| busy),
            done,
            last_error: None,
            counters: self.counters.map(|(counters, _)| counters),
        }
    }
}

impl Holds {
    /// The steps of the installation that are done by now: they are spread evenly over its time.
    fn done(&self, settings: &Settings, now: Time) -> Vec<(String, Time)> {
        let all = takes(Busy::Installing, settings);
        let steps = &self.install.steps;
        let count = i64::try_from(steps.len()).unwrap_or(i64::MAX).max(1);
        let done = (1..).zip(steps).map(|(n, code)| (code.clone(), self.begun.plus_millis(all * n / count)));
        let reach = if settings.half_apply { steps.len() / 2 } else { steps.len() };
        done.take(reach).take_while(|(_, at)| *at <= now).collect()
    }
}

impl Sim {
    async fn apply_server(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = self.reach(target).await?;
        self.admit(target, &settings, fence)?;
        let now = self.now();
        let mut world = self.lock();
        let machine = world.servers.entry((target.name.clone(), target.id)).or_default();
        let mut next = machine.clone();
        next.settle(&settings, now);
        for action in &plan.actions {
            next.act(*action, &plan.want, now);
        }
        if settings.half_apply {
            *machine = next;
            return Err(broke_off(target));
        }
        let seen = next.observed(&settings, now);
        if !settings.lie {
            *machine = next;
        }
        Ok(seen)
    }
}

impl Agent<Server> for Sim {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async move {
            let settings = self.reach(target).await?;
            let now = self.now();
            let mut world = self.lock();
            Ok(world.servers.entry((target.name.clone(), target.id)).or_default().observed(&settings, now))
        })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        Ok(Plan::between(want, seen))
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_server(target, plan, fence))
    }
}

impl Discover for Sim {
    fn discover<'a>(&'a self, target: &'a Target) -> Soon<'a, Inventory> {
        Box::pin(async move {
            self.reach(target).await?;
            let nic = |n: u8| {
                let [_, a, b, c] = steady((&target.name, n), u32::MAX).to_be_bytes();
                // Locally administered (IEEE 802: the second-lowest bit of the first octet).
                InventoryNic { name: format!("eth{n}"), mac: MacAddr([2, n, 1, a, b, c]), link: Some(true) }
            };
            Ok(Inventory {
                serial: format!("SIM-{}", target.name),
                maker: "Meetme".to_owned(),
                model: "simulated server".to_owned(),
                health: Some(Health::Ok),
                nics: vec![nic(0), nic(1)],
                ..Inventory::default()
            })
        })
    }
}
