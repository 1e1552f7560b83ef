//! Loading a new configuration, and going back when it does not take.

use std::time::Duration;

use meetme_agent::AgentError;
use tokio::time::{Instant, interval};

use crate::{control::Control, files, mark, settings::Settings};

/// How often a daemon in the middle of a change is asked whether it is done.
const POLL: Duration = Duration::from_millis(50);

/// Codes of BIRD's answers to `configure`.
mod code {
    /// The daemon does what it was asked for.
    pub const RECONFIGURED: u16 = 3;
    /// Some sessions are still being closed.
    pub const IN_PROGRESS: u16 = 4;
    /// An earlier change is still under way; this one follows.
    pub const QUEUED: u16 = 5;
    /// The daemon is up, and no change is under way.
    pub const STATUS: u16 = 13;
    /// The change stays.
    pub const CONFIRMED: u16 = 18;
    /// The file cannot be read or understood.
    pub const FILE_ERROR: u16 = 8002;
}

/// Makes the daemon run `text` and keep it. On any error the file is what it was before, and the daemon either never left
/// its old configuration or returns to it.
pub async fn load(settings: &Settings, text: &str) -> Result<(), AgentError> {
    // First the socket: a daemon that cannot be told must not find a new file at its next start.
    let mut control = Control::connect(&settings.socket, settings.answer_time()).await?;
    let path = &settings.config_path;
    let old = files::read(path).await?;
    let beside = files::write_beside(path, text).await?;
    files::check(settings, beside.path()).await?;
    files::replace(path, beside).await?;
    let result = switch(&mut control, settings, mark::of(text)).await;
    if let Err(error) = &result {
        tracing::warn!(%error, "BIRD did not take a configuration; its file is put back");
        files::restore(path, old.as_ref()).await?;
    }
    result
}

/// Loads the file with a timeout, sees that the daemon takes it, and confirms.
async fn switch(control: &mut Control, settings: &Settings, mark: Option<&str>) -> Result<(), AgentError> {
    let answer = control.ask(&format!("configure timeout {}", settings.confirm_seconds)).await?;
    match answer.code() {
        code::RECONFIGURED | code::IN_PROGRESS | code::QUEUED => {}
        code::FILE_ERROR => return Err(AgentError::refused(crate::text::masked(answer.words()))),
        code => return Err(unexpected("configure", code, answer.words())),
    }
    if let Err(error) = prove(control, settings, mark).await {
        // Only here is an undo right: it goes back by one configuration whether or not the last one was loaded.
        if let Err(undo) = control.ask("configure undo").await {
            tracing::warn!(error = %undo, "BIRD could not be asked to go back; it does by itself");
        }
        return Err(error);
    }
    let answer = control.ask("configure confirm").await?;
    match answer.code() {
        code::CONFIRMED => Ok(()),
        code => Err(unexpected("configure confirm", code, answer.words())),
    }
}

/// Waits until the daemon has settled and sees that it runs what it was given.
async fn prove(control: &mut Control, settings: &Settings, mark: Option<&str>) -> Result<(), AgentError> {
    settle(control, settings).await?;
    match mark {
        Some(mark) if !runs(control, mark).await? => {
            let path = settings.config_path.display();
            Err(AgentError::broken(format!(
                "BIRD says it is configured and does not run {path}; is that the file it reads?"
            )))
        }
        _ => Ok(()),
    }
}

/// Waits until no change is under way. A daemon with sessions to close takes its time for it.
async fn settle(control: &mut Control, settings: &Settings) -> Result<(), AgentError> {
    let deadline = Instant::now() + settings.settle_time();
    let mut poll = interval(POLL);
    loop {
        poll.tick().await;
        let status = control.ask("show status").await?;
        match (status.code(), status.words()) {
            (code::STATUS, "Daemon is up and running") => return Ok(()),
            (code::STATUS, words) if Instant::now() >= deadline => {
                let waited = settings.settle_time().as_secs();
                return Err(AgentError::broken(format!("BIRD did not settle within {waited} s: {words}")));
            }
            (code::STATUS, _) => {}
            (code, words) => return Err(unexpected("show status", code, words)),
        }
    }
}

/// Whether the daemon runs the generated text that carries the mark.
pub async fn runs(control: &mut Control, mark: &str) -> Result<bool, AgentError> {
    let answer = control.ask(&format!("show symbols {}", mark::symbol(mark))).await?;
    Ok(answer.lines.iter().any(|line| line.code == 1010 && line.text.trim_end().ends_with("constant")))
}

fn unexpected(command: &str, code: u16, words: &str) -> AgentError {
    AgentError::broken(format!("BIRD answered {command:?} with {code:04} {words}"))
}
