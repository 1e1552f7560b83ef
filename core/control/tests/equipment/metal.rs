//! Devices on servers whose equipment knows power and nothing else: what is known besides is what the machine says itself.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target,
    server::{Action as Told, Busy, Desired, Discover, Inventory, InventoryNic, Observed, Plan, Server as Family},
};
use meetme_app::{
    devices::{
        self, Action, NewDevice, Place,
        machine::{self, Report},
    },
    servers::{self, Discovery},
};
use meetme_base::{Id, MacAddr, Time};
use meetme_control::discover::DiscoverWorker;
use meetme_model::{
    Phase, Wanted,
    fabric::{Landing, Port, Segment, Shape},
    metal::{Device, DeviceStatus, Health, MachineBusy, Power, Server},
    ops::{Equipment, JobState},
};
use meetme_store::{Filter, Object};
use serde_json::json;

use crate::world::World;

/// A controller of power.
#[derive(Default)]
struct Controller {
    power: Mutex<bool>,
    orders: Mutex<Vec<Told>>,
}

impl Controller {
    fn seen(&self) -> Observed {
        Observed {
            version: "power".into(),
            power: *self.power.lock().unwrap(),
            remembers: false,
            health: Some(meetme_agent::server::Health::Warning),
            key: None,
            hostname: None,
            installed: 0,
            starts: 0,
            busy: None,
            done: Vec::new(),
            last_error: None,
            counters: None,
        }
    }

    fn wipes(&self) -> usize {
        self.orders.lock().unwrap().iter().filter(|order| **order == Told::Wipe).count()
    }
}

impl Agent<Family> for Controller {
    fn observe<'a>(&'a self, _: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async { Ok(self.seen()) })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        Ok(Plan::between(want, seen))
    }

    fn apply<'a>(&'a self, _: &'a Target, plan: Plan, _: Fence) -> Soon<'a, Observed> {
        Box::pin(async move {
            let mut told = None;
            for action in &plan.actions {
                self.orders.lock().unwrap().push(*action);
                *self.power.lock().unwrap() = *action != Told::Off;
                told = match action {
                    Told::Install => Some(Some(Busy::Installing)),
                    Told::Wipe => Some(Some(Busy::Wiping)),
                    Told::Restart => Some(None),
                    Told::On | Told::Off => None,
                };
            }
            let mut seen = self.seen();
            if let Some(busy) = told {
                seen.key = Some(plan.want.key.clone());
                seen.installed = plan.want.install.as_ref().map_or(0, |i| i.number);
                seen.starts = plan.want.starts;
                seen.busy = busy;
            }
            Ok(seen)
        })
    }
}

impl Discover for Controller {
    fn discover<'a>(&'a self, target: &'a Target) -> Soon<'a, Inventory> {
        Box::pin(async move {
            let nic = InventoryNic { name: "NIC.1".into(), mac: MacAddr([2, 0, 0x5e, 0x10, 0, 9]), link: None };
            Ok(Inventory {
                serial: format!("of {}", target.name),
                nics: vec![nic],
                faults: vec!["Fan 3".into()],
                ..Inventory::default()
            })
        })
    }
}

struct Room {
    world: World,
    controller: Arc<Controller>,
    server: Id<Server>,
    bmc: Id<Equipment>,
    device: Id<Device>,
}

async fn ordered(give_up: Duration) -> Room {
    let controller = Arc::new(Controller::default());
    let (agent, finder) = (Arc::clone(&controller), Arc::clone(&controller));
    let agents =
        move |agents: meetme_control::Agents| agents.with_server("power", agent).with_discoverer("power", finder);
    let worker_agents =
        meetme_control::Agents::new("sim").with_discoverer("power", Arc::clone(&controller) as Arc<dyn Discover>);
    let workers = move |app, _| -> Vec<Arc<dyn meetme_control::jobs::Worker>> {
        vec![Arc::new(DiscoverWorker::new(app, worker_agents))]
    };
    let world = World::with_agents(workers, agents, give_up).await;
    let (plan, image) = world.wares().await;
    let bmc = json!({"name": "bmc1", "family": "server", "make": "power", "site": world.site});
    let bmc = world.make::<Equipment>(bmc).await;
    let server = world.make::<Server>(json!({
        "serial": "S1", "plan": plan, "site": world.site, "equipment": bmc,
        "nics": [{"name": "eth0", "mac": "02:00:5e:10:00:01"}],
    }));
    let server = server.await;
    let (project, site) = (world.project().await, world.site);
    let device = world.write(move |tx| {
        let new = NewDevice { addresses: Some(Vec::new()), ..NewDevice::new(plan, image, vec![Place::Site(site)]) };
        Ok(devices::order(tx, project, &new)?.id)
    });
    let device = device.await.unwrap();
    Room { world, controller, server, bmc, device }
}

impl Room {
    async fn says(&self, report: Report) {
        let (id, app) = (self.device, self.world.app.clone());
        let said = self.world.write(move |tx| {
            let device = tx.get(id)?;
            machine::report(&app, tx, device, &report)
        });
        said.await.unwrap();
    }
    async fn act(&self, action: Action) {
        let id = self.device;
        self.world.write(move |tx| devices::act(tx, id, &action).map(drop)).await.unwrap();
    }
    async fn until(&self, what: &str, test: impl Fn(&DeviceStatus) -> bool) -> Object<Device> {
        self.world.until(self.device, what, |d| test(&d.status)).await
    }
    async fn busy(&self, busy: MachineBusy) {
        self.until("told", |s| s.told.as_ref().is_some_and(|t| t.busy == Some(busy))).await;
    }
    /// Everything an installation says.
    async fn installs(&self) {
        self.busy(MachineBusy::Installing).await;
        self.says(Report::Step("provisioning.109".into())).await;
        self.says(Report::CalledHome).await;
    }
}

#[tokio::test]
async fn a_machine_is_up_when_it_calls_home_and_gone_when_it_is_wiped() {
    let room = ordered(Duration::from_secs(60)).await;
    room.busy(MachineBusy::Installing).await;
    room.says(Report::Step("provisioning.105".into())).await;
    let half = room.world.get(room.device).await.status;
    assert_eq!((half.life.phase, half.steps.iter().filter(|s| s.at.is_some()).count()), (Phase::Building, 5));
    room.installs().await;
    let up = room.until("up", |s| s.life.phase == Phase::Up).await.status;
    assert_eq!((up.power, up.steps.iter().all(|s| s.at.is_some())), (Some(Power::On), true));
    assert_eq!(room.world.get(room.server).await.status.health, Some(Health::Warning));
    room.act(Action::Restart).await;
    room.until("restarted", |s| s.restarts == 1 && s.life.phase == Phase::Up).await;
    room.act(Action::PowerOff).await;
    room.until("off", |s| s.life.phase == Phase::Off).await;
    room.act(Action::Reinstall { image: None, ipxe_url: None, keep_disks: false }).await;
    room.until("begun anew", |s| s.told.as_ref().is_some_and(|t| t.installed == 2)).await;
    assert!(
        room.world.get(room.device).await.status.life.phase == Phase::Changing,
        "what it said before is not about this"
    );
    room.installs().await;
    room.until("up again", |s| s.reinstalls == 1 && s.life.phase == Phase::Up).await;
    let id = room.device;
    let port = room.world.write(move |tx| Ok(tx.all::<Port>(Filter::eq("device", id))?)).await.unwrap();
    let port = port.iter().find(|port| port.spec.shape == Shape::Nic).unwrap().id;
    let segment = room.world.make::<Segment>(json!({"at": room.world.site, "vlan": 100})).await;
    let landing = room.world.make::<Landing>(json!({"segment": segment, "port": port})).await;
    room.world.write(move |tx| devices::remove(tx, id).map(drop)).await.unwrap();
    room.busy(MachineBusy::Wiping).await;
    let left = room.world.get(landing).await;
    assert!(
        left.status.on.is_empty() && left.spec.life.wanted == Wanted::Gone,
        "it is wiped only when nobody reaches it"
    );
    assert_eq!(room.world.get(room.device).await.spec.server, Some(room.server), "it is nobody else's yet");
    room.says(Report::Wiped).await;
    let gone = room.until("gone", |s| s.life.phase == Phase::Gone).await;
    assert_eq!((gone.spec.server, gone.status.told), (None, None));
    assert!(room.world.get(room.server).await.status.wiped_at.is_some());
    let orders = room.controller.orders.lock().unwrap().clone();
    assert_eq!(orders, [Told::Install, Told::Restart, Told::Off, Told::Install, Told::Wipe]);
    room.world.end().await;
}

#[tokio::test]
async fn a_machine_that_never_calls_home_has_failed_with_what_was_last_heard_of_it() {
    let room = ordered(Duration::from_millis(600)).await;
    room.busy(MachineBusy::Installing).await;
    room.says(Report::Started("It starts the installation system.")).await;
    let failed = room.until("failed", |s| s.life.phase == Phase::Failed).await.status.life;
    let reason = failed.reason.unwrap();
    assert!(reason.code == "late" && reason.text.ends_with("It starts the installation system."), "{}", reason.text);
    assert_eq!(failed.step.as_deref(), Some("build"));
    // Asked for again, it is told again, and this time it is heard of.
    room.act(Action::Reinstall { image: None, ipxe_url: None, keep_disks: false }).await;
    room.until("begun anew", |s| s.told.as_ref().is_some_and(|t| t.installed == 2)).await;
    room.installs().await;
    assert_eq!(room.until("up", |s| s.life.phase == Phase::Up).await.status.life.reason, None);
    room.world.end().await;
}

/// When it was told to wipe its disks, if that is what it does.
fn wiping_since(status: &DeviceStatus) -> Option<Time> {
    status.told.as_ref().filter(|told| told.busy == Some(MachineBusy::Wiping)).map(|told| told.at)
}

#[tokio::test]
async fn what_a_machine_complains_of_is_the_reason_and_wiping_is_tried_again() {
    let room = ordered(Duration::from_secs(60)).await;
    room.busy(MachineBusy::Installing).await;
    room.says(Report::Failed("There is no disk.".into())).await;
    let failed = room.until("failed", |s| s.life.phase == Phase::Failed).await.status.life;
    assert_eq!(failed.reason.unwrap().text, "The machine says: There is no disk.");
    let id = room.device;
    room.world.write(move |tx| devices::remove(tx, id).map(drop)).await.unwrap();
    let first = room.until("told", |s| wiping_since(s).is_some()).await.status;
    room.says(Report::Failed("The disk is stuck.".into())).await;
    // Written down, and not only told: before that nobody believes that it was done.
    room.until("told again", |s| wiping_since(s) > wiping_since(&first)).await;
    assert!(room.controller.wipes() > 1);
    room.says(Report::Wiped).await;
    room.until("gone", |s| s.life.phase == Phase::Gone).await;
    room.world.end().await;
}

#[tokio::test]
async fn a_server_is_entered_by_a_discovery_and_brought_up_to_date_by_the_next() {
    let room = ordered(Duration::from_secs(60)).await;
    let other = json!({"name": "bmc2", "family": "server", "make": "power", "site": room.world.site});
    let other = room.world.make::<Equipment>(other).await;
    let plan = room.world.get(room.server).await.spec.plan;
    let ask = |equipment: Id<Equipment>, plan| {
        room.world.write(move |tx| Ok(servers::discover(tx, equipment, &Discovery { plan })?.id))
    };
    for is_new in [true, false] {
        let job = ask(other, Some(plan)).await.unwrap();
        let done = room.world.until(job, "done", |j| j.status.state.is_over()).await.status;
        assert_eq!((done.state, &done.answer["new"]), (JobState::Ok, &json!(is_new)), "{}", done.output);
    }
    let found = room.world.write(|tx| Ok(tx.one::<Server>(&Filter::eq("serial", "of bmc2"))?)).await.unwrap().unwrap();
    assert_eq!((found.spec.nics[0].name.as_str(), found.spec.equipment), ("eth0", Some(other)));
    assert_eq!(found.status.faults.len(), 1);
    // Another board behind a known controller is for a person to settle.
    let job = ask(room.bmc, Some(plan)).await.unwrap();
    let done = room.world.until(job, "done", |j| j.status.state.is_over()).await.status;
    assert!(done.state == JobState::Failed && done.output.contains("Behind bmc1 stood S1"), "{}", done.output);
    room.world.end().await;
}
