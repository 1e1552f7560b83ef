//! Notifications, payment methods, licences, questions, and a look at user data.

use http::Method;
use meetme_app::resources::{self, By};
use meetme_base::{Time, Uid};
use meetme_model::{
    access::{Form, Organization, Project},
    metal::License,
    ops::{Contact, ContactAssignment, Job, Journal, Notification},
    place::{Billing, Image},
};
use meetme_store::{AnyObject, Error, Filter, Resource as _, Tx};
use serde_json::{Value, json};

use crate::world::{World, everywhere};

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// Makes a row of a kind as the native API does it.
async fn make(world: &World, token: &str, kind: &'static str, spec: Value) -> Result<AnyObject, meetme_app::Error> {
    let (caller, app) = (world.caller(token).await, world.app.clone());
    let by = caller.clone();
    world
        .app
        .write(&caller, move |tx| {
            let kind = tx.registry().kind(kind).unwrap();
            Ok(resources::create(By { app: &app, caller: &by }, tx, kind, None, spec.clone())?.object)
        })
        .await
}

/// Gives a row another spec as the native API does it.
async fn patch(
    world: &World,
    token: &str,
    kind: &'static str,
    uid: Uid,
    spec: Value,
) -> Result<AnyObject, meetme_app::Error> {
    let (caller, app) = (world.caller(token).await, world.app.clone());
    let by = caller.clone();
    world
        .app
        .write(&caller, move |tx| {
            let kind = tx.registry().kind(kind).unwrap();
            let id = resources::resolve(tx, kind, &uid.to_string())?;
            resources::patch(By { app: &app, caller: &by }, tx, kind, id, None, &spec)
        })
        .await
}

fn project(tx: &mut Tx<'_>, uid: &str) -> Result<meetme_store::Object<Project>, Error> {
    tx.by_uid(uid.parse().unwrap())
}

#[tokio::test]
async fn people_are_told_what_concerns_them_once_it_is_published() {
    everywhere(async |world: World| {
        let root = world.operator.clone();
        let all = json!({"form": "message", "state": "published", "text": "Hello.", "severity": "warning"});
        let told = make(&world, &root, "notification", all).await.unwrap();
        let draft = json!({"form": "outage", "text": "Not yet."});
        let draft = make(&world, &root, "notification", draft).await.unwrap();
        let uid = world.project.clone();
        let touched = world.system(move |tx| Ok(project(tx, &uid)?.id.any())).await;
        let ours = json!({
            "form": "outage", "state": "published", "text": "Rack R1 is dark.", "touches": [touched], "everybody": true,
            "services": ["metal"], "from": Time(1_780_000_000_000),
        });
        let ours = make(&world, &root, "notification", ours).await.unwrap();
        assert_eq!(ours.spec["everybody"], false, "whom it concerns is the core's to say");

        let list = world.prove("list_notifications", "/notifications", None).await;
        assert_eq!(list["meta"]["total"], 2);
        assert_eq!(
            (&list["notifications"][0]["type"], &list["notifications"][0]["read"]),
            (&json!("outage"), &json!(false))
        );
        let theirs = world.send(&world.stranger, Method::GET, "/notifications", None).await.is(200).body;
        assert_eq!((&theirs["meta"]["total"], &theirs["notifications"][0]["body"]), (&json!(1), &json!("Hello.")));
        let path = format!("/notifications/{}", ours.uid);
        world.send(&world.stranger, Method::GET, &path, None).await.is(404);
        world.send(&world.stranger, Method::PUT, &path, None).await.is(404);
        world.get(&format!("/notifications/{}", draft.uid)).await.is(404);
        world.prove("get_notification", &path, None).await;
        let read = world.prove("update_notification", &path, None).await;
        assert_eq!(read["read"], true);
        world.put(&path, json!({})).await.is(200);
        // One person's reading is not another one's.
        let other = world.send(&world.operator, Method::GET, &format!("/notifications/{}", told.uid), None).await;
        assert_eq!(other.is(200).body["read"], false);

        let incidents = world.prove("list_incidents", "/incidents", None).await;
        assert_eq!(incidents["incidents"].as_array().unwrap().len(), 1);
        let over = json!({"until": Time(1_780_000_000_000)});
        patch(&world, &root, Notification::KIND.name(), ours.uid, over).await.unwrap();
        let incidents = world.get("/incidents").await.is(200).body;
        assert_eq!(incidents["incidents"], json!([]));
        let cancelled = json!({"state": "cancelled"});
        patch(&world, &root, Notification::KIND.name(), ours.uid, cancelled).await.unwrap();
        world.get(&path).await.is(404);
        let key = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let path = format!("/notifications/{}", told.uid);
        world.send(key["token"].as_str().unwrap(), Method::PUT, &path, None).await.is(403);
    })
    .await;
}

#[tokio::test]
async fn ways_to_pay_are_references_and_one_is_the_usual_one() {
    everywhere(async |world: World| {
        let path = format!("/organizations/{}/payment-methods", world.organization);
        let singular = format!("/organization/{}/payment-methods", world.organization);
        let new = |name: &str| Some(json!({"name": name, "nonce": "fake-valid-nonce-4711"}));
        let first = world.prove("create_payment_method_organization", &path, new("First")).await;
        assert_eq!(first["default"], true, "the first one is the usual one");
        let second = world.prove("create_payment_method_singular", &singular, new("Second")).await;
        assert_eq!(second["default"], false);
        for (op, path) in [("list_payment_methods_organization", &path), ("list_payment_methods_singular", &singular)] {
            let list = world.prove(op, path, None).await;
            assert_eq!(list["payment_methods"].as_array().unwrap().len(), 2);
            assert!(!list.to_string().contains("4711"), "what the provider calls it is nobody else's business");
        }
        let one = format!("/payment-methods/{}", id(&second));
        world.prove("get_payment_method", &one, None).await;
        let changes = json!({
            "default": true, "cardholder_name": "Alice Example", "expiration_month": "07", "expiration_year": 2030,
            "billing_address": {"street_address": "Street 1", "postal_code": "10115", "country_code_alpha2": "DE"},
        });
        let changed = world.prove("update_payment_method", &one, Some(changes)).await;
        assert_eq!((&changed["expiration_month"], &changed["expiration_year"]), (&json!("07"), &json!("2030")));
        assert_eq!(world.get(&format!("/payment-methods/{}", id(&first))).await.body["default"], false);
        world.put(&one, json!({"default": false})).await.is(422).says("default");
        world.put(&one, json!({"expiration_month": 13})).await.is(422).says("expiration_month");
        world.put(&one, json!({"billing_address": {"country_code_alpha2": "Germany"}})).await.is(422).says("country");
        world.delete(&one).await.is(422).says("default");

        let mine = format!("/projects/{}", world.project);
        let paid = world.put(&mine, json!({"payment_method_id": id(&second)})).await.is(200).body;
        assert_eq!(paid["payment_method"]["href"], one);
        let seen = world.get(&one).await.body;
        assert_eq!(seen["projects"][0]["href"], mine);
        world.put(&mine, json!({"payment_method_id": "nonsense"})).await.is(422).says("payment_method_id");
        world.put(&format!("/payment-methods/{}", id(&first)), json!({"default": true})).await.is(200);
        world.prove("delete_payment_method", &one, None).await;
        assert_eq!(world.get(&mine).await.body["payment_method"], Value::Null);

        world.send(&world.stranger, Method::GET, &path, None).await.is(404);
        let body = json!({"name": "x", "nonce": "y"});
        world.send(&world.stranger, Method::POST, &path, Some(&body)).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn data_of_a_card_is_refused_and_nowhere_kept() {
    everywhere(async |world: World| {
        let path = format!("/organizations/{}/payment-methods", world.organization);
        let number = "4111 1111 1111 1111";
        for body in [
            json!({"name": "Card", "nonce": "n", "number": number}),
            json!({"name": "Card", "nonce": "n", "cvv": "123"}),
            json!({"name": "Card", "nonce": number}),
            json!({"name": number, "nonce": "n"}),
            json!({"name": "Card", "nonce": "n", "card": {"security_code": "123"}}),
        ] {
            let answer = world.post(&path, body).await.is(422);
            assert!(!answer.body.to_string().contains("1111"), "{}", answer.body);
        }
        let made = world.post(&path, json!({"name": "Card", "nonce": "n"})).await.is(201).body;
        let one = format!("/payment-methods/{}", id(&made));
        world.put(&one, json!({"cardholder_name": number})).await.is(422);
        world.put(&one, json!({"billing_address": {"street_address": number}})).await.is(422);
        // At the door that speaks of kinds neither.
        let organization = world.organization.parse().unwrap();
        let node = world.system(move |tx| Ok(tx.by_uid::<Organization>(organization)?.id)).await;
        let spec = json!({"name": "Card", "organization": node, "holder": number});
        assert!(make(&world, &world.token, Billing::KIND.name(), spec).await.is_err());
        let kept = world.system(|tx| {
            let rows = tx.all::<Billing>(Filter::All)?;
            let lines = tx.changes(&meetme_store::ChangeQuery { limit: 1000, ..Default::default() })?;
            Ok((rows.len(), format!("{:?} {lines:?}", rows.iter().map(|row| &row.spec).collect::<Vec<_>>())))
        });
        let (count, text) = kept.await;
        assert!(count == 1 && !text.contains("1111 1111") && !text.contains("41111111"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn licences_are_asked_for_and_their_keys_are_the_operators_to_enter() {
    everywhere(async |world: World| {
        world
            .system(|tx| {
                let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?.unwrap().id;
                let image = Image { slug: "vms".into(), name: "VMS".into(), licensed: true, ..Image::default() };
                Ok(tx.create(operator.any(), image).map(drop)?)
            })
            .await;
        let path = format!("/projects/{}/licenses", world.project);
        let wish = json!({"description": "For the cluster", "size": 2.5, "licensee_product_id": "vms"});
        let made = world.prove("create_license", &path, Some(wish)).await;
        assert_eq!((&made["license_key"], &made["size"]), (&json!(""), &json!(2.5)));
        let one = format!("/licenses/{}", id(&made));
        world.prove("list_project_licenses", &path, None).await;
        world.prove("get_license", &one, None).await;
        let changed = world.prove("update_license", &one, Some(json!({"description": "Ours"}))).await;
        assert_eq!((&changed["description"], &changed["size"]), (&json!("Ours"), &json!(2.5)));
        world.post(&path, json!({"licensee_product_id": "ubuntu_16_04"})).await.is(422).says("licensee_product_id");
        world.post(&path, json!({"licensee_product_id": "nothing"})).await.is(422).says("licensee_product_id");
        world.put(&one, json!({"size": -1})).await.is(422).says("size");

        let uid: Uid = id(&made).parse().unwrap();
        let key = |app: &meetme_app::App| {
            let sealed = app.sealer().seal("AAAA-BBBB").unwrap();
            json!({ "key": serde_json::to_value(sealed).unwrap() })
        };
        let refused = patch(&world, &world.token, License::KIND.name(), uid, key(&world.app)).await;
        assert!(matches!(refused, Err(meetme_app::Error::Denied(_))), "a customer enters no key");
        patch(&world, &world.operator, License::KIND.name(), uid, key(&world.app)).await.unwrap();
        assert_eq!(world.get(&one).await.body["license_key"], "AAAA-BBBB");
        let reader = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let seen = world.send(reader["token"].as_str().unwrap(), Method::GET, &one, None).await.is(200).body;
        assert_eq!(seen["license_key"], "", "who only reads has nothing revealed");
        world.send(&world.stranger, Method::GET, &one, None).await.is(404);
        world.prove("delete_license", &one, None).await;
    })
    .await;
}

#[tokio::test]
async fn a_question_is_noted_and_written_to_the_operators_contacts() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let ask = json!({
            "subject": "The disk is slow", "message": "Please look.", "priority": "urgent", "device_id": device["id"],
        });
        let answer = world.post("/support-requests", ask.clone()).await.is(503);
        answer.says("no contact");
        world
            .system(|tx| {
                let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?.unwrap().id;
                let contact = Contact { name: "Desk".into(), email: "desk@example.net".into(), ..Contact::default() };
                let contact = tx.create(operator.any(), contact)?.id;
                let sort = Organization::KIND.name().to_owned();
                let row = ContactAssignment { object: operator.any(), sort, contact, role: None };
                Ok(tx.create(operator.any(), row).map(drop)?)
            })
            .await;
        world.prove("create_support_request", "/support-requests", Some(ask)).await;
        let (to, text) = world.letters().await.swap_remove(0);
        assert_eq!(to, "desk@example.net");
        assert!(text.contains("Please look.") && text.contains(&id(&device)), "{text}");
        let uid = id(&device).parse().unwrap();
        let (noted, reply_to) = world
            .system(move |tx| {
                let device = tx.by_uid::<meetme_model::metal::Device>(uid)?.id;
                let note = tx.one::<Journal>(&Filter::eq("on", device))?.unwrap();
                let job = tx.one::<Job>(&Filter::eq("what", meetme_app::mails::SEND))?.unwrap();
                Ok((note.spec.text, job.spec.inputs["reply_to"]["address"].clone()))
            })
            .await;
        assert!(noted.starts_with("Support request (urgent): The disk is slow"), "{noted}");
        assert_eq!(reply_to, "alice@example.net");
        let wrong = async |body: Value| world.post("/support-requests", body).await.is(422);
        wrong(json!({"message": "x"})).await.says("subject");
        wrong(json!({"subject": "x", "message": "x", "priority": "now"})).await.says("priority");
        let stranger = json!({"subject": "x", "message": "x", "device_id": device["id"]});
        world.send(&world.stranger, Method::POST, "/support-requests", Some(&stranger)).await.is(422).says("device_id");
    })
    .await;
}

#[tokio::test]
async fn user_data_is_looked_at_before_a_machine_reads_it() {
    everywhere(async |world: World| {
        let path = "/userdata/validate";
        let good = json!({"userdata": "#cloud-config\nhostname: web1\n"});
        world.prove("validate_userdata", path, Some(good)).await;
        world.post("/userdata/validate?userdata=%23%21%2Fbin%2Fsh%0Als%0A", json!({})).await.is(204);
        world
            .post(path, json!({"userdata": "#cloud-config\nruncmd: ls\n"}))
            .await
            .is(422)
            .says("runcmd must be a list");
        world.post(path, json!({"userdata": "hello"})).await.is(422).says("begins with nothing");
        world.post(path, json!({})).await.is(422).says("userdata");
    })
    .await;
}
