//! Volumes, who may use them, and what they held.

use http::Method;
use meetme_app::volumes;
use meetme_model::{
    LifeStatus, Phase, Wanted,
    access::{Form, Organization},
    fabric::{Pool, PoolOf},
    living,
    metal::{Attachment, AttachmentStatus, Snapshot, SnapshotStatus, Volume, VolumeStatus},
    place::{Line, Plan, Site},
};
use meetme_store::{Filter, Resource as _};
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple};

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

impl World {
    /// A plan of storage, and 200 GB of it at the first site.
    async fn storage(&self) {
        self.system(|tx| {
            let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?.unwrap().id.any();
            let site = tx.one::<Site>(&Filter::eq("slug", "sjc1"))?.unwrap().id;
            let plan = Plan {
                slug: "storage_1".into(),
                name: "Standard".into(),
                line: Line::Volume,
                sold_at: vec![site],
                ..Plan::default()
            };
            tx.create(operator, plan)?;
            let pool = json!({
                "what": PoolOf::Units, "purpose": volumes::STORAGE, "at": site, "numbers": [{"first": 1, "last": 200}],
            });
            Ok(tx.create(operator, serde_json::from_value::<Pool>(pool).unwrap()).map(drop)?)
        })
        .await;
    }

    /// Does what the controller does: everything that is wished is so.
    async fn carried_out(&self) {
        self.system(|tx| {
            let now = tx.now();
            let next = |life: &LifeStatus, wanted| {
                life.moved(if wanted == Wanted::Gone { Phase::Gone } else { Phase::Up }, None, now)
            };
            for mut row in tx.all::<Volume>(living())? {
                let life = next(&row.status.life, row.spec.life.wanted);
                let status = VolumeStatus {
                    life,
                    iqn: Some("iqn.2026-01.net.example:v".into()),
                    portals: vec!["198.18.0.1".parse().unwrap(), "198.18.1.1".parse().unwrap()],
                    size_gb: Some(row.spec.size_gb),
                    restores: row.spec.restores,
                };
                if row.spec.life.wanted == Wanted::Gone {
                    volumes::bury(tx, row.id.any())?;
                }
                tx.observe(&mut row, status, None)?;
            }
            for mut row in tx.all::<Attachment>(living())? {
                let life = next(&row.status.life, row.spec.life.wanted);
                tx.observe(&mut row, AttachmentStatus { life }, None)?;
            }
            for mut row in tx.all::<Snapshot>(living())? {
                let life = next(&row.status.life, row.spec.life.wanted);
                tx.observe(&mut row, SnapshotStatus { life }, None)?;
            }
            Ok(())
        })
        .await;
    }

    async fn volume(&self, size: u32) -> Value {
        let path = format!("/projects/{}/storage", self.project);
        let wish = json!({"plan": "storage_1", "facility": "sjc1", "size": size});
        self.post(&path, wish).await.is(201).body
    }
}

#[tokio::test]
async fn volumes_keep_their_contract() {
    everywhere(async |world: World| {
        world.storage().await;
        let path = format!("/projects/{}/storage", world.project);
        let wish = json!({
            "plan_id": "storage_1", "facility_id": "sjc1", "size": 10, "description": "Data", "billing_cycle": "hourly",
            "snapshot_policies": [{"snapshot_frequency": "1day", "snapshot_count": 7}],
        });
        let made = world.prove("create_volume", &path, Some(wish)).await;
        assert_eq!((&made["state"], &made["facility"]["code"]), (&json!("queued"), &json!("sjc1")));
        assert_eq!((&made["plan"]["slug"], &made["plan"]["line"]), (&json!("storage_1"), &json!("storage")));
        assert_eq!(made["snapshot_policies"][0]["snapshot_frequency"], "1day");
        assert_eq!(made["project"]["href"], format!("/projects/{}", world.project));
        let volume = format!("/storage/{}", id(&made));
        world.carried_out().await;
        let active = world.prove("get_volume", &volume, None).await;
        assert_eq!((&active["state"], active["access"]["ips"].as_array().unwrap().len()), (&json!("active"), 2));
        let list = format!("{path}?include=facility,attachments.device");
        let list = world.prove("list_project_volumes", &list, None).await;
        assert_eq!(list["meta"]["total"], 1);
        let project = world.get(&format!("/projects/{}", world.project)).await.body;
        assert_eq!(project["volumes"][0]["href"], volume);
        let changed = world.prove("update_volume", &volume, Some(json!({"size": 20, "locked": true}))).await;
        assert_eq!((&changed["size"], &changed["locked"]), (&json!(20), &json!(true)));
        world.put(&volume, json!({"size": 30})).await.is(422).says("locked");
        world.prove("patch_volume", &volume, Some(json!({"description": "Ours", "locked": false}))).await;
        world.put(&volume, json!({"size": 5})).await.is(422).says("size");

        let events = world.prove("list_volume_events", &format!("/volumes/{}/events", id(&made)), None).await;
        assert_eq!(events["events"][0]["type"], "volume.queued");

        let policies = format!("{volume}/snapshot-policies");
        let rule = format!("{policies}?snapshot_frequency=15min&snapshot_count=3");
        let rule = world.prove("create_snapshot_policy", &rule, None).await;
        let one = format!("/storage/snapshot-policies/{}", id(&rule));
        world.prove("update_snapshot_policy", &format!("{one}?snapshot_count=4"), None).await;
        let rule = world.prove("patch_snapshot_policy", &one, Some(json!({"snapshot_frequency": "1year"}))).await;
        assert_eq!((&rule["snapshot_count"], &rule["snapshot_frequency"]), (&json!(4), &json!("1year")));
        world.post(&policies, json!({"snapshot_frequency": "2days", "snapshot_count": 3})).await.is(422).says("2days");
        world
            .post(&policies, json!({"snapshot_frequency": "1day", "snapshot_count": 0}))
            .await
            .is(422)
            .says("snapshot_count");
        world.prove("delete_snapshot_policy", &one, None).await;

        world.prove("create_volume_snapshot", &format!("{volume}/snapshots"), None).await;
        let snapshots = format!("{volume}/snapshots");
        let listed = world.prove("list_volume_snapshots", &snapshots, None).await;
        let point = listed["snapshots"][0]["timestamp"].as_str().unwrap().to_owned();
        world.post(&format!("{volume}/restore"), json!({"restore_point": point})).await.is(422).says("not there yet");
        world.carried_out().await;
        world.prove("restore_volume", &format!("{volume}/restore?restore_point={point}"), None).await;
        world.post(&format!("{volume}/restore"), json!({"restore_point": "1.0"})).await.is(422).says("restore_point");
        world.carried_out().await;
        let copy = world.prove("clone_volume", &format!("{volume}/clone?snapshot_timestamp={point}"), None).await;
        assert_eq!((&copy["size"], &copy["state"]), (&json!(20), &json!("queued")));
        let kept = format!("{snapshots}/{}", id(&listed["snapshots"][0]));
        world.delete(&kept).await.is(422).says("A copy of it is being made");
        world.delete(&volume).await.is(422).says("A copy of it is being made");
        world.carried_out().await;
        world.prove("delete_volume_snapshot", &kept, None).await;
        world.delete(&kept).await.is(404);
        world.prove("delete_volume", &volume, None).await;
        world.delete(&volume).await.is(404);
        assert_eq!(world.get(&volume).await.body["state"], "deleted");
        world.carried_out().await;
        world.get(&volume).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn a_volume_is_used_by_one_device_of_its_project_and_site() {
    everywhere(async |world: World| {
        world.storage().await;
        let device = world.device("web1").await;
        let volume = world.volume(10).await;
        let path = format!("/storage/{}/attachments", id(&volume));
        let wish = json!({"device_id": device["id"]});
        world.post(&path, wish.clone()).await.is(422).says("not there yet");
        world.carried_out().await;
        let made = world.prove("attach_volume", &path, Some(wish.clone())).await;
        assert_eq!(made["volume"]["href"], format!("/storage/{}", id(&volume)));
        let listed = world.prove("list_volume_attachments", &path, None).await;
        assert_eq!(listed["attachments"].as_array().unwrap().len(), 1);
        let one = made["href"].as_str().unwrap();
        world.prove("get_volume_attachment", one, None).await;
        // What the equipment lets in is what the device is told to call itself.
        let told = world.get(&format!("/devices/{}", id(&device))).await.body["iqn"].as_str().unwrap().to_owned();
        let known = world.system(|tx| Ok(tx.all::<Attachment>(Filter::All)?[0].spec.initiator.clone())).await;
        assert_eq!(told, known);
        world.carried_out().await;
        let access = world.get(&format!("/storage/{}", id(&volume))).await.body["access"].clone();
        let document = world.get(&format!("/devices/{}/metadata", id(&device))).await.body;
        let size = json!({"size": "10", "unit": "gb"});
        let told = json!({"name": volume["name"], "iqn": access["iqn"], "ips": access["ips"], "capacity": size});
        assert_eq!(document["volumes"], json!([told]));
        world.post(&path, wish.clone()).await.is(422).says("attached to a device");
        world.delete(&format!("/storage/{}", id(&volume))).await.is(422).says("detach it first");
        world.prove("detach_volume", one, None).await;
        world.get(one).await.is(404);
        world.delete(one).await.is(404);
        let shown = world.get(&format!("/storage/{}", id(&volume))).await.is(200).body;
        assert_eq!(shown["attachments"], json!([]));
        world.carried_out().await;
        // One at another site, and one in another project.
        let far =
            json!({"facility": "ewr1", "plan": "baremetal_0", "operating_system": "ubuntu_16_04", "hostname": "far"});
        let far = world.post(&format!("/projects/{}/devices", world.project), far).await.is(201).body;
        world.post(&path, json!({"device_id": far["id"]})).await.is(422).says("another site");
        let other = world.post("/projects", json!({"name": "Other"})).await.is(201).body;
        let other = world.post(&format!("/projects/{}/devices", id(&other)), simple("other")).await.is(201).body;
        world.post(&path, json!({"device_id": other["id"]})).await.is(422).says("another project");
        world.post(&path, json!({"device_id": "x"})).await.is(422).says("device_id");
        // A device that goes lets go.
        world.post(&path, wish).await.is(201);
        world.delete(&format!("/devices/{}", id(&device))).await.is(204);
        let listed = world.get(&path).await.body;
        assert_eq!(listed["attachments"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_site_is_sold_as_far_as_it_reaches_and_nobody_elses_volumes_exist() {
    everywhere(async |world: World| {
        world.storage().await;
        let path = format!("/projects/{}/storage", world.project);
        let volume = world.volume(150).await;
        let wish = |size: u32| json!({"plan": "storage_1", "facility": "sjc1", "size": size});
        world.post(&path, wish(51)).await.is(422).says("Nothing is left");
        world.post(&path, wish(50)).await.is(201);
        world.post(&path, wish(0)).await.is(422).says("size");
        world.post(&path, json!({"plan": "storage_1", "facility": "ewr1", "size": 1})).await.is(422).says("not sold");
        world.post(&path, json!({"plan": "baremetal_0", "facility": "sjc1", "size": 1})).await.is(422).says("plan");
        world.post(&path, json!({"plan": "storage_1", "size": 1})).await.is(422).says("facility");
        world.post(&path, json!({"plan": "storage_1", "facility": "sjc1"})).await.is(422).says("size");
        let one = format!("/storage/{}", id(&volume));
        for (method, path) in [
            (Method::GET, one.clone()),
            (Method::DELETE, one.clone()),
            (Method::GET, format!("{one}/snapshots")),
            (Method::POST, format!("{one}/snapshots")),
            (Method::POST, format!("{one}/clone")),
            (Method::POST, format!("{one}/restore")),
            (Method::GET, format!("{one}/attachments")),
            (Method::POST, path.clone()),
        ] {
            world.send(&world.stranger, method, &path, Some(&wish(1))).await.is(404);
        }
        assert_eq!(Volume::KIND.name(), "volume");
    })
    .await;
}
