//! Asking the public peering database: one type at a time, only what changed, no more often than it likes.
//!
//! What an answer was marked with (`ETag`, `Last-Modified`) is remembered while the process lives, so that a question asked again is
//! mostly answered with "as before". Road not taken: keeping the marks in our database, for they save a small answer after a restart.

use std::{
    collections::{HashMap, VecDeque},
    io::Read,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use meetme_base::{Clock, Secret, Time};
use meetme_control::jobs::Log;
use reqwest::{
    Response, StatusCode, Url,
    header::{AUTHORIZATION, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER},
    redirect::Policy,
};

use crate::Settings;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// How often a question is asked before we give up.
const TRIES: u32 = 5;

/// The way to the database.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<Secret<String>>,
    most: usize,
    wait: Duration,
    marks: Mutex<HashMap<&'static str, Mark>>,
}

/// What an answer was marked with, and to which question it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    since: Option<i64>,
    etag: Option<String>,
    modified: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub enum Answer {
    /// Nothing else than the last time.
    Same,
    /// A body, and what it is marked with.
    Rows(Body, Mark),
}

/// A body in the pieces it came in. Who reads it gets rid of it on the way: it is tens of megabytes, and so is what is read out of it.
#[derive(Debug, Default)]
pub struct Body(VecDeque<Bytes>);

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while let Some(piece) = self.0.front_mut() {
            let n = piece.len().min(into.len());
            if n > 0 {
                into[..n].copy_from_slice(&piece.split_to(n));
                return Ok(n);
            }
            if !piece.is_empty() {
                return Ok(0);
            }
            self.0.pop_front();
        }
        Ok(0)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub String);

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a single try came to.
enum Tried {
    Done(Answer),
    /// Ask again after this long.
    Again(Duration, String),
}

impl Client {
    /// As an operator decided.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(settings: &Settings) -> Result<Self, Trouble> {
        let bad =
            || Trouble(format!("peeringdb.url: {} is no address that begins with https:// or http://", settings.url));
        let base = Url::parse(&format!("{}/api/", settings.url.trim_end_matches('/'))).map_err(|_| bad())?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(bad());
        }
        // A redirect could carry the key elsewhere.
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(Duration::from_secs(settings.timeout_seconds.max(1)))
            .redirect(Policy::none())
            .user_agent(concat!("meetme/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Trouble(chain(&e)))?;
        Ok(Self {
            http,
            base,
            key: settings.api_key.as_ref().map(|key| key.0.clone()),
            most: usize::try_from(settings.answer_megabytes).unwrap_or(usize::MAX).saturating_mul(1_000_000),
            wait: Duration::from_secs(settings.wait_seconds),
            marks: Mutex::default(),
        })
    }

    /// The rows of a type that changed since a moment, or all of them; those removed since are among them.
    ///
    /// # Errors
    /// When there is no answer that can be used, in a sentence.
    pub async fn fetch(
        &self,
        name: &'static str,
        since: Option<Time>,
        clock: &dyn Clock,
        log: &Log,
    ) -> Result<Answer, Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            let why = match self.once(name, since, clock, tries).await? {
                Tried::Done(answer) => return Ok(answer),
                Tried::Again(after, why) if tries < TRIES && after <= self.wait => {
                    log.warning(format!("{name}: {why}; asked again in {} s.", after.as_secs()));
                    tokio::time::sleep(after).await;
                    continue;
                }
                Tried::Again(after, why) if after > self.wait => {
                    format!("{why}; it wants us to wait {} s", after.as_secs())
                }
                Tried::Again(_, why) => why,
            };
            return Err(Trouble(format!("{name}: {why}.")));
        }
    }

    /// Remembers what an answer was marked with, once it is kept.
    pub fn remember(&self, name: &'static str, mark: Mark) {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).insert(name, mark);
    }

    async fn once(
        &self,
        name: &'static str,
        since: Option<Time>,
        clock: &dyn Clock,
        tries: u32,
    ) -> Result<Tried, Trouble> {
        let since = since.map(Time::seconds);
        let mut url = self.base.join(name).map_err(|e| Trouble(e.to_string()))?;
        if let Some(since) = since {
            url.query_pairs_mut().append_pair("since", &since.to_string());
        }
        url.query_pairs_mut().append_pair("depth", "0");
        let mut ask = self.http.get(url);
        if let Some(key) = &self.key {
            ask = ask.header(AUTHORIZATION, format!("Api-Key {}", key.expose()));
        }
        let mark = self.marks.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        // All of it is asked for only when there is nothing here: then "as before" would be no answer.
        if let Some(mark) = mark.filter(|mark| since.is_some() && mark.since == since) {
            ask = mark.etag.iter().fold(ask, |ask, etag| ask.header(IF_NONE_MATCH, etag));
            ask = mark.modified.iter().fold(ask, |ask, time| ask.header(IF_MODIFIED_SINCE, time));
        }
        // Twice as long each time, beginning with a second.
        let patience = Duration::from_secs(1 << (tries - 1).min(6));
        let said = match ask.send().await {
            Ok(said) => said,
            Err(e) => return Ok(Tried::Again(patience, format!("the database does not answer ({})", chain(&e)))),
        };
        let status = said.status();
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Tried::Done(Answer::Same));
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let after = retry_after(said.headers(), clock.now()).unwrap_or(patience);
            let why =
                if status == StatusCode::TOO_MANY_REQUESTS { "we ask too often" } else { "the database is not well" };
            return Ok(Tried::Again(after, format!("{why} ({status})")));
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(Trouble(format!("{name}: the database does not take our API key ({status}).")));
        }
        if !status.is_success() {
            return Err(Trouble(format!("{name}: the database answers {status}.")));
        }
        let text = |header| said.headers().get(header).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mark = Mark { since, etag: text(ETAG), modified: text(LAST_MODIFIED) };
        match self.body(said).await {
            Ok(body) => Ok(Tried::Done(Answer::Rows(body, mark))),
            Err(Broken::TooLong) => {
                Err(Trouble(format!("{name}: the answer is longer than peeringdb.answer_megabytes allows.")))
            }
            Err(Broken::Off(why)) => Ok(Tried::Again(patience, format!("the answer broke off ({why})"))),
        }
    }

    async fn body(&self, mut said: Response) -> Result<Body, Broken> {
        let (mut body, mut length) = (Body::default(), 0);
        while let Some(piece) = said.chunk().await.map_err(|e| Broken::Off(chain(&e)))? {
            length += piece.len();
            if length > self.most {
                return Err(Broken::TooLong);
            }
            body.0.push_back(piece);
        }
        Ok(body)
    }
}

enum Broken {
    TooLong,
    Off(String),
}

/// After how long to ask again: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(u64::try_from(date - now.0).unwrap_or(0)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_over_its_pieces() {
        let mut body = Body(["ab", "", "cde", "f"].map(Bytes::from).into());
        let mut two = [0; 2];
        assert_eq!((body.read(&mut two).unwrap(), body.read(&mut two).unwrap(), &two), (2, 2, b"cd"));
        let mut rest = String::new();
        body.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), body.0.len()), ("ef", 0));
    }

    #[test]
    fn the_wait_is_told_in_seconds_or_as_a_date() {
        let now: Time = "1994-11-06T08:49:07Z".parse().unwrap();
        let after = |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]), now);
        assert_eq!(after("30"), Some(Duration::from_secs(30)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(after("Sun, 06 Nov 1994 08:48:37 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn an_address_is_one_of_the_web() {
        for url in ["ftp://x", "peeringdb", ""] {
            let settings = Settings { url: url.to_owned(), ..Settings::default() };
            assert!(Client::new(&settings).is_err(), "{url}");
        }
    }
}
