//! A running server and a client for it.

pub mod agent;
pub mod python;

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// A server process with a demo world of its own; stopped and forgotten when dropped.
pub struct Server {
    child: Option<Child>,
    data: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// The root of all dialects.
    pub base: String,
    /// What `demo.json` says.
    pub demo: Value,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: reqwest::header::HeaderMap,
    /// The body as JSON, or as a JSON string where it is none.
    pub body: Value,
}

impl Answer {
    /// Asserts the status and hands the body out.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Server {
    /// Starts a server on a free port and waits until its world can be used.
    pub async fn demo() -> Self {
        Self::with(&[]).await
    }

    /// Starts a server with further environment variables, such as `MEETME__STORE__URL`.
    pub async fn with(environment: &[(&str, &str)]) -> Self {
        // Another test of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let data = tempfile::tempdir().unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut server = Self { child: None, data, environment, base: String::new(), demo: Value::Null };
        server.start().await;
        server
    }

    /// Starts the process; also after [`Server::kill`], on the same data and at the same address.
    pub async fn start(&mut self) {
        let file = self.data.path().join("demo.json");
        if file.exists() {
            std::fs::remove_file(&file).unwrap();
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_meetme"))
            .args(["serve", "--demo", "--listen", self.base.strip_prefix("http://").unwrap_or("127.0.0.1:0"), "--data"])
            .arg(self.data.path())
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .env("MEETME__SERVER__LIMITS__RATE_PER_SECOND", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let found = until(Duration::from_secs(60), async || {
            let text = std::fs::read_to_string(&file).ok()?;
            serde_json::from_str::<Value>(&text).ok()
        });
        self.demo = found.await.unwrap_or_else(|| panic!("the server did not start:\n{}", self.said()));
        self.base = self.demo["base_url"].as_str().unwrap().to_owned();
        let ready = until(Duration::from_secs(60), async || {
            let answer = reqwest::get(format!("{}/readyz", self.base)).await.ok()?;
            answer.status().is_success().then_some(())
        });
        ready.await.unwrap_or_else(|| panic!("the server is not ready:\n{}", self.said()));
    }

    /// Kills the process at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks the process to end and waits until it has; none when it has not after `patience`.
    pub async fn stop(&mut self, patience: Duration) -> Option<ExitStatus> {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let ended = until(patience, async || child.try_wait().unwrap()).await;
        self.child = Some(child);
        ended
    }

    /// Makes a key that may act for this equipment and nothing else; answers its secret.
    pub async fn agent_key(&self, equipment: &Value) -> String {
        let roles = self.native("GET", "/meetme/v1/role?name=router_agent", None).await.is(200);
        let wish = serde_json::json!({"name": "agent", "roles": [roles["items"][0]["id"]], "objects": [equipment]});
        let made = self.native("POST", "/meetme/v1/key", Some(&wish)).await.is(201);
        made["secret"].as_str().unwrap().to_owned()
    }

    /// Runs `meetme admin` beside the server, on its data, and hands out what it printed.
    pub fn admin(&self, arguments: &[&str]) -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_meetme"))
            .args(["admin", "--data"])
            .arg(self.data.path())
            .args(arguments)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn log(&self) -> PathBuf {
        self.data.path().join("server.log")
    }

    /// The last lines the server wrote.
    pub fn said(&self) -> String {
        let Ok(file) = std::fs::File::open(self.log()) else { return String::new() };
        let lines: Vec<String> = BufReader::new(file).lines().map_while(Result::ok).collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// A text out of `demo.json`, such as `/packet/token`.
    pub fn secret(&self, pointer: &str) -> &str {
        self.demo.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    /// One request.
    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    /// A request in the Peering Manager dialect.
    pub async fn peering(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let token = format!("Token {}", self.secret("/peering_manager/token"));
        self.call(method, path, &[("authorization", &token)], body).await
    }

    /// A request in the Packet dialect.
    pub async fn packet(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call(method, path, &[("x-auth-token", self.secret("/packet/token"))], body).await
    }

    /// A request in the native API.
    pub async fn native(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let token = format!("Bearer {}", self.secret("/native/token"));
        self.call(method, path, &[("authorization", &token)], body).await
    }

    /// A request in the Pureport dialect, logged in with the demo's key.
    pub async fn pureport(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let login = serde_json::json!({
            "key": self.secret("/pureport/key"), "secret": self.secret("/pureport/secret"),
        });
        let session = self.call("POST", "/login", &[], Some(&login)).await.is(200);
        let token = format!("Bearer {}", session["access_token"].as_str().unwrap());
        self.call(method, path, &[("authorization", &token)], body).await
    }

    /// A request in the Port dialect.
    pub async fn port(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let login = serde_json::json!({
            "clientId": self.secret("/port/clientId"), "clientSecret": self.secret("/port/clientSecret"),
        });
        let session = self.call("POST", "/v1/auth/access_token", &[], Some(&login)).await.is(200);
        let token = format!("Bearer {}", session["accessToken"].as_str().unwrap());
        self.call(method, path, &[("authorization", &token)], body).await
    }

    /// A request in the Megaport dialect, logged in with the demo's user.
    pub async fn megaport(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let form = [("username", self.secret("/megaport/username")), ("password", self.secret("/megaport/password"))];
        let client = reqwest::Client::new();
        let session = client.post(format!("{}/login", self.base)).form(&form).send().await.unwrap();
        let session: Value = session.json().await.unwrap();
        let token = session["session"].as_str().unwrap_or_else(|| panic!("{session}"));
        self.call(method, path, &[("x-auth-token", token)], body).await
    }
}

/// Starts a server that cannot start, and hands out what it says.
pub fn refused(environment: &[(&str, &str)]) -> String {
    let data = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_meetme"))
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!done.status.success());
    String::from_utf8_lossy(&done.stderr).into_owned()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Asks again and again until there is something, at most for `patience`.
pub async fn until<T>(patience: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = ask().await {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
