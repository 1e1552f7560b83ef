//! The service on both stores, from files and over HTTP.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use meetme_app::{App, Error, MasterKey, Sealer, Settings, rpki};
use meetme_base::{Asn, RawId, SystemClock};
use meetme_control::{Runner, Settings as Pace};
use meetme_model::{
    access::{Form, Organization},
    routing::{RoaChunk, RoaTable},
};
use meetme_rpki::Config;
use meetme_store::{Context, Filter, Object, Open, Store};
use meetme_testdb::Temp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(60);

struct World {
    app: App,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _database: Temp<Open>,
}

impl World {
    async fn on(database: Temp<Open>, config: Config) -> Self {
        let open = (*database).clone();
        let opening = std::thread::spawn(move || {
            Store::open(&open, meetme_rpki::triggers(meetme_control::registry()), Arc::new(SystemClock)).unwrap()
        });
        let store = opening.join().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5".repeat(64)).unwrap());
        let app = App::new(store.clone(), sealer, Settings::default());
        let pace = Pace {
            poll: Duration::from_millis(50),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_millis(100),
            ..meetme_rpki::settings()
        };
        let runner = Runner::new(store, meetme_rpki::controllers(&app, &config), pace);
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner.run(stop.clone()));
        let begun = app.store().write::<_, Error, _>(Context::system(), |tx| {
            let operator =
                Organization { name: "Operator".to_owned(), form: Form::Operator, ..Organization::default() };
            Ok(tx.create(RawId::new(0), operator)?)
        });
        begun.await.unwrap();
        Self { app, stop, task, _database: database }
    }

    async fn until(&self, what: &str, holds: impl Fn(&Object<RoaTable>) -> bool) -> Object<RoaTable> {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let met = tokio::time::timeout(SOON, async {
            loop {
                let row =
                    self.app.store().read::<_, Error, _>(Context::system(), |tx| Ok(tx.one::<RoaTable>(&Filter::All)?));
                if let Some(row) = row.await.unwrap().filter(&holds) {
                    return row;
                }
                tick.tick().await;
            }
        });
        met.await.unwrap_or_else(|_| panic!("{what}: not in time"))
    }

    async fn table(&self) -> Arc<rpki::Table> {
        let app = self.app.clone();
        self.app.store().read(Context::system(), move |tx| rpki::table(&app, tx)).await.unwrap()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn export(roas: &[(&str, u32)]) -> String {
    let list: Vec<String> =
        roas.iter().map(|(prefix, asn)| format!(r#"{{"asn": {asn}, "prefix": "{prefix}", "ta": "x"}}"#)).collect();
    format!(r#"{{"metadata": {{}}, "roas": [{}]}}"#, list.join(","))
}

#[tokio::test]
async fn a_file_is_read_kept_and_read_again_when_it_changes() {
    for (_, database) in meetme_testdb::both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roas.json");
        std::fs::write(&path, export(&[("193.0.0.0/21", 3333)])).unwrap();
        let config =
            Config { source: Some(path.to_str().unwrap().to_owned()), refresh_seconds: 1, ..Config::default() };
        let world = World::on(database, config).await;
        let first = world.until("it is read", |row| row.status.version == 1).await;
        assert_eq!((first.status.count4, first.status.count6), (1, 0));
        let valid = rpki::Validity::Valid;
        assert_eq!(world.table().await.validity("193.0.0.0/21".parse().unwrap(), Asn::try_from(3333).ok()), valid);
        world.until("it is looked at again", |row| row.status.fetched_at > first.status.fetched_at).await;
        std::fs::write(&path, "{\"roas\": [").unwrap();
        let failed = world.until("nonsense is noted", |row| row.status.failure.is_some()).await;
        assert_eq!(failed.status.version, 1);
        assert_eq!(world.table().await.counts(), (1, 0), "the table before stays in use");
        std::fs::write(&path, export(&[("193.0.0.0/21", 3333), ("2001:678::/32", 3333)])).unwrap();
        world.until("it is read anew", |row| row.status.version == 2 && row.status.failure.is_none()).await;
        assert_eq!(world.table().await.counts(), (1, 1));
        let parts =
            world.app.store().read::<_, Error, _>(Context::system(), |tx| Ok(tx.count::<RoaChunk>(&Filter::All)?));
        assert_eq!(parts.await.unwrap(), 2, "nothing is left of the first table");
        world.end().await;
    }
}

/// A web server for one file: the requests it got, and what it answers.
fn serve(body: Arc<Mutex<String>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/vrps.json", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let body = body.lock().unwrap().clone();
            let etag = format!("\"{}\"", body.len());
            let answer = if head.contains(&format!("if-none-match: {etag}")) {
                "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_owned()
            } else {
                format!(
                    "HTTP/1.1 200 OK\r\nETag: {etag}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            };
            log.lock().unwrap().push(head);
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (url, asked)
}

#[tokio::test]
async fn an_export_over_http_is_fetched_again_only_when_it_changes_and_only_up_to_its_limit() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let body = Arc::new(Mutex::new(export(&[("193.0.0.0/21", 3333)])));
    let (url, asked) = serve(body.clone());
    let config = Config { source: Some(url), refresh_seconds: 1, max_bytes: 10_000, ..Config::default() };
    let world = World::on(meetme_testdb::sqlite(), config).await;
    let first = world.until("it is fetched", |row| row.status.version == 1).await;
    world.until("it is asked for again", |row| row.status.fetched_at > first.status.fetched_at).await;
    assert!(asked.lock().unwrap().iter().any(|head| head.contains("if-none-match")));
    *body.lock().unwrap() = export(&vec![("193.0.0.0/21", 3333); 1000]);
    let failed = world.until("what is too large is refused", |row| row.status.failure.is_some()).await;
    assert!(failed.status.failure.unwrap().contains("10000 bytes"));
    *body.lock().unwrap() = export(&[("193.0.0.0/21", 3333), ("193.0.8.0/21", 3334)]);
    let second = world.until("it is fetched anew", |row| row.status.version == 2).await;
    assert_eq!((second.status.count4, second.status.failure), (2, None));
    world.end().await;
}
