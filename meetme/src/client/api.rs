//! Speaking to the server.

use std::{fmt, time::Duration};

use anyhow::Context as _;
use reqwest::{Client, Method, Response, Url, header};
use serde_json::Value;

use super::Connection;

/// How long a request may take. Streams last longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server refused.
#[derive(Debug)]
pub struct Failure {
    /// The status.
    pub status: u16,
    /// What it said about it.
    pub problem: Value,
}

impl Failure {
    /// The exit status that stands for it.
    pub fn exit_status(&self) -> u8 {
        match self.status {
            404 => 3,
            401 | 403 => 4,
            409 | 412 => 5,
            400 | 415 | 422 => 6,
            429 | 503 => 7,
            _ => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.problem["errors"].as_array().filter(|errors| !errors.is_empty());
        match errors {
            Some(errors) => {
                for (i, error) in errors.iter().enumerate() {
                    let text = |name: &str| error[name].as_str().unwrap_or_default();
                    let between = if i > 0 { "\n" } else { "" };
                    match text("field") {
                        "" => write!(f, "{between}{}", text("message"))?,
                        field => write!(f, "{between}{field}: {}", text("message"))?,
                    }
                }
                Ok(())
            }
            None => match self.problem["detail"].as_str() {
                Some(detail) => f.write_str(detail),
                None => write!(f, "the server answered with status {}", self.status),
            },
        }?;
        match self.problem["request"].as_str() {
            Some(request) if self.status >= 500 => write!(f, " (request {request})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// One request.
pub struct Call {
    method: Method,
    path: Vec<String>,
    /// Parameters of the query.
    pub query: Vec<(String, String)>,
    /// Headers of its own.
    pub headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Call {
    /// A request to a path below the API's root.
    pub fn new<T: AsRef<str>>(method: Method, path: impl IntoIterator<Item = T>) -> Self {
        let path = path.into_iter().map(|part| part.as_ref().to_owned()).collect();
        Self { method, path, query: Vec::new(), headers: Vec::new(), body: None }
    }
    /// A request that reads.
    pub fn get<T: AsRef<str>>(path: impl IntoIterator<Item = T>) -> Self {
        Self::new(Method::GET, path)
    }
    /// Adds a parameter.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }
    /// Sends a body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
    /// Asks for a dry run.
    pub fn dry_run(self, dry_run: bool) -> Self {
        if dry_run { self.with("dry_run", "true") } else { self }
    }
    /// Only for this version of the row.
    pub fn version(mut self, version: Option<u64>) -> Self {
        self.headers.extend(version.map(|version| ("if-match", format!("\"{version}\""))));
        self
    }
}

/// The server, and what it is shown.
pub struct Api {
    client: Client,
    root: Url,
    token: Option<String>,
}

impl Api {
    /// Prepares to speak; the server is not asked yet.
    pub fn new(connection: &Connection) -> anyhow::Result<Self> {
        let token = match &connection.token {
            Some(token) => Some(token.trim().to_owned()),
            None => kept_token()?,
        };
        // A second installation says that there is one already, which is as good.
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::trace!("the TLS library was set up before");
        }
        let client = Client::builder().user_agent(concat!("meetme/", env!("CARGO_PKG_VERSION"))).build()?;
        let text = format!("{}/meetme/v1/", connection.server.trim_end_matches('/'));
        let root = text.parse().with_context(|| format!("{} is no address of a server", connection.server))?;
        Ok(Self { client, root, token })
    }

    /// Sends a request and takes its whole answer; `null` for an empty one.
    ///
    /// # Errors
    /// [`Failure`] when the server refuses.
    pub async fn send(&self, call: Call) -> anyhow::Result<Value> {
        let answer = tokio::time::timeout(PATIENCE, async {
            let response = self.open(call).await?;
            Ok::<_, anyhow::Error>(response.bytes().await?)
        });
        let body = answer.await.context("the server does not answer")??;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).context("the server's answer is no JSON: is this Meetme's address?")
    }

    /// Sends a request and leaves the answer's body to be read.
    ///
    /// # Errors
    /// [`Failure`] when the server refuses.
    pub async fn open(&self, call: Call) -> anyhow::Result<Response> {
        let mut url = self.root.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("{} has no paths", self.root))?
            .pop_if_empty()
            .extend(&call.path);
        let mut request = self.client.request(call.method.clone(), url).query(&call.query);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            let media = if call.method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
            request = request.header(header::CONTENT_TYPE, media).body(body.to_string());
        }
        let response = request.send().await.with_context(|| format!("cannot reach {}", self.root))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.unwrap_or_default();
        Err(Failure { status: status.as_u16(), problem: serde_json::from_slice(&body).unwrap_or_default() }.into())
    }
}

/// The token that is kept in the user's configuration.
fn kept_token() -> anyhow::Result<Option<String>> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| std::path::PathBuf::from(home).join(".config")));
    let Some(path) = home.map(|home| home.join("meetme/token")) else { return Ok(None) };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
