//! How the registries are asked: the section `[irr]` of the configuration.

use std::time::Duration;

use meetme_model::routing::IrrSet;
use serde::{Deserialize, Serialize};

/// How the registries are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The whois server, which speaks the language of IRRd: a name or address, perhaps with a port (`rr.ntt.net`,
    /// `127.0.0.1:43`). Without one, no registry is asked. Default: none.
    pub host: Option<String>,
    /// The registries to ask, separated by commas. Default: those the server asks by itself.
    pub sources: String,
    /// Further arguments for IPv4 prefixes. Default `-A -r 8 -R 24`.
    pub args4: String,
    /// Further arguments for IPv6 prefixes. Default `-A -r 16 -R 48`.
    pub args6: String,
    /// The program. Default `bgpq4`.
    pub program: String,
    /// How old an answer may become before the question is asked again, in seconds. Default 86400.
    pub refresh_seconds: u64,
    /// How long one question may take, in seconds; the program is killed then. Default 120.
    pub timeout_seconds: u64,
    /// How large an answer may be, in bytes; the program is killed beyond. Default 33554432.
    pub max_bytes: u64,
    /// How many questions are asked at once. Default 4.
    pub concurrency: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: None,
            sources: String::new(),
            args4: "-A -r 8 -R 24".to_owned(),
            args6: "-A -r 16 -R 48".to_owned(),
            program: "bgpq4".to_owned(),
            refresh_seconds: 86_400,
            timeout_seconds: 120,
            max_bytes: 32 << 20,
            concurrency: 4,
        }
    }
}

impl Config {
    /// Whether registries are asked at all.
    pub const fn is_on(&self) -> bool {
        self.host.is_some()
    }

    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn check(&self) -> Result<(), String> {
        let is_host = |host: &String| {
            !host.is_empty()
                && !host.starts_with('-')
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
        };
        if !self.host.as_ref().is_none_or(is_host) {
            return Err("irr.host: must be a name or an address, perhaps with a port".to_owned());
        }
        IrrSet::sources(&self.sources).map_err(|e| format!("irr.sources: {}", e.message))?;
        IrrSet::args(&self.args4).map_err(|e| format!("irr.args4: {}", e.message))?;
        IrrSet::args(&self.args6).map_err(|e| format!("irr.args6: {}", e.message))?;
        for (key, value) in [
            ("program", self.program.len() as u64),
            ("refresh_seconds", self.refresh_seconds),
            ("timeout_seconds", self.timeout_seconds),
            ("max_bytes", self.max_bytes),
        ] {
            if value == 0 {
                return Err(format!("irr.{key}: must not be empty or 0"));
            }
        }
        Ok(())
    }

    pub(crate) fn refresh(&self) -> Duration {
        Duration::from_secs(self.refresh_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_on_a_command_line_is_taken() {
        assert_eq!(Config::default().check(), Ok(()));
        for host in ["rr.ntt.net", "127.0.0.1:4343", "[::1]:43"] {
            assert_eq!(Config { host: Some(host.into()), ..Config::default() }.check(), Ok(()), "{host}");
        }
        for host in ["", "-S", "a b", "a;b"] {
            assert!(Config { host: Some(host.into()), ..Config::default() }.check().is_err(), "{host}");
        }
        assert!(Config { args4: "-h x".into(), ..Config::default() }.check().unwrap_err().contains("irr.args4"));
        assert!(Config { timeout_seconds: 0, ..Config::default() }.check().unwrap_err().contains("timeout_seconds"));
    }
}
