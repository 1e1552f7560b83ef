//! The control socket of BIRD: one command a line, answers of numbered lines.
//!
//! `CCCC-text` is a line of an answer, `CCCC text` its last line, and a line that opens with a blank has the code of the
//! line before it. Codes: 0 done, 1 and 2 tables, 8 refused while running, 9 not understood. A line that opens with `+` is a
//! message nobody asked for. Every exchange has a deadline and a size beyond which it is given up.

use std::{path::Path, time::Duration};

use meetme_agent::AgentError;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

/// More than ten thousand sessions tell in full.
const LARGEST_ANSWER: usize = 64 << 20;

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What kind of line it is.
    pub code: u16,
    /// What it says.
    pub text: String,
}

/// A whole answer; the last line closes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The lines in order, at least one.
    pub lines: Vec<Line>,
}

impl Answer {
    /// The code of the line that closed the answer: what became of the command.
    pub fn code(&self) -> u16 {
        self.lines.last().map_or(0, |line| line.code)
    }
    /// The closing line's words.
    pub fn words(&self) -> &str {
        self.lines.last().map_or("", |line| line.text.trim())
    }
    /// The text of the first line with the code.
    pub fn text(&self, code: u16) -> Option<&str> {
        self.lines.iter().find(|line| line.code == code).map(|line| line.text.as_str())
    }
}

/// Puts the lines of one answer together.
#[derive(Debug, Default)]
pub struct Reader {
    answer: Answer,
}

impl Reader {
    /// Takes the next line, without its end. Gives the answer when this line closes it.
    pub fn push(&mut self, line: &str) -> Result<Option<Answer>, AgentError> {
        if line.starts_with('+') {
            return Ok(None);
        }
        if let Some(text) = line.strip_prefix(' ') {
            let Some(code) = self.answer.lines.last().map(|line| line.code) else {
                return Err(not_bird(line));
            };
            self.answer.lines.push(Line { code, text: text.to_owned() });
            return Ok(None);
        }
        let (code, rest) = line.split_at_checked(4).ok_or_else(|| not_bird(line))?;
        let code = code.bytes().all(|b| b.is_ascii_digit()).then(|| code.parse::<u16>().ok()).flatten();
        let (code, is_last, text) = match (code, rest.as_bytes().first()) {
            (Some(code), None) => (code, true, ""),
            (Some(code), Some(b' ')) => (code, true, &rest[1..]),
            (Some(code), Some(b'-')) => (code, false, &rest[1..]),
            _ => return Err(not_bird(line)),
        };
        self.answer.lines.push(Line { code, text: text.to_owned() });
        Ok(is_last.then(|| std::mem::take(&mut self.answer)))
    }
}

fn not_bird(line: &str) -> AgentError {
    let line: String = line.chars().take(80).collect();
    AgentError::broken(format!("the control socket does not speak BIRD's protocol; it said {line:?}"))
}

/// An open control socket.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<UnixStream>,
    name: String,
    deadline: Duration,
}

impl Control {
    /// Opens the socket and reads the greeting. `deadline` holds for this and for each later answer.
    pub async fn connect(socket: &Path, deadline: Duration) -> Result<Self, AgentError> {
        let name = socket.display().to_string();
        let stream = timeout(deadline, UnixStream::connect(socket))
            .await
            .map_err(|_| late(&name, "take a connection", deadline))?
            .map_err(|e| AgentError::unreachable(format!("BIRD's control socket {name} cannot be opened: {e}.")))?;
        let mut control = Self { stream: BufReader::new(stream), name, deadline };
        let greeting = control.answer("greet").await?;
        match greeting.code() {
            1 => Ok(control),
            _ => Err(not_bird(greeting.words())),
        }
    }

    /// Sends a command, which must be one line, and reads its answer. Whether the answer is a good one is for the caller.
    pub async fn ask(&mut self, command: &str) -> Result<Answer, AgentError> {
        assert!(!command.contains(['\n', '\r']), "a command is one line");
        let send = self.stream.get_mut().write_all(format!("{command}\n").as_bytes()).await;
        send.map_err(|e| AgentError::unreachable(format!("BIRD at {} did not take {command:?}: {e}.", self.name)))?;
        self.answer(command).await
    }

    async fn answer(&mut self, what: &str) -> Result<Answer, AgentError> {
        match timeout(self.deadline, read_answer(&mut self.stream, &self.name)).await {
            Ok(answer) => answer,
            Err(_) => Err(late(&self.name, &format!("answer {what:?}"), self.deadline)),
        }
    }
}

fn late(name: &str, what: &str, deadline: Duration) -> AgentError {
    AgentError::unreachable(format!("BIRD at {name} did not {what} within {} s.", deadline.as_secs()))
}

async fn read_answer(stream: &mut BufReader<UnixStream>, name: &str) -> Result<Answer, AgentError> {
    let (mut reader, mut size) = (Reader::default(), 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let room = u64::try_from(LARGEST_ANSWER - size).unwrap_or(0);
        let read = (&mut *stream).take(room).read_until(b'\n', &mut line).await;
        size += read.map_err(|e| AgentError::unreachable(format!("BIRD at {name} broke off: {e}.")))?;
        if line.last() != Some(&b'\n') {
            return Err(match size < LARGEST_ANSWER {
                true => {
                    AgentError::unreachable(format!("BIRD at {name} closed the connection in the middle of an answer."))
                }
                false => AgentError::broken(format!("an answer of BIRD at {name} does not end")),
            });
        }
        if let Some(answer) = reader.push(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']))? {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Option<Answer>, AgentError> {
        let mut reader = Reader::default();
        lines.lines().try_fold(None, |done: Option<Answer>, line| {
            assert!(done.is_none(), "a line after the end: {line}");
            reader.push(line)
        })
    }

    #[test]
    fn an_answer_ends_at_the_line_whose_code_a_blank_follows() {
        let answer = read(
            "1000-BIRD 2.0.12\n1011-Router ID is 192.0.2.1\n Hostname is vm\n+a stray message\n0013 Daemon is up and running",
        );
        let answer = answer.unwrap().unwrap();
        assert_eq!((answer.code(), answer.words()), (13, "Daemon is up and running"));
        assert_eq!(answer.lines[2], Line { code: 1011, text: "Hostname is vm".into() });
        assert_eq!(answer.text(1000), Some("BIRD 2.0.12"));
    }

    #[test]
    fn an_answer_without_its_last_line_is_not_one_yet() {
        assert_eq!(read("0002-Reading configuration from bird.conf"), Ok(None));
    }

    #[test]
    fn other_protocols_are_not_taken_for_bird() {
        for line in ["HTTP/1.1 400 Bad Request", " continued", "00é3 x", "+123", "12", "-001 x", "0001/x"] {
            let is_message = line.starts_with('+');
            assert_eq!(read(line).is_err(), !is_message, "{line}");
        }
    }

    #[tokio::test]
    async fn a_daemon_that_says_nothing_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("ctl");
        let _listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let answer = Control::connect(&socket, Duration::from_millis(50)).await;
        assert_eq!(answer.unwrap_err().metric_label(), "unreachable");
    }

    #[tokio::test]
    async fn a_daemon_that_hangs_up_in_the_middle_is_unreachable() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("ctl");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let daemon = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"0001 BIRD 2.0.12 ready.\n1000-BIRD 2.0").await.unwrap();
        };
        let client = async {
            let mut control = Control::connect(&socket, Duration::from_secs(5)).await.unwrap();
            control.ask("show status").await.unwrap_err()
        };
        let (error, ()) = tokio::join!(client, daemon);
        assert_eq!(error.metric_label(), "unreachable");
    }
}
