//! One PostgreSQL server process and its files.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

/// Where Debian and its kin put the programs of each version; others have them in the search path.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Whose account to use in place of root's, which PostgreSQL refuses to run as.
const ACCOUNTS: &[&str] = &["postgres", "nobody"];

/// What every test server has in common. Nothing listens on the network.
const COMMON: &str = "
listen_addresses = ''
max_connections = 400
shared_buffers = 64MB
deadlock_timeout = 100ms
autovacuum = off
jit = off
wal_level = minimal
max_wal_senders = 0
";

/// Quick, and nothing is kept over a power failure.
const QUICK: &str = "
fsync = off
full_page_writes = off
synchronous_commit = off
";

/// A server's folder, which holds its data, its log and its socket.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub folder: PathBuf,
}

impl Server {
    /// Makes the files of a new server and starts it.
    pub fn make(durable: bool) -> Result<Self> {
        // The socket's path may be 107 bytes long, so deep temporary folders will not do.
        let mut home = std::env::temp_dir();
        if home.as_os_str().len() > 60 {
            home = PathBuf::from("/tmp");
        }
        let folder = tempfile::Builder::new().prefix("meetme-pg-").tempdir_in(home)?.keep();
        let server = Self { folder };
        server.fill(durable).inspect_err(|_| server.clear())?;
        Ok(server)
    }

    fn fill(&self, durable: bool) -> Result<()> {
        if let Some(account) = account()? {
            chown(&self.folder, Some(account.uid), Some(account.gid)).context("giving the folder away")?;
        }
        // The words of another language sort otherwise than bytes do: a test must not pass because of the server's default.
        let words = &["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"][..];
        if self.initdb(words).is_err() {
            if self.data().exists() {
                fs::remove_dir_all(self.data())?;
            }
            self.initdb(&["--locale=C"])?;
        }
        let conf = self.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&conf)?;
        text.push_str(COMMON);
        text.push_str(if durable { "" } else { QUICK });
        text.push_str(&format!("unix_socket_directories = '{}'\n", self.folder.display()));
        fs::write(&conf, text)?;
        self.start()
    }

    fn initdb(&self, words: &[&str]) -> Result<()> {
        let mut command = self.program("initdb")?;
        command.arg("-D").arg(self.data()).args(["-U", "meetme", "-A", "trust", "-E", "UTF8", "--no-sync"]).args(words);
        let done = command.output().context("initdb")?;
        ensure!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Starts it and waits until it answers.
    pub fn start(&self) -> Result<()> {
        let mut command = self.program("pg_ctl")?;
        command.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log")).args(["-w", "-t", "60", "start"]);
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status().context("pg_ctl")?;
        if !done.success() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let tail = &log[log.len().saturating_sub(1000)..];
            bail!("the server does not start: {tail}");
        }
        Ok(())
    }

    /// The number of the first process.
    pub fn process(&self) -> Result<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid"))?;
        text.lines().next().and_then(|line| line.trim().parse().ok()).context("no process number")
    }

    /// The text of a connection to one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=meetme dbname={database} connect_timeout=10", self.folder.display())
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn clear(&self) {
        if let Err(e) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays behind: {e}", self.folder.display());
        }
    }

    /// A shell line, for a watchdog, that stops the server.
    pub fn stop_line(&self) -> Result<Vec<String>> {
        let mut command = self.program("pg_ctl")?;
        command.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        Ok(words.map(|word| word.to_string_lossy().into_owned()).collect())
    }

    /// One of PostgreSQL's programs, run from the server's folder as somebody who is not root.
    fn program(&self, name: &str) -> Result<Command> {
        let program = programs().map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
        let mut command = match account()? {
            None => Command::new(program),
            Some(account) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={}", account.uid)).arg(format!("--regid={}", account.gid));
                command.args(["--clear-groups", "--"]).arg(program);
                command
            }
        };
        command.current_dir(&self.folder).env("LC_ALL", "C").env("HOME", &self.folder).stdin(Stdio::null());
        Ok(command)
    }
}

/// The folder of the newest version's programs, unless they are in the search path only.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.filter_map(Result::ok);
    let found = versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    found.max_by_key(|bin| version(bin))
}

fn version(bin: &Path) -> u32 {
    let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

struct Account {
    uid: u32,
    gid: u32,
}

/// Whose account to drop to, when this process is root's.
fn account() -> Result<Option<Account>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Account { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    };
    let found = ACCOUNTS.iter().find_map(|name| find(name));
    found.map(Some).context("this is root, and there is no account `postgres` or `nobody` to drop to")
}
