//! A client that costs little: one connection that is kept open, requests that are bytes already, answers cut by their length.
//!
//! Road not taken: a full HTTP client, whose own work would count against both programs and blur their ratio.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The name both programs are called by, so that the links in their answers are the same.
const HOST: &str = "bench.test";
/// An answer that is longer is none of this bench's.
const MOST: usize = 256 << 20;

/// How a request is written: who asks.
#[derive(Clone)]
pub struct Caller {
    /// The secret of a key.
    pub token: String,
    /// Whether it is shown as the dialect of machines wants it.
    pub machines: bool,
}

impl Caller {
    /// A request without a body.
    pub fn get(&self, path: &str) -> Bytes {
        Bytes::from(format!("GET {path} HTTP/1.1\r\n{}\r\n", self.head()))
    }

    /// A request with a JSON body.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Bytes {
        let head = self.head();
        let size = body.len();
        Bytes::from(format!(
            "{method} {path} HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}"
        ))
    }

    /// The same, for the dialect of machines.
    pub fn of_machines(&self) -> Self {
        Self { machines: true, ..self.clone() }
    }

    fn head(&self) -> String {
        let name = if self.machines { "X-Auth-Token: " } else { "Authorization: Token " };
        format!("Host: {HOST}\r\n{name}{}\r\nAccept: application/json\r\n", self.token)
    }
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Opens it.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and reads the body of its answer, which must tell of success.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        let (start, body) = self.exchange(request).await?;
        Ok(match body {
            Body::Plain(length) => self.buffer[start..start + length].to_vec(),
            Body::Chunked(parts) => parts.into_iter().flat_map(|(from, to)| self.buffer[from..to].to_vec()).collect(),
        })
    }

    /// Like [`Client::ask`], for whoever does not want to see the answer.
    pub async fn ask_blindly(&mut self, request: &[u8]) -> Result<()> {
        self.exchange(request).await.map(drop)
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<(usize, Body)> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let start = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = Head::of(&self.buffer[..start])?;
        let body = match head.length {
            Some(length) => {
                while self.buffer.len() < start + length {
                    self.more().await?;
                }
                Body::Plain(length)
            }
            None => Body::Chunked(self.chunks(start).await?),
        };
        if !(200..300).contains(&head.status) {
            let asked = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
            let said = String::from_utf8_lossy(&self.buffer[start..self.buffer.len().min(start + 500)]).into_owned();
            bail!("{} to {asked:?}: {said}", head.status);
        }
        Ok((start, body))
    }

    /// The parts of a chunked body.
    async fn chunks(&mut self, mut at: usize) -> Result<Vec<(usize, usize)>> {
        let mut parts = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = self.buffer[at..].windows(2).position(|two| two == b"\r\n") {
                    break at + end;
                }
                self.more().await?;
            };
            let text = std::str::from_utf8(&self.buffer[at..line])?;
            let size = usize::from_str_radix(text.split(';').next().unwrap_or_default().trim(), 16)?;
            ensure!(size < MOST, "a chunk of {size} bytes");
            let (from, to) = (line + 2, line + 2 + size);
            while self.buffer.len() < to + 2 {
                self.more().await?;
            }
            if size == 0 {
                return Ok(parts);
            }
            parts.push((from, to));
            at = to + 2;
        }
    }

    async fn more(&mut self) -> Result<()> {
        ensure!(self.buffer.len() < MOST, "the answer does not end");
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }
}

enum Body {
    Plain(usize),
    Chunked(Vec<(usize, usize)>),
}

struct Head {
    status: u16,
    /// None when the body comes in chunks.
    length: Option<usize>,
}

impl Head {
    fn of(bytes: &[u8]) -> Result<Self> {
        let mut lines = std::str::from_utf8(bytes).context("the head of an answer")?.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status")?;
        let mut length = if status == 204 { Some(0) } else { None };
        let mut is_chunked = false;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse().context("content-length")?);
            }
            is_chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.contains("chunked");
        }
        ensure!(length.is_some() || is_chunked, "an answer of unknown length");
        Ok(Self { status, length: length.filter(|_| !is_chunked) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_its_head_says() {
        let head = Head::of(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n").unwrap();
        assert_eq!((head.status, head.length), (200, Some(12)));
        let head = Head::of(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        assert_eq!((head.status, head.length), (201, None));
        assert!(Head::of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
