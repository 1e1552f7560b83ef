//! One run of `bgpq4`: its arguments, its fences and its answer.

use std::{collections::HashMap, process::Stdio, time::Duration};

use meetme_base::{Asn, IpNet, NetRange};
use meetme_model::routing::{IrrQuestion, IrrSet};
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    time::timeout,
};

use crate::Config;

/// The name of the list in the program's JSON.
const LIST: &str = "answer";
/// How much of its complaints is read, in bytes.
const COMPLAINTS: u64 = 8192;
/// How much of its complaints is shown, in characters.
const SHOWN: usize = 200;

/// What was answered, sorted, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Prefixes.
    Prefixes(Vec<NetRange>),
    /// Numbers.
    Numbers(Vec<Asn>),
}

/// The arguments for a question; the error is a sentence.
fn arguments(config: &Config, question: &IrrSet) -> Result<Vec<String>, String> {
    let host = config.host.clone().ok_or("No whois server is configured.")?;
    let mut out = vec!["-h".to_owned(), host];
    let own = |said: &str, usual: &str| if said.is_empty() { usual.to_owned() } else { said.to_owned() };
    let sources = own(&question.sources, &config.sources);
    if !sources.is_empty() {
        out.extend(["-S".to_owned(), sources]);
    }
    let (family, args) = match question.what {
        IrrQuestion::Prefixes4 => ("-4", own(&question.args, &config.args4)),
        IrrQuestion::Prefixes6 => ("-6", own(&question.args, &config.args6)),
        IrrQuestion::Numbers => ("-t", String::new()),
    };
    out.push(family.to_owned());
    out.extend(IrrSet::args(&args).map_err(|e| e.message)?);
    out.extend(["-j", "-l", LIST, question.set.as_str()].map(str::to_owned));
    Ok(out)
}

/// Asks a question. The error is a sentence a customer can read.
pub(crate) async fn ask(config: &Config, question: &IrrSet) -> Result<Answer, String> {
    let arguments = arguments(config, question)?;
    let limit = Duration::from_secs(config.timeout_seconds);
    // What is dropped here is killed.
    let output = match timeout(limit, run(config, &arguments)).await {
        Ok(done) => done?,
        Err(_) => return Err(format!("The registries did not answer within {} seconds.", limit.as_secs())),
    };
    read(question.what, &output)
}

async fn run(config: &Config, arguments: &[String]) -> Result<Vec<u8>, String> {
    let mut command = Command::new(&config.program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let mut child = command.spawn().map_err(|e| format!("The program {} cannot be run: {e}.", config.program))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(format!("The program {} cannot be heard.", config.program));
    };
    let (output, complaints) = tokio::join!(whole(stdout, config.max_bytes), beginning(stderr, COMPLAINTS));
    let output = output?;
    let status = child.wait().await.map_err(|e| format!("The program {} was lost: {e}.", config.program))?;
    let complaint = first_line(&complaints);
    if !status.success() {
        let said = if complaint.is_empty() { status.to_string() } else { complaint };
        return Err(format!("The registries could not be asked: {said}"));
    }
    if !complaint.is_empty() {
        tracing::debug!(complaint, "a registry's answer was not whole");
    }
    Ok(output)
}

/// Everything the program writes, up to the limit. With the error its pipe is closed, and the program killed by whoever drops it.
async fn whole(pipe: impl AsyncRead + Unpin, most: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    pipe.take(most.saturating_add(1)).read_to_end(&mut out).await.map_err(|e| format!("The answer broke off: {e}."))?;
    if out.len() as u64 > most {
        return Err(format!("The answer is larger than {most} bytes."));
    }
    Ok(out)
}

/// The beginning of what the program writes; the rest is read and forgotten, so that it does not wait for us.
async fn beginning(mut pipe: impl AsyncRead + Unpin, most: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if (&mut pipe).take(most).read_to_end(&mut out).await.is_ok() {
        drop(tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await);
    }
    out
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// A prefix as the program writes it.
#[derive(Deserialize)]
struct Prefix {
    prefix: IpNet,
    #[serde(default)]
    exact: bool,
    #[serde(default, rename = "greater-equal")]
    shortest: Option<u8>,
    #[serde(default, rename = "less-equal")]
    longest: Option<u8>,
}

impl Prefix {
    fn range(&self) -> Result<NetRange, String> {
        if self.exact {
            return Ok(NetRange::exact(self.prefix));
        }
        let own = self.prefix.prefix_len();
        // A list without a lower end begins at the network itself; without an upper one it goes to single addresses.
        let (low, high) = (self.shortest.unwrap_or(own), self.longest.unwrap_or(self.prefix.max_prefix_len()));
        NetRange::new(self.prefix, low, high).map_err(|e| format!("The answer has {}: {}", self.prefix, e.message))
    }
}

fn read(what: IrrQuestion, output: &[u8]) -> Result<Answer, String> {
    fn list<T: serde::de::DeserializeOwned>(output: &[u8]) -> Result<Vec<T>, String> {
        let mut all: HashMap<String, Vec<T>> =
            serde_json::from_slice(output).map_err(|e| format!("The answer cannot be understood: {e}."))?;
        all.remove(LIST).ok_or_else(|| "The answer has no list.".to_owned())
    }
    if what == IrrQuestion::Numbers {
        let mut numbers: Vec<Asn> = list(output)?;
        numbers.sort_unstable();
        numbers.dedup();
        return Ok(Answer::Numbers(numbers));
    }
    let v4 = what == IrrQuestion::Prefixes4;
    let mut prefixes = Vec::new();
    for prefix in list::<Prefix>(output)? {
        if prefix.prefix.addr().is_ipv4() != v4 {
            return Err(format!("The answer has {} of the other address family.", prefix.prefix));
        }
        prefixes.push(prefix.range()?);
    }
    prefixes.sort_unstable();
    prefixes.dedup();
    Ok(Answer::Prefixes(prefixes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config { host: Some("whois.example".into()), ..Config::default() }
    }

    #[test]
    fn a_question_becomes_arguments_one_by_one() {
        let of = |what| IrrSet { set: "RIPE::AS-X".into(), what, ..IrrSet::default() };
        let line = |question: &IrrSet| arguments(&config(), question).unwrap().join(" ");
        assert_eq!(line(&of(IrrQuestion::Prefixes4)), "-h whois.example -4 -A -r 8 -R 24 -j -l answer RIPE::AS-X");
        assert_eq!(line(&of(IrrQuestion::Numbers)), "-h whois.example -t -j -l answer RIPE::AS-X");
        let own = IrrSet { sources: "RIPE,RADB".into(), args: "-R48".into(), ..of(IrrQuestion::Prefixes6) };
        assert_eq!(line(&own), "-h whois.example -S RIPE,RADB -6 -R 48 -j -l answer RIPE::AS-X");
    }

    /// Recorded from bgpq4 1.9.
    #[test]
    fn answers_are_read_sorted() {
        let text = br#"{ "answer": [
    { "prefix": "198.51.100.0\/23", "exact": false,
      "greater-equal": 24, "less-equal": 24 },
    { "prefix": "192.0.2.0\/24", "exact": true },
    { "prefix": "10.0.0.0\/8", "exact": false, "less-equal": 24 }
] }"#;
        let Answer::Prefixes(found) = read(IrrQuestion::Prefixes4, text).unwrap() else { panic!("prefixes") };
        let found: Vec<String> = found.iter().map(NetRange::to_string).collect();
        assert_eq!(found, ["10.0.0.0/8^8-24", "192.0.2.0/24", "198.51.100.0/23^24-24"]);
        let numbers = read(IrrQuestion::Numbers, b"{\"answer\": [\n  3333,112,112\n]}").unwrap();
        assert_eq!(numbers, Answer::Numbers([112, 3333].map(|n| Asn::try_from(n).unwrap()).to_vec()));
    }

    #[test]
    fn nonsense_is_no_answer() {
        let bad: [&[u8]; 5] = [
            b"",
            b"{}",
            b"{\"answer\": [{\"prefix\": \"2001:db8::/32\", \"exact\": true}]}",
            b"{\"answer\": [{\"prefix\": \"192.0.2.0/24\", \"exact\": false, \"less-equal\": 20}]}",
            b"{\"answer\": [1]}",
        ];
        for text in bad {
            assert!(read(IrrQuestion::Prefixes4, text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
