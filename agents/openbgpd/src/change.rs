//! Loading a new configuration, and going back when it does not take.
//!
//! The daemon replaces its whole configuration in one step and refuses one that it cannot read, but keeps no old one and waits
//! for nobody. So the old file is kept under a guard that goes back by itself, before the new one takes its place.
//!
//! A reload does not touch sessions that are up. Those that are to go down, to come back, or to open with something else (another
//! password or number of hops) are told so one by one. Another role it takes over for a new neighbour only (seen in 7.7): such a
//! neighbour is taken away first, by a reload of its own, and then is new.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use meetme_agent::{AgentError, router::BgpState};
use meetme_local::{Guard, Undo, check, prove, read, replace, run, write_beside};
use tokio::time::{Duration, interval};

use crate::{
    mark,
    settings::Settings,
    state::{Neighbour, has_set, neighbours},
    text::masked,
};

/// How often a daemon in the middle of a change is asked whether it is done.
const POLL: Duration = Duration::from_millis(50);

/// The reload as a program whose success means what it says: `bgpctl` itself succeeds whatever the daemon answers.
const RELOAD: &str = "said=$(\"$@\" 2>&1); echo \"$said\"; case \"$said\" in *fail*|*error*) exit 1;; *processed*) exit 0;; esac; exit 1";

/// Makes the daemon run `text` and keep it. On any error the file is what it was before, and the daemon either never left its
/// old configuration or is being brought back to it.
pub async fn load(settings: &Settings, text: &str) -> Result<(), AgentError> {
    // First the daemon: one that cannot be told must not find a new file at its next start.
    let seen = ask_neighbours(settings).await?;
    let path = &settings.config_path;
    let old = read(path).await?.map(|kept| kept.text).unwrap_or_default();
    let beside = write_beside(path, text).await?;
    check(&settings.check_command, beside.path(), path, settings.answer_time(), masked).await?;
    let (was, will) = (peers(&old), peers(text));
    let reload = reload(settings);
    let mut taken = PathBuf::new();
    let guard = Guard::arm(path, settings.confirm_time(), |at| {
        taken = at.join(TAKEN);
        let back = orders(&will, &was, |address| will.get(address).is_some_and(|peer| peer.is_down));
        let back = back.iter().map(|order| only_where(&taken, settings.bgpctl(&["neighbor", &order.0, order.1])));
        // The last program's success is the return's.
        let commands = [reload.clone()].into_iter().chain(back).chain([reload.clone()]).collect();
        Undo { files: vec![(TAKEN.to_owned(), String::new())], commands }
    })
    .await?;
    let made = async {
        let renewed: Vec<&str> = will
            .iter()
            .filter(|(of, peer)| was.get(*of).is_some_and(|b| b.role != peer.role))
            .map(|(of, _)| of.as_str())
            .collect();
        if !renewed.is_empty() {
            let without = without(&old, &renewed);
            let aside = write_beside(path, &without).await?;
            check(&settings.check_command, aside.path(), path, settings.answer_time(), masked).await?;
            replace(path, aside).await?;
            switch(settings, &without, Some(&taken)).await?;
        }
        replace(path, beside).await?;
        switch(settings, text, renewed.is_empty().then_some(taken.as_path())).await?;
        let is_held = |address: &str| seen.iter().any(|n| n.remote_addr == address && n.is_down());
        for (address, order) in orders(&was, &will, is_held) {
            obey(settings, &address, order).await?;
        }
        hold_down(settings, &will).await?;
        prove(&settings.prove_command, settings.change_time()).await
    };
    guard.see_through(settings.change_time(), settings.undo_time(), made).await
}

fn reload(settings: &Settings) -> Vec<String> {
    let shell = ["/bin/sh", "-c", RELOAD, "reload"].map(str::to_owned);
    shell.into_iter().chain(settings.bgpctl(&["reload"])).collect()
}

/// The file in the guard's directory that says that the daemon may have taken the change, or a part of it.
const TAKEN: &str = "may-have-taken";
/// What `bgpctl` says when the daemon has refused a file as a whole and runs on with what it had.
const REFUSED: &str = "reload failed";

/// A program that does nothing once a file is gone.
fn only_where(file: &Path, command: Vec<String>) -> Vec<String> {
    let file = file.to_string_lossy().into_owned();
    let shell = ["/bin/sh", "-c", "if [ -e \"$0\" ]; then exec \"$@\"; fi"].map(str::to_owned);
    shell.into_iter().chain([file]).chain(command).collect()
}

/// Has the file read, and sees that the daemon runs it. Where it refuses the file as a whole, `taken` goes: then no session of
/// its neighbours has to begin anew on the way back.
async fn switch(settings: &Settings, text: &str, taken: Option<&Path>) -> Result<(), AgentError> {
    let ran = run(&reload(settings), settings.answer_time())
        .await
        .map_err(|trouble| AgentError::unreachable(format!("OpenBGPD cannot be told to reload: {trouble}.")))?;
    if !ran.is_success {
        if let Some(taken) = taken.filter(|_| ran.words().contains(REFUSED))
            && let Err(error) = std::fs::remove_file(taken)
        {
            tracing::warn!(%error, "sessions begin anew that would not have to");
        }
        return Err(AgentError::refused(masked(&ran.words())));
    }
    let Some(mark) = mark::of(text) else { return Ok(()) };
    let mut poll = interval(POLL);
    // The time for the whole change ends this.
    loop {
        poll.tick().await;
        if runs(settings, mark).await? {
            return Ok(());
        }
    }
}

/// What is said of a neighbour that a reload does not bring about by itself.
#[derive(Debug, Default, PartialEq)]
pub struct Peer {
    is_down: bool,
    /// What only a session that begins anew takes over.
    opening: Vec<String>,
    /// What only a new neighbour takes over.
    role: Option<String>,
}

/// How lines begin of which a session learns when it is opened.
const OPENING: &[&str] = &["tcp md5sig ", "ttl-security "];

/// The neighbours of a text, ours or an operator's own, by address.
pub fn peers(text: &str) -> BTreeMap<String, Peer> {
    let mut out: BTreeMap<String, Peer> = BTreeMap::new();
    let mut at: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("neighbor ").and_then(|rest| rest.split([' ', '{']).next()) {
            at = Some(address.to_owned());
            out.entry(address.to_owned()).or_default();
        } else if line.starts_with('}') {
            at = None;
        } else if let Some(peer) = at.as_ref().and_then(|address| out.get_mut(address)) {
            peer.is_down |= line == "down" || line.starts_with("down ");
            if OPENING.iter().any(|start| line.starts_with(start)) {
                peer.opening.push(line.to_owned());
            }
            if line.starts_with("announce policy ") {
                peer.role = Some(line.to_owned());
            }
        }
    }
    out
}

/// A text without some of its neighbours and what is said of their routes.
fn without(text: &str, gone: &[&str]) -> String {
    let mut body = String::new();
    let mut is_inside = false;
    for line in text.lines().filter(|line| !line.starts_with('#') && mark::of(line).is_none()) {
        let mut words = line.split_whitespace();
        if line.starts_with("neighbor ") && words.nth(1).is_some_and(|of| gone.contains(&of)) {
            is_inside = true;
        }
        if !is_inside && !line.split_whitespace().any(|word| gone.contains(&word)) {
            body.push_str(&format!("{line}\n"));
        }
        is_inside &= line != "}";
    }
    mark::marked("# On the way to another configuration.\n", &body)
}

/// What neighbours are to be told beside the reload from one text to another. `is_held` are those that are held down now.
fn orders(
    was: &BTreeMap<String, Peer>,
    will: &BTreeMap<String, Peer>,
    is_held: impl Fn(&str) -> bool,
) -> Vec<(String, &'static str)> {
    let order = |(address, peer): (&String, &Peer)| {
        let before = was.get(address)?;
        let order = match peer.is_down {
            true => "down",
            false if before.is_down || is_held(address) => "up",
            false if before.opening != peer.opening => "clear",
            false => return None,
        };
        Some((address.clone(), order))
    };
    will.iter().filter_map(order).collect()
}

/// Sees to it that nobody is up who is to be down.
async fn hold_down(settings: &Settings, will: &BTreeMap<String, Peer>) -> Result<(), AgentError> {
    for neighbour in ask_neighbours(settings).await? {
        let is_to_be_down = will.get(&neighbour.remote_addr).is_some_and(|peer| peer.is_down);
        if is_to_be_down && neighbour.state() != BgpState::Idle {
            obey(settings, &neighbour.remote_addr, "down").await?;
        }
    }
    Ok(())
}

async fn obey(settings: &Settings, address: &str, order: &str) -> Result<(), AgentError> {
    match run(&settings.bgpctl(&["neighbor", address, order]), settings.answer_time()).await {
        Ok(ran) if ran.words().contains("processed") => Ok(()),
        Ok(ran) => Err(AgentError::broken(format!("OpenBGPD does not take {order} for {address}: {}", ran.words()))),
        Err(trouble) => Err(AgentError::unreachable(format!("OpenBGPD cannot be told of {address}: {trouble}."))),
    }
}

/// Whether the daemon runs the text that carries the mark.
pub async fn runs(settings: &Settings, mark: &str) -> Result<bool, AgentError> {
    Ok(has_set(&ask(settings, &["-j", "show", "sets"]).await?, mark))
}

/// The daemon's neighbours.
pub async fn ask_neighbours(settings: &Settings) -> Result<Vec<Neighbour>, AgentError> {
    let said = ask(settings, &["-j", "show", "neighbor"]).await?;
    neighbours(&said)
        .ok_or_else(|| AgentError::broken("OpenBGPD does not tell its neighbours in a form that is understood"))
}

/// Asks the daemon.
pub async fn ask(settings: &Settings, words: &[&str]) -> Result<String, AgentError> {
    let failed = |why: String| {
        AgentError::unreachable(format!("OpenBGPD at {} does not answer: {why}", settings.socket.display()))
    };
    match run(&settings.bgpctl(words), settings.answer_time()).await {
        Ok(ran) if ran.is_success => Ok(ran.output),
        Ok(ran) => Err(failed(ran.words().chars().take(300).collect())),
        Err(trouble) => Err(failed(format!("{trouble}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_goes_with_what_is_said_of_its_routes() {
        let text = mark::marked(
            "# x\n",
            "AS 1\nneighbor 192.0.2.2 {\n  remote-as 2\n}\nneighbor 192.0.2.20 {\n  remote-as 3\n}\ndeny from any\n\n# session a\nallow quick from 192.0.2.2 set { med 5 }\nallow quick to 192.0.2.20\n",
        );
        let left = without(&text, &["192.0.2.2"]);
        let mark = mark::of(&left).unwrap();
        assert_ne!(Some(mark), mark::of(&text));
        insta::assert_snapshot!(left.replace(mark, "meetme_MARK"), @r#"
        # On the way to another configuration.
        as-set "meetme_MARK" { 0 }


        AS 1
        neighbor 192.0.2.20 {
          remote-as 3
        }
        deny from any

        allow quick to 192.0.2.20
        "#);
    }

    #[test]
    fn what_a_reload_does_not_bring_about_is_ordered() {
        let text = |down: &str, password: &str| {
            format!(
                "neighbor 192.0.2.2 {{\n remote-as 1\n{down}\n tcp md5sig password \"{password}\"\n}}\nneighbor 192.0.2.3 {{\n}}\ndown\n"
            )
        };
        let (up, down, other) = (peers(&text("", "a")), peers(&text("  down", "a")), peers(&text("", "b")));
        let told = |was, will, held: &str| orders(was, will, |address| address == held).into_iter().collect::<Vec<_>>();
        assert_eq!(told(&up, &down, ""), [("192.0.2.2".to_owned(), "down")]);
        assert_eq!(told(&down, &up, ""), [("192.0.2.2".to_owned(), "up")]);
        assert_eq!(told(&up, &other, ""), [("192.0.2.2".to_owned(), "clear")]);
        assert_eq!(told(&up, &up, "192.0.2.3"), [("192.0.2.3".to_owned(), "up")]);
        assert_eq!(told(&BTreeMap::new(), &up, ""), []);
    }
}
