//! Simulated equipment: routers that speak BGP with nobody, a fabric that carries circuits nowhere, switches without frames, servers
//! without metal, storage without disks.
//!
//! Promise: it is an agent like any other and does not flatter. It keeps what it was given, in memory and apart from what it
//! answers; it takes its time; and by its settings it refuses, does half of what it was told, says it did what it did not,
//! forgets everything, or does not answer.
//!
//! Its world ends with the process. Controllers see that as they see a box that lost its memory, and make it good.

mod circuit;
mod router;
mod server;
mod settings;
mod storage;
mod switch;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use meetme_agent::{AgentError, Fence, FenceGate, Target};
use meetme_base::{Clock, Time};

pub use settings::Settings;

/// Drives simulated equipment of every family.
pub struct Sim {
    clock: Arc<dyn Clock>,
    gate: FenceGate,
    defaults: Settings,
    world: Mutex<World>,
}

/// Everything that exists, by the name of the equipment.
#[derive(Default)]
struct World {
    routers: HashMap<String, router::Machine>,
    circuits: HashMap<(String, i64), circuit::Line>,
    servers: HashMap<(String, i64), server::Machine>,
    disks: HashMap<String, Vec<storage::Disk>>,
    switches: HashMap<String, switch::Machine>,
    /// How often each was told to forget.
    forgotten: HashMap<String, u64>,
    applies: HashMap<i64, u64>,
    refusals: HashMap<i64, u64>,
}

impl Sim {
    /// Simulated equipment that takes the present moment from `clock` and behaves as usual unless its settings say otherwise.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::behaving(clock, Settings::default())
    }

    /// Simulated equipment that behaves as `defaults` say where its own settings are silent.
    pub fn behaving(clock: Arc<dyn Clock>, defaults: Settings) -> Self {
        Self { clock, gate: FenceGate::in_memory(), defaults, world: Mutex::default() }
    }

    /// Lets every piece of equipment of that name lose its memory, as by a power cut.
    pub fn reboot(&self, name: &str) {
        self.lock().forget(name);
    }

    /// How many changes were made to what has this id in the core.
    pub fn applies(&self, target: i64) -> u64 {
        self.lock().applies.get(&target).copied().unwrap_or(0)
    }

    /// How many changes of what has this id in the core were refused.
    pub fn refusals(&self, target: i64) -> u64 {
        self.lock().refusals.get(&target).copied().unwrap_or(0)
    }

    /// Changes a router's configuration by hand, as somebody logged in to it would; false when there is no such router.
    pub fn meddle(&self, name: &str, edit: impl FnOnce(&mut meetme_agent::router::Desired)) -> bool {
        self.lock().routers.get_mut(name).is_some_and(|found| found.meddle(edit))
    }

    /// Whatever must be true before a box answers at all: it is there and it understands its settings.
    async fn reach(&self, target: &Target) -> Result<Settings, AgentError> {
        let settings = self.defaults.clone().with(&target.settings, &target.name)?;
        if settings.answer_ms > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(settings.answer_ms)).await;
        }
        if settings.unreachable {
            return Err(AgentError::unreachable(format!("{} does not answer (it is simulated so).", target.name)));
        }
        let mut world = self.lock();
        if world.forgotten.get(&target.name).copied().unwrap_or(0) < settings.forget {
            world.forgotten.insert(target.name.clone(), settings.forget);
            world.forget(&target.name);
        }
        drop(world);
        Ok(settings)
    }

    /// Whatever must be true before a box changes: the fence is the newest, and it does not refuse.
    fn admit(&self, target: &Target, settings: &Settings, fence: Fence) -> Result<(), AgentError> {
        self.gate.admit(target.id, fence)?;
        if let Some(why) = &settings.refuse {
            *self.lock().refusals.entry(target.id).or_default() += 1;
            return Err(AgentError::refused(why.clone()));
        }
        *self.lock().applies.entry(target.id).or_default() += 1;
        Ok(())
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn forget(&mut self, name: &str) {
        self.routers.remove(name);
        self.switches.remove(name);
        self.circuits.retain(|(of, _), _| of != name);
        self.servers.retain(|(of, _), _| of != name);
        self.disks.remove(name);
    }
}

/// What a half-done change answers in the end.
fn broke_off(target: &Target) -> AgentError {
    AgentError::unreachable(format!(
        "{} stopped answering in the middle of a change (it is simulated so).",
        target.name
    ))
}

/// A number below `below` that is always the same for the same thing: counts that look alive and do not flicker.
fn steady(of: impl std::hash::Hash, below: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    u32::try_from(hasher.finish() % u64::from(below.max(1))).unwrap_or(0)
}
