use crate::fake::{self, Lab, Turnstile};

#[test]
fn the_document_is_written_from_the_table() {
    insta::assert_json_snapshot!(meetme_http::openapi::document(
        &fake::alpha(&Turnstile::new()),
        "https://meetme.example"
    ));
}

#[tokio::test]
async fn each_dialect_serves_its_own_document_on_a_shared_path() {
    let lab = Lab::new();
    for (wanted, title) in [("alpha", "Alpha"), ("beta", "beta")] {
        let document = lab.send("GET /openapi.json", &[("x-dialect", wanted)], "").await.json();
        assert_eq!(
            (&document["info"]["title"], &document["servers"][0]["url"]),
            (&title.into(), &"http://meetme.example".into())
        );
        assert_eq!(document, lab.get(&format!("/meetme/openapi/{wanted}.json")).await.json());
    }
    assert_eq!(lab.get("/meetme/openapi/delta.json").await.status, 404);
    assert_eq!(lab.send("POST /meetme/openapi/alpha.json", &[], "").await.header("allow"), "GET, HEAD");
}
