//! Ways to order: together, and at the price of the hour; and what ends by itself.

use std::time::Duration;

use meetme_app::devices::{
    self, NewDevice, Place, Reserved, batches,
    reservations::{self, NewReservation},
    spot,
    usage::{self, Direction, Interval},
};
use meetme_base::{Clock as _, Id, SystemClock, Time};
use meetme_model::{
    Ext, Phase, Term,
    access::Project,
    metal::{Batch, BatchState, Device, Reservation, Server, SpotPrice, SpotRequest},
    place::{Image, Money, Plan, Price},
};
use meetme_store::{Context, Filter, Object, Step};
use serde_json::json;

use crate::world::World;

struct Room {
    world: World,
    plan: Id<Plan>,
    image: Id<Image>,
    project: Id<Project>,
}

/// So many servers of a plan that costs ten cents an hour.
async fn room(servers: u16) -> Room {
    let world = World::new().await;
    let (plan, image) = world.wares().await;
    for n in 0..servers {
        world.make::<Server>(json!({"serial": format!("S{n}"), "plan": plan, "site": world.site})).await;
    }
    let price = json!({
        "of": plan, "per": "hour", "amount": {"micros": 100_000, "currency": "USD"}, "term": "hour", "from": Time(0),
    });
    world.make::<Price>(price).await;
    let project = world.project().await;
    Room { world, plan, image, project }
}

fn now() -> Time {
    SystemClock.now()
}

impl Room {
    fn wish(&self) -> NewDevice {
        NewDevice {
            addresses: Some(Vec::new()),
            ..NewDevice::new(self.plan, self.image, vec![Place::Site(self.world.site)])
        }
    }

    async fn devices(&self) -> Vec<Object<Device>> {
        let read = self.world.app.store().read(Context::system(), |tx| tx.all::<Device>(Filter::All));
        read.await.unwrap()
    }

    /// Waits until a reservation is no more.
    async fn gone(&self, what: &str, id: Id<Reservation>) {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let met = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let read = self.world.app.store().read(Context::system(), move |tx| tx.find(id));
                if read.await.unwrap().is_none() {
                    return;
                }
                tick.tick().await;
            }
        });
        assert!(met.await.is_ok(), "{what}: not in time; {}", self.world.note("reservation", id.any()).await);
    }

    /// Waits until the price of the plan is such.
    async fn price(&self, what: &str, is: impl Fn(i64) -> bool) {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let met = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let read = self.world.app.store().read(Context::system(), |tx| tx.all::<SpotPrice>(Filter::All));
                let amount = read.await.unwrap().pop().and_then(|row| row.status.amount);
                if amount.is_some_and(|amount| is(amount.micros)) {
                    return;
                }
                tick.tick().await;
            }
        });
        assert!(met.await.is_ok(), "{what}: not in time");
    }
}

#[tokio::test]
async fn a_batch_is_carried_out_as_a_whole_or_not_at_all() {
    let room = room(3).await;
    let (project, wish) = (room.project, room.wish());
    let ask = async |quantity| {
        let batch = Batch { wish: wish.clone(), quantity, names: Vec::new(), spread: None, devices: Vec::new() };
        room.world.write(move |tx| Ok(batches::ask(tx, project, batch.clone())?.id)).await.unwrap()
    };
    let failed = room.world.until(ask(4).await, "failed", |b| b.status.state == BatchState::Failed).await;
    assert!(failed.status.errors[0].contains("servers"), "{:?}", failed.status);
    assert!(room.devices().await.is_empty());
    let done = room.world.until(ask(3).await, "completed", |b| b.status.state == BatchState::Completed).await;
    assert_eq!(done.spec.devices.len(), 3);
    for device in done.spec.devices {
        room.world.until(device, "up", |d| d.status.life.phase == Phase::Up).await;
    }
    room.world.end().await;
}

#[tokio::test]
async fn what_is_given_an_end_ends_then_and_its_server_is_free() {
    let room = room(1).await;
    let (project, wish) = (room.project, room.wish());
    let end = now().plus_millis(1500);
    let device = room.world.write(move |tx| {
        let wish = NewDevice { gone_at: Some(end), ..wish.clone() };
        Ok(devices::order(tx, project, &wish)?.id)
    });
    let device = device.await.unwrap();
    room.world.until(device, "up until its end", |d| d.status.life.phase == Phase::Ending).await;
    let gone = room.world.until(device, "gone", |d| d.status.life.phase == Phase::Gone).await;
    assert!(gone.status.life.ended_at.is_some_and(|at| at >= end) && gone.spec.server.is_none());
    room.world.end().await;
}

#[tokio::test]
async fn a_reservation_is_given_back_at_its_end_and_not_under_a_device() {
    let room = room(2).await;
    let project = room.project;
    let end = now().plus_millis(1500);
    let reserve = async |serial: &'static str, remove_at| {
        let reserved = room.world.write(move |tx| {
            let server = tx.one::<Server>(&Filter::eq("serial", serial))?.unwrap().id;
            let new = NewReservation {
                server,
                spare: false,
                description: None,
                term: Term::Months(1),
                intervals: None,
                rate: None,
                remove_at,
                ext: Ext::new(),
            };
            Ok(reservations::reserve(tx, project, &new)?.id)
        });
        reserved.await.unwrap()
    };
    // One is told its end when it is made, the other one later.
    let (free, used) = (reserve("S0", Some(end)).await, reserve("S1", None).await);
    let wish = NewDevice { reserved: Some(Reserved::This(used)), ..room.wish() };
    let device = room.world.write(move |tx| Ok(devices::order(tx, project, &wish)?.id)).await.unwrap();
    room.world.until(device, "up", |d| d.status.life.phase == Phase::Up).await;
    room.world.write(move |tx| reservations::change(tx, used, |r| r.remove_at = Some(end)).map(drop)).await.unwrap();
    let is_there = async |id: Id<Reservation>| {
        let found = room.world.app.store().read(Context::system(), move |tx| tx.find(id)).await.unwrap();
        found.is_some()
    };
    room.gone("the one that nothing is on", free).await;
    assert!(now() >= end && is_there(used).await);
    room.world.write(move |tx| devices::remove(tx, device).map(drop)).await.unwrap();
    room.gone("the one that a device was on", used).await;
    // Both servers can be ordered by anybody.
    let wish = room.wish();
    room.world.write(move |tx| (0..2).try_for_each(|_| devices::order(tx, project, &wish).map(drop))).await.unwrap();
    room.world.end().await;
}

#[tokio::test]
async fn a_price_follows_orders_and_a_request_the_price() {
    let room = room(10).await;
    let (project, wish) = (room.project, room.wish());
    room.price("a fifth of the usual price", |micros| micros == 20_000).await;
    let bid = |micros| Money { micros, currency: "USD".into() };
    let request = |min, max, micros| SpotRequest {
        wish: wish.clone(),
        names: Vec::new(),
        min,
        max,
        bid: bid(micros),
        end_at: None,
        ext: Ext::new(),
    };
    let ask = async |new: SpotRequest| {
        room.world.write(move |tx| Ok(spot::request(tx, project, new.clone())?.id)).await.unwrap()
    };
    let low = ask(request(1, 4, 50_000)).await;
    room.world.until(low, "whole", |r| r.status.alive == 4).await;
    let mine = room.devices().await;
    assert_eq!((mine.len(), mine[0].spec.request), (4, Some(low)));
    // Six more at the usual price, and nothing is free any more.
    let full = wish.clone();
    room.world.write(move |tx| (0..6).try_for_each(|_| devices::order(tx, project, &full).map(drop))).await.unwrap();
    room.price("the usual price", |micros| micros >= 100_000).await;
    for device in &mine {
        let told = room.world.until(device.id, "told to go", |d| d.spec.life.gone_at.is_some()).await;
        let notice = told.spec.life.gone_at.unwrap().0 - now().0;
        assert!((100_000..=120_000).contains(&notice), "{notice}");
    }
    room.world.until(low, "short", |r| r.status.alive == 0 && r.status.reason.is_some()).await;
    room.world.end().await;
}

#[tokio::test]
async fn what_a_servers_interfaces_count_becomes_a_series() {
    let room = room(1).await;
    let (project, wish) = (room.project, room.wish());
    let device = room.world.write(move |tx| Ok(devices::order(tx, project, &wish)?.id)).await.unwrap();
    let first = room.world.until(device, "counted", |d| d.status.traffic.is_some()).await.status.traffic.unwrap();
    let later = room.world.until(device, "counted again", |d| {
        d.status.life.phase == Phase::Up && d.status.traffic.is_some_and(|t| t.inbound > first.inbound)
    });
    let later = later.await.status.traffic.unwrap();
    let seen = room.world.app.store().read(Context::system(), move |tx| {
        let from = Time(first.at.0 - 1000);
        usage::traffic(tx, device, Direction::Inbound, Interval::Each(Step::Day), from, later.at)
    });
    let sum: i64 = seen.await.unwrap().iter().map(|(_, bytes)| bytes).sum();
    assert!(u64::try_from(sum).unwrap() >= later.inbound - first.inbound, "{sum}");
    room.world.end().await;
}
