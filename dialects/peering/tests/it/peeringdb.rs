//! The copy of the public peering database as this dialect shows it, and what can be done with it.

use std::collections::BTreeSet;

use meetme_app::{
    App, Error,
    identity::{self, Giver, NewKey},
    mirror,
};
use meetme_base::Time;
use meetme_contracts::prove;
use meetme_model::{
    BgpState, PeerStatus,
    access::User,
    routing::{ExchangeSession, Router, RouterStatus, Stranger},
};
use meetme_store::{Context, Filter, Tx};
use meetme_testregister::{Register, Size, TYPES};
use serde_json::{Value, json};

use crate::world::{self, Exchange, Said, World};

const DIALECT: &str = "peering-manager";

/// Puts a made-up database into a world, as a synchronisation would.
pub async fn fill(app: &App, register: &Register) {
    for each in mirror::TYPES {
        let body = register.page(each.name);
        let kept = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            (each.read)(&mut body.as_bytes()).map_err(Error::Bug)?.keep(tx, Time(0))
        });
        assert_eq!(kept.await.unwrap().refused, 0, "{}", each.name);
    }
}

async fn system<T: Send + 'static>(w: &World, f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
    w.app.store().write::<_, Error, _>(Context::system(), f).await.unwrap()
}

/// The secret of a key of the operator's first user.
async fn root(w: &World) -> String {
    let app = w.app.clone();
    system(w, move |tx| {
        let root = tx.one::<User>(&Filter::eq("username", "root"))?.unwrap().id;
        let new = NewKey { name: "root".to_owned(), ..NewKey::default() };
        Ok(identity::create_key(&app, tx, Giver::System, root.any(), &new)?.secret.expose().clone())
    })
    .await
}

#[track_caller]
fn proven(id: &str, said: &Said, status: u16) {
    said.is(status);
    prove(DIALECT, id, said.status, &said.body);
}

/// An exchange of ours whose connection has the addresses of a port of the register; it is linked.
async fn at(w: &World, register: &Register, port: i64) -> Exchange {
    let at = w.exchange().await;
    let port = register.get("netixlan", port);
    let change = json!({
        "ipv4_address": format!("{}/20", port["ipaddr4"].as_str().unwrap()),
        "ipv6_address": format!("{}/64", port["ipaddr6"].as_str().unwrap()),
    });
    w.tell(&format!("PATCH /api/net/connections/{}/", at.connection), change).await.is(200);
    let said =
        w.tell(&format!("POST /api/peering/internet-exchanges/{}/link-to-peeringdb/", at.exchange), Value::Null).await;
    proven("peering_internet_exchange_link_to_peeringdb", &said, 200);
    at
}

const LISTS: &[(&str, &str, &str)] = &[
    ("organizations", "organizations", "org"),
    ("campuses", "campuses", "campus"),
    ("facilities", "facilities", "fac"),
    ("networks", "networks", "net"),
    ("network_contacts", "network-contacts", "poc"),
    ("internet_exchanges", "internet-exchanges", "ix"),
    ("internet_exchange_facilities", "internet-exchange-facilities", "ixfac"),
    ("ixlans", "ixlans", "ixlan"),
    ("ixlan_prefixes", "ixlan-prefixes", "ixpfx"),
    ("network_facilities", "network-facilities", "netfac"),
];

#[tokio::test]
async fn the_lists_of_the_copy_keep_the_contract_and_go_by_its_own_numbers() {
    for w in world::both().await {
        let register = Register::of(Size::of(60));
        fill(&w.app, &register).await;
        for (id, path, name) in LISTS {
            let said = w.ask(&format!("GET /api/peeringdb/{path}/?limit=1000")).await;
            proven(&format!("peeringdb_{id}_list"), &said, 200);
            assert_eq!(said.body["count"].as_u64(), Some(register.count(name) as u64), "{path}");
            let said = w.ask(&format!("GET /api/peeringdb/{path}/1/")).await;
            proven(&format!("peeringdb_{id}_retrieve"), &said, 200);
            if *name != "campus" {
                assert_eq!(said.body["id"], 1, "{path}");
            }
            w.ask(&format!("GET /api/peeringdb/{path}/999999/")).await.is(404);
            w.tell(&format!("POST /api/peeringdb/{path}/"), json!({"name": "x"})).await.is(405);
        }
        // The contract takes it that both sides of a port are known.
        let sided = (1..100).find(|n| !register.get("netixlan", *n)["ix_side_id"].is_null()).unwrap();
        let said = w.ask(&format!("GET /api/peeringdb/network-ixlans/{sided}/")).await;
        proven("peeringdb_network_ixlans_retrieve", &said, 200);
        let said = w.ask(&format!("GET /api/peeringdb/network-ixlans/?id={sided}")).await;
        proven("peeringdb_network_ixlans_list", &said, 200);
        let port = register.get("netixlan", sided);
        assert_eq!((&said.body["results"][0]["net"], &said.body["results"][0]["asn"]), (&port["net_id"], &port["asn"]));
        proven("peeringdb_root", &w.ask("GET /api/peeringdb/").await, 200);
    }
}

#[tokio::test]
async fn the_lists_of_the_copy_are_filtered_as_the_contract_says() {
    let w = world::one().await;
    let register = Register::of(Size::of(60));
    fill(&w.app, &register).await;
    let count = async |query: &str| {
        let said = w.ask(&format!("GET /api/peeringdb/{query}")).await;
        said.is(200).body["count"].as_u64().unwrap()
    };
    let rows = |name: &str, test: &dyn Fn(&Value) -> bool| {
        let page: Value = serde_json::from_str(&register.page(name)).unwrap();
        page["data"].as_array().unwrap().iter().filter(|row| test(row)).count() as u64
    };
    let asn = register.get("net", 7)["asn"].as_i64().unwrap();
    assert_eq!(count(&format!("networks/?asn={asn}")).await, 1);
    assert_eq!(count("networks/?name=Network%207").await, 1);
    assert_eq!(count("networks/?q=network%2017").await, 1);
    assert_eq!(count(&format!("networks/?q={asn}")).await, 1);
    assert_eq!(count("facilities/?org_id=5").await, rows("fac", &|row| row["org_id"] == 5));
    assert_eq!(count("network-ixlans/?ixlan_id=1").await, rows("netixlan", &|row| row["ixlan_id"] == 1));
    assert_eq!(count("network-ixlans/?is_rs_peer=true").await, rows("netixlan", &|row| row["is_rs_peer"] == true));
    let open = |row: &Value| register.get("net", row["net_id"].as_i64().unwrap())["policy_general"] == "Open";
    assert_eq!(count("network-ixlans/?net__policy_general=Open").await, rows("netixlan", &open));
    assert_eq!(
        count("network-ixlans/?net_id=7&net_id=8").await,
        rows("netixlan", &|row| row["net_id"] == 7 || row["net_id"] == 8)
    );
    assert_eq!(count(&format!("network-contacts/?net_asn={asn}&role=NOC")).await, 1);
    let prefix = register.get("ixpfx", 1)["prefix"].as_str().unwrap().to_owned();
    assert_eq!(count(&format!("ixlan-prefixes/?q={prefix}&in_dfz=false")).await, 1);
    for bad in ["networks/?org_id=999999", "network-ixlans/?net__policy_general=Friendly", "network-ixlans/?net_asn=1"]
    {
        let said = w.ask(&format!("GET /api/peeringdb/{bad}")).await;
        assert!(said.is(400).body.to_string().contains("Select a valid choice"), "{bad}: {}", said.body);
    }
    let first = w.ask("GET /api/peeringdb/networks/?ordering=-id&limit=1").await;
    assert_eq!(first.ids(), [register.count("net") as i64]);
}

#[tokio::test]
async fn available_peers_are_those_with_whom_a_session_is_still_to_be_had() {
    for w in world::both().await {
        let register = Register::of(Size::of(200));
        fill(&w.app, &register).await;
        let at = at(&w, &register, 4).await;
        let lan = w.ask(&format!("GET /api/peering/internet-exchanges/{}/", at.exchange)).await.body["peeringdb_ixlan"]
            .clone();
        assert_eq!(lan, register.get("netixlan", 4)["ixlan_id"]);
        let ours = json!({"asn": register.get("netixlan", 4)["asn"]});
        let path = format!("/api/peering/internet-exchanges/{}/available-peers/", at.exchange);
        let open = async || -> Vec<i64> {
            let said = w.ask(&format!("GET {path}")).await;
            let rows = said.is(200).body.as_array().unwrap().clone();
            let asns: Vec<i64> = rows.iter().map(|row| row["asn"].as_i64().unwrap()).collect();
            assert!(asns.is_sorted());
            rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
        };
        let before = open().await;
        let there: Value = serde_json::from_str(&register.page("netixlan")).unwrap();
        let there: Vec<&Value> =
            there["data"].as_array().unwrap().iter().filter(|row| row["ixlan_id"] == lan).collect();
        assert_eq!(before.len(), there.len());
        // Our own number is not offered.
        w.tell(&format!("PATCH /api/peering/autonomous-systems/{}/", at.at.local), ours.clone()).await.is(200);
        let own = there.iter().filter(|row| row["asn"] == ours["asn"]).count();
        assert_eq!(open().await.len(), before.len() - own);
        // One address of two leaves the peer open.
        let peer = there.iter().find(|row| row["asn"] != ours["asn"] && !row["ipaddr6"].is_null()).unwrap();
        let id = peer["id"].as_i64().unwrap();
        let system = w.autonomous_system(u32::try_from(peer["asn"].as_i64().unwrap()).unwrap()).await;
        let session =
            |ip: &Value| json!({"autonomous_system": system, "ixp_connection": at.connection, "ip_address": ip});
        w.make("peering/internet-exchange-peering-sessions", session(&peer["ipaddr4"])).await;
        assert!(open().await.contains(&id));
        w.make("peering/internet-exchange-peering-sessions", session(&peer["ipaddr6"])).await;
        assert!(!open().await.contains(&id));
        // A second connection of ours could still have sessions.
        let second = json!({
            "internet_exchange_point": at.exchange, "router": at.at.router, "ipv4_address": "10.0.15.254/20", "interface": "ae9",
        });
        let second = w.make("net/connections", second).await;
        assert!(open().await.contains(&id));
        // It has no IPv6 address, so one session is all there is to be had over it.
        let more = json!({"autonomous_system": system, "ixp_connection": second, "ip_address": peer["ipaddr4"]});
        w.make("peering/internet-exchange-peering-sessions", more).await;
        assert!(!open().await.contains(&id));
        // Hidden for a while.
        let hide = there.iter().find(|row| row["asn"] != ours["asn"] && row["id"] != id).unwrap();
        let until = Time(w.app.now().0 + 60_000).to_string();
        let body = json!({"peeringdb_network": hide["net_id"], "peeringdb_ixlan": lan, "until": until});
        w.make("peeringdb/hidden-peers", body).await;
        assert!(!open().await.contains(&hide["id"].as_i64().unwrap()));
        w.clock.step_seconds(60);
        assert!(open().await.contains(&hide["id"].as_i64().unwrap()));
        let said = w.ask("GET /api/peeringdb/hidden-peers/?is_expired=true").await;
        assert_eq!((said.body["count"].as_u64(), &said.body["results"][0]["is_expired"]), (Some(1), &json!(true)));
        for query in [
            format!("peeringdb_network_id={}", hide["net_id"]),
            format!("peeringdb_network_asn={}", hide["asn"]),
            format!("peeringdb_ixlan_id={lan}"),
        ] {
            assert_eq!(w.ask(&format!("GET /api/peeringdb/hidden-peers/?{query}")).await.body["count"], 1, "{query}");
        }
        w.ask("GET /api/peeringdb/hidden-peers/?peeringdb_network_id=999999").await.is(400);
    }
}

#[tokio::test]
async fn answers_about_exchanges_and_systems_keep_the_contract() {
    let w = world::one().await;
    let register = Register::of(Size::of(200));
    fill(&w.app, &register).await;
    let at = at(&w, &register, 4).await;
    // Only ports whose sides are known are in the contract's form.
    let path = format!("/api/peering/internet-exchanges/{}/", at.exchange);
    let said = w.ask(&format!("GET {path}prefixes/")).await;
    proven("peering_internet_exchanges_prefixes", &said, 200);
    let nets = w.ask(&format!("GET {path}")).await.body["peeringdb_prefixes"].clone();
    assert_eq!(nets, said.body);
    assert_eq!(nets["ipv4"].as_array().unwrap().len(), 1);
    let other = w
        .make("peering/internet-exchanges", json!({"name": "B", "slug": "b", "local_autonomous_system": at.at.local}))
        .await;
    w.ask(&format!("GET /api/peering/internet-exchanges/{other}/prefixes/")).await.says(json!({}));
    w.ask(&format!("GET /api/peering/internet-exchanges/{other}/available-peers/")).await.says(json!([]));
    let said = w.tell(&format!("POST /api/peering/internet-exchanges/{other}/link-to-peeringdb/"), Value::Null).await;
    said.is(503);
    // A system that is there, one that is not, one that never is.
    let net = register.get("net", 9);
    let system = w.autonomous_system(u32::try_from(net["asn"].as_i64().unwrap()).unwrap()).await;
    let act = |id: i64| format!("/api/peering/autonomous-systems/{id}");
    let said = w.tell(&format!("POST {}/sync-with-peeringdb/", act(system)), Value::Null).await;
    proven("peering_autonomous_systems_sync_with_peeringdb", &said, 200);
    let now = w.ask(&format!("GET {}/", act(system))).await.body;
    assert_eq!(
        (&now["name"], &now["irr_as_set"], &now["ipv6_max_prefixes"]),
        (&net["name"], &net["irr_as_set"], &net["info_prefixes6"])
    );
    let unknown = w.autonomous_system(300).await;
    w.tell(&format!("POST {}/sync-with-peeringdb/", act(unknown)), Value::Null).await.is(204);
    let private = w.autonomous_system(65_000).await;
    w.tell(&format!("POST {}/sync-with-peeringdb/", act(private)), Value::Null).await.is(200);
    w.by(&w.reader, &format!("POST {}/sync-with-peeringdb/", act(system)), Value::Null).await.is(403);
    // Nothing is shared until somebody says from where they look.
    let detail = json!({"detail": "User did not choose an affiliated AS."});
    w.ask(&format!("GET {}/shared-ixps/", act(system))).await.is(503).says(detail.clone());
    w.ask(&format!("GET {}/shared-facilities/", act(system))).await.is(503).says(detail);
    w.tell("PATCH /api/users/userpref/", json!({"context": {"as": at.at.local}})).await.is(200);
    let ours = register.get("net", 4)["asn"].clone();
    w.tell(&format!("PATCH {}/", act(at.at.local)), json!({"asn": ours})).await.is(200);
    let lan = register.get("netixlan", 4)["ixlan_id"].clone();
    let pages: Value = serde_json::from_str(&register.page("netixlan")).unwrap();
    let near = pages["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["ixlan_id"] == lan && row["asn"] != ours && row["asn"] != net["asn"])
        .unwrap();
    let near = w.autonomous_system(u32::try_from(near["asn"].as_i64().unwrap()).unwrap()).await;
    let said = w.ask(&format!("GET {}/shared-ixps/", act(near))).await;
    proven("peering_autonomous_systems_shared_ixps", &said, 200);
    assert_eq!(said.body[0]["id"], at.exchange);
    let facilities = |net: i64| -> BTreeSet<i64> {
        let page: Value = serde_json::from_str(&register.page("netfac")).unwrap();
        let rows = page["data"].as_array().unwrap().clone();
        rows.iter().filter(|row| row["net_id"] == net).map(|row| row["fac_id"].as_i64().unwrap()).collect()
    };
    let mate = (5..200).find(|n| !facilities(4).is_disjoint(&facilities(*n)) && *n != 9).unwrap();
    let mate_as = w.autonomous_system(u32::try_from(register.get("net", mate)["asn"].as_i64().unwrap()).unwrap()).await;
    let said = w.ask(&format!("GET {}/shared-facilities/", act(mate_as))).await;
    proven("peering_autonomous_systems_shared_facilities", &said, 200);
    let found: BTreeSet<i64> = said.body.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!(found, facilities(4).intersection(&facilities(mate)).copied().collect());
}

#[tokio::test]
async fn available_peers_keep_the_contract() {
    let w = world::one().await;
    let register = Register::empty();
    for (name, row) in [
        ("org", json!({"name": "O"})),
        ("fac", json!({"org_id": 1, "name": "F"})),
        ("net", json!({"org_id": 1, "asn": 200_000, "name": "N"})),
        ("ix", json!({"org_id": 1, "name": "X"})),
        ("ixlan", json!({"ix_id": 1})),
        (
            "netixlan",
            json!({"net_id": 1, "ixlan_id": 1, "asn": 200_000, "ipaddr4": "192.0.2.9", "speed": 1, "net_side_id": 1, "ix_side_id": 1}),
        ),
    ] {
        register.put(name, 1, 0, row);
    }
    fill(&w.app, &register).await;
    let at = w.exchange().await;
    w.tell(&format!("PATCH /api/peering/internet-exchanges/{}/", at.exchange), json!({"peeringdb_ixlan": 1}))
        .await
        .is(200);
    let said = w.ask(&format!("GET /api/peering/internet-exchanges/{}/available-peers/", at.exchange)).await;
    proven("peering_internet_exchange_available_peers", &said, 200);
    assert_eq!((said.body.as_array().unwrap().len(), &said.body[0]["ipaddr4"]), (1, &json!("192.0.2.9/32")));
}

#[tokio::test]
async fn sessions_say_whether_the_database_knows_them_and_whether_they_are_abandoned() {
    for w in world::both().await {
        let register = Register::of(Size::of(200));
        fill(&w.app, &register).await;
        let at = at(&w, &register, 4).await;
        let peer = register.get("netixlan", 9);
        let asn = u32::try_from(peer["asn"].as_i64().unwrap()).unwrap();
        let known = w.session(&at, asn, peer["ipaddr4"].as_str().unwrap()).await;
        let gone =
            json!({"autonomous_system": {"asn": asn}, "ixp_connection": at.connection, "ip_address": "10.0.15.253"});
        let gone = w.make("peering/internet-exchange-peering-sessions", gone).await;
        let stranger = w.session(&at, 64_998, "10.0.15.252").await;
        system(&w, move |tx| {
            for id in [known, gone, stranger] {
                let mut row = tx.get::<ExchangeSession>(meetme_base::Id::new(id))?;
                tx.observe(&mut row, PeerStatus { state: Some(BgpState::Active), ..PeerStatus::default() }, None)?;
            }
            Ok(())
        })
        .await;
        w.tell(&format!("PATCH /api/devices/routers/{}/", at.at.router), json!({"poll_bgp_sessions_state": true}))
            .await
            .is(200);
        let said = async |id: i64| {
            let row = w.ask(&format!("GET /api/peering/internet-exchange-peering-sessions/{id}/")).await.body;
            (row["exists_in_peeringdb"] == true, row["is_abandoned"] == true)
        };
        assert_eq!(said(known).await, (true, false));
        assert_eq!(said(gone).await, (false, true));
        assert_eq!(said(stranger).await, (false, false), "a system that the database does not know is nobody's loss");
        let ids = async |query: &str| -> BTreeSet<i64> {
            let said = w.ask(&format!("GET /api/peering/internet-exchange-peering-sessions/?{query}")).await;
            said.ids().into_iter().collect()
        };
        assert_eq!(ids("exists_in_peeringdb=true").await, BTreeSet::from([known]));
        assert_eq!(ids("exists_in_peeringdb=false").await, BTreeSet::from([gone, stranger]));
        assert_eq!(ids("is_abandoned=true").await, BTreeSet::from([gone]));
        assert_eq!(ids("is_abandoned=false&exists_in_peeringdb=false").await, BTreeSet::from([stranger]));
    }
}

#[tokio::test]
async fn the_copy_as_a_whole_is_for_the_operators_people() {
    let w = world::one().await;
    let register = Register::of(Size::of(60));
    fill(&w.app, &register).await;
    let root = root(&w).await;
    let said = w.by(&root, "GET /api/peeringdb/cache/statistics/", Value::Null).await;
    proven("peeringdb_cache_statistics", &said, 200);
    for name in TYPES {
        assert_eq!(said.body[format!("{name}-count")].as_u64(), Some(register.count(name) as u64), "{name}");
    }
    for line in [
        "GET /api/peeringdb/cache/statistics/",
        "POST /api/peeringdb/cache/update-local/",
        "POST /api/peeringdb/cache/clear-local/",
    ] {
        w.by(&w.token, line, Value::Null).await.is(403);
        w.by(&w.reader, line, Value::Null).await.is(403);
        w.send(line, &[], "").await.is(403);
    }
    let said = w.by(&root, "POST /api/peeringdb/cache/update-local/", Value::Null).await;
    proven("peeringdb_cache_update", &said, 202);
    assert_eq!(
        (&said.body["name"], &said.body["status"]["value"]),
        (&json!("peeringdb.synchronise"), &json!("pending"))
    );
    system(&w, |tx| {
        let operator = mirror::operator(tx)?;
        let row = meetme_model::mirror::PdbSync { time: tx.now(), made: 5, ..Default::default() };
        Ok(tx.create(operator.any(), row)?)
    })
    .await;
    let said = w.ask("GET /api/peeringdb/synchronisations/").await;
    proven("peeringdb_synchronisations_list", &said, 200);
    let id = said.ids()[0];
    let said = w.ask(&format!("GET /api/peeringdb/synchronisations/{id}/")).await;
    proven("peeringdb_synchronisations_retrieve", &said, 200);
    assert_eq!(said.body["created"], 5);
    let said = w.by(&root, "POST /api/peeringdb/cache/clear-local/", Value::Null).await;
    proven("peeringdb_cache_clear", &said, 200);
    assert_eq!(w.ask("GET /api/peeringdb/networks/").await.body["count"], 0);
}

#[tokio::test]
async fn taking_over_sessions_is_a_job_for_who_may_make_sessions() {
    let w = world::one().await;
    let register = Register::of(Size::of(60));
    fill(&w.app, &register).await;
    let at = at(&w, &register, 4).await;
    let line = format!("POST /api/peering/internet-exchanges/{}/import-sessions/", at.exchange);
    w.by(&w.reader, &line, Value::Null).await.is(403);
    let said = w.tell(&line, Value::Null).await;
    proven("peering_internet_exchanges_import_sessions", &said, 202);
    assert_eq!(said.body["name"], "peering.internet_exchange.import_sessions");
    let stranger = Stranger { ip: "192.0.2.1".parse().unwrap(), asn: meetme_base::Asn::MIN };
    let router = at.at.router;
    system(&w, move |tx| {
        let mut row = tx.get::<Router>(meetme_base::Id::new(router))?;
        let status = RouterStatus { strangers: vec![stranger], ..row.status.clone() };
        Ok(tx.observe(&mut row, status, None)?)
    })
    .await;
    w.ask(&format!("GET /api/devices/routers/{router}/")).await.is(200);
}

#[tokio::test]
async fn hidden_peers_name_what_is_there() {
    let w = world::one().await;
    let register = Register::of(Size::of(60));
    fill(&w.app, &register).await;
    let body = json!({"peeringdb_network": 999_999, "peeringdb_ixlan": 1});
    let said = w.tell("POST /api/peeringdb/hidden-peers/", body).await;
    said.is(400).says(json!({"peeringdb_network": ["Invalid pk \"999999\" - object does not exist."]}));
    let body = json!({"peeringdb_network": 1, "peeringdb_ixlan": 1});
    w.tell("POST /api/peeringdb/hidden-peers/", body.clone()).await.is(201);
    w.tell("POST /api/peeringdb/hidden-peers/", body).await.is(400);
    // Whoever is above sees it too.
    let root = root(&w).await;
    assert_eq!(w.by(&root, "GET /api/peeringdb/hidden-peers/", Value::Null).await.body["count"], 1);
}
