use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use meetme_http::Content;
use serde_json::{Value, json};

use crate::world::{World, both, one};

/// An open stream, read event by event.
struct Events {
    content: Content,
    text: String,
}

/// One event: id, type, data.
type Event = (String, String, Value);

impl Events {
    async fn open(world: &World, token: &str, path: &str, last: Option<&str>) -> Self {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(last.map(|last| ("last-event-id", last)));
        let response = world.ask(&format!("GET {path}"), &headers, &Value::Null).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { content: response.into_body(), text: String::new() }
    }

    async fn chunk(&mut self) -> Option<Bytes> {
        let next = tokio::time::timeout(Duration::from_secs(10), self.content.frame());
        next.await.expect("an event within ten seconds").map(|frame| frame.unwrap().into_data().unwrap())
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().to_owned()
                };
                let out = (field("id: "), field("event: "), serde_json::from_str(&field("data: ")).unwrap_or_default());
                self.text = rest.to_owned();
                if !out.1.is_empty() {
                    return Some(out);
                }
                continue;
            }
            let chunk = self.chunk().await?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

fn team(name: &str) -> Value {
    json!({ "name": name })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_goes_on_without_loss_and_without_repeats() {
    for world in both().await {
        let mut events = Events::open(&world, &world.root, "/team/watch", None).await;
        let (mut last, kind, _) = events.next().await.unwrap();
        assert_eq!(kind, "ready");
        let write = async {
            for batch in 0..6 {
                let names: Vec<String> = (0..5).map(|i| format!("t{batch}{i}")).collect();
                futures_util::stream::iter(&names)
                    .for_each_concurrent(5, async |name| {
                        world.root("POST /team", &team(name)).await.is(201);
                    })
                    .await;
            }
        };
        let read = async {
            let mut seen = Vec::new();
            while seen.len() < 30 {
                // Every few events the connection is lost.
                for _ in 0..7.min(30 - seen.len()) {
                    let (id, kind, data) = events.next().await.unwrap();
                    assert_eq!(kind, "change");
                    assert_eq!(data["cursor"], json!(id));
                    last = id;
                    seen.push(data["after"]["name"].as_str().unwrap().to_owned());
                }
                events = Events::open(&world, &world.root, "/team/watch", Some(&last)).await;
                assert_eq!(events.next().await.unwrap().1, "ready");
            }
            seen
        };
        let ((), mut seen) = futures_util::future::join(write, read).await;
        seen.sort();
        let wanted: Vec<String> = (0..6).flat_map(|b| (0..5).map(move |i| format!("t{b}{i}"))).collect();
        assert_eq!(seen, wanted, "{}", world.make);
    }
}

#[tokio::test]
async fn a_stream_begins_at_any_cursor() {
    for world in both().await {
        world.root("POST /team", &team("a")).await.is(201);
        let mut events = Events::open(&world, &world.root, "/watch?kind=team&cursor=0-0", None).await;
        assert_eq!(events.next().await.unwrap().1, "ready");
        let (cursor, _, data) = events.next().await.unwrap();
        assert_eq!((&data["kind"], &data["verb"], &data["title"]), (&json!("team"), &json!("create"), &json!("a")));
        let log = world.root(&format!("GET /changes?kind=team&cursor={cursor}"), &Value::Null).await.is(200).json();
        assert_eq!((&log["items"], &log["cursor"]), (&json!([]), &json!(cursor)));
        world.root("GET /watch?cursor=here", &Value::Null).await.is(422);
    }
}

#[tokio::test]
async fn a_filtered_stream_tells_what_enters_and_leaves() {
    for world in both().await {
        let filter = "%7B%22field%22:%22name%22,%22op%22:%22starts%22,%22value%22:%22in%22%7D";
        let mut events = Events::open(&world, &world.root, &format!("/team/watch?filter={filter}"), None).await;
        assert_eq!(events.next().await.unwrap().1, "ready");
        let made = world.root("POST /team", &team("in a")).await.is(201).json();
        let (_, _, data) = events.next().await.unwrap();
        assert_eq!((&data["matches"], &data["row"]), (&json!(true), &made));
        let at = format!("/team/{}", made["id"]);
        world.root(&format!("PATCH {at}"), &team("out")).await.is(200);
        let (_, _, data) = events.next().await.unwrap();
        assert_eq!((&data["matches"], data.get("row")), (&json!(false), None));
        world.root(&format!("DELETE {at}"), &Value::Null).await.is(204);
        assert_eq!(events.next().await.unwrap().2["verb"], "remove");
    }
}

#[tokio::test]
async fn a_stream_shows_no_strangers_rows() {
    for world in both().await {
        let mut events = Events::open(&world, &world.customer, "/watch?kind=team", None).await;
        assert_eq!(events.next().await.unwrap().1, "ready");
        world.root("POST /team", &team("not theirs")).await.is(201);
        world.by(&world.customer, "POST /team", &team("theirs")).await.is(201);
        assert_eq!(events.next().await.unwrap().2["title"], "theirs");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_credential() {
    let world = one().await;
    let key = world.root("POST /key", &json!({"name": "short"})).await.is(201).json();
    let secret = key["secret"].as_str().unwrap();
    let mut events = Events::open(&world, secret, "/team/watch", None).await;
    assert_eq!(events.next().await.unwrap().1, "ready");
    world.root(&format!("PATCH /key/{}", key["id"]), &json!({"enabled": false})).await.is(200);
    let (_, kind, data) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), data["detail"].as_str()), ("end", Some("The credential is disabled.")));
    assert!(events.next().await.is_none());

    // And with its time.
    let login = json!({"username": "root", "password": "correct horse"});
    let session = world.send("POST /login", &[], &login).await.is(200).json();
    let mut events = Events::open(&world, session["token"].as_str().unwrap(), "/team/watch", None).await;
    assert_eq!(events.next().await.unwrap().1, "ready");
    world.clock.step_seconds(session["seconds"].as_i64().unwrap() + 1);
    assert_eq!(events.next().await.unwrap().1, "end");
}
