//! Webhooks of the whole server, which is killed in the middle of calls.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

use crate::kit::{Server, until};

/// Longer than anything here takes on a busy machine: a server that was killed leaves a lease of half a minute behind.
const SOON: Duration = Duration::from_secs(120);

/// One call as it came in: its id, and the name of the tag it tells of.
type Heard = (String, String);

/// Somebody's server. It leaves the calls about some tags without an answer the first time, and says so.
struct Sink {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    hangs: mpsc::UnboundedReceiver<()>,
}

impl Sink {
    async fn silent_about(names: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let (tell, hangs) = mpsc::unbounded_channel();
        let mut silent: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let all = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = String::new();
                let call = loop {
                    let mut part = vec![0; 65536];
                    let Ok(read @ 1..) = stream.read(&mut part).await else { break None };
                    text.push_str(&String::from_utf8_lossy(&part[..read]));
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let Ok(body) = serde_json::from_str::<Value>(body) else { continue };
                    let id = head.lines().find_map(|line| {
                        let (name, value) = line.split_once(':')?;
                        name.eq_ignore_ascii_case("x-hook-id").then(|| value.trim().to_owned())
                    });
                    break id.zip(body["data"]["name"].as_str().map(str::to_owned));
                };
                let Some(call) = call else { continue };
                let at = silent.iter().position(|name| *name == call.1);
                all.lock().unwrap().push(call);
                if let Some(at) = at {
                    silent.remove(at);
                    held.push(stream);
                    tell.send(()).unwrap();
                } else {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    // Who asks may be gone already.
                    stream.write_all(answer).await.ok();
                }
            }
        });
        Self { url, heard, hangs }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_server_that_is_killed_while_it_calls_tells_everything_in_order_and_nothing_but_the_last_twice() {
    let mut sink = Sink::silent_about(&["tag 3", "tag 14"]).await;
    let mut server = Server::with(&[("MEETME__HOOKS__ALLOW", "[\"127.0.0.0/8\"]")]).await;
    let hook = json!({
        "name": "To the test", "content_types": ["extras.tag"], "type_create": true, "payload_url": sink.url,
        "secret": "hunter2",
    });
    server.peering("POST", "/api/extras/webhooks/", Some(&hook)).await.is(201);
    let make = async |server: &Server, from: u32, to: u32| {
        for n in from..=to {
            let tag = json!({"name": format!("tag {n}"), "slug": format!("tag-{n}")});
            server.peering("POST", "/api/extras/tags/", Some(&tag)).await.is(201);
        }
    };
    for (from, to) in [(1, 10), (11, 20)] {
        make(&server, from, to).await;
        // The call is under way and has no answer: a power cut.
        let hangs = tokio::time::timeout(SOON, sink.hangs.recv()).await;
        assert!(hangs.is_ok(), "{:?}\n{}", sink.heard(), server.said());
        server.kill();
        server.start().await;
    }
    let last = || sink.heard().last().is_some_and(|(_, name)| name == "tag 20");
    let done = until(SOON, async || last().then_some(())).await;
    assert!(done.is_some(), "{:?}\n{}", sink.heard(), server.said());
    let heard = sink.heard();
    let mut once = heard.clone();
    once.dedup();
    let names: Vec<&str> = once.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, (1..=20).map(|n| format!("tag {n}")).collect::<Vec<_>>(), "each, in order");
    // What had no answer was told again under the same id, by which whoever listens knows it.
    let told = |name: &str| heard.iter().filter(|(_, of)| of == name).count();
    assert_eq!((told("tag 3"), told("tag 14")), (2, 2));
    let mut ids: Vec<&str> = once.iter().map(|(id, _)| id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}
