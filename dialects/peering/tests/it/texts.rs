//! Data sources, and templates that follow their files.

use serde_json::{Value, json};

use crate::world::{self, World};

const SOURCES: &str = "/api/core/data-sources/";
const TEMPLATES: &str = "/api/devices/configurations/";

async fn template(w: &World, id: i64, fields: &str) -> Value {
    w.ask(&format!("GET {TEMPLATES}{id}/?fields={fields}")).await.is(200).body.clone()
}

#[tokio::test]
async fn a_template_takes_its_text_from_a_file_and_follows_it() {
    for w in world::both().await {
        let (source, _) = w.source(&[("base.j2", "one"), ("other.j2", "other")]).await;
        let follows = json!({
            "name": "Base", "template": "x", "data_source": source, "data_path": "base.j2",
            "auto_synchronisation_enabled": true,
        });
        let id = w.make("devices/configurations", follows).await;
        assert_eq!(template(&w, id, "template,data_path").await, json!({"template": "one", "data_path": "base.j2"}));
        w.sync(source, &[("base.j2", "two"), ("other.j2", "other")]).await;
        let now = template(&w, id, "template,data_source,data_synchronised").await;
        assert_eq!((&now["template"], &now["data_source"]["id"]), (&json!("two"), &json!(source)));
        assert!(now["data_synchronised"].is_string());
        // Its text is the file's; everything else is its own.
        let said = w.tell(&format!("PATCH {TEMPLATES}{id}/"), json!({"template": "mine"})).await;
        let text = "It is taken from the file base.j2. Change the file, or follow it no longer.";
        said.is(400).says(json!({"template": [text]}));
        w.tell(&format!("PATCH {TEMPLATES}{id}/"), json!({"description": "d", "template": "two"})).await.is(200);
        // A file that is gone leaves the text as it was.
        w.sync(source, &[]).await;
        assert_eq!(template(&w, id, "template").await, json!({"template": "two"}));
        w.sync(source, &[("base.j2", "three")]).await;
        assert_eq!(template(&w, id, "template").await, json!({"template": "three"}));
        w.tell(&format!("PATCH {TEMPLATES}{id}/"), json!({"data_source": null, "template": "mine"})).await.is(200);
        w.sync(source, &[("base.j2", "four")]).await;
        assert_eq!(template(&w, id, "template,data_source").await, json!({"template": "mine", "data_source": null}));
        // What the contract does not have is shown to nobody who does not ask.
        assert_eq!(w.ask(&format!("GET {TEMPLATES}{id}/")).await.body.get("data_source"), None);
    }
}

#[tokio::test]
async fn what_follows_only_on_demand_keeps_its_text() {
    let w = world::one().await;
    let (source, _) = w.source(&[("base.j2", "one")]).await;
    let follows = json!({"name": "Base", "template": "x", "data_source": source, "data_path": "base.j2"});
    let id = w.make("devices/configurations", follows).await;
    w.sync(source, &[("base.j2", "two")]).await;
    assert_eq!(template(&w, id, "template").await, json!({"template": "one"}));
    w.tell(&format!("PATCH {TEMPLATES}{id}/"), json!({"template": "mine"})).await.is(200);
    // A source that goes leaves what followed it.
    w.ask(&format!("DELETE {SOURCES}{source}/")).await.is(204);
    assert_eq!(template(&w, id, "template,data_path").await, json!({"template": "mine", "data_path": ""}));
    assert_eq!(w.ask("GET /api/core/data-files/").await.body["count"], 0);
}

#[tokio::test]
async fn mails_exports_and_shared_data_follow_files_too() {
    let w = world::one().await;
    let (source, _) = w.source(&[("mail.j2", "Hello"), ("data.json", r#"{"mtu": 9000}"#), ("bad.json", "[]")]).await;
    let with = |mut body: Value, path: &str| {
        body["data_source"] = json!(source);
        body["data_path"] = json!(path);
        body["auto_synchronisation_enabled"] = json!(true);
        body
    };
    let mail = json!({"name": "M", "subject": "S", "template": "x"});
    let mail = w.make("messaging/emails", with(mail, "mail.j2")).await;
    let export = json!({"name": "E", "content_type": "devices.router", "template": "x"});
    let export = w.make("extras/export-templates", with(export, "mail.j2")).await;
    let context = json!({"name": "C", "data": {}});
    let made = w.make("extras/config-contexts", with(context.clone(), "data.json")).await;
    let said = w.tell("POST /api/extras/config-contexts/", with(json!({"name": "D", "data": {}}), "bad.json")).await;
    said.is(400).says(json!({"data": ["The file is no JSON object."]}));
    w.sync(source, &[("mail.j2", "Dear all"), ("data.json", r#"{"mtu": 1500}"#)]).await;
    for (path, id) in [("messaging/emails", mail), ("extras/export-templates", export)] {
        assert_eq!(w.ask(&format!("GET /api/{path}/{id}/")).await.is(200).body["template"], "Dear all", "{path}");
    }
    assert_eq!(w.ask(&format!("GET /api/extras/config-contexts/{made}/")).await.body["data"], json!({"mtu": 1500}));
    // What is no JSON any more leaves the data as it was.
    w.sync(source, &[("mail.j2", "Dear all"), ("data.json", "{")]).await;
    assert_eq!(w.ask(&format!("GET /api/extras/config-contexts/{made}/")).await.body["data"], json!({"mtu": 1500}));
}

#[tokio::test]
async fn only_a_file_that_is_there_can_be_followed() {
    let w = world::one().await;
    let (source, _) = w.source(&[("base.j2", "one")]).await;
    let with = |more: Value| {
        let mut body = json!({"name": "Base", "template": "x"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (more, field) in [
        (json!({"data_source": source, "data_path": "none.j2"}), "data_path"),
        (json!({"data_source": source}), "data_path"),
        (json!({"data_path": "base.j2"}), "data_source"),
        (json!({"data_source": 999_999, "data_path": "base.j2"}), "data_source"),
    ] {
        let said = w.tell(&format!("POST {TEMPLATES}"), with(more.clone())).await;
        assert!(said.is(400).body[field].is_array(), "{more}: {}", said.body);
    }
    // A stranger's template cannot read the file either.
    let stranger = w.stranger().await;
    let body = with(json!({"data_source": source, "data_path": "base.j2"}));
    let said = w.by(&stranger, &format!("POST {TEMPLATES}"), body).await;
    assert!(said.is(400).body["data_source"].is_array(), "{}", said.body);
}

#[tokio::test]
async fn a_password_is_shown_to_those_who_may_see_it() {
    let w = world::one().await;
    let body = json!({
        "name": "Git", "type": "git", "source_url": "https://git.example.net/x",
        "parameters": {"username": "noc", "password": "hunter2", "branch": "main"},
    });
    let id = w.make("core/data-sources", body.clone()).await;
    let path = format!("{SOURCES}{id}/");
    assert_eq!(w.ask(&format!("GET {path}")).await.body["parameters"]["password"], "hunter2");
    let seen = w.by(&w.reader, &format!("GET {path}"), Value::Null).await;
    assert_eq!(seen.is(200).body["parameters"], json!({"username": "noc", "branch": "main", "password": null}));
    // What was not shown and comes back is left as it was.
    let change = json!({"parameters": {"username": "ops", "password": null}});
    w.tell(&format!("PATCH {path}"), change).await.is(200);
    assert_eq!(
        w.ask(&format!("GET {path}")).await.body["parameters"],
        json!({"username": "ops", "password": "hunter2"})
    );
    let log = w.ask(&format!("GET /api/core/object-changes/?changed_object_id={id}")).await;
    assert_eq!(log.is(200).body["count"], 2);
    assert!(!log.body.to_string().contains("hunter2"), "{}", log.body);
    w.tell(&format!("PATCH {path}"), json!({"parameters": null})).await.is(200);
    assert_eq!(w.ask(&format!("GET {path}")).await.body["parameters"], Value::Null);
}

#[tokio::test]
async fn an_address_that_leads_astray_is_refused() {
    let w = world::one().await;
    for (form, url) in [
        ("local", "../etc"),
        ("git", "http://git.example.net/x"),
        ("git", "ext::sh -c id"),
        ("git", "https://u:p@git.example.net/x"),
    ] {
        let body = json!({"name": "S", "type": form, "source_url": url});
        let said = w.tell(&format!("POST {SOURCES}"), body).await;
        assert!(said.is(400).body["source_url"].is_array(), "{url}: {}", said.body);
    }
}

#[tokio::test]
async fn synchronising_needs_a_right_of_its_own() {
    let w = world::one().await;
    let (id, _) = w.source(&[]).await;
    let line = format!("POST {SOURCES}{id}/synchronise/");
    let stranger = w.stranger().await;
    w.by(&stranger, &line, Value::Null).await.is(404);
    assert!(w.by(&w.reader, &line, Value::Null).await.is(403).bytes.is_empty());
    w.send(&line, &[], "").await.is(403);
    w.tell(&format!("PATCH {SOURCES}{id}/"), json!({"enabled": false})).await.is(200);
    w.ask(&line).await.is(409);
    for path in [format!("GET {SOURCES}{id}/"), format!("DELETE {SOURCES}{id}/")] {
        w.by(&stranger, &path, Value::Null).await.is(404);
    }
}

#[tokio::test]
async fn jobs_are_found_by_what_they_are_about_and_when() {
    for w in world::both().await {
        let (id, _) = w.source(&[]).await;
        w.ask(&format!("POST {SOURCES}{id}/synchronise/")).await.is(202);
        for (query, want) in [
            ("object_type=core.datasource", 1),
            ("object_type=140", 1),
            ("object_type__n=core.datasource", 0),
            ("object_type=devices.router", 0),
            (&format!("object_id={id}"), 1),
            (&format!("object_id__gt={id}"), 0),
            ("status=pending", 1),
            ("status__n=pending", 0),
            ("user=ada", 1),
            ("user__n=ada", 0),
            ("name=data_source.synchronise", 1),
            ("name__ic=SYNC", 1),
            ("created__before=2020-01-01", 0),
            ("created__after=2020-01-01", 1),
            ("started__before=2040-01-01", 0),
            ("completed__after=2020-01-01", 0),
            ("q=synchronise", 1),
        ] {
            for path in ["core/jobs", "extras/job-results"] {
                let said = w.ask(&format!("GET /api/{path}/?{query}")).await;
                assert_eq!(said.is(200).body["count"], want, "{}: {query}", w.make);
            }
        }
        w.ask("GET /api/core/jobs/?object_type=no.such").await.is(400);
        w.ask("GET /api/core/jobs/?status=no").await.is(400);
        let stranger = w.stranger().await;
        assert_eq!(w.by(&stranger, "GET /api/core/jobs/", Value::Null).await.body["count"], 0);
    }
}
