//! How a management controller is reached: the `settings` of its target.

use std::time::Duration;

use meetme_agent::{AgentError, Target};
use serde::Deserialize;

/// What an equipment's settings say. Unknown keys are errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who logs in; the target's credential is the password. Without one nobody does.
    pub user: Option<String>,
    /// How: `session` makes a session and ends it (DSP0266 section 13.3.4), `basic` shows the password each time. By itself a session
    /// where the controller has them.
    pub auth: Option<Auth>,
    /// Which of several systems behind one controller is meant: its id, UUID or serial number.
    pub system: Option<String>,
    /// The SHA-256 of the certificate the controller must show, in hexadecimal digits, colons allowed. Its name and dates do not
    /// matter then. Controllers make their certificates themselves; this is how one is trusted.
    pub certificate_sha256: Option<String>,
    /// Certificates in PEM that vouch for the controller's, in place of the system's.
    pub authorities: Option<String>,
    /// Whether any certificate is taken. The password then goes to whoever answers.
    pub accept_any_certificate: bool,
    /// How long it may take until a change of power is seen, in seconds. Default 120.
    pub power_seconds: Option<u64>,
    /// How long a machine that is switched off may take to do it by itself before its power is taken, in seconds. Default 20; 0 asks
    /// it for nothing.
    pub graceful_seconds: Option<u64>,
    /// `uefi`, `uefi_http` or `legacy`, where the controller must be told in which way the network is started from.
    pub boot_mode: Option<BootMode>,
    /// An image that is put in as a CD to start from in place of the network card's own program, such as iPXE on an ISO file.
    pub boot_media: Option<String>,
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// With a session.
    Session,
    /// With the password in each request.
    Basic,
}

/// How a machine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootMode {
    /// By UEFI.
    Uefi,
    /// By UEFI, which fetches by HTTP (UEFI 2.10, section 24.7) and asks nobody for TFTP.
    UefiHttp,
    /// By a BIOS.
    Legacy,
}

impl BootMode {
    /// The word of the standard.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Uefi | Self::UefiHttp => "UEFI",
            Self::Legacy => "Legacy",
        }
    }
}

impl Settings {
    /// What a target says.
    pub(crate) fn of(target: &Target) -> Result<Self, AgentError> {
        let wrong = |why: &dyn std::fmt::Display| {
            AgentError::refused(format!("The settings of {} are not usable: {why}.", target.name))
        };
        let said = if target.settings.is_null() {
            Self::default()
        } else {
            Self::deserialize(&target.settings).map_err(|e| wrong(&e))?
        };
        let ways = [said.certificate_sha256.is_some(), said.authorities.is_some(), said.accept_any_certificate];
        if ways.iter().filter(|is| **is).count() > 1 {
            return Err(wrong(&"certificate_sha256, authorities and accept_any_certificate exclude each other"));
        }
        Ok(said)
    }

    pub(crate) fn power(&self) -> Duration {
        Duration::from_secs(self.power_seconds.unwrap_or(120))
    }

    pub(crate) fn graceful(&self) -> Duration {
        Duration::from_secs(self.graceful_seconds.unwrap_or(20))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(settings: Value) -> Result<Settings, String> {
        let target =
            Target { id: 1, name: "bmc1".into(), address: String::new(), settings, access: None, repair: false };
        Settings::of(&target).map_err(|e| e.to_string())
    }

    #[test]
    fn mistakes_in_settings_are_told() {
        assert_eq!(of(Value::Null), Ok(Settings::default()));
        assert!(of(json!({"usr": "root"})).unwrap_err().contains("usr"));
        let both = of(json!({"accept_any_certificate": true, "authorities": "x"})).unwrap_err();
        assert!(both.contains("exclude each other") && both.contains("bmc1"), "{both}");
    }
}
