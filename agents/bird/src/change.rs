//! Loading a new configuration, and going back when it does not take.

use std::time::Duration;

use meetme_agent::AgentError;
use meetme_local as files;
use tokio::time::{Instant, interval};

use crate::{control::Control, mark, settings::Settings, text};

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
    files::check(&settings.check_command, beside.path(), path, settings.answer_time(), text::masked).await?;
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
        code::FILE_ERROR => return Err(AgentError::refused(text::masked(answer.words()))),
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::UnixListener,
    };

    use super::*;

    /// Loads a configuration into a daemon that answers as told. Gives the outcome, what the daemon was asked, and what
    /// the file says in the end; it says `old` before.
    async fn load_into(
        checker: &[&str],
        answer: fn(&str) -> Option<&'static str>,
    ) -> (Result<(), AgentError>, Vec<String>, String) {
        let directory = tempfile::tempdir().unwrap();
        let [socket, config_path] = ["ctl", "conf"].map(|name| directory.path().join(name));
        std::fs::write(&config_path, "old").unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        let daemon = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            stream.write_all(b"0001 BIRD 2.0.12 ready.\n").await.unwrap();
            let mut asked = Vec::new();
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap() > 0 {
                let Some(answer) = answer(line.trim()) else { break };
                asked.push(std::mem::take(&mut line).trim().to_owned());
                stream.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
            }
            asked
        };
        let settings = Settings {
            socket: socket.clone(),
            config_path: config_path.clone(),
            check_command: checker.iter().map(|word| (*word).to_owned()).collect(),
            confirm_seconds: 2,
            answer_seconds: 5,
        };
        let (result, asked) = tokio::join!(load(&settings, "new"), daemon);
        (result, asked, std::fs::read_to_string(&config_path).unwrap())
    }

    fn good(command: &str) -> Option<&'static str> {
        Some(match command {
            "configure timeout 2" => "0002-Reading configuration\n0004 Reconfiguration in progress",
            "show status" => "1000-BIRD 2.0.12\n0013 Daemon is up and running",
            "configure confirm" => "0018 Reconfiguration confirmed",
            "configure undo" => "0021 Undo requested",
            _ => return None,
        })
    }

    #[tokio::test]
    async fn a_change_that_settles_is_confirmed() {
        let (result, asked, file) = load_into(&["true"], good).await;
        assert_eq!((result, file.as_str()), (Ok(()), "new"));
        assert_eq!(asked, ["configure timeout 2", "show status", "configure confirm"]);
    }

    #[tokio::test]
    async fn a_change_that_never_settles_is_taken_back() {
        let (result, asked, file) = load_into(&["true"], |command| match command {
            "show status" => Some("0013 Reconfiguration in progress"),
            _ => good(command),
        })
        .await;
        assert_eq!((result.unwrap_err().metric_label(), file.as_str()), ("broken", "old"));
        assert_eq!(asked.last().map(String::as_str), Some("configure undo"));
    }

    #[tokio::test]
    async fn a_change_that_the_daemon_has_already_taken_back_is_not_taken_back_twice() {
        let (result, asked, file) = load_into(&["true"], |command| match command {
            "configure confirm" => Some("0019 Nothing to do"),
            _ => good(command),
        })
        .await;
        assert_eq!((result.unwrap_err().metric_label(), file.as_str()), ("broken", "old"));
        assert!(!asked.iter().any(|command| command == "configure undo"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_daemon_that_dies_of_a_configuration_finds_the_old_one_when_it_starts_again() {
        let (result, _, file) = load_into(&["true"], |_| None).await;
        assert_eq!((result.unwrap_err().metric_label(), file.as_str()), ("unreachable", "old"));
    }

    #[tokio::test]
    async fn what_the_checker_refuses_never_reaches_the_daemon() {
        let checker = ["sh", "-c", "echo \"$0:1:1 nonsense\" >&2; exit 1"];
        let (result, asked, file) = load_into(&checker, good).await;
        let AgentError::Refused { why } = result.unwrap_err() else { panic!("not refused") };
        assert!(why.ends_with("/conf:1:1 nonsense") && !why.contains(".meetme-"), "{why}");
        assert_eq!((asked, file.as_str()), (vec![], "old"));
    }
}
