//! Against sushy-tools' emulator, with its driver that keeps states and has no machines.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use meetme_agent::{
    Agent as _, Target,
    server::{Busy, Discover as _},
};
use meetme_lab::{Skip, until_async};
use meetme_redfish::Bmc;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::agent::{agent, pass, want};

/// The emulator's version, on which the test was made.
const PACKAGE: &str = "sushy-tools==2.2.0";
/// The emulator shows a change of power up to eleven seconds after it took it.
const SLOW: u64 = 60;

/// The interpreter of an environment with the emulator, made once for all runs.
fn python() -> Result<PathBuf, Skip> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(target).unwrap();
    let home = target.join("sushy");
    let (python, done) = (home.join("bin/python"), home.join("done"));
    // Tests run in processes of their own: the first makes it while the others wait. The lock goes with the file.
    let lock = std::fs::File::create(target.join("sushy.lock")).unwrap();
    lock.lock().unwrap();
    if std::fs::read_to_string(&done).is_ok_and(|is| is == PACKAGE) {
        return Ok(python);
    }
    if home.exists() {
        std::fs::remove_dir_all(&home).unwrap();
    }
    let made = Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&home).stdin(Stdio::null()).output();
    if !made.is_ok_and(|made| made.status.success()) {
        return Err(Skip::new("no Python here can make an environment (python3-venv)"));
    }
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--timeout", "20", "--retries", "1", PACKAGE];
    let said = Command::new(&python).args(pip).stdin(Stdio::null()).output().unwrap();
    if !said.status.success() {
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(text.contains("connection broken by"), "the emulator could not be installed: {text}");
        return Err(Skip::new("the package index of Python cannot be reached"));
    }
    std::fs::write(&done, PACKAGE).unwrap();
    Ok(python)
}

/// The emulator with one server; ended when dropped.
struct Emulator {
    child: Child,
    address: String,
    directory: tempfile::TempDir,
}

impl Emulator {
    async fn start() -> Result<Self, Skip> {
        let python = python()?;
        // The one who asks for a free port has it a moment later as well as anybody can say.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let configuration = directory.path().join("emulator.conf");
        let text = format!(
            "SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\nSUSHY_EMULATOR_FAKE_DRIVER = True\n\
             SUSHY_EMULATOR_FEATURE_SET = 'full'\nSUSHY_EMULATOR_STATE_DIR = '{}'\n\
             SUSHY_EMULATOR_FAKE_SYSTEMS = [{{'uuid': '11111111-1111-4111-8111-111111111111', 'name': 'node-1', \
             'power_state': 'Off', 'external_notifier': False, \
             'nics': [{{'mac': '52:54:00:aa:bb:07', 'ip': '192.0.2.50'}}]}}]\n",
            state.display(),
        );
        std::fs::write(&configuration, text).unwrap();
        let log = std::fs::File::create(directory.path().join("emulator.log")).unwrap();
        let start =
            "import sys; from sushy_tools.emulator.main import main; sys.argv = ['x', '--config', sys.argv[1]]; main()";
        let child = Command::new(python)
            .args(["-c", start])
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let emulator = Self { child, address: format!("http://127.0.0.1:{port}"), directory };
        let answers = until_async(Duration::from_secs(60), async || Bmc::open(&emulator.target()).await.is_ok()).await;
        assert!(answers, "{}", emulator.said());
        Ok(emulator)
    }

    fn target(&self) -> Target {
        Target {
            id: 1,
            name: "node-1".into(),
            address: self.address.clone(),
            settings: json!({"power_seconds": SLOW, "graceful_seconds": SLOW}),
            access: None,
            repair: false,
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("emulator.log")).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address of an image, which the emulator fetches as a controller would.
async fn image() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/x.iso", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            drop(stream.read(&mut head).await);
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 4\r\nConnection: close\r\n\r\nboot";
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    address
}

#[tokio::test]
async fn the_lab_of_sushy_installs_switches_and_finds_a_server() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(skip) => return skip.report(),
    };
    let (agent, target) = (agent(), emulator.target());
    let found = agent.discover(&target).await.unwrap();
    assert_eq!(found.uuid.as_deref(), Some("11111111-1111-4111-8111-111111111111"));
    assert_eq!(found.nics.iter().map(|n| n.mac.to_string()).collect::<Vec<_>>(), ["52:54:00:aa:bb:07"]);
    let bare = agent.observe(&target).await.unwrap();
    assert!(!bare.power);
    let mut seen = pass(&agent, &target, &want(Some(1), true, 0), &bare).await.unwrap();
    assert_eq!((seen.power, seen.busy), (true, Some(Busy::Installing)));
    seen.busy = None;
    let off = pass(&agent, &target, &want(Some(1), false, 0), &seen).await.unwrap();
    assert!(!off.power, "{}", emulator.said());
    let open = Bmc::open(&target).await.unwrap();
    open.insert(&image().await).await.unwrap();
    open.eject().await.unwrap();
    open.close().await;
}
