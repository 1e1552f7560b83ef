//! The server: one thread, one request at a time, one answer to a connection. It knows `since`, marks its answers, packs them for who
//! wants that, wants a key where it is told to, and refuses as often as it is told to.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};

use crate::Register;

/// A question as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The type.
    pub name: String,
    /// From when on.
    pub since: Option<i64>,
    /// The code of the answer.
    pub status: u16,
    /// Whether it showed a key.
    pub has_key: bool,
}

#[derive(Default)]
struct Mood {
    asked: Vec<Asked>,
    /// What to answer next instead of rows: a code, and what `Retry-After` says.
    refusals: VecDeque<(u16, Option<String>)>,
    key: Option<String>,
}

/// A server over a register.
pub struct Server {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves a register on a free port of this machine, until it is dropped.
    ///
    /// # Panics
    /// When no port is free.
    pub fn of(register: Arc<Register>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a port");
        let (mood, stop) = (Arc::new(Mutex::new(Mood::default())), Arc::new(AtomicBool::new(false)));
        let (feeling, stopped) = (mood.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                // A caller who hangs up is the caller's business.
                drop(stream.and_then(|stream| serve(stream, &register, &feeling)));
            }
        });
        Self { address, mood, stop, thread: Some(thread) }
    }

    /// Its address, as configurations have it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked since the last call.
    ///
    /// # Panics
    /// Never.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.mood.lock().expect("the server does not panic").asked)
    }

    /// Answers one question to come with a code instead of rows.
    ///
    /// # Panics
    /// Never.
    pub fn refuse(&self, status: u16, retry_after: Option<&str>) {
        let refusal = (status, retry_after.map(str::to_owned));
        self.mood.lock().expect("the server does not panic").refusals.push_back(refusal);
    }

    /// Wants this key from now on.
    ///
    /// # Panics
    /// Never.
    pub fn want_key(&self, key: &str) {
        self.mood.lock().expect("the server does not panic").key = Some(key.to_owned());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the thread from waiting.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(stream: TcpStream, register: &Register, mood: &Mutex<Mood>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(64 * 1024));
    let (mut line, mut first) = (String::new(), String::new());
    let (mut key, mut etag, mut packed) = (None, None, false);
    while reader.read_line(&mut line)? > 2 {
        if first.is_empty() {
            first = line.trim().to_owned();
        } else if let Some((name, value)) = line.trim().split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "authorization" => key = value.strip_prefix("Api-Key ").map(str::to_owned),
                "if-none-match" => etag = Some(value.to_owned()),
                "accept-encoding" => packed = value.contains("gzip"),
                _ => {}
            }
        }
        line.clear();
    }
    let target = first.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let name = path.strip_prefix("/api/").unwrap_or_default().trim_end_matches('/');
    let since = query.split('&').find_map(|pair| pair.strip_prefix("since=")).and_then(|text| text.parse().ok());
    let mut mood = mood.lock().expect("the server does not panic");
    let has_key = key.is_some();
    let (status, mut head, body) = if mood.key.is_some() && mood.key != key {
        (401, String::new(), String::from("{\"meta\":{\"error\":\"Invalid API key\"}}"))
    } else if let Some((status, after)) = mood.refusals.pop_front() {
        (status, after.map(|after| format!("Retry-After: {after}\r\n")).unwrap_or_default(), String::from("{}"))
    } else {
        match register.answer(name, since) {
            None => (404, String::new(), String::from("{}")),
            Some((body, newest)) => {
                let mark = format!("\"{newest}-{}\"", body.len());
                if etag.as_ref() == Some(&mark) {
                    (304, format!("ETag: {mark}\r\n"), String::new())
                } else {
                    (200, format!("ETag: {mark}\r\n"), body)
                }
            }
        }
    };
    mood.asked.push(Asked { name: name.to_owned(), since, status, has_key });
    drop(mood);
    let body = if packed && !body.is_empty() {
        head.push_str("Content-Encoding: gzip\r\n");
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(body.as_bytes())?;
        packer.finish()?
    } else {
        body.into_bytes()
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n{head}\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    stream.flush()
}
