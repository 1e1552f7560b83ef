//! The configuration of FRR's BGP for a wanted router: a pure function.
//!
//! Rule: everything is written by its type. Numbers, addresses and keys are valid by construction, texts go through
//! [`crate::text`], and no text of a user reaches the configuration in another way, except an operator's whole own
//! configuration, which is meant to. Lines are written as FRR 8 prints them, so that they can be found again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use meetme_agent::{
    AgentError,
    router::{Bfd, BgpSession, Desired, Role, Timers},
};
use meetme_base::{Asn, IpNet};

use crate::{
    config::{self, BFD, Node, OURS},
    policy::{Direction, Lists, ORIGINATED, route_map},
    text,
};

/// How the comments begin that say which session is with whom: FRR knows its neighbours by address only.
const SESSION: &str = "! session ";
/// What stands below the title where the text is an operator's own.
const OWN_WORDS: &str = "! In the operator's own words.";

/// Our part of the configuration. The same wish always gives the same text.
pub fn render(want: &Desired) -> Result<String, AgentError> {
    let name = text::comment("The router's name", &want.name)?;
    let (second, body) = match &want.custom_text {
        Some(own) => (OWN_WORDS, format!("{}\n", own.expose().trim_end())),
        None => ("! Edits by hand are seen and undone.", config::print(&generated(want)?)),
    };
    let sessions = want.sessions.iter().map(|s| format!("{SESSION}{} {}\n", s.key, s.peer_address));
    let sessions: String = sessions.collect();
    Ok(format!("! Written by Meetme for the router {name}.\n{second}\n{sessions}!\n{body}"))
}

/// The keys of the sessions that a rendered text names, by the addresses of their peers.
pub fn sessions(rendered: &str) -> HashMap<&str, &str> {
    let named =
        rendered.lines().take_while(|line| line.starts_with("! ")).filter_map(|line| line.strip_prefix(SESSION));
    named.filter_map(|line| line.split_once(' ')).map(|(key, peer)| (peer, key)).collect()
}

/// Whether a rendered text is in an operator's own words, which FRR may print in others.
pub fn is_own_words(rendered: &str) -> bool {
    rendered.lines().nth(1) == Some(OWN_WORDS)
}

fn generated(want: &Desired) -> Result<Vec<Node>, AgentError> {
    check(want)?;
    let (mut lists, mut maps) = (Lists::default(), Vec::new());
    let (mut four, mut six) = (originated(&want.networks, true), originated(&want.networks, false));
    if !want.networks.is_empty() {
        let mark = Node::line(format!("set tag {ORIGINATED}"));
        maps.push(Node::context(format!("route-map {OURS}originated permit 10"), vec![mark]));
    }
    if !want.forwards && !want.sessions.is_empty() {
        maps.push(Node::context(format!("route-map {OURS}none deny 10"), Vec::new()));
    }
    let mut router = vec![
        format!("bgp router-id {}", want.router_id),
        "no bgp default ipv4-unicast".to_owned(),
        // A network is announced because it is wanted, not because the machine has a route to it.
        "no bgp network import-check".to_owned(),
    ];
    for session in &want.sessions {
        let family = if session.peer_address.is_ipv4() { &mut four } else { &mut six };
        let import = route_map(session, Direction::Import, &mut lists)?;
        let export = route_map(session, Direction::Export, &mut lists)?;
        neighbour(&mut router, session, want.asn, &want.timers)?;
        activated(family, session, &import, &export);
    }
    let mut inside: Vec<Node> = router.into_iter().map(Node::line).collect();
    for (name, mut lines, is_four) in [("ipv4", four, true), ("ipv6", six, false)] {
        if !want.forwards && want.sessions.iter().any(|s| s.peer_address.is_ipv4() == is_four) {
            lines.push(format!("table-map {OURS}none"));
        }
        if !lines.is_empty() {
            let lines = lines.into_iter().map(Node::line).collect();
            inside.push(Node::context(format!("address-family {name} unicast"), lines));
        }
    }
    let log = want.log_file.as_ref().map(|file| text::word("The log file's name", file)).transpose()?;
    let log = log.map(|file| Node::line(format!("log file {file}")));
    let router = Node::context(format!("router bgp {}", want.asn), inside);
    let timers = profiles(&want.sessions);
    Ok(log.into_iter().chain(maps).chain(timers).chain(lists.lines()).chain([router]).collect())
}

fn originated(networks: &[IpNet], is_four: bool) -> Vec<String> {
    let networks: BTreeSet<IpNet> =
        networks.iter().map(IpNet::trunc).filter(|net| net.addr().is_ipv4() == is_four).collect();
    networks.iter().map(|net| format!("network {net} route-map {OURS}originated")).collect()
}

/// What is said of the session itself. It is shut down, where it is to be, before it could begin.
fn neighbour(out: &mut Vec<String>, session: &BgpSession, own: Asn, timers: &Timers) -> Result<(), AgentError> {
    let what = |field: &str| format!("Session {}: the {field}", session.key);
    let mut say = |line: String| out.push(format!("neighbor {} {line}", session.peer_address));
    say(format!("remote-as {}", session.peer_asn));
    if !session.enabled {
        say("shutdown".to_owned());
    }
    if session.local_asn != own {
        say(format!("local-as {} no-prepend replace-as", session.local_asn));
    }
    if let Some(description) = text::rest(&what("description"), &session.description)? {
        say(format!("description {description}"));
    }
    if let Some(password) = &session.password {
        say(format!("password {}", text::password(&what("password"), password.expose())?));
    }
    if session.passive {
        say("passive".to_owned());
    }
    if session.gtsm {
        say(format!("ttl-security hops {}", session.ttl));
    } else if session.ttl > 1 && !session.is_internal() {
        // Inside one AS, FRR does not limit how far away a peer is.
        say(format!("ebgp-multihop {}", session.ttl));
    }
    if let Some(role) = session.role {
        say(format!("local-role {}{}", word(role), if session.strict_role { " strict-mode" } else { "" }));
    }
    if let Some(bfd) = &session.bfd {
        say(BFD.to_owned());
        say(format!("{BFD} profile {}", profile(bfd)));
    }
    if let Some(address) = session.local_address {
        say(format!("update-source {address}"));
    }
    if let Some(hold) = timers.hold {
        say(format!("timers {} {hold}", hold / 3));
    }
    if let Some(retry) = timers.connect_retry {
        say(format!("timers connect {retry}"));
    }
    Ok(())
}

/// FRR's word for what we are to a peer (from 8.4).
const fn word(role: Role) -> &'static str {
    match role {
        Role::Provider => "provider",
        Role::RouteServer => "rs-server",
        Role::RouteServerClient => "rs-client",
        Role::Customer => "customer",
        Role::Peer => "peer",
    }
}

fn profile(bfd: &Bfd) -> String {
    format!("{OURS}{}-{}-{}", bfd.multiplier, bfd.rx_ms, bfd.tx_ms)
}

/// The timers of forwarding detection, each set once: FRR keeps none beside a neighbour. It does not show usual values.
fn profiles(sessions: &[BgpSession]) -> Option<Node> {
    let timers: BTreeMap<String, Bfd> = sessions.iter().filter_map(|s| s.bfd).map(|bfd| (profile(&bfd), bfd)).collect();
    let nodes: Vec<Node> = timers
        .into_iter()
        .map(|(name, bfd)| {
            let said = [
                ("detect-multiplier", u32::from(bfd.multiplier), 3),
                ("transmit-interval", bfd.tx_ms, 300),
                ("receive-interval", bfd.rx_ms, 300),
            ];
            let lines = said.iter().filter(|(_, value, usual)| value != usual);
            let lines = lines.map(|(name, value, _)| Node::line(format!("{name} {value}"))).collect();
            Node::context(format!("profile {name}"), lines)
        })
        .collect();
    (!nodes.is_empty()).then(|| Node::context(BFD, nodes))
}

/// What is said of the session in its address family. It is activated last, when its policies are in place.
fn activated(out: &mut Vec<String>, session: &BgpSession, import: &str, export: &str) {
    let mut say = |line: String| out.push(format!("neighbor {} {line}", session.peer_address));
    say(format!("route-map {import} in"));
    say(format!("route-map {export} out"));
    // What the policy rejects is kept too: it is counted, and a changed policy needs no word from the peer.
    say("soft-reconfiguration inbound".to_owned());
    if let Some(most) = session.max_prefixes {
        // The pause is in minutes. What is rejected counts too, but not by FRR's own count: see [`crate::limits`].
        say(format!("maximum-prefix {most} restart 1"));
    }
    if session.route_server_client {
        say("route-server-client".to_owned());
        say("attribute-unchanged next-hop".to_owned());
    }
    say("activate".to_owned());
}

/// What must hold beyond the types of the fields, and what FRR cannot do.
fn check(want: &Desired) -> Result<(), AgentError> {
    let timers = &want.timers;
    for (what, is_set) in
        [("connect_delay", timers.connect_delay.is_some()), ("error_wait", timers.error_wait.is_some())]
    {
        if is_set {
            return Err(AgentError::unsupported(format!("FRR has no such timer as {what}; leave it out.")));
        }
    }
    if timers.hold.is_some_and(|hold| matches!(hold, 1 | 2)) {
        return Err(AgentError::refused("A hold time is 0, or 3 seconds and more."));
    }
    if timers.connect_retry == Some(0) {
        return Err(AgentError::refused("The connect_retry timer is 1 second or more."));
    }
    let (mut keys, mut peers) = (BTreeSet::new(), BTreeSet::new());
    for session in &want.sessions {
        check_session(session, want.asn)?;
        if !keys.insert(&session.key) {
            return Err(AgentError::refused(format!("Session {}: the key is used twice.", session.key)));
        }
        if !peers.insert(session.peer_address) {
            return Err(AgentError::unsupported(format!(
                "Session {}: another session has the same peer, and FRR has one session with a peer.",
                session.key
            )));
        }
    }
    Ok(())
}

fn check_session(session: &BgpSession, own: Asn) -> Result<(), AgentError> {
    let refuse = |why: &str| Err(AgentError::refused(format!("Session {}: {why}", session.key)));
    let unsupported = |why: &str| Err(AgentError::unsupported(format!("Session {}: {why}", session.key)));
    if session.local_address.is_some_and(|local| local.is_ipv4() != session.peer_address.is_ipv4()) {
        return refuse("the local and the peer's address are of different families.");
    }
    if session.ttl == 0 {
        return refuse("the ttl must be 1 or more.");
    }
    if session.max_prefixes == Some(0) {
        return unsupported("FRR has no limit of no prefixes; disable the session instead.");
    }
    if session.route_server_client && session.is_internal() {
        return refuse("a client of a route server is in another AS than the server.");
    }
    if session.role.is_some() && session.is_internal() {
        return refuse("a role is for peers in another AS.");
    }
    if session.gtsm && session.ttl == u8::MAX {
        return unsupported("FRR holds a peer to 254 hops at most; leave gtsm out.");
    }
    if session.gtsm && session.bfd.is_some() && session.ttl == 1 {
        // Seen in 8.4.4: it then sends to the port for paths of several hops (RFC 5883), where no direct neighbour listens.
        return unsupported(
            "FRR does not watch a direct path with BFD and hold the peer to its one hop; leave one of them out.",
        );
    }
    if let Some(bfd) = session.bfd
        && (bfd.multiplier < 2 || [bfd.tx_ms, bfd.rx_ms].iter().any(|ms| !(10..=60_000).contains(ms)))
    {
        return unsupported("BFD of FRR takes intervals of 10 to 60,000 ms and a multiplier of 2 and more.");
    }
    if session.local_asn != own && (session.peer_asn == own || session.peer_asn == session.local_asn) {
        return unsupported("FRR takes another AS number of ours only towards a peer that is in neither of our ASs.");
    }
    match session.peer_address {
        IpAddr::V6(peer) if peer.is_unicast_link_local() => unsupported("a link-local peer needs an interface."),
        peer if peer.is_unspecified() || peer.is_multicast() => refuse("the peer's address is not one of a host."),
        _ => Ok(()),
    }
}
