use serde_json::{Value, json};

use crate::world::one;

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_has_every_kind_and_every_reference_leads_somewhere() {
    let world = one().await;
    let document = world.send("GET /openapi.json", &[], &Value::Null).await.is(200).json();
    let kinds = world.root("GET /kinds", &Value::Null).await.is(200).json();
    let kinds = kinds["items"].as_array().unwrap();
    assert!(kinds.len() > 30);
    for kind in kinds {
        let name = kind["kind"].as_str().unwrap();
        let methods = |path: String| {
            let mut names: Vec<&str> =
                document["paths"][&path].as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            names.join(" ")
        };
        assert_eq!(methods(format!("/meetme/v1/{name}")), "get post");
        assert_eq!(methods(format!("/meetme/v1/{name}/{{id}}")), "delete get patch put");
        assert_eq!(methods(format!("/meetme/v1/{name}/watch")), "get");
        let component = &document["components"]["schemas"];
        assert!(
            component[name]["properties"]["spec"].is_object() && component[format!("{name}.spec")].is_object(),
            "{name}"
        );
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let at = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(at).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let world = one().await;
    let document = world.send("GET /openapi.json", &[], &Value::Null).await.json();
    world.root("POST /metro", &json!({"slug": "a", "name": "A", "country": "US"})).await.is(201);
    for kind in ["metro", "organization", "user", "role", "membership", "key"] {
        let rows = world.root(&format!("GET /{kind}"), &Value::Null).await.is(200).json();
        let rows = rows["items"].as_array().unwrap().clone();
        assert!(!rows.is_empty(), "{kind}");
        let schema = json!({"$ref": format!("#/components/schemas/{kind}"), "components": document["components"]});
        let schema = jsonschema::validator_for(&schema).unwrap();
        for row in rows {
            let wrong: Vec<String> = schema.iter_errors(&row).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(wrong.is_empty(), "{kind}: {wrong:?}");
        }
    }
}

#[tokio::test]
async fn the_document_of_one_kind() {
    let world = one().await;
    let document = world.send("GET /openapi.json", &[], &Value::Null).await.json();
    let schemas = &document["components"]["schemas"];
    insta::assert_json_snapshot!(json!({
        "post": document["paths"]["/meetme/v1/key"]["post"],
        "patch": document["paths"]["/meetme/v1/team/{id}"]["patch"],
        "team.spec": schemas["team.spec"],
        "key.create": schemas["key.create"]["required"],
    }));
}
