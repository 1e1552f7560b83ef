//! Network namespaces.

use std::{path::Path, process::Command};

use crate::Skip;

/// Where `ip netns` keeps the names of namespaces.
const NAMES: &str = "/run/netns";

/// A namespace that goes away with this value.
#[derive(Debug)]
pub struct Space {
    name: String,
}

/// A host of a lab: the name of its namespace. The namespace itself belongs to the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    name: String,
}

impl Space {
    pub(crate) fn new(name: String) -> Result<Self, Skip> {
        run(Command::new("ip").args(["netns", "add", &name]))?;
        let space = Self { name };
        space.ip(&["link", "set", "lo", "up"])?;
        Ok(space)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn host(&self) -> Host {
        Host { name: self.name.clone() }
    }

    pub(crate) fn ip(&self, arguments: &[&str]) -> Result<(), Skip> {
        run(Command::new("ip").args(["-n", &self.name]).args(arguments))
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // A drop has nobody to tell; what stays is swept by the next lab.
        run(Command::new("ip").args(["netns", "del", &self.name])).ok();
    }
}

impl Host {
    /// The name of the host's namespace.
    pub fn namespace(&self) -> &str {
        &self.name
    }

    /// Adds an address to the host's `eth0`, usable at once.
    pub fn add_address(&self, address: &str) -> Result<(), Skip> {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name, "address", "add", address, "dev", "eth0"]);
        if address.contains(':') {
            command.arg("nodad");
        }
        run(&mut command)
    }

    /// Takes the host off the network: nobody is told, and what is sent to it is lost. Its addresses of IPv6 are lost with it.
    pub fn unplug(&self) -> Result<(), Skip> {
        run(Command::new("ip").args(["-n", &self.name, "link", "set", "eth0", "down"]))
    }

    /// What the host's kernel counted under names of TCP that begin so (`TCPMD5`, `TCPMinTTLDrop`): 0 where it does not say.
    pub fn counted(&self, what: &str) -> u64 {
        let said = self.command("cat").arg("/proc/net/netstat").output().map(|done| done.stdout).unwrap_or_default();
        let text = String::from_utf8_lossy(&said).into_owned();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let counters = rows.chunks_exact(2).flat_map(|pair| pair[0].iter().zip(&pair[1]));
        counters.filter(|(name, _)| name.starts_with(what)).filter_map(|(_, n)| n.parse::<u64>().ok()).sum()
    }

    /// A program to be run on the host.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

/// Runs a command to its end; its words are the reason when it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), Skip> {
    let done = command.output().map_err(|e| Skip::new(format!("{command:?} cannot be run: {e}")))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(Skip::new(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim()))),
    }
}

/// Takes away what labs of processes that are gone have left: the namespaces and what still runs in them.
pub(crate) fn sweep() {
    let Ok(names) = std::fs::read_dir(NAMES) else { return };
    for name in names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(|name| is_left(name)) {
        if let Ok(found) = Command::new("ip").args(["netns", "pids", &name]).output() {
            for process in String::from_utf8_lossy(&found.stdout).split_whitespace() {
                run(Command::new("kill").args(["-9", process])).ok();
            }
        }
        drop(Space { name });
    }
}

/// Whether a namespace's name is one of ours, of a process that no longer exists.
fn is_left(name: &str) -> bool {
    let mut parts = name.split('-');
    let process = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("mm"), Some(process), Some(number), Some(_)) if number.parse::<u32>().is_ok() => process,
        _ => return false,
    };
    process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_lab_left_is_swept() {
        let alive = std::process::id();
        assert!(is_left("mm-4294967295-1-switch"));
        for name in [&*format!("mm-{alive}-1-switch"), "mm-sw-4294967295", "other-4294967295-1-x", "mm-4294967295"] {
            assert!(!is_left(name), "{name}");
        }
    }
}
