//! One server behind its management controller: its power, and what it starts from.

use std::time::Duration;

use meetme_agent::{
    AgentError, Target,
    server::{Health, Observed},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{Settings, client::Client, inventory::health, settings::BootMode};

/// How often power is looked at until it is as wanted.
const POLL: Duration = Duration::from_millis(500);

/// A conversation about one server. End it with [`Bmc::close`], else the controller keeps a session that nobody uses.
pub struct Bmc {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    /// The link to the system.
    pub(crate) system: String,
    name: String,
}

/// What a machine starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// As it is set up by itself: its disk.
    Disk,
    /// The network.
    Network(Once),
}

/// For how long something else than usual is started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// The next start only.
    Yes,
    /// Every start.
    No,
}

impl Bmc {
    /// Begins a conversation with the controller of a target, about the system its settings mean.
    ///
    /// # Errors
    /// When it cannot be reached, does not accept us, or has not the one system that is meant.
    pub async fn open(target: &Target) -> Result<Self, AgentError> {
        let settings = Settings::of(target)?;
        let (client, root) = Client::open(target, &settings).await?;
        match choose(&client, &root, &settings, &target.name).await {
            Ok(system) => Ok(Self { client, settings, system, name: target.name.clone() }),
            Err(error) => {
                client.close().await;
                Err(error)
            }
        }
    }

    /// Ends the conversation.
    pub async fn close(self) {
        self.client.close().await;
    }

    /// The server as its controller sees it.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn look(&self) -> Result<Observed, AgentError> {
        let system = self.client.get(&self.system).await?;
        Ok(Observed {
            version: version(&system),
            power: is_on(&system, &self.name)?,
            remembers: false,
            health: health(&system),
            key: None,
            hostname: None,
            installed: 0,
            starts: 0,
            busy: None,
            done: Vec::new(),
            last_error: (health(&system) == Some(Health::Critical))
                .then(|| "The server's management controller says that something is wrong with it.".to_owned()),
            counters: None,
        })
    }

    /// Gives it power and waits until it has it.
    ///
    /// # Errors
    /// When the controller refuses, or says that it did and did not.
    pub async fn power_on(&self) -> Result<(), AgentError> {
        if is_on(&self.client.get(&self.system).await?, &self.name)? {
            return Ok(());
        }
        self.reset(&["On", "ForceOn", "PushPowerButton"]).await?;
        self.wait_for(true, self.settings.power()).await
    }

    /// Takes its power away and waits until it has none; asks it first to stop by itself if `gently` and the settings leave time for it.
    ///
    /// # Errors
    /// As [`Bmc::power_on`].
    pub async fn power_off(&self, gently: bool) -> Result<(), AgentError> {
        let system = self.client.get(&self.system).await?;
        if !is_on(&system, &self.name)? {
            return Ok(());
        }
        let grace = self.settings.graceful();
        if gently && !grace.is_zero() && allows(&system, "GracefulShutdown") {
            self.reset(&["GracefulShutdown"]).await?;
            if self.wait_for(false, grace).await.is_ok() {
                return Ok(());
            }
        }
        self.reset(&["ForceOff", "PushPowerButton"]).await?;
        self.wait_for(false, self.settings.power()).await
    }

    /// Starts it again: in one step where the controller can, else by taking its power and giving it back.
    ///
    /// # Errors
    /// As [`Bmc::power_on`].
    pub async fn restart(&self) -> Result<(), AgentError> {
        let system = self.client.get(&self.system).await?;
        let one_step = allowed(&system).is_some_and(|all| all.contains(&"ForceRestart"));
        if !is_on(&system, &self.name)? || !one_step {
            self.power_off(false).await?;
            return self.power_on().await;
        }
        self.reset(&["ForceRestart"]).await?;
        self.wait_for(true, self.settings.power()).await
    }

    /// Lets it start from there, and reads back that it will.
    ///
    /// # Errors
    /// [`AgentError::Unsupported`] when it cannot; [`AgentError::Broken`] when the controller took the change and does not show it.
    pub async fn boot_from(&self, boot: Boot) -> Result<(), AgentError> {
        let media = match boot {
            Boot::Network(_) => self.settings.boot_media.as_deref(),
            Boot::Disk => None,
        };
        if let Some(image) = media {
            self.insert(image).await?;
        } else if self.settings.boot_media.is_some() {
            self.eject().await?;
        }
        let system = self.client.get(&self.system).await?;
        let target = match (boot, media) {
            (Boot::Disk, _) => "None",
            (Boot::Network(_), Some(_)) => "Cd",
            (Boot::Network(_), None) if self.settings.boot_mode == Some(BootMode::UefiHttp) => "UefiHttp",
            (Boot::Network(_), None) => "Pxe",
        };
        let now = system.pointer("/Boot/BootSourceOverrideTarget").and_then(Value::as_str);
        let enabled = system.pointer("/Boot/BootSourceOverrideEnabled").and_then(Value::as_str);
        if boot == Boot::Disk && (system.get("Boot").is_none() || enabled == Some("Disabled") || now == Some("None")) {
            return Ok(());
        }
        let known = system.pointer("/Boot/BootSourceOverrideTarget@Redfish.AllowableValues").and_then(Value::as_array);
        if known.is_some_and(|all| !all.is_empty() && !all.iter().any(|one| one == target)) {
            // A controller without the word for it is content with having the override switched off.
            if boot != Boot::Disk {
                return Err(AgentError::unsupported(format!("{} cannot start its server from {target}.", self.name)));
            }
        }
        let mut wish = match boot {
            Boot::Disk => json!({"BootSourceOverrideEnabled": "Disabled"}),
            Boot::Network(Once::Yes) => {
                json!({"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": "Once"})
            }
            Boot::Network(Once::No) => {
                json!({"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": "Continuous"})
            }
        };
        if let (Some(mode), Boot::Network(_)) = (self.settings.boot_mode, boot) {
            wish["BootSourceOverrideMode"] = mode.word().into();
        }
        self.client.patch(&self.system, &json!({"Boot": wish})).await?;
        let after = self.client.get(&self.system).await?;
        let shown = |key: &str| after.pointer(&format!("/Boot/{key}")).and_then(Value::as_str).unwrap_or_default();
        let (to, how) = (shown("BootSourceOverrideTarget"), shown("BootSourceOverrideEnabled"));
        // Some controllers keep no difference between once and always; whoever answers the machine on the network keeps it.
        let took = match boot {
            Boot::Disk => how == "Disabled" || to == "None",
            Boot::Network(_) => to == target && how != "Disabled",
        };
        if took {
            return Ok(());
        }
        Err(AgentError::broken(format!(
            "{} took the order to start its server from {target} and shows {to:?} ({how:?})",
            self.name
        )))
    }

    /// Asks for a change of power by the first of these words that the controller knows.
    async fn reset(&self, words: &[&str]) -> Result<(), AgentError> {
        let system = self.client.get(&self.system).await?;
        let action = system.pointer("/Actions/#ComputerSystem.Reset");
        let link = action.and_then(|a| a.get("target")).and_then(Value::as_str);
        let link = link.ok_or_else(|| AgentError::unsupported(format!("{} cannot switch its server.", self.name)))?;
        let word = words.iter().find(|word| allows(&system, word));
        let word =
            word.ok_or_else(|| AgentError::unsupported(format!("{} knows none of {}.", self.name, words.join(", "))))?;
        self.client.post(link, &json!({"ResetType": word})).await
    }

    /// An accepted order is not a change: its power is looked at until it is as wanted.
    async fn wait_for(&self, power: bool, within: Duration) -> Result<(), AgentError> {
        let until = Instant::now() + within;
        loop {
            let system = self.client.get(&self.system).await?;
            if is_on(&system, &self.name)? == power {
                return Ok(());
            }
            if Instant::now() >= until {
                let (wanted, seconds) = (if power { "on" } else { "off" }, within.as_secs());
                return Err(AgentError::unreachable(format!(
                    "{} took the order and its server was not {wanted} after {seconds} s",
                    self.name
                )));
            }
            sleep(POLL).await;
        }
    }

    /// Puts an image in as a CD.
    ///
    /// # Errors
    /// When the controller has no such drive or refuses.
    pub async fn insert(&self, image: &str) -> Result<(), AgentError> {
        let drive = self.drive().await?;
        if drive.get("Inserted") == Some(&Value::Bool(true)) {
            if drive.get("Image").and_then(Value::as_str) == Some(image) {
                return Ok(());
            }
            self.eject().await?;
        }
        let link = drive.pointer("/Actions/#VirtualMedia.InsertMedia/target").and_then(Value::as_str);
        match (link, drive.get("@odata.id").and_then(Value::as_str)) {
            (Some(link), _) => {
                self.client.post(link, &json!({"Image": image, "Inserted": true, "WriteProtected": true})).await?;
            }
            (None, Some(own)) => self.client.patch(own, &json!({"Image": image, "Inserted": true})).await?,
            (None, None) => return Err(AgentError::unsupported(format!("{} takes no media.", self.name))),
        }
        let after = self.drive().await?;
        if after.get("Inserted") == Some(&Value::Bool(true)) {
            return Ok(());
        }
        Err(AgentError::broken(format!("{} took the medium and shows none", self.name)))
    }

    /// Takes the medium out of the CD drive, if there is one.
    ///
    /// # Errors
    /// When the controller has no such drive or refuses.
    pub async fn eject(&self) -> Result<(), AgentError> {
        let drive = self.drive().await?;
        if drive.get("Inserted") != Some(&Value::Bool(true)) {
            return Ok(());
        }
        let link = drive.pointer("/Actions/#VirtualMedia.EjectMedia/target").and_then(Value::as_str);
        match (link, drive.get("@odata.id").and_then(Value::as_str)) {
            (Some(link), _) => self.client.post(link, &json!({})).await,
            (None, Some(own)) => self.client.patch(own, &json!({"Image": null, "Inserted": false})).await,
            (None, None) => Err(AgentError::unsupported(format!("{} gives no media back.", self.name))),
        }
    }

    /// The CD drive: of the system where it has some, else of the controller that manages it. Which it is depends on the age of both.
    async fn drive(&self) -> Result<Value, AgentError> {
        let system = self.client.get(&self.system).await?;
        let mut collections: Vec<String> = link(&system, "/VirtualMedia").into_iter().collect();
        for manager in links(&system, "/Links/ManagedBy") {
            collections.extend(link(&self.client.get(&manager).await?, "/VirtualMedia"));
        }
        for collection in collections {
            let drives = match self.client.members(&collection).await {
                Err(AgentError::Unsupported { .. }) => continue,
                drives => drives?,
            };
            let takes_cd = |drive: &&Value| {
                let media = drive.get("MediaTypes").and_then(Value::as_array);
                media.is_some_and(|all| all.iter().any(|one| one == "CD" || one == "DVD"))
            };
            if let Some(drive) = drives.iter().find(takes_cd) {
                return Ok(drive.clone());
            }
        }
        Err(AgentError::unsupported(format!("{} has no CD drive for images.", self.name)))
    }
}

/// The link at a place of a document.
pub(crate) fn link(of: &Value, at: &str) -> Option<String> {
    of.pointer(at).and_then(|l| l.get("@odata.id")).and_then(Value::as_str).map(str::to_owned)
}

/// The links of a list at a place of a document.
pub(crate) fn links(of: &Value, at: &str) -> Vec<String> {
    let list = of.pointer(at).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|l| l.get("@odata.id").and_then(Value::as_str).map(str::to_owned)).collect()
}

/// The link to the system that is meant.
async fn choose(client: &Client, root: &Value, settings: &Settings, name: &str) -> Result<String, AgentError> {
    let none = || AgentError::unsupported(format!("{name} has no server behind it."));
    let systems = client.members(&link(root, "/Systems").ok_or_else(none)?).await?;
    let is_meant = |system: &&Value| {
        settings.system.as_ref().is_none_or(|wanted| {
            ["Id", "UUID", "SerialNumber"].iter().any(|key| {
                system.get(key).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
            })
        })
    };
    let meant: Vec<&Value> = systems.iter().filter(is_meant).collect();
    match (meant.as_slice(), &settings.system) {
        ([one], _) => link(one, "").ok_or_else(none),
        ([], Some(wanted)) => Err(AgentError::refused(format!("{name} has no server {wanted}."))),
        ([], None) => Err(none()),
        (several, _) => {
            Err(AgentError::refused(format!("{name} has {} servers: say which one in `system`.", several.len())))
        }
    }
}

/// Whether a system runs. What is on its way counts as what it was, so that nobody takes it for done.
fn is_on(system: &Value, name: &str) -> Result<bool, AgentError> {
    match system.get("PowerState").and_then(Value::as_str) {
        Some("On" | "PoweringOff" | "Paused") => Ok(true),
        Some("Off" | "PoweringOn") => Ok(false),
        other => Err(AgentError::broken(format!("{name} says that the power of its server is {other:?}"))),
    }
}

/// The words a system's reset takes; none where the controller does not say, or says it in a document of its own.
fn allowed(system: &Value) -> Option<Vec<&str>> {
    let list = system.pointer("/Actions/#ComputerSystem.Reset/ResetType@Redfish.AllowableValues")?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).collect())
}

fn allows(system: &Value, word: &str) -> bool {
    allowed(system).is_none_or(|all| all.contains(&word))
}

fn version(system: &Value) -> String {
    let part = |key: &str| system.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let name: Vec<&str> = ["Manufacturer", "Model"].into_iter().filter_map(part).collect();
    let name = if name.is_empty() { "Redfish server".to_owned() } else { name.join(" ") };
    part("BiosVersion").map_or_else(|| name.clone(), |bios| format!("{name}, BIOS {bios}"))
}
