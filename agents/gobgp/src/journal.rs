//! What an agent must find again when it died in the middle of a change: what was before it.
//!
//! gobgpd cannot be told to go back by itself, so the agent stands in for it. Before the first step of a change the earlier
//! configuration is on disk; when the change is seen in force it is taken away. A file that is still there tells of a change
//! that nobody confirmed.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use meetme_agent::{AgentError, WireSecret, keep};
use meetme_base::IpNet;
use serde::{Deserialize, Serialize};

/// A change under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unconfirmed {
    /// The configuration before it, to which the box goes back.
    pub before: WireSecret,
    /// The configuration that was to be.
    pub after: WireSecret,
}

/// Where the change of one box is kept.
#[derive(Debug)]
pub struct Journal {
    file: PathBuf,
    networks: PathBuf,
}

impl Journal {
    /// That of the box with this id.
    pub fn new(directory: &Path, target: i64) -> Self {
        let file = |what: &str| directory.join(format!("gobgp-{target}{what}.json"));
        Self { file: file(""), networks: file("-networks") }
    }

    /// The change that was not confirmed, if there is one.
    pub fn read(&self) -> Result<Option<Unconfirmed>, AgentError> {
        match std::fs::read(&self.file) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|e| self.error("be understood", &e)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.error("be read", &e)),
        }
    }

    /// Keeps a change that is about to begin, on disk before this returns.
    pub fn begin(&self, change: &Unconfirmed) -> Result<(), AgentError> {
        let text = serde_json::to_vec(change).map_err(|e| self.error("be written", &e))?;
        keep(&self.file, &text).map_err(|e| self.error("be written", &e))
    }

    /// Forgets it: it is in force, or undone.
    pub fn end(&self) -> Result<(), AgentError> {
        match std::fs::remove_file(&self.file) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(self.error("be removed", &e)),
            _ => Ok(()),
        }
    }

    /// The networks the box was last given to announce. In a very large table they are looked up by name; without this
    /// memory they would be missed there.
    pub fn networks(&self) -> BTreeSet<IpNet> {
        let text = std::fs::read(&self.networks).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Remembers the networks that a box was given.
    pub fn remember(&self, networks: &BTreeSet<IpNet>) -> Result<(), AgentError> {
        if self.networks() == *networks {
            return Ok(());
        }
        let text = serde_json::to_vec(networks).map_err(|e| self.error("be written", &e))?;
        keep(&self.networks, &text).map_err(|e| self.error("be written", &e))
    }

    fn error(&self, what: &str, why: &dyn std::fmt::Display) -> AgentError {
        AgentError::broken(format!("the file of the change under way, {}, cannot {what}: {why}", self.file.display()))
    }
}
