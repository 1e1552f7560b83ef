//! A mail server for tests: speaks SMTP on a port of this machine, keeps what it takes, and refuses what it is told to refuse.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    /// Who was logged in.
    pub user: Option<String>,
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    /// What is said to an address instead of yes, one answer for each time it is named.
    answers: HashMap<String, VecDeque<String>>,
    /// The only user and password that are taken; nobody need log in when absent.
    login: Option<(String, String)>,
}

#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Sink {
    pub async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let sink = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let state = Arc::clone(&sink.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&state)));
            }
        });
        sink
    }

    /// Says this to an address the next time it is named.
    pub fn answer(&self, address: &str, line: &str) {
        let mut state = self.state.lock().unwrap();
        state.answers.entry(address.to_owned()).or_default().push_back(line.to_owned());
    }

    /// Takes mail of this user only.
    pub fn only(&self, user: &str, password: &str) {
        self.state.lock().unwrap().login = Some((user.to_owned(), password.to_owned()));
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().unwrap().mails.clone()
    }
}

/// One conversation, to its end or until the other side hangs up.
async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let mut mail = Mail { from: String::new(), to: Vec::new(), data: String::new(), user: None };
    let mut said = "220 sink.example ESMTP".to_owned();
    loop {
        if stream.get_mut().write_all(format!("{said}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let mut line = String::new();
        if !matches!(stream.read_line(&mut line).await, Ok(n) if n > 0) {
            return;
        }
        let line = line.trim_end().to_owned();
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        said = match verb.as_str() {
            "EHLO" => "250-sink.example\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => {
                let text = line.rsplit(' ').next().and_then(|word| BASE64.decode(word).ok()).unwrap_or_default();
                let text = String::from_utf8(text).unwrap_or_default();
                let words: Vec<&str> = text.split('\0').collect();
                let known = state.lock().unwrap().login.clone();
                match (words.as_slice(), known) {
                    ([_, user, password], Some((name, secret))) if *user == name && *password == secret => {
                        mail.user = Some(name);
                        "235 2.7.0 Welcome".to_owned()
                    }
                    _ => "535 5.7.8 Who are you?".to_owned(),
                }
            }
            "MAIL" if state.lock().unwrap().login.is_some() && mail.user.is_none() => {
                "530 5.7.0 Log in first".to_owned()
            }
            "MAIL" => {
                mail.from = inside(&line);
                "250 2.1.0 OK".to_owned()
            }
            "RCPT" => {
                let to = inside(&line);
                let answer = state.lock().unwrap().answers.get_mut(&to).and_then(VecDeque::pop_front);
                answer.unwrap_or_else(|| {
                    mail.to.push(to);
                    "250 2.1.5 OK".to_owned()
                })
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 Go ahead\r\n").await.unwrap();
                loop {
                    let mut line = String::new();
                    if !matches!(stream.read_line(&mut line).await, Ok(n) if n > 0) {
                        return;
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                let taken = Mail { user: mail.user.clone(), ..std::mem::replace(&mut mail, empty()) };
                state.lock().unwrap().mails.push(taken);
                "250 2.0.0 Queued as 4711".to_owned()
            }
            "QUIT" => return,
            _ => "502 5.5.1 Not here".to_owned(),
        };
    }
}

fn empty() -> Mail {
    Mail { from: String::new(), to: Vec::new(), data: String::new(), user: None }
}

/// What stands in angle brackets.
fn inside(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(text, _)| text).to_owned()
}
