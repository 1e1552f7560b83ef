//! What the API says of itself: the document and the pages that show it.

use meetme_contracts::prove;
use serde_json::{Value, json};

use crate::{
    contract,
    world::{self, Said, World},
};

const DIALECT: &str = "peering-manager";

/// As nobody, with this `Accept`.
async fn read(w: &World, path: &str, accept: &str) -> Said {
    w.send(&format!("GET {path}"), &[("accept", accept)], "").await
}

async fn document(w: &World) -> Value {
    read(w, "/api/schema/", "application/json").await.is(200).body.clone()
}

/// Every reference in a part of the document.
fn references(part: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_comes_as_yaml_or_json_and_to_anybody() {
    let w = world::one().await;
    let json = document(&w).await;
    prove(DIALECT, "schema_retrieve", 200, &json);
    for (path, accept, media) in [
        ("/api/schema/", "*/*", "application/vnd.oai.openapi; charset=utf-8"),
        ("/api/schema/", "text/html,*/*;q=0.8", "application/vnd.oai.openapi; charset=utf-8"),
        ("/api/schema/", "application/yaml", "application/yaml; charset=utf-8"),
        ("/api/schema/?format=yaml", "application/json", "application/yaml; charset=utf-8"),
    ] {
        let said = read(&w, path, accept).await;
        assert_eq!(said.is(200).header("content-type"), media, "{path} {accept}");
        let text = String::from_utf8(said.bytes.to_vec()).unwrap();
        assert!(text.starts_with("openapi: \"3.1.0\"\ninfo:\n"), "{}", &text[..200]);
    }
    for (path, accept, media) in [
        ("/api/schema/", "application/json", "application/json"),
        ("/api/schema/", "application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("/api/schema/?format=json", "*/*", "application/json"),
        ("/api/docs/?format=openapi", "application/json", "application/json"),
    ] {
        let said = read(&w, path, accept).await;
        assert_eq!((said.is(200).header("content-type"), &said.body), (media, &json), "{path} {accept}");
    }
    read(&w, "/api/schema/", "image/png").await.is(406);
    read(&w, "/api/schema/?format=pdf", "*/*").await.is(404);
    assert!(!w.ask("GET /api/").await.body.as_object().unwrap().contains_key("schema"), "it is not on the map");
}

#[tokio::test]
async fn the_document_has_every_operation_and_every_reference_leads_somewhere() {
    let w = world::one().await;
    let document = document(&w).await;
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let at = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(at).is_some(), "{reference} leads nowhere: give it a shape in schema/shapes.rs");
    }
    let mut missing = Vec::new();
    for op in meetme_peering::dialect().ops {
        let shown = &document["paths"][op.path][op.method.as_str().to_ascii_lowercase()];
        let is_page = op.group == "schema" && op.id != "schema_retrieve";
        if op.method != http::Method::OPTIONS && !is_page && shown["operationId"] != op.id {
            missing.push(op.id);
        }
        if op.id.contains("alias_") && !is_page && op.method != http::Method::OPTIONS {
            assert_eq!(shown["deprecated"], true, "{}", op.id);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn an_operation_says_what_it_takes_gives_and_refuses() {
    let w = world::one().await;
    let document = document(&w).await;
    let path = &document["paths"]["/api/peering/autonomous-systems/"];
    let statuses = |operation: &Value| {
        let mut found: Vec<String> = operation["responses"].as_object().unwrap().keys().cloned().collect();
        found.sort_unstable();
        found.join(" ")
    };
    assert_eq!(statuses(&path["get"]), "200 400 403");
    assert_eq!(statuses(&path["post"]), "201 400 403 415");
    assert_eq!(statuses(&path["delete"]), "204 400 403 409 415");
    let row = &document["paths"]["/api/peering/autonomous-systems/{id}/"];
    assert_eq!(statuses(&row["patch"]), "200 400 403 404 415");
    assert_eq!(row["get"]["parameters"][0]["schema"], json!({"type": "integer"}));
    let names: Vec<&str> =
        path["get"]["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    for name in ["limit", "offset", "ordering", "brief", "q", "tag", "tag__n", "asn__gte", "name__nisw", "id__lt"] {
        assert!(names.contains(&name), "{name}");
    }
    let schemas = &document["components"]["schemas"];
    let new = &schemas["AutonomousSystemRequest"];
    assert_eq!(new["required"], json!(["asn", "name"]));
    assert_eq!(new["properties"]["asn"]["maximum"], json!(4_294_967_295u32));
    assert!(new["properties"].get("id").is_none() && new["properties"].get("prefixes").is_none());
    assert!(schemas["PatchedAutonomousSystemRequest"].get("required").is_none());
    let status = &schemas["InternetExchange"]["properties"]["status"]["properties"]["value"]["enum"];
    assert_eq!(status[1], "pre-maintenance");
    assert_eq!(schemas["InternetExchangeRequest"]["properties"]["status"]["type"], "string");
    assert_eq!(schemas["Connection"]["properties"]["vlan"]["type"], json!(["integer", "null"]));
    assert_eq!(document["security"], json!([{"tokenAuth": []}]));
    assert_eq!(document["paths"]["/api/schema/"]["get"]["security"], json!([]));
}

/// Checks a value against a component.
fn wrong(document: &Value, component: &str, value: &Value) -> Vec<String> {
    let schema = json!({"$ref": format!("#/components/schemas/{component}"), "components": document["components"]});
    let schema = jsonschema::validator_for(&schema).unwrap();
    schema.iter_errors(value).map(|error| format!("{component}{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn what_is_answered_and_taken_is_what_the_document_says() {
    let w = world::one().await;
    let document = document(&w).await;
    let mut found = Vec::new();
    for sample in contract::samples(&w).await {
        let path = sample.places[0].1;
        let component = |verb: &str, part: &str| {
            let schema = &document["paths"][format!("/api/{path}/")][verb].pointer(part).unwrap_or(&Value::Null);
            let name = schema["$ref"].as_str().unwrap_or_else(|| panic!("{path} {verb} {part}: {schema}"));
            name.rsplit_once('/').unwrap().1.to_owned()
        };
        let new = (sample.new)(40);
        found.extend(wrong(&document, &component("post", "/requestBody/content/application~1json/schema"), &new));
        let made = w.tell(&format!("POST /api/{path}/"), new).await.is(201).body.clone();
        found.extend(wrong(&document, &component("post", "/responses/201/content/application~1json/schema"), &made));
        let page = component("get", "/responses/200/content/application~1json/schema");
        found.extend(wrong(&document, &page, &w.ask(&format!("GET /api/{path}/")).await.body));
        let model = page.strip_prefix("Paginated").and_then(|name| name.strip_suffix("List")).unwrap();
        // Only what another model refers to is in the document in its nested form.
        let nested = format!("Nested{model}");
        if document["components"]["schemas"].get(&nested).is_some() {
            let brief = w.ask(&format!("GET /api/{path}/{}/?brief=1", made["id"])).await;
            found.extend(wrong(&document, &nested, &brief.body));
        }
        assert!(!wrong(&document, model, &json!({"id": "x"})).is_empty(), "{model} says something");
    }
    for (line, component) in [
        ("GET /api/", "Map"),
        ("GET /api/status/", "Status"),
        ("GET /api/core/object-changes/", "PaginatedObjectChangeList"),
        ("GET /api/users/users/", "PaginatedUserList"),
        ("GET /api/peering/autonomous-systems/999999/", "Detail"),
        ("GET /api/peering/autonomous-systems/?asn=x", "Refused"),
    ] {
        found.extend(wrong(&document, component, &w.ask(line).await.body));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn the_pages_load_nothing_from_elsewhere() {
    let w = world::one().await;
    for (id, paths) in
        [("api_docs", ["/api/schema/swagger-ui/", "/api/docs/"]), ("api_redoc", ["/api/schema/redoc/", "/api/redoc/"])]
    {
        for path in paths {
            let said = read(&w, path, "text/html").await;
            assert_eq!(said.is(200).header("content-type"), "text/html; charset=utf-8");
            prove(DIALECT, id, 200, &said.body);
            let policy = said.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
            let page = said.body.as_str().unwrap().to_owned();
            let loads = page.split(['"']).filter(|piece| piece.starts_with("/api/schema/")).collect::<Vec<_>>();
            assert!(loads.len() >= 3 && !page.contains("http"), "{page}");
            for file in loads.into_iter().filter(|file| *file != "/api/schema/") {
                let said = read(&w, file, "*/*").await;
                let media = if file.ends_with(".css") { "text/css" } else { "text/javascript" };
                assert!(said.is(200).header("content-type").starts_with(media), "{file}");
                assert!(said.bytes.len() > 100 && said.header("x-content-type-options") == "nosniff");
            }
        }
    }
}
