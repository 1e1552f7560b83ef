//! The peering portal: asking, answering, and who sees what.

use meetme_app::identity::{self, NewKey};
use meetme_base::{Id, RawId};
use meetme_model::{BgpState, access::Role, routing::ExchangeSession};
use meetme_store::{Context, Filter};
use serde_json::{Value, json};

use crate::world::{self, Exchange, Said, World};

const PORTAL: &str = "/api/peering/portal";

/// An exchange of the public peering database.
async fn exchange(w: &World) -> Exchange {
    let at = w.exchange().await;
    let path = format!("PATCH /api/peering/internet-exchanges/{}/", at.exchange);
    w.tell(&path, json!({"peeringdb_ixlan": 42})).await.is(200);
    w.tell(&format!("PATCH /api/peering/autonomous-systems/{}/", at.at.local), json!({"affiliated": true}))
        .await
        .is(200);
    at
}

/// A key of the owner that may only ask in the name of this AS.
async fn requester(w: &World, remote: i64) -> String {
    let role = w.app.store().read(Context::system(), |tx| {
        Ok::<_, meetme_app::Error>(tx.one::<Role>(&Filter::eq("name", "peering_requester"))?.unwrap().id)
    });
    let (roles, objects) = (vec![role.await.unwrap()], vec![RawId::new(remote)]);
    w.key(NewKey { name: "requester".into(), roles, objects, ..NewKey::default() }).await
}

fn wish(asn: u32, ips: &[&str]) -> Value {
    let sessions: Vec<Value> =
        ips.iter().map(|ip| json!({"local_ip": ip, "location": "pdb:ix:42", "session_secret": "s3cret"})).collect();
    json!({"local_asn": asn, "peer_type": "public", "email": "peering@example.net", "sessions": sessions})
}

async fn submit(w: &World, token: &str, body: Value) -> Said {
    w.by(token, &format!("POST {PORTAL}/sessions"), body).await
}

async fn items(w: &World, token: &str) -> Vec<Value> {
    let said = w.by(token, &format!("GET {PORTAL}/sessions/list"), Value::Null).await;
    said.is(200).body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_was_asked_for_and_accepted_is_a_session_whose_state_the_portal_shows() {
    for w in world::both().await {
        let at = exchange(&w).await;
        let remote = w.autonomous_system(64501).await;
        let token = requester(&w, remote).await;
        let places = w.by(&token, &format!("GET {PORTAL}/locations?asn=64501&location_type=public"), Value::Null).await;
        places.is(200).says(json!({"items": [{
            "id": "pdb:ix:42", "name": "Some IX", "type": "public", "peer_asn": 64999,
            "peer_ips": ["192.0.2.11", "2001:db8:13:37::1"],
        }]}));
        let ours = w.by(&token, &format!("GET {PORTAL}/affiliated"), Value::Null).await;
        assert_eq!((&ours.is(200).body[0]["asn"], ours.body.as_array().unwrap().len()), (&json!(64999), 1));
        assert_eq!(
            w.by(&token, &format!("GET {PORTAL}/network/64999"), Value::Null).await.is(200).body["name"],
            "Network 64999"
        );

        let made = submit(&w, &token, wish(64501, &["192.0.2.50", "2001:db8:13:37::50"])).await;
        let request = made.is(201).body["request_id"].as_str().unwrap().to_owned();
        made.says(json!({"request_id": request, "status": "pending", "sessions_count": 2}));
        let mine = items(&w, &token).await;
        assert_eq!((mine.len(), &mine[0]["status"], &mine[0]["session_state"]), (2, &json!("pending"), &Value::Null));
        assert_eq!((&mine[1]["local_ip"], &mine[1]["peer_ip"]), (&json!("192.0.2.50"), &json!("192.0.2.11")));
        assert!(!json!(mine).to_string().contains("s3cret") && !json!(mine).to_string().contains("sealed"));

        // A person of ours reads it and says yes, to one.
        let waiting = w.ask("GET /api/peering/requested-sessions/?status=pending&local_asn=64501&ordering=id").await;
        let row = &waiting.is(200).body["results"][0];
        assert_eq!((&row["local_ip"], &row["has_session_secret"]), (&json!("192.0.2.50"), &json!(true)));
        let accept = format!("POST /api/peering/requested-sessions/{}/accept/", row["id"]);
        w.by(&w.reader, &accept, Value::Null).await.is(403);
        let accepted = w.ask(&accept).await;
        let session = accepted.is(200).body["session"]["id"].as_i64().unwrap();
        assert_eq!(
            (&accepted.body["status"]["value"], &accepted.body["has_session_secret"]),
            (&json!("accepted"), &json!(false))
        );
        let real = w.ask(&format!("GET /api/peering/internet-exchange-peering-sessions/{session}/")).await;
        assert_eq!(
            (&real.is(200).body["ip_address"], &real.body["password"], &real.body["ixp_connection"]["id"]),
            (&json!("192.0.2.50"), &json!("s3cret"), &json!(at.connection))
        );
        w.ask(&accept).await.is(409);

        // What the router sees of it is what the portal shows.
        let seen = w.app.store().write::<_, meetme_app::Error, _>(Context::system(), move |tx| {
            let mut row = tx.get(Id::<ExchangeSession>::new(session))?;
            let status = meetme_model::PeerStatus { state: Some(BgpState::Established), ..row.status.clone() };
            Ok(tx.observe(&mut row, status, None)?)
        });
        seen.await.unwrap();
        let one = mine[1]["session_id"].as_str().unwrap();
        let shown = w.by(&token, &format!("GET {PORTAL}/sessions/{one}"), Value::Null).await;
        assert_eq!(
            (&shown.is(200).body["status"], &shown.body["session_state"]),
            (&json!("accepted"), &json!("established"))
        );

        // The rest of the request is refused with a reason, and the whole counts as accepted.
        let request = w.ask("GET /api/peering/peering-requests/").await.is(200).body["results"][0].clone();
        assert_eq!(
            (&request["status"]["value"], &request["email"]),
            (&json!("pending"), &json!("peering@example.net"))
        );
        let reject = format!("POST /api/peering/peering-requests/{}/reject/", request["id"]);
        let rejected = w.tell(&reject, json!({"reason": "No IPv6 there yet."})).await;
        assert_eq!(rejected.is(200).body["status"]["value"], "accepted");
        assert_eq!(items(&w, &token).await[0]["reason"], "No IPv6 there yet.");
        w.ask(&reject).await.is(409);
        let log = w.ask("GET /api/core/object-changes/?limit=100").await.is(200).body.to_string();
        assert!(!log.contains("s3cret"), "{log}");
    }
}

#[tokio::test]
async fn a_requester_sees_and_asks_for_their_own_as_alone() {
    let w = world::one().await;
    exchange(&w).await;
    let (one, two) = (w.autonomous_system(64501).await, w.autonomous_system(64502).await);
    let (first, second) = (requester(&w, one).await, requester(&w, two).await);
    submit(&w, &first, wish(64501, &["192.0.2.50"])).await.is(201);
    submit(&w, &second, wish(64501, &["192.0.2.51"])).await.is(403);
    submit(&w, &first, wish(64777, &["192.0.2.51"])).await.is(403);
    assert_eq!((items(&w, &first).await.len(), items(&w, &second).await.len()), (1, 0));
    let session = items(&w, &first).await[0]["session_id"].as_str().unwrap().to_owned();
    for method in ["GET", "DELETE"] {
        w.by(&second, &format!("{method} {PORTAL}/sessions/{session}"), Value::Null).await.is(404);
    }
    w.by(&second, &format!("GET {PORTAL}/network/64501"), Value::Null).await.is(404);
    // The key opens nothing else.
    let rows = w.by(&first, "GET /api/peering/autonomous-systems/", Value::Null).await;
    assert_eq!(rows.ids(), [one]);
    for path in ["peering/internet-exchange-peering-sessions", "devices/routers", "net/connections"] {
        assert_eq!(w.by(&first, &format!("GET /api/{path}/"), Value::Null).await.ids(), Vec::<i64>::new(), "{path}");
    }
    let id = w.ask("GET /api/peering/requested-sessions/").await.ids()[0];
    for answer in ["accept", "reject"] {
        w.by(&first, &format!("POST /api/peering/requested-sessions/{id}/{answer}/"), Value::Null).await.is(403);
    }
    // What was asked for can be taken back until it is answered, and asked for again.
    w.by(&first, &format!("DELETE {PORTAL}/sessions/{session}"), Value::Null).await.is(204);
    w.by(&first, &format!("DELETE {PORTAL}/sessions/{session}"), Value::Null).await.is(409);
    assert_eq!(items(&w, &first).await[0]["status"], "cancelled");
    submit(&w, &first, wish(64501, &["192.0.2.50"])).await.is(201);
    // Somebody who may only read does not ask.
    submit(&w, &w.reader, wish(64501, &["192.0.2.52"])).await.is(403);
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_nothing_of_it_is_kept() {
    let w = world::one().await;
    let at = exchange(&w).await;
    let remote = w.autonomous_system(64501).await;
    let token = requester(&w, remote).await;
    w.make(
        "peering/internet-exchange-peering-sessions",
        json!({"autonomous_system": remote, "ixp_connection": at.connection, "ip_address": "192.0.2.60"}),
    )
    .await;
    let bad: &[(Value, &str)] = &[
        (json!({}), "local_asn"),
        (json!({"local_asn": 0, "sessions": []}), "local_asn"),
        (json!({"local_asn": 64501, "sessions": []}), "sessions"),
        (json!({"local_asn": 64501, "sessions": "x"}), "sessions"),
        (json!({"local_asn": 64501, "peer_type": "private", "sessions": [{}]}), "peer_type"),
        (json!({"local_asn": 64501, "sessions": [{}]}), "sessions.0.local_ip"),
        (json!({"local_asn": 64501, "sessions": [7]}), "sessions.0"),
        (json!({"local_asn": 64501, "sessions": [{"local_ip": "x", "location": "pdb:ix:42"}]}), "sessions.0.local_ip"),
        (
            json!({"local_asn": 64501, "sessions": [{"local_ip": "192.0.2.50", "location": "pdb:ix:7"}]}),
            "sessions.0.location",
        ),
        (
            json!({"local_asn": 64501, "email": "nobody", "sessions": [{"local_ip": "192.0.2.50", "location": "pdb:ix:42"}]}),
            "email",
        ),
        (wish(64501, &["192.0.2.50", "198.51.100.1"]), "sessions.1.local_ip"),
        (wish(64501, &["192.0.2.11"]), "sessions.0.local_ip"),
        (wish(64501, &["192.0.2.255"]), "sessions.0.local_ip"),
        (wish(64501, &["192.0.2.60"]), "sessions.0.local_ip"),
        (wish(64501, &["192.0.2.50", "192.0.2.50"]), "sessions.1.local_ip"),
        (
            json!({"local_asn": 64501, "sessions": [
                {"local_ip": "192.0.2.50", "peer_ip": "192.0.2.12", "location": "pdb:ix:42"},
            ]}),
            "sessions.0.peer_ip",
        ),
        (
            json!({"local_asn": 64501, "sessions": [
                {"local_ip": "192.0.2.50", "session_secret": "a b", "location": "pdb:ix:42"},
            ]}),
            "sessions.0.session_secret",
        ),
    ];
    for (body, field) in bad {
        let said = submit(&w, &token, body.clone()).await;
        assert!(said.is(400).body.get(*field).is_some(), "{field}: {}", said.body);
    }
    let many: Vec<String> = (0..51).map(|n| format!("192.0.2.{}", 100 + n)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    submit(&w, &token, wish(64501, &many)).await.is(400);
    assert_eq!(items(&w, &token).await, Vec::<Value>::new());
    assert_eq!(w.ask("GET /api/peering/peering-requests/").await.ids(), Vec::<i64>::new());
    submit(&w, &token, wish(64501, &["192.0.2.50"])).await.is(201);
    assert!(submit(&w, &token, wish(64501, &["192.0.2.50"])).await.is(400).body.get("sessions.0.local_ip").is_some());
}

#[tokio::test]
async fn who_asks_too_often_waits() {
    let w = world::one().await;
    exchange(&w).await;
    let remote = w.autonomous_system(64501).await;
    let token = requester(&w, remote).await;
    for n in 0..20 {
        submit(&w, &token, wish(64501, &[&format!("192.0.2.{}", 20 + n)])).await.is(201);
    }
    let said = submit(&w, &token, wish(64501, &["192.0.2.90"])).await;
    assert!(said.is(429).body["detail"].as_str().unwrap().contains("throttled"));
}

#[tokio::test]
async fn anybody_asks_only_where_the_operator_opens_the_portal_and_sees_what_they_know_by_name() {
    let w = world::one().await;
    exchange(&w).await;
    let nobody = async |line: String, body: Value| {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        w.send(&line, &[("content-type", "application/json")], &text).await
    };
    let ask = async |body: Value| nobody(format!("POST {PORTAL}/sessions"), body).await;
    ask(wish(64501, &["192.0.2.50"])).await.is(403);
    identity::open_book(&w.app, "Customer").await.unwrap();
    ask(wish(64501, &["192.0.2.50"])).await.is(403);
    nobody(format!("GET {PORTAL}/locations"), Value::Null).await.is(403);
    w.app.open_portal();
    nobody(format!("GET {PORTAL}/locations"), Value::Null).await.is(200);
    let mut without = wish(64501, &["192.0.2.50"]);
    without["email"] = Value::Null;
    assert!(ask(without).await.is(400).body.get("email").is_some());
    ask(wish(64501, &["192.0.2.50"])).await.is(201);
    nobody(format!("GET {PORTAL}/sessions/list"), Value::Null).await.is(403);
    let row = w.ask("GET /api/peering/requested-sessions/").await.is(200).body["results"][0].clone();
    let uuid = row["session_id"].as_str().unwrap();
    let seen = nobody(format!("GET {PORTAL}/sessions/{uuid}"), Value::Null).await;
    assert_eq!(seen.is(200).body["status"], "pending");
    nobody("POST /api/peering/routers/".to_owned(), json!({})).await.is(403);
    // A network that nobody knew is put into the book by a yes.
    let accepted = w.ask(&format!("POST /api/peering/requested-sessions/{}/accept/", row["id"])).await;
    assert!(accepted.is(200).body["session"]["id"].is_i64());
    let known = w.ask("GET /api/peering/autonomous-systems/?asn=64501").await;
    assert_eq!(known.is(200).body["results"][0]["name"], "AS64501");
    // A key for that network does not see what was asked for without one.
    let token = requester(&w, known.body["results"][0]["id"].as_i64().unwrap()).await;
    assert_eq!(items(&w, &token).await, Vec::<Value>::new());
}
