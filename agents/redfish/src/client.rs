//! One conversation with a management controller: who we are, reading, changing by version, waiting for tasks.

use std::{collections::HashMap, sync::Mutex, sync::PoisonError, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meetme_agent::{AgentError, Target, WireSecret};
use reqwest::{
    Client as Http, Method, Response, StatusCode, Url,
    header::{AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_MATCH, LOCATION, RETRY_AFTER},
    redirect::{Attempt, Policy},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{Settings, said, settings::Auth, trust};

/// How long one answer may take: controllers do some things before they answer.
const LONGEST: Duration = Duration::from_secs(60);
/// How long it may take until there is a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How large an answer may be, in bytes.
const LARGEST: usize = 8 << 20;
/// How long a task may take that was begun by a change.
const TASK: Duration = Duration::from_secs(300);
/// How often a task is looked at when the controller does not say.
const TASK_POLL: Duration = Duration::from_secs(1);
/// Where everything begins.
pub(crate) const ROOT: &str = "/redfish/v1/";
/// The header that carries a session's token.
const TOKEN: &str = "x-auth-token";

/// A conversation.
pub(crate) struct Client {
    http: Http,
    base: Url,
    name: String,
    headers: HeaderMap,
    /// The session to be ended.
    session: Option<Url>,
    /// The versions of what was read, by path.
    versions: Mutex<HashMap<String, HeaderValue>>,
}

/// An answer that is a good one.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Client {
    /// Begins a conversation: reads the root and shows who we are.
    pub(crate) async fn open(target: &Target, settings: &Settings) -> Result<(Self, Value), AgentError> {
        let base = base(&target.address)
            .ok_or_else(|| AgentError::refused(format!("{} is no http or https URL.", target.address)))?;
        let builder = Http::builder()
            .redirect(Policy::custom(stay))
            .no_proxy()
            .timeout(LONGEST)
            .connect_timeout(CONNECT)
            .user_agent("meetme");
        let http = trust::trusting(builder, settings)?.build().map_err(|e| AgentError::refused(words(&e)))?;
        let (name, versions) = (target.name.clone(), Mutex::default());
        let mut client = Self { http, base, name, headers: HeaderMap::new(), session: None, versions };
        // The root is readable by everybody (DSP0266 section 13.2.2), but not all controllers know that.
        let password = target.access.as_ref();
        let root = match client.get(ROOT).await {
            Err(AgentError::Refused { .. }) if password.is_some() && settings.auth != Some(Auth::Session) => {
                client.basic(settings, password)?;
                client.get(ROOT).await?
            }
            root => root?,
        };
        if client.headers.is_empty() && password.is_some() {
            let sessions = root.pointer("/Links/Sessions/@odata.id").and_then(Value::as_str);
            match (settings.auth, sessions) {
                (Some(Auth::Basic), _) | (None, None) => client.basic(settings, password)?,
                (_, Some(link)) => client.log_in(link, settings, password).await?,
                (Some(Auth::Session), None) => {
                    return Err(AgentError::unsupported(format!("{} has no sessions.", client.name)));
                }
            }
        }
        Ok((client, root))
    }

    fn basic(&mut self, settings: &Settings, password: Option<&WireSecret>) -> Result<(), AgentError> {
        let (user, password) = credential(settings, password)?;
        let pair = STANDARD.encode(format!("{user}:{password}"));
        self.headers.insert(AUTHORIZATION, secret(&format!("Basic {pair}"))?);
        Ok(())
    }

    async fn log_in(
        &mut self,
        sessions: &str,
        settings: &Settings,
        password: Option<&WireSecret>,
    ) -> Result<(), AgentError> {
        let (user, password) = credential(settings, password)?;
        let body = json!({"UserName": user, "Password": password});
        let answer = self.ask(Method::POST, self.join(sessions)?, Some(&body), None).await?;
        let token = answer.headers.get(TOKEN).and_then(|t| t.to_str().ok());
        let token = token.ok_or_else(|| AgentError::broken("It made a session without a token.".to_owned()))?;
        self.headers.insert(TOKEN, secret(token)?);
        let own = answer.headers.get(LOCATION).and_then(|l| l.to_str().ok());
        let own = own.or_else(|| answer.body.get("@odata.id").and_then(Value::as_str));
        self.session = own.and_then(|link| self.join(link).ok());
        Ok(())
    }

    /// Ends the session, of which controllers have few.
    pub(crate) async fn close(self) {
        if let Some(session) = self.session.clone()
            && let Err(error) = self.ask(Method::DELETE, session, None, None).await
        {
            tracing::debug!(equipment = %self.name, %error, "a session was not ended");
        }
    }

    /// Reads what a link leads to.
    pub(crate) async fn get(&self, link: &str) -> Result<Value, AgentError> {
        let answer = self.ask(Method::GET, self.join(link)?, None, None).await?;
        let version = answer.headers.get(ETAG).cloned().or_else(|| {
            answer.body.get("@odata.etag").and_then(Value::as_str).and_then(|text| HeaderValue::from_str(text).ok())
        });
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        match version {
            Some(version) => versions.insert(link.to_owned(), version),
            None => versions.remove(link),
        };
        drop(versions);
        Ok(answer.body)
    }

    /// Every member of a collection, over all its pages; as many as a controller can mean.
    pub(crate) async fn members(&self, link: &str) -> Result<Vec<Value>, AgentError> {
        let mut out = Vec::new();
        let mut next = Some(link.to_owned());
        while let Some(link) = next.filter(|_| out.len() < 256) {
            let page = self.get(&link).await?;
            for member in page.get("Members").and_then(Value::as_array).into_iter().flatten() {
                match member.get("@odata.id").and_then(Value::as_str) {
                    // An expanded member is there already.
                    Some(_) if member.as_object().is_some_and(|m| m.len() > 2) => out.push(member.clone()),
                    Some(link) => out.push(self.get(link).await?),
                    None => {}
                }
            }
            next = page.get("Members@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(out)
    }

    /// Changes something as it was when it was last read; when somebody else was faster, it is read and tried once more.
    pub(crate) async fn patch(&self, link: &str, body: &Value) -> Result<(), AgentError> {
        for attempt in 0.. {
            let version = self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(link).cloned();
            match self.ask(Method::PATCH, self.join(link)?, Some(body), version).await {
                Err(AgentError::Refused { why }) if why.starts_with(STALE) && attempt == 0 => {
                    self.get(link).await?;
                }
                Err(error) => return Err(error),
                Ok(answer) => return self.finished(answer).await,
            }
        }
        Ok(())
    }

    /// Calls an action and waits for the task it may become.
    pub(crate) async fn post(&self, link: &str, body: &Value) -> Result<(), AgentError> {
        let answer = self.ask(Method::POST, self.join(link)?, Some(body), None).await?;
        self.finished(answer).await
    }

    /// Waits for what was begun (DSP0266 section 12.2): the monitor answers 202 until it is over.
    async fn finished(&self, answer: Answer) -> Result<(), AgentError> {
        if answer.status != StatusCode::ACCEPTED {
            return Ok(());
        }
        let monitor = answer.headers.get(LOCATION).and_then(|l| l.to_str().ok()).map(str::to_owned);
        let own = answer.body.get("@odata.id").and_then(Value::as_str).map(str::to_owned);
        let Some(link) = monitor.or(own) else { return Ok(()) };
        let until = Instant::now() + TASK;
        let mut pause = wait_for(&answer.headers);
        loop {
            if Instant::now() >= until {
                return Err(AgentError::unreachable(format!("{}: a task did not end.", self.name)));
            }
            sleep(pause).await;
            let now = match self.ask(Method::GET, self.join(&link)?, None, None).await {
                Ok(now) => now,
                // Some controllers forget a task once it is over.
                Err(AgentError::Unsupported { .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
            pause = wait_for(&now.headers);
            match now.body.get("TaskState").and_then(Value::as_str) {
                Some("Exception" | "Killed" | "Cancelled" | "Interrupted") => return Err(failed_task(&now.body)),
                Some("Completed") => return Ok(()),
                None if now.status != StatusCode::ACCEPTED => return Ok(()),
                _ => {}
            }
        }
    }

    async fn ask(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        version: Option<HeaderValue>,
    ) -> Result<Answer, AgentError> {
        let what = format!("{method} {}", url.path());
        let mut request = self.http.request(method, url).headers(self.headers.clone()).header("odata-version", "4.0");
        if let Some(version) = version {
            request = request.header(IF_MATCH, version);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let lost = |e: &reqwest::Error| AgentError::unreachable(format!("{what}: {}", words(e)));
        let answer = request.send().await.map_err(|e| lost(&e))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = read(answer).await.map_err(|e| e.map_or_else(|| too_large(&what), |e| lost(&e)))?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            if status == StatusCode::OK && body.is_null() && !bytes.iter().all(u8::is_ascii_whitespace) {
                return Err(AgentError::broken(format!("{what} is not answered in JSON; is this Redfish?")));
            }
            return Ok(Answer { status, headers, body });
        }
        let said = said::messages(&body);
        let said = |usual: &str| format!("{what}: {}", said.unwrap_or_else(|| usual.to_owned()));
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                AgentError::refused(format!("{} (status {status})", said("the user or its password is not accepted")))
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                AgentError::unsupported(format!("{} (status {status})", said("this controller does not have it")))
            }
            StatusCode::PRECONDITION_FAILED => AgentError::refused(format!("{STALE}: {}", said("it has changed"))),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => {
                AgentError::unreachable(format!("{} (status {status})", said("the controller is busy")))
            }
            status if status.is_server_error() => {
                AgentError::unreachable(format!("{} (status {status})", said("the controller failed")))
            }
            status => AgentError::refused(format!("{} (status {status})", said("the controller refuses"))),
        })
    }

    /// A link as an address of this controller. One that leads elsewhere is not followed: it would be told the password.
    fn join(&self, link: &str) -> Result<Url, AgentError> {
        let url = self.base.join(link).map_err(|e| AgentError::broken(format!("{link:?} is no link: {e}")))?;
        if url.origin() != self.base.origin() {
            return Err(AgentError::broken(format!(
                "{} has a link to {}.",
                self.name,
                url.origin().ascii_serialization()
            )));
        }
        Ok(url)
    }
}

/// What a refusal for a stale version begins with.
const STALE: &str = "It was changed by somebody else meanwhile";

fn base(address: &str) -> Option<Url> {
    let text = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let url = Url::parse(&text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Redirections inside one controller are followed, three at most.
fn stay(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let is_same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if is_same && attempt.previous().len() <= 3 { attempt.follow() } else { attempt.stop() }
}

fn credential<'a>(settings: &'a Settings, password: Option<&'a WireSecret>) -> Result<(&'a str, &'a str), AgentError> {
    match (settings.user.as_deref(), password) {
        (Some(user), Some(password)) => Ok((user, password.expose())),
        _ => Err(AgentError::refused("The equipment needs a `user` in its settings and a password.".to_owned())),
    }
}

fn secret(text: &str) -> Result<HeaderValue, AgentError> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| AgentError::refused("The credential cannot be sent.".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn wait_for(headers: &HeaderMap) -> Duration {
    let said = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|text| text.parse().ok());
    said.map_or(TASK_POLL, |seconds: u64| Duration::from_secs(seconds.clamp(1, 30)))
}

fn failed_task(task: &Value) -> AgentError {
    let lines: Vec<&str> = task
        .get("Messages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|m| m.get("Message").and_then(Value::as_str))
        .collect();
    AgentError::refused(if lines.is_empty() { "A task failed without a word.".to_owned() } else { lines.join(" ") })
}

fn too_large(what: &str) -> AgentError {
    AgentError::broken(format!("{what} is answered with more than can be read"))
}

/// The body; the error is none when it is too large.
async fn read(mut answer: Response) -> Result<Vec<u8>, Option<reqwest::Error>> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(Some)? {
        if bytes.len() + part.len() > LARGEST {
            return Err(None);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// An error with its causes, which say what is wrong; the first line of reqwest's does not.
fn words(error: &reqwest::Error) -> String {
    let mut out = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        out = inner.to_string();
        cause = inner.source();
    }
    out
}
