//! Volumes: from an order to being there, attached, snapped, copied, put back, and away again.

use meetme_app::{
    Error,
    devices::{self, NewDevice, Place},
    volumes::{self, Changes, NewVolume},
};
use meetme_base::{Id, RawId};
use meetme_model::{
    Phase, Term, Wanted,
    access::Project,
    fabric::Pool,
    metal::{Attachment, Device, Frequency, Server, Snapshot, SnapshotPolicy, Volume},
    ops::Equipment,
    place::Plan,
};
use meetme_store::{Context, Filter, Object};
use serde_json::json;

use crate::world::World;

struct Room {
    world: World,
    storage: Id<Equipment>,
    plan: Id<Plan>,
    project: Id<Project>,
}

impl Room {
    async fn new(settings: serde_json::Value, gigabytes: i64) -> Self {
        let world = World::new().await;
        let storage = world
            .make::<Equipment>(json!({
                "name": "disks1", "family": "storage", "make": "sim", "site": world.site, "settings": settings,
            }))
            .await;
        let plan = world.make::<Plan>(json!({"slug": "storage_1", "name": "Standard", "line": "volume"})).await;
        world
            .make::<Pool>(json!({
                "what": "units", "purpose": "storage", "at": world.site, "numbers": [{"first": 1, "last": gigabytes}],
            }))
            .await;
        let project = world.project().await;
        Self { world, storage, plan, project }
    }

    fn wish(&self, size_gb: u32) -> NewVolume {
        NewVolume {
            project: self.project,
            site: self.world.site,
            plan: self.plan,
            size_gb,
            description: None,
            term: Term::Hour,
            locked: false,
            policies: Vec::new(),
            ext: Default::default(),
        }
    }

    async fn order(&self, size_gb: u32) -> Result<Id<Volume>, Error> {
        let wish = self.wish(size_gb);
        self.world.write(move |tx| Ok(volumes::order(tx, &wish)?.id)).await
    }

    async fn up(&self, id: Id<Volume>) -> Object<Volume> {
        self.world.until(id, "up", |v| v.status.life.phase == Phase::Up).await
    }

    async fn claimed(&self) -> i64 {
        let pool = meetme_app::volumes::pool(self.world.site);
        self.world.app.store().read(Context::system(), move |tx| tx.count_claims(&pool)).await.unwrap()
    }

    async fn all<R: meetme_store::Resource>(&self, filter: Filter) -> Vec<Object<R>> {
        self.world.app.store().read(Context::system(), move |tx| tx.all::<R>(filter.clone())).await.unwrap()
    }

    /// A machine at the site.
    async fn device(&self) -> Id<Device> {
        let (plan, image) = self.world.wares().await;
        self.world.make::<Server>(json!({"serial": "S1", "plan": plan, "site": self.world.site})).await;
        let (project, site) = (self.project, self.world.site);
        let made = self.world.write(move |tx| {
            let new = NewDevice { addresses: Some(Vec::new()), ..NewDevice::new(plan, image, vec![Place::Site(site)]) };
            Ok(devices::order(tx, project, &new)?.id)
        });
        made.await.unwrap()
    }
}

fn conflict<T>(answer: Result<T, Error>) -> &'static str {
    match answer {
        Err(Error::Conflict { code, .. }) => code,
        Err(other) => panic!("{other:?}"),
        Ok(_) => "",
    }
}

#[tokio::test]
async fn a_volume_comes_up_grows_and_goes_and_the_site_is_never_sold_twice() {
    let room = Room::new(json!({}), 100).await;
    let id = room.order(60).await.unwrap();
    let up = room.up(id).await;
    assert!(up.status.iqn.is_some() && up.status.portals.len() == 2, "{:?}", up.status);
    assert_eq!((room.claimed().await, up.status.size_gb), (60, Some(60)));
    assert!(matches!(room.order(41).await, Err(Error::Exhausted { .. })), "100 GB are 100 GB");
    let other = room.order(40).await.unwrap();
    let grow = |size| Changes { size_gb: Some(size), ..Changes::default() };
    let full = room.world.write(move |tx| volumes::change(tx, id, &grow(61)).map(drop)).await;
    assert!(matches!(full, Err(Error::Exhausted { .. })));
    room.up(other).await;
    room.world.write(move |tx| volumes::remove(tx, other).map(drop)).await.unwrap();
    room.world.until(other, "gone", |v| v.status.life.phase == Phase::Gone).await;
    assert_eq!(room.claimed().await, 60, "what is taken down is free again");
    room.world.write(move |tx| volumes::change(tx, id, &grow(75)).map(drop)).await.unwrap();
    room.world.until(id, "grown", |v| v.status.size_gb == Some(75) && v.status.life.phase == Phase::Up).await;
    assert_eq!(room.claimed().await, 75);
    let less = room.world.write(move |tx| volumes::change(tx, id, &grow(10)).map(drop)).await;
    assert!(matches!(less, Err(Error::Invalid(list)) if list[0].field == "size_gb"));
    room.world.end().await;
}

#[tokio::test]
async fn a_machine_may_use_a_volume_until_it_is_let_go_or_is_gone_itself() {
    let room = Room::new(json!({}), 100).await;
    let id = room.order(10).await.unwrap();
    let device = room.device().await;
    assert_eq!(conflict(room.world.write(move |tx| volumes::attach(tx, id, device, None)).await), "state");
    room.up(id).await;
    let held = room.world.write(move |tx| Ok(volumes::attach(tx, id, device, None)?.id)).await.unwrap();
    let row = room.world.until::<Attachment>(held, "attached", |a| a.status.life.phase == Phase::Up).await;
    assert!(row.spec.initiator.starts_with("iqn.20"), "{}", row.spec.initiator);
    let seen = room.world.app.store().read::<_, Error, _>(Context::system(), move |tx| volumes::of_device(tx, device));
    assert_eq!(seen.await.unwrap()[0].id, id);
    assert_eq!(conflict(room.world.write(move |tx| volumes::attach(tx, id, device, None)).await), "attached");
    assert_eq!(conflict(room.world.write(move |tx| volumes::remove(tx, id)).await), "attached");
    room.world.write(move |tx| volumes::detach(tx, held)).await.unwrap();
    room.world.until::<Attachment>(held, "detached", |a| a.status.life.phase == Phase::Gone).await;
    let again = room.world.write(move |tx| Ok(volumes::attach(tx, id, device, None)?.id)).await.unwrap();
    room.world.until::<Attachment>(again, "attached", |a| a.status.life.phase == Phase::Up).await;
    room.world.write(move |tx| devices::remove(tx, device).map(drop)).await.unwrap();
    room.world.until::<Attachment>(again, "let go with its machine", |a| a.status.life.phase == Phase::Gone).await;
    room.world.end().await;
}

#[tokio::test]
async fn a_snapshot_is_taken_copied_and_put_back() {
    let room = Room::new(json!({}), 100).await;
    let id = room.order(10).await.unwrap();
    room.up(id).await;
    let snapshot = room.world.write(move |tx| Ok(volumes::take_snapshot(tx, id, None)?.id)).await.unwrap();
    assert_eq!(conflict(room.world.write(move |tx| volumes::restore(tx, id, snapshot)).await), "state");
    room.world.until::<Snapshot>(snapshot, "taken", |s| s.status.life.phase == Phase::Up).await;
    let copy = room.world.write(move |tx| Ok(volumes::copy(tx, id, Some(snapshot))?.id)).await.unwrap();
    assert_eq!(room.up(copy).await.spec.size_gb, 10);
    room.world.write(move |tx| volumes::restore(tx, id, snapshot).map(drop)).await.unwrap();
    room.world.until(id, "put back", |v| v.status.restores == 1 && v.status.life.phase == Phase::Up).await;
    room.world.write(move |tx| volumes::drop_snapshot(tx, snapshot)).await.unwrap();
    room.world.until::<Snapshot>(snapshot, "thrown away", |s| s.status.life.phase == Phase::Gone).await;
    room.world.write(move |tx| volumes::remove(tx, id).map(drop)).await.unwrap();
    room.world.until(id, "gone", |v| v.status.life.phase == Phase::Gone).await;
    assert_eq!(room.claimed().await, 10, "the copy stays");
    room.world.end().await;
}

#[tokio::test]
async fn a_rule_takes_snapshots_when_they_are_due_and_keeps_as_many_as_it_says() {
    let room = Room::new(json!({}), 100).await;
    let mut wish = room.wish(10);
    wish.policies = vec![(Frequency::Hour, 2)];
    let id = room.world.write(move |tx| Ok(volumes::order(tx, &wish)?.id)).await.unwrap();
    room.up(id).await;
    let policy = room.all::<SnapshotPolicy>(Filter::eq("volume", id)).await.remove(0).id;
    let taken = || Filter::eq("policy", policy).and(Filter::eq("wanted", Wanted::Up.word()));
    assert_eq!(room.all::<Snapshot>(taken()).await.len(), 0, "nothing is due yet");
    let mut seen: Vec<RawId> = Vec::new();
    for round in 1..=3 {
        // The rule last asked an hour ago, and a little.
        room.world
            .write(move |tx| {
                let mut row = tx.get(policy)?;
                let last = Some(tx.now().plus_seconds(-3601));
                Ok(tx.observe(&mut row, meetme_model::metal::SnapshotPolicyStatus { last }, None)?)
            })
            .await
            .unwrap();
        room.world
            .until(policy, "asked", |p| p.status.last.is_some_and(|t| room.world.app.now().0 - t.0 < 3_600_000))
            .await;
        let rows = room.all::<Snapshot>(taken()).await;
        assert_eq!(rows.len(), usize::min(round, 2), "round {round}");
        let newest = rows.iter().max_by_key(|row| row.spec.taken_at).unwrap();
        assert!(!seen.contains(&newest.id.any()), "round {round}");
        seen.push(newest.id.any());
        room.world.until::<Snapshot>(newest.id, "taken", |s| s.status.life.phase == Phase::Up).await;
    }
    let first: Id<Snapshot> = seen[0].of();
    room.world.until(first, "too old", |s| s.status.life.phase == Phase::Gone).await;
    room.world.end().await;
}

#[tokio::test]
async fn storage_that_refuses_has_failed_and_is_made_good_when_it_gives_in() {
    let room = Room::new(json!({}), 100).await;
    let id = room.order(10).await.unwrap();
    room.up(id).await;
    room.world.edit(room.storage, |e| e.settings = json!({"refuse": "The shelf is dark."})).await;
    let grow = Changes { size_gb: Some(20), ..Changes::default() };
    room.world.write(move |tx| volumes::change(tx, id, &grow).map(drop)).await.unwrap();
    let failed = room.world.until(id, "failed", |v| v.status.life.phase == Phase::Failed).await.status.life;
    assert_eq!(failed.step.as_deref(), Some("change"));
    assert!(failed.reason.is_some_and(|r| r.text.contains("The shelf is dark.")));
    room.world.edit(room.storage, |e| e.settings = json!({})).await;
    room.world.until(id, "mended", |v| v.status.life.phase == Phase::Up && v.status.size_gb == Some(20)).await;
    room.world.end().await;
}

#[tokio::test]
async fn storage_that_lost_a_volume_does_not_make_an_empty_one_in_its_place() {
    let room = Room::new(json!({}), 100).await;
    room.world.edit(room.storage, |e| e.make = "shelf".to_owned()).await;
    let id = room.order(10).await.unwrap();
    room.up(id).await;
    room.world.edit(room.storage, |e| e.settings = json!({"forget": 1})).await;
    let lost = room.world.until(id, "lost", |v| v.status.life.phase == Phase::Failed).await.status.life;
    assert!(lost.reason.is_some_and(|r| r.text.contains("not made anew")));
    room.world.end().await;
}
