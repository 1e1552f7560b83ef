//! Making a change, proving it, and going back when it does not take.
//!
//! FRR takes its configuration line by line and keeps no old one. So the whole of what runs is kept on disk with the commands
//! that lead back to it, under a guard that goes back by itself, before the first line is sent. The file that FRR starts from
//! is replaced when the change is proved: a machine that dies before comes back with what it had.

use std::os::unix::fs::PermissionsExt as _;

use meetme_agent::AgentError;
use meetme_local::{Guard, Ran, Trouble, Undo, check, prove, replace, run, write_beside};

use crate::{
    config::{self, Node, Shape},
    difference::commands,
    look::{Given, Look, look},
    render::is_own_words,
    settings::Settings,
    text::masked,
};

/// How many lines that FRR shows otherwise are named.
const NAMED: usize = 5;

/// Makes FRR run `after` as its part that is ours, and start from it. On any error it runs what it did before, or is being
/// brought back to it.
pub async fn load(settings: &Settings, after: &str) -> Result<(), AgentError> {
    let before = look(settings).await?;
    let wanted = config::parse(after);
    let (foreign, ours) = config::split(before.running.clone(), &before.named(after));
    let whole = format!("{}!\n{after}", config::print(&foreign));
    let beside = write_beside(&settings.config_path, &whole).await?;
    let dry_run = settings.vtysh(&["-C", "-f"]);
    check(&dry_run, beside.path(), &settings.config_path, settings.answer_time(), masked).await?;
    let (forth, back) = (commands(&ours, &wanted), commands(&wanted, &ours));
    let guard = Guard::arm(&settings.config_path, settings.confirm_time(), |at| Undo {
        files: files(&config::print(&before.running), &back),
        commands: vec![settings.vtysh(&["-f", &at.join("commands").to_string_lossy()]), settings.reload(at)],
    })
    .await?;
    let made = async {
        let shown = switch(settings, &before, after, &whole, &forth).await?;
        prove(&settings.prove_command, settings.change_time()).await?;
        replace(&settings.config_path, beside).await?;
        Given::keep(settings, after, shown.as_deref())
    };
    guard.see_through(settings.change_time(), settings.undo_time(), made).await
}

/// What the command line and the reloader need in a directory of their own.
fn files(whole: &str, commands: &str) -> Vec<(String, String)> {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    vec![file("frr.conf", whole), file("commands", commands), file("vtysh.conf", "")]
}

/// Sends the difference, and has FRR's own reloader see to what is left of it. Gives what FRR shows then if that is in other
/// words, which only an operator's own text may be.
async fn switch(
    settings: &Settings,
    before: &Look,
    after: &str,
    whole: &str,
    forth: &str,
) -> Result<Option<Vec<Node>>, AgentError> {
    let directory = Scratch::new(&files(whole, forth))?;
    let mut words = Vec::new();
    if !forth.is_empty() {
        let command = settings.vtysh(&["-f", &directory.path("commands")]);
        words.push(said(settings, run(&command, settings.change_time()).await)?);
    }
    let wanted = config::parse(after);
    let mut ours = running(settings, before, after).await?;
    if config::same(&ours, &wanted) {
        return Ok(None);
    }
    tracing::debug!("FRR's own reloader has the rest of the change to make");
    let ran = run(&settings.reload(directory.0.path()), settings.change_time()).await;
    let is_success = ran.as_ref().is_ok_and(|ran| ran.is_success);
    words.push(said(settings, ran)?);
    ours = running(settings, before, after).await?;
    if config::same(&ours, &wanted) {
        return Ok(None);
    }
    if is_own_words(after) && is_success {
        return Ok(Some(ours));
    }
    Err(AgentError::refused(unlike(&ours, &wanted, &words)))
}

/// The running configuration that is ours, now.
async fn running(settings: &Settings, before: &Look, after: &str) -> Result<Vec<Node>, AgentError> {
    let now = look(settings).await?;
    Ok(config::split(now.running, &before.named(after)).1)
}

/// What a program said; what it could not be asked is an error.
fn said(settings: &Settings, ran: Result<Ran, Trouble>) -> Result<String, AgentError> {
    match ran {
        Ok(ran) => Ok(masked(&plain(&ran.words()))),
        Err(trouble) => Err(AgentError::broken(format!("FRR at {}: {trouble}", settings.socket_dir.display()))),
    }
}

/// Words without the colours of a terminal.
fn plain(words: &str) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

/// In what FRR differs from what it was told, in a sentence.
fn unlike(ours: &[Node], wanted: &[Node], words: &[String]) -> String {
    let lines = |of: &[Node], without: &[Node]| {
        let without = Shape::of(without);
        let mut out = Vec::new();
        missing(&mut out, of, &without);
        let more = out.len().saturating_sub(NAMED);
        out.truncate(NAMED);
        let mut out: Vec<String> = out.iter().map(|line| format!("{:?}", masked(line))).collect();
        if more > 0 {
            out.push(format!("{more} more"));
        }
        out.join(", ")
    };
    let (lacks, shows) = (lines(wanted, ours), lines(ours, wanted));
    let mut out = "FRR does not run what it was given".to_owned();
    if !lacks.is_empty() {
        out.push_str(&format!("; it lacks {lacks}"));
    }
    let has_bfd = |of: &[Node]| of.iter().any(|node| node.line == config::BFD);
    if has_bfd(wanted) && !has_bfd(ours) {
        // It says nothing of that by itself.
        out.push_str("; bfdd, the daemon for it, does not run");
    }
    if !shows.is_empty() {
        out.push_str(&format!("; it shows {shows}"));
    }
    let words: Vec<&str> = words.iter().map(|said| said.trim()).filter(|said| !said.is_empty()).collect();
    if !words.is_empty() {
        let words: String = words.join("; ").replace('\n', "; ").chars().take(1_000).collect();
        out.push_str(&format!(". It says: {words}"));
    }
    out
}

fn missing(out: &mut Vec<String>, of: &[Node], without: &Shape) {
    for node in of {
        match without.get(&node.line) {
            None => out.push(node.line.clone()),
            Some(inside) => missing(out, &node.inside, inside),
        }
    }
}

/// A directory for files of a moment, its owner's alone.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new(files: &[(String, String)]) -> Result<Self, AgentError> {
        let make = || {
            let directory = tempfile::Builder::new()
                .prefix("meetme-frr-")
                .permissions(std::fs::Permissions::from_mode(0o700))
                .tempdir()?;
            for (name, text) in files {
                std::fs::write(directory.path().join(name), text)?;
            }
            Ok(directory)
        };
        let failed = |e: std::io::Error| AgentError::broken(format!("no directory for the change can be had: {e}"));
        make().map(Self).map_err(failed)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frr_shows_otherwise_is_named_without_secrets() {
        let (ours, wanted) = ("router bgp 1\n a\n b\nexit\n", "router bgp 1\n a\n neighbor x password y\nexit\n");
        let why = unlike(&config::parse(ours), &config::parse(wanted), &["".to_owned(), "line 2: no\n".to_owned()]);
        insta::assert_snapshot!(why, @r#"FRR does not run what it was given; it lacks "neighbor x password (secret)"; it shows "b". It says: line 2: no"#);
    }

    #[test]
    fn colours_are_no_words() {
        assert_eq!(plain("a\u{1b}[91m  ERROR\u{1b}[0m: b"), "a  ERROR: b");
    }
}
