use serde_json::{Value, json};

use crate::world::{both, one};

fn metro(slug: &str) -> Value {
    json!({ "slug": slug, "name": format!("Metro {slug}"), "country": "US" })
}

#[tokio::test]
async fn a_row_is_made_read_changed_and_removed() {
    for world in both().await {
        let made = world.root("POST /metro", &metro("us-ral")).await;
        let body = made.is(201).json();
        let at = format!("/metro/{}", body["id"]);
        assert_eq!(made.header("location"), format!("/meetme/v1{at}"));
        assert_eq!(
            (&body["kind"], &body["version"], &body["spec"]["slug"]),
            (&json!("metro"), &json!(1), &json!("us-ral"))
        );
        assert_eq!(body["tenant"], json!(world.operator));

        let by_uid = format!("GET /metro/{}", body["uid"].as_str().unwrap());
        assert_eq!(world.root(&by_uid, &Value::Null).await.is(200).json(), body);

        let patched =
            world.root(&format!("PATCH {at}"), &json!({"name": "Raleigh", "market": "US"})).await.is(200).json();
        assert_eq!((&patched["spec"]["name"], &patched["version"]), (&json!("Raleigh"), &json!(2)));
        let patched = world.root(&format!("PATCH {at}"), &json!({"market": null})).await.is(200).json();
        assert_eq!(patched["spec"].get("market"), None);

        let replaced = world.root(&format!("PUT {at}"), &metro("us-rdu")).await.is(200).json();
        assert_eq!(replaced["spec"], metro("us-rdu"));

        world.root(&format!("DELETE {at}"), &Value::Null).await.is(204);
        let gone = world.root(&format!("GET {at}"), &Value::Null).await;
        assert_eq!(
            (gone.is(404).header("content-type"), &gone.json()["code"]),
            ("application/problem+json", &json!("missing"))
        );
    }
}

#[tokio::test]
async fn a_list_is_filtered_ordered_and_paged() {
    for world in both().await {
        for slug in ["a", "b", "c", "d"] {
            world.root("POST /metro", &metro(slug)).await.is(201);
        }
        let slugs = async |query: &str| {
            let list = world.root(&format!("GET /metro?{query}"), &Value::Null).await.is(200).json();
            let items = list["items"].as_array().unwrap().iter();
            items.map(|row| row["spec"]["slug"].as_str().unwrap().to_owned()).collect::<Vec<_>>().concat()
        };
        assert_eq!(slugs("order=-slug").await, "dcba");
        assert_eq!(slugs("slug__in=a,c").await, "ac");
        assert_eq!(slugs("slug__gt=b&name__icontains=METRO").await, "cd");
        assert_eq!(slugs("q=metro%20d").await, "d");
        let filter = r#"{"or":[{"field":"slug","value":"a"},{"not":{"field":"slug","op":"lt","value":"d"}}]}"#;
        assert_eq!(slugs(&format!("filter={}", filter.replace('"', "%22").replace(' ', "%20"))).await, "ad");

        let page = world.root("GET /metro?order=slug&limit=3&count=true", &Value::Null).await.is(200).json();
        assert_eq!((&page["next"], &page["count"]), (&json!(3), &json!(4)));
        let page = world.root("GET /metro?order=slug&limit=3&offset=3", &Value::Null).await.is(200).json();
        assert_eq!((page["items"].as_array().unwrap().len(), page.get("next")), (1, None));
    }
}

#[tokio::test]
async fn what_is_not_known_is_an_error_and_named() {
    let world = one().await;
    let said = async |line: &str, body: Value| world.root(line, &body).await.is(422).error();
    let pair = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    assert_eq!(said("GET /metro?limitt=3", Value::Null).await, pair("limitt", "unknown"));
    assert_eq!(said("GET /metro?limit=0", Value::Null).await, pair("limit", "range"));
    assert_eq!(said("GET /metro?order=colour", Value::Null).await, pair("order", "field"));
    assert_eq!(said("POST /metro?dryrun=true", metro("a")).await, pair("dryrun", "unknown"));
    assert_eq!(
        said("POST /metro", json!({"slug": "a", "name": "A", "country": "US", "colour": 1})).await,
        pair("colour", "unknown")
    );
    assert_eq!(said("POST /metro", json!({"slug": "a", "status": {}})).await, pair("status", "unknown"));
    assert_eq!(said("POST /metro", json!({"slug": 7})).await, pair("slug", "type"));
    assert_eq!(
        said("POST /metro", json!({"slug": "a", "name": "A", "country": "usa"})).await,
        pair("country", "format")
    );
    assert_eq!(said("POST /metro?tenant=999999", metro("a")).await, pair("tenant", "reference"));
    assert_eq!(said("GET /key?hash__starts=a", Value::Null).await, pair("hash__starts", "unknown"));
    assert_eq!(said("GET /key?order=hash", Value::Null).await, pair("order", "field"));
    world.root("GET /nothing", &Value::Null).await.is(404);
    world.root("POST /metro", &metro("a")).await.is(201);
    assert_eq!(world.root("POST /metro", &metro("a")).await.is(409).json()["code"], "exists");
}

#[tokio::test]
async fn a_write_on_an_old_version_is_refused() {
    for world in both().await {
        let made = world.root("POST /metro", &metro("a")).await;
        let (at, tag) = (format!("/metro/{}", made.json()["id"]), made.header("etag").to_owned());
        assert_eq!(tag, "\"1\"");
        let root = format!("Bearer {}", world.root);
        let with = async |line: &str, name: &str, tag: &str, body: &Value| {
            world.send(line, &[("authorization", &root), (name, tag)], body).await
        };
        let patch = format!("PATCH {at}");
        assert_eq!(with(&patch, "if-match", &tag, &json!({"name": "B"})).await.is(200).header("etag"), "\"2\"");
        let stale = with(&patch, "if-match", &tag, &json!({"name": "C"})).await;
        assert_eq!((&stale.is(412).json()["code"], &stale.json()["version"]), (&json!("stale"), &json!(2)));
        with(&format!("DELETE {at}"), "if-match", &tag, &Value::Null).await.is(412);
        with(&format!("PUT {at}"), "if-match", "W/\"2\"", &metro("c")).await.is(200);
        with(&patch, "if-match", "two", &json!({})).await.is(422);
        with(&format!("GET {at}"), "if-none-match", "\"3\"", &Value::Null).await.is(304);
        with(&format!("GET {at}"), "if-none-match", "\"2\"", &Value::Null).await.is(200);
    }
}

#[tokio::test]
async fn a_dry_run_answers_what_would_be_and_keeps_nothing() {
    for world in both().await {
        let tried = world.root("POST /metro?dry_run=true", &metro("a")).await;
        assert_eq!((tried.is(200).header("meetme-dry-run"), &tried.json()["spec"]), ("true", &metro("a")));
        assert_eq!(world.root("GET /metro", &Value::Null).await.json()["items"], json!([]));
        world.root("POST /metro?dry_run=true", &json!({"slug": "a"})).await.is(422);

        let at = format!("/metro/{}", world.root("POST /metro", &metro("a")).await.json()["id"]);
        let tried = world.root(&format!("PATCH {at}?dry_run=true"), &json!({"name": "B"})).await.is(200).json();
        assert_eq!((&tried["spec"]["name"], &tried["version"]), (&json!("B"), &json!(2)));
        world.root(&format!("DELETE {at}?dry_run=true"), &Value::Null).await.is(204);
        assert_eq!(world.root(&format!("GET {at}"), &Value::Null).await.is(200).json()["spec"], metro("a"));
    }
}

#[tokio::test]
async fn a_stranger_does_not_learn_that_a_row_exists() {
    for world in both().await {
        let team = world.root("POST /team", &json!({"name": "Night shift"})).await.is(201).json();
        let at = format!("/team/{}", team["id"]);
        let ada = world.customer.as_str();
        world.by(ada, &format!("GET {at}"), &Value::Null).await.is(404);
        world.by(ada, &format!("GET /team/{}", team["uid"].as_str().unwrap()), &Value::Null).await.is(404);
        world.by(ada, &format!("PATCH {at}"), &json!({"name": "x"})).await.is(404);
        world.by(ada, &format!("PUT {at}"), &json!({"name": "x"})).await.is(404);
        world.by(ada, &format!("DELETE {at}"), &Value::Null).await.is(404);
        assert_eq!(world.by(ada, "GET /team?count=true", &Value::Null).await.json(), json!({"items": [], "count": 0}));
        let tenant = format!("POST /team?tenant={}", world.operator);
        assert_eq!(world.by(ada, &tenant, &json!({"name": "x"})).await.is(422).error().0, "tenant");
        assert_eq!(world.by(ada, "GET /changes?kind=team", &Value::Null).await.json()["items"], json!([]));

        // What is theirs, they and those above may see.
        let own = world.by(ada, "POST /team", &json!({"name": "Own"})).await.is(201).json();
        assert_eq!(own["tenant"], json!(world.customer_id));
        world.root(&format!("GET /team/{}", own["id"]), &Value::Null).await.is(200);
        world.send("GET /team", &[], &Value::Null).await.is(401);
        world.by("nobody", "GET /team", &Value::Null).await.is(401);
    }
}

#[tokio::test]
async fn what_is_ordered_is_not_written_as_a_row() {
    let world = one().await;
    let refused = world.root("POST /circuit", &json!({"name": "c"})).await;
    assert_eq!(refused.is(409).json()["code"], "by_operation");
    let kinds = world.root("GET /kinds/circuit?schemas=false", &Value::Null).await.is(200).json();
    assert_eq!((&kinds["writes"]["create"], kinds.get("schemas")), (&json!("refused"), None));
}

#[tokio::test]
async fn the_log_tells_who_changed_what() {
    for world in both().await {
        let made = world.root("POST /metro", &metro("a")).await;
        world.root(&format!("PATCH /metro/{}", made.json()["id"]), &json!({"name": "B"})).await.is(200);
        let log = world.root("GET /changes?kind=metro", &Value::Null).await.is(200).json();
        let line = &log["items"][0];
        assert_eq!(
            (&line["verb"], &line["before"]["name"], &line["after"]["name"]),
            (&json!("update"), &json!("Metro a"), &json!("B"))
        );
        assert_eq!((&line["actor"]["name"], &line["dialect"]), (&json!("root"), &json!("native")));
        assert_eq!(log["items"][1]["request"], json!(made.header("x-request-id")));
        let page = world.root("GET /changes?kind=metro&limit=1", &Value::Null).await.json();
        assert_eq!(page["next"], json!(1));
        assert_eq!(world.root("GET /changes?verb=paint", &Value::Null).await.is(422).error().0, "verb");
    }
}
