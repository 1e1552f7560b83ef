//! What the agent must know of one BIRD beside its name: the `settings` of its target.

use std::{path::PathBuf, time::Duration};

use meetme_agent::{AgentError, Target};
use serde::Deserialize;

/// Where one BIRD is and how patient to be with it. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The daemon's control socket (`bird -s`), an absolute path.
    pub socket: PathBuf,
    /// The daemon's configuration file (`bird -c`), an absolute path. Its directory must be writable: the file is replaced
    /// in one step. A new file gets mode 0600, a replaced one keeps its owner and group.
    pub config_path: PathBuf,
    /// The program that checks a configuration before it is loaded; the file's name is added at the end.
    #[serde(default = "check_command")]
    pub check_command: Vec<String>,
    /// After how many seconds without a confirmation the daemon goes back to its old configuration by itself. The change
    /// must settle within this time.
    #[serde(default = "confirm_seconds")]
    pub confirm_seconds: u16,
    /// How many seconds one answer of the daemon, or the checker, may take.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u16,
}

fn check_command() -> Vec<String> {
    ["bird", "-p", "-c"].map(str::to_owned).to_vec()
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
        if !settings.socket.is_absolute() || !settings.config_path.is_absolute() {
            return Err(target.unusable("socket and config_path must be absolute paths."));
        }
        if settings.check_command.is_empty() {
            return Err(target.unusable("check_command must name a program."));
        }
        if settings.confirm_seconds < 2 || settings.answer_seconds < 1 {
            return Err(target.unusable("confirm_seconds must be 2 or more, answer_seconds 1 or more."));
        }
        Ok(settings)
    }

    /// How long one answer may take.
    pub fn answer_time(&self) -> Duration {
        Duration::from_secs(self.answer_seconds.into())
    }

    /// How long a change may take to settle: a little less than until the daemon undoes it.
    pub fn settle_time(&self) -> Duration {
        Duration::from_secs((self.confirm_seconds - 1).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: serde_json::Value) -> Result<Settings, AgentError> {
        Settings::of(&Target {
            id: 1,
            name: "rs1".into(),
            address: String::new(),
            settings: json,
            access: None,
            repair: false,
        })
    }

    #[test]
    fn two_paths_are_enough() {
        let settings =
            settings(serde_json::json!({"socket": "/run/bird.ctl", "config_path": "/etc/bird.conf"})).unwrap();
        assert_eq!((settings.check_command.join(" ").as_str(), settings.confirm_seconds), ("bird -p -c", 30));
    }

    #[test]
    fn settings_that_are_not_understood_are_refused_in_words() {
        let unknown = serde_json::json!({"socket": "/s", "config_path": "/c", "conifrm_seconds": 3});
        insta::assert_snapshot!(settings(unknown).unwrap_err(), @"refused: The settings of rs1 are not usable: unknown field `conifrm_seconds`, expected one of `socket`, `config_path`, `check_command`, `confirm_seconds`, `answer_seconds`.");
        assert!(settings(serde_json::json!({"socket": "s", "config_path": "/c"})).is_err());
        assert!(settings(serde_json::json!({"socket": "/s", "config_path": "/c", "confirm_seconds": 1})).is_err());
        assert!(settings(serde_json::Value::Null).is_err());
    }
}
