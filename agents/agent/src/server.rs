//! The family of servers: what is wanted of one piece of metal, or of a machine on a host, what is seen of it, and the change.
//!
//! Installing and rebooting are not states but happenings. They become states by a number: the wish names the installation
//! and the start it wants to be the last one, so a repeated call does nothing twice.

use meetme_base::{IpNet, MacAddr, Time};
use serde::{Deserialize, Serialize};

use crate::{Family, Soon, Target, WireSecret};

/// Servers.
#[derive(Clone, Copy, Debug)]
pub enum Server {}

impl Family for Server {
    type Desired = Desired;
    type Observed = Observed;
    type Plan = Plan;
    const NAME: &'static str = "server";
}

/// Everything one server should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// The device's name on the equipment, the same for its whole life, such as `d123`.
    pub key: String,
    /// The name the machine is to give itself.
    pub hostname: String,
    /// Whether it is to run.
    pub power: bool,
    /// What is to be installed; none for a server that is to be wiped and given back.
    pub install: Option<Install>,
    /// How many starts have been asked for since it was installed; a higher number asks for another one.
    #[serde(default)]
    pub starts: u32,
    /// Whether the next start goes into a system in memory.
    #[serde(default)]
    pub rescue: bool,
    /// Whether every start goes over the network, not only those into an installation or a system in memory.
    #[serde(default)]
    pub netboot: bool,
}

/// An installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// Which installation of this device it is, from 1; a higher number asks for another one.
    pub number: u32,
    /// The kind of machine ordered.
    pub plan: String,
    /// The image to install.
    pub image: String,
    /// A script to boot from instead of an image.
    #[serde(default)]
    pub ipxe_url: Option<String>,
    /// What the machine may read about itself at its first start.
    #[serde(default)]
    pub userdata: Option<WireSecret>,
    /// Its first password.
    #[serde(default)]
    pub root_password: Option<WireSecret>,
    /// Public keys that may log in.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// Its addresses.
    #[serde(default)]
    pub addresses: Vec<IpNet>,
    /// Whether disks other than the system's own are left alone.
    #[serde(default)]
    pub keep_disks: bool,
    /// The steps the customer is shown, by their codes, in order. The agent says which are done.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// Everything one server was seen to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// What answered, in its own words.
    pub version: String,
    /// Whether it runs.
    pub power: bool,
    /// Whether it remembers by itself what it was told. A management controller does not: it knows power, and not whom the
    /// machine was given to. What it was told is then kept by whoever told it, and put in by [`Observed::recall`].
    #[serde(default)]
    pub remembers: bool,
    /// How it says it feels; none where it says nothing.
    #[serde(default)]
    pub health: Option<Health>,
    /// Which device it serves, if any.
    pub key: Option<String>,
    /// The name the machine gave itself.
    pub hostname: Option<String>,
    /// The number of the last installation, finished or not.
    pub installed: u32,
    /// How many starts were done since that installation.
    pub starts: u32,
    /// What is under way.
    pub busy: Option<Busy>,
    /// The steps of the installation that are done, with their moments.
    pub done: Vec<(String, Time)>,
    /// What went wrong last, in the equipment's words.
    pub last_error: Option<String>,
    /// What its interfaces have counted since they began to; none where nobody counts.
    #[serde(default)]
    pub counters: Option<Counters>,
}

/// Bytes that the interfaces of a server carried. A counter that is lower than before began anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// To the server.
    pub inbound: u64,
    /// From the server.
    pub outbound: u64,
}

/// How a machine says it feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nothing is wrong.
    Ok,
    /// Something will go wrong.
    Warning,
    /// Something is wrong.
    Critical,
}

/// What a server without a memory was told last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The device it was given to.
    pub key: String,
    /// Its last installation.
    pub installed: u32,
    /// How many starts it was told since.
    pub starts: u32,
    /// What it is busy with since then, as far as nobody has said that it is over.
    pub busy: Option<Busy>,
}

impl Observed {
    /// Puts in what a server that remembers nothing was told last, unless it has been told something just now.
    #[must_use]
    pub fn recall(mut self, told: Option<&Told>) -> Self {
        if let (false, None, Some(told)) = (self.remembers, &self.key, told) {
            self.key = Some(told.key.clone());
            self.installed = told.installed;
            self.starts = told.starts;
            self.busy = told.busy;
        }
        self
    }

    /// What is to be remembered for it; none when it remembers by itself, or serves nobody.
    pub fn told(&self) -> Option<Told> {
        let key = self.key.clone().filter(|_| !self.remembers)?;
        Some(Told { key, installed: self.installed, starts: self.starts, busy: self.busy })
    }
}

/// What a server is made of, as its management controller tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The maker's serial number.
    pub serial: String,
    /// Its maker.
    pub maker: String,
    /// Its model.
    pub model: String,
    /// Its UUID.
    pub uuid: Option<String>,
    /// Whether it runs.
    pub power: bool,
    /// How it says it feels.
    pub health: Option<Health>,
    /// Its memory, in MiB.
    pub memory_mib: Option<u64>,
    /// How many processors it has.
    pub processors: Option<u32>,
    /// What they are called.
    pub processor: Option<String>,
    /// Its network interfaces, in order.
    pub nics: Vec<InventoryNic>,
    /// What is wrong with it, by the names of its sensors.
    pub faults: Vec<String>,
}

/// A network interface as a management controller tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryNic {
    /// What the controller calls it.
    pub name: String,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Whether something is connected to it; absent where the controller does not say.
    pub link: Option<bool>,
}

/// Says what a server is made of.
pub trait Discover: Send + Sync {
    /// Asks.
    fn discover<'a>(&'a self, target: &'a Target) -> Soon<'a, Inventory>;
}

/// What a server is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Busy {
    /// Installing.
    Installing,
    /// Starting.
    Starting,
    /// Stopping.
    Stopping,
    /// Being wiped.
    Wiping,
}

/// The exact change to one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is to be.
    pub want: Desired,
    /// What is to be done, in order.
    pub actions: Vec<Action>,
    /// The same in sentences: this is what users are shown.
    pub steps: Vec<String>,
    /// Whether anything is to change.
    pub is_change: bool,
}

/// One thing to do to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Install the wanted image, whatever was there before.
    Install,
    /// Switch it on.
    On,
    /// Switch it off.
    Off,
    /// Start it again.
    Restart,
    /// Remove everything that was stored on it, and leave it off.
    Wipe,
}

impl Plan {
    /// The change that makes `seen` into `want`. A server that is busy is left alone until it is done, unless it is to be
    /// wiped or installed anew.
    pub fn between(want: &Desired, seen: &Observed) -> Self {
        let action = match (&want.install, seen.busy) {
            (None, Some(Busy::Wiping)) => None,
            // What serves another device by now is not ours to wipe.
            (None, _) => (seen.key.as_ref() == Some(&want.key)).then_some(Action::Wipe),
            (Some(install), _) if seen.key.as_deref() != Some(&want.key) || seen.installed < install.number => {
                Some(Action::Install)
            }
            (Some(_), Some(_)) => None,
            (Some(_), None) if want.power != seen.power => Some(if want.power { Action::On } else { Action::Off }),
            (Some(_), None) if want.power && want.starts > seen.starts => Some(Action::Restart),
            (Some(_), None) => None,
        };
        let sentence = |action| match action {
            Action::Install => format!("Install {} as {}.", image(want), want.hostname),
            Action::On => format!("Switch {} on.", want.hostname),
            Action::Off => format!("Switch {} off.", want.hostname),
            Action::Restart => format!("Start {} again.", want.hostname),
            Action::Wipe => "Wipe the server and give it back.".to_owned(),
        };
        Self {
            want: want.clone(),
            actions: action.into_iter().collect(),
            steps: action.map(sentence).into_iter().collect(),
            is_change: action.is_some(),
        }
    }
}

fn image(want: &Desired) -> &str {
    want.install.as_ref().map_or("nothing", |i| i.image.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(number: Option<u32>, power: bool, starts: u32) -> Desired {
        let install = number.map(|number| Install {
            number,
            plan: "c3".into(),
            image: "debian_13".into(),
            ipxe_url: None,
            userdata: None,
            root_password: None,
            ssh_keys: vec![],
            addresses: vec![],
            keep_disks: false,
            steps: vec![],
        });
        Desired { key: "d1".into(), hostname: "one".into(), power, install, starts, rescue: false, netboot: false }
    }

    fn seen(key: Option<&str>, power: bool, busy: Option<Busy>) -> Observed {
        let key = key.map(str::to_owned);
        let installed = u32::from(key.is_some());
        Observed {
            version: "x".into(),
            power,
            remembers: true,
            health: None,
            key,
            hostname: None,
            installed,
            starts: 0,
            busy,
            done: vec![],
            last_error: None,
            counters: None,
        }
    }

    #[test]
    fn a_plan_does_one_thing_at_a_time_and_nothing_twice() {
        let plan = |want: &Desired, seen: &Observed| Plan::between(want, seen).actions;
        assert_eq!(plan(&want(Some(1), true, 0), &seen(None, false, None)), [Action::Install]);
        assert_eq!(plan(&want(Some(1), true, 0), &seen(Some("d0"), true, None)), [Action::Install]);
        assert_eq!(plan(&want(Some(2), true, 0), &seen(Some("d1"), true, Some(Busy::Starting))), [Action::Install]);
        assert_eq!(plan(&want(Some(1), true, 0), &seen(Some("d1"), true, Some(Busy::Installing))), []);
        assert_eq!(plan(&want(Some(1), false, 0), &seen(Some("d1"), true, None)), [Action::Off]);
        assert_eq!(plan(&want(Some(1), true, 1), &seen(Some("d1"), true, None)), [Action::Restart]);
        assert_eq!(plan(&want(Some(1), true, 0), &seen(Some("d1"), true, None)), []);
        assert_eq!(plan(&want(None, false, 0), &seen(Some("d1"), true, None)), [Action::Wipe]);
        assert_eq!(plan(&want(None, false, 0), &seen(None, false, None)), []);
        assert_eq!(plan(&want(None, false, 0), &seen(Some("d0"), true, None)), []);
    }

    #[test]
    fn what_a_server_forgets_is_recalled_and_what_it_remembers_is_its_own_word() {
        let told = Told { key: "d1".into(), installed: 2, starts: 3, busy: Some(Busy::Installing) };
        let bare = Observed { remembers: false, key: None, installed: 0, ..seen(None, true, None) };
        let recalled = bare.clone().recall(Some(&told));
        assert_eq!(recalled.told(), Some(told.clone()));
        assert_eq!((recalled.key.as_deref(), recalled.busy), (Some("d1"), Some(Busy::Installing)));
        assert_eq!(bare.clone().recall(None), bare);
        let own = seen(Some("d9"), true, None);
        assert_eq!(own.clone().recall(Some(&told)), own);
        assert_eq!(own.told(), None);
    }
}
