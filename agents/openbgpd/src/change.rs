//! Loading a new configuration, and going back when it does not take.
//!
//! The daemon replaces its whole configuration in one step and refuses one that it cannot read, but keeps no old one and waits
//! for nobody. So the old file is kept under a guard that goes back by itself, before the new one takes its place.
//!
//! A reload does not touch sessions that are up. Those that are to go down, to come back, or to take another password are told
//! so one by one.

use std::collections::BTreeMap;

use meetme_agent::{AgentError, router::BgpState};
use meetme_local::{Guard, Undo, check, read, replace, run, write_beside};
use tokio::time::{Duration, interval, timeout};

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
    let guard = Guard::arm(path, settings.confirm_time(), |_| {
        let back = orders(&will, &was, |address| will.get(address).is_some_and(|peer| peer.is_down));
        let back = back.iter().map(|order| settings.bgpctl(&["neighbor", &order.0, order.1]));
        // The last program's success is the return's.
        let commands = [reload.clone()].into_iter().chain(back).chain([reload.clone()]).collect();
        Undo { files: Vec::new(), commands }
    })
    .await?;
    let made = async {
        replace(path, beside).await?;
        switch(settings, text).await?;
        let is_held = |address: &str| seen.iter().any(|n| n.remote_addr == address && n.is_down());
        for (address, order) in orders(&was, &will, is_held) {
            obey(settings, &address, order).await?;
        }
        hold_down(settings, &will).await?;
        prove(settings).await
    };
    let made = timeout(settings.change_time(), made).await.unwrap_or_else(|_| {
        let waited = settings.change_time().as_secs();
        Err(AgentError::broken(format!("the change was not made and proved within {waited} s")))
    });
    match made {
        Ok(()) => guard.confirm().await,
        Err(error) => {
            tracing::warn!(%error, "OpenBGPD did not take a configuration and is brought back");
            if let Err(undo) = guard.undo(settings.undo_time()).await {
                tracing::warn!(error = %undo, "OpenBGPD is not back yet");
            }
            Err(error)
        }
    }
}

fn reload(settings: &Settings) -> Vec<String> {
    let shell = ["/bin/sh", "-c", RELOAD, "reload"].map(str::to_owned);
    shell.into_iter().chain(settings.bgpctl(&["reload"])).collect()
}

/// Has the file read, and sees that the daemon runs it.
async fn switch(settings: &Settings, text: &str) -> Result<(), AgentError> {
    let ran = run(&reload(settings), settings.answer_time())
        .await
        .map_err(|trouble| AgentError::unreachable(format!("OpenBGPD cannot be told to reload: {trouble}.")))?;
    if !ran.is_success {
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
    password: Option<String>,
}

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
            if line.starts_with("tcp md5sig ") {
                peer.password = Some(line.to_owned());
            }
        }
    }
    out
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
            false if before.password != peer.password => "clear",
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

/// Asks whoever is to say whether the router still does what it must.
async fn prove(settings: &Settings) -> Result<(), AgentError> {
    if settings.prove_command.is_empty() {
        return Ok(());
    }
    match run(&settings.prove_command, settings.change_time()).await {
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
