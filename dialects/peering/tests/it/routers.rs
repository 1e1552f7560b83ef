//! A router on a platform whose driver we have gets equipment of its own.

use meetme_app::Error;
use meetme_model::ops::{Equipment, Family};
use meetme_store::{Context, Filter, Object};
use serde_json::{Value, json};

use crate::world::{self, World};

async fn equipment(w: &World) -> Vec<Object<Equipment>> {
    w.app.store().read::<_, Error, _>(Context::system(), |tx| Ok(tx.all::<Equipment>(Filter::All)?)).await.unwrap()
}

async fn platform(w: &World, driver: &str) -> i64 {
    let args = json!({"check_command": ["bird", "-p", "-c"]});
    let body = json!({"name": driver, "slug": driver, "napalm_driver": driver, "napalm_args": args});
    w.make("devices/platforms", body).await
}

async fn router(w: &World, platform: i64) -> String {
    let local = w.autonomous_system(64999).await;
    let body = json!({
        "name": "edge1", "hostname": "edge1.example.net", "platform": platform, "local_autonomous_system": local,
        "napalm_args": {"socket": "/run/bird.ctl", "config_path": "/etc/bird.conf"}, "napalm_password": "secret",
    });
    format!("/api/devices/routers/{}/", w.make("devices/routers", body).await)
}

#[tokio::test]
async fn a_router_with_our_driver_is_driven_by_what_it_says() {
    for w in world::both().await {
        let platform = platform(&w, "bird").await;
        let line = router(&w, platform).await;
        let [box_] = &equipment(&w).await[..] else { panic!("one box") };
        assert_eq!((box_.spec.family, box_.spec.make.as_str()), (Family::Router, "bird"));
        assert_eq!(box_.spec.address, "edge1.example.net");
        assert_eq!(
            box_.spec.settings,
            json!({
                "check_command": ["bird", "-p", "-c"], "socket": "/run/bird.ctl", "config_path": "/etc/bird.conf",
            })
        );
        assert!(box_.spec.access.is_some());
        w.tell(&format!("PATCH {line}"), json!({"hostname": "edge2.example.net"})).await.is(200);
        assert_eq!(equipment(&w).await[0].spec.address, "edge2.example.net", "{}", w.make);
        let change = json!({"napalm_args": {"check_command": ["true"]}});
        w.tell(&format!("PATCH /api/devices/platforms/{platform}/"), change).await.is(200);
        assert_eq!(equipment(&w).await[0].spec.settings["check_command"], json!(["true"]));
        w.ask(&format!("DELETE {line}")).await.is(204);
        assert_eq!(equipment(&w).await.len(), 0);
    }
}

#[tokio::test]
async fn a_router_with_another_driver_is_left_alone() {
    for w in world::both().await {
        let (eos, sim) = (platform(&w, "eos").await, platform(&w, "sim").await);
        let line = router(&w, eos).await;
        assert_eq!(equipment(&w).await.len(), 0);
        w.tell(&format!("PATCH {line}"), json!({"platform": sim})).await.is(200);
        assert_eq!(equipment(&w).await.len(), 1);
        w.tell(&format!("PATCH {line}"), json!({"platform": eos})).await.is(200);
        assert_eq!(equipment(&w).await.len(), 0, "{}", w.make);
        w.tell(&format!("PATCH {line}"), json!({"platform": null})).await.is(400);
    }
}

#[tokio::test]
async fn a_routers_password_is_shown_only_to_who_may_reveal_it() {
    let w = world::one().await;
    let line = router(&w, platform(&w, "eos").await).await;
    assert_eq!(w.ask(&format!("GET {line}")).await.body["napalm_password"], "secret");
    assert_eq!(w.by(&w.reader, &format!("GET {line}"), Value::Null).await.body["napalm_password"], Value::Null);
}
