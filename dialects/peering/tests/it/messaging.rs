//! Whom to ask, what was noted, and what is written to whom: the models of messaging and what hangs on objects of any kind.

use meetme_model::access::Grant;
use serde_json::{Value, json};

use crate::{
    contract::{Sample, proven, sample, walk_all},
    world::{self, World},
};

const CONTACTS: &str = "/api/messaging/contacts/";
const ASSIGNMENTS: &str = "/api/messaging/contact-assignments/";
const JOURNAL: &str = "/api/extras/journal-entries/";
const IXAPI: &str = "/api/extras/ix-api/";
const LOG: &str = "/api/core/object-changes/";
const FORBIDDEN: &str = "You do not have permission to perform this action.";

fn about_an_as(id: i64, more: Value) -> Value {
    let mut body = json!({"content_type": "peering.autonomoussystem", "object_id": id});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn samples(w: &World) -> Vec<Sample> {
    let tag = w.make("extras/tags", json!({"name": "Core", "slug": "core"})).await;
    let peer = w.autonomous_system(64500).await;
    let contact = w.make("messaging/contacts", json!({"name": "NOC", "email": "noc@example.net"})).await;
    let role = w.make("messaging/contact-roles", json!({"name": "Technical", "slug": "technical"})).await;
    let mut contexts = Vec::new();
    for n in 0..8 {
        let body = json!({"name": format!("Shared {n}"), "data": {"n": n}});
        contexts.push(w.make("extras/config-contexts", body).await);
    }
    let tagged = move |mut body: Value| {
        body["tags"] = json!([tag, {"slug": "core"}]);
        body
    };
    vec![
        sample(
            "messaging_contacts",
            &[("messaging_contacts", "messaging/contacts")],
            json!({"phone": "+1 555 0100"}),
            move |n| tagged(json!({"name": format!("C{n}"), "email": format!("c{n}@example.net"), "title": "NOC"})),
        ),
        sample(
            "messaging_contact_roles",
            &[("messaging_contact_roles", "messaging/contact-roles")],
            json!({"description": "whoever is awake"}),
            move |n| tagged(json!({"name": format!("R{n}"), "slug": format!("r{n}")})),
        ),
        sample(
            "messaging_contact_assignments",
            &[("messaging_contact_assignments", "messaging/contact-assignments")],
            json!({"role": null}),
            move |n| {
                let role = if n == 21 { json!(role) } else { Value::Null };
                about_an_as(peer, json!({"contact": contact, "role": role}))
            },
        ),
        sample(
            "messaging_emails",
            &[("messaging_emails", "messaging/emails")],
            json!({"subject": "Peering with {{ autonomous_system.name }}", "jinja2_trim": true}),
            move |n| tagged(json!({"name": format!("E{n}"), "subject": "Hello", "template": " Dear {{ x }}\n"})),
        ),
        sample(
            "extras_config_contexts",
            &[("extras_config_contexts", "extras/config-contexts")],
            json!({"is_active": false}),
            |n| json!({"name": format!("X{n}"), "data": {"ntp": ["192.0.2.1"], "n": n}}),
        ),
        sample(
            "extras_config_context_assignments",
            &[("extras_config_context_assignments", "extras/config-context-assignments")],
            json!({"weight": 7}),
            move |n| about_an_as(peer, json!({"config_context": contexts[n as usize - 21]})),
        ),
        sample(
            "extras_export_templates",
            &[("extras_export_templates", "extras/export-templates")],
            json!({"content_type": "messaging.email"}),
            |n| {
                let (name, content_type) = (format!("T{n}"), "peering.autonomoussystem");
                json!({"name": name, "content_type": content_type, "template": "{{ dataset | length }}"})
            },
        ),
        sample("extras_ix_api", &[("extras_ix_api", "extras/ix-api")], json!({"api_secret": "other"}), |n| {
            json!({
                "name": format!("IX{n}"), "api_url": "https://ixapi.example.net/v2/", "api_key": format!("key{n}"),
                "api_secret": "hunter2", "identity": "1234",
            })
        }),
        sample(
            "extras_journal_entries",
            &[("extras_journal_entries", "extras/journal-entries")],
            json!({"kind": "warning"}),
            move |n| {
                let comments = format!("entry {n}");
                tagged(json!({
                    "assigned_object_type": "peering.autonomoussystem", "assigned_object_id": peer, "comments": comments,
                }))
            },
        ),
    ]
}

#[tokio::test]
async fn every_operation_of_these_models_keeps_the_contract() {
    for w in world::both().await {
        let samples = samples(&w).await;
        walk_all(&w, &samples).await;
    }
}

#[tokio::test]
async fn an_assignment_shows_the_object_itself() {
    for w in world::both().await {
        let at = w.exchange().await;
        let contact = w.make("messaging/contacts", json!({"name": "NOC"})).await;
        let role = w.make("messaging/contact-roles", json!({"name": "Technical", "slug": "technical"})).await;
        let body = json!({
            "content_type": "net.connection", "object_id": at.connection, "contact": {"name": "NOC"},
            "role": {"slug": "technical"},
        });
        let said = w.tell(&format!("POST {ASSIGNMENTS}"), body.clone()).await;
        let row = said.is(201).body.clone();
        assert_eq!(row["object"]["display"], "Some IX on edge1 ae4", "{}", w.make);
        assert_eq!((&row["object"]["id"], &row["display"]), (&json!(at.connection), &json!("NOC (Technical)")));
        let said = w.tell(&format!("POST {ASSIGNMENTS}"), body).await;
        let unique = "The fields object_id, contact, role must make a unique set.";
        said.is(400).says(json!({"non_field_errors": [unique]}));
        // A contact goes with its assignments, a role in use stays, an object takes them along.
        w.ask(&format!("DELETE /api/messaging/contact-roles/{role}/")).await.is(409);
        w.ask(&format!("DELETE /api/net/connections/{}/", at.connection)).await.is(204);
        assert_eq!(w.ask(&format!("GET {ASSIGNMENTS}")).await.ids(), [0; 0]);
        w.ask(&format!("GET {CONTACTS}{contact}/")).await.is(200);
    }
}

#[tokio::test]
async fn assignments_are_found_by_what_and_whom_they_are_about() {
    for w in world::both().await {
        let at = w.exchange().await;
        let role = w.make("messaging/contact-roles", json!({"name": "Sales Desk", "slug": "sales"})).await;
        let mut ids = Vec::new();
        for (n, (kind, object)) in [
            ("peering.autonomoussystem", at.at.local),
            ("devices.router", at.at.router),
            ("peering.internetexchange", at.exchange),
        ]
        .into_iter()
        .enumerate()
        {
            let contact = w.make("messaging/contacts", json!({"name": format!("C{n}")})).await;
            let role = if n == 2 { json!(role) } else { Value::Null };
            let body = json!({"content_type": kind, "object_id": object, "contact": contact, "role": role});
            ids.push(w.make("messaging/contact-assignments", body).await);
        }
        for (query, want) in [
            ("content_type=devices.router".to_owned(), vec![ids[1]]),
            ("content_type__n=devices.router".to_owned(), vec![ids[0], ids[2]]),
            ("content_type_id=9&content_type_id=1".to_owned(), vec![ids[0], ids[2]]),
            (format!("object_id={}", at.at.router), vec![ids[1]]),
            (format!("object_id__n={}", at.at.router), vec![ids[0], ids[2]]),
            ("role=sales".to_owned(), vec![ids[2]]),
            ("role=Sales+Desk".to_owned(), vec![ids[2]]),
            ("role__n=sales".to_owned(), vec![ids[0], ids[1]]),
            (format!("role_id={role}"), vec![ids[2]]),
        ] {
            assert_eq!(w.ask(&format!("GET {ASSIGNMENTS}?{query}")).await.ids(), want, "{} {query}", w.make);
        }
        for query in ["content_type=no.such", "content_type_id=4711", "role=nobody", "contact_id=999999", "object_id=x"]
        {
            w.ask(&format!("GET {ASSIGNMENTS}?{query}")).await.is(400);
        }
    }
}

#[tokio::test]
async fn what_an_assignment_is_about_must_be_what_it_says() {
    let w = world::one().await;
    let (peer, at) = (w.autonomous_system(64500).await, w.router().await);
    let contact = w.make("messaging/contacts", json!({"name": "NOC"})).await;
    let with = |kind: &str, id: i64| json!({"content_type": kind, "object_id": id, "contact": contact});
    let missing = |id: i64| json!({"object_id": [format!("The object {id} does not exist.")]});
    for (body, says) in [
        (with("devices.router", peer), missing(peer)),
        (with("devices.router", 99_999_999), missing(99_999_999)),
        (with("no.such", peer), json!({"content_type": ["Invalid content type: no.such"]})),
        (
            with("router", peer),
            json!({"content_type": ["Invalid value. Specify a content type as '<app_label>.<model_name>'."]}),
        ),
        (
            json!({"contact": contact}),
            json!({"content_type": ["This field is required."], "object_id": ["This field is required."]}),
        ),
    ] {
        w.tell(&format!("POST {ASSIGNMENTS}"), body).await.is(400).says(says);
    }
    let id = w.make("messaging/contact-assignments", with("devices.router", at.router)).await;
    let row = format!("PATCH {ASSIGNMENTS}{id}/");
    // Half of the pair alone would name something else.
    w.tell(&row, json!({"object_id": peer})).await.is(400).says(missing(peer));
    let both = json!({"content_type": "peering.autonomoussystem", "object_id": peer});
    let said = w.tell(&row, both).await;
    assert_eq!(said.is(200).body["object"]["asn"], 64500);
}

#[tokio::test]
async fn a_contacts_address_is_one_that_mail_can_go_to() {
    let w = world::one().await;
    for bad in ["noc", "a@b, c@d", "noc@example.net\r\nBcc: all@example.net", "NOC <noc@example.net>"] {
        let said = w.tell(&format!("POST {CONTACTS}"), json!({"name": "NOC", "email": bad})).await;
        said.is(400).says(json!({"email": ["Enter a valid email address."]}));
    }
    w.tell(&format!("POST {CONTACTS}"), json!({"name": "NOC", "email": ""})).await.is(201);
}

#[tokio::test]
async fn an_entry_is_written_by_whoever_makes_it_and_the_newest_comes_first() {
    for w in world::both().await {
        let peer = w.autonomous_system(64500).await;
        let entry = |text: &str| {
            json!({
                "assigned_object_type": "peering.autonomoussystem", "assigned_object_id": peer, "comments": text,
            })
        };
        let first = w.tell(&format!("POST {JOURNAL}"), entry("first")).await;
        assert_eq!(first.is(201).body["created_by"], w.owner.get(), "{}", w.make);
        assert_eq!(first.body["kind"], json!({"value": "info", "label": "Info"}));
        assert_eq!(first.body["display"], "2026-09-21 14:13 (Info)");
        assert_eq!(first.body["assigned_object"]["asn"], 64500);
        w.clock.step_seconds(60);
        w.make("extras/journal-entries", entry("second")).await;
        let list = w.ask(&format!("GET {JOURNAL}?assigned_object_id={peer}")).await;
        assert_eq!(list.body["results"][0]["comments"], "second");
        for (query, want) in [
            ("created_by=ada", 2),
            ("created_by__n=ada", 0),
            ("kind=danger", 0),
            ("q=FIRST", 1),
            ("assigned_object_type=peering.autonomoussystem", 2),
            ("assigned_object_type__n=peering.autonomoussystem", 0),
        ] {
            assert_eq!(w.ask(&format!("GET {JOURNAL}?{query}")).await.body["count"], want, "{} {query}", w.make);
        }
        let said = w.tell(&format!("POST {JOURNAL}"), json!({"comments": " "})).await;
        assert_eq!(said.is(400).body["comments"], Value::Null, "blank text is text until the rest is right");
    }
}

#[tokio::test]
async fn credentials_of_an_ix_api_are_for_those_who_may_reveal_them() {
    for w in world::both().await {
        let new = |name: &str, key: &str| {
            json!({
                "name": name, "api_url": "https://ixapi.example.net/v2/", "api_key": key, "api_secret": "hunter2",
                "identity": "1",
            })
        };
        let one = w.make("extras/ix-api", new("One", "Alpha-1")).await;
        let two = w.make("extras/ix-api", new("Two", "beta-2")).await;
        let row = w.ask(&format!("GET {IXAPI}{one}/")).await.body;
        assert_eq!((&row["api_key"], &row["api_secret"]), (&json!("Alpha-1"), &json!("hunter2")), "{}", w.make);
        let hidden = w.by(&w.reader, &format!("GET {IXAPI}{one}/"), Value::Null).await.body;
        assert_eq!((&hidden["api_key"], &hidden["api_secret"]), (&Value::Null, &Value::Null));
        for (query, want) in [
            ("api_key=Alpha-1", vec![one]),
            ("api_key=alpha-1", vec![]),
            ("api_key__ie=alpha-1", vec![one]),
            ("api_key__n=Alpha-1", vec![two]),
            ("api_key__isw=b&api_key__isw=a", vec![one, two]),
            ("api_key__nic=ALPHA", vec![two]),
        ] {
            let line = format!("GET {IXAPI}?{query}");
            assert_eq!(w.ask(&line).await.ids(), want, "{} {query}", w.make);
            let guessed = w.by(&w.reader, &line, Value::Null).await.ids();
            assert_eq!(guessed, [0; 0], "a key cannot be guessed letter by letter: {query}");
        }
        let said = w.tell(&format!("POST {IXAPI}"), json!({"name": "X", "api_key": "", "api_secret": null})).await;
        assert_eq!(said.is(400).body["api_key"], json!(["This field may not be blank."]));
        assert_eq!(said.body["api_secret"], json!(["This field may not be null."]));
        w.tell(&format!("PATCH {IXAPI}{one}/"), json!({"api_key": "gamma"})).await.is(200);
        let log = w.ask(&format!("GET {LOG}?changed_object_type_id=48")).await.body.to_string();
        for secret in ["Alpha-1", "gamma", "hunter2"] {
            assert!(!log.contains(secret), "{}: {secret} is in the change log", w.make);
        }
        let bad = w.tell(&format!("PATCH {IXAPI}{one}/"), json!({"api_url": "file:///etc/passwd"})).await;
        bad.is(400).says(json!({"api_url": ["Enter a valid URL."]}));
    }
}

#[tokio::test]
async fn an_exchange_names_its_ix_api() {
    let w = world::one().await;
    let at = w.exchange().await;
    let new = json!({
        "name": "One", "api_url": "https://ixapi.example.net/v2/", "api_key": "k", "api_secret": "s", "identity": "1",
    });
    let ixapi = w.make("extras/ix-api", new).await;
    let path = format!("/api/peering/internet-exchanges/{}/", at.exchange);
    let said = w.tell(&format!("PATCH {path}"), json!({"ixapi_endpoint": {"name": "One"}})).await;
    assert_eq!(said.is(200).body["ixapi_endpoint"]["name"], "One");
    w.ask(&format!("DELETE {IXAPI}{ixapi}/")).await.is(204);
    assert_eq!(w.ask(&format!("GET {path}")).await.body["ixapi_endpoint"], Value::Null);
}

#[tokio::test]
async fn templates_of_one_sort_are_not_those_of_another() {
    for w in world::both().await {
        let configuration = w.make("devices/configurations", json!({"name": "A", "template": "x"})).await;
        let email = json!({"name": "B", "subject": "s", "template": "x"});
        let email = w.make("messaging/emails", email).await;
        let export = json!({"name": "C", "content_type": "devices.configuration", "template": "x"});
        let export = w.make("extras/export-templates", export).await;
        for (path, number, own) in [
            ("devices/configurations", 5, configuration),
            ("messaging/emails", 44, email),
            ("extras/export-templates", 47, export),
        ] {
            assert_eq!(w.ask(&format!("GET /api/{path}/")).await.ids(), [own], "{}", w.make);
            let log = w.ask(&format!("GET {LOG}?changed_object_type_id={number}")).await.body;
            assert_eq!((&log["count"], &log["results"][0]["changed_object_id"]), (&json!(1), &json!(own)), "{path}");
            let kind = log["results"][0]["changed_object_type"].as_str().unwrap().to_owned();
            assert!(path.starts_with(kind.split('.').next().unwrap()), "{path} is not {kind}");
        }
        assert_eq!(
            w.ask(&format!("GET {LOG}?changed_object_type_id=5&changed_object_type_id=47")).await.body["count"],
            2
        );
        assert_eq!(w.ask("GET /api/peering/emails/").await.ids(), [email], "the former path leads to the same rows");
        w.ask(&format!("GET /api/messaging/emails/{configuration}/")).await.is(404);
        w.ask(&format!("DELETE /api/devices/configurations/{email}/")).await.is(404);
        w.tell("DELETE /api/extras/export-templates/", json!([{"id": email}])).await.is(204);
        w.ask(&format!("GET /api/messaging/emails/{email}/")).await.is(200);
    }
}

#[tokio::test]
async fn tags_are_found_by_what_they_are_on_and_counted() {
    for w in world::both().await {
        let core = w.make("extras/tags", json!({"name": "Core", "slug": "core"})).await;
        let edge = w.make("extras/tags", json!({"name": "Edge", "slug": "edge"})).await;
        let free = w.make("extras/tags", json!({"name": "Free", "slug": "free"})).await;
        for (n, tags) in [json!([core]), json!([core, edge])].into_iter().enumerate() {
            let body = json!({"asn": 64500 + n, "name": "N", "tags": tags});
            w.make("peering/autonomous-systems", body).await;
        }
        w.make("messaging/emails", json!({"name": "M", "subject": "s", "template": "x", "tags": [edge]})).await;
        for (query, want) in [
            ("content_type=peering.autonomoussystem", vec![core, edge]),
            ("content_type=messaging.email", vec![edge]),
            ("content_type=devices.configuration", vec![]),
            ("content_type_id=44&content_type_id=1", vec![core, edge]),
        ] {
            assert_eq!(w.ask(&format!("GET /api/extras/tags/?{query}")).await.ids(), want, "{} {query}", w.make);
        }
        w.ask("GET /api/extras/tags/?content_type=no.such").await.is(400);
        let list = w.ask("GET /api/extras/tags/").await.body["results"].clone();
        let counts: Vec<_> =
            list.as_array().unwrap().iter().map(|tag| (tag["id"].clone(), tag["tagged_items"].clone())).collect();
        assert_eq!(counts, [(core, 2), (edge, 2), (free, 0)].map(|(id, n)| (json!(id), json!(n))), "{}", w.make);
    }
}

#[tokio::test]
async fn the_map_of_messaging_names_its_collections() {
    let w = world::one().await;
    let said = w.ask("GET /api/messaging/").await;
    proven("messaging_root", &said, 200);
    let names: Vec<&String> = said.body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["contact-assignments", "contact-roles", "contacts", "emails"]);
}

#[tokio::test]
async fn rights_are_those_of_each_model_one_by_one_and_in_bulk() {
    for w in world::both().await {
        let peer = w.autonomous_system(64500).await;
        let contact = w.make("messaging/contacts", json!({"name": "NOC"})).await;
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let grant = |kinds, verbs| Grant { kinds: words(kinds), verbs: words(verbs), ..Grant::default() };
        let token =
            w.user("noter", vec![grant("*", "see"), grant("journal contact_role", "create change remove")]).await;
        let entry = json!({
            "assigned_object_type": "peering.autonomoussystem", "assigned_object_id": peer, "comments": "c",
        });
        let said = w.by(&token, &format!("POST {JOURNAL}"), json!([entry])).await;
        let id = said.is(201).body[0]["id"].clone();
        w.by(&token, &format!("PATCH {JOURNAL}"), json!([{"id": id, "kind": "danger"}])).await.is(200);
        for (line, body) in [
            (format!("POST {CONTACTS}"), json!({"name": "X"})),
            (format!("PATCH {CONTACTS}"), json!([{"id": contact, "name": "X"}])),
            (format!("DELETE {CONTACTS}"), json!([{"id": contact}])),
            (format!("DELETE {CONTACTS}{contact}/"), Value::Null),
            (format!("POST {ASSIGNMENTS}"), about_an_as(peer, json!({"contact": contact}))),
            (format!("POST {IXAPI}"), json!([])),
            ("PUT /api/messaging/emails/".to_owned(), json!([])),
            ("DELETE /api/extras/config-contexts/".to_owned(), json!([])),
        ] {
            let said = w.by(&token, &line, body).await;
            said.is(403).says(json!({"detail": FORBIDDEN}));
        }
        w.by(&token, &format!("DELETE {JOURNAL}"), json!([{"id": id}])).await.is(204);
    }
}
