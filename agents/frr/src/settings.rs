//! What the agent must know of one FRR beside its name: the `settings` of its target.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use meetme_agent::{AgentError, Target};
use serde::Deserialize;

/// Where one FRR is and how patient to be with it. Unknown keys are errors; what is left out is as Debian has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The directory of the daemons' sockets (`--vty_socket`), an absolute path.
    #[serde(default = "socket_dir")]
    pub socket_dir: PathBuf,
    /// The configuration file that FRR starts from, an absolute path. Its directory must be writable: the file is replaced in
    /// one step, and what it takes to go back is kept beside it while a change is not confirmed.
    #[serde(default = "config_path")]
    pub config_path: PathBuf,
    /// FRR's own command line.
    #[serde(default = "vtysh")]
    pub vtysh: String,
    /// The program that makes the running configuration follow a file, without its arguments (`frr-reload.py`).
    #[serde(default = "reload_command")]
    pub reload_command: Vec<String>,
    /// A program that must succeed after a change, within the time for it: whether the router still reaches what it must.
    /// None when it is enough that FRR runs what it was given.
    #[serde(default)]
    pub prove_command: Vec<String>,
    /// After how many seconds without a confirmation FRR is brought back to its old configuration. The change must be made
    /// and proved within this time.
    #[serde(default = "confirm_seconds")]
    pub confirm_seconds: u16,
    /// How many seconds one answer of FRR may take.
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u16,
}

fn socket_dir() -> PathBuf {
    "/var/run/frr".into()
}

fn config_path() -> PathBuf {
    "/etc/frr/frr.conf".into()
}

fn vtysh() -> String {
    "/usr/bin/vtysh".to_owned()
}

fn reload_command() -> Vec<String> {
    ["/usr/bin/python3", "/usr/lib/frr/frr-reload.py"].map(str::to_owned).to_vec()
}

const fn confirm_seconds() -> u16 {
    60
}

const fn answer_seconds() -> u16 {
    10
}

impl Settings {
    /// Reads and checks a target's settings.
    pub fn of(target: &Target) -> Result<Self, AgentError> {
        let settings: Self = target.settings()?;
        if !settings.socket_dir.is_absolute() || !settings.config_path.is_absolute() {
            return Err(target.unusable("socket_dir and config_path must be absolute paths."));
        }
        if !Path::new(&settings.vtysh).is_absolute() {
            return Err(target.unusable("vtysh must be an absolute path."));
        }
        if settings.reload_command.is_empty() {
            return Err(target.unusable("reload_command must name a program."));
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

    /// How long the way back may take: a reloader that takes one process for each line.
    pub const fn undo_time(&self) -> Duration {
        Duration::from_secs(240)
    }

    /// The command line with these arguments.
    pub fn vtysh(&self, arguments: &[&str]) -> Vec<String> {
        let sockets = self.socket_dir.to_string_lossy();
        let first = [self.vtysh.as_str(), "--vty_socket", &sockets];
        first.iter().chain(arguments).map(|word| (*word).to_owned()).collect()
    }

    /// The reloader for the file `frr.conf` in a directory that is there for nothing else. There, because from any other
    /// place it would write the running configuration over the file that FRR starts from.
    pub fn reload(&self, directory: &Path) -> Vec<String> {
        let [directory, file] =
            [directory.to_owned(), directory.join("frr.conf")].map(|p| p.to_string_lossy().into_owned());
        let tools = Path::new(&self.vtysh).parent().unwrap_or(Path::new("/usr/bin")).to_string_lossy();
        let sockets = self.socket_dir.to_string_lossy();
        let arguments = [
            "--reload",
            "--stdout",
            "--log-level",
            "error",
            "--bindir",
            &tools,
            "--confdir",
            &directory,
            "--rundir",
            &directory,
            "--vty_socket",
            &sockets,
            &file,
        ];
        self.reload_command.iter().cloned().chain(arguments.map(str::to_owned)).collect()
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
    fn nothing_need_be_said_of_a_usual_frr() {
        let settings = settings(serde_json::Value::Null).unwrap();
        assert_eq!(settings.vtysh(&["-c", "x"]).join(" "), "/usr/bin/vtysh --vty_socket /var/run/frr -c x");
        assert_eq!((settings.config_path.to_str(), settings.confirm_seconds), (Some("/etc/frr/frr.conf"), 60));
    }

    #[test]
    fn settings_that_are_not_understood_are_refused_in_words() {
        let unknown = serde_json::json!({"sockets": "/s"});
        insta::assert_snapshot!(settings(unknown).unwrap_err(), @"refused: The settings of rs1 are not usable: unknown field `sockets`, expected one of `socket_dir`, `config_path`, `vtysh`, `reload_command`, `prove_command`, `confirm_seconds`, `answer_seconds`.");
        assert!(settings(serde_json::json!({"socket_dir": "s"})).is_err());
        assert!(settings(serde_json::json!({"vtysh": "vtysh"})).is_err());
        assert!(settings(serde_json::json!({"confirm_seconds": 1})).is_err());
        assert!(settings(serde_json::json!([])).is_err());
    }
}
