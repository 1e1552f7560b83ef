//! What the agent must know of one OpenBGPD beside its name: the `settings` of its target.

use std::{path::PathBuf, time::Duration};

use meetme_agent::{AgentError, Target};
use serde::Deserialize;

/// Where one OpenBGPD is and how patient to be with it. Unknown keys are errors; what is left out is as Debian has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The daemon's control socket, an absolute path. Where it is not the daemon's own choice, the configuration says so in a
    /// line of its own (`socket "..."`), which is kept.
    #[serde(default = "socket")]
    pub socket: PathBuf,
    /// The daemon's configuration file (`bgpd -f`), an absolute path. Its directory must be writable: the file is replaced in one
    /// step, and what it takes to go back is kept beside it while a change is not confirmed.
    #[serde(default = "config_path")]
    pub config_path: PathBuf,
    /// The program that speaks to the daemon.
    #[serde(default = "bgpctl")]
    pub bgpctl: String,
    /// The program that checks a configuration before it is loaded; the file's name is added at the end.
    #[serde(default = "check_command")]
    pub check_command: Vec<String>,
    /// A program that must succeed after a change, within the time for it: whether the router still reaches what it must.
    #[serde(default)]
    pub prove_command: Vec<String>,
    /// After how many seconds without a confirmation the daemon is brought back to its old configuration.
    #[serde(default = "confirm_seconds")]
    pub confirm_seconds: u16,
    /// How many seconds one answer of the daemon, or the checker, may take.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u16,
}

fn socket() -> PathBuf {
    "/run/openbgpd/bgpd.sock.0".into()
}

fn config_path() -> PathBuf {
    "/etc/bgpd.conf".into()
}

fn bgpctl() -> String {
    "/usr/sbin/bgpctl".to_owned()
}

fn check_command() -> Vec<String> {
    ["/usr/sbin/bgpd", "-n", "-f"].map(str::to_owned).to_vec()
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

    /// After how long an unconfirmed change is taken back.
    pub fn confirm_time(&self) -> Duration {
        Duration::from_secs(self.confirm_seconds.into())
    }

    /// How long a change may take: a little less than until it is taken back.
    pub fn change_time(&self) -> Duration {
        Duration::from_secs((self.confirm_seconds - 1).into())
    }

    /// How long the way back may take.
    pub const fn undo_time(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// A question or an order to the daemon.
    pub fn bgpctl(&self, words: &[&str]) -> Vec<String> {
        let socket = self.socket.to_string_lossy();
        let first = [self.bgpctl.as_str(), "-s", &socket];
        first.iter().chain(words).map(|word| (*word).to_owned()).collect()
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
    fn nothing_need_be_said_of_a_usual_openbgpd() {
        let settings = settings(serde_json::Value::Null).unwrap();
        assert_eq!(settings.bgpctl(&["reload"]).join(" "), "/usr/sbin/bgpctl -s /run/openbgpd/bgpd.sock.0 reload");
    }

    #[test]
    fn settings_that_are_not_understood_are_refused_in_words() {
        let said = settings(serde_json::json!({"sockets": "/s"})).unwrap_err().to_string();
        assert!(said.starts_with("refused: The settings of rs1 are not usable: unknown field `sockets`"), "{said}");
        assert!(settings(serde_json::json!({"socket": "s"})).is_err());
        assert!(settings(serde_json::json!({"confirm_seconds": 1})).is_err());
        assert!(settings(serde_json::json!([])).is_err());
    }
}
