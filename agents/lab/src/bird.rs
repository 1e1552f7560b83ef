//! A BIRD with a configuration written by hand: the neighbour that routers of every make are tested with.

use std::{path::Path, process::Command};

use crate::{Host, Lab, Skip, driven::SOON, program, until};

impl Lab {
    /// Starts a BIRD on a host. Its files are `<name>.conf`, `.ctl`, `.pid`, `.log` and `.out` of the lab.
    ///
    /// # Errors
    /// Where BIRD is not installed.
    pub async fn start_bird(&mut self, host: &Host, name: &str, config: &str) -> Result<usize, Skip> {
        program("bird").and(program("birdc"))?;
        let [file, socket, process, log] =
            ["conf", "ctl", "pid", "log"].map(|kind| self.path(&format!("{name}.{kind}")));
        std::fs::write(&file, format!("log \"{log}\" all;\n{config}"))
            .map_err(|e| Skip::new(format!("{file} cannot be written: {e}")))?;
        let daemon = self.start(host, name, &["bird", "-f", "-c", &file, "-s", &socket, "-P", &process])?;
        let is_ready = || std::fs::metadata(&process).is_ok_and(|f| f.len() > 0) && Path::new(&socket).exists();
        let is_up = until(SOON, || !self.is_running(daemon) || is_ready()).await;
        assert!(is_up && self.is_running(daemon), "{}", self.text(&format!("{name}.out")));
        Ok(daemon)
    }

    /// What the BIRD of this name answers.
    pub fn birdc(&self, name: &str, command: &str) -> String {
        let done = Command::new("birdc").args(["-s", &self.path(&format!("{name}.ctl")), command]).output();
        done.map_or_else(|e| format!("birdc: {e}"), |done| String::from_utf8_lossy(&done.stdout).into_owned())
    }
}
