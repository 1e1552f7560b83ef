//! Reading without a token, where the operator lets anybody.

use meetme_app::{Error, identity};
use meetme_base::Id;
use meetme_model::{
    access::{Form, Organization, User},
    routing::AutonomousSystem,
};
use meetme_store::{Context, Filter};
use serde_json::{Value, json};

use crate::world::{self, World};

const AS: &str = "/api/peering/autonomous-systems/";
const ROUTERS: &str = "/api/devices/routers/";
const SESSIONS: &str = "/api/peering/internet-exchange-peering-sessions/";

/// A request without a credential.
async fn nobody(w: &World, line: &str) -> world::Said {
    w.send(line, &[("content-type", "application/json")], "").await
}

async fn open(w: &World, name: &str) -> Result<(), Error> {
    identity::open_book(&w.app, name).await
}

/// An AS in the book of another organization: the operator's, or of one below the customer.
async fn elsewhere(w: &World, below: bool) -> i64 {
    let owner: Id<User> = w.owner;
    let made = w.app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let customer = tx.get(owner)?.spec.home;
        let node = if below {
            let child = Organization { name: "Child".into(), parent: Some(customer), ..Organization::default() };
            tx.create(customer.any(), child)?.id
        } else {
            tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?.unwrap().id
        };
        let asn = if below { 65_001 } else { 65_002 };
        Ok(tx.create(node.any(), AutonomousSystem::new(asn.try_into()?, "Other"))?.id.get())
    });
    made.await.unwrap()
}

#[tokio::test]
async fn an_open_book_is_read_and_not_written() {
    for w in world::both().await {
        let (at, below, above) = (w.exchange().await, elsewhere(&w, true).await, elsewhere(&w, false).await);
        nobody(&w, &format!("GET {AS}")).await.is(403);
        open(&w, "Customer").await.unwrap();
        let one = format!("{AS}{}/", at.at.local);
        assert_eq!(nobody(&w, &format!("GET {AS}")).await.ids(), [at.at.local]);
        for (line, status) in [(format!("GET {one}"), 200), (format!("HEAD {AS}"), 200), ("GET /api/".to_owned(), 200)]
        {
            nobody(&w, &line).await.is(status);
        }
        for id in [below, above] {
            nobody(&w, &format!("GET {AS}{id}/")).await.is(404);
        }
        assert_eq!(nobody(&w, &format!("OPTIONS {AS}")).await.is(200).body["actions"], json!({}));
        let absent = json!({"detail": "Authentication credentials were not provided."});
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            for path in [AS, &one] {
                // There is no POST to a row.
                if (method, path) != ("POST", one.as_str()) {
                    nobody(&w, &format!("{method} {path}")).await.is(403).says(absent.clone());
                }
            }
        }
        for line in ["GET /api/users/userpref/", "PATCH /api/users/userpref/"] {
            nobody(&w, line).await.is(403).says(absent.clone());
        }
        // What is sent must be good, even where nothing need be sent.
        let bad = w.send(&format!("GET {AS}"), &[("authorization", &format!("Token {}", "0".repeat(40)))], "").await;
        bad.is(403).says(json!({"detail": "Invalid token"}));
        w.ask(&format!("GET {AS}")).await.is(200);
    }
}

#[tokio::test]
async fn an_open_book_tells_no_secrets_and_nothing_of_people() {
    let w = world::one().await;
    let at = w.exchange().await;
    let session = w.session(&at, 64_500, "192.0.2.1").await;
    w.tell(&format!("PATCH {SESSIONS}{session}/"), json!({"password": "swordfish"})).await.is(200);
    let napalm =
        json!({"napalm_username": "netops", "napalm_password": "hunter2", "napalm_args": {"secret": "enable"}});
    w.tell(&format!("PATCH {ROUTERS}{}/", at.at.router), napalm.clone()).await.is(200);
    let platform = format!("/api/devices/platforms/{}/", at.at.platform);
    w.tell(&format!("PATCH {platform}"), json!({"napalm_args": {"secret": "enable"}})).await.is(200);
    w.make("devices/configurations", json!({"name": "c", "template": "community enable"})).await;
    open(&w, "Customer").await.unwrap();

    let read = async |path: &str| nobody(&w, &format!("GET {path}")).await.is(200).body.clone();
    assert_eq!(read(&format!("{SESSIONS}{session}/")).await["password"], Value::Null);
    let router = read(&format!("{ROUTERS}{}/", at.at.router)).await;
    assert!(napalm.as_object().unwrap().keys().all(|name| router[name].is_null()), "{router}");
    assert_eq!((&read(&platform).await["napalm_args"], &router["name"]), (&Value::Null, &json!("edge1")));
    for path in ["/api/users/users/", "/api/core/object-changes/", "/api/devices/configurations/"] {
        assert_eq!(read(path).await["count"], 0, "{path}");
        assert_ne!(w.ask(&format!("GET {path}")).await.body["count"], 0, "{path}");
    }
    let owner = w.ask(&format!("GET {ROUTERS}{}/", at.at.router)).await;
    assert_eq!(owner.body["napalm_args"], napalm["napalm_args"]);
}

#[tokio::test]
async fn a_book_is_opened_once_and_by_a_name_that_means_one() {
    let w = world::one().await;
    let said = open(&w, "Customers").await.unwrap_err();
    assert_eq!(said.to_string(), "No organization Customers was found.");
    let twins = w.app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let top = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?.unwrap().id;
        let twin = || Organization { name: "Twin".into(), parent: Some(top), ..Organization::default() };
        Ok((tx.create(top.any(), twin())?, tx.create(top.any(), twin())?.uid))
    });
    let (_, second) = twins.await.unwrap();
    let said = open(&w, "Twin").await.unwrap_err();
    assert_eq!(said.to_string(), "2 organizations are called Twin; name one by its UUID.");
    open(&w, &second.to_string()).await.unwrap();
    assert!(matches!(open(&w, "Customer").await, Err(Error::Conflict { code: "book_open", .. })));
}
