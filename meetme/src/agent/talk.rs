//! What an agent and its server say to each other, from the agent's side.

use std::time::Duration;

use anyhow::{Result, bail};
use meetme_control::hub::{Answer, Report};
use reqwest::{Client, Response, StatusCode, Url, redirect::Policy};
use serde::Serialize;

use crate::link::{self, Question};

/// How long a connection to the server may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long the server may be silent: as long as it lets us wait for work, and time for the way.
const SILENCE: Duration = link::PATIENCE.saturating_add(Duration::from_secs(10));

/// Why the server did not answer as asked.
#[derive(Debug)]
pub enum Trouble {
    /// It is not there, or not well, now: the same question may be answered later.
    Away(String),
    /// It does not want this agent: the same question would be answered in the same way.
    Refused(String),
}

/// The way to the server.
pub struct Talk {
    client: Client,
    next: Url,
    done: Url,
    key: String,
    question: Question,
}

impl Talk {
    /// To the server at this address, with this key, for the equipments of these names.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(server: &str, key: String, serves: Vec<String>) -> Result<Self> {
        let address = |path: &str| Url::parse(&format!("{}{}/{path}", server.trim_end_matches('/'), link::ROOT));
        let (Ok(next), Ok(done)) = (address("next"), address("done")) else {
            bail!("--server {server}: write an address such as https://meetme.example");
        };
        if !matches!(next.scheme(), "http" | "https") {
            bail!("--server {server}: write an address that begins with https:// or http://");
        }
        // A redirect would turn the question into another one, and could carry the key elsewhere.
        let client =
            Client::builder().connect_timeout(CONNECT_TIME).timeout(SILENCE).redirect(Policy::none()).build()?;
        Ok(Self { client, next, done, key, question: Question { serves } })
    }

    /// Asks for work and waits for it.
    ///
    /// # Errors
    /// When there is no answer that can be used.
    pub async fn next(&self) -> Result<Answer, Trouble> {
        let said = self.post(&self.next, &self.question).await?;
        let said = classified(said).await?;
        said.json().await.map_err(|e| Trouble::Away(format!("its answer cannot be read: {}", chain(&e))))
    }

    /// Says what came of a piece of work. That the server does not want to know it is no trouble: it asks again.
    ///
    /// # Errors
    /// [`Trouble::Away`] when it has to be said again; [`Trouble::Refused`] when the key is not good any more.
    pub async fn done(&self, report: &Report) -> Result<(), Trouble> {
        let said = self.post(&self.done, report).await?;
        let status = said.status();
        match classified(said).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused(why)) if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                tracing::warn!(work = report.id, %why, "the server does not take a result");
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn post(&self, to: &Url, body: &impl Serialize) -> Result<Response, Trouble> {
        let sent = self.client.post(to.clone()).bearer_auth(&self.key).json(body).send().await;
        sent.map_err(|e| Trouble::Away(chain(&e)))
    }
}

/// Tells a good answer from a refusal and from one that will be another a moment later.
async fn classified(said: Response) -> Result<Response, Trouble> {
    let status = said.status();
    if status.is_success() {
        return Ok(said);
    }
    if status.is_redirection() {
        let to = said.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("another address");
        return Err(Trouble::Refused(format!("it is not at this address; it points to {to}")));
    }
    let is_passing = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    let text = format!("{} ({status})", sentence(&said.text().await.unwrap_or_default()));
    Err(if is_passing { Trouble::Away(text) } else { Trouble::Refused(text) })
}

/// The words in an error's body: the server's own, else the beginning of whatever it is.
fn sentence(body: &str) -> String {
    let own = serde_json::from_str::<serde_json::Value>(body).ok();
    let own = own.as_ref().and_then(|body| body["error"].as_str());
    own.unwrap_or(body).trim().chars().take(300).collect()
}

/// An error with what is behind it: the first word of the client says only that sending failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
