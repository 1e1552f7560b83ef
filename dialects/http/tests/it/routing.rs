use meetme_http::{DialectConfig, Fault, Server, ServerConfig, table};
use serde_json::json;

use crate::fake::{self, Lab, Turnstile};

#[tokio::test]
async fn two_dialects_on_one_path_are_told_apart_by_the_body() {
    let lab = Lab::new();
    let of = |media| [("content-type", media)];
    assert_eq!(lab.send("POST /login", &of("application/json"), "{}").await.json(), "alpha");
    assert_eq!(lab.send("POST /login", &of("application/x-www-form-urlencoded"), "user=a%20b").await.json(), "a b");
    assert_eq!(lab.send("POST /login", &[], "").await.json(), "alpha");
}

#[tokio::test]
async fn the_surest_dialect_answers_a_shared_path() {
    let lab = Lab::new();
    for (wanted, params) in [("alpha", json!([["x", "1"]])), ("beta", json!([["y", "1"]]))] {
        let answer = lab.send("GET /shared/1", &[("x-dialect", wanted)], "").await.json();
        assert_eq!((&answer["dialect"], &answer["path"]), (&json!(wanted), &params));
    }
    assert_eq!(lab.get("/shared/1").await.json()["dialect"], "alpha");
}

#[tokio::test]
async fn of_equally_sure_dialects_the_one_with_the_method_answers() {
    let answer = Lab::new().send("PUT /shared/1", &[], "").await;
    assert_eq!(answer.json()["op"], "putShared");
}

#[tokio::test]
async fn a_path_nobody_knows_is_refused_by_the_surest_dialect() {
    let lab = Lab::new();
    assert_eq!(lab.get("/nowhere").await.by(), (404, "alpha".into()));
    assert_eq!(lab.get("/api/nowhere").await.by(), (404, "beta".into()));
    assert_eq!(lab.get("/g/nowhere").await.by(), (404, "gamma".into()));
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_the_right_ones() {
    let answer = Lab::new().send("PUT /things/1", &[], "").await;
    assert_eq!(answer.by(), (405, "alpha".into()));
    assert_eq!(answer.header("allow"), "GET, DELETE, HEAD, OPTIONS");
    assert_eq!(answer.header("x-alpha-version"), "1.2");
}

#[tokio::test]
async fn options_lists_the_methods_unless_the_dialect_has_its_own_answer() {
    let lab = Lab::new();
    let plain = lab.send("OPTIONS /things", &[], "").await;
    assert_eq!((plain.status, plain.header("allow"), plain.body.len()), (204, "GET, POST, HEAD, OPTIONS", 0));
    assert_eq!(lab.send("OPTIONS /api/things/", &[], "").await.json()["op"], "describe");
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let lab = Lab::new();
    let (get, head) = (lab.get("/big").await, lab.send("HEAD /big", &[], "").await);
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (200, 0, get.body.len().to_string().as_str())
    );
}

#[tokio::test]
async fn an_encoded_slash_does_not_split_a_segment() {
    let answer = Lab::new().get("/things/a%2Fb%20%C3%BC/parts/%252F").await.json();
    assert_eq!((&answer["op"], &answer["path"]), (&json!("getPart"), &json!([["a", "a/b ü"], ["b", "%2F"]])));
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused() {
    assert_eq!(Lab::new().get("/things/%ff").await.by(), (400, "alpha".into()));
}

#[tokio::test]
async fn a_query_is_decoded_in_order() {
    let answer = Lab::new().get("/things?name=a+b&limit=1&name=c%26d").await.json();
    assert_eq!(answer["query"], json!([["name", "a b"], ["limit", "1"], ["name", "c&d"]]));
}

#[tokio::test]
async fn a_missing_slash_is_redirected_where_the_dialect_wants_one() {
    let answer = Lab::new().get("/api/things?a=b").await;
    assert_eq!((answer.status, answer.header("location")), (301, "/api/things/?a=b"));
    assert_eq!(Lab::new().get("/things/").await.status, 404);
}

#[tokio::test]
async fn prefixes_and_slashes_are_normalised_where_the_dialect_says_so() {
    let lab = Lab::new();
    for path in ["/items/7", "/items/7/", "//items//7", "/g/items/7"] {
        assert_eq!(lab.get(path).await.json()["path"], json!([["id", "7"]]), "{path}");
    }
    assert_eq!(lab.get("/files/a/b%2Fc").await.json()["path"], json!([["rest", "a/b/c"]]));
}

#[tokio::test]
async fn a_host_name_of_its_own_leads_to_one_dialect_only() {
    let own = DialectConfig { hosts: vec!["Meetme.Example".into()], ..DialectConfig::default() };
    let lab = Lab::with(ServerConfig { dialects: [("beta".to_owned(), own)].into(), ..ServerConfig::default() });
    assert_eq!(lab.get("/shared/1").await.json()["dialect"], "beta");
    assert_eq!(lab.get("/things").await.by(), (404, "beta".into()));
}

#[tokio::test]
async fn a_configuration_for_a_dialect_that_is_not_there_is_refused() {
    let config =
        ServerConfig { dialects: [("delta".to_owned(), DialectConfig::default())].into(), ..ServerConfig::default() };
    assert!(
        matches!(Server::new(config, vec![fake::beta()], fake::app()), Err(Fault::NoDialect(name)) if name == "delta")
    );
}

#[tokio::test]
async fn every_operation_of_the_table_is_routed_to_itself() {
    let lab = Lab::new();
    let dialects = [fake::alpha(&Turnstile::new()), fake::beta(), fake::gamma()];
    let (mut seen, skipped) =
        (0, ["openapi", "panic", "nobody", "unwritable", "slow", "limited", "big", "tagged", "events", "hold"]);
    for row in table(&dialects).filter(|row| !skipped.contains(&row.op.id)) {
        let path: String = row
            .op
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let answer =
            lab.send(&format!("{} {path}", row.op.method), &[("x-dialect", row.dialect), ("x-key", "good")], "").await;
        assert!(
            ![404, 405].contains(&answer.status)
                && answer.header("x-alpha-version").is_empty() == (row.dialect != "alpha"),
            "{:?}",
            row.op
        );
        seen += 1;
    }
    assert_eq!(seen, 15);
}
