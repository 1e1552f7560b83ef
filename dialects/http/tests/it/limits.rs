use std::{
    convert::Infallible,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use meetme_http::{Limits, ServerConfig};
use serde_json::json;

use crate::fake::{Lab, request};

const JSON: (&str, &str) = ("content-type", "application/json");
const KEY: (&str, &str) = ("x-key", "good");

#[tokio::test]
async fn a_caller_must_be_known_where_the_table_says_so() {
    let lab = Lab::new();
    assert_eq!(lab.send("GET /things", &[], "").await.by(), (401, "alpha".into()));
    assert_eq!(lab.send("GET /things", &[("x-key", "bad")], "").await.by(), (401, "alpha".into()));
    assert_eq!(lab.get("/things").await.json()["known"], true);
}

#[tokio::test]
async fn an_optional_credential_may_be_absent_but_not_wrong() {
    let lab = Lab::new();
    assert_eq!(lab.send("GET /things/1/parts/2", &[], "").await.json()["known"], false);
    assert_eq!(lab.get("/things/1/parts/2").await.json()["known"], true);
    assert_eq!(lab.send("GET /things/1/parts/2", &[("x-key", "bad")], "").await.status, 401);
}

#[tokio::test]
async fn a_body_is_decoded_or_its_fault_is_named() {
    let lab = Lab::new();
    let good = lab.send("POST /things", &[JSON, KEY], r#"{"name":"a"}"#).await;
    assert_eq!((good.status, good.header("location")), (201, "http://meetme.example/things/a"));
    let wrong = lab.send("POST /things", &[JSON, KEY], r#"{"name":"a","part":{"size":300}}"#).await;
    assert_eq!((wrong.status, &wrong.json()["fields"]), (400, &json!(["part.size"])));
    let empty = lab.send("POST /things", &[JSON, KEY], "").await;
    assert_eq!((empty.status, &empty.json()["fields"]), (400, &json!(["name"])));
    let broken = lab.send("POST /things", &[JSON, KEY], "{").await;
    assert!(broken.json()["says"].as_str().unwrap().starts_with("The body is not valid JSON"));
    let form = lab.send("POST /things", &[("content-type", "application/x-www-form-urlencoded"), KEY], "name=a").await;
    assert_eq!((form.by().0, form.by().1.as_str()), (415, "alpha"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_the_dialect() {
    let lab = Lab::limited(Limits { body_bytes: 100, ..Limits::default() });
    assert_eq!(lab.send("PUT /small", &[], "0123456789").await.json()["body"], "0123456789");
    assert_eq!(lab.send("PUT /small", &[], "0123456789x").await.by(), (413, "alpha".into()));
    assert_eq!(lab.send("PUT /shared/1", &[], &"x".repeat(101)).await.by(), (413, "beta".into()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let never = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>());
    assert_eq!(Lab::new().send_body("PUT /small", &[], never).await.by(), (408, "alpha".into()));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_does_not_finish_is_given_up() {
    assert_eq!(Lab::new().get("/slow").await.by(), (503, "alpha".into()));
}

#[tokio::test]
async fn a_panic_is_our_error_in_the_dialects_words_and_says_nothing() {
    let lab = Lab::new();
    for path in ["/panic", "/nobody", "/unwritable"] {
        let answer = lab.get(path).await;
        assert_eq!(answer.by(), (500, "alpha".into()), "{path}");
        assert_eq!(answer.json()["says"], "An internal error occurred; the log has it under this request's id.");
        assert_eq!(answer.header("x-alpha-version"), "1.2");
    }
    assert_eq!(lab.get("/things").await.status, 200);
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_our_own() {
    let lab = Lab::new();
    let answer = lab.send("GET /things", &[KEY, ("x-request-id", "mine")], "").await;
    assert_eq!(answer.json()["id"], answer.header("x-request-id"));
    for path in ["/nowhere", "/healthz", "/panic", "/api/things"] {
        assert_eq!(lab.get(path).await.header("x-request-id").len(), 36, "{path}");
    }
}

#[tokio::test]
async fn a_client_over_its_rate_is_told_when_to_come_back() {
    let lab = Lab::limited(Limits { rate_per_second: 1, burst: 2, ..Limits::default() });
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(lab.from("192.0.2.1", "/shared/1", &[("x-dialect", "beta")]).await);
    }
    assert_eq!((answers[1].status, answers[2].by()), (200, (429, "beta".into())));
    assert_eq!(answers[2].header("retry-after"), "1");
    assert_eq!(lab.from("192.0.2.2", "/shared/1", &[]).await.status, 200);
    assert_eq!(lab.from("192.0.2.1", "/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn a_limit_of_the_core_has_its_retry_after_in_whole_seconds() {
    let answer = Lab::new().get("/limited").await;
    assert_eq!((answer.by().0, answer.header("retry-after")), (429, "3"));
}

#[tokio::test]
async fn a_client_that_guesses_credentials_is_kept_out() {
    let lab = Lab::limited(Limits { auth_failures_per_minute: 2, ..Limits::default() });
    let guess = [("x-key", "guess")];
    for wanted in [401, 401, 401, 429] {
        assert_eq!(lab.from("192.0.2.1", "/things", &guess).await.by(), (wanted, "alpha".into()));
    }
    assert_eq!(lab.from("192.0.2.1", "/things", &[KEY]).await.status, 429);
    assert_eq!(lab.from("192.0.2.2", "/things", &[KEY]).await.status, 200);
    for _ in 0..10 {
        assert_eq!(lab.from("192.0.2.3", "/things", &[]).await.status, 401);
    }
}

#[tokio::test]
async fn forwarding_headers_count_from_trusted_proxies_only() {
    let lab =
        Lab::with(ServerConfig { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ServerConfig::default() });
    let said =
        [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "front.example")];
    let (behind, direct) =
        (lab.from("10.1.1.1", "/shared/1", &said).await.json(), lab.from("192.0.2.1", "/shared/1", &said).await.json());
    assert_eq!((&behind["peer"], &behind["base"]), (&json!("198.51.100.7"), &json!("https://front.example")));
    assert_eq!((&direct["peer"], &direct["base"]), (&json!("192.0.2.1"), &json!("http://meetme.example")));
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_accept_it() {
    let lab = Lab::new();
    let plain = lab.get("/big").await;
    let packed = lab.send("GET /big", &[("accept-encoding", "br, gzip")], "").await;
    assert_eq!(
        (packed.header("content-encoding"), packed.header("vary"), plain.header("vary")),
        ("gzip", "accept-encoding", "accept-encoding")
    );
    let mut unpacked = flate2::write::GzDecoder::new(Vec::new());
    unpacked.write_all(&packed.body).unwrap();
    assert_eq!(unpacked.finish().unwrap(), plain.body);
    for path in ["/shared/1", "/tagged"] {
        assert_eq!(
            lab.send(&format!("GET {path}"), &[("accept-encoding", "gzip")], "").await.header("content-encoding"),
            "",
            "{path}"
        );
    }
    let events = lab
        .server
        .call(&lab.door, request("GET /events", &[("accept-encoding", "gzip")], http_body_util::Empty::<Bytes>::new()))
        .await;
    assert!(!events.headers().contains_key("content-encoding"));
    let off = Lab::with(ServerConfig { compression: false, ..ServerConfig::default() });
    assert_eq!(off.send("GET /big", &[("accept-encoding", "gzip")], "").await.header("content-encoding"), "");
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let mut lab = Lab::new();
    assert_eq!(lab.get("/readyz").await.json(), json!({ "ready": true, "not_ready": {} }));
    let fine = || -> meetme_http::Soon<'static, Result<(), String>> { Box::pin(async { Ok(()) }) };
    lab.server =
        lab.server.check("database", || Box::pin(async { Err("no connection".to_owned()) })).check("clock", fine);
    let answer = lab.get("/readyz").await;
    assert_eq!(
        (answer.status, answer.json()),
        (503, json!({ "ready": false, "not_ready": { "database": "no connection" } }))
    );
}

#[tokio::test]
async fn requests_are_counted_by_operation() {
    let lab = Lab::new();
    lab.get("/things/1").await;
    lab.get("/things/2").await;
    lab.get("/nowhere").await;
    lab.get("/panic").await;
    let text = String::from_utf8(lab.get("/metrics").await.body.to_vec()).unwrap();
    for line in [
        r#"meetme_http_requests_total{dialect="alpha",op="getThing",class="2xx"} 2"#,
        r#"meetme_http_requests_total{dialect="alpha",op="none",class="4xx"} 1"#,
        r#"meetme_http_requests_total{dialect="alpha",op="panic",class="5xx"} 1"#,
        "meetme_http_requests_in_flight 1",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    lab.get("/healthz").await;
    let text = lab.server.metrics().text().unwrap();
    assert!(text.contains(r#"meetme_http_requests_total{dialect="none",op="none",class="2xx"} 2"#), "{text}");
}

#[tokio::test]
async fn a_request_is_one_line_of_log_without_its_secrets() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // For the whole process: the interest in a line is cached across threads, and other tests run beside this one.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::callsite::rebuild_interest_cache();
    let answer = Lab::new().send("GET /things?token=abc&limit=1", &[KEY, ("x-request-id", "theirs")], "").await;
    let all = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let mine: Vec<&str> = all.lines().filter(|line| line.contains(answer.header("x-request-id"))).collect();
    let [text] = mine.as_slice() else { panic!("not one line: {mine:?}") };
    for piece in ["/things?token=***&limit=1", "theirs", "http.status=200", "listThings", "127.0.0.1"] {
        assert!(text.contains(piece), "{piece} is not in {text}");
    }
    assert!(!text.contains("abc"), "{text}");
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_readiness_check_that_hangs_is_not_ready() {
    let mut lab = Lab::new();
    lab.server = lab.server.check("stuck", || Box::pin(std::future::pending()));
    let before = tokio::time::Instant::now();
    assert_eq!(lab.get("/readyz").await.json()["not_ready"]["stuck"], "no answer");
    assert!(before.elapsed() < Duration::from_secs(10));
}
