//! Having routers asked how their sessions are, and passwords spelled. Who really asks the routers is tested with the controllers.

use meetme_app::Error;
use meetme_base::Id;
use meetme_contracts::prove;
use meetme_model::{access::Grant, routing::Router};
use meetme_store::Context;
use serde_json::{Value, json};

use crate::world::{self, World};

/// A router that can be asked, with a session of each kind.
async fn book(w: &World) -> (i64, i64, i64, i64, i64) {
    let at = w.exchange().await;
    w.tell(
        "PATCH /api/devices/platforms/",
        json!([{"id": at.at.platform, "napalm_driver": "sim", "password_algorithm": "cisco-type7"}]),
    )
    .await
    .is(200);
    let patch = json!({"poll_bgp_sessions_state": true, "encrypt_passwords": true});
    w.tell(&format!("PATCH /api/devices/routers/{}/", at.at.router), patch).await.is(200);
    let across = w.session(&at, 64500, "192.0.2.20").await;
    let relationship = w.make("bgp/relationships", json!({"name": "Transit", "slug": "transit"})).await;
    let group = w.make("peering/bgp-groups", json!({"name": "Upstreams", "slug": "upstreams"})).await;
    let direct = w
        .make(
            "peering/direct-peering-sessions",
            json!({
                "local_autonomous_system": at.at.local, "local_ip_address": "198.51.100.1/30",
                "autonomous_system": {"asn": 64500}, "ip_address": "198.51.100.2/30", "relationship": relationship,
                "bgp_group": group, "router": at.at.router, "password": "cisco",
            }),
        )
        .await;
    (at.at.router, at.exchange, group, across, direct)
}

#[tokio::test]
async fn each_router_concerned_gets_a_job() {
    for w in world::both().await {
        let (router, exchange, group, _, _) = book(&w).await;
        let system = w.ask("GET /api/peering/autonomous-systems/?asn=64500").await.ids()[0];
        for (id, path) in [
            ("devices_routers_poll_bgp_sessions", format!("devices/routers/{router}")),
            ("seed_alias_devices_routers_poll_bgp_sessions", format!("peering/routers/{router}")),
            ("peering_autonomous_systems_poll_bgp_sessions", format!("peering/autonomous-systems/{system}")),
            ("peering_bgp_groups_poll_bgp_sessions", format!("peering/bgp-groups/{group}")),
            ("peering_internet_exchanges_poll_bgp_sessions", format!("peering/internet-exchanges/{exchange}")),
        ] {
            let line = format!("POST /api/{path}/poll-bgp-sessions/");
            let said = w.ask(&line).await;
            prove("peering-manager", id, said.is(202).status, &said.body);
            let job = if said.body.is_array() { &said.body[0] } else { &said.body };
            assert_eq!((&job["object_id"], &job["name"]), (&json!(router), &json!("router.poll")), "{}", said.body);
            assert_eq!(said.body.as_array().map_or(1, Vec::len), 1);
            w.by(&w.reader, &line, Value::Null).await.is(403);
            w.send(&line, &[], "").await.is(403);
        }
        w.ask("POST /api/devices/routers/99999999/poll-bgp-sessions/").await.is(404);
        let sees =
            Grant { kinds: vec!["router".into()], verbs: vec!["see".into(), "change".into()], ..Grant::default() };
        let token = w.user("half", vec![sees]).await;
        w.by(&token, &format!("POST /api/devices/routers/{router}/poll-bgp-sessions/"), Value::Null).await.is(403);
    }
}

#[tokio::test]
async fn a_session_is_looked_at_while_its_asker_waits() {
    for w in world::both().await {
        let (router, _, _, across, direct) = book(&w).await;
        // Plays the controller: takes the work and leaves behind that it was there.
        let app = w.app.clone();
        let controller = tokio::spawn(async move {
            loop {
                let next = app.commits().next();
                let pass = app.store().write::<_, Error, _>(Context::system(), move |tx| {
                    for lease in tx.lease(&["router"], "test", 30, 10)? {
                        let mut row = tx.get(Id::<Router>::new(lease.id.get()))?;
                        let status =
                            meetme_model::routing::RouterStatus { polled_at: Some(tx.now()), ..row.status.clone() };
                        tx.observe(&mut row, status, None)?;
                        tx.finish(&lease, None, true, "settled")?;
                    }
                    Ok(())
                });
                pass.await.unwrap();
                drop(tokio::time::timeout(std::time::Duration::from_millis(20), next).await);
            }
        });
        for (id, path) in [
            ("peering_internet_exchange_peering_sessions_poll", format!("internet-exchange-peering-sessions/{across}")),
            ("peering_direct_peering_sessions_poll", format!("direct-peering-sessions/{direct}")),
        ] {
            let line = format!("POST /api/peering/{path}/poll/");
            let said = w.ask(&line).await;
            prove("peering-manager", id, said.is(200).status, &said.body);
            w.by(&w.reader, &line, Value::Null).await.is(403);
        }
        let line = format!("POST /api/peering/direct-peering-sessions/{direct}/poll/");
        for (patch, word) in
            [(json!({"poll_bgp_sessions_state": false}), "polled"), (json!({"status": "disabled"}), "disabled")]
        {
            w.tell(&format!("PATCH /api/devices/routers/{router}/"), patch).await.is(200);
            let said = w.ask(&line).await;
            assert!(said.is(503).body["detail"].as_str().unwrap().contains(word), "{}", said.body);
        }
        controller.abort();
    }
}

#[tokio::test]
async fn a_password_is_spelled_as_the_platform_of_its_router_does() {
    for w in world::both().await {
        let (router, _, _, across, direct) = book(&w).await;
        let direct = format!("/api/peering/direct-peering-sessions/{direct}/");
        let across = format!("/api/peering/internet-exchange-peering-sessions/{across}/");
        let said = w.ask(&format!("POST {direct}encrypt-password/")).await;
        prove("peering-manager", "peering_direct_peering_sessions_encrypt_password", said.is(200).status, &said.body);
        let spelled = w.ask(&format!("GET {direct}")).await.body["encrypted_password"].as_str().unwrap().to_owned();
        // Two digits of the beginning and two for each letter.
        assert!(spelled.len() == 12 && spelled.bytes().all(|b| b.is_ascii_hexdigit()), "{spelled}");
        let said = w.by(&w.reader, &format!("GET {direct}"), Value::Null).await;
        assert_eq!(
            said.body["encrypted_password"],
            Value::Null,
            "it can be turned back, so it is as secret as the password"
        );
        w.by(&w.reader, &format!("POST {direct}encrypt-password/"), Value::Null).await.is(403);
        // Another password makes it wrong.
        w.tell(&format!("PATCH {direct}"), json!({"password": "other"})).await.is(200);
        assert_eq!(w.ask(&format!("GET {direct}")).await.body["encrypted_password"], Value::Null);
        w.ask(&format!("POST {across}encrypt-password/")).await.is(503);
        w.tell(&format!("PATCH {across}"), json!({"password": "cisco"})).await.is(200);
        let said = w.ask(&format!("POST {across}encrypt-password/")).await;
        prove(
            "peering-manager",
            "peering_internet_exchange_peering_sessions_encrypt_password",
            said.is(200).status,
            &said.body,
        );
        w.tell(&format!("PATCH /api/devices/routers/{router}/"), json!({"encrypt_passwords": false})).await.is(200);
        w.ask(&format!("POST {across}encrypt-password/")).await.is(503);
    }
}
