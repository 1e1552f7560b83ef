//! A routing registry for tests: a whois server on this machine that speaks the query language of IRRd, with sets and routes that a
//! test puts into it.
//!
//! Promise: it answers what a real one would to the queries that are known here and `F` to all others, and it can misbehave on
//! purpose: fall silent or break off.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead as _, BufReader, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

/// What is done to whoever asks about a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// No answer comes.
    Silent,
    /// The connection breaks in the middle of the answer.
    Broken,
}

/// What the registry knows.
#[derive(Default)]
struct Book {
    /// Members of sets, by source and name.
    sets: BTreeMap<(String, String), Vec<String>>,
    /// Routes, by source and number of their origin.
    routes: BTreeMap<(String, u32), BTreeSet<String>>,
    moods: BTreeMap<String, Mood>,
    asked: Vec<String>,
    open: Vec<TcpStream>,
    over: bool,
}

/// A whois server; it ends when it is dropped.
pub struct Whois {
    /// Where it listens.
    pub address: SocketAddr,
    book: Arc<Mutex<Book>>,
    listens: Option<JoinHandle<()>>,
}

impl Whois {
    /// A server on a free port that knows nothing yet.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let book: Arc<Mutex<Book>> = Arc::default();
        let shared = Arc::clone(&book);
        let listens = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let mut held = open(&shared);
                if held.over {
                    return;
                }
                held.open.extend(stream.try_clone());
                drop(held);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // A connection that breaks is the asker's business. The book holds a copy of it, which would keep it open.
                    drop(stream.try_clone().map(|copy| talk(&shared, copy)));
                    drop(stream.shutdown(Shutdown::Both));
                });
            }
        });
        Ok(Self { address, book, listens: Some(listens) })
    }

    /// Puts a set into a source, or gives it other members.
    pub fn set(&self, source: &str, name: &str, members: &[&str]) {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        open(&self.book).sets.insert((source.to_owned(), name.to_owned()), members);
    }

    /// Gives a number these routes in a source, instead of those it had.
    pub fn routes(&self, source: &str, origin: u32, routes: &[&str]) {
        let routes = routes.iter().map(|route| (*route).to_owned()).collect();
        open(&self.book).routes.insert((source.to_owned(), origin), routes);
    }

    /// Misbehaves from now on when asked about a set; behaves again with none.
    pub fn mood(&self, name: &str, mood: Option<Mood>) {
        let mut book = open(&self.book);
        match mood {
            Some(mood) => book.moods.insert(name.to_owned(), mood),
            None => book.moods.remove(name),
        };
    }

    /// Every query so far, in order.
    pub fn asked(&self) -> Vec<String> {
        open(&self.book).asked.clone()
    }
}

impl Drop for Whois {
    fn drop(&mut self) {
        let mut book = open(&self.book);
        book.over = true;
        for stream in book.open.drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(book);
        // Wakes whoever waits for the next connection.
        drop(TcpStream::connect(self.address));
        if let Some(listens) = self.listens.take() {
            drop(listens.join());
        }
    }
}

fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one connection until it ends.
fn talk(book: &Mutex<Book>, stream: TcpStream) -> io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut sources: Option<Vec<String>> = None;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let query = line.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        open(book).asked.push(query.to_owned());
        let Some(query) = query.strip_prefix('!') else {
            out.write_all(b"F Unrecognized command\n")?;
            continue;
        };
        let Some(letter) = query.chars().next() else { continue };
        let rest = &query[letter.len_utf8()..];
        match letter {
            // Stay connected.
            '!' => {}
            'q' => return Ok(()),
            'n' | 't' => out.write_all(b"C\n")?,
            'v' => answer(&mut out, "IRRd -- version 4.4.0")?,
            's' if rest == "-lc" => {
                let listed = sources.clone().unwrap_or_else(|| open(book).sources());
                answer(&mut out, &listed.join(","))?;
            }
            's' => {
                let wanted: Vec<String> = rest.split(',').map(str::to_ascii_uppercase).collect();
                let known = open(book).sources();
                if wanted.iter().all(|source| known.contains(source)) {
                    sources = Some(wanted);
                    out.write_all(b"C\n")?;
                } else {
                    out.write_all(b"F One or more selected sources are unavailable.\n")?;
                }
            }
            'i' => {
                let (name, is_deep) = rest.strip_suffix(",1").map_or((rest, false), |name| (name, true));
                if !moody(book, &mut out, name)? {
                    return Ok(());
                }
                let members = open(book).members(name, is_deep, sources.as_deref());
                told(&mut out, members.iter())?;
            }
            'g' | '6' => {
                let number = rest.to_ascii_uppercase();
                let number = number.strip_prefix("AS").and_then(|n| n.parse().ok()).unwrap_or(0);
                let routes = open(book).of_origin(number, letter == 'g', sources.as_deref());
                told(&mut out, routes.iter())?;
            }
            'a' => {
                let (v4, v6, name) = match rest.chars().next() {
                    Some('4') => (true, false, &rest[1..]),
                    Some('6') => (false, true, &rest[1..]),
                    _ => (true, true, rest),
                };
                if name.is_empty() {
                    out.write_all(b"F Missing required set name for A query\n")?;
                    continue;
                }
                if !moody(book, &mut out, name)? {
                    return Ok(());
                }
                let book = open(book);
                let mut routes = BTreeSet::new();
                for member in book.members(name, true, sources.as_deref()) {
                    let number = member.strip_prefix("AS").and_then(|n| n.parse().ok()).unwrap_or(0);
                    for is_v4 in [true, false].into_iter().filter(|is_v4| if *is_v4 { v4 } else { v6 }) {
                        routes.extend(book.of_origin(number, is_v4, sources.as_deref()));
                    }
                }
                drop(book);
                told(&mut out, routes.iter())?;
            }
            _ => out.write_all(b"F Unrecognized command\n")?,
        }
    }
    Ok(())
}

/// Misbehaves as told about a set; false when the conversation is over.
fn moody(book: &Mutex<Book>, out: &mut impl Write, name: &str) -> io::Result<bool> {
    let mood = open(book).moods.get(&name.to_ascii_uppercase()).copied();
    match mood {
        None => Ok(true),
        Some(Mood::Silent) => {
            // Until the asker, or the test, ends the connection; it is held open in the book.
            while !open(book).over {
                std::thread::park_timeout(std::time::Duration::from_millis(20));
            }
            Ok(false)
        }
        Some(Mood::Broken) => {
            out.write_all(b"A1000\n192.0.2.0/24 ")?;
            Ok(false)
        }
    }
}

/// A list, or that there is none.
fn told<'a>(out: &mut impl Write, list: impl Iterator<Item = &'a String>) -> io::Result<()> {
    let words: Vec<&str> = list.map(String::as_str).collect();
    if words.is_empty() { out.write_all(b"D\n") } else { answer(out, &words.join(" ")) }
}

fn answer(out: &mut impl Write, text: &str) -> io::Result<()> {
    // In one piece: some askers take the first packet for the whole head.
    out.write_all(format!("A{}\n{text}\nC\n", text.len() + 1).as_bytes())
}

impl Book {
    fn sources(&self) -> Vec<String> {
        let of_sets = self.sets.keys().map(|(source, _)| source);
        let all: BTreeSet<&String> = of_sets.chain(self.routes.keys().map(|(source, _)| source)).collect();
        all.into_iter().cloned().collect()
    }

    /// The members of the first set of this name, as the sources are ordered; those of its sets in their place if it is to go deep.
    fn members(&self, name: &str, is_deep: bool, sources: Option<&[String]>) -> Vec<String> {
        let all = self.sources();
        let of = |name: &str| {
            sources
                .unwrap_or(&all)
                .iter()
                .find_map(|source| self.sets.get(&(source.clone(), name.to_ascii_uppercase())))
        };
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut out: BTreeSet<String> = BTreeSet::new();
        let mut left = vec![name.to_ascii_uppercase()];
        while let Some(name) = left.pop() {
            for member in of(&name).into_iter().flatten() {
                if is_deep && of(member).is_some() {
                    if seen.insert(member.clone()) {
                        left.push(member.clone());
                    }
                } else if !is_deep || member.strip_prefix("AS").is_some_and(|n| n.parse::<u32>().is_ok()) {
                    out.insert(member.clone());
                }
            }
        }
        out.into_iter().collect()
    }

    fn of_origin(&self, number: u32, v4: bool, sources: Option<&[String]>) -> BTreeSet<String> {
        let all = self.sources();
        let sources = sources.unwrap_or(&all).iter();
        let routes = sources.filter_map(|source| self.routes.get(&(source.clone(), number))).flatten();
        routes.filter(|route| route.contains(':') != v4).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[track_caller]
    fn says(whois: &Whois, queries: &str, wanted: &str) {
        let mut stream = TcpStream::connect(whois.address).unwrap();
        stream.write_all(format!("!!\n{queries}\n!q\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, wanted, "{queries}");
    }

    #[test]
    fn it_answers_as_a_registry_does() {
        let whois = Whois::start().unwrap();
        whois.set("RIPE", "AS-A", &["AS1", "AS-B"]);
        whois.set("RIPE", "AS-B", &["AS2", "AS-A"]);
        whois.set("RADB", "AS-A", &["AS3"]);
        whois.routes("RIPE", 1, &["192.0.2.0/24", "2001:db8::/32"]);
        whois.routes("RIPE", 2, &["198.51.100.0/24"]);
        says(&whois, "!iAS-A", "A4\nAS3\nC\n");
        says(&whois, "!sRIPE\n!iAS-A", "C\nA9\nAS-B AS1\nC\n");
        says(&whois, "!sRIPE\n!iAS-A,1", "C\nA8\nAS1 AS2\nC\n");
        says(&whois, "!gAS1\n!6as1\n!gAS9", "A13\n192.0.2.0/24\nC\nA14\n2001:db8::/32\nC\nD\n");
        says(
            &whois,
            "!sRIPE\n!a4AS-A\n!a\n!iAS-X",
            "C\nA29\n192.0.2.0/24 198.51.100.0/24\nC\nF Missing required set name for A query\nD\n",
        );
        says(&whois, "!s-lc\n!sNONE", "A10\nRADB,RIPE\nC\nF One or more selected sources are unavailable.\n");
        assert!(whois.asked().contains(&"!gAS9".to_owned()));
    }
}
