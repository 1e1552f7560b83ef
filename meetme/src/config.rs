//! The one configuration file. Every key is documented on its field, unknown keys are errors, and any key can be set by an
//! environment variable: `MEETME__STORE__URL=...` is `[store] url`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use meetme_base::IpNet;
use meetme_http::ServerConfig;
use meetme_store::Open;
use serde::{Deserialize, Serialize};

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Listeners and limits.
    pub server: ServerConfig,
    /// The database.
    pub store: StoreConfig,
    /// Logins and keys.
    pub access: AccessConfig,
    /// Controllers.
    pub control: ControlConfig,
    /// Machines that start over the network.
    pub metal: meetme_netboot::Config,
    /// The interfaces of exchanges.
    pub ixapi: IxApiConfig,
    /// The routing registries.
    pub irr: meetme_irr::Config,
    /// Validated ROAs.
    pub rpki: meetme_rpki::Config,
    /// The history of sessions.
    pub history: HistoryConfig,
    /// NetBox, whose devices become routers.
    pub netbox: NetboxConfig,
    /// What `/metrics` tells beside the server's own counters.
    pub metrics: MetricsConfig,
    /// The mail server that takes our mail.
    pub mail: meetme_mail::Settings,
    /// The public peering database, of which a copy is kept here.
    pub peeringdb: meetme_peeringdb::Settings,
    /// Webhooks.
    pub hooks: HooksConfig,
    /// Data sources.
    pub sources: SourcesConfig,
    /// What is written about the server's own doings.
    pub log: LogConfig,
}

/// Webhooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HooksConfig {
    /// Networks that hooks may call besides the addresses of the Internet, such as `["10.0.0.0/8"]`. Default: none, so that nobody can
    /// make the server call itself or what stands beside it.
    pub allow: Vec<IpNet>,
    /// The directory below which a hook's file of trusted certificates is looked for. Default: none, and no hook can have one.
    pub certificates: Option<PathBuf>,
}

/// Data sources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesConfig {
    /// The directory below which local data sources and `file://` repositories are. Every organization may name any directory below it.
    /// Default: none, and there are no local sources.
    pub root: Option<PathBuf>,
    /// Networks that repositories may be in besides the addresses of the Internet. Default: none.
    pub allow: Vec<IpNet>,
    /// The file with the certificates that repositories over HTTPS are trusted by. Default: those that the system trusts.
    pub certificates: Option<PathBuf>,
    /// The private key with which repositories are read over SSH. Default: none.
    pub ssh_key: Option<PathBuf>,
    /// The file with the keys of the hosts that are trusted over SSH. Default: none, and repositories are read over HTTPS only.
    pub known_hosts: Option<PathBuf>,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// `sqlite:FILE`, or a PostgreSQL connection string (`postgres://...` or `host=... dbname=...`). Default: `meetme.db` in the
    /// data directory.
    pub url: Option<String>,
    /// How many threads (SQLite) or connections (PostgreSQL) read. Default 4.
    pub readers: usize,
    /// How many connections write; SQLite always has one writer. Default 8.
    pub writers: usize,
    /// How many days the change log is kept; 0 keeps it for ever. Default 90.
    pub change_days: u32,
    /// How many days jobs are kept after they ended; 0 keeps them for ever. Default 90.
    pub job_days: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: None, readers: 4, writers: 8, change_days: 90, job_days: 90 }
    }
}

/// Logins and keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// The file with the master key, 64 hexadecimal digits, made when missing. Several servers over one database need the same
    /// key. Default: `master.key` in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// How long a login lasts, in seconds. Default 3600.
    pub session_seconds: i64,
    /// Wrong passwords in a minute for one name or from one address. Default 10.
    pub login_failures_per_minute: u32,
    /// Whether anybody may sign up, each with an organization of their own below the operator's; the login works once a letter was
    /// answered, so `[mail]` is needed. Default: no, a login is made by an administrator or by accepting an invitation.
    pub sign_up: bool,
    /// The organization, by name or UUID, whose book of peerings the Peering Manager dialect shows to callers without a token. Nobody
    /// may write without one. Default: none, every request needs a token.
    pub anonymous_reads: Option<String>,
    /// Whether callers without a token may also ask for peering at that organization's peering portal. Default: no, who asks needs a
    /// key that is limited to their autonomous system.
    pub anonymous_peering_requests: bool,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            master_key_file: None,
            session_seconds: 3600,
            login_failures_per_minute: 10,
            sign_up: false,
            anonymous_reads: None,
            anonymous_peering_requests: false,
        }
    }
}

/// Controllers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    /// Whether this process runs controllers. Default true.
    pub enabled: bool,
    /// How many boxes are driven at once. Default 16.
    pub workers: usize,
    /// After how many seconds a piece of work counts as lost that no agent elsewhere has fetched and finished. Default 60; more
    /// than a box takes to load a configuration and settle.
    pub agent_seconds: u64,
    /// After how many seconds what is still being built counts as failed, such as a machine that never says that it has started.
    /// Default 3600.
    pub give_up_seconds: u64,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { enabled: true, workers: 16, agent_seconds: 60, give_up_seconds: 3600 }
    }
}

/// The interfaces of exchanges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IxApiConfig {
    /// Networks that IX-APIs may be in besides the addresses of the Internet, such as `["10.0.0.0/8"]`; to these it may also go without
    /// TLS. Default: none, so that nobody can make the server call itself or what stands beside it.
    pub allow: Vec<IpNet>,
}

/// NetBox, whose webhooks make, change and remove routers (`update-from-netbox` of the Peering Manager dialect).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetboxConfig {
    /// The slugs of the roles of devices that become routers. Default: none named, every device that NetBox tells of.
    pub device_roles: Vec<String>,
    /// The slugs of tags of which such a device has one. Default: none named, tags do not matter.
    pub tags: Vec<String>,
}

/// The history of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// How many days changes of state and counts are kept; 0 keeps them for ever. Default 90.
    pub days: u32,
    /// How many minutes lie at least between two rows of one session's counts. Default 15.
    pub sample_minutes: u32,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { days: 90, sample_minutes: 15 }
    }
}

/// What `/metrics` tells beside the server's own counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Whether it tells of each BGP session. Default false: whoever may read it then sees every tenant's sessions.
    pub sessions: bool,
    /// The most sessions it tells of; how many are left out is told. Default 5000.
    pub session_limit: u32,
    /// How old what it tells of sessions may be, in seconds. Default 30.
    pub session_seconds: u64,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { sessions: false, session_limit: 5000, session_seconds: 30 }
    }
}

/// What is written about the server's own doings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` for people or `json` for machines. Default `text`.
    pub format: LogFormat,
    /// What is written, in the form of `RUST_LOG`. Default `info`.
    pub level: String,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of words.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Config {
    /// Reads the file, if one is named, and the environment over it.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown or a value does not fit.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut table = match file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("reading {}", path.display()))?
                .parse::<toml::Table>()
                .with_context(|| format!("reading {}", path.display()))?,
            None => toml::Table::new(),
        };
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix("MEETME__") {
                let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
                set(&mut table, &keys, &value).with_context(|| format!("the environment variable {name}"))?;
            }
        }
        Self::deserialize(toml::Value::Table(table)).context("the configuration")
    }

    /// Which database to open, its file inside `data` when none is named.
    ///
    /// # Errors
    /// When the URL is of no known form.
    pub fn open(&self, data: &Path) -> Result<Open> {
        let readers = self.store.readers;
        let Some(url) = &self.store.url else {
            return Ok(Open::Sqlite { path: data.join("meetme.db"), readers });
        };
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Open::Sqlite { path: PathBuf::from(path), readers });
        }
        if url.starts_with("postgres") || url.contains('=') {
            return Ok(Open::Postgres { url: url.clone(), writers: self.store.writers, readers });
        }
        bail!("store.url: `{url}` is neither sqlite:FILE nor a PostgreSQL connection string")
    }
}

/// Sets one key from the environment: read as TOML where it is some, else as text.
fn set(table: &mut toml::Table, keys: &[String], value: &str) -> Result<()> {
    let Some((first, rest)) = keys.split_first() else { bail!("no key is named") };
    if rest.is_empty() {
        let parsed = format!("x = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("x"));
        table.insert(first.clone(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
        return Ok(());
    }
    let inner = table.entry(first.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let Some(inner) = inner.as_table_mut() else { bail!("{first} is not a table") };
    set(inner, rest, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        Config::load(Some(file.path()), environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let config = load(
            "[store]\nreaders = 2\n[log]\nformat = 'json'",
            &[("MEETME__STORE__READERS", "7"), ("MEETME__STORE__URL", "host=/run dbname=x"), ("OTHER", "1")],
        )
        .unwrap();
        assert_eq!((config.store.readers, config.log.format), (7, LogFormat::Json));
        assert!(matches!(config.open(Path::new("/d")).unwrap(), Open::Postgres { .. }));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        assert!(format!("{:#}", load("[store]\nreader = 2", &[]).unwrap_err()).contains("reader"));
        assert!(load("", &[("MEETME__LOG__LEVLE", "info")]).is_err());
    }

    #[test]
    fn without_a_url_the_database_is_a_file_in_the_data_directory() {
        let open = Config::default().open(Path::new("/data")).unwrap();
        assert!(matches!(open, Open::Sqlite { path, .. } if path == Path::new("/data/meetme.db")));
    }
}
