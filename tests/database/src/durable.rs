//! A server of one test's own that keeps what it promised over a crash, and that can be made to crash.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use meetme_store::Open;

use crate::{Skip, cluster::watch, eventually, server::Server};

/// Stops the server when the test's process is gone without having done so.
const WATCHDOG: &str = r#"
test=$1; folder=$2; shift 2
while kill -0 "${test##*/}" 2>/dev/null; do
  [ -d "$folder" ] || exit 0
  sleep 2
done
"$@"
rm -rf "$folder"
"#;

/// A server that writes through to the disk. It stops and its files go when this is dropped.
pub struct Durable {
    server: Server,
}

impl Durable {
    /// A new one, running.
    ///
    /// # Errors
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn new() -> Result<Self, Skip> {
        let make = || -> Result<Self> {
            let server = Server::make(true)?;
            let durable = Self { server };
            let test = std::path::PathBuf::from(std::process::id().to_string());
            watch(WATCHDOG, &[&test, &durable.server.folder], &durable.server)?;
            Ok(durable)
        };
        make().map_err(|e| Skip(format!("{e:#}")))
    }

    /// Its database.
    pub fn open(&self) -> Open {
        Open::Postgres { url: self.server.url("postgres"), writers: 4, readers: 2 }
    }

    /// Kills the first process of the server with a signal it cannot catch, and waits until all of it is gone.
    ///
    /// # Errors
    /// When it was not running.
    pub fn kill(&self) -> Result<()> {
        let process = self.server.process()?;
        let mut parts = children(process)?;
        parts.push(process);
        let done = Command::new("kill").arg("-KILL").arg(process.to_string()).status().context("kill")?;
        ensure!(done.success(), "the server was not running");
        eventually("the server's processes end", Duration::from_secs(30), || {
            parts.iter().all(|part| !is_running(*part))
        });
        // In a container nobody may hear of its end, and the number stays taken: the next server would take it for running.
        let locks = [self.server.data().join("postmaster.pid"), self.server.folder.join(".s.PGSQL.5432.lock")];
        locks.iter().try_for_each(std::fs::remove_file)?;
        Ok(())
    }

    /// Starts it again, on the same files.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(&self) -> Result<()> {
        self.server.start()
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if let Ok(line) = self.server.stop_line()
            && let Some((program, words)) = line.split_first()
            && let Err(e) = Command::new(program).args(words).current_dir("/").output()
        {
            eprintln!("the server stays behind: {e}");
        }
        self.server.clear();
    }
}

/// The processes that this one started.
fn children(process: u32) -> Result<Vec<u32>> {
    let list = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    Ok(list.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}

/// Whether the process runs still: one that only waits for its parent to hear of its end does not.
fn is_running(process: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat"));
    state.is_ok_and(|text| !text.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
