//! What the agent must know of one gobgpd beside its name: the `settings` of its target.

use std::{net::IpAddr, time::Duration};

use meetme_agent::{AgentError, Target};
use serde::Deserialize;

/// Where one gobgpd is and how patient to be with it. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The daemon's gRPC interface (`gobgpd --api-hosts`): `unix:///run/gobgpd.sock`, or `http://127.0.0.1:50051`. It is neither
    /// encrypted nor guarded, so it belongs on the machine itself.
    #[serde(default = "api")]
    pub api: String,
    /// The port that BGP listens on where the agent starts it.
    #[serde(default = "listen_port")]
    pub listen_port: u16,
    /// The addresses that BGP listens on where the agent starts it; all when empty.
    #[serde(default)]
    pub listen_addresses: Vec<IpAddr>,
    /// How many seconds a change may take until it is seen in force, and as long again the way back after one that failed.
    #[serde(default = "confirm_seconds")]
    pub confirm_seconds: u16,
    /// How many seconds one answer of the daemon may take.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u16,
}

fn api() -> String {
    "http://127.0.0.1:50051".to_owned()
}

const fn listen_port() -> u16 {
    179
}

const fn confirm_seconds() -> u16 {
    30
}

const fn answer_seconds() -> u16 {
    10
}

impl Settings {
    /// Reads and checks a target's settings.
    pub fn of(target: &Target) -> Result<Self, AgentError> {
        let settings: Self = target.settings()?;
        let is_socket = settings.api.strip_prefix("unix://").is_some_and(|path| path.starts_with('/'));
        if !is_socket && !settings.api.starts_with("http://") {
            return Err(target.unusable("api must be unix:// and an absolute path, or http:// and an address."));
        }
        if settings.listen_port == 0 || settings.confirm_seconds < 2 || settings.answer_seconds < 1 {
            return Err(target.unusable("listen_port and answer_seconds must be 1 or more, confirm_seconds 2 or more."));
        }
        Ok(settings)
    }

    /// How long one answer may take.
    pub fn answer_time(&self) -> Duration {
        Duration::from_secs(self.answer_seconds.into())
    }

    /// How long a change may take until it is seen in force.
    pub fn confirm_time(&self) -> Duration {
        Duration::from_secs(self.confirm_seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: serde_json::Value) -> Result<Settings, AgentError> {
        let (name, address) = ("rs1".to_owned(), String::new());
        Settings::of(&Target { id: 1, name, address, settings: json, access: None, repair: false })
    }

    #[test]
    fn a_daemon_as_debian_starts_it_needs_no_settings() {
        let settings = settings(serde_json::Value::Null).unwrap();
        assert_eq!((settings.api.as_str(), settings.listen_port), ("http://127.0.0.1:50051", 179));
    }

    #[test]
    fn settings_that_are_not_understood_are_refused_in_words() {
        let unknown = serde_json::json!({"api": "unix:///run/g.sock", "listen": 1});
        insta::assert_snapshot!(settings(unknown).unwrap_err(), @"refused: The settings of rs1 are not usable: unknown field `listen`, expected one of `api`, `listen_port`, `listen_addresses`, `confirm_seconds`, `answer_seconds`.");
        for bad in ["unix://run/g.sock", "https://router:50051", "127.0.0.1:50051"] {
            assert!(settings(serde_json::json!({"api": bad})).is_err(), "{bad}");
        }
        assert!(settings(serde_json::json!({"confirm_seconds": 1})).is_err());
    }
}
