//! Rendering and configuring routers, and lists as the text of an export.

use meetme_app::Error;
use meetme_contracts::prove;
use meetme_model::routing::{Template, TemplatePurpose};
use meetme_store::Context;
use serde_json::{Value, json};

use crate::world::{self, Said, World};

#[track_caller]
fn proven(id: &str, said: &Said, status: u16) {
    said.is(status);
    prove("peering-manager", id, said.status, &said.body);
}

#[tokio::test]
async fn rendering_and_configuring_keep_the_contract_at_both_places() {
    for w in world::both().await {
        let at = w.exchange().await;
        let router = at.at.router;
        for (id, path) in [("devices_routers", "devices/routers"), ("seed_alias_devices_routers", "peering/routers")] {
            let said = w.ask(&format!("GET /api/{path}/{router}/configuration/")).await;
            proven(&format!("{id}_configuration"), &said, 202);
            assert_eq!((&said.body["name"], &said.body["object_id"]), (&json!("router.render"), &json!(router)));
            let body = json!({"routers": [router, 99_999_999], "commit": true});
            let said = w.tell(&format!("POST /api/{path}/configure/"), body).await;
            proven(&format!("{id}_configure"), &said, 202);
            assert_eq!(said.body.as_array().map(Vec::len), Some(1), "{}", w.make);
            assert_eq!(said.body[0]["name"], "router.configure");
        }
        w.ask("GET /api/devices/routers/99999999/configuration/").await.is(404);
    }
}

#[tokio::test]
async fn what_cannot_be_configured_says_so() {
    let w = world::one().await;
    let at = w.exchange().await;
    let line = "POST /api/devices/routers/configure/";
    for (body, wanted) in [
        (json!({}), json!({"routers": ["This field is required."]})),
        (json!({"routers": []}), json!({"routers": ["This list may not be empty."]})),
        (json!({"routers": "x"}), json!({"routers": ["A valid list of integers is required."]})),
        (json!({"routers": [at.at.router], "commit": 7}), json!({"commit": ["Must be a valid boolean."]})),
    ] {
        w.tell(line, body).await.is(400).says(wanted);
    }
    w.tell(line, json!({"routers": [99_999_999]})).await.is(404);
    // Who may only read may see a change, and not have it made.
    let body = |commit: bool| json!({"routers": [at.at.router], "commit": commit});
    w.by(&w.reader, line, body(true)).await.is(403);
    w.by(&w.reader, line, body(false)).await.is(202);
    w.send(line, &[("content-type", "application/json")], &body(false).to_string()).await.is(403);
    w.send(&format!("GET /api/devices/routers/{}/configuration/", at.at.router), &[], "").await.is(403);
}

async fn export(w: &World, name: &str, kind: &str, text: &str) {
    let spec = Template {
        name: name.to_owned(),
        purpose: TemplatePurpose::Export,
        kind: Some(kind.to_owned()),
        text: text.to_owned(),
        ..Template::default()
    };
    let owner = w.owner;
    let made = w.app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let home = tx.get(owner)?.spec.home.any();
        Ok(tx.create(home, spec.clone())?)
    });
    made.await.unwrap();
}

#[tokio::test]
async fn a_list_is_told_as_the_text_of_an_export() {
    for w in world::both().await {
        for asn in [64_500, 64_501, 64_502] {
            w.autonomous_system(asn).await;
        }
        export(&w, "Numbers", "autonomous_system", "{% for a in dataset %}{{ a.asn }};{% endfor %}").await;
        export(&w, "Broken", "autonomous_system", "a\n{{ dataset | nosuch }}").await;
        let list = "GET /api/peering/autonomous-systems/";
        let said = w.ask(&format!("{list}?export=Numbers&limit=1")).await;
        assert_eq!((said.status, &said.bytes[..]), (200, &b"64500;64501;64502;"[..]), "{}", w.make);
        assert!(said.header("content-type").starts_with("text/plain"));
        let said = w.ask(&format!("{list}?export=Numbers&asn=64501")).await;
        assert_eq!(&said.bytes[..], b"64501;");
        let said = w.ask(&format!("{list}?export=Broken")).await;
        said.is(400);
        assert!(said.body.to_string().contains("line 2"), "{}", said.body);
        w.ask(&format!("{list}?export=Nothing")).await.is(404);
        w.ask("GET /api/bgp/communities/?export=Numbers").await.is(404);
        assert_eq!(w.by(&w.reader, &format!("{list}?export="), Value::Null).await.is(200).body["count"], 3);
    }
}

#[tokio::test]
async fn an_export_is_rendered_at_once_and_as_a_job() {
    for w in world::both().await {
        w.autonomous_system(64_500).await;
        let body = json!({
            "name": "All", "content_type": "peering.autonomoussystem",
            "template": "{% for a in dataset %}AS{{ a.asn }};{% endfor %}",
        });
        let template = w.make("extras/export-templates", body).await;
        let at = format!("GET /api/extras/export-templates/{template}");
        let said = w.ask(&format!("{at}/render-synchronous/")).await;
        proven("extras_exporttemplates_render_synchronous", &said, 200);
        said.says(json!({"rendered": "AS64500;"}));
        let said = w.ask(&format!("{at}/render/")).await;
        proven("extras_exporttemplates_render", &said, 202);
        assert_eq!(said.body["name"], "export.render", "{}", w.make);
        w.send(&format!("{at}/render-synchronous/"), &[], "").await.is(403);
        w.ask("GET /api/extras/export-templates/99999999/render/").await.is(404);
        let configuration = json!({"name": "c", "template": "x"});
        let configuration = w.make("devices/configurations", configuration).await;
        w.ask(&format!("GET /api/extras/export-templates/{configuration}/render/")).await.is(404);
    }
}
