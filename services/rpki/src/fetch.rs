//! Getting an export: over HTTP into a file that is forgotten afterwards, or straight from a file.

use std::{fs::File, io::Seek as _, time::Duration};

use meetme_model::routing::RoaTableStatus;
use reqwest::{
    Client, StatusCode,
    header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use tokio::io::AsyncWriteExt as _;

use crate::{
    Config,
    export::{self, Export},
};

/// What came of looking at the source.
#[derive(Debug)]
pub enum Fetched {
    /// It has not changed since.
    Same,
    /// It has.
    New {
        /// What it holds.
        export: Export,
        /// By what it tells whether it changes.
        etag: String,
        /// When it says it last changed.
        modified: String,
    },
}

/// Looks at the source. The error is a sentence for people.
pub(crate) async fn fetch(config: &Config, known: &RoaTableStatus) -> Result<Fetched, String> {
    let source = config.source.as_deref().ok_or("No source of ROAs is configured.")?;
    if !(source.starts_with("http://") || source.starts_with("https://")) {
        return of_file(source, config.max_bytes, known).await;
    }
    let limit = Duration::from_secs(config.timeout_seconds);
    match tokio::time::timeout(limit, of_url(source, config.max_bytes, known)).await {
        Ok(done) => done,
        Err(_) => Err(format!("The export was not fetched within {} seconds.", limit.as_secs())),
    }
}

/// A file is told apart by its length and the time of its last change.
async fn of_file(path: &str, most: u64, known: &RoaTableStatus) -> Result<Fetched, String> {
    let lost = |e: std::io::Error| format!("The export cannot be opened: {e}.");
    let file = tokio::fs::File::open(path).await.map_err(lost)?.into_std().await;
    let facts = file.metadata().map_err(lost)?;
    if !facts.is_file() {
        return Err("The export is no file.".to_owned());
    }
    if facts.len() > most {
        return Err(format!("The export is larger than {most} bytes."));
    }
    let changed = facts.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    let etag = format!("{}-{}", facts.len(), changed.map_or(0, |d| d.as_nanos()));
    if known.version > 0 && known.etag == etag {
        return Ok(Fetched::Same);
    }
    let export = read(file, most).await?;
    Ok(Fetched::New { export, etag, modified: String::new() })
}

async fn of_url(url: &str, most: u64, known: &RoaTableStatus) -> Result<Fetched, String> {
    // The error of a request names its URL, which may hold a password.
    let lost = |e: reqwest::Error| format!("The export cannot be fetched: {}.", e.without_url());
    let client = Client::builder().connect_timeout(Duration::from_secs(15)).build().map_err(lost)?;
    let mut request = client.get(url);
    if known.version > 0 {
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.modified)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
    }
    let mut answer = request.send().await.map_err(lost)?;
    if answer.status() == StatusCode::NOT_MODIFIED {
        return Ok(Fetched::Same);
    }
    if answer.status() != StatusCode::OK {
        return Err(format!("The source of the export answers {}.", answer.status()));
    }
    let header = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|v: &reqwest::header::HeaderValue| v.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (etag, modified) = (header(ETAG), header(LAST_MODIFIED));
    let kept = |e: std::io::Error| format!("The export cannot be kept for reading: {e}.");
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(kept)?);
    let mut size = 0;
    while let Some(chunk) = answer.chunk().await.map_err(lost)? {
        size += chunk.len() as u64;
        if size > most {
            return Err(format!("The export is larger than {most} bytes."));
        }
        file.write_all(&chunk).await.map_err(kept)?;
    }
    file.flush().await.map_err(kept)?;
    let mut file = file.into_std().await;
    file.rewind().map_err(kept)?;
    let export = read(file, most).await?;
    Ok(Fetched::New { export, etag, modified })
}

/// Reads a file on a thread that may block. A file that grows meanwhile is read up to the limit, and is then no export.
async fn read(file: File, most: u64) -> Result<Export, String> {
    use std::io::Read as _;
    let reading = tokio::task::spawn_blocking(move || export::read(file.take(most)));
    reading.await.map_err(|e| format!("Reading the export broke off: {e}."))?
}
