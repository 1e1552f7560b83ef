//! The controller of devices: installs, switches, starts again and wipes the server under a device, and shows each step.

mod record;

use std::sync::Arc;

use meetme_agent::{
    Agent, AgentError, Fence, Target, WireSecret,
    server::{Action, Busy, Desired, Install, Observed, Server as Family, Told},
};
use meetme_app::{App, Error};
use meetme_base::{RawId, Time, Uid};
use meetme_model::{
    Phase, Wanted,
    access::SshKey,
    fabric::{Address, Landing},
    living,
    metal::{Device, DeviceForm, DeviceStatus, MachineBusy, MachineSaid, MachineTold, Power, SaidWhat, Server},
    place::{Boot, Image, Plan},
};
use meetme_store::{Filter, Object, Tx};

use crate::{
    agents::Agents,
    controller::{Controller, Next, Soon},
    pace::Pace,
    target::target,
};

/// Makes devices follow what is stored of them.
pub struct DeviceController {
    app: App,
    agents: Agents,
    pace: Pace,
}

/// One pass over a device.
pub enum Job {
    /// Say what is going to be done.
    Begin(Intent),
    /// Tell the equipment.
    Tell(Box<Tell>),
}

/// What the equipment is told.
pub struct Tell {
    agent: Arc<dyn Agent<Family>>,
    target: Target,
    want: Desired,
    /// What it was told last, should it not remember.
    told: Option<Told>,
    /// Whether it may lose what is on its disks.
    may_install: bool,
}

/// What came of it.
pub enum Outcome {
    /// Something begins.
    Begun {
        /// What.
        intent: Intent,
        /// A password for the machine, should it need one.
        password: WireSecret,
    },
    /// The equipment was asked.
    Told {
        /// The name of the device on the equipment.
        key: String,
        /// What it said.
        said: Result<Observed, AgentError>,
    },
}

/// What is to be done to a device: the phase it is in meanwhile, and the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    phase: Phase,
    step: Option<&'static str>,
}

impl Intent {
    /// What is to be done so that a device becomes what is wished; nothing when it is.
    fn of(spec: &Device, status: &DeviceStatus, is_over: bool) -> Option<Self> {
        let step = |phase, step| Some(Self { phase, step: Some(step) });
        if is_over {
            return Some(Self { phase: Phase::Removing, step: None });
        }
        if status.life.ready_at.is_none() {
            return step(Phase::Building, "install");
        }
        if spec.reinstalls > status.reinstalls {
            return step(Phase::Changing, "reinstall");
        }
        match (spec.life.wanted, status.power) {
            (Wanted::Off, Some(Power::On) | None) => return step(Phase::Changing, "stop"),
            (Wanted::Up, Some(Power::Off) | None) => return step(Phase::Changing, "start"),
            _ => {}
        }
        if spec.restarts > status.restarts && spec.life.wanted == Wanted::Up {
            return step(Phase::Changing, "reboot");
        }
        None
    }

    /// Whether this is what a device is at. A failure stays at what it failed at.
    fn is_under_way(self, status: &DeviceStatus) -> bool {
        let (phase, step) = (status.life.phase, status.life.step.as_deref());
        match (self.phase, phase) {
            (Phase::Removing, Phase::Failed) => step == Some("removal"),
            (Phase::Building, Phase::Failed) => step == Some("build"),
            (Phase::Changing, Phase::Failed) => step == Some("change"),
            _ => phase == self.phase && step == self.step,
        }
    }

    /// Whether it puts a system onto the machine.
    fn installs(self) -> bool {
        matches!(self.step, Some("install" | "reinstall"))
    }
}

fn is_over(tx: &Tx<'_>, device: &Object<Device>) -> bool {
    device.spec.life.wanted == Wanted::Gone || device.spec.life.gone_at.is_some_and(|day| day <= tx.now())
}

impl DeviceController {
    /// A controller over these agents.
    pub fn new(app: App, agents: Agents, pace: Pace) -> Self {
        Self { app, agents, pace }
    }

    fn tell(&self, tx: &mut Tx<'_>, device: &Object<Device>) -> Result<Next<Job>, Error> {
        let server = match device.spec.server {
            Some(server) => tx.find::<Server>(server)?,
            None => None,
        };
        let equipment = match server.as_ref().and_then(|s| s.spec.equipment) {
            Some(equipment) => tx.find(equipment)?,
            None => None,
        };
        let make = equipment.as_ref().map_or(self.agents.usual.as_str(), |e| e.spec.make.as_str());
        let agent = match self.agents.servers.get(make) {
            Ok(agent) => agent,
            Err(why) => return Ok(Next::Stuck { why, look_again: Some(self.pace.retry) }),
        };
        let serial = server.as_ref().map_or("the hosts", |s| s.spec.serial.as_str());
        let target = target(&self.app, device.id.any(), equipment.as_ref().map(|e| &e.spec), serial)?;
        let want = self.desired(tx, device)?;
        let intent = Intent::of(&device.spec, &device.status, is_over(tx, device));
        let may_install = intent.is_some_and(Intent::installs)
            || make == self.agents.usual
            || equipment.as_ref().is_some_and(|e| e.spec.repair);
        let told = recollection(device);
        Ok(Next::Drive(Job::Tell(Box::new(Tell { agent, target, want, told, may_install }))))
    }

    fn desired(&self, tx: &mut Tx<'_>, device: &Object<Device>) -> Result<Desired, Error> {
        let spec = &device.spec;
        let gone = is_over(tx, device);
        let mut want = Desired {
            key: key(device.id.any()),
            hostname: spec.hostname.clone(),
            power: !gone && spec.life.wanted == Wanted::Up,
            install: None,
            starts: spec.restarts,
            rescue: spec.rescue,
            netboot: false,
        };
        if gone {
            return Ok(want);
        }
        let root_password = match &device.status.root_password {
            Some(kept) => Some(self.app.sealer().open(&kept.value)?.into()),
            None => None,
        };
        let image = tx.get::<Image>(spec.image)?.spec;
        want.netboot = spec.always_pxe && image.boot == Boot::Script;
        let keys = tx.many::<SshKey>(spec.keys.iter().copied())?;
        let addresses = tx.all::<Address>(Filter::eq("device", device.id))?;
        want.install = Some(Install {
            number: spec.reinstalls + 1,
            plan: tx.get::<Plan>(spec.plan)?.spec.slug,
            image: image.slug,
            ipxe_url: spec.ipxe_url.clone(),
            userdata: spec.userdata.as_deref().map(WireSecret::new),
            root_password,
            ssh_keys: spec.keys.iter().filter_map(|id| keys.get(id)).map(|k| k.spec.key.clone()).collect(),
            addresses: addresses.into_iter().map(|a| a.spec.ip.0).collect(),
            keep_disks: spec.keep_disks,
            steps: device.status.steps.iter().map(|s| s.code.clone()).collect(),
        });
        Ok(want)
    }
}

fn key(id: RawId) -> String {
    format!("d{id}")
}

/// What a machine was told last, as far as it has not said itself that this is over.
fn recollection(device: &Object<Device>) -> Option<Told> {
    let status = &device.status;
    let MachineTold { installed, starts, busy, at } = *status.told.as_ref()?;
    let has_said = |what| status.said.as_ref().is_some_and(|said| said.what == what && said.at >= at);
    let busy = match busy {
        // Nothing of the device is on it any more.
        Some(MachineBusy::Wiping) if has_said(SaidWhat::Wiped) => return None,
        Some(MachineBusy::Installing) if status.called_home_at.is_some_and(|home| home >= at) => None,
        other => other.map(|busy| match busy {
            MachineBusy::Installing => Busy::Installing,
            MachineBusy::Starting => Busy::Starting,
            MachineBusy::Stopping => Busy::Stopping,
            MachineBusy::Wiping => Busy::Wiping,
        }),
    };
    Some(Told { key: key(device.id.any()), installed, starts, busy })
}

/// What is to be kept of what a machine was told. The moment is that of the telling: what it says before is about something else.
fn memory(before: Option<&MachineTold>, seen: &Observed, now: Time) -> Option<MachineTold> {
    let Told { installed, starts, busy, .. } = seen.told()?;
    let busy = busy.map(|busy| match busy {
        Busy::Installing => MachineBusy::Installing,
        Busy::Starting => MachineBusy::Starting,
        Busy::Stopping => MachineBusy::Stopping,
        Busy::Wiping => MachineBusy::Wiping,
    });
    let is_same = |b: &&MachineTold| (b.installed, b.starts, b.busy) == (installed, starts, busy);
    Some(MachineTold { installed, starts, busy, at: before.filter(is_same).map_or(now, |b| b.at) })
}

/// What a machine says that went wrong since it was told what it is at.
fn complaint(status: &DeviceStatus) -> Option<&MachineSaid> {
    let since = status.told.as_ref()?.at;
    status.said.as_ref().filter(|said| said.what == SaidWhat::Failed && said.at >= since)
}

async fn told(tell: Tell, fence: Fence) -> Result<Observed, AgentError> {
    let told = tell.told.as_ref();
    let seen = tell.agent.observe(&tell.target).await?.recall(told);
    let plan = tell.agent.plan(&tell.want, &seen)?;
    if plan.actions.contains(&Action::Install) && !tell.may_install {
        let held = seen.key.as_deref().unwrap_or("nothing");
        return Err(AgentError::broken(format!(
            "the server should hold {} and holds {held}; it is installed anew only when somebody asks for it",
            tell.want.key
        )));
    }
    if plan.is_change { Ok(tell.agent.apply(&tell.target, plan, fence).await?.recall(told)) } else { Ok(seen) }
}

impl Controller for DeviceController {
    const NAME: &'static str = "device";
    type Job = Job;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
        let Some(device) = tx.find::<Device>(id.of())? else { return Ok(Next::Gone) };
        let phase = device.status.life.phase;
        let is_over = is_over(tx, &device);
        match phase {
            Phase::Gone => return Ok(Next::Gone),
            Phase::Draft | Phase::Asking if !is_over => return Ok(Next::Settled { look_again: None }),
            Phase::Queued if !is_over && device.spec.form == DeviceForm::Metal && device.spec.server.is_none() => {
                let why = "No server of this plan is free at the site.".to_owned();
                return Ok(Next::Wait { why, at_most: self.pace.retry });
            }
            _ => {}
        }
        if is_over && phase == Phase::Removing {
            // What is wiped must be out of everybody's reach first.
            let landings = tx.all::<Landing>(Filter::eq("port.device", device.id).and(living()))?;
            if landings.iter().any(|landing| !landing.status.on.is_empty()) {
                let why = "The switches are taking the device's networks off.".to_owned();
                return Ok(Next::Wait { why, at_most: self.pace.patience(device.status.life.since, tx.now()) });
            }
        }
        match Intent::of(&device.spec, &device.status, is_over) {
            Some(intent) if !intent.is_under_way(&device.status) => Ok(Next::Drive(Job::Begin(intent))),
            _ => self.tell(tx, &device),
        }
    }

    fn drive(&self, job: Job, fence: Fence) -> Soon<'_, Outcome> {
        Box::pin(async move {
            match job {
                Job::Begin(intent) => {
                    // 96 random bits, in letters and digits that every keyboard has.
                    let password: String = Uid::random().to_string().chars().filter(|c| *c != '-').take(24).collect();
                    Outcome::Begun { intent, password: WireSecret::new(password) }
                }
                Job::Tell(tell) => {
                    let key = tell.want.key.clone();
                    Outcome::Told { key, said: told(*tell, fence).await }
                }
            }
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(device) = tx.find::<Device>(id.of())? else { return Ok(Next::Gone) };
        match outcome {
            Outcome::Begun { intent, password } => record::begun(&self.app, tx, device, *intent, password),
            Outcome::Told { said: Err(error), .. } => record::failed(tx, device, error, &self.pace),
            Outcome::Told { key, said: Ok(seen) } => record::seen(tx, device, key, seen, &self.pace),
        }
    }
}

#[cfg(test)]
mod tests {
    use meetme_base::{Id, Time};
    use meetme_model::LifeStatus;

    use super::*;

    fn at(spec: impl FnOnce(&mut Device), power: Option<Power>) -> Option<Intent> {
        let mut device = Device::new("a", Id::new(1), Id::new(2), Id::new(3));
        spec(&mut device);
        let life = LifeStatus { phase: Phase::Up, ready_at: power.map(|_| Time(1)), ..LifeStatus::default() };
        Intent::of(
            &device,
            &DeviceStatus { life, power, ..DeviceStatus::default() },
            device.life.wanted == Wanted::Gone,
        )
    }

    #[test]
    fn what_is_to_be_done_follows_from_wish_and_state() {
        let step = |intent: Option<Intent>| intent.and_then(|i| i.step);
        assert_eq!(step(at(|_| (), None)), Some("install"));
        assert_eq!(at(|_| (), Some(Power::On)), None);
        assert_eq!(step(at(|d| d.life.wanted = Wanted::Off, Some(Power::On))), Some("stop"));
        assert_eq!(at(|d| d.life.wanted = Wanted::Off, Some(Power::Off)), None);
        assert_eq!(step(at(|_| (), Some(Power::Off))), Some("start"));
        assert_eq!(step(at(|d| d.restarts = 1, Some(Power::On))), Some("reboot"));
        assert_eq!(step(at(|d| d.reinstalls = 1, Some(Power::On))), Some("reinstall"));
        assert_eq!(at(|d| d.life.wanted = Wanted::Gone, None).map(|i| i.phase), Some(Phase::Removing));
    }
}
