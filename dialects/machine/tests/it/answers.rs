//! Who is told what.

use meetme_model::{
    Wanted,
    metal::{MachineBusy, SaidWhat},
};

use crate::world::{BASE, ONE, TWO, worlds};

#[tokio::test]
async fn whoever_asks_from_another_address_is_told_nothing() {
    for world in worlds().await {
        world.told(world.one, MachineBusy::Installing).await;
        for line in [
            "GET /auto.ipxe",
            "GET /install/plan",
            "GET /install/keys",
            "GET /install/seed/meta-data",
            "GET /files/vmlinuz",
            "POST /install/step/provisioning.104",
            "POST /install/wiped",
        ] {
            for stranger in ["198.18.0.67", "192.0.2.1", "2001:db8::1", "127.0.0.1"] {
                assert_eq!(world.from(stranger, line).await.0, 404, "{line} from {stranger}, {}", world.place.make);
            }
            // Who is not trusted cannot speak for another.
            let spoofed = world.send("192.0.2.1", line, &[("x-forwarded-for", ONE)], "").await;
            assert_eq!(spoofed.0, 404, "{line}");
        }
        let trusted = world.send("192.0.2.9", "GET /auto.ipxe", &[("x-forwarded-for", ONE)], "").await;
        assert_eq!(trusted.0, 200);
        for line in ["GET /metrics", "GET /readyz", "GET /meetme/openapi/machine.json"] {
            assert_eq!(world.from(ONE, line).await.0, 404, "{line}");
        }
        assert!(world.device(world.one).await.status.steps.iter().all(|step| step.at.is_none()));
    }
}

#[tokio::test]
async fn a_machine_waits_until_its_equipment_was_told_and_then_installs_step_by_step() {
    for world in worlds().await {
        assert!(world.from(ONE, "GET /auto.ipxe").await.1.contains("Asking again"));
        assert_eq!(world.from(ONE, "POST /install/step/provisioning.104").await.0, 409);
        world.told(world.one, MachineBusy::Installing).await;
        let (status, script) = world.from(ONE, "GET /auto.ipxe").await;
        assert!(status == 200 && script.contains(&format!("kernel {BASE}/files/vmlinuz")), "{script}");
        let plan = world.from(ONE, "GET /install/plan").await.1;
        assert!(plan.starts_with("action=install\nimage_url='http://198.18.0.1:8081/files/tiny.raw.gz'\n"), "{plan}");
        assert_eq!(world.from(ONE, "GET /files/vmlinuz").await.1.len(), 600_000);
        for name in ["..%2Fsecret", ".hidden", "none", "a%2Fb"] {
            assert_eq!(world.from(ONE, &format!("GET /files/{name}")).await.0, 404, "{name}");
        }
        let meta = world.from(ONE, "GET /install/seed/meta-data").await.1;
        assert!(meta.contains("local-hostname: \"one\"") && meta.contains("  - \"ssh-ed25519 AAAA"), "{meta}");
        assert!(world.from(ONE, "GET /install/seed/network-config").await.1.contains("02:00:5e:10:00:01"));
        assert_eq!(world.from(ONE, "GET /install/seed/none").await.0, 404);
        assert_eq!(world.from(ONE, "GET /install/keys").await.0, 409, "it is not to be rescued");
        assert_eq!(world.from(ONE, "POST /install/step/provisioning.999").await.0, 400);
        assert_eq!(world.from(ONE, "POST /install/step/provisioning.105").await.0, 204);
        assert_eq!(world.from(ONE, "POST /install/step/provisioning.105").await.0, 204, "said twice");
        let status = world.device(world.one).await.status;
        let done = status.steps.iter().filter(|step| step.at.is_some()).count();
        assert_eq!((done, status.steps.len()), (5, 9), "true percentages");
        assert_eq!(world.from(ONE, "POST /install/step/provisioning.109").await.0, 204);
        assert!(world.from(ONE, "GET /auto.ipxe").await.1.contains("exit"), "it starts from its disk now");
        assert_eq!(world.from(ONE, "POST /install/wiped").await.0, 409, "nobody asked for that");
    }
}

#[tokio::test]
async fn a_script_of_its_owners_is_given_once_and_counts_as_the_machines_end() {
    for world in worlds().await {
        world.told(world.two, MachineBusy::Installing).await;
        let script = world.from(TWO, "GET /auto.ipxe").await.1;
        assert!(
            script.contains("set packet_facility ral1\nset packet_plan c3\nchain --autofree http://192.0.2.1/a.ipxe"),
            "{script}"
        );
        let status = world.device(world.two).await.status;
        assert!(status.called_home_at.is_some() && status.steps.iter().all(|step| step.at.is_some()));
        assert!(world.from(TWO, "GET /auto.ipxe").await.1.contains("exit"), "once");
        world.edit(world.two, |spec, _, _| spec.always_pxe = true).await;
        assert!(world.from(TWO, "GET /auto.ipxe").await.1.contains("chain --autofree"), "always");
    }
}

#[tokio::test]
async fn a_device_that_is_given_back_is_wiped_only_once_its_power_was_taken() {
    for world in worlds().await {
        world
            .edit(world.one, |spec, status, now| {
                spec.life.wanted = Wanted::Gone;
                status.life.ready_at = Some(now);
            })
            .await;
        assert_eq!(world.from(ONE, "POST /install/wiped").await.0, 409, "its old system is still there");
        assert!(world.from(ONE, "GET /auto.ipxe").await.1.contains("Asking again"));
        world.told(world.one, MachineBusy::Wiping).await;
        assert_eq!(world.from(ONE, "GET /install/plan").await.1, "action=wipe\n");
        assert_eq!(world.send(ONE, "POST /install/failed", &[], " The disk\u{7} is dead.\n").await.0, 204);
        let said = world.device(world.one).await.status.said.unwrap();
        assert_eq!((said.what, said.text.as_str()), (SaidWhat::Failed, "The disk is dead."));
        assert_eq!(world.from(ONE, "POST /install/failed").await.0, 400);
        assert_eq!(world.from(ONE, "POST /install/wiped").await.0, 204);
        assert_eq!(world.device(world.one).await.status.said.unwrap().what, SaidWhat::Wiped);
        drop(world.files);
    }
}
