//! An agent's process, and a server that says to it exactly what a test wants.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::until;

/// Longer than anything here takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A process of `meetme agent`; killed when dropped.
pub struct Agent {
    child: Child,
    log: PathBuf,
}

impl Agent {
    /// Starts an agent that serves `NAME=MAKE`, is impatient, and keeps its files in `data`.
    pub fn start(server: &str, key: &str, serves: &str, data: &Path) -> Self {
        let log = data.with_extension("log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_meetme"))
            .args(["agent", "--server", server, "--key", key, "--serves", serves, "--patience", "1", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Kills the process at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end.
    pub fn ask_to_stop(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = until(SOON, async || self.child.try_wait().unwrap()).await;
        ended.unwrap_or_else(|| panic!("the agent goes on:\n{}", self.said()))
    }

    /// Everything that agents with this data have written.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server of one's own: each answer is given by hand.
pub struct Stub {
    listener: TcpListener,
    /// Its address.
    pub base: String,
}

impl Stub {
    /// Listens at a free port.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, base }
    }

    /// Waits for the next request, answers it with a status and a JSON text, and hands out its path and body.
    pub async fn answer(&self, status: u16, body: &Value) -> (String, Value) {
        let (mut stream, path, asked) = self.next().await;
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        (path, asked)
    }

    /// Waits for the next request and breaks off without an answer; hands out the request's path and body.
    pub async fn hang_up(&self) -> (String, Value) {
        let (stream, path, asked) = self.next().await;
        drop(stream);
        (path, asked)
    }

    async fn next(&self) -> (TcpStream, String, Value) {
        let asked = timeout(SOON, async {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut text = Vec::new();
            loop {
                let mut part = [0; 4096];
                let n = stream.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..n]);
                if let Some((path, body)) = whole(&text) {
                    return (stream, path, body);
                }
                assert!(n > 0, "half a request");
            }
        });
        asked.await.expect("the agent asks")
    }
}

/// Path and body of a request, once it is whole.
fn whole(text: &[u8]) -> Option<(String, Value)> {
    let text = std::str::from_utf8(text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    if body.len() < length {
        return None;
    }
    Some((head.split(' ').nth(1)?.to_owned(), serde_json::from_str(body).ok()?))
}
