//! The family of servers: what is wanted of one piece of metal, or of a machine on a host, what is seen of it, and the change.
//!
//! Installing and rebooting are not states but happenings. They become states by a number: the wish names the installation
//! and the start it wants to be the last one, so a repeated call does nothing twice.

use meetme_base::{IpNet, Time};
use serde::{Deserialize, Serialize};

use crate::{Family, WireSecret};

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
        Desired { key: "d1".into(), hostname: "one".into(), power, install, starts, rescue: false }
    }

    fn seen(key: Option<&str>, power: bool, busy: Option<Busy>) -> Observed {
        let key = key.map(str::to_owned);
        let installed = u32::from(key.is_some());
        Observed {
            version: "x".into(),
            power,
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
}
