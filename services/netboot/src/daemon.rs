//! The daemon's process and its files.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{
    DhcpConfig,
    render::{self, Host},
};

/// How long the daemon may take to check its file, or to end.
const SOON: Duration = Duration::from_secs(10);

/// dnsmasq.
pub(crate) struct Daemon {
    program: PathBuf,
    directory: PathBuf,
    configuration: String,
    child: Option<Child>,
    /// The hosts it last read.
    hosts: Option<String>,
}

impl Daemon {
    pub(crate) fn new(dhcp: &DhcpConfig, base: &str, directory: &Path) -> Self {
        let configuration = render::configuration(dhcp, base, directory);
        Self { program: dhcp.program.clone(), directory: directory.to_owned(), configuration, child: None, hosts: None }
    }

    /// Has it hand out these addresses: starts it, or lets it read the file anew where that has changed.
    pub(crate) async fn serve(&mut self, hosts: &[Host]) -> Result<(), String> {
        let text = render::hosts(hosts);
        let is_new = self.hosts.as_ref() != Some(&text);
        if is_new {
            write(&self.directory.join("hosts"), &text)?;
        }
        match self.child.as_mut().map(Child::try_wait) {
            Some(Ok(None)) if is_new => self.hang_up().await?,
            Some(Ok(None)) => return Ok(()),
            _ => self.start().await?,
        }
        self.hosts = Some(text);
        tracing::info!(hosts = hosts.len(), "addresses are handed out to machines that start");
        Ok(())
    }

    async fn start(&mut self) -> Result<(), String> {
        let file = self.directory.join("dnsmasq.conf");
        write(&file, &self.configuration)?;
        self.end_the_last().await;
        let argument = format!("--conf-file={}", file.display());
        let name = self.program.display();
        let check = Command::new(&self.program).args(["--test", &argument]).stdin(Stdio::null()).output();
        let checked = timeout(SOON, check).await.map_err(|_| format!("{name} --test does not end"))?;
        let checked = checked.map_err(|e| format!("{name} cannot be run: {e}"))?;
        if !checked.status.success() {
            return Err(format!("{name} refuses its file: {}", String::from_utf8_lossy(&checked.stderr).trim()));
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.directory.join("dnsmasq.log"));
        let log = log.map_err(|e| format!("the log of {name} cannot be opened: {e}"))?;
        let pid = format!("--pid-file={}", self.directory.join("pid").display());
        let child = Command::new(&self.program)
            .args(["--keep-in-foreground", "--log-facility=-", &argument, &pid])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("{name} cannot be run: {e}"))?;
        self.child = Some(child);
        Ok(())
    }

    /// One that a server that was killed has left behind still has the port.
    async fn end_the_last(&self) {
        let Ok(pid) = std::fs::read_to_string(self.directory.join("pid")) else { return };
        let Ok(pid) = pid.trim().parse::<u32>() else { return };
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let ours = self.directory.join("dnsmasq.conf").display().to_string();
        if !String::from_utf8_lossy(&command).contains(&ours) {
            return;
        }
        tracing::info!(pid, "a dnsmasq that was left behind is ended");
        if let Err(why) = signal("TERM", pid).await {
            tracing::warn!(%why, "it does not end");
        }
        let gone = async {
            while Path::new(&format!("/proc/{pid}")).exists() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if timeout(SOON, gone).await.is_err() {
            tracing::warn!(pid, "it does not end");
        }
    }

    /// Lets it read its hosts anew.
    async fn hang_up(&self) -> Result<(), String> {
        match self.child.as_ref().and_then(Child::id) {
            Some(pid) => signal("HUP", pid).await,
            None => Ok(()),
        }
    }

    /// Waits until the daemon ends by itself.
    pub(crate) async fn ended(&mut self) {
        match &mut self.child {
            Some(child) => {
                if let Err(error) = child.wait().await {
                    tracing::warn!(%error, "dnsmasq cannot be waited for");
                }
                self.child = None;
                self.hosts = None;
            }
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn stop(mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Some(pid) = child.id()
            && signal("TERM", pid).await.is_ok()
            && timeout(SOON, child.wait()).await.is_ok()
        {
            return;
        }
        if let Err(error) = child.kill().await {
            tracing::warn!(%error, "dnsmasq cannot be ended");
        }
    }
}

/// Sends a signal by the shell's own command, which is everywhere.
async fn signal(name: &str, pid: u32) -> Result<(), String> {
    let sent = Command::new("sh").args(["-c", r#"kill -"$0" "$1""#, name, &pid.to_string()]).output().await;
    let sent = sent.map_err(|e| format!("no signal can be sent: {e}"))?;
    if sent.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&sent.stderr).trim().to_owned()) }
}

/// Writes a file whole, in one step.
fn write(file: &Path, text: &str) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{} cannot be written: {e}", file.display());
    let mut beside = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    beside.write_all(text.as_bytes()).map_err(failed)?;
    beside.persist(file).map_err(|e| failed(e.error))?;
    Ok(())
}
