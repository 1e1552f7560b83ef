//! The configuration of an OpenBGPD for a wanted router: a pure function of the wish and of two kinds of lines that say how the
//! daemon is reached (`socket`, `listen on`), which are kept as they are found.
//!
//! Rule: everything is written by its type. Numbers, addresses and keys are valid by construction, texts go through [`text`],
//! and no text of a user reaches the configuration in another way, except an operator's whole own configuration, which is
//! meant to.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use meetme_agent::{
    AgentError,
    router::{BgpSession, Desired, Role},
};
use meetme_base::IpNet;

use crate::{
    filter::{Direction, LEARNED, NO_MARKS, ORIGINATED, Sets, rules},
    mark, text,
};

/// How the comments begin that say which session is with whom: the daemon knows its neighbours by address.
const SESSION: &str = "# session ";
/// The longest key TCP MD5 takes (TCP_MD5SIG_MAXKEYLEN of Linux).
const LONGEST_PASSWORD: usize = 80;

/// The whole configuration. The same wish over the same `present` configuration always gives the same text.
pub fn render(want: &Desired, present: &str) -> Result<String, AgentError> {
    let name = text::comment("The router's name", &want.name)?;
    let sessions = want.sessions.iter().map(|s| format!("{SESSION}{} {}\n", s.key, s.peer_address));
    let sessions: String = sessions.collect();
    let comments =
        format!("# Written by Meetme for the router {name}.\n# Edits by hand are seen and undone.\n{sessions}");
    let reached = |own: &str| {
        let lines = present.lines().filter(|line| line.starts_with("socket ") || line.starts_with("listen on "));
        let lines = lines.filter(|line| !own.lines().any(|own| own.trim_start().starts_with(first(line))));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let body = match &want.custom_text {
        Some(own) => format!("{}{}\n", reached(own.expose()), own.expose().trim_end()),
        None => generated(want, &reached(""))?,
    };
    Ok(mark::marked(&comments, &body))
}

fn first(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// The keys of the sessions that a rendered text names, by the addresses of their peers.
pub fn sessions(rendered: &str) -> HashMap<&str, &str> {
    let named = rendered.lines().take_while(|line| line.starts_with('#')).filter_map(|line| line.strip_prefix(SESSION));
    named.filter_map(|line| line.split_once(' ')).map(|(key, peer)| (peer, key)).collect()
}

fn generated(want: &Desired, reached: &str) -> Result<String, AgentError> {
    check(want)?;
    let mut sets = Sets::default();
    let (mut neighbours, mut filters) = (String::new(), String::new());
    for session in &want.sessions {
        neighbours.push_str(&neighbour(session, want)?);
        filters.push_str(&format!("\n# session {}\n", session.key));
        for direction in [Direction::Import, Direction::Export] {
            for rule in rules(session, direction, &mut sets)? {
                filters.push_str(&format!("{rule}\n"));
            }
        }
    }
    let mut out = format!("AS {}\nrouter-id {}\n{reached}", want.asn, want.router_id);
    out.push_str(if want.forwards { "fib-update yes\n" } else { "fib-update no\n" });
    if let Some(retry) = want.timers.connect_retry {
        out.push_str(&format!("connect-retry {retry}\n"));
    }
    let sets = sets.text();
    if !(sets.is_empty() && want.networks.is_empty()) {
        out.push_str(&format!("\n{sets}"));
    }
    let networks: BTreeSet<IpNet> = want.networks.iter().map(IpNet::trunc).collect();
    for network in networks {
        out.push_str(&format!("network {network} set {{ {ORIGINATED} }}\n"));
    }
    out.push_str(&neighbours);
    out.push_str(&format!(
        "\ndeny from any\ndeny to any\nmatch from any set {{ {NO_MARKS} }}\nmatch from any set {{ {LEARNED} }}\n"
    ));
    out.push_str(&filters);
    Ok(out)
}

fn neighbour(session: &BgpSession, want: &Desired) -> Result<String, AgentError> {
    let what = |field: &str| format!("Session {}: the {field}", session.key);
    let mut lines = vec![format!("remote-as {}", session.peer_asn)];
    if session.local_asn != want.asn {
        lines.push(format!("local-as {}", session.local_asn));
    }
    if !session.description.is_empty() {
        // The daemon takes 31 bytes; people who read the file get all of it.
        let whole = text::quoted(&what("description"), &session.description)?;
        let short = text::quoted(&what("description"), text::short(&session.description))?;
        lines.push(if whole == short { format!("descr {short}") } else { format!("descr {short} # {whole}") });
    }
    if !session.enabled {
        lines.push("down".to_owned());
    }
    if let Some(address) = session.local_address {
        lines.push(format!("local-address {address}"));
    }
    if session.ttl > 1 && !session.is_internal() {
        lines.push(format!("multihop {}", session.ttl));
    }
    if session.gtsm {
        lines.push("ttl-security yes".to_owned());
    }
    if let Some(role) = session.role {
        lines.push(format!("announce policy {}{}", word(role), if session.strict_role { " enforce" } else { "" }));
    }
    if session.passive {
        lines.push("passive".to_owned());
    }
    if let Some(password) = &session.password {
        lines.push(format!("tcp md5sig password {}", text::quoted(&what("password"), password.expose())?));
    }
    if let Some(hold) = want.timers.hold {
        lines.push(format!("holdtime {hold}"));
    }
    if let Some(most) = session.max_prefixes {
        // The pause is in minutes.
        lines.push(format!("max-prefix {most} restart 1"));
    }
    if session.route_server_client {
        lines.push("transparent-as yes".to_owned());
        if session.ttl > 1 {
            lines.push("set nexthop no-modify".to_owned());
        }
    }
    // Which AS comes first is for the policy to say, and no reason to close a session.
    lines.push("enforce neighbor-as no".to_owned());
    let body: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    Ok(format!("\nneighbor {} {{\n{body}}}\n", session.peer_address))
}

/// OpenBGPD's word for what we are to a peer (from 7.5).
const fn word(role: Role) -> &'static str {
    match role {
        Role::Provider => "provider",
        Role::RouteServer => "rs",
        Role::RouteServerClient => "rs-client",
        Role::Customer => "customer",
        Role::Peer => "peer",
    }
}

/// What must hold beyond the types of the fields, and what OpenBGPD cannot do.
fn check(want: &Desired) -> Result<(), AgentError> {
    let timers = &want.timers;
    for (what, is_set) in
        [("connect_delay", timers.connect_delay.is_some()), ("error_wait", timers.error_wait.is_some())]
    {
        if is_set {
            return Err(AgentError::unsupported(format!("OpenBGPD has no such timer as {what}; leave it out.")));
        }
    }
    if want.log_file.is_some() {
        return Err(AgentError::unsupported("OpenBGPD writes to the system's log only; leave log_file out."));
    }
    if timers.hold.is_some_and(|hold| hold < 3) {
        return Err(AgentError::refused("A hold time is 3 seconds or more for OpenBGPD."));
    }
    if timers.connect_retry == Some(0) {
        return Err(AgentError::refused("The connect_retry timer is 1 second or more."));
    }
    let (mut keys, mut peers) = (BTreeSet::new(), BTreeSet::new());
    for session in &want.sessions {
        check_session(session)?;
        if !keys.insert(&session.key) {
            return Err(AgentError::refused(format!("Session {}: the key is used twice.", session.key)));
        }
        if !peers.insert(session.peer_address) {
            return Err(AgentError::unsupported(format!(
                "Session {}: another session has the same peer, and OpenBGPD has one session with a peer.",
                session.key
            )));
        }
    }
    Ok(())
}

fn check_session(session: &BgpSession) -> Result<(), AgentError> {
    let refuse = |why: &str| Err(AgentError::refused(format!("Session {}: {why}", session.key)));
    let unsupported = |why: &str| Err(AgentError::unsupported(format!("Session {}: {why}", session.key)));
    if session.local_address.is_some_and(|local| local.is_ipv4() != session.peer_address.is_ipv4()) {
        return refuse("the local and the peer's address are of different families.");
    }
    if session.ttl == 0 {
        return refuse("the ttl must be 1 or more.");
    }
    if session.max_prefixes == Some(0) {
        return unsupported("OpenBGPD has no limit of no prefixes; disable the session instead.");
    }
    if session.route_server_client && session.is_internal() {
        return refuse("a client of a route server is in another AS than the server.");
    }
    if session.role.is_some() && session.is_internal() {
        return refuse("a role is for peers in another AS.");
    }
    if session.gtsm && session.is_internal() {
        return unsupported("OpenBGPD does not hold peers inside our AS to a number of hops.");
    }
    if session.bfd.is_some() {
        return unsupported("OpenBGPD has no BFD; leave it out.");
    }
    if let Some(password) = &session.password
        && !(1..=LONGEST_PASSWORD).contains(&password.expose().len())
    {
        return refuse(&format!("a TCP MD5 password has 1 to {LONGEST_PASSWORD} bytes."));
    }
    match session.peer_address {
        IpAddr::V6(peer) if peer.is_unicast_link_local() => unsupported("a link-local peer needs an interface."),
        peer if peer.is_unspecified() || peer.is_multicast() => refuse("the peer's address is not one of a host."),
        _ => Ok(()),
    }
}
