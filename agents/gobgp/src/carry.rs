//! Carrying a change out, seeing it in force, and going back when it does not take.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use meetme_agent::{AgentError, unified};
use tokio::time::{Instant, interval};

use crate::{
    api::Api,
    change::{Step, sent, steps},
    config::{Config, address, masked, plain_peer},
    read::{self, Seen, look},
    settings::Settings,
    wire::*,
};

/// How often a daemon is looked at that has not settled yet.
const POLL: Duration = Duration::from_millis(100);

/// Makes the daemon be what `to` says, whatever it is, and sees that it is. On an error it may be anything in between.
pub async fn carry_out(settings: &Settings, to: &Config) -> Result<(), AgentError> {
    let mut api = Api::connect(settings).await?;
    let known = to.networks.iter().copied().collect();
    let seen = look(&mut api, &known).await?;
    let all = steps(&seen.config, to);
    // What peers are told now, to see afterwards what they are to be told no longer.
    let mut told = HashMap::new();
    for step in &all {
        if let Step::RefreshOut(peer) = step {
            told.insert(address(peer).to_owned(), read::advertised(&mut api, address(peer)).await?);
        }
    }
    let pass = Pass { settings, seen: &seen, to, told };
    for step in all {
        take(&mut api, &pass, step).await?;
    }
    prove(&mut api, settings, to).await
}

/// What the steps of one change have in common.
struct Pass<'a> {
    settings: &'a Settings,
    /// The daemon as it was before the first step.
    seen: &'a Seen,
    to: &'a Config,
    /// What peers were told whose export policy changes; nothing of one that was told too much to be listed.
    told: HashMap<String, Option<BTreeSet<String>>>,
}

/// Takes one step.
async fn take(api: &mut Api, pass: &Pass<'_>, step: Step) -> Result<(), AgentError> {
    let Pass { settings, seen, .. } = pass;
    match step {
        Step::Stop => api.stop().await,
        Step::Start(global) => {
            let (listen_port, listen_addresses) = match seen.global.asn {
                0 => {
                    let all = settings.listen_addresses.iter().map(ToString::to_string).collect();
                    (settings.listen_port.into(), all)
                }
                _ => (seen.global.listen_port, seen.global.listen_addresses.clone()),
            };
            api.start(Global { listen_port, listen_addresses, ..global }).await
        }
        Step::RemovePeer(peer) => remove(api, seen, &peer).await,
        Step::Policies { all, assign, first } => swap(api, *all, assign, first).await,
        Step::AddPeer(peer) => api.add_peer(*peer).await,
        Step::UpdatePeer(mut peer) => {
            let (of, old) = (address(&peer).to_owned(), as_told(seen, address(&peer)));
            // A peer whose switch is changed here would begin anew.
            if let (Some(conf), Some(old)) = (&mut peer.conf, old.and_then(|p| p.conf.as_ref())) {
                conf.admin_down = old.admin_down;
            }
            let is_over = old.and_then(|p| p.state.as_ref()).is_some_and(|s| s.admin_state == state::PREFIXES);
            let is_wanted = peer.conf.as_ref().is_some_and(|conf| !conf.admin_down);
            api.update_peer(*peer).await?;
            if is_over && is_wanted { api.switch_peer(&of, true).await } else { Ok(()) }
        }
        Step::Switch { address, on } => switch(api, pass, &address, on).await,
        Step::RemoveNetwork(net) => api.delete_path(route(net)).await,
        Step::AddNetwork(net) => api.add_path(route(net)).await,
        Step::RefreshIn(address) => api.refresh(&address, false).await,
        Step::RefreshOut(peer) => {
            let of = address(&peer).to_owned();
            api.refresh(&of, true).await?;
            // The daemon takes nothing back by this. Where a peer was told what it is not to know, only a new session helps.
            let after = read::advertised(api, &of).await?;
            let knows_less = match (pass.told.get(&of), &after) {
                (Some(Some(before)), Some(after)) => !before.is_subset(after),
                _ => true,
            };
            let is_up = |p: &Peer| p.state.as_ref().is_some_and(|s| s.session_state == state::ESTABLISHED);
            if knows_less && api.peers(&of, false).await?.first().is_some_and(is_up) {
                tracing::info!(peer = %of, "a session begins anew, because its peer was told what it is not to know");
                api.delete_peer(&of).await?;
                api.add_peer(*peer).await?;
            }
            Ok(())
        }
    }
}

/// A peer as the daemon told it before the change.
fn as_told<'a>(seen: &'a Seen, of: &str) -> Option<&'a Peer> {
    seen.peers.iter().find(|peer| address(peer) == of)
}

/// Takes a peer away. Its password is taken off first: a deleted peer leaves it on the socket that listens, where it would
/// keep a later one without a password away.
async fn remove(api: &mut Api, seen: &Seen, peer: &Peer) -> Result<(), AgentError> {
    let of = address(peer);
    if let Some(told) = as_told(seen, of)
        && told.conf.as_ref().is_some_and(|conf| !conf.auth_password.is_empty())
    {
        let mut open = told.clone();
        open.state = None;
        if let Some(conf) = &mut open.conf {
            conf.auth_password.clear();
            // The peer comes back for a moment; it must not come up.
            conf.admin_down = true;
        }
        api.update_peer(open).await?;
    }
    api.delete_peer(of).await
}

/// Puts new policies in the place of the old ones. A table that is to go through other policies than before lets nothing
/// new pass meanwhile.
async fn swap(
    api: &mut Api,
    all: SetPolicies,
    assign: Vec<PolicyAssignment>,
    first: Vec<String>,
) -> Result<(), AgentError> {
    for name in first {
        api.add_policy(Policy { name, statements: Vec::new() }).await?;
    }
    for assignment in &assign {
        api.assign(PolicyAssignment { default_action: action::REJECT, ..assignment.clone() }).await?;
    }
    api.set_policies(all).await?;
    for assignment in &assign {
        if assignment.default_action != action::REJECT {
            api.assign(assignment.clone()).await?;
        }
    }
    Ok(())
}

/// Switches a peer. Where its configuration says the same already, somebody switched it by hand, and only that is undone.
async fn switch(api: &mut Api, pass: &Pass<'_>, of: &str, on: bool) -> Result<(), AgentError> {
    match as_told(pass.seen, of) {
        Some(told) if told.conf.as_ref().is_some_and(|conf| conf.admin_down == on) => {
            // It may have been changed in this pass already.
            let Some(mut now) = api.peers(of, false).await?.into_iter().next() else { return Ok(()) };
            now = sent(&plain_peer(now), pass.to);
            if let Some(conf) = &mut now.conf {
                conf.admin_down = !on;
            }
            api.update_peer(now).await
        }
        _ => api.switch_peer(of, on).await,
    }
}

/// A route that the daemon announces itself. The next hop is its own address towards each peer.
fn route(net: meetme_base::IpNet) -> Path {
    let is_ipv4 = net.addr().is_ipv4();
    let prefix = IpAddressPrefix { prefix_len: net.prefix_len().into(), prefix: net.addr().to_string() };
    let nlri = any("IPAddressPrefix", &prefix);
    let next_hop = match is_ipv4 {
        true => any("NextHopAttribute", &NextHopAttribute { next_hop: "0.0.0.0".to_owned() }),
        false => any(
            "MpReachNLRIAttribute",
            &MpReachNlriAttribute {
                family: Some(Family::of(false)),
                next_hops: vec!["::".to_owned()],
                nlris: vec![nlri.clone()],
            },
        ),
    };
    let pattrs = vec![any("OriginAttribute", &OriginAttribute { origin: 0 }), next_hop];
    Path { nlri: Some(nlri), pattrs, family: Some(Family::of(is_ipv4)), ..Path::default() }
}

fn any(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("type.googleapis.com/apipb.{name}"), value: message.encode_to_vec() }
}

/// Waits until the daemon is seen to be what it is to be.
async fn prove(api: &mut Api, settings: &Settings, to: &Config) -> Result<(), AgentError> {
    let deadline = Instant::now() + settings.confirm_time();
    let known = to.networks.iter().copied().collect();
    let mut poll = interval(POLL);
    loop {
        poll.tick().await;
        let seen = look(api, &known).await?;
        if seen.config.text() == to.text() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let diff = unified(&to.text(), &seen.config.text(), masked);
            let diff: String = diff.chars().take(2000).collect();
            return Err(AgentError::broken(format!("gobgpd took every step and is not what it was told:\n{diff}")));
        }
    }
}

/// Goes back to an earlier configuration, for as long as a change may take. An error means that the box is in between.
pub async fn go_back(settings: &Settings, to: &Config) -> Result<(), AgentError> {
    let deadline = Instant::now() + settings.confirm_time();
    let mut poll = interval(Duration::from_secs(1));
    loop {
        poll.tick().await;
        match carry_out(settings, to).await {
            Err(error) if error.is_passing() && Instant::now() < deadline => {}
            done => return done,
        }
    }
}
