//! Hooks over real connections to a server of the test's own, on each database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use meetme_app::{Error, hooks::Voice, identity};
use meetme_base::{Id, RawId, Reach, Secret, Time};
use meetme_control::{Runner, Settings as Pace};
use meetme_hook::{HookController, Listener, Settings};
use meetme_model::{
    access::Organization,
    ops::{Hook, HookStatus, Tag},
};
use meetme_store::{Context, Tx};
use meetme_testkit::{Place, as_system};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// How long a lease lasts. The clock of these tests is moved by seconds for pauses between tries, which must not end one.
const LEASE: i64 = 100_000;

const NOW: Time = Time(1_790_000_000_123);

/// A request that came in: its head in lower case, and its body.
#[derive(Clone, Debug)]
struct Heard {
    head: String,
    body: serde_json::Value,
    text: String,
}

impl Heard {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }
}

/// Somebody's server: answers with these statuses in turn, then with 200; 0 means that it hangs up without a word.
struct Sink {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
    task: JoinHandle<()>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sink {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (heard, answers) = (Arc::<Mutex<Vec<Heard>>>::default(), Arc::<Mutex<VecDeque<_>>>::default());
        let (all, next) = (Arc::clone(&heard), Arc::clone(&answers));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some((stream, request)) = read(stream).await else { continue };
                all.lock().unwrap().push(request);
                let answer = next.lock().unwrap().pop_front().unwrap_or((200, ""));
                say(stream, answer).await;
            }
        });
        Self { url, heard, answers, task }
    }

    fn then(&self, answers: &[(u16, &'static str)]) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until that many requests came in.
    async fn hears(&self, count: usize) -> Vec<Heard> {
        eventually("requests come in", || self.heard().len() >= count).await;
        self.heard()
    }
}

async fn read(mut stream: TcpStream) -> Option<(TcpStream, Heard)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                let json = serde_json::from_str(body).unwrap_or(serde_json::Value::Null);
                return Some((stream, Heard { head, body: json, text: body.to_owned() }));
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&part[..n]),
        }
    }
}

async fn say(mut stream: TcpStream, (status, more): (u16, &str)) {
    if status == 0 {
        return;
    }
    let text = format!("HTTP/1.1 {status} X\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n");
    // The caller may be gone, which some tests mean.
    drop(stream.write_all(text.as_bytes()).await);
}

async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is() {
        assert!(Instant::now() < end, "{what} in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The core, with runner and listener.
struct World {
    place: Place,
    top: RawId,
}

/// What runs; stopped when told so, or torn off as by a power failure when dropped.
struct Running {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn open() -> Reach {
    Reach { allow: vec!["127.0.0.0/8".parse().unwrap()] }
}

impl World {
    async fn each() -> Vec<Self> {
        let mut out = Vec::new();
        for place in meetme_testkit::both(NOW) {
            let password = Secret::new("a long password".to_owned());
            let made = as_system(&place.app, move |app, tx| {
                Ok(identity::first(app, tx, "Operator", "root", &password)?.operator)
            });
            let top = made.await.id.any();
            out.push(Self { place, top });
        }
        out
    }

    fn run(&self, settings: Settings) -> Running {
        drop(rustls::crypto::ring::default_provider().install_default());
        let app = self.place.app.clone();
        let voices: Vec<Box<dyn Voice>> = Vec::new();
        let controller = HookController::new(app.clone(), voices, settings);
        let pace = Pace { poll: Duration::from_millis(20), lease_seconds: LEASE, ..Pace::default() };
        let runner = Runner::new(app.store().clone(), vec![Box::new(controller)], pace);
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(runner.run(stop.child_token())),
            tokio::spawn(Listener::new(app).run(stop.child_token())),
        ];
        Running { stop, tasks }
    }

    fn quick(&self) -> Running {
        let pause = Duration::from_millis(100);
        self.run(Settings { reach: open(), first_pause: pause, longest_pause: pause, ..Settings::default() })
    }

    async fn write<T: Send + 'static>(&self, f: impl Fn(&mut Tx<'_>, RawId) -> Result<T, Error> + Send + 'static) -> T {
        let top = self.top;
        as_system(&self.place.app, move |_, tx| f(tx, top)).await
    }

    async fn hook(&self, hook: Hook) -> Id<Hook> {
        self.write(move |tx, top| Ok(tx.create(top, hook.clone())?.id)).await
    }

    async fn tag(&self, name: &str) -> Id<Tag> {
        let tag = Tag::new(name, name.replace(' ', "-"));
        self.write(move |tx, top| Ok(tx.create(top, tag.clone())?.id)).await
    }

    async fn status(&self, id: Id<Hook>) -> HookStatus {
        let app = &self.place.app;
        app.store().read::<_, Error, _>(Context::system(), move |tx| Ok(tx.get(id)?.status)).await.unwrap()
    }

    async fn until(&self, id: Id<Hook>, what: &str, is: impl Fn(&HookStatus) -> bool) -> HookStatus {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.status(id).await;
            if is(&status) {
                return status;
            }
            assert!(Instant::now() < end, "{what} in vain on {}: {status:?}", self.place.make);
            // Time passes for the server too, whose clock stands still otherwise.
            self.place.clock.step_seconds(1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn on_tags(url: &str) -> Hook {
    Hook {
        name: "Tags".into(),
        kinds: vec!["tag".into()],
        on_create: true,
        on_update: true,
        on_remove: true,
        url: url.into(),
        ..Hook::default()
    }
}

#[tokio::test]
async fn each_change_is_told_once_and_in_its_order() {
    for w in World::each().await {
        let sink = Sink::new().await;
        // What happened before the hook was made is nobody's affair.
        w.tag("before").await;
        let secret = w.place.app.sealer().seal("key").unwrap();
        let headers = "X-Token: abc\nAccept: text/plain".to_owned();
        let id = w.hook(Hook { secret: Some(secret), headers, ..on_tags(&sink.url) }).await;
        let first = w.tag("first").await;
        let running = w.quick();
        w.write(move |tx, _| {
            let mut tag = tx.get(first)?;
            Ok(tx.save(&mut tag, Tag::new("second", "first"))?)
        })
        .await;
        w.write(move |tx, _| Ok(tx.remove(first)?)).await;
        let heard = sink.hears(3).await;
        let told: Vec<_> =
            heard.iter().map(|one| (one.body["event"].as_str(), one.body["data"]["title"].as_str())).collect();
        assert_eq!(
            told,
            [(Some("create"), Some("first")), (Some("update"), Some("second")), (Some("remove"), Some("second"))],
            "{}",
            w.place.make
        );
        assert!(heard[0].head.starts_with("post /hook http/1.1"), "{}", heard[0].head);
        assert_eq!(heard[0].header("x-token"), Some("abc"));
        assert_eq!(heard[0].header("content-type"), Some("application/json"));
        assert_eq!(heard[0].header("x-hook-signature").map(str::len), Some(128));
        let ids: Vec<_> = heard.iter().map(|one| one.header("x-hook-id")).collect();
        assert!(ids[0].is_some() && ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
        let status = w.until(id, "the end is noted", |status| status.delivered == 3).await;
        assert_eq!((status.failures, status.last_status, status.last_error), (0, Some(200), None));
        drop(running);
        assert_eq!(sink.heard().len(), 3);
    }
}

#[tokio::test]
async fn only_what_the_conditions_let_through_is_told() {
    for w in World::each().await {
        let sink = Sink::new().await;
        let conditions = serde_json::json!({"attr": "spec.name", "op": "regex", "value": "core"});
        let hook = Hook { conditions: Some(conditions), on_update: false, on_remove: false, ..on_tags(&sink.url) };
        let id = w.hook(hook).await;
        let _running = w.quick();
        for name in ["edge", "core-1", "my-core", "core-2"] {
            w.tag(name).await;
        }
        let heard = sink.hears(2).await;
        let names: Vec<_> = heard.iter().map(|one| one.body["data"]["spec"]["name"].as_str()).collect();
        assert_eq!(names, [Some("core-1"), Some("core-2")], "{}", w.place.make);
        w.until(id, "the end is noted", |status| status.delivered == 2).await;
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id_and_in_its_order() {
    for w in World::each().await {
        let sink = Sink::new().await;
        // A redirection is no success, and is not followed.
        sink.then(&[(500, ""), (0, ""), (302, "location: /elsewhere\r\n"), (204, "")]);
        let id = w.hook(on_tags(&sink.url)).await;
        w.tag("one").await;
        w.tag("two").await;
        let _running = w.quick();
        let status = w.until(id, "everything is told", |status| status.delivered == 2).await;
        assert_eq!((status.failures, status.given_up, status.retry_at), (0, 0, None));
        let heard = sink.heard();
        let names: Vec<_> = heard.iter().map(|one| one.body["data"]["title"].as_str().unwrap()).collect();
        assert_eq!(names, ["one", "one", "one", "one", "two"], "{}", w.place.make);
        let ids: Vec<_> = heard.iter().map(|one| one.header("x-hook-id").unwrap()).collect();
        assert!(ids[..4].iter().all(|id| *id == ids[0]) && ids[4] != ids[0], "{ids:?}");
        assert!(heard.iter().all(|one| one.head.starts_with("post /hook ")));
    }
}

#[tokio::test]
async fn a_failing_hook_shows_it_and_gives_up_at_last() {
    for w in World::each().await {
        let sink = Sink::new().await;
        sink.then(&[(500, ""), (500, ""), (500, "")]);
        let id = w.hook(on_tags(&sink.url)).await;
        w.tag("one").await;
        w.tag("two").await;
        let pause = Duration::from_millis(100);
        let settings =
            Settings { reach: open(), first_pause: pause, longest_pause: pause, tries: 3, ..Settings::default() };
        let _running = w.run(settings);
        eventually("a failure is shown", || !sink.heard().is_empty()).await;
        let status = w.until(id, "the next is told", |status| status.delivered == 1).await;
        assert_eq!((status.given_up, status.failures), (1, 0), "{}", w.place.make);
        let names: Vec<_> = sink.heard().iter().map(|one| one.body["data"]["title"].clone()).collect();
        assert_eq!(names, ["one", "one", "one", "two"]);
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_process_dies() {
    for w in World::each().await {
        let sink = Sink::new().await;
        let id = w.hook(on_tags(&sink.url)).await;
        // Whoever is called says nothing for ever, so the process dies in the midst of a call.
        let stuck = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = format!("http://{}/hook", stuck.local_addr().unwrap());
        w.write(move |tx, _| {
            let mut hook = tx.get(id)?;
            let spec = Hook { url: silent.clone(), ..hook.spec.clone() };
            Ok(tx.save(&mut hook, spec)?)
        })
        .await;
        let running = w.quick();
        w.tag("one").await;
        let held = tokio::time::timeout(Duration::from_secs(30), stuck.accept()).await.unwrap().unwrap();
        drop(running);
        drop(held);
        w.tag("two").await;
        let url = sink.url.clone();
        w.write(move |tx, _| {
            let mut hook = tx.get(id)?;
            let spec = Hook { url: url.clone(), ..hook.spec.clone() };
            Ok(tx.save(&mut hook, spec)?)
        })
        .await;
        // The lease of the dead runs out.
        w.place.clock.step_seconds(LEASE + 1);
        let _running = w.quick();
        let status = w.until(id, "everything is told", |status| status.delivered >= 2).await;
        assert_eq!(status.given_up, 0);
        let names: Vec<_> = sink.heard().iter().map(|one| one.body["data"]["title"].clone()).collect();
        assert_eq!(names, ["one", "two"], "{}", w.place.make);
    }
}

#[tokio::test]
async fn a_hook_that_was_switched_off_hears_of_what_comes_after() {
    for w in World::each().await {
        let sink = Sink::new().await;
        let id = w.hook(Hook { enabled: false, ..on_tags(&sink.url) }).await;
        let _running = w.quick();
        w.tag("while off").await;
        // The controller is woken for the hook itself by a trigger, which this test stands in for.
        let wake = move |tx: &mut Tx<'_>, _| {
            let now = tx.now();
            Ok(tx.enqueue("hook", id.any(), now)?)
        };
        w.write(wake).await;
        w.until(id, "the pause is noted", |status| status.paused).await;
        w.write(move |tx, _| {
            let mut hook = tx.get(id)?;
            let spec = Hook { enabled: true, ..hook.spec.clone() };
            Ok(tx.save(&mut hook, spec)?)
        })
        .await;
        w.tag("while on").await;
        let heard = sink.hears(1).await;
        assert_eq!(heard[0].body["data"]["title"], "while on", "{}", w.place.make);
        w.until(id, "the end is noted", |status| status.delivered == 1).await;
    }
}

#[tokio::test]
async fn a_hook_reaches_nothing_inside() {
    let w = World::each().await.remove(0);
    let sink = Sink::new().await;
    let port = sink.url.rsplit(':').next().unwrap().to_owned();
    let _running = w.run(Settings::default());
    for (i, host) in
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"].iter().enumerate()
    {
        let url = format!("http://{host}:{port}");
        let id = w.hook(Hook { name: format!("H{i}"), ..on_tags(&url) }).await;
        w.tag(&format!("t{i}")).await;
        let status = w.until(id, "the failure is shown", |status| status.failures > 0).await;
        let why = status.last_error.unwrap();
        assert!(why.contains("not one that hooks may call") || why.contains("cannot be resolved"), "{host}: {why}");
        assert_eq!((status.delivered, status.last_status), (0, None));
    }
    assert!(sink.heard().is_empty(), "{:?}", sink.heard());
}

#[tokio::test]
async fn a_body_may_come_from_a_template() {
    let w = World::each().await.remove(0);
    let sink = Sink::new().await;
    let body = r#"{"text": "{{ event }} {{ data.title }}"}"#.to_owned();
    w.hook(Hook { body, content_type: "text/x".into(), ..on_tags(&sink.url) }).await;
    // A template that never ends is ended.
    let body = "{% for i in range(9999) %}{% for k in range(9999) %}x{% endfor %}{% endfor %}".to_owned();
    let bad = Hook { name: "Bad".into(), body, on_update: false, ..on_tags(&sink.url) };
    let bad = w.hook(bad).await;
    let _running = w.quick();
    w.tag("one").await;
    let heard = sink.hears(1).await;
    assert_eq!(
        (heard[0].text.as_str(), heard[0].header("content-type")),
        (r#"{"text": "create one"}"#, Some("text/x"))
    );
    let status = w.until(bad, "the failure is shown", |status| status.failures > 0).await;
    let why = status.last_error.unwrap_or_default();
    assert!(why.starts_with("The body cannot be made: "), "{why}");
}

#[tokio::test]
async fn a_hook_hears_of_its_own_node_only() {
    let w = World::each().await.remove(0);
    let sink = Sink::new().await;
    let hook = on_tags(&sink.url);
    let (inside, outside) = w
        .write(move |tx, top| {
            let child = |tx: &mut Tx<'_>, name: &str| {
                let spec = Organization { name: name.into(), parent: Some(top.of()), ..Organization::default() };
                Ok::<_, Error>(tx.create(top, spec)?.id.any())
            };
            let (inside, outside) = (child(tx, "In")?, child(tx, "Out")?);
            tx.create(inside, hook.clone())?;
            Ok((inside, outside))
        })
        .await;
    let _running = w.quick();
    w.write(move |tx, _| Ok(tx.create(outside, Tag::new("outside", "outside"))?.id)).await;
    w.write(move |tx, _| Ok(tx.create(inside, Tag::new("inside", "inside"))?.id)).await;
    let heard = sink.hears(1).await;
    assert_eq!(heard[0].body["data"]["title"], "inside");
}
