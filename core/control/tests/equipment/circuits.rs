//! Circuits and networks: from an order to being up, and away again.

use meetme_app::{
    circuits::{self, Buy, NewCircuit, NewLeg},
    networks::{self, NewNetwork},
};
use meetme_base::Id;
use meetme_model::{
    BgpState, Phase,
    fabric::{Circuit, End, Leg, Network, Port, Target},
    ops::Equipment,
    routing::DirectSession,
};
use meetme_store::{ChangeQuery, Context, Filter, Verb};
use serde_json::json;

use crate::world::{World, of};

async fn port(world: &World, name: &str, equipment: Option<Id<Equipment>>) -> Id<Port> {
    let rate = 10_000;
    world.make(json!({"name": name, "rate": rate, "site": world.site, "equipment": equipment, "interface": name})).await
}

async fn switch(world: &World, settings: serde_json::Value) -> Id<Equipment> {
    world.make(json!({"name": "switch1", "family": "switch", "make": "sim", "settings": settings})).await
}

fn end(at: Target) -> End {
    End { at: Some(at), ..End::default() }
}

async fn order(world: &World, a: End, z: End, bgp: serde_json::Value) -> Id<Circuit> {
    let (app, owner, metro) = (world.app.clone(), world.operator, world.metro);
    let ordered = world.write(move |tx| {
        let circuit: Circuit = of(json!({"name": "C", "rate": 100, "bgp": bgp}));
        let legs = vec![NewLeg { a: a.clone(), z: z.clone(), ..NewLeg::default() }];
        let new = NewCircuit { owner, circuit, buy: Buy::Path(Some(metro)), legs };
        Ok(circuits::order(&app, tx, &new)?.circuit.id)
    });
    ordered.await.unwrap()
}

async fn leg_of(world: &World, circuit: Id<Circuit>) -> Id<Leg> {
    let legs = world.app.store().read(Context::system(), move |tx| tx.ids::<Leg>(&Filter::eq("circuit", circuit)));
    legs.await.unwrap()[0]
}

async fn codes(world: &World, id: meetme_base::RawId) -> Vec<String> {
    let query = ChangeQuery { ids: vec![id], verbs: vec![Verb::Moved], limit: 100, ..ChangeQuery::default() };
    let lines = world.app.store().read(Context::system(), move |tx| tx.changes(&query)).await.unwrap();
    lines.into_iter().filter_map(|l| l.code).collect()
}

#[tokio::test]
async fn a_circuit_between_ports_comes_up_is_switched_and_goes() {
    let world = World::new().await;
    let switch = switch(&world, json!({})).await;
    let (a, z) = (port(&world, "xe-0", Some(switch)).await, port(&world, "xe-1", Some(switch)).await);
    world.until(a, "up", |p| p.status.life.phase == Phase::Up && p.status.up).await;
    let id = order(&world, end(Target::Port(a)), end(Target::Port(z)), json!({})).await;
    let up = world.until(id, "up", |c| c.status.phase == Phase::Up).await;
    assert!(up.status.ready_at.is_some() && up.status.reason.is_none());
    assert_eq!(codes(&world, id.any()).await, ["phase.building", "phase.up"]);
    let leg = leg_of(&world, id).await;
    world.until(leg, "up", |l| l.status.life.phase == Phase::Up).await;
    world.edit(leg, |l| l.off = true).await;
    world.until(id, "off", |c| c.status.phase == Phase::Off).await;
    world.edit(leg, |l| l.off = false).await;
    world.until(id, "up", |c| c.status.phase == Phase::Up).await;
    world.write(move |tx| circuits::cancel(tx, id, None).map(drop)).await.unwrap();
    let gone = world.until(id, "gone", |c| c.status.phase == Phase::Gone).await;
    assert!(gone.status.ended_at.is_some());
    world.until(leg, "gone", |l| l.status.life.phase == Phase::Gone).await;
    world.edit(a, |p| p.life.wanted = meetme_model::Wanted::Gone).await;
    world.until(a, "gone", |p| p.status.life.phase == Phase::Gone).await;
    world.end().await;
}

#[tokio::test]
async fn a_circuit_in_a_network_is_up_when_its_session_is_and_both_go_by_one_wish() {
    let world = World::new().await;
    let (router, _) = world.router("gateway1").await;
    let operator = world.operator;
    let new = move |tx: &mut meetme_store::Tx<'_>| {
        let new = NewNetwork { name: "N".into(), ..NewNetwork::default() };
        Ok(networks::create(tx, operator, &new)?.id)
    };
    let network: Id<Network> = world.write(new).await.unwrap();
    world.until(network, "up", |n| n.status.phase == Phase::Up).await;
    assert_eq!(codes(&world, network.any()).await, ["phase.building", "phase.up"]);
    let z = port(&world, "xe-1", None).await;
    let id = order(&world, end(Target::Network(network)), end(Target::Port(z)), json!({"asn": 64600})).await;
    let leg = leg_of(&world, id).await;
    assert_eq!(world.get(leg).await.spec.router, Some(router));
    let sessions =
        world.app.store().read(Context::system(), move |tx| tx.ids::<DirectSession>(&Filter::eq("leg", leg)));
    let session = sessions.await.unwrap()[0];
    world.until(session, "established", |s| s.status.state == Some(BgpState::Established)).await;
    world.until(id, "up", |c| c.status.phase == Phase::Up).await;
    world.write(move |tx| networks::remove(tx, network).map(drop)).await.unwrap();
    world.until(id, "gone", |c| c.status.phase == Phase::Gone).await;
    world.until(network, "gone", |n| n.status.phase == Phase::Gone).await;
    let left = world.app.store().read(Context::system(), move |tx| tx.held_by(leg.any())).await.unwrap();
    assert_eq!(left, []);
    world.end().await;
}

#[tokio::test]
async fn a_refused_circuit_has_failed_to_be_built_until_the_equipment_gives_in() {
    let world = World::new().await;
    let switch = switch(&world, json!({"refuse": "No room in the table."})).await;
    let (a, z) = (port(&world, "xe-0", Some(switch)).await, port(&world, "xe-1", Some(switch)).await);
    let id = order(&world, end(Target::Port(a)), end(Target::Port(z)), json!({})).await;
    let failed = world.until(id, "failed", |c| c.status.phase == Phase::Failed).await.status;
    assert_eq!(failed.step.as_deref(), Some("build"));
    assert!(failed.reason.is_some_and(|r| r.code == "refused" && r.text.contains("No room in the table.")));
    world.edit(switch, |e| e.settings = json!({})).await;
    world.until(id, "up", |c| c.status.phase == Phase::Up && c.status.reason.is_none()).await;
    world.end().await;
}

#[tokio::test]
async fn equipment_that_is_lost_half_does_or_forgets_is_made_good() {
    let world = World::new().await;
    let switch = switch(&world, json!({"unreachable": true})).await;
    let (a, z) = (port(&world, "xe-0", Some(switch)).await, port(&world, "xe-1", Some(switch)).await);
    let id = order(&world, end(Target::Port(a)), end(Target::Port(z)), json!({})).await;
    let lost = world.until(id, "lost", |c| c.status.reason.is_some()).await.status;
    assert_eq!((lost.phase, lost.reason.unwrap().code.as_str()), (Phase::Building, "unreachable"));
    world.edit(switch, |e| e.settings = json!({"half_apply": true})).await;
    world.until(id, "up", |c| c.status.phase == Phase::Up).await;
    let applies = world.sim.applies(id.get());
    world.sim.reboot("switch1");
    world.until(id, "up again", |c| c.status.phase == Phase::Up && world.sim.applies(id.get()) > applies).await;
    world.end().await;
}

#[tokio::test]
async fn a_circuit_ends_on_its_day() {
    let world = World::new().await;
    let (a, z) = (port(&world, "xe-0", None).await, port(&world, "xe-1", None).await);
    let id = order(&world, end(Target::Port(a)), end(Target::Port(z)), json!({})).await;
    world.until(id, "up", |c| c.status.phase == Phase::Up).await;
    let soon = world.app.now().plus_millis(600);
    world.write(move |tx| circuits::cancel(tx, id, Some(soon)).map(drop)).await.unwrap();
    assert_eq!(world.get(id).await.status.phase, Phase::Ending);
    world.until(id, "gone", |c| c.status.phase == Phase::Gone).await;
    assert!(world.app.now() >= soon);
    world.end().await;
}
