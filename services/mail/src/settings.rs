//! What the operator says of the mail server.

use std::{fmt, path::PathBuf};

use meetme_base::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The mail server that takes our mail: `[mail]` in the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Its name or address. Default: none, and no mail can be sent.
    pub host: Option<String>,
    /// Its port. Default: 465 for `tls`, 587 for `starttls`, 25 for `none`.
    pub port: Option<u16>,
    /// How the connection is kept secret: `tls` from its beginning, `starttls` (RFC 3207) before anything is said, or `none`. Default
    /// `starttls`; a server that does not offer it gets no mail.
    pub tls: Tls,
    /// A file of certificates in PEM form that are trusted besides the system's own. Default: none.
    pub ca_file: Option<PathBuf>,
    /// The user to log in as (AUTH PLAIN or LOGIN, RFC 4954). Default: none, and nobody logs in.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Password>,
    /// The sender of every mail, such as `Peering <peering@example.net>`. It must be set where a host is.
    pub from: String,
    /// How long the server may take for one step, in seconds. Default 20.
    pub timeout_seconds: u64,
    /// How often an address is tried that the server does not take for now, the first time included. Default 5.
    pub attempts: u32,
    /// How long the first pause between two tries is, in seconds; each further one is twice as long. Default 10.
    pub pause_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: Tls::default(),
            ca_file: None,
            user: None,
            password: None,
            from: String::new(),
            timeout_seconds: 20,
            attempts: 5,
            pause_seconds: 10,
        }
    }
}

/// How the connection to the mail server is kept secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all.
    None,
    /// After STARTTLS, which must be offered.
    #[default]
    StartTls,
    /// From its beginning.
    Tls,
}

/// The password at the mail server. Shown nowhere.
#[derive(Clone, PartialEq)]
pub struct Password(pub Secret<String>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_read_and_never_shown() {
        let read: Settings =
            serde_json::from_value(serde_json::json!({"host": "mail.example.net", "password": "hunter2"})).unwrap();
        assert_eq!(read.password, Some(Password(Secret::new("hunter2".to_owned()))));
        let shown = format!("{read:?} {}", serde_json::to_string(&read).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
