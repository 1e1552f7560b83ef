//! The API as pages for people.

use serde_json::{Value, json};

use crate::world::{self, Said, World};

const AS: &str = "/api/peering/autonomous-systems/";
/// As browsers send it.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn look(w: &World, path: &str) -> (Said, String) {
    let token = format!("Token {}", w.token);
    let said = w.send(&format!("GET {path}"), &[("authorization", &token), ("accept", BROWSER)], "").await;
    assert_eq!(said.header("content-type"), "text/html; charset=utf-8", "{path}");
    let page = String::from_utf8(said.bytes.to_vec()).unwrap();
    (said, page)
}

#[tokio::test]
async fn a_list_is_a_page_with_its_way_its_links_and_its_forms() {
    let w = world::one().await;
    let rows: Vec<Value> = (1..=7).map(|n| json!({"asn": n, "name": format!("N{n}")})).collect();
    w.tell(&format!("POST {AS}"), rows.into()).await.is(201);
    let (said, page) = look(&w, &format!("{AS}?limit=3&offset=3&ordering=asn")).await;
    said.is(200);
    for part in [
        "<title>Autonomous System List – Peering API</title>",
        "<li><a href=\"/api/peering/\">Peering</a></li>",
        "aria-current=\"page\">Autonomous Systems</a>",
        "<b>GET /api/peering/autonomous-systems/?limit=3&amp;offset=3&amp;ordering=asn</b>",
        "<b>HTTP 200 OK</b>",
        "allow: GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
        "api-version: 1.10",
        "Rows 4 to 6 of 7 <a rel=\"prev\" href=\"http://pm.example/api/peering/autonomous-systems/?limit=3&amp;ordering=asn\">",
        "<a rel=\"next\" href=\"http://pm.example/api/peering/autonomous-systems/?limit=3&amp;offset=6&amp;ordering=asn\">",
        "<button type=\"button\" data-method=\"OPTIONS\">",
        "<option>POST</option><option>PUT</option><option>PATCH</option><option>DELETE</option>",
        "{\n  &quot;asn&quot;: null,\n  &quot;name&quot;: &quot;&quot;\n}</textarea>",
        "<code>irr_as_set</code>",
        "href=\"/api/peering/autonomous-systems/?limit=3&amp;offset=3&amp;ordering=asn&amp;format=json\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let id = said.header("x-request-id");
    assert!(page.contains(&format!("x-request-id: {id}")), "{page}");
}

#[tokio::test]
async fn a_row_is_a_page_that_can_be_sent_back() {
    let w = world::one().await;
    let at = w.exchange().await;
    let (_, page) = look(&w, &format!("/api/peering/internet-exchanges/{}/", at.exchange)).await;
    let from = page.find("<textarea").and_then(|start| page[start..].find('>').map(|end| start + end + 1)).unwrap();
    let text = page[from..].split("</textarea>").next().unwrap().replace("&quot;", "\"");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&body["local_autonomous_system"], &body["status"]), (&json!(at.at.local), &json!("enabled")));
    let line = format!("PUT /api/peering/internet-exchanges/{}/", at.exchange);
    w.tell(&line, body).await.is(200);
    let link =
        format!("<a rel=\"noreferrer\" href=\"http://pm.example/api/peering/autonomous-systems/{}/\">", at.at.local);
    assert!(page.contains(&link), "{page}");
    assert!(!page.contains("<option>POST</option>"));
}

#[tokio::test]
async fn nothing_that_a_row_or_an_address_says_is_markup() {
    let w = world::one().await;
    let evil = "</pre></textarea><script>alert(1)</script><img src=x onerror='alert(2)'>\"'&";
    let row = w.tell(&format!("POST {AS}"), json!({"asn": 1, "name": evil, "comments": "javascript:alert(3)"})).await;
    let link = json!({"description": "https://x.example/\"onmouseover=\"alert(4)"});
    w.tell(&format!("PATCH {AS}{}/", row.is(201).body["id"]), link).await.is(200);
    for path in [
        AS.to_owned(),
        format!("{AS}{}/", row.body["id"]),
        format!("{AS}?q=%22%3E%3Cscript%3Ealert(5)%3C/script%3E&ordering='%22onfocus=alert(6)"),
        "/api/%3Cscript%3Ealert(7)%3C%2Fscript%3E/".to_owned(),
        "/api/\"onclick=alert(8)/".replace('"', "%22"),
    ] {
        let (said, page) = look(&w, &path).await;
        // Ours is the one script, and it is the last thing on the page.
        assert_eq!(page.matches("<script").count(), 1, "{path}\n{page}");
        assert!(!page.contains("<img") && !page.contains("href=\"javascript"), "{path}\n{page}");
        for handler in ["\"onmouseover", "\"onfocus", "\"onclick", "'onfocus"] {
            assert!(!page.contains(handler), "{path} {handler}\n{page}");
        }
        let policy = said.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(said.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_refusal_is_a_page_too_but_only_for_browsers() {
    let w = world::one().await;
    for (path, status) in [("/api/nosuch/", 404), ("/api/peering/autonomous-systems/999999/", 404)] {
        let (said, page) = look(&w, path).await;
        said.is(status);
        assert!(page.contains("<h1>Not Found</h1>") && page.contains("&quot;detail&quot;: "), "{page}");
        w.ask(&format!("GET {path}")).await.is(status);
        let any = w.send(&format!("GET {path}"), &[("accept", "*/*")], "").await;
        assert_eq!(any.header("content-type"), "application/json", "{path}");
    }
    let nobody = w.send(&format!("GET {AS}"), &[("accept", BROWSER)], "").await;
    let page = String::from_utf8(nobody.is(403).bytes.to_vec()).unwrap();
    assert!(page.contains("data-status=\"403\"") && page.contains("id=\"token\""), "{page}");
    assert!(page.contains("Authentication credentials were not provided."), "{page}");
}

#[tokio::test]
async fn a_map_is_a_page_of_links() {
    let w = world::one().await;
    let (_, page) = look(&w, "/api/").await;
    assert!(page.contains("<h1>API Root</h1>") && !page.contains("<select"), "{page}");
    assert!(page.contains("<a rel=\"noreferrer\" href=\"http://pm.example/api/peering/\">"), "{page}");
    // What is asked to be JSON is.
    let said = w.send("GET /api/?format=json", &[("accept", BROWSER)], "").await;
    assert_eq!(said.header("content-type"), "application/json");
    assert!(w.send("GET /api/?format=api", &[("accept", "application/json")], "").await.header("content-type") != "");
}
