//! Where validated ROAs are read from: the section `[rpki]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where validated ROAs are read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The JSON export of a validator: the path of a file, or a URL that begins with `http://` or `https://`. Without one no ROAs
    /// are known, and nothing is invalid. Default: none.
    pub source: Option<String>,
    /// How often it is looked at, in seconds. Default 600.
    pub refresh_seconds: u64,
    /// How long fetching it may take, in seconds. Default 120.
    pub timeout_seconds: u64,
    /// How large it may be, in bytes. Default 268435456; all ROAs of 2026 are about 80000000.
    pub max_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { source: None, refresh_seconds: 600, timeout_seconds: 120, max_bytes: 256 << 20 }
    }
}

impl Config {
    /// Whether ROAs are read at all.
    pub const fn is_on(&self) -> bool {
        self.source.is_some()
    }

    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn check(&self) -> Result<(), String> {
        if self.source.as_ref().is_some_and(|source| source.trim().is_empty() || source.len() > 1000) {
            return Err("rpki.source: must be a path or a URL".to_owned());
        }
        for (key, value) in [
            ("refresh_seconds", self.refresh_seconds),
            ("timeout_seconds", self.timeout_seconds),
            ("max_bytes", self.max_bytes),
        ] {
            if value == 0 {
                return Err(format!("rpki.{key}: must not be 0"));
            }
        }
        Ok(())
    }

    pub(crate) fn refresh(&self) -> Duration {
        Duration::from_secs(self.refresh_seconds)
    }
}
