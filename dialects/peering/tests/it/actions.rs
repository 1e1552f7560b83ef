//! Mails that are asked to be sent, and questions to exchanges' own interfaces. The work itself is the services'; here it is done by a
//! hand that says what the test wants to hear.

use std::time::Duration;

use meetme_app::{Error, mails};
use meetme_model::{
    access::Grant,
    ops::{Job, JobState, JobStatus},
};
use meetme_store::{Context, Filter};
use meetme_testregister::{Register, Size};
use serde_json::{Value, json};

use crate::{
    contract::proven,
    world::{self, World},
};

const FORBIDDEN: &str = "You do not have permission to perform this action.";

/// Waits for a job of this name and says how it ends.
async fn done(w: &World, what: &'static str, state: JobState, output: &str, answer: Value) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let status = JobStatus { state, output: output.to_owned(), answer, ..JobStatus::default() };
    let end = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let status = status.clone();
            let ended = w.app.store().write::<_, Error, _>(Context::system(), move |tx| {
                let waiting = Filter::eq("what", what).and(Filter::eq("state", JobState::Queued.word()));
                match tx.one::<Job>(&waiting)? {
                    Some(mut job) => tx.observe(&mut job, status.clone(), None).map(|()| true).map_err(Error::from),
                    None => Ok(false),
                }
            });
            if ended.await.unwrap() {
                return;
            }
            tick.tick().await;
        }
    });
    end.await.expect("somebody asks for it");
}

fn grants(list: &[(&str, &str)]) -> Vec<Grant> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    list.iter().map(|(kinds, verbs)| Grant { kinds: words(kinds), verbs: words(verbs), ..Grant::default() }).collect()
}

#[tokio::test]
async fn a_mail_is_put_into_the_queue_for_the_contacts_of_an_as() {
    for w in world::both().await {
        let peer = w.autonomous_system(64500).await;
        let path = format!("POST /api/peering/autonomous-systems/{peer}/send-email/");
        let mail = json!({"subject": "Peering", "body": "Dear all,\n"});
        let said = w.tell(&path, mail.clone()).await;
        said.is(400).says(json!({"contacts": ["No contact of this AS has an e-mail address."]}));
        let mut ids = Vec::new();
        for name in ["noc", "policy"] {
            let contact = json!({"name": name, "email": format!("{name}@example.org")});
            let contact = w.make("messaging/contacts", contact).await;
            let body = json!({"content_type": "peering.autonomoussystem", "object_id": peer, "contact": contact});
            w.make("messaging/contact-assignments", body).await;
            ids.push(contact);
        }
        let said = w.tell(&path, mail).await;
        let job = &said.is(202).body;
        assert_eq!((&job["name"], &job["object_id"]), (&json!(mails::SEND), &json!(peer)), "{}", w.make);
        assert_eq!(job["status"]["value"], "pending");
        let some = json!({"subject": "Peering", "body": "Dear policy", "contacts": [ids[1]]});
        w.tell(&path, some).await.is(202);
        let letters = w.app.store().read(Context::system(), |tx| tx.all::<Job>(Filter::eq("what", mails::SEND)));
        let letters: Vec<mails::Letter> =
            letters.await.unwrap().into_iter().map(|job| serde_json::from_value(job.spec.inputs).unwrap()).collect();
        let to: Vec<Vec<_>> =
            letters.iter().map(|letter| letter.to.iter().map(|to| to.address.as_str()).collect()).collect();
        assert_eq!(to, [vec!["noc@example.org", "policy@example.org"], vec!["policy@example.org"]]);
        for (body, says) in [
            (json!({}), json!({"subject": ["This field is required."], "body": ["This field is required."]})),
            (json!({"subject": "a\nb", "body": "x"}), json!({"subject": ["A subject is one line."]})),
            (
                json!({"subject": "a", "body": " ", "contacts": "all"}),
                json!({
                    "body": ["This field may not be blank."],
                    "contacts": ["Expected a list of items but got type \"str\"."],
                }),
            ),
            (
                json!({"subject": "a", "body": "x", "contacts": [4711]}),
                json!({"contacts": ["The contact 4711 is not assigned to this AS."]}),
            ),
        ] {
            w.tell(&path, body).await.is(400).says(says);
        }
    }
}

#[tokio::test]
async fn who_may_not_send_sends_nothing() {
    let w = world::one().await;
    let peer = w.autonomous_system(64500).await;
    let path = format!("POST /api/peering/autonomous-systems/{peer}/send-email/");
    let mail = json!({"subject": "Peering", "body": "Dear all"});
    for token in [w.reader.clone(), w.user("changes", grants(&[("*", "see create change remove")])).await] {
        let said = w.by(&token, &path, mail.clone()).await;
        said.is(403).says(json!({"detail": FORBIDDEN}));
        // Refused before the body is looked at.
        w.send(&path, &[("authorization", &format!("Token {token}")), ("content-type", "application/json")], "{")
            .await
            .is(403);
    }
    w.send(&path, &[], "").await.is(403);
    let sender = w.user("sends", grants(&[("*", "see"), ("autonomous_system", "send")])).await;
    w.by(&sender, &path, mail.clone()).await.is(400);
    w.by(&sender, "POST /api/peering/autonomous-systems/4711/send-email/", mail).await.is(404);
}

#[tokio::test]
async fn accounts_are_what_the_other_side_names() {
    for w in world::both().await {
        let line =
            "GET /api/extras/ix-api/accounts/?api_url=https://ixapi.example.net/v2/&api_key=k&api_secret=hunter2";
        let list = json!([{"id": "1", "name": "Us"}]);
        let (said, ()) = tokio::join!(w.ask(line), done(&w, "ixapi.accounts", JobState::Ok, "", list.clone()));
        proven("extras_ix_api_accounts", &said, 200);
        said.says(list);
        let why = "The IX-API answers 401 to auth/token";
        let (said, ()) = tokio::join!(w.ask(line), done(&w, "ixapi.accounts", JobState::Failed, why, Value::Null));
        assert!(said.is(503).body["detail"].as_str().unwrap().contains(why), "{}", said.body);
        let said = w.ask("GET /api/extras/ix-api/accounts/?api_url=ftp://x&api_key=k").await;
        said.is(400).says(json!({"api_secret": ["This field is required."], "api_url": ["Enter a valid URL."]}));
        w.by(&w.reader, line, Value::Null).await.is(403);
        w.send(line, &[], "").await.is(403);
        let log = w.ask("GET /api/core/object-changes/?limit=0").await.body.to_string();
        let jobs = w.ask("GET /api/core/jobs/").await.body.to_string();
        assert!(!log.contains("hunter2") && !jobs.contains("hunter2"), "{}", w.make);
    }
}

#[tokio::test]
async fn a_connection_is_registered_by_those_who_may_act_on_its_exchange() {
    for w in world::both().await {
        let at = w.exchange().await;
        let path = format!("POST /api/net/connections/{}/update-ixapi-mac/", at.connection);
        let said = w.ask(&path).await;
        said.is(400).says(json!({"internet_exchange_point": ["The exchange of this connection has no IX-API."]}));
        let new = json!({
            "name": "One", "api_url": "https://ixapi.example.net/v2/", "api_key": "k", "api_secret": "s",
            "identity": "1",
        });
        let ixapi = w.make("extras/ix-api", new).await;
        let exchange = format!("PATCH /api/peering/internet-exchanges/{}/", at.exchange);
        w.tell(&exchange, json!({"ixapi_endpoint": ixapi})).await.is(200);
        w.ask(&path).await.is(400).says(json!({"mac_address": ["This connection has no MAC address."]}));
        let mac = json!({"mac_address": "02:00:5e:10:00:0a"});
        w.tell(&format!("PATCH /api/net/connections/{}/", at.connection), mac).await.is(200);
        let (said, ()) = tokio::join!(w.ask(&path), done(&w, "ixapi.mac", JobState::Ok, "done", Value::Null));
        proven("net_connection_update_ixapi_mac", &said, 200);
        assert!(said.bytes.is_empty());
        let why = "The IX-API knows no service with the addresses of this connection.";
        let (said, ()) = tokio::join!(w.ask(&path), done(&w, "ixapi.mac", JobState::Failed, why, Value::Null));
        said.is(400).says(json!({"detail": why}));
        let changer = w.user("changes", grants(&[("*", "see create change remove")])).await;
        w.by(&changer, &path, Value::Null).await.is(403).says(json!({"detail": FORBIDDEN}));
        w.by(&w.reader, &path, Value::Null).await.is(403);
        w.ask("POST /api/net/connections/4711/update-ixapi-mac/").await.is(404);
    }
}

#[tokio::test]
async fn a_mail_is_made_from_its_template() {
    for w in world::both().await {
        let ours = json!({"asn": 64999, "name": "Us", "affiliated": true});
        w.make("peering/autonomous-systems", ours).await;
        let peer = w.autonomous_system(64500).await;
        let email = json!({
            "name": "Hello", "subject": "Peering with\nAS{{ autonomous_system.asn }}", "jinja2_trim": true,
            "template": "Dear {{ autonomous_system.name }},\n{% for own in affiliated_autonomous_systems %}\nAS{{ own.asn }}\n{% endfor %}",
        });
        let email = w.make("messaging/emails", email).await;
        let path = format!("POST /api/peering/autonomous-systems/{peer}/generate-email/");
        let said = w.tell(&path, json!({"email": email})).await;
        proven("peering_autonomous_systems_render_email", &said, 200);
        said.says(json!({"subject": "Peering with AS64500", "body": "Dear Network 64500,\nAS64999\n"}));
        assert!(w.tell(&path, json!({"email": 4711})).await.is(404).bytes.is_empty(), "{}", w.make);
        let configuration = w.make("devices/configurations", json!({"name": "C", "template": "x"})).await;
        w.tell(&path, json!({"email": configuration})).await.is(404);
        w.tell(&path, json!({})).await.is(400).says(json!({"email": ["This field is required."]}));
        w.tell("POST /api/peering/autonomous-systems/4711/generate-email/", json!({"email": email})).await.is(404);
        let broken =
            json!({"name": "Broken", "subject": "s", "template": "one\n{{ autonomous_system.name | nosuch }}"});
        let broken = w.make("messaging/emails", broken).await;
        let said = w.tell(&path, json!({"email": broken})).await;
        let text = said.is(400).body["non_field_errors"][0].as_str().unwrap().to_owned();
        assert!(text.contains("The template Broken failed") && text.contains("nosuch"), "{text}");
        w.by(&w.reader, &path, json!({"email": email})).await.is(403);
        w.send(&path, &[], "").await.is(403);
    }
}

#[tokio::test]
async fn a_mail_about_a_network_of_the_public_database_sees_the_network() {
    let w = world::one().await;
    let register = Register::of(Size::of(60));
    crate::peeringdb::fill(&w.app, &register).await;
    let peer = w.autonomous_system(64500).await;
    let networks = w.ask("GET /api/peeringdb/networks/?limit=1").await;
    let network = networks.is(200).body["results"][0].clone();
    let email = json!({
        "name": "Hello", "subject": "{{ network.name }}", "template": "{{ network.asn }} {{ autonomous_system.asn }}",
    });
    let email = w.make("messaging/emails", email).await;
    let path = "POST /api/peeringdb/networks/render-email/";
    let body = json!({"email": email, "autonomous_system": peer, "network": network["id"]});
    let said = w.tell(path, body.clone()).await;
    proven("peeringdb_networks_render_email", &said, 200);
    said.says(json!({"subject": network["name"], "body": format!("{} 64500", network["asn"])}));
    let required = ["This field is required."];
    let said = w.tell(path, json!({"email": email})).await;
    said.is(400).says(json!({"autonomous_system": required, "network": required}));
    for (name, status) in [("email", 404), ("autonomous_system", 400), ("network", 400)] {
        let mut other = body.clone();
        other[name] = json!(99_999_999);
        w.tell(path, other).await.is(status);
    }
    w.by(&w.reader, path, body).await.is(403);
}
