//! The client commands against a server of this test's own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "../src/client/mod.rs"]
mod client;

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use clap::Parser;
use meetme_app::{App, Error, MasterKey, Sealer, Settings, identity};
use meetme_base::{Secret, SystemClock};
use meetme_http::{Server, ServerConfig};
use meetme_store::{Context, Store};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: client::ClientCommand,
}

struct Lab {
    server: String,
    token: String,
    stop: CancellationToken,
}

impl Lab {
    async fn new(database: &meetme_store::Open) -> Self {
        let store = Store::open(database, meetme_model::registry(), Arc::new(SystemClock)).unwrap();
        let app = App::new(store, Sealer::new(&MasterKey::parse(&"5e".repeat(32)).unwrap()), Settings::default());
        let setting_up = app.clone();
        let first = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let first = identity::first(&setting_up, tx, "Operator", "root", &Secret::new("correct horse".to_owned()))?;
            Ok(first.key.secret.expose().clone())
        });
        let token = first.await.unwrap();
        let config = ServerConfig { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..ServerConfig::default() };
        let bound = Server::new(config, vec![meetme_native::dialect()], app).unwrap().bind().await.unwrap();
        let address = bound.listening().next().unwrap().address;
        let stop = CancellationToken::new();
        tokio::spawn(bound.run(stop.clone()));
        Self { server: format!("http://{address}"), token, stop }
    }

    fn line(&self, line: &str) -> client::ClientCommand {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let place = ["--server", &self.server, "--token", &self.token];
        Line::parse_from(std::iter::once("meetme").chain(words).chain(place)).command
    }

    /// What a command writes.
    async fn says(&self, line: &str) -> String {
        let mut out = Vec::new();
        client::run_to(self.line(line), &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The exit status of a command.
    async fn ends(&self, line: &str) -> ExitCode {
        client::run(self.line(line)).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_made_listed_changed_and_removed_from_the_command_line() {
    let database = meetme_testdb::sqlite();
    let lab = Lab::new(&database).await;
    let made = lab
        .says("create metro slug=us-ral name=Raleigh country=US geo:={\"latitude\":35.8,\"longitude\":-78.6} -o json")
        .await;
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["spec"]["slug"], &made["spec"]["geo"]["latitude"]), (&"us-ral".into(), &35.8.into()));
    let id = made["id"].to_string();

    let list = lab.says("list metro country=US --order -slug").await;
    assert!(list.starts_with("ID") && list.contains("Raleigh") && list.contains("us-ral"), "{list}");
    assert_eq!(lab.says("list metro country=DE -o json").await.replace(char::is_whitespace, ""), "{\"items\":[]}");
    assert!(lab.says(&format!("get metro {id}")).await.contains("spec.name  "));

    assert!(lab.says(&format!("patch metro {id} name=Durham --dry-run")).await.contains("Durham"));
    assert!(lab.says(&format!("get metro {id}")).await.contains("Raleigh"));
    lab.says(&format!("patch metro {id} name=Durham --if-version 1")).await;
    assert_eq!(format!("{:?}", lab.ends(&format!("patch metro {id} name=x --if-version 1")).await), status(5));
    assert_eq!(format!("{:?}", lab.ends(&format!("patch metro {id} country=usa")).await), status(6));
    assert_eq!(format!("{:?}", lab.ends("get metro 999999").await), status(3));

    let begin = "0-0";
    let follow = lab.line(&format!("watch metro --cursor {begin} -o json"));
    let mut seen = Seen::default();
    // The third line cannot be written, which ends the watch.
    let error = client::run_to(follow, &mut seen).await.unwrap_err();
    assert_eq!(error.to_string(), "enough");
    let verbs: Vec<_> = seen
        .text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["verb"].clone())
        .collect();
    assert_eq!(verbs, ["create", "update"]);

    lab.says(&format!("delete metro {id}")).await;
    assert!(lab.says("whoami").await.contains("root"));
    assert!(lab.says("kinds").await.contains("autonomous_system"));
    assert!(lab.says("kinds metro").await.contains("slug"));
    lab.stop.cancel();
}

fn status(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

/// Takes two lines.
#[derive(Default)]
struct Seen {
    text: String,
}

impl std::io::Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        if self.text.lines().count() < 2 { Ok(()) } else { Err(std::io::Error::other("enough")) }
    }
}
