//! A lab for tests with real daemons: network namespaces on one bridge, daemons in them, and nothing left behind.
//!
//! Promise: the lab knows no agent of ours, only the seam that all of them have, and one daemon by name: BIRD, which stands as the
//! neighbour that somebody else configured. It makes only what carries its own name
//! (`mm-<process>-<number>-<name>`), ends only processes it started, and takes everything away when it is dropped, in a
//! failing test too. What a killed test run has left is taken away by the next lab.
//!
//! Where a lab cannot be had (no root, no `ip`, a program is missing) it says so with a reason: [`Skip`]. With
//! `MEETME_LAB=require` in the environment a skip is a failure, so that a build that is meant to run labs cannot quietly
//! stop running them.

mod bird;
mod daemon;
mod driven;
mod space;
mod wait;
pub mod wish;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

pub use daemon::Daemon;
pub use driven::{Driven, SOON};
pub use space::Host;
pub use wait::{until, until_async};

use space::{Space, run};

/// Why a lab cannot be had here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    reason: String,
}

impl Skip {
    /// A lab cannot be had for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
    /// The reason.
    pub fn reason(&self) -> &str {
        &self.reason
    }
    /// Says that a test is skipped and why, past the test runner's capture. Panics where labs are required.
    pub fn report(&self) {
        assert!(std::env::var("MEETME_LAB").as_deref() != Ok("require"), "a lab is required: {}", self.reason);
        let thread = std::thread::current();
        let line = format!("SKIPPED {}: {}\n", thread.name().unwrap_or("a test"), self.reason);
        // Not eprint!, which the test runner swallows; and a closed stderr is no reason to fail.
        std::io::stderr().write_all(line.as_bytes()).ok();
    }
}

impl std::fmt::Display for Skip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

/// One local network of hosts, a directory for their files, and the daemons on them.
#[derive(Debug)]
pub struct Lab {
    // Dropped in this order: daemons, then the namespaces they are in, then the directory they write to.
    daemons: Vec<Daemon>,
    hosts: Vec<Space>,
    switch: Space,
    name: String,
    directory: tempfile::TempDir,
}

/// Tells labs of one process apart.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Lab {
    /// An empty network. Skips without root, without `ip`, or where the kernel makes no namespaces and bridges.
    pub fn new() -> Result<Self, Skip> {
        if !is_root() {
            return Err(Skip::new("network namespaces need root"));
        }
        program("ip")?;
        space::sweep();
        let name = format!("mm-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = tempfile::Builder::new().prefix("meetme-lab-").tempdir();
        let directory = directory.map_err(|e| Skip::new(format!("no directory for a lab: {e}")))?;
        let switch = Space::new(format!("{name}-switch"))?;
        switch.ip(&["link", "add", "br0", "type", "bridge"])?;
        switch.ip(&["link", "set", "br0", "up"])?;
        open_to_all(directory.path())?;
        Ok(Self { daemons: Vec::new(), hosts: Vec::new(), switch, name, directory })
    }

    /// A directory that goes away with the lab. Daemons that drop their privileges may enter it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A file of the lab's directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The same as text, for the words of a command.
    pub fn path(&self, name: &str) -> String {
        self.file(name).to_string_lossy().into_owned()
    }

    /// What a file of the lab's directory says; nothing where there is none.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Adds a host with the addresses (each with its length, `192.0.2.1/24`) on `eth0` of the common network.
    pub fn host(&mut self, name: &str, addresses: &[&str]) -> Result<Host, Skip> {
        let space = Space::new(format!("{}-{name}", self.name))?;
        let port = format!("p{}", self.hosts.len());
        self.switch.ip(&["link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", space.name()])?;
        self.switch.ip(&["link", "set", &port, "master", "br0", "up"])?;
        space.ip(&["link", "set", "eth0", "up"])?;
        let host = space.host();
        self.hosts.push(space);
        for address in addresses {
            host.add_address(address)?;
        }
        Ok(host)
    }

    /// Starts a daemon on a host. It must stay in the foreground, so that its end can be had; what it writes to its standard
    /// output and error is in the file `<name>.out`.
    pub fn start(&mut self, host: &Host, name: &str, command: &[&str]) -> Result<usize, Skip> {
        if let Some(first) = command.first() {
            program(first)?;
        }
        let output = self.file(&format!("{name}.out"));
        self.daemons.push(Daemon::start(host, command, &output)?);
        Ok(self.daemons.len() - 1)
    }

    /// Whether a daemon that [`Lab::start`] has started still runs. Where it does not, its output file says why.
    pub fn is_running(&mut self, daemon: usize) -> bool {
        self.daemons.get_mut(daemon).is_some_and(Daemon::is_running)
    }

    /// Ends a daemon that [`Lab::start`] has started, as a crash would.
    pub fn kill(&mut self, daemon: usize) {
        if let Some(daemon) = self.daemons.get_mut(daemon) {
            daemon.kill();
        }
    }

    /// Has a directory in the lab's own made for a user who is not root.
    pub fn directory_of(&self, name: &str, user: &str) -> Result<PathBuf, Skip> {
        let path = self.file(name);
        std::fs::create_dir(&path).map_err(|e| Skip::new(format!("{} cannot be made: {e}", path.display())))?;
        run(Command::new("chown").arg(format!("{user}:{user}")).arg(&path))?;
        Ok(path)
    }
}

/// Where a program is; skips when it is not installed. A path stands for itself.
pub fn program(name: &str) -> Result<PathBuf, Skip> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    // Daemons live in directories that the search path of ordinary users leaves out.
    let places = std::env::split_paths(&places).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = places.map(|place| place.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Skip::new(format!("{name} is not installed")))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|of| of.uid() == 0)
}

fn open_to_all(directory: &Path) -> Result<(), Skip> {
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755));
    open.map_err(|e| Skip::new(format!("{} cannot be opened: {e}", directory.display())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn exists(host: &Host) -> bool {
        Path::new("/run/netns").join(host.namespace()).exists()
    }

    #[tokio::test]
    async fn a_lab_leaves_nothing_behind() {
        let mut lab = match Lab::new() {
            Ok(lab) => lab,
            Err(skip) => return skip.report(),
        };
        let host = lab.host("a", &["192.0.2.1/24", "2001:db8::1/64"]).unwrap();
        let daemon = lab.start(&host, "idle", &["sleep", "600"]).unwrap();
        let process = lab.daemons[daemon].process();
        assert!(exists(&host) && lab.is_running(daemon) && lab.file("idle.out").exists());
        let directory = lab.directory().to_owned();
        drop(lab);
        assert!(!exists(&host) && !directory.exists() && !Path::new(&format!("/proc/{process}")).exists());
    }

    #[tokio::test]
    async fn hosts_of_a_lab_reach_each_other_and_a_killed_daemon_is_gone() {
        let mut lab = match Lab::new() {
            Ok(lab) => lab,
            Err(skip) => return skip.report(),
        };
        let a = lab.host("a", &["192.0.2.1/24"]).unwrap();
        let b = lab.host("b", &["192.0.2.2/24"]).unwrap();
        // Only a host that is reached can refuse: nothing listens there.
        let answered = until(Duration::from_secs(10), || {
            let done = a.command("bash").args(["-c", "exec 3<>/dev/tcp/192.0.2.2/9"]).output().unwrap();
            String::from_utf8_lossy(&done.stderr).contains("Connection refused")
        });
        assert!(answered.await);
        let daemon = lab.start(&b, "idle", &["sleep", "600"]).unwrap();
        lab.kill(daemon);
        assert!(!lab.is_running(daemon));
    }

    #[test]
    fn a_program_that_is_missing_is_a_reason_to_skip() {
        assert_eq!(program("no-such-program").unwrap_err().reason(), "no-such-program is not installed");
    }
}
