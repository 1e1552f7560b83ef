//! Pages, orders, and the forms an answer can have.

use serde_json::{Value, json};

use crate::world;

const AS: &str = "/api/peering/autonomous-systems/";

#[tokio::test]
async fn a_page_links_to_the_next_and_the_one_before() {
    for w in world::both().await {
        let rows: Vec<Value> = (1..=120).map(|n| json!({"asn": n, "name": format!("N{n}")})).collect();
        w.tell(&format!("POST {AS}"), rows.into()).await.is(201);
        let first = w.ask(&format!("GET {AS}?ordering=-asn,nosuch&brief=1")).await.is(200).body.clone();
        assert_eq!((first["count"].clone(), first["results"][0]["asn"].clone()), (120.into(), 120.into()));
        assert_eq!(first["results"].as_array().unwrap().len(), 50);
        let next =
            "http://pm.example/api/peering/autonomous-systems/?brief=1&limit=50&offset=50&ordering=-asn%2Cnosuch";
        assert_eq!((first["next"].as_str(), first["previous"].clone()), (Some(next), Value::Null));
        let next =
            w.ask(&format!("GET {}", next.strip_prefix("http://pm.example").unwrap())).await.is(200).body.clone();
        assert_eq!(next["results"][0]["asn"], 70);
        assert_eq!(
            next["previous"],
            "http://pm.example/api/peering/autonomous-systems/?brief=1&limit=50&ordering=-asn%2Cnosuch"
        );
        let all = w.ask(&format!("GET {AS}?limit=0")).await;
        assert_eq!((all.ids().len(), all.body["next"].clone()), (120, Value::Null));
        let past = w.ask(&format!("GET {AS}?offset=500&limit=10")).await;
        assert_eq!(past.is(200).body["results"], json!([]));
        assert!(past.body["previous"].as_str().unwrap().ends_with("?limit=10&offset=490"), "{}", past.body);
    }
}

#[tokio::test]
async fn brief_is_the_nested_form() {
    let w = world::one().await;
    let at = w.exchange().await;
    let said = w.ask(&format!("GET /api/peering/internet-exchanges/{}/?brief=1", at.exchange)).await;
    said.says(json!({
        "id": at.exchange,
        "url": format!("http://pm.example/api/peering/internet-exchanges/{}/", at.exchange),
        "display_url": format!("http://pm.example/peering/internet-exchanges/{}/", at.exchange),
        "display": "Some IX",
        "name": "Some IX",
        "slug": "some-ix",
        "status": "enabled",
    }));
    let said = w.ask(&format!("GET /api/net/connections/{}/?brief=", at.connection)).await;
    assert_eq!(said.body["status"], json!({"value": "enabled", "label": "Enabled"}));
    assert_eq!(said.body["name"], "Some IX on edge1 ae4");
    assert_eq!(said.body["internet_exchange_point"]["status"], "enabled", "nested choices are plain");
}

#[tokio::test]
async fn fields_are_chosen_for_one_request_only() {
    let w = world::one().await;
    w.autonomous_system(64500).await;
    let said = w.ask(&format!("GET {AS}?fields=asn,name,nosuch")).await;
    assert_eq!(said.body["results"], json!([{"asn": 64500, "name": "Network 64500"}]));
    let said = w.ask(&format!("GET {AS}?exclude=prefixes,as_list")).await;
    assert!(said.body["results"][0].get("prefixes").is_none());
    assert!(w.ask(&format!("GET {AS}")).await.body["results"][0].get("prefixes").is_some());
}

#[tokio::test]
async fn rows_are_ordered_by_what_they_refer_to() {
    for w in world::both().await {
        let at = w.exchange().await;
        let late = w.session(&at, 64502, "192.0.2.2").await;
        let early = w.session(&at, 64501, "192.0.2.3").await;
        let path = "/api/peering/internet-exchange-peering-sessions/";
        assert_eq!(w.ask(&format!("GET {path}?ordering=autonomous_system")).await.ids(), [early, late]);
        assert_eq!(w.ask(&format!("GET {path}?ordering=-autonomous_system")).await.ids(), [late, early]);
        assert_eq!(w.ask(&format!("GET {path}")).await.ids(), [early, late], "{}: by AS when nobody says", w.make);
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_reference() {
    let w = world::one().await;
    for (line, allow) in [
        (format!("GET {AS}"), "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        (format!("GET {AS}999/"), "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        ("GET /api/peering/routers/".to_owned(), "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        ("GET /api/core/object-changes/".to_owned(), "GET, HEAD, OPTIONS"),
        ("GET /api/".to_owned(), "GET, HEAD, OPTIONS"),
        ("PATCH /api/users/userpref/".to_owned(), "GET, PATCH, HEAD, OPTIONS"),
        ("POST /api/status/".to_owned(), "GET, HEAD, OPTIONS"),
        // What is not there answers to nothing.
        ("GET /api/nosuch/".to_owned(), ""),
    ] {
        let said = w.ask(&line).await;
        let found = [said.header("api-version"), said.header("vary"), said.header("allow")];
        assert_eq!(found, ["1.10", "Accept, Cookie", allow], "{line}");
        assert_eq!(said.header("x-request-id").len(), 36);
    }
}

#[tokio::test]
async fn a_path_without_its_slash_leads_to_the_one_with_it() {
    let w = world::one().await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        // Also for nobody, before anything of the body is looked at.
        let said = w.send(&format!("{method} /api/peering/autonomous-systems?x=1"), &[], "{").await;
        let found = [said.header("location"), said.header("content-type"), said.header("api-version")];
        assert_eq!(found, ["/api/peering/autonomous-systems/?x=1", "text/html; charset=utf-8", ""], "{method}");
        assert_eq!((said.is(301).bytes.len(), said.header("allow")), (0, ""));
    }
    for (path, place) in [("/api", "/api/"), ("/api/devices/routers/5", "/api/devices/routers/5/")] {
        assert_eq!(w.ask(&format!("GET {path}")).await.is(301).header("location"), place);
    }
}

#[tokio::test]
async fn an_answer_comes_in_the_form_that_is_accepted() {
    let w = world::one().await;
    w.autonomous_system(64500).await;
    let token = format!("Token {}", w.token);
    let line = format!("GET {AS}?fields=asn");
    let with = |accept| [("authorization", token.as_str()), ("accept", accept)];
    let said = w.send(&line, &with("application/json; indent=4"), "").await;
    assert!(said.is(200).bytes.starts_with(b"{\n    \"count\": 1,"), "{:?}", said.bytes);
    let compact = w.send(&line, &with("application/json"), "").await;
    assert_eq!(compact.body, said.body);
    assert!(!compact.bytes.contains(&b'\n'));
    w.send(&line, &with("application/json; version=1.10"), "").await.is(200);
    let said = w.send(&line, &with("application/json; version=1.9"), "").await;
    said.is(406).says(json!({"detail": "Invalid version in \"Accept\" header."}));
    let said = w.send(&line, &with("image/png"), "").await;
    said.is(406).says(json!({"detail": "Could not satisfy the request Accept header."}));
    let said = w.send(&line, &with("text/html,application/xml;q=0.9,*/*;q=0.8"), "").await;
    assert!(said.is(200).header("content-type").starts_with("text/html"));
    let said = w.send(&format!("{line}&format=json"), &with("text/html"), "").await;
    assert_eq!(said.body, compact.body);
}

#[tokio::test]
async fn a_map_names_the_collections_by_their_present_paths() {
    let w = world::one().await;
    let said = w.ask("GET /api/devices/").await;
    said.says(json!({
        "configurations": "http://pm.example/api/devices/configurations/",
        "platforms": "http://pm.example/api/devices/platforms/",
        "routers": "http://pm.example/api/devices/routers/",
    }));
    let root = w.ask("GET /api/").await.body;
    assert_eq!(root["peering"], "http://pm.example/api/peering/");
    assert_eq!(root["status"], "http://pm.example/api/status/");
}

#[tokio::test]
async fn what_shows_no_model_is_described_too() {
    let w = world::one().await;
    for (path, name) in [("", "API Root"), ("status/", "Status"), ("core/object-changes/", "Object Changes")] {
        let said = w.ask(&format!("OPTIONS /api/{path}")).await;
        assert_eq!((said.is(200).body["name"].as_str(), &said.body["actions"]), (Some(name), &json!({})));
        meetme_contracts::prove("peering-manager", "any_options", said.status, &said.body);
        w.send(&format!("OPTIONS /api/{path}"), &[], "").await.is(403);
    }
}

#[tokio::test]
async fn options_show_what_the_caller_may_do() {
    let w = world::one().await;
    let said = w.ask(&format!("OPTIONS {AS}")).await;
    assert_eq!((said.body["name"].as_str(), said.is(200).status), (Some("Autonomous System List"), 200));
    let asn = &said.body["actions"]["POST"]["asn"];
    assert_eq!(
        asn,
        &json!({
            "type": "integer", "required": true, "read_only": false, "label": "ASN", "min_value": 1, "max_value": 4294967295u32,
        })
    );
    let said = w.ask("OPTIONS /api/peering/internet-exchanges/").await;
    let status = &said.body["actions"]["PUT"]["status"];
    assert_eq!(status["choices"][1], json!({"value": "pre-maintenance", "display_name": "Pre-maintenance"}));
    let said = w.by(&w.reader, &format!("OPTIONS {AS}"), Value::Null).await;
    assert_eq!(said.is(200).body["actions"], json!({}));
}
