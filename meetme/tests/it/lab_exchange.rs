//! docs/peering.md, word for word: from an empty server to Established sessions at a small exchange with real daemons.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use meetme_lab::{Lab, Skip};

/// Longer than the whole tour takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// The lines that the document gives to a shell, in their order.
fn lines(document: &str) -> String {
    let tour = document.split("\n## ").nth(1).unwrap();
    let blocks = tour.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

/// Why the tour cannot be made here.
fn lacking() -> Result<(), Skip> {
    // Also says whether namespaces can be made.
    drop(Lab::new()?);
    ["bird", "birdc", "bgpq4", "vtysh", "python3", "jq", "curl"]
        .into_iter()
        .try_for_each(|name| meetme_lab::program(name).map(drop))
}

/// The exchange and the server, taken down whatever happens.
struct Left {
    root: PathBuf,
    home: PathBuf,
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.home.join("meetme.pid")) {
            // One that has ended by itself needs none.
            drop(Command::new("kill").arg(pid.trim()).status());
        }
        let script = self.root.join("tests/exchange/exchange.sh");
        drop(Command::new(script).arg("down").arg(&self.home).stdout(Stdio::null()).status());
    }
}

#[tokio::test]
async fn the_tour_of_peering_ends_with_established_sessions() {
    if let Err(skip) = lacking() {
        skip.report();
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let document = std::fs::read_to_string(root.join("docs/peering.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    // The daemons of the members run as users of their own.
    Command::new("chmod").arg("755").arg(home.path()).status().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = lines(&document)
        .replace("/tmp/meetme-exchange", home.path().to_str().unwrap())
        .replace("127.0.0.1:8080", &free.to_string());
    assert!(script.contains("available-peers") && script.contains("established"), "the tour is not there");
    let left = Left { root: root.clone(), home: home.path().to_owned() };
    let bin = Path::new(env!("CARGO_BIN_EXE_meetme")).parent().unwrap().to_owned();
    let path = format!("{}:{}:/usr/sbin:/sbin", bin.display(), std::env::var("PATH").unwrap());
    let said = home.path().join("tour.log");
    let out = std::fs::File::create(&said).unwrap();
    let mut tour = tokio::process::Command::new("bash")
        .args(["-euxo", "pipefail", "-c", &script])
        .current_dir(&root)
        .env("PATH", path)
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(PATIENCE, tour.wait()).await;
    let told = || {
        let log = std::fs::read_to_string(&said).unwrap();
        let server = std::fs::read_to_string(left.home.join("meetme.log")).unwrap_or_default();
        let server: Vec<&str> = server.lines().filter(|line| !line.contains("answered")).collect();
        format!("{log}\n--- server\n{}", server.join("\n"))
    };
    assert!(ended.is_ok_and(|status| status.unwrap().success()), "{}", told());
    let log = std::fs::read_to_string(&said).unwrap();
    assert!(log.contains("Member Three\t192.0.2.13\testablished\t2\t1\t1"), "{log}");
}
