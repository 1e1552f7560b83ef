//! Switches: what is put on the ports of machines reaches the switch they are patched to, and leaves it.

use meetme_agent::switch::{Observed, State};
use meetme_app::{
    devices::{self, NewDevice, Place},
    gateways::{self, Addresses},
    nics,
    segments::{self, NewSegment},
};
use meetme_base::{Id, RawId};
use meetme_model::{
    Ext, Phase,
    access::Project,
    fabric::{Landing, Pool, Port, Segment},
    metal::{Device, Server},
    ops::Equipment,
};
use meetme_store::Filter;
use serde_json::{Value, json};

use crate::world::World;

struct Room {
    world: World,
    switches: Vec<Id<Equipment>>,
    project: Id<Project>,
    device: Id<Device>,
}

/// A machine with two interfaces, each patched to a switch of its own.
async fn room(settings: [Value; 2]) -> Room {
    let world = World::new().await;
    let (plan, image) = world.wares().await;
    let mut switches = Vec::new();
    for (n, settings) in settings.into_iter().enumerate() {
        let switch = json!({"name": format!("leaf{n}"), "family": "switch", "make": "sim", "settings": settings});
        switches.push(world.make::<Equipment>(switch).await);
    }
    for (purpose, networks) in [("device_public", ["192.0.2.0/24"]), ("device_private", ["10.0.0.0/8"])] {
        world.make::<Pool>(json!({"what": "addresses", "purpose": purpose, "networks": networks})).await;
    }
    let nics: Vec<Value> = (0..2)
        .map(|n| {
            let mac = format!("02:00:00:00:00:0{n}");
            json!({"name": format!("eth{n}"), "mac": mac, "switch": switches[n], "interface": "swp1"})
        })
        .collect();
    let server = json!({"serial": "S1", "plan": plan, "site": world.site, "nics": nics});
    world.make::<Server>(server).await;
    let (project, site) = (world.project().await, world.site);
    let device = world.write(move |tx| {
        let wish = json!({"family": 4, "public": false});
        let addresses = Some(vec![serde_json::from_value(wish).unwrap()]);
        let new = NewDevice { addresses, ..NewDevice::new(plan, image, vec![Place::Site(site)]) };
        Ok(devices::order(tx, project, &new)?.id)
    });
    let device = device.await.unwrap();
    world.until(device, "up", |d| d.status.life.phase == Phase::Up).await;
    Room { world, switches, project, device }
}

impl Room {
    async fn segment(&self) -> Id<Segment> {
        let (node, at): (RawId, RawId) = (self.project.any(), self.world.site.any());
        let made = self.world.write(move |tx| {
            let new = NewSegment { at, vlan: None, description: None, tags: Vec::new(), ext: Ext::new() };
            Ok(segments::create(tx, node, &new)?.id)
        });
        made.await.unwrap()
    }

    async fn port(&self, name: &'static str) -> Id<Port> {
        let device = self.device;
        let found = self.world.write(move |tx| {
            let port = tx.one::<Port>(&Filter::eq("device", device).and(Filter::eq("name", name)))?;
            Ok(port.unwrap().id)
        });
        found.await.unwrap()
    }

    /// Puts a segment on a port and answers how it lands there.
    async fn assign(&self, port: Id<Port>, segment: Id<Segment>) -> Id<Landing> {
        let put = self.world.write(move |tx| {
            nics::assign(tx, port, segment)?;
            let landing = tx.one::<Landing>(&Filter::eq("port", port).and(Filter::eq("segment", segment)))?;
            Ok(landing.unwrap().id)
        });
        put.await.unwrap()
    }

    async fn vni(&self, segment: Id<Segment>) -> i64 {
        self.world.get(segment).await.spec.vni.unwrap()
    }

    async fn is(&self, landing: Id<Landing>, phase: Phase) {
        self.world.until(landing, phase.word(), |l| l.status.life.phase == phase).await;
    }

    fn on(&self, n: usize) -> Observed {
        self.world.sim.on_switch(&format!("leaf{n}")).unwrap()
    }

    /// Waits until a switch is as told.
    async fn until(&self, n: usize, what: &str, test: impl Fn(&Observed) -> bool) {
        let name = format!("leaf{n}");
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
        let met = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            while !self.world.sim.on_switch(&name).is_some_and(|seen| test(&seen)) {
                tick.tick().await;
            }
        });
        assert!(met.await.is_ok(), "{what}: {:?}", self.world.sim.on_switch(&name));
    }
}

#[tokio::test]
async fn a_network_on_a_bond_is_up_when_both_switches_carry_it() {
    let room = room([json!({}), json!({"unreachable": true})]).await;
    let segment = room.segment().await;
    let vni = room.vni(segment).await;
    let landing = room.assign(room.port("bond0").await, segment).await;
    room.until(0, "it is on the first", |seen| seen.carries("swp1", vni) == Some(State::Ready)).await;
    let half = room.world.until(landing, "half", |l| l.status.on == [room.switches[0]]).await;
    assert_eq!(half.status.life.phase, Phase::Building);
    room.world.until(landing, "why", |l| l.status.life.reason.is_some()).await;
    room.world.edit(room.switches[1], |e| e.settings = json!({})).await;
    room.is(landing, Phase::Up).await;
    let seen = room.on(1);
    let interface = &seen.interfaces[0].built;
    // Untagged frames of a routed bond are the machine's own.
    assert!(interface.routed && interface.bond.is_some() && interface.carries[0].tagged);
    assert!(room.world.get(room.switches[1]).await.status.applied_at.is_some());
    room.world.end().await;
}

#[tokio::test]
async fn a_network_leaves_the_switch_before_its_number_is_free() {
    let room = room([json!({"delay_ms": 300}), json!({"delay_ms": 300})]).await;
    let segment = room.segment().await;
    let vni = room.vni(segment).await;
    let bond = room.port("bond0").await;
    let landing = room.assign(bond, segment).await;
    room.is(landing, Phase::Up).await;
    room.world.write(move |tx| nics::unassign(tx, bond, segment).map(drop)).await.unwrap();
    room.world.write(move |tx| segments::remove(tx, segment)).await.unwrap();
    room.is(landing, Phase::Gone).await;
    for n in 0..2 {
        assert!(!room.on(n).has(vni), "{:?}", room.on(n));
    }
    room.world.until(segment, "gone", |s| s.status.phase == Phase::Gone).await;
    let again = room.segment().await;
    assert_eq!(room.world.get(again).await.spec.vlan.get(), 1000);
    room.world.end().await;
}

#[tokio::test]
async fn one_network_alone_is_untagged_and_two_are_tagged() {
    let room = room([json!({}), json!({})]).await;
    let (eth1, first, second) = (room.port("eth1").await, room.segment().await, room.segment().await);
    room.world.write(move |tx| nics::unbond(tx, eth1).map(drop)).await.unwrap();
    let one = room.assign(eth1, first).await;
    room.is(one, Phase::Up).await;
    let tagged = |seen: &Observed| -> Vec<bool> {
        seen.interfaces.iter().flat_map(|i| i.built.carries.iter().map(|c| c.tagged)).collect()
    };
    assert_eq!(tagged(&room.on(1)), [false]);
    assert!(room.on(1).interfaces[0].built.bond.is_none());
    assert_eq!(tagged(&room.on(0)), Vec::<bool>::new());
    let two = room.assign(eth1, second).await;
    room.is(two, Phase::Up).await;
    assert_eq!(tagged(&room.on(1)), [true, true]);
    room.world.write(move |tx| nics::set_native(tx, eth1, Some(second)).map(drop)).await.unwrap();
    room.until(1, "the native one is untagged", |seen| tagged(seen) == [true, false]).await;
    assert_eq!(room.world.get(one).await.status.life.phase, Phase::Up);
    room.world.end().await;
}

#[tokio::test]
async fn what_a_switch_refuses_has_failed_and_is_made_good() {
    let room = room([json!({"refuse": "The table is full."}), json!({})]).await;
    let landing = room.assign(room.port("bond0").await, room.segment().await).await;
    room.is(landing, Phase::Failed).await;
    let why = room.world.get(landing).await.status.life.reason.unwrap();
    assert!(why.text.contains("The table is full."), "{why:?}");
    room.world.edit(room.switches[0], |e| e.settings = json!({})).await;
    room.is(landing, Phase::Up).await;
    room.world.end().await;
}

#[tokio::test]
async fn a_switch_that_forgets_or_does_half_is_put_right() {
    let room = room([json!({}), json!({})]).await;
    let segment = room.segment().await;
    let vni = room.vni(segment).await;
    let landing = room.assign(room.port("bond0").await, segment).await;
    room.is(landing, Phase::Up).await;
    room.world.sim.reboot("leaf0");
    room.until(0, "it is back", |seen| seen.carries("swp1", vni) == Some(State::Ready)).await;
    room.is(landing, Phase::Up).await;
    room.world.end().await;
}

#[tokio::test]
async fn a_device_is_gone_only_when_its_switches_have_let_go() {
    let room = room([json!({}), json!({})]).await;
    let segment = room.segment().await;
    let vni = room.vni(segment).await;
    let landing = room.assign(room.port("bond0").await, segment).await;
    room.is(landing, Phase::Up).await;
    let (device, switch) = (room.device, room.switches[1]);
    room.world.edit(switch, |e| e.settings = json!({"unreachable": true})).await;
    room.world.write(move |tx| devices::remove(tx, device).map(drop)).await.unwrap();
    room.until(0, "the first lets go", |seen| !seen.has(vni)).await;
    room.world.until(landing, "on the second", |l| l.status.on == [switch]).await;
    // The machine is wiped by now or soon, and waits.
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
    let waits = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while !room.world.note("device", device.any()).await.contains("taking the device's networks off") {
            tick.tick().await;
        }
    });
    waits.await.unwrap();
    assert_eq!(room.world.get(device).await.status.life.phase, Phase::Removing);
    room.world.edit(switch, |e| e.settings = json!({})).await;
    room.world.until(device, "gone", |d| d.status.life.phase == Phase::Gone).await;
    for n in 0..2 {
        room.until(n, "nothing is left", |seen| seen.interfaces.is_empty()).await;
    }
    room.world.end().await;
}

#[tokio::test]
async fn a_gateway_stands_on_the_switches_of_its_network_and_goes_with_its_addresses() {
    let room = room([json!({}), json!({})]).await;
    let (segment, project) = (room.segment().await, room.project);
    let vni = room.vni(segment).await;
    let made = room.world.write(move |tx| Ok(gateways::create(tx, project, segment, Addresses::Private(28))?.id));
    let gateway = made.await.unwrap();
    room.is(gateway, Phase::Up).await;
    let landing = room.assign(room.port("bond0").await, segment).await;
    room.is(landing, Phase::Up).await;
    room.until(1, "the address is there", |seen| seen.gateway(vni) == Some(State::Ready)).await;
    let block = room.world.get(gateway).await.spec.block.unwrap();
    let prefix = room.world.get(block).await.spec.prefix.unwrap();
    let address = room.on(1).gateways[0].built.address;
    assert_eq!((address.addr(), address.prefix_len()), (prefix.hosts().next().unwrap(), 28));
    room.world.until(gateway, "kept", |g| g.status.on.len() == 2).await;
    room.world.write(move |tx| gateways::remove(tx, gateway).map(drop)).await.unwrap();
    room.is(gateway, Phase::Gone).await;
    assert!((0..2).all(|n| room.on(n).gateway(vni).is_none()));
    let gone = room.world.write(move |tx| Ok(tx.find(block)?.is_none())).await.unwrap();
    assert!(gone);
    room.world.end().await;
}

#[tokio::test]
async fn where_nobody_entered_the_switch_a_network_is_up_at_once() {
    let world = World::new().await;
    let (plan, image) = world.wares().await;
    // A switch without the name of the interface says too little, and other equipment is none.
    let leaf = world.make::<Equipment>(json!({"name": "leaf9", "family": "switch", "make": "sim"})).await;
    let edge = world.make::<Equipment>(json!({"name": "edge9", "family": "router", "make": "sim"})).await;
    let nics = json!([
        {"name": "eth0", "mac": "02:00:00:00:00:01", "switch": leaf},
        {"name": "eth1", "mac": "02:00:00:00:00:02", "switch": edge, "interface": "xe1"},
    ]);
    world.make::<Server>(json!({"serial": "S1", "plan": plan, "site": world.site, "nics": nics})).await;
    let (project, site) = (world.project().await, world.site);
    let landing = world.write(move |tx| {
        let new = NewDevice { addresses: Some(Vec::new()), ..NewDevice::new(plan, image, vec![Place::Site(site)]) };
        let device = devices::order(tx, project, &new)?;
        let new = NewSegment { at: site.any(), vlan: None, description: None, tags: Vec::new(), ext: Ext::new() };
        let segment = segments::create(tx, project.any(), &new)?.id;
        let bond = Filter::eq("device", device.id).and(Filter::eq("shape", "bond"));
        let bond = tx.one::<Port>(&bond)?.unwrap().id;
        nics::assign(tx, bond, segment)?;
        Ok(tx.one::<Landing>(&Filter::eq("port", bond))?.unwrap().id)
    });
    let landing = landing.await.unwrap();
    let up = world.until(landing, "up", |l| l.status.life.phase == Phase::Up).await;
    assert!(up.status.on.is_empty());
    world.end().await;
}
