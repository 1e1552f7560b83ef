//! A look at a running FRR, at the file it starts from, and at what it was last given.

use std::{collections::BTreeSet, path::PathBuf};

use meetme_agent::{AgentError, keep};
use meetme_local::{read, run};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    config::{self, Node},
    settings::Settings,
    state::Summary,
    text::masked,
};

/// The sessions of the instance that is ours, and what went wrong with those that are not up.
const SUMMARY: &str = "show bgp vrf default summary json";
const FAILED: &str = "show bgp vrf default summary failed json";

/// What FRR runs and what it would start from.
pub struct Look {
    /// The name and version, in its own words.
    pub version: String,
    /// The running configuration, all of it.
    pub running: Vec<Node>,
    /// The running configuration that is ours.
    pub ours: Vec<Node>,
    /// What FRR says of its sessions.
    pub summary: Summary,
    /// What FRR was last given; none on a box that was never given anything, or has lost it.
    pub given: Option<Given>,
    /// Whether FRR runs what it was last given.
    pub is_given: bool,
    /// Whether the file that FRR starts from says of what is ours what FRR runs.
    pub is_kept: bool,
}

impl Look {
    /// Our configuration: the text that FRR was given where it runs that, else what it runs.
    pub fn config(&self) -> String {
        match &self.given {
            Some(given) if self.is_given => given.text.clone(),
            Some(given) => config::print(&config::arranged(&self.ours, &config::parse(&given.text))),
            None => config::print(&self.ours),
        }
    }

    /// What our texts name at the top: the last one and this one.
    pub fn named(&self, text: &str) -> BTreeSet<String> {
        let mut named = named(self.given.as_ref());
        named.extend(config::keys(&config::parse(text)));
        named
    }
}

fn named(given: Option<&Given>) -> BTreeSet<String> {
    given.map(|given| config::keys(&config::parse(&given.text))).unwrap_or_default()
}

/// Looks, and changes nothing. Where BGP is not running there is nothing to see: FRR would show a configuration without it.
pub async fn look(settings: &Settings) -> Result<Look, AgentError> {
    let said = ask(settings, &["show version", "show running-config", SUMMARY, FAILED]).await?;
    let start = said.find("Building configuration...").unwrap_or(said.len());
    let (version, rest) = said.split_at(start);
    let (running, summary) = rest.split_once("\nend\n").unwrap_or((rest, ""));
    let version = version.lines().find(|line| line.starts_with("FRRouting ")).unwrap_or_default();
    let version = version.split(" (").next().unwrap_or_default().trim().to_owned();
    if version.is_empty() || running.is_empty() {
        return Err(AgentError::broken("what answers is not FRR, or does not show its configuration"));
    }
    let summary = Summary::read(summary)
        .ok_or_else(|| AgentError::broken("FRR does not tell its sessions in a form that is understood"))?;
    let (running, given) = (config::parse(running), Given::read(settings));
    let named = named(given.as_ref());
    let (_, ours) = config::split(running.clone(), &named);
    let is_given = given.as_ref().is_some_and(|given| given.is(&ours));
    let is_kept = match read(&settings.config_path).await? {
        Some(file) => {
            let (_, kept) = config::split(config::parse(&file.text), &named);
            // In our words, or in FRR's as after `write memory`.
            config::same(&kept, &ours) || (is_given && given.as_ref().is_some_and(|given| given.is(&kept)))
        }
        None => false,
    };
    Ok(Look { version, running, ours, summary, given, is_given, is_kept })
}

/// Asks FRR, and has all its answers one after another.
pub async fn ask(settings: &Settings, commands: &[&str]) -> Result<String, AgentError> {
    let arguments: Vec<&str> = commands.iter().flat_map(|command| ["-c", command]).collect();
    match run(&settings.vtysh(&arguments), settings.answer_time()).await {
        Ok(ran) if ran.is_success => Ok(ran.output),
        Ok(ran) => Err(AgentError::unreachable(format!(
            "FRR at {} does not answer: {}",
            settings.socket_dir.display(),
            masked(&ran.words()).chars().take(300).collect::<String>()
        ))),
        Err(trouble) => Err(AgentError::unreachable(format!(
            "FRR at {} does not answer: {trouble}.",
            settings.socket_dir.display()
        ))),
    }
}

/// What FRR was last given, kept beside its file.
#[derive(Serialize, Deserialize)]
pub struct Given {
    /// The text.
    pub text: String,
    /// What FRR prints when it runs the text, where that is in other words: an operator's own may be.
    shown: Option<String>,
}

impl Given {
    /// Keeps a text that FRR has taken, and what it shows of it if that is in other words.
    pub fn keep(settings: &Settings, text: &str, shown: Option<&[Node]>) -> Result<(), AgentError> {
        let given = Self { text: text.to_owned(), shown: shown.map(config::print) };
        let path = Self::path(settings);
        let written = serde_json::to_vec(&given).map_err(std::io::Error::other).and_then(|said| keep(&path, &said));
        written.map_err(|e| AgentError::broken(format!("{} cannot be written: {e}", path.display())))
    }

    /// What cannot be read is as if it were not there: it is made good by the next change.
    fn read(settings: &Settings) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(settings)).ok()?).ok()
    }

    /// Whether these lines say the same.
    fn is(&self, lines: &[Node]) -> bool {
        let says = |text: &str| config::same(&config::parse(text), lines);
        says(&self.text) || self.shown.as_deref().is_some_and(says)
    }

    fn path(settings: &Settings) -> PathBuf {
        let name = settings.config_path.file_name().unwrap_or_default().to_string_lossy();
        settings.config_path.with_file_name(format!(".meetme-{name}.given"))
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
