//! Running the programs that come with a daemon: its checker, its command line, its reloader.

use std::{fmt, process::Stdio, time::Duration};

use meetme_agent::AgentError;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    time::timeout,
};

/// More than ten thousand sessions tell in full.
const LARGEST: u64 = 64 << 20;

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Whether it says of itself that it went well. Some programs lie: read their words too.
    pub is_success: bool,
    /// How it ended, in the system's words.
    pub status: String,
    /// What it wrote to its standard output; what is no text is replaced.
    pub output: String,
    /// What it wrote to its standard error.
    pub errors: String,
}

impl Ran {
    /// Everything it said, errors first, without the blank around it.
    pub fn words(&self) -> String {
        let both = [self.errors.trim(), self.output.trim()];
        both.into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// Why nothing can be said about what a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It could not be started.
    Missing {
        /// Its name.
        program: String,
        /// The system's words.
        why: String,
    },
    /// It did not end in time and was stopped.
    Late {
        /// Its name.
        program: String,
        /// How long it had.
        within: Duration,
    },
    /// It said more than anybody would want to know and was stopped.
    Endless {
        /// Its name.
        program: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, why } => write!(f, "{program} cannot be run: {why}"),
            Self::Late { program, within } => write!(f, "{program} did not end within {} s", within.as_secs()),
            Self::Endless { program } => write!(f, "{program} does not stop talking"),
        }
    }
}

/// Runs a program to its end with nothing to read and no terminal; a shell is not involved. The first word is the program.
///
/// # Errors
/// When it cannot be started, does not end `within` the time, or says too much. It is stopped then; what it started itself
/// may live on.
pub async fn run(command: &[String], within: Duration) -> Result<Ran, Trouble> {
    let (program, arguments) = match command {
        [program, arguments @ ..] => (program.clone(), arguments),
        [] => return Err(Trouble::Missing { program: "A program".to_owned(), why: "it has no name".to_owned() }),
    };
    let missing = |e: std::io::Error| Trouble::Missing { program: program.clone(), why: e.to_string() };
    let mut child = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(missing)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let talk = async {
        let (output, errors) = tokio::try_join!(all(out, &program), all(err, &program))?;
        let status = child.wait().await.map_err(missing)?;
        Ok(Ran { is_success: status.success(), status: status.to_string(), output, errors })
    };
    timeout(within, talk).await.map_err(|_| Trouble::Late { program: program.clone(), within })?
}

async fn all(pipe: Option<impl AsyncRead + Unpin>, program: &str) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // A pipe that breaks ends what can be read of it; the program's own end says the rest.
        let read = pipe.take(LARGEST + 1).read_to_end(&mut bytes).await.unwrap_or(0);
        if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
            return Err(Trouble::Endless { program: program.to_owned() });
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Asks the program that is to say whether the machine still does what it must; there may be none.
///
/// # Errors
/// [`AgentError::Refused`] with its words when it does not succeed `within` the time.
pub async fn prove(command: &[String], within: Duration) -> Result<(), AgentError> {
    if command.is_empty() {
        return Ok(());
    }
    match run(command, within).await {
        Ok(ran) if ran.is_success => Ok(()),
        Ok(ran) => {
            let words: String = ran.words().chars().take(300).collect();
            Err(AgentError::refused(format!("After the change the proof fails: {words} ({})", ran.status)))
        }
        Err(trouble) => Err(AgentError::refused(format!("After the change the proof fails: {trouble}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, within: Duration) -> Result<Ran, Trouble> {
        run(&["sh", "-c", script].map(str::to_owned), within).await
    }

    #[tokio::test]
    async fn what_a_program_says_on_both_ways_is_told() {
        let ran = shell("echo out; echo err >&2; exit 3", Duration::from_secs(10)).await.unwrap();
        assert_eq!((ran.is_success, ran.words().as_str()), (false, "err\nout"));
        assert!(ran.status.contains('3'), "{}", ran.status);
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_stopped() {
        let trouble = shell("exec sleep 600", Duration::from_millis(100)).await.unwrap_err();
        assert_eq!(trouble.to_string(), "sh did not end within 0 s");
    }

    #[tokio::test]
    async fn a_program_that_never_stops_talking_is_stopped() {
        let trouble = shell("exec cat /dev/zero", Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(trouble.to_string(), "sh does not stop talking");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let trouble = run(&["/no/such/program".to_owned()], Duration::from_secs(1)).await.unwrap_err();
        assert!(trouble.to_string().starts_with("/no/such/program cannot be run: "), "{trouble}");
    }
}
