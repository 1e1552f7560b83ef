//! What the routing registries say, as it is shown and asked for. Who really asks them is played here.

use std::time::Duration;

use meetme_app::Error;
use meetme_base::{Id, Time};
use meetme_contracts::prove;
use meetme_model::routing::{AutonomousSystem, IrrQuestion, IrrSet, IrrSetStatus};
use meetme_store::{Context, Filter, Query};
use serde_json::{Value, json};

use crate::world::{self, World};

fn answer(at: Time, prefixes: &[&str]) -> IrrSetStatus {
    IrrSetStatus {
        version: 1,
        fetched_at: Some(at),
        tried_at: Some(at),
        prefixes: prefixes.iter().map(|p| p.parse().unwrap()).collect(),
        ..IrrSetStatus::default()
    }
}

/// Puts an answer where the service keeps it.
async fn keep(w: &World, system: i64, set: &'static str, what: IrrQuestion, status: IrrSetStatus) {
    let kept = w.app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let system: Id<AutonomousSystem> = Id::new(system);
        let tenant = tx.get(system)?.tenant;
        let row = IrrSet { set: set.to_owned(), what, systems: vec![system], ..IrrSet::default() };
        tx.create_as(tenant, meetme_base::Uid::random(), row, status.clone())?;
        Ok(())
    });
    kept.await.unwrap();
}

/// Answers every question that waits, until it is dropped.
struct Service(tokio::task::JoinHandle<()>);

impl Service {
    fn start(w: &World, answer: fn(&IrrSet, Time) -> IrrSetStatus) -> Self {
        let app = w.app.clone();
        Self(tokio::spawn(async move {
            loop {
                let next = app.commits().next();
                let done = app.store().write::<_, Error, _>(Context::system(), move |tx| {
                    for mut row in tx.list::<IrrSet>(&Query::of(Filter::All))? {
                        if row.spec.asked_at > row.status.tried_at {
                            let status = answer(&row.spec, tx.now());
                            tx.observe(&mut row, status, None)?;
                        }
                    }
                    Ok(())
                });
                done.await.unwrap();
                drop(tokio::time::timeout(Duration::from_millis(50), next).await);
            }
        }))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn prefixes_and_numbers_are_shown_with_their_as() {
    for w in world::both().await {
        let id = w.autonomous_system(3333).await;
        let other = w.autonomous_system(3334).await;
        let now = Time(1_790_000_000_000);
        let said = w.ask(&format!("GET /api/peering/autonomous-systems/{id}/")).await;
        assert_eq!((&said.is(200).body["prefixes"], &said.body["as_list"]), (&Value::Null, &json!([])));
        keep(&w, id, "AS-A", IrrQuestion::Prefixes4, answer(now, &["198.51.100.0/23^24-24", "192.0.2.0/24"])).await;
        keep(&w, id, "AS-B", IrrQuestion::Prefixes4, answer(now, &["192.0.2.0/24"])).await;
        keep(&w, id, "AS-A", IrrQuestion::Prefixes6, answer(now, &["2001:db8::/32"])).await;
        let numbers = [112, 23456].map(|n| n.to_string().parse().unwrap()).to_vec();
        let numbers = IrrSetStatus { numbers, ..answer(now, &[]) };
        keep(&w, id, "AS-A", IrrQuestion::Numbers, numbers).await;
        let prefixes = json!({
            "ipv6": [{"prefix": "2001:db8::/32", "exact": true}],
            "ipv4": [
                {"prefix": "192.0.2.0/24", "exact": true},
                {"prefix": "198.51.100.0/23", "exact": false, "greater-equal": 24, "less-equal": 24},
            ],
        });
        let list = w.ask("GET /api/peering/autonomous-systems/?ordering=asn").await;
        let row = &list.is(200).body["results"][0];
        assert_eq!((&row["prefixes"], &row["as_list"]), (&prefixes, &json!([112, 3333])));
        assert_eq!(list.body["results"][1]["prefixes"], Value::Null);
        let said = w.ask(&format!("GET /api/peering/autonomous-systems/{id}/as-set-prefixes/")).await;
        said.is(200).says(prefixes);
        prove("peering-manager", "peering_autonomous_systems_as_set_prefixes", 200, &said.body);
        // What is not kept is asked for; who shows no token has nobody ask.
        let path = format!("GET /api/peering/autonomous-systems/{other}/as-set-prefixes/");
        w.send(&path, &[], "").await.is(403);
        let service = Service::start(&w, |row, now| match row.what {
            IrrQuestion::Prefixes4 if row.set == "AS3334" => answer(now, &["203.0.113.0/24"]),
            _ => answer(now, &[]),
        });
        w.ask(&path).await.says(json!({"ipv6": [], "ipv4": [{"prefix": "203.0.113.0/24", "exact": true}]}));
        drop(service);
        w.ask("GET /api/peering/autonomous-systems/99999999/as-set-prefixes/").await.is(404);
    }
}

#[tokio::test]
async fn any_set_can_be_asked_about_and_its_answer_is_kept_for_a_while() {
    for w in world::both().await {
        let service = Service::start(&w, |row, now| match row.set.as_str() {
            "AS-BAD" => {
                IrrSetStatus { tried_at: Some(now), failure: Some("Nobody answers.".into()), ..IrrSetStatus::default() }
            }
            _ if row.what == IrrQuestion::Prefixes6 => answer(now, &["2001:db8::/32"]),
            _ => answer(now, &["192.0.2.0/24^24-25"]),
        });
        let said = w.ask("GET /api/extras/prefix-list/?as-set=as-a,3333,64500").await;
        let known = json!({
            "ipv4": [{"prefix": "192.0.2.0/24", "exact": false, "greater-equal": 24, "less-equal": 25}],
            "ipv6": [{"prefix": "2001:db8::/32", "exact": true}],
        });
        said.says(json!({"as-a": known, "AS3333": known, "AS64500": {"ipv4": [], "ipv6": []}}));
        prove("peering-manager", "extras_prefixlist_get", 200, &said.body);
        let said = w.ask("GET /api/extras/prefix-list/?as-set=AS-A&af=6").await;
        said.says(json!({"AS-A": {"ipv6": [{"prefix": "2001:db8::/32", "exact": true}]}}));
        w.ask("GET /api/extras/prefix-list/?as-set=AS-BAD")
            .await
            .is(503)
            .says(json!({"detail": "AS-BAD: Nobody answers."}));
        for (query, status) in [("", 400), ("?as-set=$(id)", 400), ("?as-set=AS-A&af=5", 400), ("?as-set=RIPE::", 400)]
        {
            let said = w.ask(&format!("GET /api/extras/prefix-list/{query}")).await;
            assert!(said.is(status).body["detail"].is_string(), "{query}");
        }
        w.send("GET /api/extras/prefix-list/?as-set=AS-A", &[], "").await.is(403);
        drop(service);
        // Kept answers need nobody to ask, until somebody wants them fresh or they are too old.
        w.ask("GET /api/extras/prefix-list/?as-set=AS-A,3333").await.is(200);
        let later = Service::start(&w, |_, now| answer(now, &[]));
        w.clock.step_seconds(5);
        let said = w.ask("GET /api/extras/prefix-list/?as-set=AS-A&af=4&skip-cache").await;
        said.says(json!({"AS-A": {"ipv4": []}}));
        w.clock.step_seconds(3601);
        w.ask("GET /api/extras/prefix-list/?as-set=3333&af=4").await.says(json!({"AS3333": {"ipv4": []}}));
        drop(later);
    }
}

#[tokio::test]
async fn arguments_that_do_more_than_choose_prefixes_are_refused_by_the_name_of_their_field() {
    let w = world::one().await;
    let id = w.autonomous_system(3333).await;
    let path = format!("PATCH /api/peering/autonomous-systems/{id}/");
    for field in ["irr_ipv4_prefixes_args_override", "irr_ipv6_prefixes_args_override", "irr_sources_override"] {
        let said = w.tell(&path, json!({field: "-h evil.example"})).await;
        assert!(said.is(400).body[field].is_array(), "{}", said.body);
    }
    w.tell(&path, json!({"irr_ipv4_prefixes_args_override": "-A -R 24", "irr_sources_override": "RIPE,RADB"}))
        .await
        .is(200);
}
