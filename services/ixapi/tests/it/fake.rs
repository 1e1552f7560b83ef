//! A small IX-API: one account, one service with two addresses, and the hardware addresses that were made.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub line: String,
    pub bearer: String,
    pub body: Value,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    macs: Vec<Value>,
    set: Vec<String>,
}

#[derive(Clone)]
pub struct Fake {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://127.0.0.1:{}/api/v2", listener.local_addr().unwrap().port());
        let fake = Self { url, state: Arc::default() };
        let state = Arc::clone(&fake.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        fake
    }

    /// Puts a hardware address there, perhaps as the one that is let through.
    pub fn knows(&self, id: &str, address: &str, is_set: bool) {
        let mut state = self.state.lock().unwrap();
        state.macs.push(json!({"id": id, "address": address}));
        if is_set {
            state.set = vec![id.to_owned()];
        }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The requests that change something, without the login.
    pub fn changes(&self) -> Vec<(String, Value)> {
        let is_change = |asked: &Asked| !asked.line.starts_with("GET ") && !asked.line.ends_with("/auth/token");
        self.asked().into_iter().filter(is_change).map(|asked| (asked.line, asked.body)).collect()
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut head, mut length, mut bearer) = (String::new(), 0, String::new());
        if !matches!(stream.read_line(&mut head).await, Ok(n) if n > 0) {
            return;
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => bearer = value.trim_start_matches("Bearer ").to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let line = head.rsplit_once(' ').unwrap().0.to_owned();
        let asked = Asked { line, bearer, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
        let (status, answer) = answer(&mut state.lock().unwrap(), &asked);
        let answer = answer.to_string();
        let text = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        if stream.get_mut().write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(state: &mut State, asked: &Asked) -> (u16, Value) {
    state.asked.push(asked.clone());
    let Some(path) = asked.line.split_once("/api/v2/").map(|(method, path)| format!("{method}{path}")) else {
        return (404, json!({"title": "not here"}));
    };
    match path.as_str() {
        "POST auth/token" if asked.body == json!({"api_key": "moved", "api_secret": "moved"}) => (302, Value::Null),
        "POST auth/token" if asked.body == json!({"api_key": "key", "api_secret": "hunter2"}) => {
            (200, json!({"access_token": "t0ken", "refresh_token": "x"}))
        }
        "POST auth/token" => (401, json!({"title": "Authentication failed", "detail": "no such\r\nkey"})),
        _ if asked.bearer != "t0ken" => (403, json!({"title": "Who are you?"})),
        "GET accounts" => (200, json!([{"id": "1234", "name": "Example Networks"}])),
        "GET network-service-configs" => {
            let other = json!({"id": "7", "ips": ["70"], "macs": []});
            (200, json!([other, {"id": "8", "ips": ["80", "81"], "macs": state.set}]))
        }
        "GET ips" => {
            let ip = |id: &str, address: &str| json!({"id": id, "address": address, "prefix_length": 64});
            let six = "2001:0db8:0000:0000:0000:0000:0000:0001";
            (200, json!([ip("70", "192.0.2.70"), ip("80", "192.0.2.80"), ip("81", six)]))
        }
        "GET macs" => (200, json!(state.macs)),
        "POST macs" => {
            let made = json!({"id": "99", "address": asked.body["address"]});
            state.macs.push(made.clone());
            (201, made)
        }
        "PATCH network-service-configs/8" => {
            state.set = serde_json::from_value(asked.body["macs"].clone()).unwrap();
            (202, json!({"id": "8"}))
        }
        _ => (404, json!({"title": "not here"})),
    }
}
