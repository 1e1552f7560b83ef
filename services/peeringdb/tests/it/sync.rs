//! The copy: whole, in parts, refused, thrown away.

use meetme_app::mirror;
use meetme_base::Secret;
use meetme_model::mirror::{PdbNetwork, PdbPort, PdbSync};
use meetme_peeringdb::ApiKey;
use meetme_store::{Filter, Query};
use meetme_testregister::{EPOCH, Size, TYPES};
use serde_json::json;

use crate::world::{self, NOW, World};

const SMALL: Size = Size::of(150);

/// How much of each type is kept.
async fn counts(w: &World) -> Vec<(String, usize)> {
    let kinds: Vec<_> = mirror::TYPES.iter().map(|each| (each.name, each.kind)).collect();
    w.read(move |tx| {
        let mut out = Vec::new();
        for (name, kind) in &kinds {
            let info = tx.registry().kind(kind.name()).unwrap();
            out.push(((*name).to_owned(), usize::try_from(tx.count_any(info, &Filter::All)?).unwrap()));
        }
        Ok(out)
    })
    .await
}

fn there(w: &World) -> Vec<(String, usize)> {
    TYPES.iter().map(|name| ((*name).to_owned(), w.register.count(name))).collect()
}

#[tokio::test]
async fn a_whole_copy_is_made_once_and_then_only_what_changed_is_asked_for() {
    for w in world::both(SMALL).await {
        let first = w.synchronise().await;
        let all: usize = there(&w).iter().map(|(_, many)| many).sum();
        assert_eq!((first.made, first.changed, first.removed, first.refused), (all as u64, 0, 0, 0));
        assert_eq!(counts(&w).await, there(&w));
        let asked = w.server.asked();
        assert_eq!(asked.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), TYPES, "what is referred to comes first");
        assert!(asked.iter().all(|a| a.since.is_none() && a.status == 200));
        for each in mirror::TYPES {
            assert_eq!(w.lines(each.kind.name()).await, w.register.count(each.name) as u64, "{}", each.name);
        }
        // Nothing changed: nothing is written.
        assert_eq!(w.synchronise().await, Default::default());
        assert!(w.server.asked().iter().all(|a| a.since.is_some_and(|since| since <= EPOCH)));
        assert_eq!(w.synchronise().await, Default::default());
        assert!(w.server.asked().iter().all(|a| a.status == 304), "an answer like the last one is not sent again");
        let syncs = w.read(|tx| Ok(tx.list::<PdbSync>(&Query::of(Filter::All))?)).await;
        assert_eq!(syncs.len(), 1, "only what changed something is noted");
        assert_eq!((syncs[0].spec.made, syncs[0].tenant), (all as u64, w.operator.any()));
    }
}

#[tokio::test]
async fn changes_removals_and_new_rows_follow() {
    for w in world::both(SMALL).await {
        w.synchronise().await;
        let mut net = w.register.get("net", 7);
        net["name"] = json!("Renamed");
        w.register.put("net", 7, NOW, net);
        w.register.delete("net", 8, NOW);
        w.register.put("netixlan", 9_001, NOW, json!({
            "net_id": 7, "ixlan_id": 1, "asn": 131_121, "ipaddr4": "10.0.15.250", "ipaddr6": null, "speed": 100, "is_rs_peer": true,
            "operational": true, "net_side_id": 3, "ix_side_id": 999_999,
        }));
        let before = w.register.count("netixlan") as u64;
        let then = w.synchronise().await;
        assert_eq!((then.made, then.changed, then.removed, then.refused), (1, 1, 1, 0));
        let (net, port, ports) = w
            .read(|tx| {
                let net = tx.one::<PdbNetwork>(&Filter::eq("pdb_id", 7i64))?.unwrap();
                let port = tx.one::<PdbPort>(&Filter::eq("pdb_id", 9_001i64))?.unwrap();
                Ok((net, port, tx.count::<PdbPort>(&Filter::All)?))
            })
            .await;
        assert_eq!((net.spec.name.as_str(), net.version), ("Renamed", 2));
        assert_eq!((port.spec.net, port.spec.ix_side, port.spec.net_side.is_some()), (Some(net.id.any()), None, true));
        assert!(ports < before, "what belongs to a network goes with it");
        assert_eq!(w.lines("pdb_network").await, w.register.count("net") as u64 + 3);
    }
}

#[tokio::test]
async fn a_bad_row_is_passed_over_and_named() {
    for w in world::both(SMALL).await {
        w.register.put("net", 7_001, NOW - 10, json!({"org_id": 1, "asn": 0, "name": "Nobody"}));
        w.register.put("net", 7_002, NOW - 10, json!({"org_id": 1, "asn": 64_999, "name": ""}));
        w.register.put("net", 7_003, NOW - 10, json!({"org_id": 1, "asn": 7_003, "name": "Nul\u{0}l"}));
        w.register.put("org", 0, NOW - 10, json!({"name": "Zero"}));
        let summary = w.synchronise().await;
        assert_eq!(summary.refused, 4);
        assert_eq!(summary.made, TYPES.iter().map(|name| w.register.count(name) as u64).sum::<u64>() - 4);
    }
}

#[tokio::test]
async fn a_row_that_came_too_early_is_asked_for_once_more() {
    for w in world::both(Size::of(60)).await {
        w.synchronise().await;
        let port = json!({"net_id": 5_000, "ixlan_id": 1, "asn": 5_000, "ipaddr4": "10.0.15.251", "ipaddr6": null, "speed": 1});
        w.register.put("netixlan", 9_001, NOW - 100, port);
        // A later row moves the moment from which the next answer begins.
        let mut later = w.register.get("netixlan", 1);
        later["speed"] = json!(400);
        w.register.put("netixlan", 1, NOW - 50, later);
        let first = w.synchronise().await;
        assert_eq!((first.changed, first.refused), (1, 1));
        w.register.put("net", 5_000, NOW - 20, json!({"org_id": 1, "asn": 5_000, "name": "Late"}));
        let then = w.synchronise().await;
        assert_eq!((then.made, then.refused), (2, 0));
    }
}

#[tokio::test]
async fn a_busy_database_is_waited_for_and_an_endless_one_is_not() {
    let w = world::one(Size::of(30), |_| ()).await;
    w.server.refuse(429, Some("0"));
    w.server.refuse(503, Some("0"));
    assert!(w.synchronise().await.made > 100);
    let statuses: Vec<u16> = w.server.asked().iter().take(3).map(|a| a.status).collect();
    assert_eq!(statuses, [429, 503, 200]);
    w.server.refuse(429, Some("3600"));
    let why = w.try_synchronise().await.unwrap_err();
    assert!(why.contains("we ask too often") && why.contains("3600 s"), "{why}");
    w.server.refuse(404, None);
    assert!(w.try_synchronise().await.unwrap_err().contains("404"));
}

#[tokio::test]
async fn the_key_is_shown_to_the_database_and_to_nobody_else() {
    let key = |key: &str| Some(ApiKey(Secret::new(key.to_owned())));
    let w = world::one(Size::of(30), |settings| settings.api_key = key("hunter2")).await;
    w.server.want_key("hunter2");
    w.synchronise().await;
    assert!(w.server.asked().iter().all(|a| a.has_key));
    w.server.want_key("other");
    let why = w.try_synchronise().await.unwrap_err();
    assert!(why.contains("API key") && !why.contains("hunter2"), "{why}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let w = world::one(Size::of(30), |settings| settings.answer_megabytes = 0).await;
    assert!(w.try_synchronise().await.unwrap_err().contains("answer_megabytes"));
}

#[tokio::test]
async fn a_copy_that_was_thrown_away_is_fetched_anew() {
    for w in world::both(Size::of(60)).await {
        let first = w.synchronise().await;
        let gone = w.write(mirror::clear_all).await;
        assert_eq!(gone, first.made);
        assert!(counts(&w).await.iter().all(|(_, many)| *many == 0));
        assert_eq!(w.lines("pdb_org").await, 2 * w.register.count("org") as u64, "it is in the log");
        assert_eq!(w.synchronise().await.made, first.made);
    }
}

#[tokio::test]
async fn one_waiting_job_is_enough_and_its_age_decides_when_the_next_is_due() {
    let w = world::one(Size::of(30), |_| ()).await;
    let hour = std::time::Duration::from_secs(3600);
    assert!(w.read(move |tx| mirror::due(tx, hour)).await.is_zero());
    let (a, b) = (w.write(mirror::ask).await, w.write(mirror::ask).await);
    assert_eq!(a.id, b.id);
    w.clock.step_seconds(600);
    assert_eq!(w.read(move |tx| mirror::due(tx, hour)).await.as_secs(), 3000);
    w.clock.step_seconds(3000);
    assert!(w.read(move |tx| mirror::due(tx, hour)).await.is_zero());
}
