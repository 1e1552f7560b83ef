//! Devices: from an order to being up, switched, installed anew, and away again.

use meetme_app::devices::{self, Action, NewDevice, Place};
use meetme_base::Id;
use meetme_model::{
    Phase,
    metal::{Device, Power, Server},
    ops::Equipment,
};
use meetme_store::{ChangeQuery, Context, Verb};
use serde_json::json;

use crate::world::World;

struct Room {
    world: World,
    server: Id<Server>,
    bmc: Id<Equipment>,
    device: Id<Device>,
}

async fn ordered(settings: serde_json::Value) -> Room {
    let world = World::new().await;
    let (plan, image) = world.wares().await;
    let bmc =
        world.make::<Equipment>(json!({"name": "bmc1", "family": "server", "make": "sim", "settings": settings})).await;
    let server =
        world.make::<Server>(json!({"serial": "S1", "plan": plan, "site": world.site, "equipment": bmc})).await;
    let (project, site) = (world.project().await, world.site);
    let device = world.write(move |tx| {
        let new = NewDevice { addresses: Some(Vec::new()), ..NewDevice::new(plan, image, vec![Place::Site(site)]) };
        Ok(devices::order(tx, project, &new)?.id)
    });
    let device = device.await.unwrap();
    Room { world, server, bmc, device }
}

impl Room {
    async fn act(&self, action: Action) {
        let id = self.device;
        self.world.write(move |tx| devices::act(tx, id, &action).map(drop)).await.unwrap();
    }
    async fn codes(&self) -> Vec<String> {
        let query = ChangeQuery {
            ids: vec![self.device.any()],
            verbs: vec![Verb::Moved],
            limit: 200,
            ..ChangeQuery::default()
        };
        let lines = self.world.app.store().read(Context::system(), move |tx| tx.changes(&query)).await.unwrap();
        lines.into_iter().filter_map(|l| l.code).collect()
    }
    async fn steady(&self, phase: Phase) -> meetme_model::metal::DeviceStatus {
        self.world.until(self.device, phase.word(), |d| d.status.life.phase == phase).await.status
    }
}

#[tokio::test]
async fn a_device_is_installed_step_by_step() {
    let room = ordered(json!({"delay_ms": 400})).await;
    let up = room.steady(Phase::Up).await;
    assert!(up.steps.len() >= 9 && up.steps.iter().all(|s| s.at.is_some()), "{:?}", up.steps);
    assert_eq!((up.power, up.life.ready_at.is_some()), (Some(Power::On), true));
    let kept = up.root_password.unwrap();
    assert_eq!(room.world.app.sealer().open(&kept.value).unwrap().expose().len(), 24);
    let codes = room.codes().await;
    assert_eq!(
        (codes.first().map(String::as_str), codes.last().map(String::as_str)),
        (Some("phase.building"), Some("phase.up"))
    );
    let steps: Vec<&String> = codes.iter().filter(|c| c.starts_with("provisioning.")).collect();
    assert!(steps.len() == up.steps.len() && steps.is_sorted(), "{steps:?}");
    room.world.end().await;
}

#[tokio::test]
async fn a_device_is_switched_restarted_and_installed_anew() {
    let room = ordered(json!({})).await;
    let first = room.steady(Phase::Up).await.root_password;
    room.act(Action::PowerOff).await;
    assert_eq!(room.steady(Phase::Off).await.power, Some(Power::Off));
    room.act(Action::PowerOn).await;
    assert_eq!(room.steady(Phase::Up).await.power, Some(Power::On));
    room.act(Action::Restart).await;
    room.world.until(room.device, "restarted", |d| d.status.restarts == 1 && d.status.life.phase == Phase::Up).await;
    room.act(Action::Reinstall { image: None, ipxe_url: None, keep_disks: false }).await;
    let again =
        room.world.until(room.device, "reinstalled", |d| d.status.reinstalls == 1 && d.status.life.phase == Phase::Up);
    assert_ne!(again.await.status.root_password, first);
    let codes = room.codes().await;
    let power: Vec<&str> = codes.iter().filter(|c| c.starts_with("power.")).map(String::as_str).collect();
    let wanted = ["power.200", "power.201", "power.202"].into_iter();
    let wanted = wanted.chain(["power.200", "power.201", "power.204"]).chain(["power.200", "power.201", "power.203"]);
    assert_eq!(power, wanted.collect::<Vec<_>>());
    assert_eq!(codes.iter().filter(|c| *c == "phase.changing").count(), 1, "the installation");
    room.world.end().await;
}

#[tokio::test]
async fn a_removed_device_frees_its_server_only_when_it_is_wiped() {
    let room = ordered(json!({"delay_ms": 300})).await;
    room.steady(Phase::Up).await;
    let (id, server) = (room.device, room.server);
    assert_eq!(room.world.get(id).await.spec.server, Some(server));
    room.world.write(move |tx| devices::remove(tx, id).map(drop)).await.unwrap();
    room.steady(Phase::Removing).await;
    let gone = room.world.until(id, "gone", |d| d.status.life.phase == Phase::Gone).await;
    assert_eq!((gone.spec.server, gone.status.root_password), (None, None));
    assert!(room.world.get(server).await.status.wiped_at.is_some());
    room.world.end().await;
}

#[tokio::test]
async fn a_refused_installation_has_failed_and_is_made_good_when_the_server_gives_in() {
    let room = ordered(json!({"refuse": "The disk is dead."})).await;
    let failed = room.steady(Phase::Failed).await.life;
    assert_eq!(failed.step.as_deref(), Some("build"));
    assert!(failed.reason.is_some_and(|r| r.text.contains("The disk is dead.")));
    room.world.edit(room.bmc, |e| e.settings = json!({"unreachable": true})).await;
    room.world
        .until(room.device, "lost", |d| d.status.life.reason.as_ref().is_some_and(|r| r.code == "unreachable"))
        .await;
    room.world.edit(room.bmc, |e| e.settings = json!({})).await;
    assert_eq!(room.steady(Phase::Up).await.life.reason, None);
    room.world.end().await;
}
