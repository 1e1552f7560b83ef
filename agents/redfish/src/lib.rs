//! Redfish: the management controllers of servers, whoever made them. Power, what a machine starts from, what it is made of.
//!
//! Promise: it builds no paths but the one the standard fixes (`/redfish/v1/`) and follows links from there (DSP0266 section 8);
//! it sends its credential to the address it was given and nowhere else; it believes no answer about a change before it has
//! read the change back. It knows nothing of what machines start: that is whoever answers them on the network.
//!
//! A management controller does not remember whom its server was given to, so neither does this agent: what it answers about
//! that is only what it has just been told (see [`Observed::remembers`]).

mod bmc;
mod client;
mod inventory;
mod said;
mod settings;
mod trust;

use std::sync::Arc;

use meetme_agent::{
    Agent, AgentError, Fence, FenceGate, Soon, Target,
    server::{Action, Busy, Desired, Discover, Inventory, Observed, Plan, Server},
};
use meetme_base::{Clock, Time};

pub use bmc::{Bmc, Boot, Once};
pub use inventory::Sensor;
pub use settings::Settings;

/// Drives servers through their management controllers.
pub struct Redfish {
    clock: Arc<dyn Clock>,
    gate: FenceGate,
}

impl Redfish {
    /// An agent that remembers fences as `gate` does.
    pub fn new(clock: Arc<dyn Clock>, gate: FenceGate) -> Self {
        Self { clock, gate }
    }

    async fn change(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        self.gate.admit(target.id, fence)?;
        let bmc = Bmc::open(target).await?;
        let done = carry_out(&bmc, &plan).await;
        let seen = match done {
            Ok(()) => bmc.look().await,
            Err(error) => Err(error),
        };
        bmc.close().await;
        let mut seen = seen?;
        told(&mut seen, &plan, self.clock.now());
        Ok(seen)
    }
}

/// Does what a plan says. Each action ends with the controller having shown that it did.
async fn carry_out(bmc: &Bmc, plan: &Plan) -> Result<(), AgentError> {
    let want = &plan.want;
    let boot = match (want.rescue, want.netboot) {
        (true, _) => Boot::Network(Once::Yes),
        (false, true) => Boot::Network(Once::No),
        (false, false) => Boot::Disk,
    };
    for action in &plan.actions {
        match action {
            // What a machine does while it is installed or wiped must not depend on what its old system still does.
            Action::Install | Action::Wipe => {
                bmc.power_off(false).await?;
                bmc.boot_from(Boot::Network(if want.netboot { Once::No } else { Once::Yes })).await?;
                bmc.power_on().await?;
            }
            Action::On => {
                bmc.boot_from(boot).await?;
                bmc.power_on().await?;
            }
            Action::Off => bmc.power_off(true).await?,
            Action::Restart => {
                bmc.boot_from(boot).await?;
                bmc.restart().await?;
            }
        }
    }
    Ok(())
}

/// What the server has been told, as far as nobody can see it on the server.
fn told(seen: &mut Observed, plan: &Plan, now: Time) {
    let want = &plan.want;
    for action in &plan.actions {
        match (action, &want.install) {
            (Action::Install, Some(install)) => {
                seen.key = Some(want.key.clone());
                seen.installed = install.number;
                seen.starts = want.starts;
                seen.busy = Some(Busy::Installing);
                // The rest is reported by the machine itself.
                let ours = install.steps.iter().take_while(|code| !code.starts_with("provisioning.104"));
                seen.done = ours.map(|code| (code.clone(), now)).collect();
            }
            (Action::Wipe, _) => {
                seen.key = Some(want.key.clone());
                seen.busy = Some(Busy::Wiping);
            }
            (Action::Restart, install) => {
                seen.key = Some(want.key.clone());
                seen.installed = install.as_ref().map_or(0, |i| i.number);
                seen.starts = want.starts;
            }
            (Action::Install | Action::On | Action::Off, _) => {}
        }
    }
}

impl Agent<Server> for Redfish {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async move {
            let bmc = Bmc::open(target).await?;
            let seen = bmc.look().await;
            bmc.close().await;
            seen
        })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        Ok(Plan::between(want, seen))
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.change(target, plan, fence))
    }
}

impl Discover for Redfish {
    fn discover<'a>(&'a self, target: &'a Target) -> Soon<'a, Inventory> {
        Box::pin(async move {
            let bmc = Bmc::open(target).await?;
            let found = bmc.inventory().await;
            bmc.close().await;
            found
        })
    }
}
