//! Daemons: child processes that end with the lab.

use std::{
    fs::File,
    path::Path,
    process::{Child, Stdio},
};

use crate::{Host, Skip};

/// A daemon on a host, killed when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
}

impl Daemon {
    pub(crate) fn start(host: &Host, command: &[&str], output: &Path) -> Result<Self, Skip> {
        let [program, arguments @ ..] = command else { return Err(Skip::new("no program to start")) };
        let failed = |e: std::io::Error| Skip::new(format!("{program} cannot be started: {e}"));
        let file = File::create(output).map_err(failed)?;
        let again = file.try_clone().map_err(failed)?;
        // `ip netns exec` replaces itself by the program, so the child is the daemon.
        let mut command = host.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(file).stderr(again);
        Ok(Self { child: command.spawn().map_err(failed)? })
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    #[cfg(test)]
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        // Both fail only when the daemon has ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
