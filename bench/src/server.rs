//! The program that is measured: built, set up, started and stopped as its user would.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// How long it may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings of the environment.
pub type Settings = Vec<(&'static str, String)>;

/// The server's program, built now unless one is named.
pub fn program(named: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(path) = named {
        return path.canonicalize().with_context(|| format!("{}", path.display()));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--package", "meetme"])
        .current_dir(&root)
        .status()
        .context("building the server")?;
    ensure!(built.success(), "the server does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    Ok(target.join("release").join("meetme"))
}

/// Makes the first organization and user; answers the secret of the user's key.
pub fn set_up(program: &Path, data: &Path, settings: &Settings) -> Result<String> {
    let mut child = Command::new(program)
        .args(["admin", "setup", "--organization", "Bench", "--user", "bench", "--password", "-", "--data"])
        .arg(data)
        .envs(settings.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{}", program.display()))?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "a password of the bench")?;
    }
    let done = child.wait_with_output()?;
    ensure!(done.status.success(), "`meetme admin setup` failed");
    let text = String::from_utf8(done.stdout)?;
    let secret = text.lines().find_map(|line| line.strip_prefix("secret")).context("no secret was printed")?;
    Ok(secret.trim().to_owned())
}

/// A running server; it goes when this is dropped.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Server {
    /// Starts it on a free port and waits until it listens. Its log goes into a file of the folder.
    pub fn start(program: &Path, data: &Path, settings: &Settings) -> Result<Self> {
        // Free a moment ago is the best that can be had from outside.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let log = data.join("server.log");
        let child = Command::new(program)
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .envs(settings.iter().cloned())
            .env("MEETME__SERVER__LIMITS__RATE_PER_SECOND", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::OpenOptions::new().create(true).append(true).open(&log)?)
            .spawn()
            .with_context(|| format!("{}", program.display()))?;
        let mut server = Self { child, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                let text = fs::read_to_string(&log).unwrap_or_default();
                bail!("the server ended with {status}: {text}");
            }
            ensure!(begun.elapsed() < PATIENCE, "the server does not listen");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().context("kill")?;
        ensure!(asked.success(), "the server was not running");
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(begun.elapsed() < PATIENCE, "the server does not stop");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(())
    }

    /// What it holds in memory now and held at most.
    pub fn memory(&self) -> Result<Memory> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).context("memory of the server")?;
        Ok(Memory { now: kilobytes(&text, "VmRSS:")?, most: kilobytes(&text, "VmHWM:")? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a polite stop there is nothing left to kill, and nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Resident memory, in kB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// At most since it started.
    pub most: u64,
}

fn kilobytes(status: &str, name: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_status_of_the_process() {
        let text = "Name:\tmeetme\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!((kilobytes(text, "VmRSS:").unwrap(), kilobytes(text, "VmHWM:").unwrap()), (10240, 20480));
        assert!(kilobytes(text, "VmSwap:").is_err());
    }
}
